//! Behaviour of the client through real sockets on port 0.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod cluster;
mod delivery;
mod driver;
mod fake;
mod plain;
mod program;
mod sim;
mod transport;
