//! Owns the text being written: editing by grapheme with readline's keys, undo, what was written before. Knows no
//! commands and no screen. (Own and small: the library's text area counts characters, so that its cursor stands
//! inside a ZWJ family.)

use unicode_segmentation::UnicodeSegmentation;

use super::text::{self, Row};

mod kills;
mod recall;

use kills::Kills;
pub(crate) use recall::Recall;

/// States that undo goes back through.
const UNDO_MAX: usize = 100;

/// The text being written.
#[derive(Debug, Default)]
pub(crate) struct Composer {
    text: String,
    /// In bytes, at a cluster's beginning or the end.
    cursor: usize,
    kills: Kills,
    undo: Vec<(String, usize)>,
    /// How often the writer has changed the text; what is brought back whole does not count.
    changes: u64,
    pub(crate) recall: Recall,
    /// Lines that came by the largest paste into this text.
    pub(crate) pasted_lines: usize,
}

/// Where a movement or deletion goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Left,
    Right,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
}

impl Composer {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn cursor(&self) -> usize {
        self.cursor
    }

    /// Another number after each change by the writer.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn lines(&self) -> usize {
        self.text.split('\n').count()
    }

    /// Puts text at the cursor; what could harm a terminal does not get in.
    pub(crate) fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = chat_protocol::text::sanitize(&text);
        if text.is_empty() {
            return;
        }
        self.save();
        self.kills.part();
        self.changes += 1;
        self.text.insert_str(self.cursor, &text);
        // The new text may have joined its neighbours to one cluster: the cursor stands behind it.
        self.cursor = self.boundary_from(self.cursor + text.len());
    }

    /// As [`Composer::insert`], remembering that it came in one piece.
    pub(crate) fn paste(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        self.pasted_lines = self.pasted_lines.max(text.trim_end_matches('\n').split('\n').count());
        self.insert(&text);
    }

    pub(crate) fn go(&mut self, reach: Reach) {
        self.kills.part();
        self.cursor = self.target(reach);
    }

    /// Deletes one cluster.
    pub(crate) fn delete(&mut self, reach: Reach) {
        self.kills.part();
        self.cut(reach);
    }

    /// Deletes more, and keeps it for [`Composer::yank`].
    pub(crate) fn kill(&mut self, reach: Reach) {
        let cut = self.cut(reach);
        if !cut.is_empty() {
            self.kills.put(&cut, matches!(reach, Reach::Left | Reach::WordLeft | Reach::LineStart));
        }
    }

    /// Puts in what was killed last.
    pub(crate) fn yank(&mut self) {
        let (Some(killed), start) = (self.kills.newest().map(str::to_owned), self.cursor) else { return };
        self.insert(&killed);
        self.kills.yanked(start);
    }

    /// Right behind that: what was killed before it, in its place. False where nothing was just put in.
    pub(crate) fn yank_older(&mut self) -> bool {
        let Some((start, killed)) = self.kills.older() else { return false };
        self.put_before(start, &killed);
        true
    }

    pub(crate) fn undo(&mut self) {
        self.kills.part();
        if let Some((text, cursor)) = self.undo.pop() {
            (self.text, self.cursor) = (text, cursor);
            self.came_whole();
        }
    }

    /// Nothing before this can be brought back: another room's text is written from here on.
    pub(crate) fn begin_anew(&mut self) {
        self.undo.clear();
    }

    /// Text that was not typed just now is asked about as a paste is: it may be one.
    fn came_whole(&mut self) {
        self.pasted_lines = self.pasted_lines.max(self.text.trim_end_matches('\n').split('\n').count());
    }

    /// Replaces everything; undo brings the old text back.
    pub(crate) fn set(&mut self, text: &str) {
        self.save();
        self.kills.part();
        text.clone_into(&mut self.text);
        self.cursor = self.text.len();
        self.came_whole();
    }

    /// Replaces `start..cursor`.
    pub(crate) fn replace_before(&mut self, start: usize, with: &str) {
        self.kills.part();
        self.put_before(start, with);
    }

    fn put_before(&mut self, start: usize, with: &str) {
        self.save();
        self.changes += 1;
        self.text.replace_range(start..self.cursor, with);
        self.cursor = start + with.len();
    }

    /// Empties it and returns what was written.
    pub(crate) fn take(&mut self) -> String {
        self.save();
        (self.cursor, self.pasted_lines) = (0, 0);
        self.kills.part();
        self.recall.leave();
        std::mem::take(&mut self.text)
    }

    /// Up in the text; on the first row what was written before.
    pub(crate) fn up(&mut self, cells: u16) {
        if !self.go_row(cells, -1)
            && let Some(text) = self.recall.older(&self.text)
        {
            self.set(&text);
        }
    }

    /// Down in the text; on the last row what was written later.
    pub(crate) fn down(&mut self, cells: u16) {
        if !self.go_row(cells, 1)
            && let Some(text) = self.recall.newer()
        {
            self.set(&text);
        }
    }

    /// Its rows at a width.
    pub(crate) fn rows(&self, cells: u16) -> Vec<Row> {
        text::chop(&self.text, usize::from(cells))
    }

    /// Row and column of the cursor at a width.
    pub(crate) fn cursor_cell(&self, cells: u16) -> (usize, usize) {
        let rows = self.rows(cells);
        let row = rows.iter().rposition(|row| row.start <= self.cursor).unwrap_or(0);
        (row, text::width(&self.text[rows[row].start..self.cursor]))
    }

    fn go_row(&mut self, cells: u16, step: isize) -> bool {
        let rows = self.rows(cells);
        let (row, column) = self.cursor_cell(cells);
        self.kills.part();
        let Some(target) = row.checked_add_signed(step).and_then(|row| rows.get(row)) else { return false };
        self.cursor = target.start + text::fit(&self.text[target.clone()], column).len();
        true
    }

    fn target(&self, reach: Reach) -> usize {
        let (before, after) = self.text.split_at(self.cursor);
        match reach {
            Reach::Left => before.grapheme_indices(true).next_back().map_or(0, |(at, _)| at),
            Reach::Right => self.cursor + after.graphemes(true).next().map_or(0, str::len),
            Reach::WordLeft => {
                let words = before.trim_end_matches(|c: char| !c.is_alphanumeric());
                let start = words.rfind(|c: char| !c.is_alphanumeric());
                start.map_or(0, |at| at + words[at..].chars().next().map_or(0, char::len_utf8))
            }
            Reach::WordRight => {
                let word = after.trim_start_matches(|c: char| !c.is_alphanumeric());
                let skipped = after.len() - word.len();
                self.cursor + skipped + word.find(|c: char| !c.is_alphanumeric()).unwrap_or(word.len())
            }
            Reach::LineStart => before.rfind('\n').map_or(0, |at| at + 1),
            Reach::LineEnd => self.cursor + after.find('\n').unwrap_or(after.len()),
        }
    }

    fn cut(&mut self, reach: Reach) -> String {
        let target = self.target(reach);
        let range = target.min(self.cursor)..target.max(self.cursor);
        // At a line's edge there is nothing but the line break to take.
        let range = match reach {
            Reach::LineStart if range.is_empty() => range.start.saturating_sub(1)..range.end,
            Reach::LineEnd if range.is_empty() => range.start..(range.end + 1).min(self.text.len()),
            _ => range,
        };
        if range.is_empty() {
            return String::new();
        }
        self.save();
        self.changes += 1;
        self.cursor = range.start;
        self.text.drain(range).collect()
    }

    /// The first cluster boundary at or behind a byte.
    fn boundary_from(&self, at: usize) -> usize {
        let mut ends = self.text.grapheme_indices(true).map(|(start, cluster)| start + cluster.len());
        if at == 0 { 0 } else { ends.find(|end| *end >= at).unwrap_or(self.text.len()) }
    }

    fn save(&mut self) {
        if self.undo.last().is_some_and(|(text, _)| *text == self.text) {
            return;
        }
        self.undo.push((self.text.clone(), self.cursor));
        if self.undo.len() > UNDO_MAX {
            self.undo.remove(0);
        }
    }
}

#[cfg(test)]
mod tests;
