//! Owns how roles look: the only place with colours. Meaning never hangs on a colour alone, so that a theme
//! without any reads as well.

use ratatui::style::{Color, Modifier, Style};

/// Colours an author can have: readable on dark and light grounds alike.
const AUTHORS: [Color; 6] =
    [Color::Cyan, Color::Magenta, Color::Green, Color::Blue, Color::Yellow, Color::LightRed];

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

/// How everything looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Theme {
    pub(crate) color: bool,
}

impl Theme {
    pub(crate) fn style(self, role: Role) -> Style {
        let (color, modifier) = match role {
            Role::Text => (None, Modifier::empty()),
            Role::Dim => (Some(Color::DarkGray), Modifier::DIM),
            Role::Author(number) => (Some(AUTHORS[number % AUTHORS.len()]), Modifier::BOLD),
            Role::Own => (None, Modifier::BOLD),
            Role::Mention => (Some(Color::Yellow), Modifier::BOLD),
            Role::Notice => (Some(Color::DarkGray), Modifier::ITALIC),
            Role::Trouble => (Some(Color::Red), Modifier::empty()),
            Role::Failover => (Some(Color::Cyan), Modifier::empty()),
            Role::Current | Role::Chosen => (None, Modifier::REVERSED),
            Role::Unread => (Some(Color::Yellow), Modifier::empty()),
            Role::StatusGood => (Some(Color::Green), Modifier::REVERSED),
            Role::StatusBusy => (Some(Color::Yellow), Modifier::REVERSED),
            Role::StatusBad => (Some(Color::Red), Modifier::REVERSED | Modifier::BOLD),
            Role::Title => (None, Modifier::BOLD),
            Role::Popup => (None, Modifier::empty()),
            Role::Strong => (None, Modifier::BOLD),
            Role::Emphasis => (None, Modifier::ITALIC),
            Role::Code => (Some(Color::Cyan), Modifier::empty()),
            Role::Quote => (Some(Color::DarkGray), Modifier::ITALIC),
            Role::Address => (None, Modifier::UNDERLINED),
        };
        let style = Style::new().add_modifier(modifier);
        match color.filter(|_| self.color) {
            Some(color) => style.fg(color),
            None => style,
        }
    }

    /// The colour of an author: the same on every screen. It begins at a number with which the demo's four
    /// authors get four colours.
    pub(crate) fn author(name: &str) -> Role {
        Role::Author(name.bytes().fold(59, |sum, byte| sum * 31 % 997 + usize::from(byte)))
    }
}
