//! Owns a node's end of the feed in one process, and when it is cut off.

use std::collections::HashSet;
use std::time::Duration;

use chat_protocol::RoomName;

use crate::backbone::FeedEvent;
use crate::backbone::feed_sender::FeedSender;

/// A node's end of the feed.
pub(super) struct Feed {
    pub(super) connection: u64,
    pub(super) sender: FeedSender,
    pub(super) rooms: HashSet<RoomName>,
    /// Since when the node is cut off, as long as it is.
    pub(super) cut_off: Option<Duration>,
    /// Calls until it is; none: it is not going to be.
    pub(super) calls_left: Option<usize>,
}

impl Feed {
    /// Counts a call; false where the node is cut off.
    pub(super) fn lets_call(&mut self, now: Duration) -> bool {
        match self.calls_left {
            Some(0) => self.cut_off = self.cut_off.or(Some(now)),
            Some(left) => self.calls_left = Some(left - 1),
            None => {}
        }
        self.cut_off.is_none()
    }

    pub(super) fn send(&mut self, event: FeedEvent) {
        if self.cut_off.is_none() {
            self.sender.send(event);
        } else {
            self.sender.miss();
        }
    }
}
