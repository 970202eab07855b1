//! Owns how far the client has seen one room's log: what is next, what is a repeat, what is missing. Pure;
//! every figure that the status line shows is counted here.

use std::collections::{HashMap, VecDeque};

use chat_protocol::{Epoch, MessageId, Reset, Resume, Resumed, RoomName, Seq, limits};

use super::event::{Origin, Totals};

/// Ids remembered to drop repeats: more than a room's scrollback shows.
const IDS_KEPT: usize = 12_000;

/// How far one room was seen.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    epoch: Option<Epoch>,
    seq: Seq,
    id: Option<MessageId>,
    /// The newest entries of this epoch, contiguous up to `seq`, oldest first.
    recent: VecDeque<MessageId>,
    /// Everything shown lately, whatever its epoch, and where it stood.
    known: HashMap<MessageId, (Epoch, Seq)>,
    order: VecDeque<MessageId>,
    replay: Option<Replay>,
    pub(super) totals: Totals,
}

/// A resume entry was sent and is not answered yet.
#[derive(Debug)]
struct Replay {
    /// Where the cursor stood.
    from: Seq,
    /// Where the log's stood when the room was entered; 0 until then.
    head: Seq,
    /// Places the server passed over at the beginning: to be had by history, or lost.
    passed: u64,
    recovered: u64,
}

/// What an entry is to this client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The next one.
    New(Origin),
    /// It was shown before.
    Repeat,
}

impl Cursor {
    pub(super) fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// The room was entered at its head: what is older is history, or follows in a replay.
    pub(super) fn enter(&mut self, epoch: Epoch, seq: Seq, id: Option<MessageId>) {
        match &mut self.replay {
            Some(replay) => replay.head = seq,
            None if self.epoch.is_none() => self.set(epoch, seq, id),
            None => {}
        }
    }

    /// The room was left: what is said until it is entered again is history, not missed; and so is what was shown
    /// before, which went with the room.
    pub(super) fn leave(&mut self) {
        *self = Self { totals: self.totals, ..Self::default() };
    }

    fn set(&mut self, epoch: Epoch, seq: Seq, id: Option<MessageId>) {
        self.recent.clear();
        // What stands there is proof of what came before, until more has followed: without it who has just come in
        // would be taken for one who has seen the history that won.
        self.recent.extend(id.clone());
        (self.epoch, self.seq, self.id) = (Some(epoch), seq, id);
    }

    /// What to ask for on another connection.
    pub(super) fn resume(&self, room: &RoomName) -> Option<Resume> {
        let epoch = self.epoch?;
        let skip = self.recent.len().saturating_sub(limits::RESUME_TAIL_IDS_MAX);
        let tail = self.recent.iter().skip(skip).cloned().collect();
        Some(Resume { room: room.clone(), epoch, seq: self.seq, id: self.id.clone(), tail })
    }

    /// What [`Cursor::resume`] gave was asked for: the answer is a replay.
    pub(super) fn begin_replay(&mut self) {
        if self.epoch.is_some() {
            self.replay = Some(Replay { from: self.seq, head: Seq::START, passed: 0, recovered: 0 });
        }
    }

    pub(super) fn is_replaying(&self) -> bool {
        self.replay.is_some()
    }

    /// The resume entry was refused: nothing follows.
    pub(super) fn give_up(&mut self) {
        self.replay = None;
    }

    /// The link is gone in the middle of a replay: what it counted stands, the rest is asked for again. What
    /// was passed over is not: it is lost, unless it is what a replay of only the newest leaves to history.
    pub(super) fn interrupted(&mut self) {
        let Some(replay) = self.replay.take() else { return };
        let covered = replay.head.0.saturating_sub(replay.from.0 + replay.passed);
        if covered < limits::REPLAY_ENTRIES_MAX {
            self.totals.lost = self.totals.lost.saturating_add(replay.passed);
        }
    }

    /// Takes the entry at a place.
    pub(super) fn entry(&mut self, seq: Seq, id: &MessageId) -> Seen {
        let Some(epoch) = self.epoch else {
            // It was on its way when the room was left: should it be entered again, history has it.
            return Seen::Repeat;
        };
        if seq <= self.seq {
            self.totals.dup = self.totals.dup.saturating_add(1);
            return Seen::Repeat;
        }
        let missing = seq.0 - self.seq.next().0;
        match &mut self.replay {
            Some(replay)
                if missing > 0 && replay.recovered == 0 && replay.passed == 0 && self.seq == replay.from =>
            {
                // The replay begins higher: `resumed` says whether the rest is to be had.
                replay.passed = missing;
                self.recent.clear();
            }
            _ if missing > 0 => {
                self.totals.lost = self.totals.lost.saturating_add(missing);
                self.recent.clear();
            }
            _ => {}
        }
        (self.seq, self.id) = (seq, Some(id.clone()));
        self.recent.push_back(id.clone());
        if self.recent.len() > IDS_KEPT {
            self.recent.pop_front();
        }
        let is_new = self.know(epoch, seq, id);
        let origin = match &mut self.replay {
            Some(replay) if is_new => {
                replay.recovered += 1;
                self.totals.recovered = self.totals.recovered.saturating_add(1);
                Origin::Replayed
            }
            _ => Origin::Live,
        };
        if !is_new {
            self.totals.dup = self.totals.dup.saturating_add(1);
            return Seen::Repeat;
        }
        Seen::New(origin)
    }

    /// Remembers an id; false where it was known.
    pub(super) fn know(&mut self, epoch: Epoch, seq: Seq, id: &MessageId) -> bool {
        if self.known.contains_key(id) {
            return false;
        }
        self.known.insert(id.clone(), (epoch, seq));
        self.order.push_back(id.clone());
        if self.order.len() > IDS_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    /// True where another message is known to stand at a place.
    pub(super) fn contradicts(&self, epoch: Epoch, seq: Seq, id: &MessageId) -> bool {
        let from_end = usize::try_from(self.seq.0.saturating_sub(seq.0)).unwrap_or(usize::MAX);
        let index = self.recent.len().checked_sub(from_end.saturating_add(1));
        let here = index.filter(|_| self.epoch == Some(epoch) && seq <= self.seq);
        here.is_some_and(|index| self.recent[index] != *id)
    }

    /// A page of history, oldest first: what of it lies right below what is remembered proves the place too. Who has
    /// just come in has otherwise only one message to prove it by, and that may land there again behind other ones.
    pub(super) fn older<'a>(
        &mut self,
        epoch: Epoch,
        page: impl DoubleEndedIterator<Item = (Seq, &'a MessageId)>,
    ) {
        if self.epoch != Some(epoch) {
            return;
        }
        for (seq, id) in page.rev() {
            let below = self.seq.0.saturating_sub(self.recent.len() as u64);
            if seq.0 == below && self.recent.len() < limits::RESUME_TAIL_IDS_MAX {
                self.recent.push_front(id.clone());
            }
        }
        self.id = self.recent.back().cloned().or(self.id.take());
    }

    /// The replay is complete. Places that neither came nor are to be had by history are lost.
    /// How many were passed over that are to be had.
    pub(super) fn resumed(&mut self, resumed: &Resumed) -> u64 {
        let Some(replay) = self.replay.take() else { return 0 };
        let to_be_had = if resumed.more { resumed.from.0.saturating_sub(replay.from.0) } else { 0 };
        self.totals.lost = self.totals.lost.saturating_add(replay.passed.saturating_sub(to_be_had));
        if self.epoch == Some(resumed.epoch) && self.seq < resumed.to {
            self.totals.lost = self.totals.lost.saturating_add(resumed.to.0 - self.seq.0);
            self.set(resumed.epoch, resumed.to, None);
        }
        to_be_had
    }

    /// History is gone: the range counts as lost, the cursor goes where the server says.
    pub(super) fn reset(&mut self, reset: &Reset) {
        // In a log that only lost its beginning the replay goes on with what is left.
        let goes_on = self.epoch == Some(reset.epoch) && reset.seq >= self.seq;
        self.replay.take_if(|_| !goes_on);
        if let Some(replay) = &mut self.replay {
            (replay.from, replay.passed) = (reset.seq, 0);
        }
        if let Some(to) = reset.lost_to {
            self.totals.lost = self.totals.lost.saturating_add(to.next().0.saturating_sub(reset.lost_from.0));
        }
        self.set(reset.epoch, reset.seq, reset.id.clone());
    }

    /// The entries above a place did not survive: they are forgotten, what follows is not a repeat.
    pub(super) fn rewind(&mut self, epoch: Epoch, to: Seq) {
        self.known.retain(|_, (at, seq)| *at != epoch || *seq <= to);
        self.order.retain(|id| self.known.contains_key(id));
        let above = usize::try_from(self.seq.0.saturating_sub(to.0)).unwrap_or(usize::MAX);
        let mut recent = std::mem::take(&mut self.recent);
        recent.truncate(recent.len().saturating_sub(above));
        self.set(epoch, to.min(self.seq), recent.back().cloned());
        self.recent = recent;
        if let Some(replay) = &mut self.replay {
            replay.from = replay.from.min(self.seq);
        }
    }
}

#[cfg(test)]
mod tests;
