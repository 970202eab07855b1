//! The client: a terminal chat on a cluster of servers.

pub mod effect;
pub mod net;
