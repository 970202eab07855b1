//! Behaviour of the server through real sockets on ports of the system's choice: one binary for all of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod balancer;
mod program;
