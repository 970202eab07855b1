//! Owns the short way from a frame to a message, for the types that come all the time: its type is read first, then its
//! fields straight into their places. The long way, through an enum that is told apart by a field of its own, stores
//! every value in between and costs a multiple.
//!
//! It decides nothing: what it does not understand in full (another type, a field nobody knows, any mistake) goes the
//! long way, so that answers and errors are those of the long way. It is therefore stricter than that one, never laxer: an
//! unknown field alone sends a frame there, because what it holds is checked there and not here.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use crate::id::{ClientId, Epoch, MessageId, NodeId, Re, RoomName, Seq, UserId, UserName};
use crate::message::{
    Ack, Acked, ClientMessage, Hello, Kind, MessageBody, Moved, Outgoing, Presence, Quote, Request, Resume,
    Resumed, RoomMessage, RoomUsers, ServerMessage, User,
};

/// A server's message, if it is one of those that come all the time, and nothing about it is out of the ordinary.
pub(super) fn server(text: &str) -> Option<ServerMessage> {
    Some(match kind(text)? {
        "message" => ServerMessage::Message(read::<MessageFrame>(text)?.into()),
        "ack" => ServerMessage::Ack(read::<AckFrame>(text)?.into()),
        "presence" => ServerMessage::Presence(read::<PresenceFrame>(text)?.into()),
        "room_users" => ServerMessage::RoomUsers(read::<RoomUsersFrame>(text)?.into()),
        "resumed" => ServerMessage::Resumed(read::<ResumedFrame>(text)?.into()),
        "ping" => {
            let PingFrame { t, spread_ms, .. } = read(text)?;
            ServerMessage::Ping { t, spread_ms }
        }
        _ => return None,
    })
}

/// A client's message, under the same conditions. Its numbers and texts are not checked yet.
pub(super) fn request(text: &str) -> Option<Request> {
    let (message, re) = match kind(text)? {
        "message" => read::<OutgoingFrame>(text)?.apart(),
        "pong" => {
            let PongFrame { t, re, .. } = read(text)?;
            (ClientMessage::Pong { t }, re)
        }
        "hello" => read::<HelloFrame>(text)?.apart(),
        _ => return None,
    };
    Some(Request { re, message })
}

/// The type, where it stands first: there every server of this protocol puts it, and most clients do.
fn kind(text: &str) -> Option<&str> {
    let text = text.trim_ascii_start().strip_prefix('{')?;
    let text = text.trim_ascii_start().strip_prefix("\"type\"")?;
    let text = text.trim_ascii_start().strip_prefix(':')?;
    let name = text.trim_ascii_start().strip_prefix('"')?;
    let end = name.find(|c: char| !(c.is_ascii_lowercase() || c == '_'))?;
    name[end..].starts_with('"').then_some(&name[..end])
}

fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// A list read by the strict twin of its entries.
fn each<'de, Twin, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    Twin: Deserialize<'de> + Into<T>,
    D: Deserializer<'de>,
{
    Ok(Vec::<Twin>::deserialize(deserializer)?.into_iter().map(Into::into).collect())
}

/// The same, of one that may be missing.
fn maybe<'de, Twin, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    Twin: Deserialize<'de> + Into<T>,
    D: Deserializer<'de>,
{
    Ok(Option::<Twin>::deserialize(deserializer)?.map(Into::into))
}

/// The strict twin of a type: the same fields, and no others. As a `frame` it has a type beside them.
macro_rules! twin {
    (frame $twin:ident of $name:ident { $($(#[$attribute:meta])* $field:ident: $kind:ty,)* }) => {
        twin! { $twin of $name { #[serde(rename = "type")] _kind: IgnoredAny } { $($(#[$attribute])* $field: $kind,)* } }
    };
    (part $twin:ident of $name:ident { $($(#[$attribute:meta])* $field:ident: $kind:ty,)* }) => {
        twin! { $twin of $name {} { $($(#[$attribute])* $field: $kind,)* } }
    };
    ($twin:ident of $name:ident { $($(#[$own:meta])* $extra:ident: $extra_kind:ty)? } { $($(#[$attribute:meta])* $field:ident: $kind:ty,)* }) => {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $twin {
            $($(#[$own])* $extra: $extra_kind,)?
            $($(#[$attribute])* $field: $kind,)*
        }

        impl From<$twin> for $name {
            fn from(twin: $twin) -> Self {
                Self { $($field: twin.$field,)* }
            }
        }
    };
}

twin! {
    part UserTwin of User {
        #[serde(rename = "userId")]
        user_id: UserId,
        username: String,
        node: NodeId,
        away: Option<String>,
    }
}

twin! {
    part QuoteTwin of Quote {
        id: MessageId,
        sender: String,
        #[serde(rename = "senderId")]
        sender_id: UserId,
        text: String,
    }
}

twin! {
    part ResumeTwin of Resume {
        room: RoomName,
        epoch: Epoch,
        seq: Seq,
        id: Option<MessageId>,
        #[serde(default)]
        tail: Vec<MessageId>,
    }
}

twin! {
    part AckedTwin of Acked {
        n: u64,
        epoch: Epoch,
        seq: Seq,
    }
}

twin! {
    frame AckFrame of Ack {
        room: RoomName,
        n: u64,
        seq: Option<Seq>,
        id: MessageId,
        epoch: Epoch,
        #[serde(default)]
        duplicate: bool,
        re: Option<Re>,
    }
}

twin! {
    frame PresenceFrame of Presence {
        room: RoomName,
        #[serde(default, deserialize_with = "each::<UserTwin, _, _>")]
        joined: Vec<User>,
        #[serde(default, deserialize_with = "each::<UserTwin, _, _>")]
        left: Vec<User>,
        #[serde(default, deserialize_with = "each::<MovedTwin, _, _>")]
        moved: Vec<Moved>,
        count: usize,
    }
}

twin! {
    frame RoomUsersFrame of RoomUsers {
        room: RoomName,
        #[serde(deserialize_with = "each::<UserTwin, _, _>")]
        users: Vec<User>,
        count: usize,
        #[serde(default)]
        more: bool,
        #[serde(default)]
        topic: String,
        epoch: Epoch,
        seq: Seq,
        id: Option<MessageId>,
        last_n: u64,
        re: Option<Re>,
    }
}

twin! {
    frame ResumedFrame of Resumed {
        room: RoomName,
        epoch: Epoch,
        from: Seq,
        to: Seq,
        recovered: u64,
        last_n: u64,
        #[serde(default)]
        more: bool,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PingFrame {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    t: u64,
    spread_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PongFrame {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    re: Option<Re>,
    t: u64,
}

/// [`Moved`], its user's fields beside its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MovedTwin {
    #[serde(rename = "userId")]
    user_id: UserId,
    username: String,
    node: NodeId,
    away: Option<String>,
    from: NodeId,
}

impl From<MovedTwin> for Moved {
    fn from(MovedTwin { user_id, username, node, away, from }: MovedTwin) -> Self {
        Self { user: User { user_id, username, node, away }, from }
    }
}

/// [`RoomMessage`], its body's fields beside its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageFrame {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    room: RoomName,
    seq: Seq,
    id: MessageId,
    sender: String,
    #[serde(rename = "senderId")]
    sender_id: UserId,
    content: String,
    timestamp: String,
    node: NodeId,
    kind: Option<Kind>,
    #[serde(rename = "ref")]
    reference: Option<Seq>,
    #[serde(rename = "refId")]
    reference_id: Option<MessageId>,
    reply: Option<Seq>,
    #[serde(default, deserialize_with = "maybe::<QuoteTwin, _, _>")]
    quote: Option<Quote>,
    enc: Option<String>,
}

impl From<MessageFrame> for RoomMessage {
    fn from(frame: MessageFrame) -> Self {
        let body = MessageBody {
            sender: frame.sender,
            sender_id: frame.sender_id,
            content: frame.content,
            timestamp: frame.timestamp,
            node: frame.node,
            kind: frame.kind,
            reference: frame.reference,
            reference_id: frame.reference_id,
            reply: frame.reply,
            quote: frame.quote,
            enc: frame.enc,
        };
        Self { room: frame.room, seq: frame.seq, id: frame.id, body }
    }
}

/// [`Outgoing`] with the mark of its request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutgoingFrame {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    re: Option<Re>,
    #[serde(default)]
    content: String,
    room: Option<RoomName>,
    n: Option<u64>,
    #[serde(default, deserialize_with = "maybe::<AckedTwin, _, _>")]
    acked: Option<Acked>,
    #[serde(default)]
    void: bool,
    kind: Option<Kind>,
    reply: Option<Seq>,
    #[serde(default)]
    reply_id: Option<MessageId>,
    enc: Option<String>,
}

impl OutgoingFrame {
    fn apart(self) -> (ClientMessage, Option<Re>) {
        let Self { re, content, room, n, acked, void, kind, reply, reply_id, enc, .. } = self;
        (ClientMessage::Message(Outgoing { content, room, n, acked, void, kind, reply, reply_id, enc }), re)
    }
}

/// [`Hello`] with the mark of its request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HelloFrame {
    #[serde(rename = "type")]
    _kind: IgnoredAny,
    re: Option<Re>,
    #[serde(default)]
    v: u32,
    name: Option<UserName>,
    client_id: Option<ClientId>,
    session: Option<String>,
    token: Option<String>,
    generation: Option<u64>,
    #[serde(default, deserialize_with = "each::<ResumeTwin, _, _>")]
    resume: Vec<Resume>,
    #[serde(default)]
    if_ready: bool,
    client: Option<String>,
}

impl HelloFrame {
    fn apart(self) -> (ClientMessage, Option<Re>) {
        let Self { re, v, name, client_id, session, token, generation, resume, if_ready, client, .. } = self;
        let hello = Hello { v, name, client_id, session, token, generation, resume, if_ready, client };
        (ClientMessage::Hello(hello), re)
    }
}

#[cfg(test)]
mod tests;
