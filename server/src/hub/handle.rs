//! Owns the way to a room: who waits for a place in its inbox, and what becomes of what finds none. Knows nothing of
//! what the room does with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use chat_protocol::RoomName;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::Command;
use super::topic::RoomTopic;
use crate::backbone::{FeedEvent, PresenceChange};

/// Changes of who is here that may wait beside the inbox: thousands come within a moment where a node dies or a crowd
/// goes, and to ask the backbone instead costs more, and takes who left for lost.
const CHANGES_MAX: usize = 65_536;

/// The way to a room.
#[derive(Clone)]
pub(crate) struct RoomHandle {
    pub(crate) room: RoomName,
    pub(super) topic: RoomTopic,
    inbox: mpsc::Sender<Command>,
    /// What found no place since the room last asked, as bits: written by the feed, taken by the room.
    missed: Arc<AtomicU8>,
    /// Who came and went, in order. No order is promised against anything else, so they need no place in the inbox.
    changes: Arc<Mutex<Vec<PresenceChange>>>,
}

/// What a room has to make good because it found no place in the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missed {
    /// Entries, or what the nodes say about the log: it is compared.
    pub(super) log: bool,
    /// Who came and went: the backbone is asked.
    pub(super) people: bool,
    /// The order to say anew who is here.
    pub(super) order: bool,
}

impl Missed {
    pub(super) const ALL: Self = Self { log: true, people: true, order: true };

    /// What is lost with a command.
    fn with(command: &Command) -> Self {
        let nothing = Self { log: false, people: false, order: false };
        match command {
            Command::Event(FeedEvent::Typing(..)) | Command::Changes => nothing,
            Command::NodeGone(_) => Self { people: true, ..nothing },
            Command::Event(_) => Self { log: true, ..nothing },
            Command::Register => Self { order: true, ..nothing },
            _ => Self::ALL,
        }
    }

    fn bits(self) -> u8 {
        [self.log, self.people, self.order].iter().rev().fold(0, |bits, bit| bits << 1 | u8::from(*bit))
    }

    fn of(bits: u8) -> Self {
        Self { log: bits & 1 > 0, people: bits & 2 > 0, order: bits & 4 > 0 }
    }
}

impl RoomHandle {
    pub(super) fn new(room: RoomName, size: usize) -> (Self, mpsc::Receiver<Command>) {
        let (inbox, receiver) = mpsc::channel(size);
        (
            Self {
                room,
                topic: RoomTopic::default(),
                inbox,
                missed: Arc::default(),
                changes: Arc::default(),
            },
            receiver,
        )
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
        if let Err(TrySendError::Full(command) | TrySendError::Closed(command)) = self.inbox.try_send(command)
        {
            self.missed.fetch_or(Missed::with(&command).bits(), Ordering::Relaxed);
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
            FeedEvent::Presence { change, .. } => self.change(change),
            event => self.hint(Command::Event(event)),
        }
    }

    fn change(&self, change: PresenceChange) {
        let mut changes = self.changes.lock();
        let is_first = changes.is_empty();
        if changes.len() < CHANGES_MAX {
            changes.push(change);
        } else {
            self.missed.fetch_or(Missed { people: true, ..Missed::of(0) }.bits(), Ordering::Relaxed);
        }
        drop(changes);
        if is_first {
            // A full inbox wakes the room as well.
            self.hint(Command::Changes);
        }
    }

    /// Who came and went since this was asked last.
    pub(super) fn take_changes(&self) -> Vec<PresenceChange> {
        std::mem::take(&mut self.changes.lock())
    }

    /// What found no place since this was asked last.
    pub(super) fn take_missed(&self) -> Missed {
        Missed::of(self.missed.swap(0, Ordering::Relaxed))
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
    fn who_comes_and_goes_needs_no_place_in_the_inbox() {
        let (handle, mut inbox) = RoomHandle::new(RoomName::general(), 2);
        let (user, node) = (UserId::parse("u1").unwrap(), NodeId::parse("n").unwrap());
        let change = PresenceChange::Left { user, node, lost: false };
        let event = FeedEvent::Presence { room: RoomName::general(), change };
        (0..5_000).for_each(|_| handle.tell(event.clone()));
        assert!(matches!(inbox.try_recv(), Ok(Command::Changes)), "the room is woken");
        assert!(inbox.try_recv().is_err(), "once");
        assert_eq!((handle.take_changes().len(), handle.take_missed()), (5_000, Missed::of(0)));
        (0..=CHANGES_MAX).for_each(|_| handle.tell(event.clone()));
        assert_eq!(handle.take_changes().len(), CHANGES_MAX);
        assert!(handle.take_missed().people, "what is too much is asked for");
    }

    #[test]
    fn a_whisper_that_finds_no_place_is_not_made_good_and_the_rest_is() {
        let (handle, mut inbox) = RoomHandle::new(RoomName::general(), 8);
        (0..8).for_each(|_| handle.tell(typing()));
        assert_eq!(inbox.len(), 4, "half of the places are left to others");
        let gone = || Command::NodeGone(NodeId::parse("n").unwrap());
        (0..4).for_each(|_| handle.hint(gone()));
        handle.tell(typing());
        let nothing = Missed::of(0);
        assert_eq!(handle.take_missed(), nothing);
        handle.hint(gone());
        assert_eq!(handle.take_missed(), Missed { people: true, ..nothing }, "nobody says anew who is here");
        handle.hint(Command::Register);
        handle.hint(Command::Event(FeedEvent::Head { room: RoomName::general(), head: None }));
        assert_eq!(handle.take_missed(), Missed { log: true, order: true, ..nothing });
        handle.hint(Command::Stale);
        assert_eq!((handle.take_missed(), handle.take_missed()), (Missed::ALL, nothing));
        inbox.close();
        assert!(!handle.whisper(Command::Event(typing())));
    }
}
