//! Owns what a terminal's cell looks like: its colours out of a palette, bold, italic, dim, underlined. Knows nothing
//! of where it stands.

use vt100::{Cell, Color};

/// What is behind the letters where nobody says anything.
pub(crate) const GROUND: &str = "#16181d";
const INK: &str = "#d7dae0";
/// The sixteen colours of a terminal.
const PALETTE: [&str; 16] = [
    "#16181d", "#e06c75", "#8fc379", "#e2b86b", "#6fb1f0", "#c98be0", "#58bac8", "#d7dae0", "#7d8594",
    "#ff8b92", "#a9d894", "#f2cf8d", "#92c7ff", "#dcaaf0", "#7fd3df", "#ffffff",
];
/// The levels of the colour cube behind them.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// How a cell looks.
#[derive(Clone, PartialEq)]
pub(crate) struct Look {
    pub(crate) ink: String,
    pub(crate) ground: String,
    pub(crate) underline: bool,
    bold: bool,
    italic: bool,
    dim: bool,
}

impl Look {
    pub(crate) fn of(cell: &Cell) -> Self {
        let look = Self {
            ink: color(cell.fgcolor(), INK),
            ground: color(cell.bgcolor(), GROUND),
            underline: cell.underline(),
            bold: cell.bold(),
            italic: cell.italic(),
            dim: cell.dim(),
        };
        if cell.inverse() { look.reversed() } else { look }
    }

    pub(crate) fn reversed(self) -> Self {
        Self { ink: self.ground, ground: self.ink, ..self }
    }

    /// Alike but for the ground.
    pub(crate) fn same_letters(&self, other: &Self) -> bool {
        self.letters() == other.letters() && self.underline == other.underline
    }

    /// The letters' look as CSS; underlines are drawn.
    pub(crate) fn letters(&self) -> String {
        let mut css = format!("fill:{}", self.ink);
        for (is_so, rule) in [
            (self.bold, ";font-weight:bold"),
            (self.italic, ";font-style:italic"),
            (self.dim, ";opacity:.75"),
        ] {
            css.push_str(if is_so { rule } else { "" });
        }
        css
    }
}

fn color(color: Color, default: &str) -> String {
    match color {
        Color::Default => default.to_owned(),
        Color::Idx(number @ ..16) => PALETTE[usize::from(number)].to_owned(),
        Color::Idx(number @ 16..232) => {
            let [red, green, blue] = [36, 6, 1].map(|part| CUBE[usize::from((number - 16) / part % 6)]);
            format!("#{red:02x}{green:02x}{blue:02x}")
        }
        Color::Idx(number @ 232..) => {
            let level = 8 + 10 * (number - 232);
            format!("#{level:02x}{level:02x}{level:02x}")
        }
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
    }
}
