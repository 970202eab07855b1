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
        *self = Self { query, room, next: None, found: Vec::new() };
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
