//! Owns what a room is told.

use chat_protocol::{NodeId, User, UserId};
use tokio::sync::oneshot;

use super::seats::Seat;
use crate::backbone::{FeedEvent, Place};
use crate::room::{ConnId, Joining, Moment, Publishing};

/// What a room is told.
pub(crate) enum Command {
    Join(Joining, Seat),
    Leave {
        conn: ConnId,
        lost: bool,
    },
    /// A message, and when it was decoded.
    Publish(Publishing, Moment),
    Drained(ConnId),
    /// Whoever sits there is typing.
    Typing(ConnId),
    Event(FeedEvent),
    /// Who is in the room has changed: the changes wait beside the inbox.
    Changes,
    /// Events were lost.
    Stale,
    NodeGone(NodeId),
    /// The node's lease was lost: say anew who is here.
    Register,
    Renamed {
        conn: ConnId,
        user: User,
    },
    /// Where the log stands, as far as this node knows.
    Head(oneshot::Sender<Option<Place>>),
    /// Users behind the one named, at most so many; and how many there are.
    Who {
        after: Option<UserId>,
        limit: usize,
        reply: oneshot::Sender<(Vec<User>, usize)>,
    },
}
