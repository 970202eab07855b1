//! Owns what outlives the program: a client's id, counters and outbox, which belong together. Plain data;
//! where and how it is kept is not known here.

use std::time::Duration;

use chat_protocol::{Acked, ClientId, Epoch, Kind, RoomName, Seq, UserName};
use serde::{Deserialize, Serialize};

use super::event::Target;

/// Acknowledged messages are kept this long: a second source, should the log lose them.
pub const ACKED_KEPT: Duration = Duration::from_secs(120);

/// One client as it stood at a clean quit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedClient {
    /// Proves the user.
    pub session: Option<String>,
    /// The name the user had.
    pub name: Option<UserName>,
    /// The client; none: a new one is to be made.
    pub client_id: Option<ClientId>,
    /// The last connection's generation.
    pub generation: u64,
    /// Its rooms.
    pub rooms: Vec<SavedRoom>,
}

/// A client's counter and outbox in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedRoom {
    /// The room.
    pub room: RoomName,
    /// The number that the next message takes.
    pub next_n: u64,
    /// The newest acknowledged message.
    #[serde(default)]
    pub acked: Option<Acked>,
    /// What was not acknowledged, in order.
    #[serde(default)]
    pub unsent: Vec<SavedOut>,
    /// What was acknowledged in the last [`ACKED_KEPT`], in order: a second source, should the log lose it.
    #[serde(default)]
    pub acknowledged: Vec<SavedAcked>,
}

/// A message that was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedOut {
    /// Its number, taken for good.
    pub n: u64,
    /// What it says.
    pub content: String,
    /// What it is when not plain speech.
    #[serde(default)]
    pub kind: Option<Kind>,
    /// What it edits, deletes or replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Target>,
}

/// A message that was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedAcked {
    /// The message, its number too.
    #[serde(flatten)]
    pub out: SavedOut,
    /// Where it stands in the log, where that was told.
    #[serde(default)]
    pub place: Option<(Epoch, Seq)>,
    /// How long it is to be held still, in milliseconds.
    #[serde(default)]
    pub left_ms: u64,
}
