//! Placeholder of the link's state machine: the types through which [`crate::net`] drives it. The real
//! one replaces this file.

use std::collections::VecDeque;

use bytes::Bytes;
use chat_protocol::{Request, RoomName, UserName};

use crate::net::endpoint::Endpoint;
use crate::net::event::{DialStep, Moment, NetCommand, NetEvent, Transport};
use crate::net::saved::SavedClient;

/// What the link starts with.
#[derive(Debug, Clone)]
pub struct LinkOptions {
    /// Where to dial, in order.
    pub endpoints: Vec<Endpoint>,
    /// The name to ask for.
    pub name: Option<UserName>,
    /// The rooms to enter.
    pub rooms: Vec<RoomName>,
    /// What the last run left.
    pub saved: SavedClient,
    /// Where its random numbers begin.
    pub seed: u64,
}

/// What happens to the link.
#[derive(Debug)]
#[expect(missing_docs, reason = "a placeholder")]
pub enum Input {
    Command(NetCommand),
    DialProgress(DialStep, String),
    Dialled { transport: Transport },
    DialFailed(String),
    Frame(Bytes),
    Closed(String),
    Tick,
}

/// What the link wants done.
#[derive(Debug)]
#[expect(missing_docs, reason = "a placeholder")]
pub enum Output {
    Dial(Endpoint),
    Hangup,
    Send(Request),
    Event(NetEvent),
}

/// The link's state machine.
pub struct Link {
    outputs: VecDeque<Output>,
    saved: SavedClient,
}

#[expect(missing_docs, clippy::needless_pass_by_value, reason = "a placeholder")]
impl Link {
    pub fn new(options: LinkOptions, _started: Moment) -> Self {
        let outputs = options.endpoints.into_iter().take(1).map(Output::Dial).collect();
        Self { outputs, saved: options.saved }
    }
    pub fn handle(&mut self, _now: Moment, _input: Input) {}
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
    pub fn deadline(&self) -> Option<Moment> {
        None
    }
    pub fn unsent(&self) -> usize {
        0
    }
    pub fn save(&self) -> SavedClient {
        self.saved.clone()
    }
}
