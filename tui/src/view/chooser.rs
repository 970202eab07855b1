//! A list that is narrowed by typing, one of its lines chosen: rooms to go to, texts written before.
//!
//! ```text
//! ──── Go to ─────
//!  > op_
//! ▶ops         @2
//!  ops-night
//! ────────────────
//! ```

use super::Canvas;
use crate::app::panes::Area;
use crate::app::text;
use crate::theme::Role;

/// Most rows of the box, in cells.
const ROWS_MAX: u16 = 14;

/// What is drawn.
pub(super) struct Chooser<'a> {
    pub(super) title: &'a str,
    pub(super) width: u16,
    pub(super) query: &'a str,
    pub(super) chosen: usize,
    /// Each with what stands at its right end.
    pub(super) lines: Vec<(String, String)>,
    /// Said where there are none.
    pub(super) nothing: &'a str,
}

/// Draws the box; returns the cursor's cell.
pub(super) fn draw(canvas: &mut Canvas<'_>, screen: Area, chooser: &Chooser<'_>) -> Option<(u16, u16)> {
    let Chooser { title, width, query, chosen, lines, nothing } = chooser;
    let rows = u16::try_from(lines.len().max(1) + 3).unwrap_or(ROWS_MAX).min(ROWS_MAX);
    let inner = canvas.popup(screen, (*width, rows), title);
    if inner.is_empty() {
        return None;
    }
    let style = canvas.theme.style(Role::Text);
    let typed = text::clean_line(query);
    let cursor = canvas.put(inner, (inner.x, inner.y), &format!("> {typed}"), style);
    if lines.is_empty() {
        canvas.put(inner, (inner.x, inner.y + 1), nothing, canvas.theme.style(Role::Dim));
    }
    let shown = usize::from(inner.height.saturating_sub(1));
    let chosen = (*chosen).min(lines.len().saturating_sub(1));
    let first = (chosen + 1).saturating_sub(shown);
    for (row, (words, right)) in lines.iter().enumerate().skip(first).take(shown) {
        let y = inner.y + 1 + u16::try_from(row - first).unwrap_or(0);
        let style = canvas.theme.style(if row == chosen { Role::Chosen } else { Role::Text });
        let pointer = if row == chosen { canvas.app.glyphs.here } else { " " };
        let line = Area { y, height: 1, ..inner };
        canvas.fill(line, style);
        let room_for = usize::from(line.width).saturating_sub(1 + text::width(right));
        let words = text::ellipsis(words, room_for, canvas.app.glyphs.more);
        canvas.put(line, (line.x, y), &format!("{pointer}{words}"), style);
        canvas.put_right(line, y, right, style);
    }
    Some((cursor.min(inner.x + inner.width.saturating_sub(1)), inner.y))
}
