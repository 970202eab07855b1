//! Keys and commands, from the tables that decide what they do.
//!
//! ```text
//! ──────────────────── Help ─────────────────────
//!  Keys
//!  Alt-Up Ctrl-P F5 /prev    previous room
//!  ...
//! ───────────── PgDn for more, Esc ──────────────
//! ```

use super::Canvas;
use crate::app::panes::Area;
use crate::app::text;
use crate::keymap;
use crate::theme::Role;

/// Widest help, in cells.
const WIDTH_MAX: u16 = 86;

/// Draws help from a row on.
pub(super) fn draw(canvas: &mut Canvas<'_>, screen: Area, from: usize) {
    let rows = keymap::help_rows(&canvas.app.settings.keymap, canvas.app.demo);
    let height = u16::try_from(rows.len() + 2).unwrap_or(u16::MAX);
    let inner = canvas.popup(screen, (WIDTH_MAX, height), "Help");
    let shown = usize::from(inner.height);
    let from = from.min(rows.len().saturating_sub(shown));
    let widest = rows.iter().map(|(keys, _)| text::width(keys)).max().unwrap_or(0);
    let keys_cells = u16::try_from(widest + 3).unwrap_or(u16::MAX).min(inner.width / 2);
    for (y, (keys, what)) in (inner.y..inner.y + inner.height).zip(rows.iter().skip(from)) {
        if keys.is_empty() {
            canvas.put(inner, (inner.x, y), what, canvas.theme.style(Role::Title));
            continue;
        }
        let keys = text::ellipsis(keys, usize::from(keys_cells.saturating_sub(2)), canvas.app.glyphs.more);
        canvas.put(inner, (inner.x + 1, y), &keys, canvas.theme.style(Role::Text));
        canvas.put(inner, (inner.x + keys_cells, y), what, canvas.theme.style(Role::Dim));
    }
    let words = if from + shown < rows.len() { "PgDn for more, Esc closes" } else { "Esc closes" };
    let outer =
        Area { x: inner.x.saturating_sub(1), width: inner.width + 2, height: inner.height + 1, ..inner };
    canvas.rule(outer, inner.y + inner.height, words, Role::Dim);
}
