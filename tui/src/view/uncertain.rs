//! Owns letters that terminals disagree about: families of emoji and the like take two cells where a terminal joins them,
//! and as many as their members take where it does not. Whatever it does, the cells behind them are as they should be, and
//! the row does not run over its end.

use ratatui::buffer::{Buffer, CellDiffOption};
use unicode_width::UnicodeWidthChar;

use crate::app::text;

/// No letter of fewer bytes is made of two that terminals could disagree about.
const BYTES_MIN: usize = 6;

/// A letter that some terminals draw narrower than it is counted here: what stood in the rest of its cells would stay.
pub(crate) fn may_be_narrower(symbol: &str) -> bool {
    symbol.len() >= BYTES_MIN && members(symbol).sum::<usize>() < text::width(symbol)
}

/// The cells of each part of a letter that takes any by itself.
fn members(symbol: &str) -> impl Iterator<Item = usize> {
    symbol.chars().filter_map(UnicodeWidthChar::width).filter(|cells| *cells > 0)
}

/// Goes through a finished frame.
pub(super) fn settle(buffer: &mut Buffer) {
    let area = buffer.area;
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            let symbol = buffer[(x, y)].symbol();
            if symbol.len() < BYTES_MIN {
                continue;
            }
            if members(symbol).count() < 2 {
                continue;
            }
            let (joined, apart) = (text::width(symbol), members(symbol).sum::<usize>());
            let end = x.saturating_add(u16::try_from(apart.max(joined)).unwrap_or(u16::MAX));
            if end > area.right() {
                // Its first member says most of it, and all agree on that one.
                let first = symbol.chars().next().unwrap_or(' ');
                buffer[(x, y)].set_char(first);
                continue;
            }
            // A terminal that does not join them has painted over these, now or in the frame before.
            for behind in x + 1..end {
                buffer[(behind, y)].set_diff_option(CellDiffOption::AlwaysUpdate);
            }
        }
    }
}
