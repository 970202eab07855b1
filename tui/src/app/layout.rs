//! Owns how one line of a backlog stands in so many cells: what is drawn of it, where that breaks, and which piece of it
//! looks how. Made once a width. Knows no screen and no colours.

use super::line::{EDITED, Line, Said, Speech};
use super::markup::{self, Face, Lead, Marked, Span};
use super::text::{self, Row};

/// What stands before a row of a quote or of code, in cells.
const LEAD_CELLS: u16 = 2;

/// A line at one width.
#[derive(Debug)]
pub(crate) struct Layout {
    cells: u16,
    /// What is drawn; none: the line's text as it is.
    text: Option<Box<str>>,
    /// Pieces that are no plain text, in order.
    spans: Box<[Span]>,
    rows: Box<[LaidRow]>,
}

/// A row: its bytes of what is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LaidRow {
    bytes: Row,
    pub(crate) lead: Lead,
}

/// A piece of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) text: &'a str,
    pub(crate) face: Face,
    /// The whole address of which it is a part.
    pub(crate) address: Option<&'a str>,
}

impl Layout {
    /// Lays a line out.
    pub(crate) fn of(line: &Line, cells: u16) -> Self {
        let (text, spans, lines) = drawn(line);
        let mut rows = Vec::with_capacity(lines.len());
        for (bytes, lead) in lines {
            break_line(&text, (bytes, lead), cells, &mut rows);
        }
        let text = (text != line.text()).then(|| text.into_boxed_str());
        Self { cells, text, spans: spans.into(), rows: rows.into() }
    }

    /// The width it was made for.
    pub(crate) fn cells(&self) -> u16 {
        self.cells
    }

    pub(crate) fn rows(&self) -> &[LaidRow] {
        &self.rows
    }

    /// Cells that the last row takes.
    pub(crate) fn last_width(&self, line: &Line) -> usize {
        let Some(row) = self.rows.last() else { return 0 };
        let lead = if row.lead == Lead::None { 0 } else { usize::from(LEAD_CELLS) };
        lead + text::width(&self.text(line)[row.bytes.clone()])
    }

    /// The pieces of a row, in order.
    pub(crate) fn pieces<'a>(&'a self, line: &'a Line, row: &LaidRow) -> impl Iterator<Item = Piece<'a>> {
        let text = self.text(line);
        let (mut at, end) = (row.bytes.start, row.bytes.end);
        let mut next = self.spans.partition_point(|span| span.bytes.end <= at);
        std::iter::from_fn(move || {
            let start = at;
            let span = self.spans.get(next).filter(|span| span.bytes.start < end);
            match span {
                _ if start >= end => None,
                Some(span) if span.bytes.start <= start => {
                    (at, next) = (span.bytes.end.min(end), next + 1);
                    let address = span.face.has(Face::LINK).then(|| &text[span.bytes.clone()]);
                    Some(Piece { text: &text[start..at], face: span.face, address })
                }
                plain => {
                    at = plain.map_or(end, |span| span.bytes.start);
                    Some(Piece { text: &text[start..at], face: Face::PLAIN, address: None })
                }
            }
        })
    }

    fn text<'a>(&'a self, line: &'a Line) -> &'a str {
        self.text.as_deref().unwrap_or(line.text())
    }
}

/// What is drawn of a line, what is special in it, its lines.
fn drawn(line: &Line) -> (String, Vec<Span>, Vec<(Row, Lead)>) {
    let speech = line.speech();
    let marked = match &line.said {
        Said::Message(speech) if !speech.is_deleted() => markup::mark(line.words()),
        _ => markup::links(line.words()),
    };
    let Marked { text, mut spans, mut lines } = marked;
    let mut text = text.into_owned();
    if speech.is_some_and(Speech::is_edited) {
        let start = match lines.last_mut() {
            Some((last, lead)) if *lead != Lead::Code => {
                let start = text.len();
                last.end += EDITED.len();
                text.push_str(EDITED);
                start
            }
            // What is no code does not stand in its last line.
            _ => {
                text.push('\n');
                text.push_str(EDITED.trim_start());
                let start = text.len() - EDITED.trim_start().len();
                lines.push((start..text.len(), Lead::None));
                start
            }
        };
        spans.push(Span { bytes: start..text.len(), face: Face::ASIDE });
    }
    (text, spans, lines)
}

fn break_line(text: &str, (bytes, lead): (Row, Lead), cells: u16, rows: &mut Vec<LaidRow>) {
    let inner = usize::from(cells.saturating_sub(LEAD_CELLS).max(1));
    let mut broken = Vec::new();
    match lead {
        Lead::None => text::wrap_line(text, bytes, usize::from(cells.max(1)), &mut broken),
        Lead::Quote => text::wrap_line(text, bytes, inner, &mut broken),
        Lead::Code => {
            let chopped = text::chop(&text[bytes.clone()], inner).into_iter();
            broken.extend(chopped.map(|row| bytes.start + row.start..bytes.start + row.end));
        }
    }
    rows.extend(broken.into_iter().map(|bytes| LaidRow { bytes, lead }));
}

#[cfg(test)]
mod tests;
