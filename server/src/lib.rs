//! The server.
pub mod backbone;
pub mod room;
