//! Owns what a backbone tells its nodes.

use std::sync::Arc;

use chat_protocol::{ClientId, Epoch, NodeId, Person, RoomName, User, UserId};

use super::{Entry, Head};

/// What a node is told, in the order in which it happened for each room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedEvent {
    /// New entries of a room's log.
    Entries {
        /// The room.
        room: RoomName,
        /// The log's life.
        epoch: Epoch,
        /// In order.
        entries: Vec<Arc<Entry>>,
    },
    /// A recovery round is open: bring what you have above, or in front of, this.
    Head {
        /// The room.
        room: RoomName,
        /// Where the log stands; none: there is no log.
        head: Option<Head>,
    },
    /// A node asks whether anybody has something of a room; answer with [`Backbone::answer`].
    Ask {
        /// The room.
        room: RoomName,
        /// Who asks.
        from: NodeId,
    },
    /// A node has answered: it has brought what it had, if it had something.
    Answer {
        /// The room.
        room: RoomName,
        /// Who answers.
        from: NodeId,
    },
    /// Who is in a room changed.
    Presence {
        /// The room.
        room: RoomName,
        /// How.
        change: PresenceChange,
    },
    /// A user is typing in a room.
    Typing(RoomName, Person),
    /// A newer connection of a client is elsewhere: close older ones.
    Fence {
        /// The client.
        client: ClientId,
        /// Connections below this generation are closed.
        generation: u64,
    },
    /// Events were lost: compare all heads.
    Stale,
}

/// A change in who is in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresenceChange {
    /// A user is on a node (again, or under another name).
    Entered(User),
    /// A user has left on a node.
    Left {
        /// Who.
        user: UserId,
        /// The node the user was on.
        node: NodeId,
        /// The connection was lost: the user may be back in a moment.
        lost: bool,
    },
}
