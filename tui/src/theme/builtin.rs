//! Owns the themes that come with the program, written as a user would write them. Numbers from 16 on are the
//! fixed colours of a terminal with 256; below, each terminal has its own.

use ratatui::style::{Color, Style};

use super::{Palette, ROLES};

/// The theme that holds where nothing else is said.
pub(crate) const DEFAULT: &str = "dark";

/// Contrast that text needs (WCAG 2.2, 1.4.3).
const CONTRAST: f64 = 4.5;
/// Contrast for eyes that need more (WCAG 2.2, 1.4.6).
const CONTRAST_HIGH: f64 = 7.0;

/// A theme: its name, its lines, its authors, its contrast.
type Written = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str], f64);

#[rustfmt::skip] // One row a role.
const DARK: &[(&str, &str)] = &[
    ("ground", "234"), ("text", "252"), ("dim", "246"), ("own", "231 bold"), ("mention", "221 bold"),
    ("notice", "248 italic"), ("trouble", "203"), ("failover", "80"), ("current", "reversed"), ("unread", "221"),
    ("status-good", "114 reversed"), ("status-busy", "221 reversed"), ("status-bad", "203 reversed bold"),
    ("title", "bold"), ("chosen", "reversed"),
    ("strong", "bold"), ("emphasis", "italic"), ("code", "80"), ("quote", "246 italic"),
    ("address", "underlined"),
];

#[rustfmt::skip] // One row a role.
const LIGHT: &[(&str, &str)] = &[
    ("ground", "231"), ("text", "235"), ("dim", "242"), ("own", "16 bold"), ("mention", "94 bold"),
    ("notice", "240 italic"), ("trouble", "160"), ("failover", "23"), ("current", "reversed"), ("unread", "94"),
    ("status-good", "22 reversed"), ("status-busy", "94 reversed"), ("status-bad", "124 reversed bold"),
    ("title", "bold"), ("chosen", "reversed"),
    ("strong", "bold"), ("emphasis", "italic"), ("code", "23"), ("quote", "242 italic"),
    ("address", "underlined"),
];

#[rustfmt::skip] // One row a role.
const SIXTEEN: &[(&str, &str)] = &[
    ("ground", "black"), ("text", "white"), ("dim", "gray"), ("own", "white bold"), ("mention", "light-yellow bold"),
    ("notice", "gray italic"), ("trouble", "light-red"), ("failover", "light-cyan"), ("current", "reversed"),
    ("unread", "light-yellow"), ("status-good", "light-green reversed"), ("status-busy", "light-yellow reversed"),
    ("status-bad", "light-red reversed bold"), ("title", "bold"), ("chosen", "reversed"),
    ("strong", "bold"), ("emphasis", "italic"), ("code", "light-cyan"), ("quote", "gray italic"),
    ("address", "underlined"),
];

#[rustfmt::skip] // One row a role.
const HIGH: &[(&str, &str)] = &[
    ("ground", "16"), ("text", "231"), ("dim", "252"), ("own", "231 bold underlined"), ("mention", "226 bold"),
    ("notice", "252 italic"), ("trouble", "217 bold"), ("failover", "123"), ("current", "reversed bold"),
    ("unread", "226 bold"), ("status-good", "120 reversed"), ("status-busy", "226 reversed"),
    ("status-bad", "217 reversed bold"), ("title", "bold underlined"), ("chosen", "reversed bold"),
    ("strong", "bold"), ("emphasis", "italic"), ("code", "123"), ("quote", "252 italic"),
    ("address", "underlined"),
];

const BUILTIN: [Written; 4] = [
    (DEFAULT, DARK, &["80 bold", "176 bold", "114 bold", "111 bold", "221 bold", "209 bold"], CONTRAST),
    ("light", LIGHT, &["23 bold", "90 bold", "22 bold", "25 bold", "94 bold", "124 bold"], CONTRAST),
    (
        "16-colour",
        SIXTEEN,
        &[
            "light-cyan bold",
            "light-magenta bold",
            "light-green bold",
            "cyan bold",
            "light-yellow bold",
            "light-red bold",
        ],
        CONTRAST,
    ),
    (
        "high-contrast",
        HIGH,
        &["123 bold", "219 bold", "120 bold", "153 bold", "226 bold", "222 bold"],
        CONTRAST_HIGH,
    ),
];

/// The themes that come with the program, the default first.
pub(crate) fn builtin() -> Vec<(String, Palette)> {
    BUILTIN.iter().map(|theme| (theme.0.to_owned(), palette(theme))).collect()
}

fn palette((_, lines, authors, contrast): &Written) -> Palette {
    let mut palette = Palette {
        ground: Color::Reset,
        styles: ROLES.map(|(_, _, modifier)| Style::new().add_modifier(modifier)),
        authors: vec![Style::new()],
        contrast: *contrast,
    };
    for (name, text) in *lines {
        palette.set(name, text).expect("the tables name roles and colours");
    }
    palette.set_authors(authors.iter().copied()).expect("the tables name colours");
    palette
}
