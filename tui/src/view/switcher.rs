//! The quick switcher: rooms that hold the typed letters in order.
//!
//! ```text
//! ──── Go to ─────
//!  > op_
//!  ops         @2
//!  ops-night
//! ────────────────
//! ```

use super::Canvas;
use crate::app::panes::Area;
use crate::app::text;
use crate::theme::Role;

/// Width and most rows of the box, in cells.
const SIZE: (u16, u16) = (40, 14);

/// Draws the box; returns the cursor's cell.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    screen: Area,
    (query, chosen): (&str, usize),
) -> Option<(u16, u16)> {
    let app = canvas.app;
    let found = app.rooms.found(query);
    let rows = u16::try_from(found.len().max(1) + 3).unwrap_or(SIZE.1).min(SIZE.1);
    let inner = canvas.popup(screen, (SIZE.0, rows), "Go to");
    if inner.is_empty() {
        return None;
    }
    let style = canvas.theme.style(Role::Text);
    let typed = text::clean_line(query);
    let cursor = canvas.put(inner, (inner.x, inner.y), &format!("> {typed}"), style);
    if found.is_empty() {
        canvas.put(
            inner,
            (inner.x, inner.y + 1),
            "no such room: /join enters one",
            canvas.theme.style(Role::Dim),
        );
    }
    let shown = usize::from(inner.height.saturating_sub(1));
    let first = (chosen + 1).saturating_sub(shown);
    let rooms: Vec<_> = app.rooms.iter().collect();
    for (row, index) in found.iter().enumerate().skip(first).take(shown) {
        let y = inner.y + 1 + u16::try_from(row - first).unwrap_or(0);
        let room = rooms[*index];
        let style = canvas.theme.style(if row == chosen { Role::Chosen } else { Role::Text });
        let pointer = if row == chosen { app.glyphs.here } else { " " };
        let line = Area { y, height: 1, ..inner };
        canvas.fill(line, style);
        canvas.put(line, (line.x, y), &format!("{pointer}{}", room.name), style);
        let count = match (room.mentions, room.unread) {
            (0, 0) => String::new(),
            (0, unread) => unread.to_string(),
            (mentions, _) => format!("@{mentions}"),
        };
        canvas.put_right(line, y, &count, style);
    }
    Some((cursor.min(inner.x + inner.width.saturating_sub(1)), inner.y))
}
