//! The server: a library that tests and the demo start in their own process, and the program `chat-server`.

pub mod backbone;
pub mod balancer;
pub mod cli;
pub mod config;
mod directory;
mod hub;
pub mod logging;
mod outbox;
mod presence;
pub mod room;
mod session;
pub mod shutdown;
pub mod socket;
