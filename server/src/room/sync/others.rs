//! Owns what nodes ask each other of a room: whether one has something of the log, and the round in which all look.

use chat_protocol::NodeId;

use super::{ASK_MAX, ROUND, Step};
use crate::backbone::{Asked, BackboneError, Head};
use crate::room::chain::Chain;
use crate::room::{Call, Moment, Outlet, RoomCore};

impl RoomCore {
    pub(super) fn answer_askers(&mut self, out: &mut impl Outlet) {
        for node in self.sync.askers.drain(..) {
            out.call(Call::Answer(node));
        }
    }

    /// A node asks: what this one has is brought first, then it is answered.
    pub(in crate::room) fn asked(&mut self, from: NodeId, out: &mut impl Outlet) {
        self.sync.askers.push(from);
        // The log may be shorter than this node thinks: seen now, while it is closed, or never, should the
        // same message come to stand at the same place again.
        self.sync.suspect();
        if !self.chain.as_ref().is_some_and(Chain::can_restore) {
            self.answer_askers(out);
        } else {
            self.sync.repair_due = true;
        }
    }

    pub(in crate::room) fn answered(&mut self, from: &NodeId) {
        if let Step::Waiting { nodes, .. } = &mut self.sync.step {
            nodes.remove(from);
        }
    }

    pub(in crate::room) fn asking(&mut self, now: Moment, answer: Result<Asked, BackboneError>) {
        if self.sync.step != Step::Asking {
            return;
        }
        match answer {
            Ok(Asked { round, nodes }) => {
                let nodes = nodes.into_iter().collect();
                self.sync.step = Step::Waiting { round, nodes, until: now + ASK_MAX };
            }
            Err(_) => self.sync.fail(),
        }
    }

    /// A recovery round is open: bring what the log lacks, or read what others brought.
    pub(in crate::room) fn round(&mut self, now: Moment, head: Option<&Head>) {
        self.settles_until = now + ROUND;
        let (Some(chain), Some(head)) = (&self.chain, head) else { return };
        let ours = chain.head();
        let has_more = ours.seq > head.place.seq && chain.epoch == head.place.epoch;
        if has_more || chain.reaches_before(head) {
            self.sync.repair_due = true;
        } else if ours != head.place {
            self.sync.doubt();
        }
    }
}
