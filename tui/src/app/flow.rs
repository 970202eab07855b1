//! Owns how a backlog stands in a pane: which lines get a day, a "new" rule and an author above them, how many
//! rows each takes, and what scrolling by rows means. Both `update` and the view measure with it.

use jiff::civil::Date;

use super::history::{Anchor, History};
use super::line::{Line, Mark, Said};
use super::text;

/// `10:02 `
pub(crate) const TIME_CELLS: u16 = 6;
/// Kept free on the right for a mark.
pub(crate) const MARK_CELLS: u16 = 2;
/// What a sign takes that is a word: `trouble:`, beside the cells of a mark.
const SIGN_CELLS: u16 = 8;
/// Messages of one author closer than this stand under one name.
const GROUP_MINUTES_MAX: i64 = 5;

/// The pane's columns and height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) time: u16,
    /// The author's column with the space behind it.
    pub(crate) name: u16,
    pub(crate) body: u16,
    pub(crate) height: u16,
    /// Marks are words, not signs.
    pub(crate) in_words: bool,
}

impl Columns {
    /// Columns of a pane; narrow ones give up the time first, then most of the names.
    pub(crate) fn of(width: u16, height: u16) -> Self {
        let (time, name) = match width {
            0..=29 => (0, 6),
            30..=49 => (TIME_CELLS, 8),
            50..=79 => (TIME_CELLS, 10),
            _ => (TIME_CELLS, 14),
        };
        let body = width.saturating_sub(time + name + MARK_CELLS).max(1);
        Self { time, name, body, height, in_words: false }
    }

    /// Another width of the time, where there is one.
    pub(crate) fn with_time(self, cells: u16) -> Self {
        if self.time == 0 {
            return self;
        }
        let time = cells + 1;
        Self { time, body: (self.body + self.time).saturating_sub(time).max(1), ..self }
    }

    /// With marks as words or as signs.
    pub(crate) fn in_words(self, in_words: bool) -> Self {
        Self { in_words, ..self }
    }

    /// Cells left of what is said.
    pub(crate) fn indent(self) -> u16 {
        self.time + self.name
    }

    /// Cells a notice has: it needs no name, and where signs are words more room for those.
    pub(crate) fn wide(self) -> u16 {
        let sign = if self.in_words { SIGN_CELLS } else { 0 };
        (self.body + self.name).saturating_sub(sign).max(1)
    }
}

/// How one line stands in the pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// A day begins.
    pub(crate) day: Option<Date>,
    /// The news begin: how many.
    pub(crate) news: Option<usize>,
    /// Time and author are shown.
    pub(crate) head: bool,
    /// The line that a reply is to stands above it.
    pub(crate) quote: bool,
    /// Rows of text.
    pub(crate) rows: usize,
    /// The mark did not fit beside the last row.
    pub(crate) mark_below: bool,
}

impl Block {
    /// All its rows.
    pub(crate) fn height(&self) -> usize {
        usize::from(self.day.is_some())
            + usize::from(self.news.is_some())
            + usize::from(self.quote)
            + self.rows
            + usize::from(self.mark_below)
    }
}

/// The words of a mark, beside its sign where it has one.
pub(crate) fn mark_words(mark: &Mark, columns: Columns) -> String {
    match mark {
        Mark::Queued => " queued".to_owned(),
        Mark::Failed(reason) if columns.in_words => format!(" failed: {reason}"),
        Mark::Failed(reason) => format!(" {reason}"),
        Mark::Sent if columns.in_words => " sending".to_owned(),
        Mark::None | Mark::Sent | Mark::Acked(_) => String::new(),
    }
}

/// Measures the line at `index`.
pub(crate) fn block(history: &History, index: usize, columns: Columns) -> Option<Block> {
    let line = history.line(index)?;
    let above = index.checked_sub(1).and_then(|above| history.line(above));
    let day = above.is_none_or(|above| above.at.date() != line.at.date()).then(|| line.at.date());
    let news = history.news.filter(|news| news.from == line.id).map(|news| news.count);
    let head = day.is_some() || news.is_some() || !above.is_some_and(|above| is_grouped(above, line));
    let cells = if line.speech().is_some() { columns.body } else { columns.wide() };
    let layout = line.layout(cells);
    let mark_below = line.speech().is_some_and(|speech| {
        let words = text::width(&mark_words(&speech.mark, columns));
        words > 0 && layout.last_width(line) + words + 2 > usize::from(columns.body)
    });
    let quote = line.speech().is_some_and(|speech| speech.quote.is_some() && !speech.is_deleted());
    Some(Block { day, news, head, quote, rows: layout.rows().len(), mark_below })
}

fn is_grouped(above: &Line, line: &Line) -> bool {
    let (Said::Message(first), Said::Message(second)) = (&above.said, &line.said) else { return false };
    let minutes = above.at.until((jiff::Unit::Minute, line.at)).map_or(i64::MAX, |span| span.get_minutes());
    !first.action
        && !second.action
        && first.name == second.name
        && first.author == second.author
        && (0..GROUP_MINUTES_MAX).contains(&minutes)
}

/// Where the lowest shown row is: an index and how many of its rows are below the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bottom {
    pub(crate) index: usize,
    pub(crate) cut: usize,
}

/// Where the screen ends.
pub(crate) fn bottom(history: &History, columns: Columns) -> Bottom {
    let last = Bottom { index: history.len().saturating_sub(1), cut: 0 };
    let Some(anchor) = history.anchor else { return last };
    let index = history.index_of(anchor.line);
    let height = block(history, index, columns).map_or(1, |block| block.height());
    Bottom { index, cut: anchor.cut.min(height.saturating_sub(1)) }
}

/// Rows that stand above the screen, counted no further than `most`.
pub(crate) fn rows_above(history: &History, columns: Columns, most: usize) -> usize {
    let Bottom { index, mut cut } = bottom(history, columns);
    let screen = usize::from(columns.height);
    let mut rows = 0;
    for index in (0..=index).rev() {
        let Some(block) = block(history, index, columns).filter(|_| rows < screen + most) else { break };
        rows += block.height() - std::mem::take(&mut cut);
    }
    rows.saturating_sub(screen).min(most)
}

/// Moves up by rows; true when the oldest row is on the screen.
pub(crate) fn scroll_up(history: &mut History, columns: Columns, rows: usize) -> bool {
    let mut at = bottom(history, columns);
    let mut rest = rows;
    while let Some(block) = block(history, at.index, columns) {
        let shown = block.height() - at.cut;
        if rest < shown {
            at.cut += rest;
            break;
        }
        rest -= shown;
        match at.index.checked_sub(1) {
            Some(index) => at = Bottom { index, cut: 0 },
            None => break,
        }
    }
    settle(history, columns, at)
}

/// Moves down by rows, and follows the newest line once it is reached.
pub(crate) fn scroll_down(history: &mut History, columns: Columns, rows: usize) {
    let at = bottom(history, columns);
    let at = lower(history, columns, at, rows);
    place(history, at);
}

/// Puts the line at `index` on top of the screen, as far as there are lines below it.
pub(crate) fn show_from(history: &mut History, columns: Columns, index: usize) {
    let Some(block) = block(history, index, columns) else { return };
    let at = Bottom { index, cut: block.height() };
    let at = lower(history, columns, at, usize::from(columns.height));
    place(history, at);
}

/// Moves as little as it takes to have the whole line at `index` on the screen.
pub(crate) fn show(history: &mut History, columns: Columns, index: usize) {
    let at = bottom(history, columns);
    if index > at.index || (index == at.index && at.cut > 0) {
        return place(history, Bottom { index, cut: 0 });
    }
    let mut rows = usize::from(columns.height) + at.cut;
    for above in (index..=at.index).rev() {
        let height = block(history, above, columns).map_or(0, |block| block.height());
        match rows.checked_sub(height) {
            Some(rest) => rows = rest,
            None => return show_from(history, columns, index),
        }
    }
}

/// Never shows emptiness above the oldest line while there is something below; true at the top.
fn settle(history: &mut History, columns: Columns, at: Bottom) -> bool {
    let height = usize::from(columns.height);
    let mut above = 0;
    let mut index = at.index;
    while let Some(block) = block(history, index, columns) {
        above += block.height() - if index == at.index { at.cut } else { 0 };
        if above > height || index == 0 {
            break;
        }
        index -= 1;
    }
    let at = lower(history, columns, at, height.saturating_sub(above));
    place(history, at);
    above <= height
}

fn lower(history: &History, columns: Columns, mut at: Bottom, rows: usize) -> Bottom {
    let mut rest = rows;
    while rest > at.cut {
        rest -= at.cut;
        let Some(block) = block(history, at.index + 1, columns) else {
            return Bottom { cut: 0, ..at };
        };
        at = Bottom { index: at.index + 1, cut: block.height() };
    }
    Bottom { cut: at.cut - rest, ..at }
}

fn place(history: &mut History, at: Bottom) {
    let is_last = at.index + 1 >= history.len() && at.cut == 0;
    match history.line(at.index).map(|line| line.id).filter(|_| !is_last) {
        Some(line) => history.anchor = Some(Anchor { line, cut: at.cut }),
        None => history.follow(),
    }
}
