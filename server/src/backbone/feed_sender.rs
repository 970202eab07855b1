//! Owns the one way into a node's feed: bounded, never waiting. What finds no place is dropped, and the node is
//! told of the loss before it is told anything else.

use tokio::sync::mpsc;

use super::FeedEvent;

/// Events a node may lag behind before some are dropped and it is told to compare all heads.
pub(super) const FEED_EVENTS_MAX: usize = 16_384;

/// Sends to a node's feed.
pub(super) struct FeedSender {
    sender: mpsc::Sender<FeedEvent>,
    /// Events were dropped; told as soon as there is room.
    stale: bool,
}

impl FeedSender {
    /// A feed that holds so many events.
    pub(super) fn new(events: usize) -> (Self, mpsc::Receiver<FeedEvent>) {
        let (sender, feed) = mpsc::channel(events);
        (Self { sender, stale: false }, feed)
    }

    pub(super) fn send(&mut self, event: FeedEvent) {
        self.tell_stale();
        // What comes behind a loss that is not told yet is lost too: else it would hide it.
        self.stale = self.stale || self.sender.try_send(event).is_err();
    }

    /// Sends what need not arrive: it takes no place that other events may need, and its loss is none.
    pub(super) fn whisper(&mut self, event: FeedEvent) {
        if !self.stale && self.sender.capacity() > self.sender.max_capacity() / 2 {
            // A feed that nobody reads any more is told nothing.
            drop(self.sender.try_send(event));
        }
    }

    /// Events were lost.
    pub(super) fn stale(&mut self) {
        self.stale = true;
        self.tell_stale();
    }

    /// Events will be lost from now on; told with the next one.
    pub(super) fn miss(&mut self) {
        self.stale = true;
    }

    /// Tells of a loss, should there have been one.
    pub(super) fn tell_stale(&mut self) {
        if self.stale {
            self.stale = self.sender.try_send(FeedEvent::Stale).is_err();
        }
    }
}
