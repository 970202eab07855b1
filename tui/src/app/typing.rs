//! Owns who is typing in a room, as far as that is still news, and when the user's own typing was told last. Knows no
//! clock: times come with the events.

use std::time::Duration;

use chat_protocol::{UserId, limits};

use crate::net::event::Moment;

/// How long somebody counts as typing after the last word of it.
const SHOWN: Duration = Duration::from_secs(5);
/// Between two words of our own: a little more than what a server drops, so that the network's haste does not cost one.
const TELL_EVERY: Duration = limits::TYPING_EVERY.saturating_add(Duration::from_millis(200));
/// Users kept; more are several people all the same.
const KEPT_MAX: usize = 8;
/// Users shown by name.
const NAMED_MAX: usize = 2;

/// Who is typing in one room.
#[derive(Debug, Default)]
pub(crate) struct Typing {
    /// With names safe to draw, and until when; the first to begin first.
    others: Vec<(UserId, String, Moment)>,
    /// When our own was told last.
    told: Option<Moment>,
}

impl Typing {
    /// Somebody else is.
    pub(crate) fn heard(&mut self, now: Moment, user: UserId, name: String) {
        self.others.retain(|(_, _, until)| now < *until);
        let known = self.others.iter().position(|(known, ..)| *known == user);
        let typist = (user, name, now + SHOWN);
        match known {
            // In its place: names that change places each time are hard to read.
            Some(at) => self.others[at] = typist,
            None if self.others.len() < KEPT_MAX => self.others.push(typist),
            None => {}
        }
    }

    /// What was being typed has come, or its writer has gone.
    pub(crate) fn stopped(&mut self, user: &UserId) {
        self.others.retain(|(known, ..)| known != user);
    }

    /// Nobody knows who is any more.
    pub(crate) fn forget(&mut self) {
        self.others.clear();
    }

    /// In words, while there is something to say.
    pub(crate) fn words(&self, now: Moment) -> Option<String> {
        let names: Vec<&str> = self
            .others
            .iter()
            .filter(|(_, _, until)| now < *until)
            .map(|(_, name, _)| name.as_str())
            .collect();
        match names.as_slice() {
            [] => None,
            [name] => Some(format!("{name} is typing")),
            names if names.len() <= NAMED_MAX => Some(format!("{} are typing", names.join(", "))),
            _ => Some("several people are typing".to_owned()),
        }
    }

    /// When these words change by themselves.
    pub(crate) fn next_change(&self, now: Moment) -> Option<Moment> {
        self.others.iter().map(|(_, _, until)| *until).filter(|until| now < *until).min()
    }

    /// The user writes; true where that is to be told.
    pub(crate) fn is_to_be_told(&mut self, now: Moment) -> bool {
        let is_due = self.told.is_none_or(|told| now >= told + TELL_EVERY);
        if is_due {
            self.told = Some(now);
        }
        is_due
    }
}
