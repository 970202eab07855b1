//! Owns what this client has written in one room and the log may not have yet: numbered from 1 without
//! holes, sent in order, kept until it is certain. Pure: says what to send, sends nothing.

use std::collections::VecDeque;
use std::time::Duration;

use chat_protocol::{Ack, Acked, ClientMessage, Epoch, ErrorCode, ErrorMessage, RoomName, Seq};

use super::event::{Moment, OutId, Words};
use super::saved::{ACKED_KEPT, SavedAcked, SavedOut, SavedRoom};

mod item;

use item::{Held, Item, State, words};

/// When to send again what was refused for now, where the server names no time.
const RETRY: Duration = Duration::from_millis(500);
/// As short as a server may ask for it: one that says 0 is not to be asked all the time.
const RETRY_MIN: Duration = Duration::from_millis(50);

/// One room's outbox.
#[derive(Debug)]
pub(super) struct Outbox {
    next_n: u64,
    items: VecDeque<Item>,
    /// The newest acknowledged message whose place is known.
    acked: Option<Acked>,
    /// The server takes messages: the room is entered on this connection.
    open: bool,
    /// The next number to send on this connection.
    cursor: u64,
    not_before: Option<Moment>,
}

/// What became of a message, for its author.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Acked(OutId),
    Failed(OutId, String),
}

impl Default for Outbox {
    fn default() -> Self {
        Self { next_n: 1, items: VecDeque::new(), acked: None, open: false, cursor: 1, not_before: None }
    }
}

impl Outbox {
    /// What a former run left: its counter, evidence, unsent messages, and those it had only just sent.
    pub(super) fn restore(now: Moment, saved: SavedRoom, mut out: impl FnMut() -> OutId) -> Self {
        let SavedRoom { next_n, acked, unsent, acknowledged, .. } = saved;
        let unsent = unsent.into_iter().map(|saved| Item {
            n: saved.n,
            out: Some(out()),
            words: words(saved),
            state: State::Pending,
        });
        let acknowledged = acknowledged.into_iter().map(|SavedAcked { out, place, left_ms }| {
            let until = now + Duration::from_millis(left_ms).min(ACKED_KEPT);
            let state = State::Acked { until, place, held: Held::Still };
            Item { n: out.n, out: None, words: words(out), state }
        });
        let mut items: Vec<Item> = unsent.chain(acknowledged).collect();
        items.sort_by_key(|item| item.n);
        Self { next_n, items: items.into(), acked, ..Self::default() }
    }

    pub(super) fn next_n(&self) -> u64 {
        self.next_n
    }

    pub(super) fn acked(&self) -> Option<Acked> {
        self.acked
    }

    /// What is not known to be in the log, in order.
    pub(super) fn unsent(&self) -> Vec<SavedOut> {
        self.items.iter().filter(|item| item.is_unsent()).map(Item::save).collect()
    }

    /// What was acknowledged so lately that it is held still, in order.
    pub(super) fn held(&self, now: Moment) -> Vec<SavedAcked> {
        let held = self.items.iter().filter_map(|item| match item.state {
            State::Acked { until, place, held: Held::Still } if now < until => {
                let left_ms = (until - now).as_millis() as u64;
                Some(SavedAcked { out: item.save(), place, left_ms })
            }
            _ => None,
        });
        held.collect()
    }

    /// How many messages are not known to be in the log.
    pub(super) fn pending(&self) -> usize {
        self.items.iter().filter(|item| item.state == State::Pending).count()
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// The messages whose author waits.
    pub(super) fn waiting(&self) -> impl Iterator<Item = OutId> {
        self.items.iter().filter(|item| item.state == State::Pending).filter_map(|item| item.out)
    }

    /// Whose message a number is.
    pub(super) fn out(&self, n: u64) -> Option<OutId> {
        self.items.iter().find(|item| item.n == n).and_then(|item| item.out)
    }

    /// Takes a message; it has its number for good.
    pub(super) fn say(&mut self, out: OutId, words: Words) {
        let n = self.next_n;
        self.next_n += 1;
        self.items.push_back(Item { n, out: Some(out), words, state: State::Pending });
    }

    /// The link is gone.
    pub(super) fn close(&mut self) {
        self.open = false;
        self.not_before = None;
    }

    /// The room is entered, the log knows this client's numbers up to `last_n`: what is above is sent again,
    /// acknowledged or not. False: the log knows numbers this client never gave.
    pub(super) fn open(&mut self, now: Moment, last_n: u64, outcomes: &mut Vec<Outcome>) -> bool {
        if last_n >= self.next_n {
            return false;
        }
        self.open = true;
        for item in self.items.iter_mut().filter(|item| item.n <= last_n && item.state == State::Pending) {
            item.state = State::Acked { until: now + ACKED_KEPT, place: None, held: Held::Still };
            outcomes.extend(item.out.map(Outcome::Acked));
        }
        self.items.retain(|item| item.n > last_n || item.state != State::Void);
        self.doubt_from(last_n + 1);
        // Numbers that are not held any more are not used up yet: the log may only have lost sight of them.
        self.cursor = last_n + 1;
        true
    }

    /// The log knows nothing of an own message from a number on.
    fn doubt_from(&mut self, n: u64) {
        for item in &mut self.items {
            if let State::Acked { held, .. } = &mut item.state {
                *held = if item.n < n { Held::Still } else { Held::NoMore };
            }
        }
    }

    /// The log knows nothing from `n` on: the next thing to send is the first one from there.
    fn go_back(&mut self, n: u64) {
        self.doubt_from(n);
        self.cursor = n;
        self.fill(n);
    }

    /// The server waits for `n`: numbers from there on, below what is held, are voided.
    fn fill(&mut self, n: u64) {
        let first = self.items.iter().map(|item| item.n).find(|held| *held >= n).unwrap_or(self.next_n);
        if first > n {
            // What lay between was acknowledged too long ago to be held: the numbers are used up.
            let words = Words { content: String::new(), kind: None, of: None };
            let void = Item { n: first - 1, out: None, words, state: State::Void };
            let at = self.items.iter().position(|item| item.n >= first).unwrap_or(self.items.len());
            self.items.insert(at, void);
        }
    }

    /// When [`Outbox::send`] may have something again.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.not_before.filter(|_| self.open && self.cursor < self.next_n)
    }

    /// Everything that may be sent now, in order.
    pub(super) fn send(&mut self, now: Moment, room: &RoomName) -> Vec<(Option<OutId>, ClientMessage)> {
        if !self.open || self.not_before.is_some_and(|at| now < at) {
            return Vec::new();
        }
        self.not_before = None;
        self.forget(now);
        let mut sent = Vec::new();
        for item in self.items.iter().filter(|item| item.n >= self.cursor) {
            let message = item.message(room.clone(), self.evidence_below(item.n));
            sent.push((item.out.filter(|_| item.state == State::Pending), message));
        }
        self.cursor = self.next_n;
        sent
    }

    /// The newest acknowledged message below a number: the evidence on which the number is accepted where
    /// the log's record of this client is gone.
    fn evidence_below(&self, n: u64) -> Option<Acked> {
        let held = self.items.iter().rev().filter(|item| item.n < n).find_map(|item| match item.state {
            State::Acked { place: Some((epoch, seq)), .. } => Some(Acked { n: item.n, epoch, seq }),
            _ => None,
        });
        held.or(self.acked.filter(|acked| acked.n < n))
    }

    fn forget(&mut self, now: Moment) {
        let old = |item: &Item| {
            // What the log holds no more is waited for until it does again.
            matches!(item.state, State::Acked { until, held: Held::Still, .. } if now >= until)
        };
        while self.items.front().is_some_and(|item| old(item) && item.n < self.cursor) {
            self.items.pop_front();
        }
    }

    /// The log has it.
    pub(super) fn acknowledged(&mut self, now: Moment, ack: &Ack) -> Option<Outcome> {
        let place = ack.seq.map(|seq| (ack.epoch, seq));
        self.items.retain(|item| item.n != ack.n || item.state != State::Void);
        let item = self.items.iter_mut().find(|item| item.n == ack.n)?;
        let (was_pending, until) = (item.state == State::Pending, item.until(now));
        item.state = State::Acked { until, place, held: Held::Still };
        let outcome = item.out.filter(|_| was_pending).map(Outcome::Acked);
        self.note_place(ack.n, place);
        outcome
    }

    fn note_place(&mut self, n: u64, place: Option<(Epoch, Seq)>) {
        if let Some((epoch, seq)) = place
            && self.acked.is_none_or(|acked| acked.n <= n || acked.epoch != epoch)
        {
            self.acked = Some(Acked { n, epoch, seq });
        }
    }

    /// It came back in the room's log: it is there, and where.
    pub(super) fn came(&mut self, now: Moment, n: u64, epoch: Epoch, seq: Seq) -> Option<Outcome> {
        let place = Some((epoch, seq));
        let item = self.items.iter_mut().find(|item| item.n == n)?;
        let (was_pending, until) = (item.state == State::Pending, item.until(now));
        item.state = State::Acked { until, place, held: Held::Still };
        let outcome = item.out.filter(|_| was_pending).map(Outcome::Acked);
        self.note_place(n, place);
        outcome
    }

    /// A message was refused. Final: its number is used up, and what follows is sent again. For now: it is
    /// sent again later. Out of order: the log misses an earlier one.
    pub(super) fn refused(&mut self, now: Moment, error: &ErrorMessage) -> Option<Outcome> {
        let n = error.n?;
        if let (ErrorCode::OutOfOrder, Some(expect)) = (error.code, error.expect_n) {
            self.go_back(expect);
            if expect >= n {
                // It asks for what it has just refused: not at the network's speed.
                self.not_before = Some(now + RETRY);
            }
            return None;
        }
        if error.code == ErrorCode::NReused {
            // The number is taken; only this message is not in the log.
            let at = self.items.iter().position(|item| item.n == n)?;
            let out = self.items.remove(at)?.out?;
            return Some(Outcome::Failed(out, error.message.clone()));
        }
        if error.code.is_mistake() {
            return self.refused_for_good(now, n, error);
        }
        self.cursor = self.cursor.min(n);
        self.fill(n);
        self.not_before = Some(now + error.retry_ms.map_or(RETRY, Duration::from_millis).max(RETRY_MIN));
        None
    }

    /// Its number is used up, acknowledged before or not: what a lost log had taken, another need not take, as it lacks what it
    /// was about. What follows is sent again.
    fn refused_for_good(&mut self, now: Moment, n: u64, error: &ErrorMessage) -> Option<Outcome> {
        self.cursor = self.cursor.min(n);
        let item = self.items.iter_mut().find(|item| item.n == n);
        let failed = item.and_then(|item| match std::mem::replace(&mut item.state, State::Void) {
            State::Pending | State::Acked { held: Held::NoMore, .. } => item.out,
            State::Acked { held: Held::Still, .. } => None,
            State::Void => {
                // Nothing can be said with it: not at the network's speed.
                self.not_before = Some(now + RETRY);
                None
            }
        });
        self.fill(n);
        failed.map(|out| Outcome::Failed(out, error.message.clone()))
    }

    /// The room cannot be entered: nothing of what waits will be sent; should it be entered later, the numbers
    /// are used up. The messages whose author waits.
    pub(super) fn give_up(&mut self) -> Vec<OutId> {
        let pending = self.items.iter_mut().filter(|item| item.state == State::Pending);
        pending
            .filter_map(|item| {
                item.state = State::Void;
                item.out
            })
            .collect()
    }

    /// The log's entries above a place did not survive: own ones among them are sent again.
    pub(super) fn rewound(&mut self, epoch: Epoch, to: Seq) {
        for item in &mut self.items {
            if let State::Acked { place, held, .. } = &mut item.state
                && place.take_if(|(at, seq)| *at == epoch && *seq > to).is_some()
            {
                *held = Held::NoMore;
                self.cursor = self.cursor.min(item.n);
            }
        }
        if self.acked.is_some_and(|acked| acked.epoch == epoch && acked.seq > to) {
            self.acked = self.evidence_before(epoch, to);
        }
    }

    fn evidence_before(&self, epoch: Epoch, to: Seq) -> Option<Acked> {
        self.items.iter().rev().find_map(|item| match item.state {
            State::Acked { place: Some((at, seq)), .. } if at == epoch && seq <= to => {
                Some(Acked { n: item.n, epoch, seq })
            }
            _ => None,
        })
    }

    /// This client goes on under another id: what is not in the log is numbered anew.
    pub(super) fn renumber(&mut self) {
        self.items.retain(Item::is_unsent);
        for (n, item) in (1..).zip(&mut self.items) {
            (item.n, item.state) = (n, State::Pending);
        }
        self.next_n = self.items.len() as u64 + 1;
        (self.acked, self.open, self.cursor, self.not_before) = (None, false, 1, None);
    }
}

#[cfg(test)]
mod tests;
