//! Owns the way to a room: who waits for a place in its inbox, and what becomes of what finds none. Knows nothing of
//! what the room does with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chat_protocol::RoomName;
use tokio::sync::mpsc;

use super::Command;
use crate::backbone::FeedEvent;

/// The way to a room.
#[derive(Clone)]
pub(crate) struct RoomHandle {
    pub(crate) room: RoomName,
    inbox: mpsc::Sender<Command>,
    stale: Arc<AtomicBool>,
}

impl RoomHandle {
    pub(super) fn new(room: RoomName, size: usize) -> (Self, mpsc::Receiver<Command>) {
        let (inbox, receiver) = mpsc::channel(size);
        (Self { room, inbox, stale: Arc::default() }, receiver)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.inbox.is_closed()
    }

    /// Waits for a place: a session that is too fast for a room reads no further. False: the room is closed.
    pub(crate) async fn send(&self, command: Command) -> bool {
        self.inbox.send(command).await.is_ok()
    }

    /// Does not wait: what finds no place is made good by comparing with the backbone.
    pub(super) fn hint(&self, command: Command) {
        if self.inbox.try_send(command).is_err() {
            self.stale.store(true, Ordering::Relaxed);
        }
    }

    /// Takes no place that anything else may need, and is not made good. False: dropped.
    pub(crate) fn whisper(&self, command: Command) -> bool {
        self.inbox.capacity() > self.inbox.max_capacity() / 2 && self.inbox.try_send(command).is_ok()
    }

    /// What the feed tells of the room.
    pub(super) fn tell(&self, event: FeedEvent) {
        match event {
            event @ FeedEvent::Typing(..) => drop(self.whisper(Command::Event(event))),
            event => self.hint(Command::Event(event)),
        }
    }

    /// True where something found no place since this was asked last.
    pub(super) fn take_stale(&self) -> bool {
        self.stale.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use chat_protocol::{NodeId, Person, UserId};

    use super::*;

    fn typing() -> FeedEvent {
        let (user_id, username) = (UserId::parse("u1").unwrap(), "alice".into());
        FeedEvent::Typing(RoomName::general(), Person { user_id, username })
    }

    #[test]
    fn a_whisper_that_finds_no_place_makes_nobody_stale() {
        let (handle, mut inbox) = RoomHandle::new(RoomName::general(), 8);
        (0..8).for_each(|_| handle.tell(typing()));
        assert_eq!(inbox.len(), 4, "half of the places are left to others");
        let gone = || Command::NodeGone(NodeId::parse("n").unwrap());
        (0..4).for_each(|_| handle.hint(gone()));
        handle.tell(typing());
        assert!(!handle.take_stale(), "nothing was lost that matters");
        handle.hint(gone());
        assert!(handle.take_stale());
        inbox.close();
        assert!(!handle.whisper(Command::Event(typing())));
    }
}
