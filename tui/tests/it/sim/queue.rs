//! What is to happen, by when. What moves while the queue is kept in order is a time and a slot, not the event, which is
//! large. Knows of no event what it means.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::world::Event;

/// In order of its fields; no two have the same `order`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Duration,
    order: u64,
    slot: usize,
}

/// Events, each with its time; those of one time come as they were put in.
#[derive(Default)]
pub(super) struct Queue {
    due: BinaryHeap<Reverse<Due>>,
    events: Vec<Option<Event>>,
    free: Vec<usize>,
    /// Events put in so far.
    pub(super) order: u64,
}

impl Queue {
    pub(super) fn push(&mut self, at: Duration, event: Event) {
        self.order += 1;
        let slot = self.free.pop().unwrap_or(self.events.len());
        match self.events.get_mut(slot) {
            Some(empty) => *empty = Some(event),
            None => self.events.push(Some(event)),
        }
        self.due.push(Reverse(Due { at, order: self.order, slot }));
    }

    /// When the next event comes.
    pub(super) fn next_at(&self) -> Option<Duration> {
        self.due.peek().map(|Reverse(due)| due.at)
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        let Reverse(Due { slot, .. }) = self.due.pop()?;
        self.free.push(slot);
        self.events[slot].take()
    }
}
