//! Owns which parts of a message are light markdown, and what is drawn of it: emphasis, code, quotes, links. Pure, text in
//! and pieces out; what is stored, copied, searched and sent stays as it was written. Knows no widths and no colours.
//!
//! `*bold*` and `**bold**`, `_italic_`, `` `code` ``, `> quote` and fenced code, each where it stands as a word or a line of
//! its own: `2*3*4`, `snake_case`, `src/*/mod.rs` and whatever is not closed stay as they are.

mod inline;
pub(crate) mod url;

use std::borrow::Cow;

use super::text::Row;

/// How a piece of text looks beside the role of its line: a set of signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Face(u8);

impl Face {
    pub(crate) const PLAIN: Self = Self(0);
    pub(crate) const BOLD: Self = Self(1);
    pub(crate) const ITALIC: Self = Self(1 << 1);
    pub(crate) const CODE: Self = Self(1 << 2);
    /// The piece is the address itself.
    pub(crate) const LINK: Self = Self(1 << 3);
    pub(crate) const QUOTE: Self = Self(1 << 4);
    /// The program's words behind somebody's.
    pub(crate) const ASIDE: Self = Self(1 << 5);

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A piece of what is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) bytes: Row,
    pub(crate) face: Face,
}

/// What stands before each row of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    None,
    /// Somebody else's words: broken at words, as all text.
    Quote,
    /// Code: its spaces stay, and it breaks only at the edge.
    Code,
}

/// A text as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marked<'a> {
    /// Borrowed where nothing of the text is left out.
    pub(crate) text: Cow<'a, str>,
    /// Pieces of `text` that are no plain text, in order.
    pub(crate) spans: Vec<Span>,
    /// The lines of `text`, without their ends.
    pub(crate) lines: Vec<(Row, Lead)>,
}

/// Finds links only: for words of the program's own.
pub(crate) fn links(text: &str) -> Marked<'_> {
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(found) = url::next(text, at) {
        at = found.end;
        spans.push(Span { bytes: found, face: Face::LINK });
    }
    Marked { spans, ..plain(text) }
}

/// Finds everything.
pub(crate) fn mark(text: &str) -> Marked<'_> {
    if !text.contains(['*', '_', '`']) && !text.contains("://") && !text.contains("> ") {
        return plain(text);
    }
    let mut out = Out::default();
    let lines: Vec<&str> = text.split('\n').collect();
    let mut index = 0;
    // Where one fence is not closed, none behind it is.
    let mut fences = true;
    while let Some(line) = lines.get(index) {
        index += 1;
        if fences && is_fence(line) {
            match lines[index..].iter().position(|line| line.trim() == FENCE) {
                Some(length) => {
                    out.code(&lines[index..index + length]);
                    index += length + 1;
                    continue;
                }
                None => fences = false,
            }
        }
        match line.strip_prefix("> ").filter(|quoted| !quoted.trim().is_empty()) {
            Some(quoted) => out.line(quoted, Lead::Quote),
            None => out.line(line, Lead::None),
        }
    }
    out.marked(text)
}

/// The addresses in a text, each once, in the form in which they can be given away.
pub(crate) fn addresses(text: &str) -> Vec<String> {
    let marked = mark(text);
    let mut found = Vec::new();
    for span in marked.spans.iter().filter(|span| span.face.has(Face::LINK)) {
        let address = url::encoded(&marked.text[span.bytes.clone()]);
        found.extend(address.filter(|address| !found.contains(address)));
    }
    found
}

const FENCE: &str = "```";

/// The line opens fenced code, perhaps of a language that it names.
fn is_fence(line: &str) -> bool {
    let behind = line.trim().strip_prefix(FENCE);
    behind.is_some_and(|language| !language.contains(|c: char| c.is_whitespace() || c == '`'))
}

fn plain(text: &str) -> Marked<'_> {
    let mut start = 0;
    let lines = text.split('\n').map(|line| {
        let bytes = start..start + line.len();
        start = bytes.end + 1;
        (bytes, Lead::None)
    });
    Marked { lines: lines.collect(), text: Cow::Borrowed(text), spans: Vec::new() }
}

/// What is drawn, as it grows.
#[derive(Default)]
struct Out {
    text: String,
    spans: Vec<Span>,
    lines: Vec<(Row, Lead)>,
}

impl Out {
    fn line(&mut self, line: &str, lead: Lead) {
        let start = self.begin_line();
        let face = if lead == Lead::Quote { Face::QUOTE } else { Face::PLAIN };
        inline::read(line, face, |piece, face| self.push(piece, face));
        self.lines.push((start..self.text.len(), lead));
    }

    /// Fenced code has a row even where there is nothing in it.
    fn code(&mut self, lines: &[&str]) {
        for line in if lines.is_empty() { &[""][..] } else { lines } {
            let start = self.begin_line();
            self.push(line, Face::CODE);
            self.lines.push((start..self.text.len(), Lead::Code));
        }
    }

    fn begin_line(&mut self) -> usize {
        if !self.lines.is_empty() {
            self.text.push('\n');
        }
        self.text.len()
    }

    fn push(&mut self, piece: &str, face: Face) {
        let start = self.text.len();
        self.text.push_str(piece);
        if face != Face::PLAIN && !piece.is_empty() {
            self.spans.push(Span { bytes: start..self.text.len(), face });
        }
    }

    fn marked(self, from: &str) -> Marked<'_> {
        let Self { text, spans, lines } = self;
        let text = if text == from { Cow::Borrowed(from) } else { Cow::Owned(text) };
        Marked { text, spans, lines }
    }
}

#[cfg(test)]
mod tests;
