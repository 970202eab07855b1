//! Where the links of a message lead, in letters that cannot be taken for others.
//!
//! ```text
//! ─────────────── Open a link ───────────────
//!  leads to example.com
//! ▶https://example.com/a
//!  https://example.com/b
//!
//!  Enter opens it, c copies it, Esc closes
//! ───────────────────────────────────────────
//! ```

use super::Canvas;
use crate::app::markup::url;
use crate::app::panes::Area;
use crate::app::text;
use crate::theme::Role;

/// Width of the box, in cells.
const WIDTH: u16 = 76;
/// Rows of the chosen address that are shown at most.
const ROWS_MAX: usize = 6;
/// Rows within the box that show no address: where the chosen one leads, an empty one, the keys.
const OTHER_ROWS: u16 = 3;
/// Rows of the box's frame.
const FRAME_ROWS: u16 = 2;
/// Longest port there is, in digits.
const PORT_DIGITS: usize = 5;

/// Draws the box.
pub(super) fn draw(canvas: &mut Canvas<'_>, screen: Area, (addresses, chosen): (&[String], usize)) {
    let cells = usize::from(WIDTH.min(screen.width).saturating_sub(3));
    let address = addresses.get(chosen).map(String::as_str).unwrap_or_default();
    // The chosen one is seen whole, as far as there is room.
    let shown = text::chop(address, cells).len().min(ROWS_MAX);
    let rows = addresses.len().saturating_sub(1) + shown + usize::from(OTHER_ROWS + FRAME_ROWS);
    let inner = canvas.popup(screen, (WIDTH, u16::try_from(rows).unwrap_or(u16::MAX)), "Open a link");
    let leads = leads_to(address, cells, canvas.app.glyphs.more);
    canvas.put(inner, (inner.x + 1, inner.y), &leads, canvas.theme.style(Role::Text));

    let room = usize::from(inner.height.saturating_sub(OTHER_ROWS));
    let shown = shown.min(room);
    let first = (chosen + shown).saturating_sub(room);
    let mut y = inner.y + 1;
    let bottom = (inner.y + inner.height).saturating_sub(OTHER_ROWS - 1);
    for (index, address) in addresses.iter().enumerate().skip(first) {
        let is_chosen = index == chosen;
        let style = canvas.theme.style(if is_chosen { Role::Chosen } else { Role::Text });
        let pointer = if is_chosen { canvas.app.glyphs.here } else { " " };
        let pieces = pieces(address, (cells, if is_chosen { shown } else { 1 }), canvas.app.glyphs.more);
        for (number, piece) in pieces.iter().enumerate() {
            if y >= bottom {
                break;
            }
            let sign = if number == 0 { pointer } else { " " };
            let x = canvas.put(inner, (inner.x, y), sign, style);
            canvas.put(inner, (x, y), piece, style);
            y += 1;
        }
    }
    let words = "Enter opens it, c copies it, Esc closes";
    let last = inner.y + inner.height.saturating_sub(1);
    canvas.put(inner, (inner.x + 1, last), words, canvas.theme.style(Role::Dim));
}

/// An address in so many rows at most; what is cut is said.
fn pieces(address: &str, (cells, rows): (usize, usize), more: &str) -> Vec<String> {
    let all = text::chop(address, cells);
    let last = all.len().min(rows).saturating_sub(1);
    let piece = |(number, row): (usize, text::Row)| match number == last {
        true => text::ellipsis(&address[row.start..], cells, more),
        false => address[row].to_owned(),
    };
    all.into_iter().take(rows).enumerate().map(piece).collect()
}

/// Whose machine it is, in a row; of a long name the end, which says who has it.
fn leads_to(address: &str, cells: usize, more: &str) -> String {
    let (host, port) = url::host(address);
    // Zeros in front of it would push the name out.
    let port = match port.trim_start_matches('0') {
        "" => String::new(),
        port => format!(":{}", text::ellipsis(port, PORT_DIGITS, more)),
    };
    let words = "leads to ";
    let room = cells.saturating_sub(words.len() + text::width(&port));
    // An address is of ASCII: a byte is a cell.
    let host = match host.len().checked_sub(room) {
        None | Some(0) => host.to_owned(),
        Some(over) => format!("{more}{}", host.get(over + text::width(more)..).unwrap_or_default()),
    };
    format!("{words}{host}{port}")
}
