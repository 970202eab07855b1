//! Owns one message of an outbox: its number, its words, how far it is, and how it goes to the server.

use chat_protocol::{Acked, ClientMessage, Epoch, Kind, Outgoing, RoomName, Seq};

use crate::net::event::{Moment, OutId, Target, Words};
use crate::net::saved::{ACKED_KEPT, SavedOut};

/// A message under its number.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) n: u64,
    pub(super) out: Option<OutId>,
    pub(super) words: Words,
    pub(super) state: State,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Not known to be in the log.
    Pending,
    /// In the log, at a place if it was told; held until then.
    Acked { until: Moment, place: Option<(Epoch, Seq)>, held: Held },
    /// Can never be accepted: its number has to be used up.
    Void,
}

/// Whether the log holds an acknowledged message still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// Nothing is known against it.
    Still,
    /// It has lost it, or lost sight of it: the message is sent again, as one that was never acknowledged.
    NoMore,
}

pub(super) fn words(saved: SavedOut) -> Words {
    Words { content: saved.content, kind: saved.kind, of: saved.of }
}

impl Item {
    /// As it goes to the server.
    pub(super) fn message(&self, room: RoomName, acked: Option<Acked>) -> ClientMessage {
        let n = self.n;
        if self.state == State::Void {
            let (n, room) = (Some(n), Some(room));
            return ClientMessage::Message(Outgoing { n, room, void: true, ..Outgoing::default() });
        }
        let Words { content, kind, of } = self.words.clone();
        match (kind, of) {
            (Some(Kind::Edit), Some(Target { seq, id })) => {
                ClientMessage::Edit { room, seq, id, content, n, acked }
            }
            (Some(Kind::Delete), Some(Target { seq, id })) => {
                ClientMessage::Delete { room, seq, id, n, acked }
            }
            (kind, of) => {
                let (n, room) = (Some(n), Some(room));
                let (reply, reply_id) = of.map_or((None, None), |of| (Some(of.seq), of.id));
                let said = Outgoing { n, room, content, kind, acked, ..Outgoing::default() };
                ClientMessage::Message(Outgoing { reply, reply_id, ..said })
            }
        }
    }

    /// Not known to be in the log, or known to be there no more.
    pub(super) fn is_unsent(&self) -> bool {
        matches!(self.state, State::Pending | State::Acked { held: Held::NoMore, .. })
    }

    pub(super) fn save(&self) -> SavedOut {
        let Words { content, kind, of } = self.words.clone();
        SavedOut { n: self.n, content, kind, of }
    }

    /// Until when it is held, acknowledged now or again: each further time would hold it for ever, where logs are lost
    /// again and again, and bring the whole past back into each new one.
    pub(super) fn until(&self, now: Moment) -> Moment {
        if let State::Acked { until, .. } = self.state { until } else { now + ACKED_KEPT }
    }
}
