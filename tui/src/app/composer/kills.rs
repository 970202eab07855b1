//! Owns what was killed: a ring, as readline has one. Kills that follow each other are one; the newest comes back first,
//! and asked again the one before it.

use std::collections::VecDeque;

/// Kills kept.
const KILLS_MAX: usize = 60;

/// What was killed, oldest first, and what the last key had to do with it.
#[derive(Debug, Default)]
pub(super) struct Kills {
    ring: VecDeque<String>,
    last: Last,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Last {
    #[default]
    Other,
    Kill,
    /// What was brought back begins there, and is so many kills old.
    Yank {
        start: usize,
        age: usize,
    },
}

impl Kills {
    /// Something else was done: what is killed next is another kill.
    pub(super) fn part(&mut self) {
        self.last = Last::Other;
    }

    /// Text was killed, before the cursor or behind it.
    pub(super) fn put(&mut self, text: &str, is_before: bool) {
        let newest = self.ring.back_mut().filter(|_| self.last == Last::Kill);
        match newest {
            Some(newest) if is_before => newest.insert_str(0, text),
            Some(newest) => newest.push_str(text),
            None => self.ring.push_back(text.to_owned()),
        }
        if self.ring.len() > KILLS_MAX {
            self.ring.pop_front();
        }
        self.last = Last::Kill;
    }

    /// The newest kill.
    pub(super) fn newest(&self) -> Option<&str> {
        self.ring.back().map(String::as_str)
    }

    /// The newest kill was put in, from there on.
    pub(super) fn yanked(&mut self, start: usize) {
        self.last = Last::Yank { start, age: 0 };
    }

    /// Where what was just brought back begins, and the kill before it; after the oldest the newest.
    pub(super) fn older(&mut self) -> Option<(usize, String)> {
        let Last::Yank { start, age } = self.last else { return None };
        let age = (age + 1) % self.ring.len().max(1);
        let text = self.ring.iter().rev().nth(age)?.clone();
        self.last = Last::Yank { start, age };
        Some((start, text))
    }
}
