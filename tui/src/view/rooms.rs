//! The rooms: number, name, mentions or unread messages; the one shown is pointed at.
//!
//! ```text
//!  Rooms        │
//! ▶1 general    │
//!  2 ops     @2 │
//!  3 random   5 │
//! ```

use super::Canvas;
use crate::app::panes::Area;
use crate::app::rooms::Room;
use crate::app::text;
use crate::theme::Role;

/// Draws the pane.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Area) {
    if area.is_empty() {
        return;
    }
    let edge = Area { x: area.x + area.width - 1, width: 1, ..area };
    canvas.border_left(edge);
    let inner = Area { width: area.width - 1, ..area };
    canvas.put(inner, (inner.x, inner.y), " Rooms", canvas.theme.style(Role::Title));
    let app = canvas.app;
    let rows = usize::from(inner.height.saturating_sub(1));
    let first = app.rooms.first_shown(rows);
    for (row, (index, room)) in app.rooms.iter().enumerate().skip(first).take(rows).enumerate() {
        let y = inner.y + 1 + u16::try_from(row).unwrap_or(u16::MAX);
        draw_room(canvas, inner, y, (index, room));
    }
}

fn draw_room(canvas: &mut Canvas<'_>, area: Area, y: u16, (index, room): (usize, &Room)) {
    let app = canvas.app;
    let is_shown = index == app.rooms.index();
    let count = match (room.mentions, room.unread) {
        (0, 0) => String::new(),
        (0, 1_000..) => "999+ ".to_owned(),
        (0, unread) => format!("{unread} "),
        (mentions, _) => format!("@{mentions} "),
    };
    let role = match (is_shown, room.mentions, room.unread) {
        (true, ..) => Role::Current,
        (_, 1.., _) => Role::Mention,
        _ if !room.joined || room.muted => Role::Dim,
        (_, _, 1..) => Role::Unread,
        _ => Role::Text,
    };
    let style = canvas.theme.style(role);
    if is_shown {
        canvas.fill(Area { y, height: 1, ..area }, style);
    }
    let pointer = if is_shown { app.glyphs.here } else { " " };
    let room_for = usize::from(area.width).saturating_sub(4 + text::width(&count));
    let name = text::ellipsis(room.label().trim_start_matches('#'), room_for, app.glyphs.more);
    let sign = match (room.muted, room.pinned) {
        (true, _) => "-",
        (false, true) => "+",
        (false, false) => " ",
    };
    canvas.put(area, (area.x, y), &format!("{pointer}{}{sign}{name}", index + 1), style);
    canvas.put_right(area, y, &count, style);
}
