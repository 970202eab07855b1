//! Owns what a server says about one room: who is in it, what its log holds, where the log stands.

use serde::{Deserialize, Serialize};

use super::client::Kind;
use crate::id::{Epoch, MessageId, NodeId, Re, RoomName, Seq, UserId};

/// A user in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Who.
    #[serde(rename = "userId")]
    pub user_id: UserId,
    /// The name; sanitize it before showing it.
    pub username: String,
    /// The node the user is on.
    pub node: NodeId,
    /// Why the user is away; none: here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
}

/// A user who changed nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The user, where it is now.
    #[serde(flatten)]
    pub user: User,
    /// The node it was on.
    pub from: NodeId,
}

/// Who is in a room, and where its log stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomUsers {
    /// The room.
    pub room: RoomName,
    /// At most 500 of them.
    pub users: Vec<User>,
    /// How many there are.
    pub count: usize,
    /// Not all are listed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// What the room is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub topic: String,
    /// The log's life.
    pub epoch: Epoch,
    /// Its head.
    pub seq: Seq,
    /// The message there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The newest number of this client in the log.
    pub last_n: u64,
    /// The request it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<Re>,
}

/// Who came, went and moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The room.
    pub room: RoomName,
    /// Who came, or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joined: Vec<User>,
    /// Who went.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<User>,
    /// Who changed nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
    /// How many are there now.
    pub count: usize,
}

/// An entry of a room's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomMessage {
    /// The room.
    pub room: RoomName,
    /// Its place.
    pub seq: Seq,
    /// Its identity.
    pub id: MessageId,
    /// What it says.
    #[serde(flatten)]
    pub body: MessageBody,
}

/// What an entry says, apart from its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageBody {
    /// The author's name when it was written; sanitize it before showing it.
    pub sender: String,
    /// The author.
    #[serde(rename = "senderId")]
    pub sender_id: UserId,
    /// The text; sanitize it before showing it.
    pub content: String,
    /// When it was published: RFC 3339, milliseconds, UTC.
    pub timestamp: String,
    /// Where it was published.
    pub node: NodeId,
    /// What it is when not plain speech.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The entry an edit or delete is about.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Seq>,
    /// Its identity: a rewind may have moved it.
    #[serde(default, rename = "refId", skip_serializing_if = "Option::is_none")]
    pub reference_id: Option<MessageId>,
    /// The entry it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Seq>,
    /// The beginning of that entry, as the server found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// Sealed content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enc: Option<String>,
}

/// What a reply is to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The message's identity.
    pub id: MessageId,
    /// Its author's name when it was written; sanitize it before showing it.
    pub sender: String,
    /// Its author.
    #[serde(rename = "senderId")]
    pub sender_id: UserId,
    /// Its first line, at most [`crate::limits::QUOTE_CHARS_MAX`] characters; sanitize it before showing it.
    pub text: String,
}

/// A message of this client is in the log for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The room.
    pub room: RoomName,
    /// The client's number.
    pub n: u64,
    /// Its place; none for a void number and for a duplicate that is not the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    /// Its identity.
    pub id: MessageId,
    /// The log's life.
    pub epoch: Epoch,
    /// It was there already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
    /// The request it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<Re>,
}

/// A resume entry was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// The room.
    pub room: RoomName,
    /// The log's life.
    pub epoch: Epoch,
    /// The replay began behind this place.
    pub from: Seq,
    /// And went to this one.
    pub to: Seq,
    /// How many entries were replayed.
    pub recovered: u64,
    /// The newest number of this client in the log.
    pub last_n: u64,
    /// Older missing ones, between the client's place and `from`, are to be had by `history`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// History is gone; the cursor is set anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// The room.
    pub room: RoomName,
    /// `trimmed`: the log no longer reaches back that far. `epoch`: the log was lost and made anew.
    pub reason: String,
    /// The log's life now.
    pub epoch: Epoch,
    /// The cursor now: 0, or the place before the first entry kept.
    pub seq: Seq,
    /// The message there, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The first place that is gone, counted in the client's epoch.
    pub lost_from: Seq,
    /// The last one; none if nobody alive knows it.
    pub lost_to: Option<Seq>,
    /// The newest number of this client in the log.
    pub last_n: u64,
}
