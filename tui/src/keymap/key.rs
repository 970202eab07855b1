//! Owns what a key is called: `Ctrl-T`, `Alt-k`, `F5`, as help shows it and the settings say it.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::nearest::nearest;

/// What can be held, in the order in which it is shown.
const HELD: [(&str, KeyModifiers); 3] =
    [("Ctrl-", KeyModifiers::CONTROL), ("Alt-", KeyModifiers::ALT), ("Shift-", KeyModifiers::SHIFT)];

/// Keys with names, as help shows them; letters and function keys aside.
const NAMED: [(&str, KeyCode); 15] = [
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Space", KeyCode::Char(' ')),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
];

/// Highest number of a function key that is known.
const FUNCTION_MAX: u8 = 24;

/// A key and what is held with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    code: KeyCode,
    held: KeyModifiers,
}

/// What a text that is no key should be instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct KeyError(String);

impl Key {
    /// The key that was pressed. Shift is part of a letter; with Ctrl, terminals do not tell capitals.
    pub(super) fn of(event: &KeyEvent) -> Self {
        Self { code: event.code, held: event.modifiers }.plain()
    }

    /// A key that does something while text is written: none that writes itself.
    ///
    /// # Errors
    /// What is no such key.
    pub(crate) fn beside_text(text: &str) -> Result<Self, KeyError> {
        let key: Self = text.parse()?;
        if let (KeyCode::Char(letter @ ('i' | 'm')), KeyModifiers::CONTROL) = (key.code, key.held) {
            let same = if letter == 'i' { "Tab" } else { "Enter" };
            return Err(KeyError(format!("{text:?} is {same} to most terminals: take another letter")));
        }
        if matches!(key.code, KeyCode::Char(_)) && key.held.is_empty() {
            return Err(KeyError(format!("{text:?} writes a letter: hold Ctrl- or Alt- with it")));
        }
        Ok(key)
    }

    fn plain(self) -> Self {
        // What terminals send for Shift-Tab is a key of its own.
        if self.code == KeyCode::BackTab {
            return Self { code: KeyCode::Tab, held: self.held.union(KeyModifiers::SHIFT) };
        }
        let KeyCode::Char(letter) = self.code else { return self };
        let is_ctrl = self.held.contains(KeyModifiers::CONTROL);
        let letter = if is_ctrl { letter.to_ascii_lowercase() } else { letter };
        Self { code: KeyCode::Char(letter), held: self.held.difference(KeyModifiers::SHIFT) }
    }
}

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut held = KeyModifiers::NONE;
        let mut rest = text;
        while let Some((prefix, modifier)) = HELD.iter().find(|(prefix, _)| begins(rest, prefix)) {
            held |= *modifier;
            rest = &rest[prefix.len()..];
        }
        let key = Self { code: code(rest).ok_or_else(|| unknown(text, rest))?, held }.plain();
        Ok(key)
    }
}

/// True where something is left behind the prefix: `-` is a key, too.
fn begins(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        && text.len() > prefix.len()
}

fn code(name: &str) -> Option<KeyCode> {
    let mut letters = name.chars();
    if let (Some(letter), None) = (letters.next(), letters.next()) {
        return Some(KeyCode::Char(letter)).filter(|_| !letter.is_control());
    }
    if let Some((_, code)) = NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return Some(*code);
    }
    let number = name.strip_prefix(['f', 'F'])?.parse().ok()?;
    (1..=FUNCTION_MAX).contains(&number).then_some(KeyCode::F(number))
}

fn unknown(text: &str, rest: &str) -> KeyError {
    let known = NAMED.iter().map(|(name, _)| *name).chain(["PageUp", "PageDown"]);
    let near = nearest(rest, known).map(|name| if name == "PageUp" { "PgUp" } else { name });
    let near = near.map(|name| if name == "PageDown" { "PgDn" } else { name });
    let held = &text[..text.len() - rest.len()];
    let hint = near.map_or_else(
        || "keys are as Ctrl-t, Alt-k, Shift-Enter, F5, PgUp".to_owned(),
        |name| format!("did you mean \"{held}{name}\"?"),
    );
    KeyError(format!("{text:?} is no key: {hint}"))
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, _) in HELD.iter().filter(|(_, held)| self.held.contains(*held)) {
            f.write_str(name)?;
        }
        if let Some((name, _)) = NAMED.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::Char(letter) if self.held.contains(KeyModifiers::CONTROL) => {
                write!(f, "{}", letter.to_ascii_uppercase())
            }
            KeyCode::Char(letter) => write!(f, "{letter}"),
            KeyCode::F(number) => write!(f, "F{number}"),
            code => write!(f, "{code:?}"),
        }
    }
}
