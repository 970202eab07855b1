//! Owns what a client says, and the check of every text in it.

use serde::{Deserialize, Serialize};

use crate::error::{DecodeError, ErrorCode};
use crate::id::{ClientId, Epoch, MessageId, Re, RoomName, Seq, UserId, UserName};
use crate::limits;
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
    /// Change one's own message. It stands at `seq`; with `id` it is found also where a rewind has moved it.
    Edit {
        room: RoomName,
        seq: Seq,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<MessageId>,
        content: String,
        n: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        acked: Option<Acked>,
    },
    /// Take one's own message back.
    Delete {
        room: RoomName,
        seq: Seq,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<MessageId>,
        n: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        acked: Option<Acked>,
    },
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
        /// Where the page before has stopped, as its answer says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<SearchFrom>,
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
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<usize>,
        /// The last user of the page before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<UserId>,
    },
    /// The cluster's nodes.
    Nodes {},
    /// How far the user has read.
    Read { room: RoomName, epoch: Epoch, seq: Seq },
    /// The user is typing.
    Typing { room: RoomName },
    /// Hide what a user says from oneself, on all one's clients; `off` ends it.
    Ignore {
        user: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        off: bool,
    },
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
    pub const TYPES: [&'static str; 26] = [
        "hello", "auth", "join", "leave", "message", "edit", "delete", "history", "search", "direct",
        "rename", "away", "topic", "rooms", "who", "nodes", "read", "typing", "ignore", "invite", "kick",
        "ban", "mute", "todo", "ping", "pong",
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
            Self::Ignore { user, .. } => short("user", Some(user)),
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
    /// Only if the node can serve: one that drains or cannot reach the others refuses before it has changed
    /// anything, so that the client's other connection goes on as it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub if_ready: bool,
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
    /// Its identity: it is found also where a rewind has moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_id: Option<MessageId>,
    /// Sealed content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enc: Option<String>,
}

/// Where a search has stopped: rooms are searched in the order of their names, each from its newest message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchFrom {
    /// The room.
    pub room: RoomName,
    /// Everything from here on was looked at.
    pub before: Seq,
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
