//! Owns how text becomes rows of cells: what is taken out before anything is drawn, how wide the rest is, where
//! it breaks. Knows no messages and no screen.

use std::ops::Range;
use std::time::Duration;

use chat_protocol::text::{is_invisible, sanitize};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What a tab becomes: a cell grid has no tab stops of its own.
const TAB: &str = "    ";
/// Most scalar values kept of one cluster: a family emoji with skin tones has 11, a pile of combining marks can
/// have thousands and would cost their bytes on every redraw.
const CLUSTER_SCALARS_MAX: usize = 16;

/// Text of somebody else's, made safe to draw: no controls, nothing that reorders or hides, tabs as spaces.
pub(crate) fn clean(text: &str) -> String {
    let safe = sanitize(text);
    let mut out = String::with_capacity(safe.len());
    for cluster in safe.graphemes(true) {
        match cluster {
            "\t" => out.push_str(TAB),
            "\n" => out.push('\n'),
            _ => out.extend(cluster.chars().filter(|c| !is_stray(*c)).take(CLUSTER_SCALARS_MAX)),
        }
    }
    out
}

/// As [`clean`], on one line.
pub(crate) fn clean_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// Invisible characters, apart from the joiners and tags that emoji and some scripts are made of; and those of whose
/// place and width terminals have ideas of their own, so that what they draw is no longer what the library believes.
fn is_stray(c: char) -> bool {
    let is_unplaced = matches!(
        c,
        // Annotations between lines, and signs that reach over the digits behind them (prepended concatenation marks).
        '\u{FFF9}'..='\u{FFFB}'
            | '\u{600}'..='\u{605}'
            | '\u{6DD}'
            | '\u{70F}'
            | '\u{890}'..='\u{891}'
            | '\u{8E2}'
            | '\u{110BD}'
            | '\u{110CD}'
    );
    is_unplaced || is_invisible(c) && !matches!(c, '\u{200C}' | '\u{200D}' | '\u{E0020}'..='\u{E007F}')
}

/// Cells a text takes, counted as the terminal library counts them: cluster by cluster.
pub(crate) fn width(text: &str) -> usize {
    text.graphemes(true).map(cells_of).sum()
}

/// Cells of a cluster. Terminals draw the halfwidth sound marks, which Unicode counts to the letter before, beside it.
fn cells_of(cluster: &str) -> usize {
    let marks = if cluster.len() > 3 { cluster.matches(['\u{FF9E}', '\u{FF9F}']).count() } else { 0 };
    cluster.width() + marks
}

/// The longest beginning that fits in `cells`.
pub(crate) fn fit(text: &str, cells: usize) -> &str {
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        used += cells_of(cluster);
        if used > cells {
            return &text[..at];
        }
    }
    text
}

/// As [`fit`], with `more` as the last sign of what was cut.
pub(crate) fn ellipsis(text: &str, cells: usize, more: &str) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let kept = fit(text, cells.saturating_sub(width(more)));
    format!("{kept}{}", fit(more, cells))
}

/// A row of a wrapped text: its bytes.
pub(crate) type Row = Range<usize>;

/// Breaks one line of a text into rows of at most `cells`, at spaces and beside wide characters; a word longer than a row is
/// cut between clusters. There is always one row.
pub(crate) fn wrap_line(text: &str, line: Row, cells: usize, rows: &mut Vec<Row>) {
    let mut row = line.start;
    let mut column = 0;
    // Where the row may end, and how many cells stand before that place.
    let mut rest: Option<(usize, usize)> = None;
    for (offset, cluster) in text[line.clone()].grapheme_indices(true) {
        let at = line.start + offset;
        let wide = cells_of(cluster);
        if column + wide > cells && at > row {
            if cluster == " " {
                // A space at the edge is the break itself.
                rows.push(row..at);
                (row, column, rest) = (at + 1, 0, None);
                continue;
            }
            let (end, before) = rest.unwrap_or((at, column));
            rows.push(row..end);
            row = end;
            column -= before;
            rest = None;
        }
        column += wide;
        if cluster == " " || wide > 1 {
            rest = Some((at + cluster.len(), column));
        }
    }
    rows.push(row..line.end);
}

/// Breaks text into rows exactly at the edge: what a composer needs, whose every cluster must have a cell.
pub(crate) fn chop(text: &str, cells: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let (mut row, mut column) = (0, 0);
    for (at, cluster) in text.grapheme_indices(true) {
        if cluster == "\n" {
            rows.push(row..at);
            (row, column) = (at + 1, 0);
            continue;
        }
        let wide = cells_of(cluster);
        if column + wide > cells.max(1) && at > row {
            rows.push(row..at);
            (row, column) = (at, 0);
        }
        column += wide;
    }
    rows.push(row..text.len());
    rows
}

/// `0.42s`, `12.3s`, `4m`: short, and no more exact than it matters.
pub(crate) fn seconds(took: Duration) -> String {
    match took.as_secs() {
        0..=9 => format!("{:.2}s", took.as_secs_f64()),
        10..=99 => format!("{:.1}s", took.as_secs_f64()),
        _ => uptime(took),
    }
}

/// `3.1ms`, `120us`, `1.2s`.
pub(crate) fn millis(took: Duration) -> String {
    let ms = took.as_secs_f64() * 1e3;
    match took.as_micros() {
        0..=99 => format!("{}us", took.as_micros()),
        100..=9_999 => format!("{ms:.1}ms"),
        10_000..=999_999 => format!("{ms:.0}ms"),
        _ => format!("{:.1}s", took.as_secs_f64()),
    }
}

/// `0m`, `2h11m`, `3d4h`: in minutes, so that a screen showing it need not be drawn each second.
pub(crate) fn uptime(took: Duration) -> String {
    let minutes = took.as_secs() / 60;
    match minutes {
        0..60 => format!("{minutes}m"),
        60..1_440 => format!("{}h{:02}m", minutes / 60, minutes % 60),
        _ => format!("{}d{}h", minutes / 1_440, minutes / 60 % 24),
    }
}

#[cfg(test)]
mod tests;
