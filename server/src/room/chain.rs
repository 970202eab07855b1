//! Owns the end of a log that this node holds: contiguous, bounded, and what stands above a hole.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chat_protocol::{Epoch, MessageId, Payload, RoomName, Seq, limits};

use crate::backbone::{Entry, Head, Place};

/// Entries kept in a ring.
const RING_ENTRIES_MAX: usize = 2_000;
/// Bytes of entries kept in a ring.
const RING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Entries kept above a hole.
const PENDING_MAX: usize = 4_096;

/// The end of a log.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) epoch: Epoch,
    /// The life before and the last place known of it.
    pub(super) before: Option<(Epoch, Seq)>,
    ring: VecDeque<Link>,
    seq: Seq,
    id: Option<MessageId>,
    /// Where it began to be held: what is below was never heard of, unless a page of the log showed it.
    pub(super) floor: Seq,
    /// Entries above a hole, which is being filled.
    pending: BTreeMap<Seq, Arc<Entry>>,
    bytes: usize,
}

/// An entry and what every member here is sent of it.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) entry: Arc<Entry>,
    pub(super) payload: Payload,
}

impl Link {
    pub(super) fn new(room: &RoomName, entry: Arc<Entry>) -> Self {
        let payload = Payload::message(room, entry.seq, &entry.id, &entry.body);
        Self { entry, payload }
    }
}

impl Chain {
    /// A chain without entries that ends at a place.
    pub(super) fn at(place: Place, before: Option<(Epoch, Seq)>) -> Self {
        let Place { epoch, seq, id } = place;
        let (ring, pending) = (VecDeque::new(), BTreeMap::new());
        Self { epoch, before, ring, seq, id, floor: seq, pending, bytes: 0 }
    }

    /// A chain that begins where a log does, so that all of it is read.
    pub(super) fn from_start(head: &Head) -> Self {
        let place = Place { epoch: head.place.epoch, seq: head.first.before(), id: None };
        Self::at(place, head.before)
    }

    pub(super) fn head(&self) -> Place {
        Place { epoch: self.epoch, seq: self.seq, id: self.id.clone() }
    }

    /// The highest place known for certain, above a hole or not.
    pub(super) fn top(&self) -> Place {
        match self.pending.last_key_value() {
            Some((seq, entry)) => Place { epoch: self.epoch, seq: *seq, id: Some(entry.id.clone()) },
            None => self.head(),
        }
    }

    pub(super) fn first(&self) -> Seq {
        self.ring.front().map_or(self.seq.next(), |link| link.entry.seq)
    }

    /// The place before the first entry held.
    pub(super) fn base(&self) -> Place {
        match self.ring.front() {
            Some(link) => {
                Place { epoch: self.epoch, seq: link.entry.seq.before(), id: link.entry.prev.clone() }
            }
            None => self.head(),
        }
    }

    /// The place from which the log is read to compare the newest entries held: as many as prove a client's place.
    pub(super) fn proof(&self) -> Place {
        let seq = Seq(self.seq.0.saturating_sub(limits::RESUME_TAIL_IDS_MAX as u64)).max(self.base().seq);
        Place { epoch: self.epoch, seq, id: self.id_at(seq).cloned() }
    }

    /// True where this node knows another message at an entry's place, or before it.
    pub(super) fn contradicts(&self, entry: &Entry) -> bool {
        if entry.seq == self.seq.next() {
            return self.id.is_some() && entry.prev != self.id;
        }
        entry.seq <= self.seq && self.id_at(entry.seq).is_some_and(|id| *id != entry.id)
    }

    pub(super) fn is_bare(&self) -> bool {
        self.ring.is_empty() && self.pending.is_empty()
    }

    /// True where the log could be put back from here: there are entries, or never were any.
    pub(super) fn can_restore(&self) -> bool {
        self.has_entries() || self.seq == Seq::START
    }

    /// A chain that never had an entry may be brought when everybody is asked, and not before: others may have had
    /// entries since.
    pub(super) fn has_entries(&self) -> bool {
        !self.ring.is_empty()
    }

    /// True where this node has entries in front of the first one that the log still has.
    pub(super) fn reaches_before(&self, head: &Head) -> bool {
        self.epoch == head.place.epoch && !self.is_bare() && self.first() < head.first
    }

    pub(super) fn has_hole(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The id at a place, where this node knows it.
    pub(super) fn id_at(&self, seq: Seq) -> Option<&MessageId> {
        if seq == self.seq {
            return self.id.as_ref();
        }
        if seq.next() == self.first() {
            return self.ring.front().and_then(|link| link.entry.prev.as_ref());
        }
        self.ring.get(self.index(seq)?).map(|link| &link.entry.id)
    }

    fn index(&self, seq: Seq) -> Option<usize> {
        usize::try_from(seq.0.checked_sub(self.first().0)?).ok()
    }

    /// The entries behind a place, if the chain reaches back that far.
    pub(super) fn behind(&self, seq: Seq) -> Option<impl Iterator<Item = &Link>> {
        Some(self.ring.range(self.index(seq.next())?.min(self.ring.len())..))
    }

    /// Drops what stands above a hole where the log says something else, and all above it; what was dropped, in order. It may
    /// fit what fills the hole all the same, when that was said anew.
    pub(super) fn make_way(&mut self, entries: &[Arc<Entry>]) -> Vec<Arc<Entry>> {
        let is_other =
            |entry: &&Arc<Entry>| self.pending.get(&entry.seq).is_some_and(|known| known.id != entry.id);
        let Some(from) = entries.iter().find(is_other).map(|entry| entry.seq) else { return Vec::new() };
        self.pending.split_off(&from).into_values().collect()
    }

    /// Takes an entry from the feed, a read, or the log's own OK. False where the log has to be asked: a
    /// hole, or another message than this node knows.
    pub(super) fn accept(&mut self, room: &RoomName, entry: Arc<Entry>) -> bool {
        if entry.seq <= self.seq {
            return self.id_at(entry.seq).is_none_or(|id| *id == entry.id);
        }
        if entry.seq > self.seq.next() {
            if self.pending.len() < PENDING_MAX {
                self.pending.insert(entry.seq, entry);
            }
            return false;
        }
        if !self.append(room, entry) {
            return false;
        }
        while let Some(next) = self.pending.remove(&self.seq.next()) {
            if !self.append(room, next) {
                self.pending.clear();
                return false;
            }
        }
        self.pending = self.pending.split_off(&self.seq.next());
        true
    }

    fn append(&mut self, room: &RoomName, entry: Arc<Entry>) -> bool {
        if self.id.is_some() && entry.prev != self.id {
            return false;
        }
        (self.seq, self.id) = (entry.seq, Some(entry.id.clone()));
        self.bytes += entry.body.len();
        self.ring.push_back(Link::new(room, entry));
        while self.ring.len() > RING_ENTRIES_MAX || (self.bytes > RING_BYTES_MAX && self.ring.len() > 1) {
            let dropped = self.ring.pop_front();
            self.bytes -= dropped.map_or(0, |link| link.entry.body.len());
        }
        true
    }

    /// Takes what lies right below the entries held from a page of the log, oldest first, as far as there is room.
    pub(super) fn prepend(&mut self, room: &RoomName, page: &[Arc<Entry>]) {
        for entry in page.iter().rev().filter(|entry| entry.seq <= self.seq) {
            let base = self.base();
            let is_full =
                self.ring.len() == RING_ENTRIES_MAX || self.bytes + entry.body.len() > RING_BYTES_MAX;
            if is_full || entry.seq < base.seq {
                break;
            }
            if entry.seq == base.seq && base.id.as_ref() == Some(&entry.id) {
                self.bytes += entry.body.len();
                self.ring.push_front(Link::new(room, entry.clone()));
            }
        }
    }

    /// The contiguous entries held.
    pub(super) fn run(&self) -> Vec<Arc<Entry>> {
        self.ring.iter().map(|link| link.entry.clone()).collect()
    }

    /// Drops what stands above a place; what was dropped, in order.
    pub(super) fn cut(&mut self, to: Seq) -> Vec<Arc<Entry>> {
        let base = self.base();
        let mut dropped: Vec<_> = std::mem::take(&mut self.pending).into_values().rev().collect();
        while self.ring.back().is_some_and(|link| link.entry.seq > to) {
            dropped.extend(self.ring.pop_back().map(|link| link.entry));
        }
        dropped.reverse();
        let place = self.ring.back().map(|link| (link.entry.seq, Some(link.entry.id.clone())));
        (self.seq, self.id) = place.unwrap_or((base.seq.min(to), base.id.filter(|_| base.seq <= to)));
        self.bytes = self.ring.iter().map(|link| link.entry.body.len()).sum();
        dropped
    }

    /// The last place at which a page of the log and this chain have the same entry.
    pub(super) fn common(&self, page: &[Arc<Entry>]) -> Option<Seq> {
        let same = |entry: &&Arc<Entry>| self.id_at(entry.seq) == Some(&entry.id);
        page.iter().take_while(same).last().map(|entry| entry.seq)
    }
}
