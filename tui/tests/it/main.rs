//! Behaviour of the client through real sockets on port 0.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod behind;
mod changes;
mod cluster;
mod delivery;
#[cfg(feature = "demo")]
mod demo;
mod driver;
mod fake;
mod front;
#[cfg(feature = "demo")]
mod keys;
mod plain;
#[cfg(feature = "demo")]
mod processes;
mod program;
#[cfg(feature = "demo")]
mod pty;
mod redis;
mod rolling;
mod scripts;
#[cfg(feature = "demo")]
mod settings;
mod sim;
mod talk;
#[cfg(feature = "demo")]
mod terminal;
mod transport;
