//! Owns everything either side can say. Field names follow the systems this one replaces, so that their
//! clients work unchanged. docs/protocol.md changes in the commit that changes these files.

mod client;
mod numbers;
mod room;
mod server;

pub use client::{Acked, ClientMessage, Hello, Kind, Outgoing, Request, Resume, SearchFrom, TodoOp};
pub use room::{Ack, MessageBody, Moved, Presence, Quote, Reset, Resumed, RoomMessage, RoomUsers, User};
pub use server::{
    Connection, ErrorMessage, NodeInfo, Person, RoomInfo, ServerMessage, TodoItem, Welcome, WelcomeRoom,
};
