//! Owns how roles look: the only place with colours. Meaning never hangs on a colour alone, so that a theme
//! without any reads as well. Knows no file; a palette's lines come from the built-in ones or from the settings.

mod builtin;
mod color;
mod style;

use ratatui::style::{Color, Modifier, Style};

pub(crate) use builtin::{DEFAULT, builtin};
pub(crate) use color::Depth;
pub(crate) use style::StyleError;

/// What a piece of the screen is, rather than how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Text,
    /// Times, rules, frames: there when looked for.
    Dim,
    /// An author, by the number of its colour.
    Author(usize),
    Own,
    Mention,
    Notice,
    Trouble,
    Failover,
    Current,
    Unread,
    /// The status line while all is well.
    StatusGood,
    /// While something is going on.
    StatusBusy,
    /// While something is wrong.
    StatusBad,
    Title,
    Popup,
    Chosen,
    /// Pieces of a message, put over the role of its line.
    Strong,
    Emphasis,
    Code,
    Quote,
    /// An address on the web.
    Address,
}

/// Every role but the authors': its name in a theme, and how it looks where there are no colours.
#[rustfmt::skip] // One row a role.
pub(crate) const ROLES: [(Role, &str, Modifier); 20] = [
    (Role::Text, "text", Modifier::empty()),
    (Role::Dim, "dim", Modifier::DIM),
    (Role::Own, "own", Modifier::BOLD),
    (Role::Mention, "mention", Modifier::BOLD),
    (Role::Notice, "notice", Modifier::ITALIC),
    (Role::Trouble, "trouble", Modifier::empty()),
    (Role::Failover, "failover", Modifier::empty()),
    (Role::Current, "current", Modifier::REVERSED),
    (Role::Unread, "unread", Modifier::empty()),
    (Role::StatusGood, "status-good", Modifier::REVERSED),
    (Role::StatusBusy, "status-busy", Modifier::REVERSED),
    (Role::StatusBad, "status-bad", Modifier::REVERSED.union(Modifier::BOLD)),
    (Role::Title, "title", Modifier::BOLD),
    (Role::Popup, "popup", Modifier::empty()),
    (Role::Chosen, "chosen", Modifier::REVERSED),
    (Role::Strong, "strong", Modifier::BOLD),
    (Role::Emphasis, "emphasis", Modifier::ITALIC),
    (Role::Code, "code", Modifier::empty()),
    (Role::Quote, "quote", Modifier::ITALIC),
    (Role::Address, "address", Modifier::UNDERLINED),
];

/// What a theme has beside roles: the ground under everything, and the authors' colours.
pub(crate) const GROUND: &str = "ground";
/// As above.
pub(crate) const AUTHORS: &str = "authors";

/// Authors that look different where there are no colours: all of them are bold.
const MONO_AUTHOR: Style = Style::new().add_modifier(Modifier::BOLD);

/// A theme as it was written, in whatever colours.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Palette {
    /// Under everything; `Reset` leaves the terminal's own.
    ground: Color,
    styles: [Style; ROLES.len()],
    authors: Vec<Style>,
    /// The least contrast of a text with its ground that is kept where colours are few (WCAG 2.2, 1.4.3 and 1.4.6).
    contrast: f64,
}

impl Palette {
    /// Changes one line: a role, or the ground.
    ///
    /// # Errors
    /// What is wrong with the style, or None where there is no such role.
    pub(crate) fn set(&mut self, name: &str, text: &str) -> Result<(), Option<StyleError>> {
        if name == GROUND {
            self.ground = style::color(text)?;
            return Ok(());
        }
        let index = ROLES.iter().position(|(_, role, _)| *role == name).ok_or(None)?;
        self.styles[index] = style::parse(text)?;
        Ok(())
    }

    /// Gives the authors other looks; none: they stay as they are.
    pub(crate) fn set_authors<'a>(&mut self, texts: impl Iterator<Item = &'a str>) -> Result<(), StyleError> {
        let authors: Vec<Style> = texts.map(style::parse).collect::<Result<_, _>>()?;
        if !authors.is_empty() {
            self.authors = authors;
        }
        Ok(())
    }
}

/// How everything looks, in colours that the terminal has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Theme {
    ground: Style,
    styles: [Style; ROLES.len()],
    authors: Vec<Style>,
}

impl Default for Theme {
    fn default() -> Self {
        Self::new(&builtin()[0].1, Depth::None)
    }
}

impl Theme {
    /// A palette as a terminal can show it.
    pub(crate) fn new(palette: &Palette, depth: Depth) -> Self {
        if depth == Depth::None {
            let styles = ROLES.map(|(_, _, modifier)| Style::new().add_modifier(modifier));
            return Self { ground: Style::new(), styles, authors: vec![MONO_AUTHOR] };
        }
        let text = palette.styles[0].fg.unwrap_or(Color::Reset);
        // A role without a colour takes that of what it is put over; another ground needs its own, to be seen on it.
        let whole = |style: Style| Style { fg: style.fg.or(style.bg.map(|_| text)), ..style };
        let shown = |style: Style| depth.show(whole(style), palette.ground, palette.contrast);
        Self {
            ground: shown(Style::new().fg(text).bg(palette.ground)),
            styles: palette.styles.map(shown),
            authors: palette.authors.iter().copied().map(shown).collect(),
        }
    }

    /// Under everything.
    pub(crate) fn ground(&self) -> Style {
        self.ground
    }

    pub(crate) fn style(&self, role: Role) -> Style {
        match role {
            Role::Author(number) => self.authors[number % self.authors.len()],
            role => {
                let index = ROLES.iter().position(|(known, ..)| *known == role);
                self.styles[index.unwrap_or_default()]
            }
        }
    }

    /// The colour of an author: the same on every screen. It begins at a number with which the demo's four
    /// authors get four colours.
    pub(crate) fn author(name: &str) -> Role {
        Role::Author(name.bytes().fold(59, |sum, byte| sum * 31 % 997 + usize::from(byte)))
    }
}

#[cfg(test)]
mod tests;
