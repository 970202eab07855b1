//! The protocol from outside: what docs/protocol.md promises to whoever writes another client.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod docs;
