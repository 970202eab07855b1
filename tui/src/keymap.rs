//! Owns which key does what, as one table that help is made from too. Knows nothing of how actions are done.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::app::composer::Reach;
use crate::command::COMMANDS;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    PreviousRoom,
    NextRoom,
    Unread,
    Room(usize),
    Switcher,
    Send,
    Newline,
    PageUp,
    PageDown,
    Oldest,
    Newest,
    FirstUnread,
    ChooseUp,
    ChooseDown,
    Up,
    Down,
    Complete,
    Reconnect,
    Link,
    PaneRooms,
    PaneUsers,
    Help,
    Redraw,
    Suspend,
    Interrupt,
    Escape,
    /// Deletes to the right, or quits where there is nothing.
    DeleteOrQuit,
    Go(Reach),
    Delete(Reach),
    Kill(Reach),
    Yank,
    YankOlder,
    Recall,
    Undo,
    DemoKill,
}

/// A line of help: what is done, with which keys, by which command.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) what: &'static str,
    pub(crate) keys: &'static [(Key, Action)],
    pub(crate) command: &'static str,
    /// Only in the demo.
    pub(crate) demo: bool,
}

/// A key and what is held with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    code: KeyCode,
    held: KeyModifiers,
}

const fn plain(code: KeyCode) -> Key {
    Key { code, held: KeyModifiers::NONE }
}
const fn alt(letter: char) -> Key {
    Key { code: KeyCode::Char(letter), held: KeyModifiers::ALT }
}
const fn ctrl(letter: char) -> Key {
    Key { code: KeyCode::Char(letter), held: KeyModifiers::CONTROL }
}
const fn alt_code(code: KeyCode) -> Key {
    Key { code, held: KeyModifiers::ALT }
}
const fn ctrl_code(code: KeyCode) -> Key {
    Key { code, held: KeyModifiers::CONTROL }
}
const fn function(number: u8) -> Key {
    plain(KeyCode::F(number))
}
const fn row(what: &'static str, keys: &'static [(Key, Action)], command: &'static str) -> Binding {
    Binding { what, keys, command, demo: false }
}

/// Every binding. Ctrl-/ arrives as Ctrl-7 and Ctrl-_ as Ctrl-7 or Ctrl-_, by terminal: all of them undo.
#[rustfmt::skip]
pub(crate) const BINDINGS: &[Binding] = &[
    row("previous room", &[
        (alt_code(KeyCode::Up), Action::PreviousRoom), (ctrl('p'), Action::PreviousRoom), (function(5), Action::PreviousRoom),
    ], "/prev"),
    row("next room", &[
        (alt_code(KeyCode::Down), Action::NextRoom), (ctrl('n'), Action::NextRoom), (function(6), Action::NextRoom),
    ], "/next"),
    row("next mention or unread", &[(alt('a'), Action::Unread), (function(4), Action::Unread)], "/unread"),
    row("room by number", &[
        (alt('1'), Action::Room(1)), (alt('2'), Action::Room(2)), (alt('3'), Action::Room(3)),
        (alt('4'), Action::Room(4)), (alt('5'), Action::Room(5)), (alt('6'), Action::Room(6)),
        (alt('7'), Action::Room(7)), (alt('8'), Action::Room(8)), (alt('9'), Action::Room(9)),
    ], "/1"),
    row("switch quickly", &[(ctrl('t'), Action::Switcher), (alt('k'), Action::Switcher)], "/go"),
    row("send", &[(plain(KeyCode::Enter), Action::Send)], ""),
    row("new line", &[
        (ctrl('j'), Action::Newline), (alt_code(KeyCode::Enter), Action::Newline),
        (Key { code: KeyCode::Enter, held: KeyModifiers::SHIFT }, Action::Newline),
    ], ""),
    row("scroll", &[
        (plain(KeyCode::PageUp), Action::PageUp), (plain(KeyCode::PageDown), Action::PageDown),
    ], ""),
    row("oldest, newest", &[
        (alt_code(KeyCode::Home), Action::Oldest), (alt_code(KeyCode::End), Action::Newest),
    ], ""),
    row("choose; Enter reply, e edit, d del, c copy", &[
        (ctrl_code(KeyCode::Up), Action::ChooseUp), (ctrl_code(KeyCode::Down), Action::ChooseDown),
    ], ""),
    row("first unread", &[(alt('u'), Action::FirstUnread)], ""),
    row("written before", &[(plain(KeyCode::Up), Action::Up), (plain(KeyCode::Down), Action::Down)], ""),
    row("search what was written before", &[(ctrl('r'), Action::Recall)], ""),
    row("complete", &[(plain(KeyCode::Tab), Action::Complete)], ""),
    row("reconnect now", &[(alt('r'), Action::Reconnect), (function(3), Action::Reconnect)], "/reconnect"),
    row("link panel", &[(alt('c'), Action::Link), (function(2), Action::Link)], "/link"),
    row("rooms pane", &[(function(7), Action::PaneRooms)], "/pane rooms"),
    row("users pane", &[(function(8), Action::PaneUsers)], "/pane users"),
    row("help (and ? in an empty input)", &[(function(1), Action::Help), (alt('h'), Action::Help)], "/help"),
    row("redraw", &[(ctrl('l'), Action::Redraw)], ""),
    row("suspend", &[(ctrl('z'), Action::Suspend)], ""),
    row("close; Esc then a key is Alt-key", &[(plain(KeyCode::Esc), Action::Escape)], ""),
    row("clear the input; twice: quit", &[(ctrl('c'), Action::Interrupt)], "/quit"),
    row("delete; in an empty input: quit", &[(ctrl('d'), Action::DeleteOrQuit)], ""),
    Binding { what: "demo: kill your node", keys: &[(function(9), Action::DemoKill)], command: "/kill", demo: true },
    row("line start, end", &[
        (ctrl('a'), Action::Go(Reach::LineStart)), (ctrl('e'), Action::Go(Reach::LineEnd)),
        (plain(KeyCode::Home), Action::Go(Reach::LineStart)), (plain(KeyCode::End), Action::Go(Reach::LineEnd)),
    ], ""),
    row("letter left, right", &[
        (plain(KeyCode::Left), Action::Go(Reach::Left)), (plain(KeyCode::Right), Action::Go(Reach::Right)),
        (ctrl('b'), Action::Go(Reach::Left)), (ctrl('f'), Action::Go(Reach::Right)),
    ], ""),
    row("word left, right", &[
        (alt('b'), Action::Go(Reach::WordLeft)), (alt('f'), Action::Go(Reach::WordRight)),
        (ctrl_code(KeyCode::Left), Action::Go(Reach::WordLeft)), (ctrl_code(KeyCode::Right), Action::Go(Reach::WordRight)),
    ], ""),
    row("delete letter", &[
        (plain(KeyCode::Backspace), Action::Delete(Reach::Left)), (plain(KeyCode::Delete), Action::Delete(Reach::Right)),
        (ctrl('h'), Action::Delete(Reach::Left)),
    ], ""),
    row("kill to line end, start", &[
        (ctrl('k'), Action::Kill(Reach::LineEnd)), (ctrl('u'), Action::Kill(Reach::LineStart)),
    ], ""),
    row("kill word left, right", &[
        (ctrl('w'), Action::Kill(Reach::WordLeft)), (alt('d'), Action::Kill(Reach::WordRight)),
        (alt_code(KeyCode::Backspace), Action::Kill(Reach::WordLeft)),
    ], ""),
    row("bring back what was killed, what before", &[(ctrl('y'), Action::Yank), (alt('y'), Action::YankOlder)], ""),
    row("undo", &[(ctrl('_'), Action::Undo), (ctrl('7'), Action::Undo), (ctrl('/'), Action::Undo)], ""),
];

/// The action of a key, if it has one.
pub(crate) fn action(event: &KeyEvent) -> Option<Action> {
    let code = match event.code {
        KeyCode::Char(letter) if event.modifiers.contains(KeyModifiers::CONTROL) => {
            KeyCode::Char(letter.to_ascii_lowercase())
        }
        code => code,
    };
    let ignored = if matches!(code, KeyCode::Char(_)) { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
    let pressed = Key { code, held: event.modifiers.difference(ignored) };
    let all = BINDINGS.iter().flat_map(|binding| binding.keys);
    all.copied().find(|(key, _)| *key == pressed).map(|(_, action)| action)
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (held, name) in
            [(KeyModifiers::CONTROL, "Ctrl-"), (KeyModifiers::ALT, "Alt-"), (KeyModifiers::SHIFT, "Shift-")]
        {
            if self.held.contains(held) {
                f.write_str(name)?;
            }
        }
        match self.code {
            KeyCode::Char(letter) if self.held.contains(KeyModifiers::CONTROL) => {
                write!(f, "{}", letter.to_ascii_uppercase())
            }
            KeyCode::Char(letter) => write!(f, "{letter}"),
            KeyCode::F(number) => write!(f, "F{number}"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            code => write!(f, "{code:?}"),
        }
    }
}

/// A line of help: keys or a command, and what it does. A heading has no keys.
pub(crate) type HelpRow = (String, &'static str);

/// Everything help lists, made from the tables that decide.
pub(crate) fn help_rows(has_demo: bool) -> Vec<HelpRow> {
    let mut rows = vec![(String::new(), "Keys")];
    for binding in BINDINGS.iter().filter(|binding| has_demo || !binding.demo) {
        let mut keys: Vec<String> = binding.keys.iter().map(|(key, _)| key.to_string()).collect();
        if keys.len() > KEYS_LISTED {
            // Alt-1 to Alt-9: the ends say it.
            keys = vec![format!("{}..{}", keys[0], &keys[keys.len() - 1][keys[0].len() - 1..])];
        }
        if !binding.command.is_empty() {
            keys.push(binding.command.to_owned());
        }
        rows.push((keys.join(" "), binding.what));
    }
    rows.push((String::new(), "Commands"));
    for entry in COMMANDS.iter().filter(|entry| has_demo || !entry.demo) {
        rows.push((format!("/{} {}", entry.name, entry.arguments).trim_end().to_owned(), entry.what));
    }
    rows.push(("//text".to_owned(), "send text that begins with a slash"));
    rows
}

/// More keys than this for one thing are listed as a range.
const KEYS_LISTED: usize = 6;

#[cfg(test)]
mod tests;
