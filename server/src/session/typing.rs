//! Owns what a session does with the word that its user is typing: checks it, and passes on at most one in three seconds
//! and room. More are no mistake, and not answered.

use std::collections::HashMap;

use chat_protocol::{Re, RoomName, limits};
use tokio::time::Instant;

use super::Session;
use crate::hub::Command;

/// When the last word went on, by room.
#[derive(Debug, Default)]
pub(super) struct Typed(HashMap<RoomName, Instant>);

impl Typed {
    fn is_due(&mut self, room: &RoomName, now: Instant) -> bool {
        // As many are left as there are rooms that were joined within three seconds.
        self.0.retain(|_, at| now < *at + limits::TYPING_EVERY);
        let is_due = !self.0.contains_key(room);
        if is_due {
            self.0.insert(room.clone(), now);
        }
        is_due
    }
}

impl Session {
    pub(super) fn typing(&mut self, room: RoomName, re: Option<&Re>) {
        let Some(room) = self.joined_room(Some(room), re) else { return };
        if !self.typed.is_due(&room, Instant::now()) {
            return;
        }
        let Some(handle) = self.rooms.get(&room) else { return };
        if !handle.whisper(Command::Typing(self.conn())) {
            self.hub.metrics.typing_dropped.add(1);
        }
    }
}
