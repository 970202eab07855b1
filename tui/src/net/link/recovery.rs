//! Owns what losing the link cost: counted from the loss until the last room has answered its resume.

use chat_protocol::NodeId;

use super::{Link, Phase};
use crate::net::event::{Moment, Recovery, Totals};

/// The link was up and was lost; until its last room is recovered.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) from: NodeId,
    pub(super) at: Moment,
    pub(super) before: Totals,
    /// The node that took over, once there is one.
    pub(super) to: Option<NodeId>,
    /// The link was not lost: the client has moved.
    pub(super) planned: bool,
}

impl Link {
    pub(super) fn totals(&self) -> Totals {
        self.rooms.values().fold(Totals::default(), |sum, room| Totals {
            recovered: sum.recovered.saturating_add(room.cursor.totals.recovered),
            lost: sum.lost.saturating_add(room.cursor.totals.lost),
            dup: sum.dup.saturating_add(room.cursor.totals.dup),
        })
    }

    /// Once every room has answered its resume, the cost of the failover is known.
    pub(super) fn finish_recovery(&mut self, now: Moment) {
        let is_over = self.phase == Phase::Up && !self.rooms.values().any(|room| room.cursor.is_replaying());
        let Some(lost) = self.lost.take_if(|lost| is_over && lost.to.is_some()) else { return };
        let (totals, Some(to)) = (self.totals(), lost.to) else { return };
        if lost.planned {
            self.status.moves += 1;
        } else {
            self.status.failovers += 1;
        }
        self.status.recovery = Some(Recovery {
            at: now,
            from: lost.from,
            to,
            took: now.saturating_sub(lost.at),
            planned: lost.planned,
            counted: Totals {
                recovered: totals.recovered.saturating_sub(lost.before.recovered),
                lost: totals.lost.saturating_sub(lost.before.lost),
                dup: totals.dup.saturating_sub(lost.before.dup),
            },
        });
    }
}
