//! The client: a terminal chat on a cluster of servers.

pub mod cli;
pub mod client;
pub mod effect;
pub mod net;
pub mod plain;
pub mod send;
pub mod state;
