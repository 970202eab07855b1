//! Owns the names of everything this project keeps in Redis: keys, channels, and the hash tags that hold what
//! a script of a room touches in one slot. No other file spells one.

use chat_protocol::{ClientId, NodeId, RoomName, UserId};

/// What every key begins with.
pub(super) const PREFIX: &str = "chat:";
/// Says that a database is ours, and in which format.
pub(super) const FORMAT: &str = "chat:format";
/// Signs sessions.
pub(super) const SESSION_KEY: &str = "chat:session-key";
/// A channel that nobody listens to.
pub(super) const NOBODY: &str = "chat:nobody";
/// Leases and what nodes say of themselves.
pub(super) const NODES: [&str; 2] = ["chat:{nodes}:leases", "chat:{nodes}:info"];

/// The keys of a room's log, in the order in which the scripts take them.
pub(super) fn log(room: &RoomName) -> [String; 4] {
    ["meta", "log", "records", "records:older"].map(|part| format!("chat:{{{room}}}:{part}"))
}

/// The users of a room on one life of a node.
pub(super) fn here(room: &RoomName, life: &str) -> String {
    format!("chat:{{{room}}}:on:{life}")
}

/// What a room is about.
pub(super) fn topic(room: &RoomName) -> String {
    format!("chat:{{{room}}}:topic")
}

/// The rooms with users on one life of a node.
pub(super) fn rooms_of(life: &str) -> String {
    format!("chat:{{nodes}}:rooms:{life}")
}

/// A user's name, by its folded form.
pub(super) fn name(key: &str) -> String {
    format!("chat:name:{key}")
}

/// The rooms a user has joined.
pub(super) fn joined(user: &UserId) -> String {
    format!("chat:user:{{{user}}}:rooms")
}

/// Whose a client is.
pub(super) fn client(client: &ClientId) -> String {
    format!("chat:client:{{{client}}}")
}

/// The channels of one database: pub/sub knows no databases, so its number is part of their names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channels {
    database: i64,
}

impl Channels {
    pub(super) fn of(database: i64) -> Self {
        Self { database }
    }

    /// What happens in a room.
    pub(super) fn room(self, room: &RoomName) -> String {
        format!("chat:{{{room}}}:feed:{}", self.database)
    }

    /// What every node has to know.
    pub(super) fn all(self) -> String {
        format!("chat:{{nodes}}:feed:{}", self.database)
    }

    /// What one node is told.
    pub(super) fn node(self, node: &NodeId) -> String {
        format!("chat:{{nodes}}:feed:{}:{node}", self.database)
    }
}
