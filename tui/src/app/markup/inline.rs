//! Owns the marks within one line: which open, which close, which are just signs. Knows nothing of lines.

use unicode_width::UnicodeWidthChar;

use super::{Face, Span, url};

/// Longest row of backticks that opens code.
const TICKS_MAX: usize = 63;

/// Reads a line, and tells its pieces in order, the marks left out.
pub(super) fn read(line: &str, face: Face, tell: impl FnMut(&str, Face)) {
    let fixed = fixed(line);
    let marks = marks(line, &fixed);
    Reader { line, fixed: &fixed, marks: &marks, tell }.read(0..line.len(), 0..marks.len(), face);
}

/// Code and links: nothing within them means anything else.
fn fixed(line: &str) -> Vec<Span> {
    let mut found = Vec::new();
    // Rows of backticks of these lengths are not closed any more.
    let mut open: u64 = 0;
    let mut at = 0;
    while let Some(step) = line[at..].find(['`', ':']) {
        let sign = at + step;
        if line.as_bytes()[sign] == b':' {
            // An address begins before its colon, and behind everything found so far.
            match url::around(line, at, sign) {
                Some(bytes) => {
                    at = bytes.end;
                    found.push(Span { bytes, face: Face::LINK });
                }
                None => at = sign + 1,
            }
            continue;
        }
        let ticks = run(line, sign, '`');
        at = sign + ticks;
        if ticks > TICKS_MAX || open & (1 << ticks) != 0 {
            continue;
        }
        match closing(line, at, ticks) {
            Some(end) => {
                found.push(Span { bytes: sign..end, face: Face::CODE });
                at = end;
            }
            None => open |= 1 << ticks,
        }
    }
    found
}

/// Behind the next row of exactly so many backticks.
fn closing(line: &str, from: usize, ticks: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += line[at..].find('`')?;
        let found = run(line, at, '`');
        if found == ticks {
            return Some(at + found);
        }
        at += found;
    }
}

/// Bytes of a row of one sign of ASCII.
fn run(line: &str, at: usize, sign: char) -> usize {
    line[at..].bytes().take_while(|byte| char::from(*byte) == sign).count()
}

/// A row of stars or underscores.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: usize,
    end: usize,
    sign: char,
    opens: bool,
    closes: bool,
}

impl Mark {
    /// What it means between two of its kind; none: it is just a sign.
    fn face(self) -> Option<Face> {
        match (self.sign, self.end - self.at) {
            ('*', 1 | 2) => Some(Face::BOLD),
            ('_', 1) => Some(Face::ITALIC),
            _ => None,
        }
    }

    fn is_like(self, other: Self) -> bool {
        self.sign == other.sign && self.end - self.at == other.end - other.at
    }
}

fn marks(line: &str, fixed: &[Span]) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut fixed = fixed.iter().peekable();
    let mut at = 0;
    while let Some(step) = line[at..].find(['*', '_']) {
        at += step;
        if let Some(span) = fixed.next_if(|span| span.bytes.start <= at) {
            at = at.max(span.bytes.end);
            continue;
        }
        let sign = char::from(line.as_bytes()[at]);
        let end = at + run(line, at, sign);
        let (before, behind) = (line[..at].chars().next_back(), line[end..].chars().next());
        // The sign of a keycap is none of ours: it is one with what follows.
        let is_joined = behind.is_some_and(|c| c.width() == Some(0));
        let opens = !is_joined && may_stand(before, OPENERS) && !is_space(behind);
        let closes = !is_joined && may_stand(behind, CLOSERS) && !is_space(before);
        // Within a word it is a letter.
        if opens || closes {
            marks.push(Mark { at, end, sign, opens, closes });
        }
        at = end;
    }
    marks
}

/// What may stand right before emphasis, beside spaces and wide letters.
const OPENERS: &[char] = &['(', '[', '{', '"', '\'', '*', '_', '-', '–', '—', '“', '‘', '«', '>', '~'];
/// What may stand right behind it.
const CLOSERS: &[char] = &[
    ')', ']', '}', '"', '\'', '*', '_', '-', '–', '—', '”', '’', '»', '.', ',', ';', ':', '!', '?', '…', '~',
];

fn may_stand(c: Option<char>, signs: &[char]) -> bool {
    // Scripts with wide letters write without spaces.
    c.is_none_or(|c| c.is_whitespace() || signs.contains(&c) || c.width() == Some(2))
}

fn is_space(c: Option<char>) -> bool {
    c.is_none_or(char::is_whitespace)
}

struct Reader<'a, F> {
    line: &'a str,
    fixed: &'a [Span],
    marks: &'a [Mark],
    tell: F,
}

impl<F: FnMut(&str, Face)> Reader<'_, F> {
    /// Nests no deeper than there are faces: none stands within itself.
    fn read(&mut self, bytes: std::ops::Range<usize>, marks: std::ops::Range<usize>, face: Face) {
        let (mut at, mut index) = (bytes.start, marks.start);
        while index < marks.end {
            let mark = self.marks[index];
            let inner = mark.face().filter(|inner| mark.opens && !face.has(*inner));
            if let Some((inner, close)) = inner.zip(self.close(index, marks.end)) {
                let end = self.marks[close];
                self.told(at..mark.at, face);
                self.read(mark.end..end.at, index + 1..close, face.with(inner));
                (at, index) = (end.end, close);
            }
            index += 1;
        }
        self.told(at..bytes.end, face);
    }

    /// The mark that closes one: the next of its kind, if it does, and there is a word between the two.
    fn close(&self, open: usize, end: usize) -> Option<usize> {
        let mark = self.marks[open];
        let next = (open + 1..end).find(|index| self.marks[*index].is_like(mark))?;
        let between = &self.line[mark.end..self.marks[next].at];
        let is_word = |c: char| c.is_alphanumeric() || c.width() == Some(2);
        (self.marks[next].closes && between.contains(is_word)).then_some(next)
    }

    fn told(&mut self, bytes: std::ops::Range<usize>, face: Face) {
        let mut at = bytes.start;
        let first = self.fixed.partition_point(|span| span.bytes.end <= bytes.start);
        for span in self.fixed[first..].iter().take_while(|span| span.bytes.start < bytes.end) {
            (self.tell)(&self.line[at..span.bytes.start], face);
            (self.tell)(&self.line[span.bytes.clone()], face.with(span.face));
            at = span.bytes.end;
        }
        (self.tell)(&self.line[at..bytes.end], face);
    }
}
