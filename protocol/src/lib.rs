//! What travels between `chat-tui` and `chat-server`: the protocol on one page.
//!
//! One JSON object per line on TCP or per WebSocket text message; `type` tells them apart, unknown fields
//! are ignored. A client says [`ClientMessage`]s, a server [`ServerMessage`]s; docs/protocol.md describes
//! them for somebody who writes another client, and a test parses each of its examples.
//!
//! - `id`: names and numbers that cannot hold a bad value.
//! - `message`: everything either side can say.
//! - `codec`: bytes to frames to messages and back.
//! - `payload`: one encoded message, shared by all its recipients.
//! - `limits`, `text`, `error`: what is allowed, and what is said when it is not.
//!
//! This crate knows no runtime and no socket: whoever has bytes can use it.

mod codec;
mod error;
mod id;
pub mod limits;
mod message;
mod payload;
pub mod text;

pub use codec::{LineCodec, decode_request, decode_server, encode_line};
pub use error::{CloseReason, DecodeError, ErrorCode, FrameTooLong};
pub use id::{ClientId, Epoch, IdError, MessageId, NodeId, Re, RoomName, Seq, UserId, UserName};
pub use limits::Limits;
pub use message::{
    Ack, Acked, ClientMessage, Connection, ErrorMessage, Hello, Kind, MessageBody, Moved, NodeInfo, Outgoing,
    Person, Presence, Quote, Request, Reset, Resume, Resumed, RoomInfo, RoomMessage, RoomUsers, SearchFrom,
    ServerMessage, TodoItem, TodoOp, User, Welcome, WelcomeRoom,
};
pub use payload::{Payload, encode_body};
