//! Owns every maximum of the wire, once. A server's configuration may lower or raise those that
//! [`Limits`] carries; the others are part of the protocol.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The wire's version, sent as `v` in `hello` and `connection`.
pub const PROTOCOL_VERSION: u32 = 1;

/// Highest number of a message, a connection or a place in a log: 2^53 - 1, the last whole number that every
/// reader of JSON holds exactly (RFC 8259, section 6), Lua in Redis among them.
pub const NUMBER_MAX: u64 = (1 << 53) - 1;

/// Longest content of a message, in characters (Unicode scalar values).
pub const CONTENT_CHARS_MAX: usize = 4_000;
/// Longest content of a message, in bytes of UTF-8.
pub const CONTENT_BYTES_MAX: usize = 16 * 1024;
/// Longest sealed content (`enc`), in bytes; sealed content has no limit in characters.
pub const SEALED_BYTES_MAX: usize = 24 * 1024;
/// Longest frame a client may send (a line without its end, or a WebSocket message), in bytes.
pub const CLIENT_FRAME_BYTES_MAX: usize = 64 * 1024;
/// Longest frame a server sends, in bytes; longer answers are cut and say `more`.
pub const SERVER_FRAME_BYTES_MAX: usize = 256 * 1024;

/// Longest room name, in characters.
pub const ROOM_NAME_CHARS_MAX: usize = 64;
/// Longest user name, in graphemes (what a reader counts as letters).
pub const USER_NAME_GRAPHEMES_MAX: usize = 32;
/// Longest user name, in bytes: a grapheme can hold any number of combining marks.
pub const USER_NAME_BYTES_MAX: usize = 256;
/// Longest client, user or node id, in characters.
pub const ID_CHARS_MAX: usize = 64;
/// Longest `re`, in characters.
pub const RE_CHARS_MAX: usize = 32;
/// Longest short text: topic, away text, reason, search query, a to-do; in characters.
pub const SHORT_TEXT_CHARS_MAX: usize = 400;

/// Longest beginning of a message that a reply repeats, in characters.
pub const QUOTE_CHARS_MAX: usize = 120;
/// Most words and conditions in one search.
pub const SEARCH_TERMS_MAX: usize = 16;
/// Most entries looked at for one `search` answer.
pub const SEARCH_ENTRIES_MAX: usize = 2_000;
/// Most messages in one `search` answer.
pub const SEARCH_FOUND_MAX: usize = 50;

/// Most rooms one connection may have joined at once.
pub const ROOMS_PER_CONNECTION_MAX: usize = 64;
/// Most message ids in the `tail` of a resume entry.
pub const RESUME_TAIL_IDS_MAX: usize = 32;
/// Most missing entries replayed by a resume: what a room's log keeps at least. Fewer would lose what came in a burst:
/// where Redis and all nodes die, authors bring two minutes of a room again at once.
pub const REPLAY_ENTRIES_MAX: u64 = 10_000;
/// Most entries in one `history` answer.
pub const HISTORY_ENTRIES_MAX: usize = 200;
/// Entries in one `history` answer when the request names no limit.
pub const HISTORY_ENTRIES_DEFAULT: usize = 50;
/// Most users listed in one `room_users` or `who`; the count is always exact.
pub const USERS_LISTED_MAX: usize = 500;
/// The least time between two words that one user is typing in one room; more are dropped without a word.
pub const TYPING_EVERY: Duration = Duration::from_secs(3);
/// Mistakes within ten seconds after which a connection is closed.
pub const MISTAKES_MAX: u32 = 30;

/// The limits a server tells its clients in `connection`, so that they can refuse early and kindly.
/// In each, 0 means off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Longest content, in characters.
    pub content_chars: usize,
    /// Longest content, in bytes.
    pub content_bytes: usize,
    /// Longest frame from a client, in bytes.
    pub frame_bytes: usize,
    /// Most rooms a connection may join.
    pub rooms: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            content_chars: CONTENT_CHARS_MAX,
            content_bytes: CONTENT_BYTES_MAX,
            frame_bytes: CLIENT_FRAME_BYTES_MAX,
            rooms: ROOMS_PER_CONNECTION_MAX,
        }
    }
}
