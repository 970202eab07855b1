//! Owns what a member was told of the log beside its entries: whoever tells it again says the same, or what it was told
//! since.

use chat_protocol::ErrorMessage;

use super::Frame;
use crate::backbone::Place;

/// Where the log stood when a member came in, and how much of what it says the log has.
#[derive(Debug, Clone)]
pub struct Entered {
    /// The log's head when the member came in.
    pub head: Place,
    /// The member's newest number in the log, as far as it was told: a list that it gets later says it again.
    pub last_n: u64,
}

impl Entered {
    /// What a frame says of it. Where less is known for certain, less is said: a message that comes twice is taken once.
    pub fn learn(&mut self, frame: &Frame) {
        self.last_n = match frame {
            Frame::Ack(ack) => self.last_n.max(ack.n),
            Frame::Resumed(resumed) => resumed.last_n,
            Frame::Reset(reset) => reset.last_n,
            Frame::Error(ErrorMessage { expect_n: Some(expected), .. }) => expected.saturating_sub(1),
            Frame::Rewind(..) => 0,
            Frame::Entry(..) | Frame::Joined { .. } | Frame::Error(_) | Frame::Fenced => return,
        }
    }
}
