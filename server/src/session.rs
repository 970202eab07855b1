//! Owns what one connection may do: who it is, which rooms it is in, what its requests mean. Takes decoded
//! frames, answers through the outbox. Knows no transport.
//!
//! - `identity`: hello, sessions, fencing; `own`: what a user says of itself, for all its clients.
//! - `rooms`: join, leave, messages. `changes`: edits, deletes, topics. `target`: what those and replies are about.
//! - `answers`: history, who, rooms, nodes.
//! - `search`: one at a time, beside everything else.
//! - `typing`: that the user is.
//! - `seed`: clients that never say hello, and people at a plain terminal.
//! - `rate_limit`: how fast, and how many mistakes.

use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{
    ClientId, ClientMessage, CloseReason, Connection, DecodeError, ErrorCode, ErrorMessage, Re, Request,
    RoomName, ServerMessage, User, UserId, decode_request, limits,
};
use tokio::time::Instant;

use crate::backbone::BackboneError;
use crate::hub::{Command, Connected, Hub, Joined, Profile, Style};
use crate::outbox::Outbox;
use crate::room::ConnId;
use crate::user::Marker;

mod answers;
mod changes;
mod identity;
mod own;
mod rate_limit;
mod rooms;
mod search;
mod seed;
mod target;
mod typing;

use changes::Change;

use rate_limit::{Mistakes, Rate};
pub(crate) use seed::as_text;

/// When to try again what the backbone could not do.
const UNAVAILABLE_RETRY: Duration = Duration::from_millis(500);

/// Joins and renames at once; on average as many a second as messages.
const DEEDS_BURST: u32 = 100;

/// One connection's session.
pub(crate) struct Session {
    hub: Arc<Hub>,
    connected: Connected,
    outbox: Arc<Outbox>,
    who: Who,
    rooms: Arc<Joined>,
    /// Where a message without a room goes, for clients without hello.
    current: Option<RoomName>,
    rate: Rate,
    /// Joins and renames, which cost the others more than a message does.
    deeds: Rate,
    mistakes: Mistakes,
    searches: search::Searches,
    typed: typing::Typed,
}

/// Who the connection is.
struct Who {
    style: Style,
    user: UserId,
    client: ClientId,
    generation: u64,
    /// Shared with the user's other connections here.
    profile: Arc<Profile>,
    /// It has said hello, or done something: other nodes know it.
    registered: bool,
    /// A session has proved that the user was here before.
    returning: bool,
    /// All it has done is to be silent: it may still say hello.
    silent: bool,
}

impl Session {
    /// A session for a connection that has said nothing yet: a guest.
    pub(crate) fn new(hub: Arc<Hub>, outbox: Arc<Outbox>, rooms: Arc<Joined>) -> Self {
        let limits = &hub.config.limits;
        let rate = Rate::new(limits.messages_per_second, limits.messages_burst);
        let connected = hub.connected();
        Self {
            who: Who::guest(),
            rooms,
            current: None,
            rate,
            deeds: Rate::new(limits.messages_per_second, DEEDS_BURST),
            mistakes: Mistakes::default(),
            searches: search::Searches::new(),
            typed: typing::Typed::default(),
            connected,
            outbox,
            hub,
        }
    }

    pub(crate) fn conn(&self) -> ConnId {
        self.connected.id
    }

    /// True once the client has said hello: it is pinged by messages, not by control frames.
    pub(crate) fn has_said_hello(&self) -> bool {
        self.who.style == Style::Hello
    }

    /// The server's first words.
    pub(crate) fn greet(&self) {
        self.outbox.say(&ServerMessage::Connection(Connection {
            v: limits::PROTOCOL_VERSION,
            status: "connected".to_owned(),
            client_id: self.who.client.clone(),
            hostname: crate::config::hostname(),
            node: self.hub.node().clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ping_ms: self.hub.config.timing.ping.as_millis() as u64,
            limits: self.hub.config.limits.wire,
        }));
    }

    /// Takes one frame.
    pub(crate) async fn frame(&mut self, frame: &[u8]) {
        match decode_request(frame) {
            Ok(request) => self.request(request).await,
            Err(error) if self.who.style == Style::Seed && is_plain_text(&error, frame) => {
                self.plain_text(frame).await;
            }
            Err(error) => self.undecodable(error).await,
        }
    }

    /// A message that cannot be read still has its number: the client has to know which one failed.
    async fn undecodable(&mut self, error: DecodeError) {
        let room = error.room.clone().filter(|room| self.rooms.contains(room));
        let error = ErrorMessage::from(error);
        match (error.n, room) {
            (Some(n), Some(room)) => self.refuse_number(&room, n, error).await,
            _ => self.refuse(error),
        }
    }

    async fn request(&mut self, request: Request) {
        let Request { re, message } = request;
        if std::mem::take(&mut self.who.silent) && matches!(message, ClientMessage::Hello(_)) {
            // A program after all, only slow: it starts as one.
            self.withdraw(false).await;
            (self.who, self.current) = (Who::guest(), None);
        }
        match message {
            ClientMessage::Hello(hello) => self.hello(hello, re).await,
            ClientMessage::Join { room } => self.join(room, re).await,
            ClientMessage::Leave { room } => self.leave(room, re).await,
            ClientMessage::Message(message) => self.message(message, re).await,
            ClientMessage::History { room, epoch, before, after, around, limit } => {
                self.history(answers::Wanted { room, epoch, before, after, around, limit }, re).await;
            }
            ClientMessage::Rename { name } => self.rename(&name, re).await,
            ClientMessage::Away { text } => self.away(text, re).await,
            ClientMessage::Read { room, epoch, seq } => self.read(room, Marker { epoch, seq }, re).await,
            ClientMessage::Direct { to } => self.direct(&to, re).await,
            ClientMessage::Ignore { user, off } => self.ignore(&user, off, re).await,
            ClientMessage::Rooms { limit, after } => self.directory(limit, after, re).await,
            ClientMessage::Who { room, limit, after } => self.list_users(room, (after, limit), re).await,
            ClientMessage::Search { query, room, before, from, limit } => {
                self.search(search::Asked { query, room, before, from, limit }, re).await;
            }
            ClientMessage::Nodes {} => self.list_nodes(re).await,
            ClientMessage::Ping { t } => self.outbox.say(&ServerMessage::Pong { t, re }),
            // Anything a client says proves that it lives; the connection has noted it.
            ClientMessage::Pong { .. } => {}
            ClientMessage::Edit { room, seq, id, content, n, acked } => {
                self.change(Change { room, seq, id, content: Some(content), n, acked }, re).await;
            }
            ClientMessage::Delete { room, seq, id, n, acked } => {
                self.change(Change { room, seq, id, content: None, n, acked }, re).await;
            }
            ClientMessage::Topic { room, text } => self.topic(room, &text, re).await,
            ClientMessage::Auth { .. } => self.unsupported(re),
            ClientMessage::Typing { room } => self.typing(room, re.as_ref()),
            ClientMessage::Invite { .. } | ClientMessage::Kick { .. } | ClientMessage::Ban { .. } => {
                self.unsupported(re);
            }
            ClientMessage::Mute { .. } | ClientMessage::Todo { .. } => self.unsupported(re),
        }
    }

    fn unsupported(&mut self, re: Option<Re>) {
        let reason = "this server does not offer that yet";
        self.refuse(ErrorMessage { re, ..ErrorMessage::new(ErrorCode::Unsupported, reason) });
    }

    /// Says what was wrong; too many mistakes end the connection.
    fn refuse(&mut self, error: ErrorMessage) {
        if error.code.is_mistake() && self.mistakes.add(Instant::now()) {
            self.outbox.close(CloseReason::Policy("too many mistakes"));
        }
        self.outbox.say(&ServerMessage::Error(error));
    }

    /// The backbone is out of reach: the client tries again.
    fn unavailable(&mut self, error: &BackboneError, re: Option<Re>) {
        self.unavailable_in(None, error, re);
    }

    /// The same, of what was asked about a room.
    fn unavailable_in(&mut self, room: Option<RoomName>, error: &BackboneError, re: Option<Re>) {
        self.hub.backbone_failed();
        let retry_ms = Some(UNAVAILABLE_RETRY.as_millis() as u64);
        let error = ErrorMessage::new(ErrorCode::Unavailable, error.to_string());
        self.refuse(ErrorMessage { room, retry_ms, re, ..error });
    }

    /// The connection is gone; `lost` where it was not the client's wish.
    pub(crate) async fn end(mut self, lost: bool) {
        self.withdraw(lost).await;
    }

    /// Leaves every room and gives the name back.
    async fn withdraw(&mut self, lost: bool) {
        let conn = self.conn();
        for room in self.rooms.take() {
            room.send(Command::Leave { conn, lost }).await;
        }
        if self.who.registered {
            self.hub.client_gone(&self.who.client, conn);
            if let Some(names) = self.hub.user_offline(&self.who.user, conn) {
                self.hub.give_back(&self.who.user, &names).await;
            }
        }
    }

    fn as_user(&self) -> User {
        self.who.profile.user(&self.who.user, self.hub.node())
    }
}

/// A line a person typed, rather than a client's mistake: it is not a JSON object.
fn is_plain_text(error: &DecodeError, frame: &[u8]) -> bool {
    error.code == ErrorCode::BadJson && !frame.trim_ascii_start().starts_with(b"{")
}

#[cfg(test)]
mod tests;
