//! Owns the scenarios: for each row of the failure matrix what is broken, how often and for how long, and what clients
//! may notice of it. How each is played stands in `nemesis`.

use clap::ValueEnum;

use crate::cluster::StoreKind;

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// SIGKILL a node every few seconds
    Kill,
    /// SIGTERM every node in turn, as a rolling restart does
    Rolling,
    /// SIGSTOP a node for longer than clients wait, then let it go on
    Hang,
    /// A node's host is gone without a word: no byte goes either way
    HostGone,
    /// A node and Redis are parted, silently
    Parted,
    /// A node and Redis are parted, connections reset
    Reset,
    /// Redis is killed and comes back with what it had
    RedisRestart,
    /// Redis is emptied while it runs
    Flush,
    /// Redis is killed and comes back empty
    RedisEmpty,
    /// The primary dies; its replica lacks what was acknowledged last
    Promote,
    /// All nodes and Redis die
    AllGone,
    /// Some clients read 1 KB a second
    SlowReader,
    /// A node's subscription goes silent without being closed
    DeafFeed,
    /// Redis has no memory left
    RedisFull,
    /// Redis answers nobody for 5 s
    RedisPause,
    /// All of that at random, two things at a time, slow readers aside; clients pause and start anew
    Chaos,
    /// One node of a cluster that is full of clients dies: who comes back, when, and what that costs
    Storm,
    /// SIGKILL a node every 2 s, while clients edit, delete, answer, write to one another alone and mark what they read
    Conversation,
}

/// What clients may notice without the promise being broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct May {
    /// What they showed may be taken back.
    pub rewind: bool,
    /// They may be told that history is gone.
    pub reset: bool,
    /// They may lose their connection.
    pub disconnect: bool,
}

impl Scenario {
    /// Each row of the failure matrix.
    pub const MATRIX: &[Self] = &[
        Self::Kill,
        Self::Rolling,
        Self::Hang,
        Self::HostGone,
        Self::Parted,
        Self::Reset,
        Self::RedisRestart,
        Self::Flush,
        Self::RedisEmpty,
        Self::Promote,
        Self::AllGone,
        Self::SlowReader,
        Self::DeafFeed,
        Self::RedisFull,
        Self::RedisPause,
    ];

    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// What it takes place on; in a chaos the seed says whether a restart of Redis loses its data.
    pub fn store(self, seed: u64) -> StoreKind {
        match self {
            Self::RedisRestart => StoreKind::Kept,
            Self::Chaos if seed.is_multiple_of(2) => StoreKind::PairKept,
            Self::Promote | Self::Chaos => StoreKind::Pair,
            _ => StoreKind::Alone,
        }
    }

    /// The ways between the front-end and the nodes have to be breakable.
    pub fn is_wired(self) -> bool {
        matches!(self, Self::HostGone | Self::Chaos)
    }

    /// Bytes of a message: what the measurements of others take, and enough to fill what lies between a node and a
    /// client that does not read.
    pub fn message_bytes(self) -> usize {
        if self == Self::SlowReader { 3_000 } else { 220 }
    }

    /// What clients may notice.
    pub fn may(self) -> May {
        let none = May { rewind: false, reset: false, disconnect: true };
        match self {
            Self::Rolling | Self::Flush | Self::SlowReader | Self::DeafFeed | Self::RedisPause => {
                May { disconnect: false, ..none }
            }
            Self::Promote => May { rewind: true, ..none },
            Self::AllGone => May { reset: true, ..none },
            // A node that knew something may die in the moment in which Redis forgets it.
            Self::Chaos => May { rewind: true, reset: true, ..none },
            _ => none,
        }
    }
}
