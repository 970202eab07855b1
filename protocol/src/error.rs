//! Owns what can go wrong on the wire: the codes both sides know, why a frame could not be decoded, why a
//! connection was closed.

use serde::{Deserialize, Serialize};

use crate::id::{Re, RoomName};

/// The `code` of an `error` message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not a JSON object of the wire, or a field of the wrong kind.
    BadJson,
    /// A `type` that this server does not know.
    UnknownType,
    /// A user name that cannot be had.
    BadName,
    /// A room name that cannot be.
    BadRoom,
    /// Text with a forbidden character. Final for its n.
    BadText,
    /// Text or frame over the limit. Final for its n.
    TooLong,
    /// Not allowed to this user. Final for its n.
    Forbidden,
    /// The room was not joined. Final for its n.
    NotInRoom,
    /// This n was taken by other content. Final for its n.
    NReused,
    /// There is no such message: beyond the log's end, no longer kept, taken back, or nothing that was said.
    /// Final for its n.
    NoMessage,
    /// There is nobody of that name or id.
    NoUser,
    /// The name is another user's.
    NameTaken,
    /// A search that means nothing.
    BadQuery,
    /// Too fast; to be sent again after `retry_ms`.
    RateLimited,
    /// The server cannot reach the others; to be sent again after `retry_ms`.
    Unavailable,
    /// Numbers are missing before this n; go on at `expect_n`. Said once per gap.
    OutOfOrder,
    /// Authentication failed or is missing.
    Unauthorized,
    /// The connection has joined as many rooms as it may.
    TooManyRooms,
    /// The server is going down; reconnect.
    ShuttingDown,
    /// A newer connection of the same client has taken over.
    Fenced,
    /// The request is part of the protocol, but this server does not offer it.
    Unsupported,
    /// A code of a newer server.
    #[serde(other)]
    Other,
}

impl ErrorCode {
    /// The code as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadJson => "bad_json",
            Self::UnknownType => "unknown_type",
            Self::BadName => "bad_name",
            Self::BadRoom => "bad_room",
            Self::BadText => "bad_text",
            Self::TooLong => "too_long",
            Self::Forbidden => "forbidden",
            Self::NotInRoom => "not_in_room",
            Self::NReused => "n_reused",
            Self::NoMessage => "no_message",
            Self::NoUser => "no_user",
            Self::NameTaken => "name_taken",
            Self::BadQuery => "bad_query",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
            Self::OutOfOrder => "out_of_order",
            Self::Unauthorized => "unauthorized",
            Self::TooManyRooms => "too_many_rooms",
            Self::ShuttingDown => "shutting_down",
            Self::Fenced => "fenced",
            Self::Unsupported => "unsupported",
            Self::Other => "other",
        }
    }

    /// True for what a well-behaved client does not do. It costs the message, which is shown as failed and its n used
    /// up with `void`; 30 of them in ten seconds close the connection.
    pub fn is_mistake(self) -> bool {
        !matches!(
            self,
            Self::RateLimited | Self::Unavailable | Self::OutOfOrder | Self::ShuttingDown | Self::Fenced
        )
    }

    /// Marks a reason with its code, for a way that carries only text (a serde error).
    pub(crate) fn tagged(self, reason: &str) -> String {
        format!("{}{TAG}{reason}", self.as_str())
    }

    /// Takes [`Self::tagged`] apart again.
    pub(crate) fn untag(text: &str) -> Option<(Self, &str)> {
        let (code, reason) = text.split_once(TAG)?;
        let code = [Self::BadName, Self::BadRoom, Self::BadText, Self::TooLong, Self::BadJson]
            .into_iter()
            .find(|known| known.as_str() == code)?;
        Some((code, reason))
    }
}

/// Separates a code from its reason inside a serde error; no reason holds it.
const TAG: &str = "\u{1f}";

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a frame could not be decoded, with what was readable of it, so that the answer can name it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct DecodeError {
    /// The wire's code for it.
    pub code: ErrorCode,
    /// What is wrong, for people.
    pub reason: String,
    /// The request's `re`, where it was readable.
    pub re: Option<Re>,
    /// The message's `n`, where it was readable: the client has to know which one failed.
    pub n: Option<u64>,
    /// The message's `room`, where it was readable.
    pub room: Option<RoomName>,
}

impl DecodeError {
    pub(crate) fn new(code: ErrorCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), re: None, n: None, room: None }
    }
}

/// A frame longer than its limit; nothing can be read behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("frame is longer than {limit} bytes")]
pub struct FrameTooLong {
    /// The limit, in bytes.
    pub limit: usize,
}

/// Why a server closed a connection. On WebSocket a close code and reason; on TCP an `error` line comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer closed it or is gone.
    Peer,
    /// A frame over the limit.
    TooBig,
    /// Too many mistakes, no pong, a slow handshake, a fenced client: the text says which.
    Policy(&'static str),
    /// A newer connection of the same client has taken over.
    Fenced,
    /// The server is draining.
    Drain,
    /// The server cannot serve now.
    TryAgainLater(&'static str),
}

impl CloseReason {
    /// The WebSocket close code (RFC 6455, section 7.4.1, and the IANA registry). Never 1000.
    pub fn code(&self) -> u16 {
        match self {
            Self::Peer | Self::Drain => 1001,
            Self::Policy(_) | Self::Fenced => 1008,
            Self::TooBig => 1009,
            Self::TryAgainLater(_) => 1013,
        }
    }

    /// The reason in words.
    pub fn text(&self) -> &'static str {
        match self {
            Self::Peer => "peer is gone",
            Self::TooBig => "frame is too long",
            Self::Drain => "server is going away",
            Self::Fenced => "a newer connection of this client has taken over",
            Self::Policy(text) | Self::TryAgainLater(text) => text,
        }
    }
}
