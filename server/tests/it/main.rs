//! Behaviour of the server through real sockets on ports of the system's choice: one binary for all of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod balancer;
mod changes;
mod cluster;
mod conversation;
mod crowd;
mod cut_off;
mod drain;
mod guests;
mod http;
mod limits;
mod metrics;
mod plain_text;
mod program;
mod proxied;
mod redis;
mod resume;
mod rooms;
mod search;
mod slow;
mod support;
mod typing;
mod users;
