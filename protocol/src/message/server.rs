//! Owns what a server says, apart from what is about one room.

use serde::{Deserialize, Serialize};

use super::client::SearchFrom;
use super::room::{Ack, Presence, Reset, Resumed, RoomMessage, RoomUsers, User};
use crate::error::{DecodeError, ErrorCode};
use crate::id::{ClientId, Epoch, MessageId, NodeId, Re, RoomName, Seq, UserId};
use crate::limits::Limits;

/// What a server says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are the wire's, each described in docs/protocol.md")]
pub enum ServerMessage {
    /// The server's first words.
    Connection(Connection),
    /// Answers `hello`.
    Welcome(Welcome),
    /// Who is in a room, and where its log stands.
    RoomUsers(RoomUsers),
    /// Who came, went and moved: a batch.
    Presence(Presence),
    /// One user came (clients without `hello`).
    UserJoined {
        room: RoomName,
        #[serde(rename = "userId")]
        user_id: UserId,
        username: String,
        node: NodeId,
    },
    /// One user went (clients without `hello`).
    UserLeft {
        room: RoomName,
        #[serde(rename = "userId")]
        user_id: UserId,
        username: String,
        node: NodeId,
    },
    /// An entry of a room's log.
    Message(RoomMessage),
    /// A message of this client is in the log for good.
    Ack(Ack),
    /// A resume entry was answered: everything to `to` has been sent.
    Resumed(Resumed),
    /// History is gone; the cursor is set anew.
    Reset(Reset),
    /// Drop what stands above `to`: the history that won follows.
    Rewind { room: RoomName, epoch: Epoch, to: Seq },
    /// A page of a log.
    History {
        room: RoomName,
        epoch: Epoch,
        messages: Vec<RoomMessage>,
        more: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        re: Option<Re>,
    },
    /// What was found.
    Search {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomName>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epoch: Option<Epoch>,
        /// The newest first.
        messages: Vec<RoomMessage>,
        more: bool,
        /// Where to go on, if there is more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<SearchFrom>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        re: Option<Re>,
    },
    /// A user is typing.
    Typing {
        room: RoomName,
        #[serde(rename = "userId")]
        user_id: UserId,
        username: String,
    },
    /// Another client of the user has read this far.
    Read { room: RoomName, epoch: Epoch, seq: Seq },
    /// Whom the user ignores, all of them.
    Ignored {
        users: Vec<Person>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        re: Option<Re>,
    },
    /// A user's name or state changed.
    UserChanged {
        #[serde(rename = "userId")]
        user_id: UserId,
        username: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        was: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        away: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        re: Option<Re>,
    },
    /// A room was left.
    Left {
        room: RoomName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        re: Option<Re>,
    },
    /// A direct room was opened.
    Direct {
        room: RoomName,
        with: Person,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        re: Option<Re>,
    },
    /// The room directory.
    Rooms {
        rooms: Vec<RoomInfo>,
        more: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        re: Option<Re>,
    },
    /// Who is in a room.
    Who {
        room: RoomName,
        users: Vec<User>,
        count: usize,
        more: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        re: Option<Re>,
    },
    /// The cluster's nodes.
    Nodes {
        nodes: Vec<NodeInfo>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        re: Option<Re>,
    },
    /// The user's to-do list.
    Todos {
        todos: Vec<TodoItem>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        re: Option<Re>,
    },
    /// The user may enter a room.
    Invited { room: RoomName, by: String },
    /// The user was put out of a room.
    Kicked {
        room: RoomName,
        by: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The server is going away: come back within this time, at random.
    Drain { reconnect_in_ms: u64 },
    /// Something was refused, or went wrong.
    Error(ErrorMessage),
    /// Answer with `pong`; and within what time to come back, at random, should this node die.
    Ping { t: u64, spread_ms: u64 },
    /// Answers `ping`.
    Pong {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        t: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        re: Option<Re>,
    },
    /// A type of a newer server.
    #[serde(other)]
    Unknown,
}

/// The server's first words on a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The wire's version, 1.
    pub v: u32,
    /// `connected`.
    pub status: String,
    /// The id lent to a client that brings none.
    pub client_id: ClientId,
    /// The machine.
    pub hostname: String,
    /// The node.
    pub node: NodeId,
    /// The server's version.
    pub version: String,
    /// How often the server sends `ping`, in milliseconds.
    pub ping_ms: u64,
    /// What is allowed here.
    #[serde(default)]
    pub limits: Limits,
}

/// Answers `hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The user.
    pub user_id: UserId,
    /// The client; another than asked for when that one belongs to another user.
    pub client_id: ClientId,
    /// Proves the user next time.
    pub session: String,
    /// The name the user has.
    pub name: String,
    /// The name that was asked for, where it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_wanted: Option<String>,
    /// The node.
    pub node: NodeId,
    /// False while the node cannot reach the others.
    pub ready: bool,
    /// Why the user is away; none: here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
    /// Whom the user ignores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<Person>,
    /// All rooms of the user.
    pub rooms: Vec<WelcomeRoom>,
    /// The request it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<Re>,
}

/// A room of the user's, and where its log stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WelcomeRoom {
    /// The room.
    pub room: RoomName,
    /// `room` or `direct`.
    pub kind: String,
    /// What it is about.
    #[serde(default)]
    pub topic: String,
    /// The log's life; none where the log is not made yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// Its head.
    pub seq: Seq,
    /// The message there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The newest number of this client in the log.
    pub last_n: u64,
    /// How far the user has read in this life of the log.
    pub read: Seq,
    /// No client of the user has ever told that: `read` is the log's end, so that a room is new with the first look at
    /// it, and says nothing to a client that has been there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unmarked: bool,
    /// How many entries stand behind that.
    pub unread: u64,
    /// The other user of a direct room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Person>,
}

/// A user, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    #[serde(rename = "userId")]
    pub user_id: UserId,
    /// The name when this was said; sanitize it before showing it.
    pub username: String,
}

/// A room in the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomInfo {
    /// The room.
    pub room: RoomName,
    /// What it is about.
    #[serde(default)]
    pub topic: String,
    /// How many users are in it.
    pub count: usize,
}

/// A node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// The node.
    pub node: NodeId,
    /// The server's version.
    pub version: String,
    /// How long it runs, in seconds.
    pub uptime_s: u64,
    /// Its connections.
    pub connections: usize,
    /// The rooms with members there.
    pub rooms: usize,
    /// It takes no new connections.
    pub draining: bool,
    /// From a word said to the other nodes to its return, in milliseconds; none where that is not
    /// measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_ms: Option<u64>,
    /// The node that answers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub you: bool,
}

/// An entry of a to-do list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TodoItem {
    /// Chosen by the client.
    pub id: String,
    /// The list it is in.
    #[serde(default)]
    pub list: String,
    /// What is to be done.
    pub text: String,
    /// It is.
    pub done: bool,
}

/// Something was refused, or went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorMessage {
    /// What kind of thing.
    pub code: ErrorCode,
    /// What, and what to do.
    pub message: String,
    /// When to try again, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_ms: Option<u64>,
    /// The message it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// The number to go on at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_n: Option<u64>,
    /// The room it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
    /// The request it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<Re>,
}

impl ErrorMessage {
    /// An error about nothing in particular; the caller fills in what it is about.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_ms: None, n: None, expect_n: None, room: None, re: None }
    }
}

impl From<DecodeError> for ErrorMessage {
    fn from(error: DecodeError) -> Self {
        Self { re: error.re, n: error.n, room: error.room, ..Self::new(error.code, error.reason) }
    }
}
