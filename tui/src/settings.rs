//! Owns what a user can set of the front, as plain data in the model. Knows no file and no environment: `config` reads
//! them.

use jiff::civil::DateTime;
use jiff::fmt::strtime;

use crate::app::panes::Panes;
use crate::app::text;
use crate::glyphs::Glyphs;
use crate::keymap::Keymap;
use crate::nearest::nearest;
use crate::notify::Notifications;
use crate::theme::{DEFAULT, Depth, Palette, Theme, builtin};

/// What a user can set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The theme at the start, one of the palettes.
    pub(crate) theme: String,
    /// Every theme there is, by name.
    pub(crate) palettes: Vec<(String, Palette)>,
    /// How many colours the terminal has.
    pub(crate) depth: Depth,
    /// Signs of ASCII alone.
    pub(crate) ascii: bool,
    /// For who hears the screen: words instead of signs, no lines, nothing that moves by itself.
    pub(crate) accessible: bool,
    pub(crate) mouse: bool,
    pub(crate) time: TimeFormat,
    /// Words that count as the user's name.
    pub(crate) highlight: Vec<String>,
    pub(crate) panes: Panes,
    pub(crate) notifications: Notifications,
    pub(crate) keymap: Keymap,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: DEFAULT.to_owned(),
            palettes: builtin(),
            depth: Depth::default(),
            ascii: false,
            accessible: false,
            mouse: false,
            time: TimeFormat::default(),
            highlight: Vec::new(),
            panes: Panes::default(),
            notifications: Notifications::default(),
            keymap: Keymap::default(),
        }
    }
}

impl Settings {
    /// The signs that hold.
    pub(crate) fn glyphs(&self) -> &'static Glyphs {
        match (self.accessible, self.ascii) {
            (true, _) => &Glyphs::WORDS,
            (false, true) => &Glyphs::ASCII,
            (false, false) => &Glyphs::UNICODE,
        }
    }

    /// The panes at the start. A screen that is read line by line has the chat alone: what stands beside it would be read
    /// into every line.
    pub(crate) fn panes(&self) -> Panes {
        match self.accessible {
            true => Panes { rooms: false, users: Some(false), link: Some(false) },
            false => self.panes,
        }
    }

    /// A theme as this terminal can show it.
    pub(crate) fn look(&self, name: &str) -> Option<Theme> {
        let (_, palette) = self.palettes.iter().find(|(known, _)| known == name)?;
        Some(Theme::new(palette, self.depth))
    }

    /// The names of all themes.
    pub(crate) fn themes(&self) -> impl Iterator<Item = &str> {
        self.palettes.iter().map(|(name, _)| name.as_str())
    }

    /// Why there is no theme of a name, and which there are.
    pub(crate) fn no_theme(&self, name: &str) -> String {
        let hint =
            nearest(name, self.themes()).map_or_else(String::new, |near| format!("did you mean {near}? "));
        format!(
            "no theme {:?}: {hint}there are {}",
            text::clean_line(name),
            self.themes().collect::<Vec<_>>().join(", ")
        )
    }
}

/// How the time of a message is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimeFormat {
    written: String,
    pattern: String,
    /// The most that it takes.
    cells: u16,
}

/// Widest time, in cells: what is said needs the rest.
const TIME_CELLS_MAX: usize = 12;

impl Default for TimeFormat {
    fn default() -> Self {
        Self { written: "24h".to_owned(), pattern: "%H:%M".to_owned(), cells: 5 }
    }
}

impl TimeFormat {
    /// `24h`, `12h` or a pattern of strftime.
    ///
    /// # Errors
    /// What is allowed.
    pub(crate) fn parse(written: &str) -> Result<Self, String> {
        let pattern = match written {
            "24h" => "%H:%M",
            "12h" => "%_I:%M%P",
            pattern if pattern.contains('%') => pattern,
            _ => return Err("24h, 12h or a strftime pattern such as %H:%M:%S is allowed".to_owned()),
        };
        let mut cells = 0;
        for at in samples() {
            let shown = strtime::format(pattern, at)
                .map_err(|error| format!("that is no strftime pattern: {error}"))?;
            if shown.chars().any(char::is_control) {
                return Err("a time has no control characters".to_owned());
            }
            cells = cells.max(text::width(&shown));
        }
        if cells > TIME_CELLS_MAX {
            return Err(format!(
                "that takes {cells} cells, {TIME_CELLS_MAX} are allowed: shorten the pattern"
            ));
        }
        let (written, pattern) = (written.to_owned(), pattern.to_owned());
        Ok(Self { written, pattern, cells: u16::try_from(cells).unwrap_or(u16::MAX) })
    }

    /// As it was set.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }

    /// Cells it takes at most.
    pub(crate) fn cells(&self) -> u16 {
        self.cells
    }

    /// A time in words.
    pub(crate) fn show(&self, at: DateTime) -> String {
        strtime::format(&self.pattern, at).unwrap_or_default()
    }
}

/// Every month, every day of the week, and hours of one and two digits in each form: what may differ in length.
fn samples() -> impl Iterator<Item = DateTime> {
    (1..=12).flat_map(|month| {
        (20..=27).map(move |day| jiff::civil::date(2025, month, day).at(10 + day % 14, 58, 59, 0))
    })
}

#[cfg(test)]
mod tests;
