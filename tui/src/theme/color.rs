//! Owns colours as numbers: what a terminal can show of them, which one it has is nearest, and how well two can be
//! told apart.

use ratatui::style::{Color, Style};

/// The first sixteen, as xterm has them; each terminal may have others.
#[rustfmt::skip]
const SIXTEEN: [[u8; 3]; 16] = [
    [0, 0, 0], [205, 0, 0], [0, 205, 0], [205, 205, 0], [0, 0, 238], [205, 0, 205], [0, 205, 205], [229, 229, 229],
    [127, 127, 127], [255, 0, 0], [0, 255, 0], [255, 255, 0], [92, 92, 255], [255, 0, 255], [0, 255, 255], [255, 255, 255],
];

/// Steps of the colour cube, 16 to 231.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// How many colours a terminal has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Depth {
    /// None are wanted.
    #[default]
    None,
    Sixteen,
    /// 256.
    Many,
    True,
}

/// Names in `TERM` of terminals with 256 colours, beside those that say so.
const MANY: [&str; 8] = ["256color", "direct", "kitty", "alacritty", "foot", "ghostty", "wezterm", "contour"];

impl Depth {
    /// What the environment says. `NO_COLOR`: no-color.org; `COLORTERM`: what terminals with all colours set.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        if variable("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            return Self::None;
        }
        let all = variable("COLORTERM").is_some_and(|value| matches!(value.as_str(), "truecolor" | "24bit"));
        let term = variable("TERM").unwrap_or_default();
        match all {
            true => Self::True,
            false if MANY.iter().any(|name| term.contains(name)) => Self::Many,
            false => Self::Sixteen,
        }
    }

    /// A style in colours that there are, on this ground. Where they are few a text that would be lost on its ground
    /// becomes black or white.
    pub(super) fn show(self, style: Style, ground: Color, least: f64) -> Style {
        let near = |color: Color| self.nearest(color);
        let mut style = Style { fg: style.fg.map(near), bg: style.bg.map(near), ..style };
        let behind = rgb(style.bg.unwrap_or_else(|| near(ground)));
        if let (Self::Sixteen, Some(text), Some(behind)) = (self, style.fg.and_then(rgb), behind)
            && contrast(text, behind) < least
        {
            let is_dark = contrast(SIXTEEN[15], behind) > contrast(SIXTEEN[0], behind);
            style.fg = Some(if is_dark { Color::White } else { Color::Black });
        }
        style
    }

    fn nearest(self, color: Color) -> Color {
        let Some(wanted) = rgb(color) else { return color };
        let known = match (self, color) {
            (Self::Many, Color::Rgb(..)) => 16..=255,
            (Self::Sixteen, Color::Rgb(..) | Color::Indexed(16..)) => 0..=15,
            _ => return color,
        };
        known.min_by_key(|index| distance(indexed(*index), wanted)).map_or(color, Color::Indexed)
    }
}

/// None: the terminal's own.
pub(super) fn rgb(color: Color) -> Option<[u8; 3]> {
    Some(match color {
        Color::Reset => return None,
        Color::Rgb(red, green, blue) => [red, green, blue],
        Color::Indexed(index) => indexed(index),
        Color::Black => SIXTEEN[0],
        Color::Red => SIXTEEN[1],
        Color::Green => SIXTEEN[2],
        Color::Yellow => SIXTEEN[3],
        Color::Blue => SIXTEEN[4],
        Color::Magenta => SIXTEEN[5],
        Color::Cyan => SIXTEEN[6],
        Color::Gray => SIXTEEN[7],
        Color::DarkGray => SIXTEEN[8],
        Color::LightRed => SIXTEEN[9],
        Color::LightGreen => SIXTEEN[10],
        Color::LightYellow => SIXTEEN[11],
        Color::LightBlue => SIXTEEN[12],
        Color::LightMagenta => SIXTEEN[13],
        Color::LightCyan => SIXTEEN[14],
        Color::White => SIXTEEN[15],
    })
}

/// The 256 colours of xterm: sixteen, a cube of six steps each way, 24 greys.
fn indexed(index: u8) -> [u8; 3] {
    match index {
        0..=15 => SIXTEEN[usize::from(index)],
        16..=231 => {
            let step = |part: u8| STEPS[usize::from(part % 6)];
            let at = index - 16;
            [step(at / 36), step(at / 6), step(at)]
        }
        _ => [8 + (index - 232) * 10; 3],
    }
}

fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    one.iter().zip(other).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

/// How well two colours can be told apart, from 1 to 21 (WCAG 2.2, "contrast ratio").
pub(super) fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// WCAG 2.2, "relative luminance".
fn luminance(color: [u8; 3]) -> f64 {
    let [red, green, blue] = color.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}
