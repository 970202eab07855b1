//! Owns what is to be known of the link: its state, its figures, what a loss has cost. Plain data.

use std::time::Duration;

use chat_protocol::NodeId;

use super::event::Moment;

/// Which way the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Lines on TCP.
    Tcp,
    /// WebSocket messages.
    Ws,
}

impl std::fmt::Display for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Ws => "ws",
        })
    }
}

/// Everything the status line says, as of one moment. All figures are counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LinkStatus {
    /// Where the link is in its life.
    pub state: LinkState,
    /// The newest round trip.
    pub rtt: Option<Duration>,
    /// The 99th percentile of the last 100 round trips.
    pub rtt_p99: Option<Duration>,
    /// How often the link came back after it was lost.
    pub failovers: u32,
    /// How often it went over to another server without having been lost.
    pub moves: u32,
    /// What the last one cost; shown for ten seconds.
    pub recovery: Option<Recovery>,
    /// Counted since the program started.
    pub totals: Totals,
    /// Messages in the outbox that are not acknowledged.
    pub queued: usize,
    /// Since when the server says that it cannot reach the others; none while it can.
    pub cut_off: Option<Moment>,
}

/// Where the link is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LinkState {
    /// Not begun.
    #[default]
    Idle,
    /// On the way to a server.
    Dialling {
        /// Which try since the link was lost, from 1.
        attempt: u32,
        /// `10.0.0.7:12345 tcp`, or the host before it is resolved.
        target: String,
        /// How far it is.
        step: DialStep,
        /// When the link was lost; none at the first connection.
        down_since: Option<Moment>,
    },
    /// The server said welcome.
    Online {
        /// The node we are on.
        node: NodeId,
        /// Which way the bytes go.
        transport: Transport,
        /// Since when.
        since: Moment,
        /// When the server was last heard; silent for two seconds longer than it should be: suspect.
        heard: Moment,
        /// True once it has been silent for too long.
        suspect: bool,
    },
    /// Waiting for the next try.
    Down {
        /// When the link was lost, or the first try failed.
        since: Moment,
        /// Why.
        reason: String,
        /// Which try comes next, from 1.
        attempt: u32,
        /// When it comes.
        retry_at: Moment,
    },
}

/// How far a dial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialStep {
    /// Name to addresses.
    Resolving,
    /// TCP.
    Connecting,
    /// HTTP to WebSocket.
    Upgrading,
    /// Waiting for the server's welcome.
    Hello,
}

/// What a failover or a move cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// When it was complete.
    pub at: Moment,
    /// The node that was lost or left.
    pub from: NodeId,
    /// The node that took over.
    pub to: NodeId,
    /// From the loss to the last room's replay; of a move, from the moment in which the old server is not
    /// listened to any more.
    pub took: Duration,
    /// The link was not lost: the client has left a server that drains or cannot reach the others.
    pub planned: bool,
    /// Entries, lost places and repeats of this failover alone.
    pub counted: Totals,
}

/// Delivery, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Entries replayed after a loss of the link.
    pub recovered: u64,
    /// Places never filled, or inside a reset's range.
    pub lost: u64,
    /// Repeats dropped.
    pub dup: u64,
}
