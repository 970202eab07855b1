//! Where the links of a message lead, in letters that cannot be taken for others.
//!
//! ```text
//! ─────────────── Open a link ───────────────
//! ▶https://example.com/a
//!  https://example.com/b
//!
//!  Enter opens it, c copies it, Esc closes
//! ───────────────────────────────────────────
//! ```

use super::Canvas;
use crate::app::panes::Area;
use crate::app::text;
use crate::theme::Role;

/// Width of the box, in cells.
const WIDTH: u16 = 76;
/// Rows of the chosen address that are shown at most.
const ROWS_MAX: usize = 6;

/// Draws the box.
pub(super) fn draw(canvas: &mut Canvas<'_>, screen: Area, (addresses, chosen): (&[String], usize)) {
    let cells = usize::from(WIDTH.min(screen.width).saturating_sub(3));
    // The chosen one is seen whole: an address says at its end what it is, as well as at its beginning.
    let rows_of = |index: usize| match (index == chosen, addresses.get(index)) {
        (true, Some(address)) => text::chop(address, cells).len().min(ROWS_MAX),
        _ => 1,
    };
    let rows = (0..addresses.len()).map(rows_of).sum::<usize>() + 4;
    let inner = canvas.popup(screen, (WIDTH, u16::try_from(rows).unwrap_or(u16::MAX)), "Open a link");
    let bottom = inner.y + inner.height.saturating_sub(2);
    let mut y = inner.y;
    let first =
        (chosen + usize::from(inner.height).min(ROWS_MAX)).saturating_sub(usize::from(inner.height).max(1));
    for (index, address) in addresses.iter().enumerate().skip(first) {
        let is_chosen = index == chosen;
        let style = canvas.theme.style(if is_chosen { Role::Chosen } else { Role::Text });
        let pointer = if is_chosen { canvas.app.glyphs.here } else { " " };
        for (number, row) in text::chop(address, cells).into_iter().take(rows_of(index)).enumerate() {
            if y >= bottom {
                break;
            }
            let sign = if number == 0 { pointer } else { " " };
            let x = canvas.put(inner, (inner.x, y), sign, style);
            let piece = text::ellipsis(&address[row], cells, canvas.app.glyphs.more);
            canvas.put(inner, (x, y), &piece, style);
            y += 1;
        }
    }
    let words = "Enter opens it, c copies it, Esc closes";
    let last = inner.y + inner.height.saturating_sub(1);
    canvas.put(inner, (inner.x + 1, last), words, canvas.theme.style(Role::Dim));
}
