//! The client: a terminal chat on a cluster of servers.

pub mod cli;
pub mod effect;
pub mod net;
pub mod state;
