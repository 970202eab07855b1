//! Owns telling a user who looks elsewhere: which messages are worth it, and the bytes that make a terminal do so.
//! Knows no terminal: the loop writes what comes from here.

use std::collections::BTreeMap;

use crate::app::text::{clean_line, ellipsis};
use crate::between::Between;

/// Longest text of a notification, in cells.
const TEXT_CELLS_MAX: usize = 160;

/// Which messages of a room are told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Level {
    All,
    /// Those that name the user, and conversations of two.
    #[default]
    Mentions,
    None,
}

/// How it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Bell,
    /// iTerm2, Windows Terminal, kitty, foot, WezTerm, Ghostty.
    Osc9,
    /// rxvt-unicode, foot, Ghostty, Konsole: has a title of its own.
    Osc777,
}

/// Every level and its name.
pub(crate) const LEVELS: [(Level, &str); 3] =
    [(Level::All, "all"), (Level::Mentions, "mentions"), (Level::None, "none")];
/// Every way and its name.
pub(crate) const WAYS: [(Way, &str); 3] = [(Way::Bell, "bell"), (Way::Osc9, "osc9"), (Way::Osc777, "osc777")];

/// What is told, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notifications {
    pub(crate) level: Level,
    /// Rooms of their own mind: `ops`, and `@bob` for a conversation.
    pub(crate) rooms: BTreeMap<String, Level>,
    pub(crate) ways: Vec<Way>,
}

impl Default for Notifications {
    fn default() -> Self {
        Self { level: Level::default(), rooms: BTreeMap::new(), ways: vec![Way::Bell] }
    }
}

impl Notifications {
    /// True where a message of a room is told: one that names the user, or any other.
    pub(crate) fn wants(&self, room: &str, kind: Kind) -> bool {
        let level = self.rooms.get(room.trim_start_matches('#')).copied().unwrap_or(self.level);
        !self.ways.is_empty() && (level == Level::All || level == Level::Mentions && kind == Kind::Mention)
    }
}

/// What a message is to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Mention,
    Other,
}

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notification {
    /// The room.
    pub(crate) title: String,
    pub(crate) text: String,
}

impl Notification {
    /// Of a message; neither text has to be safe.
    pub(crate) fn new(room: &str, author: &str, text: &str) -> Self {
        let text = format!("{}: {}", clean_line(author), clean_line(text));
        Self { title: clean_line(room), text: ellipsis(&text, TEXT_CELLS_MAX, "...") }
    }
}

/// The bytes that make a terminal tell it; tmux hands on what it is told to.
pub(crate) fn bytes(notification: &Notification, ways: &[Way], between: Between) -> Vec<u8> {
    let Notification { title, text } = notification;
    let told = ways.iter().map(|way| match way {
        // tmux rings itself, and marks the window.
        Way::Bell => "\x07".to_owned(),
        // "9;4;..." is a progress bar to some: ours begins with a room, never with a number.
        Way::Osc9 => between.pass(format!("\x1b]9;{title} {text}\x07")),
        Way::Osc777 => between.pass(format!("\x1b]777;notify;{};{text}\x07", title.replace(';', ","))),
    });
    told.collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests;
