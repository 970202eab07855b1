//! Owns everything either side can say. Field names follow the systems this one replaces, so that their
//! clients work unchanged. docs/protocol.md changes in the commit that changes these files.

mod client;
mod numbers;
mod room;
mod server;

pub use client::{Acked, ClientMessage, Hello, Kind, Outgoing, Request, Resume, TodoOp};
pub use room::{Ack, MessageBody, Moved, Presence, Reset, Resumed, RoomMessage, RoomUsers, User};
pub use server::{
    Connection, ErrorMessage, NodeInfo, RoomInfo, ServerMessage, TodoItem, Welcome, WelcomeRoom,
};
