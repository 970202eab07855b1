//! The users of the room shown, each with the node it is on.
//!
//! ```text
//! │ 12 users                │
//! │ alice           node-1  │
//! │ bob             node-3  │
//! │ and 10 more             │
//! ```

use super::Canvas;
use crate::app::panes::Area;
use crate::app::text;
use crate::theme::{Role, Theme};

/// Draws the pane.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Area) {
    if area.is_empty() {
        return;
    }
    canvas.fill(area, canvas.theme.style(Role::Text));
    let inner = canvas.border_left(area);
    let app = canvas.app;
    let Some(room) = app.rooms.current() else { return };
    let title = if room.count == 1 { " 1 user".to_owned() } else { format!(" {} users", room.count) };
    canvas.put(inner, (inner.x, inner.y), &title, canvas.theme.style(Role::Title));
    let rows = usize::from(inner.height.saturating_sub(1));
    let is_cut = room.count > rows || room.count > room.members.len();
    let listed = if is_cut { rows.saturating_sub(1) } else { rows };
    let mut y = inner.y + 1;
    for member in room.members.iter().take(listed) {
        let node = text::ellipsis(member.node.as_str(), usize::from(inner.width / 2), app.glyphs.more);
        let x = canvas.put_right(inner, y, &format!("{node} "), canvas.theme.style(Role::Dim));
        let room_for = usize::from(x.saturating_sub(inner.x + 2));
        let away = if member.away { "(away) " } else { "" };
        let name = text::ellipsis(&format!("{away}{}", member.name), room_for, app.glyphs.more);
        canvas.put(inner, (inner.x + 1, y), &name, canvas.theme.style(Theme::author(&member.name)));
        y += 1;
    }
    let unlisted = room.count.saturating_sub(room.members.len().min(listed));
    if is_cut && unlisted > 0 {
        canvas.put(inner, (inner.x + 1, y), &format!("and {unlisted} more"), canvas.theme.style(Role::Dim));
    }
}
