//! Owns everything either side can say. Field names follow the systems this one replaces, so that their
//! clients work unchanged. docs/protocol.md changes in the commit that changes this file.

use serde::{Deserialize, Serialize};

use crate::error::{DecodeError, ErrorCode};
use crate::id::{ClientId, Epoch, MessageId, NodeId, Re, RoomName, Seq, UserId, UserName};
use crate::limits::{self, Limits};
use crate::text;

/// A client's message with the mark its answer repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Repeated by the answer or error, at most 32 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub re: Option<Re>,
    /// What is asked.
    #[serde(flatten)]
    pub message: ClientMessage,
}

impl From<ClientMessage> for Request {
    fn from(message: ClientMessage) -> Self {
        Self { re: None, message }
    }
}

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are the wire's, each described in docs/protocol.md")]
pub enum ClientMessage {
    /// Who it is and what it has seen; the first message of a client of this protocol.
    Hello(Hello),
    /// A newer token, mid-connection.
    Auth { token: String },
    /// Enter a room.
    Join { room: RoomName },
    /// Leave a room; without a name the current one.
    Leave {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomName>,
    },
    /// Say something.
    Message(Outgoing),
    /// Change one's own message.
    Edit { room: RoomName, seq: Seq, content: String, n: u64 },
    /// Take one's own message back.
    Delete { room: RoomName, seq: Seq, n: u64 },
    /// A page of a room's log; one of `before`, `after`, `around`, else the newest.
    History {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomName>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epoch: Option<Epoch>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Seq>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Seq>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        around: Option<Seq>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<usize>,
    },
    /// Words in a room's log, or in all rooms of the user.
    Search {
        query: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomName>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Seq>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<usize>,
    },
    /// Open a direct room with a user, by name or user id.
    Direct { to: String },
    /// Take another name.
    Rename { name: UserName },
    /// Be away with a reason; empty: back.
    Away { text: String },
    /// What the room is about.
    Topic { room: RoomName, text: String },
    /// The room directory.
    Rooms {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<RoomName>,
    },
    /// Who is in a room.
    Who {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<RoomName>,
    },
    /// The cluster's nodes.
    Nodes {},
    /// How far the user has read.
    Read { room: RoomName, epoch: Epoch, seq: Seq },
    /// The user is typing.
    Typing { room: RoomName },
    /// Let a user in.
    Invite { room: RoomName, user: String },
    /// Put a user out.
    Kick {
        room: RoomName,
        user: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Keep a user out.
    Ban {
        room: RoomName,
        user: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Keep a user quiet.
    Mute {
        room: RoomName,
        user: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A change to the user's to-do list, or its listing.
    Todo {
        op: TodoOp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        list: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        n: u64,
    },
    /// Asks for a `pong` with the same `t`.
    Ping {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        t: Option<u64>,
    },
    /// Answers a `ping`.
    Pong { t: u64 },
}

impl ClientMessage {
    /// The values of `type` that a client may send.
    pub const TYPES: [&'static str; 25] = [
        "hello", "auth", "join", "leave", "message", "edit", "delete", "history", "search", "direct",
        "rename", "away", "topic", "rooms", "who", "nodes", "read", "typing", "invite", "kick", "ban",
        "mute", "todo", "ping", "pong",
    ];

    /// Checks every text a person wrote for forbidden characters, and the short ones for length. Content's
    /// length is the server's to check, by its configuration.
    pub(crate) fn check_texts(&mut self) -> Result<(), DecodeError> {
        match self {
            Self::Hello(hello) => {
                short("client", hello.client.as_mut())?;
                checked("token", hello.token.as_mut())?;
                checked("session", hello.session.as_mut())?;
                (hello.resume.iter().all(|entry| entry.tail.len() <= limits::RESUME_TAIL_IDS_MAX))
                    .then_some(())
                    .ok_or_else(|| DecodeError::new(ErrorCode::BadJson, "tail holds more than 32 ids"))
            }
            Self::Auth { token } => checked("token", Some(token)),
            Self::Message(message) => {
                checked("content", Some(&mut message.content))?;
                checked("enc", message.enc.as_mut())
            }
            Self::Edit { content, .. } => checked("content", Some(content)),
            Self::Search { query, .. } => short("query", Some(query)),
            Self::Direct { to } => short("to", Some(to)),
            Self::Away { text } | Self::Topic { text, .. } => short("text", Some(text)),
            Self::Invite { user, .. } => short("user", Some(user)),
            Self::Kick { user, reason, .. } => {
                short("user", Some(user))?;
                short("reason", reason.as_mut())
            }
            Self::Ban { user, until, reason, .. } | Self::Mute { user, until, reason, .. } => {
                short("user", Some(user))?;
                short("until", until.as_mut())?;
                short("reason", reason.as_mut())
            }
            Self::Todo { list, text, id, .. } => {
                short("list", list.as_mut())?;
                short("text", text.as_mut())?;
                short("id", id.as_mut())
            }
            Self::Join { .. } | Self::Leave { .. } | Self::Delete { .. } | Self::History { .. } => Ok(()),
            Self::Rename { .. } | Self::Rooms { .. } | Self::Who { .. } | Self::Nodes {} => Ok(()),
            Self::Read { .. } | Self::Typing { .. } | Self::Ping { .. } | Self::Pong { .. } => Ok(()),
        }
    }
}

fn checked(field: &str, value: Option<&mut String>) -> Result<(), DecodeError> {
    let Some(value) = value else { return Ok(()) };
    match text::check(value) {
        Ok(std::borrow::Cow::Owned(folded)) => *value = folded,
        Ok(std::borrow::Cow::Borrowed(_)) => {}
        Err(error) => return Err(DecodeError::new(ErrorCode::BadText, format!("{field} {error}"))),
    }
    Ok(())
}

fn short(field: &str, value: Option<&mut String>) -> Result<(), DecodeError> {
    let Some(value) = value else { return Ok(()) };
    text::check_length(value, limits::SHORT_TEXT_CHARS_MAX, 0)
        .map_err(|error| DecodeError::new(ErrorCode::TooLong, format!("{field} {error}")))?;
    checked(field, Some(value))
}

/// The first message of a client: who it is, and what it has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The wire's version, 1.
    #[serde(default)]
    pub v: u32,
    /// The name it would like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<UserName>,
    /// Its own id, which owns its counters; else the server lends one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// Proves the user, as given in an earlier `welcome`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Proves the user where the server asks for tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Grows with each connection of this client id; a newer one fences the older socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// The rooms it was in, and how far it has seen each: joins them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resume: Vec<Resume>,
    /// The program and its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// How far a client has seen a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// The room.
    pub room: RoomName,
    /// The log's life it knows.
    pub epoch: Epoch,
    /// The last place it has.
    pub seq: Seq,
    /// The message there; none at place 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The last ids it has, oldest first, `id` the last of them: finds the common point where histories part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<MessageId>,
}

/// A message as its author sends it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The text.
    #[serde(default)]
    pub content: String,
    /// The room; else the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomName>,
    /// This client's counter in the room, from 1, without holes. Without it: no ack, no dedupe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// The client's newest acknowledged message below `n`: the evidence on which `n` is accepted where the
    /// record of it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acked: Option<Acked>,
    /// Uses up all numbers to `n` that the client cannot send any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub void: bool,
    /// What it is when not plain speech.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The message it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Seq>,
    /// Sealed content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enc: Option<String>,
}

/// An acknowledged message of the client's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acked {
    /// Its number.
    pub n: u64,
    /// The log's life it is in.
    pub epoch: Epoch,
    /// Its place there; 0 where the client was never told.
    pub seq: Seq,
}

/// What an entry of a log is, when not plain speech. A client that does not know a kind moves its cursor on
/// and shows `content`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `/me waves`.
    Action,
    /// The room's topic changed.
    Topic,
    /// Replaces the content of `ref`.
    Edit,
    /// Takes `ref` back.
    Delete,
    /// Said by the server.
    Notice,
    /// A kind of a newer version.
    #[serde(other)]
    Other,
}

/// What is done to a to-do list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words say it")]
pub enum TodoOp {
    Add,
    List,
    Done,
    Undo,
    Remove,
    Move,
}

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
        messages: Vec<RoomMessage>,
        more: bool,
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
    /// A user's name or state changed.
    UserChanged {
        #[serde(rename = "userId")]
        user_id: UserId,
        username: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        was: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        away: Option<String>,
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
        with: User,
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
    /// How far the user has read.
    pub read: Seq,
    /// How many are unread.
    pub unread: u64,
    /// The other user of a direct room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<User>,
}

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
    /// The entry it replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Seq>,
    /// Sealed content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enc: Option<String>,
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
