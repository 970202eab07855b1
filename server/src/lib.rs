//! The server: a library that tests and the demo start in their own process, and the program `chat-server`.

pub mod balancer;
pub mod socket;
