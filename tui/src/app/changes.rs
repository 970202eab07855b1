//! Owns what a room's log says about messages after they were said: edits and deletes, by the identity of their message,
//! whichever of the two comes first. Knows no lines.

use std::collections::HashMap;

use chat_protocol::{MessageId, Seq, UserId};

/// Most changes kept; the oldest half goes. What they have changed on the screen stays as it is.
const CHANGES_MAX: usize = 10_000;

/// What became of messages.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    of: HashMap<MessageId, Vec<Change>>,
    count: usize,
}

/// One change, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) seq: Seq,
    /// Whoever it was: only the message's author can change it, whatever a server lets through.
    pub(crate) author: UserId,
    pub(crate) became: Became,
}

/// What a message became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Became {
    Edited {
        /// Safe to draw.
        text: Box<str>,
        /// It names us now.
        mention: bool,
    },
    Deleted,
}

impl Changes {
    /// Takes a change in, once.
    pub(crate) fn note(&mut self, of: MessageId, change: Change) {
        let known = self.of.entry(of).or_default();
        if known.iter().any(|known| known.seq == change.seq) {
            return;
        }
        known.push(change);
        self.count += 1;
        if self.count > CHANGES_MAX {
            self.forget_older();
        }
    }

    /// What a message is by now; none: as it was said. A delete is for good.
    pub(crate) fn now(&self, id: &MessageId, author: &UserId) -> Option<&Became> {
        let own = || self.of.get(id).into_iter().flatten().filter(|change| change.author == *author);
        let deleted = own().find(|change| change.became == Became::Deleted);
        deleted.or_else(|| own().max_by_key(|change| change.seq)).map(|change| &change.became)
    }

    /// What stands above a place did not survive.
    pub(crate) fn rewind(&mut self, to: Seq) {
        self.retain(|change| change.seq <= to);
    }

    /// Another life of the log begins: what was changed stays so, below everything that is still to come.
    pub(crate) fn forget_places(&mut self) {
        for changes in self.of.values_mut() {
            // Among those of one place the last in the list is the newest.
            changes.sort_by_key(|change| change.seq);
            changes.iter_mut().for_each(|change| change.seq = Seq::START);
        }
    }

    fn forget_older(&mut self) {
        let mut places: Vec<Seq> = self.of.values().flatten().map(|change| change.seq).collect();
        places.sort_unstable();
        let middle = places[places.len() / 2];
        self.retain(|change| change.seq > middle);
    }

    fn retain(&mut self, stays: impl Fn(&Change) -> bool) {
        for changes in self.of.values_mut() {
            changes.retain(&stays);
        }
        self.of.retain(|_, changes| !changes.is_empty());
        self.count = self.of.values().map(Vec::len).sum();
    }
}
