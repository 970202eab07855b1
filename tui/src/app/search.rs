//! Owns the last search: what was searched for, what was found so far, where it goes on.

use chat_protocol::{MessageId, RoomMessage, RoomName, SearchFrom, Seq};

use super::text::clean_line;

/// Found messages that can be named by their numbers.
const FOUND_MAX: usize = 1_000;

/// The last search.
#[derive(Debug, Default)]
pub(crate) struct Search {
    query: String,
    /// None: in all rooms.
    room: Option<RoomName>,
    next: Option<SearchFrom>,
    /// The newest first.
    found: Vec<Found>,
    /// Answers to come that nobody waits for any more: an answer does not say what was asked.
    unwanted: usize,
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) room: RoomName,
    pub(crate) seq: Seq,
    id: MessageId,
}

impl Search {
    pub(crate) fn begin(&mut self, query: String, room: Option<RoomName>) {
        *self = Self { query, room, next: None, found: Vec::new(), unwanted: self.unwanted };
    }

    /// What was asked is not waited for any more.
    pub(crate) fn abandon(&mut self) {
        self.unwanted += 1;
    }

    /// An answer has come: true where nobody waits for it.
    pub(crate) fn is_unwanted(&mut self) -> bool {
        let is_unwanted = self.unwanted > 0;
        self.unwanted -= usize::from(is_unwanted);
        is_unwanted
    }

    /// One was refused, or the link is gone: which answers are still to come is not known.
    pub(crate) fn expect_all(&mut self) {
        self.unwanted = 0;
    }

    /// What to ask next: the query, where, and from which place on.
    pub(crate) fn go_on(&self) -> Option<(String, Option<RoomName>, SearchFrom)> {
        self.next.clone().map(|next| (self.query.clone(), self.room.clone(), next))
    }

    pub(crate) fn can_go_on(&self) -> bool {
        self.next.is_some()
    }

    /// More was found. How much there was before.
    pub(crate) fn take(&mut self, messages: &[RoomMessage], next: Option<SearchFrom>) -> usize {
        let before = self.found.len();
        let found = |message: &RoomMessage| Found {
            room: message.room.clone(),
            seq: message.seq,
            id: message.id.clone(),
        };
        self.found.extend(messages.iter().map(found));
        self.found.truncate(FOUND_MAX);
        self.next = next;
        before
    }

    /// The query and where, safe to draw.
    pub(crate) fn what(&self) -> String {
        let query = clean_line(&self.query);
        match &self.room {
            Some(room) => format!("{query} in #{room}"),
            None => format!("{query} in all rooms"),
        }
    }

    /// By its number, from 1.
    pub(crate) fn found(&self, number: usize) -> Option<&Found> {
        self.found.get(number.checked_sub(1)?)
    }

    /// Which message was found at a place.
    pub(crate) fn id_at(&self, room: &RoomName, seq: Seq) -> Option<&MessageId> {
        self.found.iter().find(|found| found.room == *room && found.seq == seq).map(|found| &found.id)
    }
}
