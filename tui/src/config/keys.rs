//! Owns the table of settings: section, key, why it is there, the field it fills. Everything else (file, environment
//! names, `config show`, `config init`) is read off this table.

use super::Config;
use super::value::{Setting, Value};

/// A setting. The name of its environment variable is `CHAT_TUI_<SECTION>__<KEY>`.
#[derive(Debug)]
pub(super) struct Key {
    /// The section it stands in; empty for none.
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    /// Why one would change it.
    pub(super) why: &'static str,
    pub(super) read: fn(&mut Config, &Value) -> Result<(), String>,
    /// The value as it stands in a configuration, as TOML.
    pub(super) write: fn(&Config) -> String,
}

impl Key {
    pub(super) fn variable(&self) -> String {
        let section = if self.section.is_empty() { String::new() } else { format!("{}__", self.section) };
        format!("CHAT_TUI_{section}{}", self.name).to_uppercase()
    }

    pub(super) fn full_name(&self) -> String {
        let section = if self.section.is_empty() { String::new() } else { format!(" in [{}]", self.section) };
        format!("\"{}\"{section}", self.name)
    }
}

macro_rules! key {
    ($section:literal, $name:literal, $($field:ident).+, $why:literal) => {
        Key {
            section: $section,
            name: $name,
            why: $why,
            read: |config, value| {
                config.$($field).+ = Setting::read(value)?;
                Ok(())
            },
            write: |config| config.$($field).+.write(),
        }
    };
}

/// Every setting, in the order in which it is shown.
#[rustfmt::skip] // One row a setting.
pub(super) const KEYS: &[Key] = &[
    key!("", "server", server, "Where to go when nothing is said: the name of one of [servers] below."),
    key!("", "theme", settings.theme, "dark, light, 16-colour, high-contrast or one of [themes] below; /theme tries them. NO_COLOR in the environment takes all colours away."),
    key!("", "ascii", settings.ascii, "true: lines and signs of ASCII alone."),
    key!("", "accessible", settings.accessible, "true: for who hears the screen: states in words, no lines, no panes, nothing that moves by itself."),
    key!("", "mouse", settings.mouse, "true: the wheel scrolls, a click enters a room; the terminal then selects text only with Shift held."),
    key!("", "time", settings.time, "How the time of a message is written: 24h, 12h, or a strftime pattern such as \"%H:%M:%S\"."),
    key!("", "highlight", settings.highlight, "Words that count as your name, as [\"deploy\", \"alert\"]."),
    key!("panes", "rooms", settings.panes.rooms, "The list of rooms, from 60 columns on."),
    key!("panes", "users", settings.panes.users, "Who is in the room: on, off, or auto: from 100 columns on."),
    key!("panes", "link", settings.panes.link, "What the connection does: on, off, or auto: from 120 columns and 30 rows on."),
    key!("notifications", "when", settings.notifications.level, "Of which messages you are told while you look elsewhere: all, mentions (and conversations of two), none."),
    key!("notifications", "how", settings.notifications.ways, "By bell, osc9 or osc777 (the desktop's notifications, by terminal); [] for not at all. Inside tmux the last two need its allow-passthrough."),
];

/// The row of a setting.
pub(super) fn position(section: &str, name: &str) -> Option<usize> {
    KEYS.iter().position(|key| key.section == section && key.name == name)
}
