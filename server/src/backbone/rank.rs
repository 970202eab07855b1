//! Owns where a connection stands among those that carry one client id.

use std::cmp::Ordering;

/// What a connection is among those that carry one client id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rank {
    /// The newest: others are closed.
    Newest,
    /// A newer one was here first.
    Overtaken,
    /// The client is another user's, or two programs count alike under its id: this one needs another.
    Foreign,
}

impl Rank {
    /// The rank of a generation behind the newest one until now.
    pub(crate) fn of(generation: u64, before: u64) -> Self {
        match generation.cmp(&before) {
            // It does not count its connections.
            _ if generation == 0 => Self::Newest,
            Ordering::Greater => Self::Newest,
            Ordering::Equal => Self::Foreign,
            Ordering::Less => Self::Overtaken,
        }
    }
}
