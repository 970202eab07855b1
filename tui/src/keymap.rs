//! Owns which key does what: one table of actions with their names and usual keys, from which the keys that hold
//! and help are made. Knows nothing of how actions are done.

mod key;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::app::composer::Reach;
use crate::command::COMMANDS;
use crate::nearest::nearest;
pub(crate) use key::{Key, KeyError};

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
    RowsUp,
    RowsDown,
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
    Mouse,
    Bare,
    Find,
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
    /// Done with the chosen message, where this key is the usual one.
    Chosen(KeyCode),
}

/// An action: what it is called in the settings, and its usual keys.
type Named = (Action, &'static str, &'static str);

/// A line of help: what is done, with which keys, by which command.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) what: &'static str,
    pub(crate) actions: &'static [Named],
    pub(crate) command: &'static str,
    /// Only in the demo.
    pub(crate) demo: bool,
}

const fn row(what: &'static str, actions: &'static [Named], command: &'static str) -> Binding {
    Binding { what, actions, command, demo: false }
}

/// Every action. Ctrl-/ arrives as Ctrl-7 and Ctrl-_ as Ctrl-7 or Ctrl-_, by terminal: all of them undo.
#[rustfmt::skip]
pub(crate) const BINDINGS: &[Binding] = &[
    row("previous room", &[(Action::PreviousRoom, "previous-room", "Alt-Up Ctrl-P F5")], "/prev"),
    row("next room", &[(Action::NextRoom, "next-room", "Alt-Down Ctrl-N F6")], "/next"),
    row("next mention or unread", &[(Action::Unread, "unread", "Alt-a F4")], "/unread"),
    row("room by number", &[
        (Action::Room(1), "room-1", "Alt-1"), (Action::Room(2), "room-2", "Alt-2"), (Action::Room(3), "room-3", "Alt-3"),
        (Action::Room(4), "room-4", "Alt-4"), (Action::Room(5), "room-5", "Alt-5"), (Action::Room(6), "room-6", "Alt-6"),
        (Action::Room(7), "room-7", "Alt-7"), (Action::Room(8), "room-8", "Alt-8"), (Action::Room(9), "room-9", "Alt-9"),
    ], "/1"),
    row("switch quickly", &[(Action::Switcher, "switcher", "Ctrl-T Alt-k")], "/go"),
    row("send", &[(Action::Send, "send", "Enter")], ""),
    row("new line", &[(Action::Newline, "newline", "Ctrl-J Alt-Enter Shift-Enter")], ""),
    row("scroll", &[
        (Action::PageUp, "page-up", "PgUp"), (Action::PageDown, "page-down", "PgDn"),
        (Action::RowsUp, "rows-up", ""), (Action::RowsDown, "rows-down", ""),
    ], ""),
    row("oldest, newest", &[(Action::Oldest, "oldest", "Alt-Home"), (Action::Newest, "newest", "Alt-End")], ""),
    row("choose a message", &[
        (Action::ChooseUp, "choose-up", "Ctrl-Up"), (Action::ChooseDown, "choose-down", "Ctrl-Down"),
    ], ""),
    row("chosen: reply, edit, delete, copy", &[
        (Action::Chosen(KeyCode::Enter), "chosen-reply", "Enter"), (Action::Chosen(KeyCode::Char('e')), "chosen-edit", "e"),
        (Action::Chosen(KeyCode::Char('d')), "chosen-delete", "d"), (Action::Chosen(KeyCode::Char('c')), "chosen-copy", "c"),
    ], ""),
    row("chosen: open link, retry, command", &[
        (Action::Chosen(KeyCode::Char('o')), "chosen-open", "o"), (Action::Chosen(KeyCode::Char('r')), "chosen-retry", "r"),
        (Action::Chosen(KeyCode::Char('/')), "chosen-command", "/"),
    ], ""),
    row("search messages", &[(Action::Find, "search", "Ctrl-F Alt-/")], "/search"),
    row("first unread", &[(Action::FirstUnread, "first-unread", "Alt-u")], ""),
    row("written before", &[(Action::Up, "up", "Up"), (Action::Down, "down", "Down")], ""),
    row("search what was written before", &[(Action::Recall, "recall", "Ctrl-R")], ""),
    row("complete", &[(Action::Complete, "complete", "Tab")], ""),
    row("reconnect now", &[(Action::Reconnect, "reconnect", "Alt-r F3")], "/reconnect"),
    row("link panel", &[(Action::Link, "link", "Alt-c F2")], "/link"),
    row("rooms pane", &[(Action::PaneRooms, "pane-rooms", "F7")], "/pane rooms"),
    row("users pane", &[(Action::PaneUsers, "pane-users", "F8")], "/pane users"),
    row("bare view, for copying", &[(Action::Bare, "bare", "Alt-l F10")], "/bare"),
    row("mouse", &[(Action::Mouse, "mouse", "Alt-m")], "/mouse"),
    row("help (and ? in an empty input)", &[(Action::Help, "help", "F1 Alt-h")], "/help"),
    row("redraw", &[(Action::Redraw, "redraw", "Ctrl-L")], ""),
    row("suspend", &[(Action::Suspend, "suspend", "Ctrl-Z")], ""),
    row("close; Esc then a key is Alt-key", &[(Action::Escape, "escape", "Esc")], ""),
    row("clear the input; twice: quit", &[(Action::Interrupt, "interrupt", "Ctrl-C")], "/quit"),
    row("delete; in an empty input: quit", &[(Action::DeleteOrQuit, "delete-or-quit", "Ctrl-D")], ""),
    Binding { what: "demo: kill your node", actions: &[(Action::DemoKill, "demo-kill", "F9")], command: "/kill", demo: true },
    row("line start, end", &[
        (Action::Go(Reach::LineStart), "line-start", "Ctrl-A Home"), (Action::Go(Reach::LineEnd), "line-end", "Ctrl-E End"),
    ], ""),
    row("letter left, right", &[
        (Action::Go(Reach::Left), "left", "Left Ctrl-B"), (Action::Go(Reach::Right), "right", "Right"),
    ], ""),
    row("word left, right", &[
        (Action::Go(Reach::WordLeft), "word-left", "Alt-b Ctrl-Left"), (Action::Go(Reach::WordRight), "word-right", "Alt-f Ctrl-Right"),
    ], ""),
    row("delete letter", &[
        (Action::Delete(Reach::Left), "delete-left", "Backspace Ctrl-H"), (Action::Delete(Reach::Right), "delete-right", "Delete"),
    ], ""),
    row("kill to line end, start", &[
        (Action::Kill(Reach::LineEnd), "kill-line-end", "Ctrl-K"), (Action::Kill(Reach::LineStart), "kill-line-start", "Ctrl-U"),
    ], ""),
    row("kill word left, right", &[
        (Action::Kill(Reach::WordLeft), "kill-word-left", "Ctrl-W Alt-Backspace"), (Action::Kill(Reach::WordRight), "kill-word-right", "Alt-d"),
    ], ""),
    row("bring back what was killed, what before", &[
        (Action::Yank, "yank", "Ctrl-Y"), (Action::YankOlder, "yank-older", "Alt-y"),
    ], ""),
    row("undo", &[(Action::Undo, "undo", "Ctrl-_ Ctrl-7 Ctrl-/")], ""),
];

/// Every action, in the order of the table.
pub(crate) fn actions() -> impl Iterator<Item = &'static Named> {
    BINDINGS.iter().flat_map(|binding| binding.actions)
}

/// The action of a name.
///
/// # Errors
/// The nearest name, if any is near.
pub(crate) fn named(name: &str) -> Result<Action, Option<&'static str>> {
    let found = actions().find(|(_, known, _)| *known == name).map(|(action, ..)| *action);
    found.ok_or_else(|| nearest(name, actions().map(|(_, name, _)| *name)))
}

/// The usual keys of an action.
pub(crate) fn usual((action, _, keys): &Named) -> Vec<Key> {
    keys.split_whitespace().map(|key| read(*action, key).expect("the table names keys")).collect()
}

/// A key for an action: one that writes a letter only where none is written.
///
/// # Errors
/// What is no such key.
pub(crate) fn read(action: Action, text: &str) -> Result<Key, KeyError> {
    if is_of_chosen(action) { text.parse() } else { Key::beside_text(text) }
}

fn is_of_chosen(action: Action) -> bool {
    matches!(action, Action::Chosen(_))
}

/// The keys that hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keymap {
    /// In the order of the table.
    bound: Vec<(Action, Vec<Key>)>,
}

/// A key that two actions have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clash {
    pub(crate) key: Key,
    pub(crate) actions: [Action; 2],
}

impl Default for Keymap {
    fn default() -> Self {
        Self { bound: actions().map(|named| (named.0, usual(named))).collect() }
    }
}

impl Keymap {
    /// Gives an action other keys.
    pub(crate) fn bind(&mut self, action: Action, keys: &[Key]) {
        if let Some((_, bound)) = self.bound.iter_mut().find(|(known, _)| *known == action) {
            *bound = keys.to_vec();
        }
    }

    /// The first key that two actions have.
    pub(crate) fn clash(&self) -> Option<Clash> {
        let all: Vec<(Key, Action)> = self.each().collect();
        all.iter().enumerate().find_map(|(index, (key, action))| {
            let before = all[..index].iter().filter(|(other, before)| other == key && before != action);
            let (_, before) =
                { before }.find(|(_, before)| is_of_chosen(*before) == is_of_chosen(*action))?;
            Some(Clash { key: *key, actions: [*before, *action] })
        })
    }

    /// The action of a key, if it has one.
    pub(crate) fn action(&self, event: &KeyEvent) -> Option<Action> {
        let pressed = Key::of(event);
        self.each().find(|(key, action)| *key == pressed && !is_of_chosen(*action)).map(|(_, action)| action)
    }

    /// The usual key of what a key does with a chosen message; itself where it does nothing there.
    pub(crate) fn chosen(&self, event: &KeyEvent) -> KeyEvent {
        let pressed = Key::of(event);
        let found = self.each().find(|(key, action)| *key == pressed && is_of_chosen(*action));
        let code = match found {
            Some((_, Action::Chosen(code))) => code,
            // It did something and does it no more.
            _ if actions().any(|named| is_of_chosen(named.0) && usual(named).contains(&pressed)) => {
                KeyCode::Null
            }
            _ => return *event,
        };
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    /// The keys of an action.
    pub(crate) fn keys(&self, action: Action) -> &[Key] {
        self.bound.iter().find(|(known, _)| *known == action).map_or(&[], |(_, keys)| keys)
    }

    /// How an action is asked for: by its first key, without one by its command.
    pub(crate) fn way(&self, action: Action) -> String {
        let has = |binding: &&Binding| binding.actions.iter().any(|(known, ..)| *known == action);
        let command = || BINDINGS.iter().find(has).map_or("", |binding| binding.command).to_owned();
        self.keys(action).first().map_or_else(command, Key::to_string)
    }

    fn each(&self) -> impl Iterator<Item = (Key, Action)> {
        self.bound.iter().flat_map(|(action, keys)| keys.iter().map(|key| (*key, *action)))
    }

    fn shown(&self, binding: &Binding) -> Vec<String> {
        let keys: Vec<String> =
            binding.actions.iter().flat_map(|(action, ..)| self.keys(*action)).map(Key::to_string).collect();
        let is_usual = binding.actions.iter().all(|named| self.keys(named.0) == usual(named));
        if is_usual && keys.len() > KEYS_LISTED {
            // Alt-1 to Alt-9: the ends say it.
            return vec![format!("{}..{}", keys[0], &keys[keys.len() - 1][keys[0].len() - 1..])];
        }
        keys
    }
}

/// A line of help: keys or a command, and what it does. A heading has no keys.
pub(crate) type HelpRow = (String, &'static str);

/// Everything help lists, made from the tables that decide.
pub(crate) fn help_rows(keymap: &Keymap, has_demo: bool) -> Vec<HelpRow> {
    let mut rows = vec![(String::new(), "Keys")];
    for binding in BINDINGS.iter().filter(|binding| has_demo || !binding.demo) {
        let mut keys = keymap.shown(binding);
        if !binding.command.is_empty() {
            keys.push(binding.command.to_owned());
        }
        if keys.is_empty() {
            keys.push("(no key)".to_owned());
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
const KEYS_LISTED: usize = 8;

#[cfg(test)]
mod tests;
