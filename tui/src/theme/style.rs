//! Owns how a style is written: `yellow`, `#ffcc00 bold`, `black on 214 italic`.

use ratatui::style::{Color, Modifier, Style};

use crate::nearest::nearest;

/// What a style may be made of, in words.
const ALLOWED: &str = "colours are names, numbers from 0 to 255 or #rrggbb; before them \"on\" for what is behind \
                       the text; also bold, italic, underlined, reversed, dim";

/// Names of colours.
#[rustfmt::skip]
const COLORS: [&str; 17] = [
    "default", "black", "red", "green", "yellow", "blue", "magenta", "cyan", "gray", "dark-gray", "light-red",
    "light-green", "light-yellow", "light-blue", "light-magenta", "light-cyan", "white",
];

/// Names of everything else.
const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
    ("dim", Modifier::DIM),
];

/// A word that is no part of a style.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StyleError(String);

/// Reads a style.
pub(super) fn parse(text: &str) -> Result<Style, StyleError> {
    let mut style = Style::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        if let Some((_, modifier)) = MODIFIERS.iter().find(|(name, _)| *name == word) {
            style = style.add_modifier(*modifier);
        } else if word == "on" {
            let word = words.next().ok_or_else(|| StyleError(format!("\"on\" needs a colour: {ALLOWED}")))?;
            style = style.bg(color(word)?);
        } else {
            style = style.fg(color(word)?);
        }
    }
    Ok(style)
}

/// Reads a colour.
pub(super) fn color(word: &str) -> Result<Color, StyleError> {
    if word == "default" {
        return Ok(Color::Reset);
    }
    word.parse().map_err(|_| {
        let known = COLORS.into_iter().chain(MODIFIERS.map(|(name, _)| name));
        let hint = nearest(word, known).map_or_else(String::new, |name| format!("did you mean \"{name}\"? "));
        StyleError(format!("{word:?} is no colour: {hint}{ALLOWED}"))
    })
}
