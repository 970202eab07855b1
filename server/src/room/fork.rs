//! Owns what is done when the log's history is another than this node's: find where they part, rewind or
//! reset the members, follow the history that won, offer it what only this node still has.

use std::sync::Arc;

use chat_protocol::{Seq, limits};

use super::chain::Chain;
use super::{Call, Outlet, RoomCore};
use crate::backbone::{Entry, Head, Place};

impl RoomCore {
    /// Another history stands in the log: find where it parts from this node's.
    pub(super) fn scan(&mut self, out: &mut impl Outlet) {
        match &self.chain {
            Some(chain) if chain.base() != chain.head() => {
                out.call(Call::Read(chain.base()));
                self.sync.start_scan();
            }
            _ => self.part_below(Seq::START, out),
        }
    }

    /// The log begins above this node's chain: what both have is compared, and what only this node has in front is
    /// brought when the heads are.
    pub(super) fn scan_above(&mut self, first: Seq, out: &mut impl Outlet) {
        let Some(chain) = &self.chain else { return };
        if chain.id_at(first).is_none() {
            return self.part_below(first.before(), out);
        }
        out.call(Call::Read(Place { epoch: chain.epoch, seq: first.before(), id: None }));
        self.sync.start_scan();
        self.sync.compare_heads();
    }

    /// True where a page of the log has other messages than this node at their places.
    pub(super) fn is_contradicted(&self, page: &[Arc<Entry>]) -> bool {
        self.chain.as_ref().is_some_and(|chain| page.iter().any(|entry| chain.contradicts(entry)))
    }

    /// What this node has above a hole where the log says something else is of a history that lost: it is offered to the one
    /// that won.
    pub(super) fn make_way(&mut self, entries: &[Arc<Entry>]) {
        let Some(chain) = &mut self.chain else { return };
        let orphans = chain.make_way(entries);
        if !orphans.is_empty() {
            self.adopt_orphans(&orphans);
            self.sync.suspect();
        }
    }

    /// A page of the log, read to compare it, has other messages: the histories part in it, or below.
    pub(super) fn part_in(&mut self, page: &[Arc<Entry>], head: &Place, out: &mut impl Outlet) {
        match &self.chain {
            Some(chain) if chain.common(page).is_some() => self.part(page, head, out),
            _ => self.scan(out),
        }
    }

    /// A page of the history that won, from the chain's base or from the log's beginning on.
    pub(super) fn part(&mut self, page: &[Arc<Entry>], head: &Place, out: &mut impl Outlet) {
        let Some(chain) = &mut self.chain else { return };
        let base = chain.base();
        if let Some(first) =
            page.first().filter(|first| first.seq > base.seq.next() && chain.contradicts(first))
        {
            return self.part_below(first.seq.before(), out);
        }
        let common = chain.common(page).unwrap_or(base.seq).min(head.seq);
        let epoch = chain.epoch;
        let orphans = chain.cut(common);
        self.figures.rewinds += 1;
        self.rewind_members(epoch, common, out);
        self.adopt_orphans(&orphans);
        let Some(chain) = &mut self.chain else { return };
        for entry in page.iter().filter(|entry| entry.seq > common) {
            if !chain.accept(&self.room, entry.clone()) {
                break;
            }
        }
        self.sync.doubt();
    }

    /// The histories part below everything this node has: the log is followed from `to` on.
    pub(super) fn part_below(&mut self, to: Seq, out: &mut impl Outlet) {
        let Some(chain) = &mut self.chain else { return };
        let (epoch, before) = (chain.epoch, chain.before);
        let orphans = chain.cut(Seq::START);
        self.chain = Some(Chain::at(Place { epoch, seq: to, id: None }, before));
        self.figures.rewinds += 1;
        self.rewind_members(epoch, to, out);
        self.adopt_orphans(&orphans);
        self.sync.doubt();
    }

    /// Nobody alive has what stood above the log's head: history is shorter than it was.
    pub(super) fn shorten(&mut self, head: &Place, out: &mut impl Outlet) {
        let Some(chain) = &mut self.chain else { return };
        let lowest = self.sync.lowest(head);
        // A node that does not know what stood there cannot tell what was written anew before it looked: it goes back
        // as far as proves a place.
        let unknown = chain.id_at(lowest).is_none();
        let back = if unknown { limits::RESUME_TAIL_IDS_MAX as u64 } else { 0 };
        let to = Seq(lowest.0.saturating_sub(back));
        let before = chain.before;
        let orphans = chain.cut(to);
        if chain.head().seq != to {
            let id = head.id.clone().filter(|_| to == head.seq);
            self.chain = Some(Chain::at(Place { epoch: head.epoch, seq: to, id }, before));
        }
        self.figures.rewinds += 1;
        self.rewind_members(head.epoch, to, out);
        self.adopt_orphans(&orphans);
        self.sync.start_anew();
    }

    /// The log was lost and made anew while this node was away: go on there, and offer what is left of the old.
    pub(super) fn follow(&mut self, head: &Head, out: &mut impl Outlet) {
        let Some(mut old) = self.chain.replace(Chain::from_start(head)) else { return };
        self.reset_members(&old, out);
        self.figures.resets += 1;
        let orphans = old.cut(Seq::START);
        self.adopt_orphans(&orphans);
        self.sync.doubt();
    }
}
