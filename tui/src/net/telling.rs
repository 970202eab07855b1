//! Owns the events on their way to the front-end, and what happens when it does not keep up: nothing is
//! lost, the network stops reading. Only at the end, when nobody may look any more, a full queue drops.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::net::event::NetEvent;

pub(super) struct Telling {
    events: mpsc::Sender<NetEvent>,
    /// What found the queue full. Bounded by what one input leads to, as no more inputs are taken while it
    /// is not empty; commands are, so that a front-end that waits to send one cannot wait for ever.
    waiting: VecDeque<NetEvent>,
    waits: bool,
}

impl Telling {
    pub(super) fn new(events: mpsc::Sender<NetEvent>) -> Self {
        Self { events, waiting: VecDeque::new(), waits: true }
    }

    /// True where more may be read from the network.
    pub(super) fn is_clear(&self) -> bool {
        self.waiting.is_empty()
    }

    /// True when the front-end is gone.
    pub(super) fn is_over(&self) -> bool {
        self.events.is_closed()
    }

    pub(super) fn push(&mut self, event: NetEvent) {
        if !self.waiting.is_empty() {
            self.waiting.push_back(event);
            return;
        }
        match self.events.try_send(event) {
            Err(TrySendError::Full(event)) if self.waits => self.waiting.push_back(event),
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Closed(_)) => {}
        }
    }

    /// Hands over the next waiting event as soon as there is room. Cancel-safe: it leaves the queue only
    /// once it has a place.
    pub(super) async fn flush(&mut self) {
        match self.events.reserve().await {
            Ok(permit) => {
                if let Some(event) = self.waiting.pop_front() {
                    permit.send(event);
                }
            }
            Err(_) => self.waiting.clear(),
        }
    }

    /// From here on a full queue drops: the end must not wait for a front-end that looks no more.
    pub(super) fn no_longer_wait(&mut self) {
        self.waits = false;
        for event in std::mem::take(&mut self.waiting) {
            self.push(event);
        }
    }
}
