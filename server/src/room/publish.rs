//! Owns the way of a message into the log: queued, sent in batches of which one is in flight, answered.
//! A call whose outcome is unknown is sent again first, unchanged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{Ack, ClientId, Epoch, ErrorCode, ErrorMessage, MessageId, Re, RoomName, Seq};

use super::{Call, ConnId, Frame, Moment, Outlet, Publishing, RoomCore};
use crate::backbone::{BackboneError, Entry, Item, ItemAnswer, Published};

/// Items in one batch.
const BATCH_ITEMS_MAX: usize = 64;
/// Items that may wait in one room; further ones are refused with `unavailable`.
const QUEUE_ITEMS_MAX: usize = 2_048;
/// When a refused sender should try again.
const RETRY: Duration = Duration::from_millis(500);
/// The first pause after a call whose outcome is unknown; doubles to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(50);
/// The longest such pause.
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// How often an entry of a history that lost is offered to the one that won.
const ORPHAN_TRIES: u32 = 4;

/// What waits to be published, and what is on its way.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Queued>,
    in_flight: Option<Vec<Queued>>,
    not_before: Moment,
    backoff: Duration,
}

/// A message on its way into the log.
#[derive(Debug)]
struct Queued {
    item: Item,
    from: Sender,
    re: Option<Re>,
    /// The other nodes were asked for what was acknowledged before it.
    asked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// A client that numbers its messages and wants to know what became of them.
    Client(ConnId),
    /// A client that does not: this node numbers them.
    Unnumbered(ConnId),
    /// An entry of a history that lost: its author may be gone.
    Orphan { tries: u32 },
}

/// One item and the log's word on it.
struct Judged {
    queued: Queued,
    answer: ItemAnswer,
    epoch: Epoch,
}

impl Judged {
    fn ack(&self, seq: Option<Seq>, duplicate: bool, room: &RoomName) -> Ack {
        let (id, re) = (self.queued.item.id.clone(), self.queued.re.clone());
        Ack { room: room.clone(), n: id.n, seq, id, epoch: self.epoch, duplicate, re }
    }
}

/// The number a member has to send next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate {
    expect: u64,
    told: bool,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.in_flight.is_none()
    }

    /// Something of a member's waits for the log's word, whether it is here or not.
    pub(super) fn holds(&self, conn: ConnId) -> bool {
        let of_member = |queued: &Queued| queued.from == Sender::Client(conn);
        self.waiting.iter().chain(self.in_flight.iter().flatten()).any(of_member)
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        (!self.waiting.is_empty() && self.in_flight.is_none()).then_some(self.not_before)
    }

    /// What waits need not wait for the end of a pause.
    pub(super) fn retry_now(&mut self) {
        (self.backoff, self.not_before) = (Duration::ZERO, Moment::default());
    }

    fn put_back(&mut self, batch: Vec<Queued>) {
        for queued in batch.into_iter().rev() {
            self.waiting.push_front(queued);
        }
    }

    /// Later numbers of a member are worthless while an earlier one is missing.
    fn forget_above(&mut self, conn: ConnId, n: u64) {
        self.waiting.retain(|queued| queued.from != Sender::Client(conn) || queued.item.id.n <= n);
    }
}

impl RoomCore {
    /// Takes a message from a member, or refuses it.
    pub(super) fn submit(&mut self, publishing: Publishing, out: &mut impl Outlet) {
        let Publishing { conn, client, generation, n, acked, digest, body, refusal, re } = publishing;
        if body.is_none() {
            // It uses up the numbers below it too, also that which is waited for.
            self.members.entry(conn).and_modify(|member| member.gate = None);
        } else if self.is_gated(conn, n, out) {
            return;
        }
        let last_n = self.members.get(&conn).map_or(0, |member| member.last_n);
        let is_repeat = n.is_some_and(|n| n <= last_n);
        let full = (self.queue.waiting.len() >= QUEUE_ITEMS_MAX).then(|| {
            let retry_ms = Some(RETRY.as_millis() as u64);
            ErrorMessage {
                retry_ms,
                ..ErrorMessage::new(ErrorCode::Unavailable, "the room is busy: send it again")
            }
        });
        if let Some(error) = full.or(refusal.filter(|_| !is_repeat)) {
            self.refuse(conn, n, ErrorMessage { re, ..error }, out);
            return;
        }
        let (id, from) = match n {
            Some(n) => (MessageId::new(client, n), Sender::Client(conn)),
            None => (self.next_number(conn, None), Sender::Unnumbered(conn)),
        };
        self.queue.waiting.push_back(Queued {
            item: Item { id, generation, acked, digest, body },
            from,
            re,
            asked: false,
        });
    }

    /// A member that was told which number to go back to is not listened to above it.
    fn is_gated(&mut self, conn: ConnId, n: Option<u64>, out: &mut impl Outlet) -> bool {
        let Some(member) = self.members.get_mut(&conn) else { return false };
        let (Some(n), Some(gate)) = (n, &mut member.gate) else { return false };
        if n <= gate.expect {
            member.gate = None;
            return false;
        }
        if !std::mem::replace(&mut gate.told, true) {
            let expect = gate.expect;
            out.send(conn, Frame::Error(self.out_of_order(n, expect)));
        }
        true
    }

    fn out_of_order(&self, n: u64, expect: u64) -> ErrorMessage {
        ErrorMessage {
            n: Some(n),
            expect_n: Some(expect),
            room: Some(self.room.clone()),
            ..ErrorMessage::new(ErrorCode::OutOfOrder, format!("numbers are missing: go on at n {expect}"))
        }
    }

    fn refuse(&mut self, conn: ConnId, n: Option<u64>, error: ErrorMessage, out: &mut impl Outlet) {
        if let (Some(n), Some(member)) = (n, self.members.get_mut(&conn)) {
            member.gate = Some(Gate { expect: n, told: true });
        }
        out.send(conn, Frame::Error(ErrorMessage { n, room: Some(self.room.clone()), ..error }));
    }

    /// The next number of a member that does not count for itself; after `stale` under another producer.
    fn next_number(&mut self, conn: ConnId, stale: Option<&ClientId>) -> MessageId {
        let fresh = || MessageId::new(ClientId::producer(), 0);
        let Some(member) = self.members.get_mut(&conn) else { return MessageId { n: 1, ..fresh() } };
        let producer = member.producer.get_or_insert_with(fresh);
        if stale == Some(&producer.client) {
            *producer = fresh();
        }
        producer.n += 1;
        producer.clone()
    }

    /// Sends the next batch, when the last one was answered.
    pub(super) fn flush_queue(&mut self, now: Moment, out: &mut impl Outlet) {
        let Some(chain) = &self.chain else { return };
        if self.queue.in_flight.is_some() || self.queue.waiting.is_empty() || now < self.queue.not_before {
            return;
        }
        let size = self.queue.waiting.len().min(BATCH_ITEMS_MAX);
        let batch: Vec<Queued> = self.queue.waiting.drain(..size).collect();
        out.call(Call::Publish(chain.top(), batch.iter().map(|queued| queued.item.clone()).collect()));
        self.queue.in_flight = Some(batch);
    }

    /// The log's word on the batch in flight.
    pub(super) fn published(
        &mut self,
        now: Moment,
        answer: Result<Published, BackboneError>,
        out: &mut impl Outlet,
    ) {
        let Some(batch) = self.queue.in_flight.take() else { return };
        let Published::Ok { head, items } = (match answer {
            Ok(Published::Settling(left)) => {
                self.queue.not_before = now + left;
                return self.queue.put_back(batch);
            }
            Ok(Published::Ok { head, items }) => Published::Ok { head, items },
            Ok(_) => {
                self.sync.suspect();
                return self.queue.put_back(batch);
            }
            Err(_) => {
                self.queue.backoff = (self.queue.backoff * 2).clamp(BACKOFF_MIN, BACKOFF_MAX);
                self.queue.not_before = now + self.queue.backoff;
                self.sync.doubt();
                return self.queue.put_back(batch);
            }
        }) else {
            return;
        };
        self.queue.backoff = Duration::ZERO;
        self.heard = now;
        let mut again = Vec::new();
        for (queued, answer) in batch.into_iter().zip(items) {
            let judged = Judged { queued, answer, epoch: head.epoch };
            again.extend(self.judged(now, judged, out));
        }
        self.queue.put_back(again);
    }

    /// What the log said of one item; the item again where it goes on under another number or later.
    fn judged(&mut self, now: Moment, judged: Judged, out: &mut impl Outlet) -> Option<Queued> {
        if let ItemAnswer::Placed { seq, prev } = &judged.answer {
            // Into the chain before the ack: whoever was told must find a node that knows.
            self.placed(judged.epoch, *seq, prev.clone(), &judged.queued.item);
        }
        match judged.queued.from {
            Sender::Client(conn) if self.is_asked_for(now, &judged) => {
                self.again_when_asked(conn, judged.queued)
            }
            Sender::Client(conn) => {
                self.judged_for_client(conn, &judged, out);
                None
            }
            Sender::Unnumbered(conn) => self.judged_for_unnumbered(conn, judged),
            Sender::Orphan { tries } => self.judged_for_orphan(now, tries, judged),
        }
    }

    /// The log misses what was acknowledged: another node may have it. Told to go back at once, a client that does
    /// not hold it any more would use up its number, and nobody could bring it any more.
    fn is_asked_for(&self, now: Moment, judged: &Judged) -> bool {
        let is_missing = matches!(judged.answer, ItemAnswer::Back(_)) && !judged.queued.asked;
        is_missing && (self.sync.is_asking() || self.sync.may_ask(now))
    }

    fn again_when_asked(&mut self, conn: ConnId, queued: Queued) -> Option<Queued> {
        self.sync.ask();
        self.members.contains_key(&conn).then_some(Queued { asked: true, ..queued })
    }

    fn judged_for_client(&mut self, conn: ConnId, judged: &Judged, out: &mut impl Outlet) {
        let n = judged.queued.item.id.n;
        match &judged.answer {
            ItemAnswer::Placed { seq, .. } => self.ack(conn, judged.ack(Some(*seq), false, &self.room), out),
            ItemAnswer::Voided => self.ack(conn, judged.ack(None, false, &self.room), out),
            ItemAnswer::Duplicate(seq) => self.ack(conn, judged.ack(*seq, true, &self.room), out),
            ItemAnswer::Reused => {
                self.open_gate(conn, n);
                let reason = "this n was used for another message: use a new client_id";
                let error = ErrorMessage::new(ErrorCode::NReused, reason);
                let (room, re) = (Some(self.room.clone()), judged.queued.re.clone());
                out.send(conn, Frame::Error(ErrorMessage { n: Some(n), room, re, ..error }));
            }
            ItemAnswer::Gap(last) | ItemAnswer::Back(last) => self.go_back(conn, n, last + 1, out),
            ItemAnswer::Fenced => {
                out.send(conn, Frame::Fenced);
            }
        }
    }

    /// Whatever is wrong with a number that this node gave: the message goes on under another producer.
    fn judged_for_unnumbered(&mut self, conn: ConnId, judged: Judged) -> Option<Queued> {
        if !matches!(
            judged.answer,
            ItemAnswer::Gap(_) | ItemAnswer::Back(_) | ItemAnswer::Fenced | ItemAnswer::Reused
        ) {
            return None;
        }
        let mut queued = judged.queued;
        queued.item.id = self.next_number(conn, Some(&queued.item.id.client));
        queued.item.generation = 0;
        Some(queued)
    }

    fn judged_for_orphan(&mut self, now: Moment, tries: u32, judged: Judged) -> Option<Queued> {
        if !matches!(judged.answer, ItemAnswer::Gap(_) | ItemAnswer::Back(_)) {
            return None;
        }
        if tries >= ORPHAN_TRIES {
            self.figures.orphans_dropped += 1;
            return None;
        }
        self.queue.not_before = self.queue.not_before.max(now + BACKOFF_MIN);
        Some(Queued { from: Sender::Orphan { tries: tries + 1 }, ..judged.queued })
    }

    fn placed(&mut self, epoch: Epoch, seq: Seq, prev: Option<MessageId>, item: &Item) {
        let Some(body) = &item.body else { return };
        let (id, body) = (item.id.clone(), body.clone());
        let entry = Arc::new(Entry { seq, id, prev, generation: item.generation, digest: item.digest, body });
        if self.chain.as_ref().is_some_and(|chain| chain.epoch == epoch) {
            self.make_way(std::slice::from_ref(&entry));
        }
        let Some(chain) = &mut self.chain else { return };
        if chain.epoch == epoch && chain.contradicts(&entry) {
            self.sync.suspect();
        } else if chain.epoch != epoch || !chain.accept(&self.room, entry) {
            self.sync.doubt();
        }
    }

    fn ack(&mut self, conn: ConnId, ack: Ack, out: &mut impl Outlet) {
        if let Some(member) = self.members.get_mut(&conn) {
            member.last_n = member.last_n.max(ack.n);
        }
        self.open_gate(conn, ack.n);
        out.send(conn, Frame::Ack(ack));
    }

    /// The log has a number: waited for, it would be waited for in vain, as nobody sends what the log has.
    fn open_gate(&mut self, conn: ConnId, n: u64) {
        if let Some(member) = self.members.get_mut(&conn) {
            member.gate.take_if(|gate| gate.expect <= n);
        }
    }

    /// The sender goes back; said once, and what it has sent above is dropped.
    fn go_back(&mut self, conn: ConnId, n: u64, expect: u64, out: &mut impl Outlet) {
        let error = self.out_of_order(n, expect);
        let Some(member) = self.members.get_mut(&conn) else { return };
        if member.gate.is_some_and(|gate| n > gate.expect) {
            return;
        }
        member.gate = Some(Gate { expect, told: true });
        self.queue.forget_above(conn, expect);
        out.send(conn, Frame::Error(error));
    }

    /// Entries of a history that lost are offered to the one that won, in their order.
    pub(super) fn adopt_orphans(&mut self, orphans: &[Arc<Entry>]) {
        let from = Sender::Orphan { tries: 0 };
        let queued = orphans.iter().map(|entry| {
            let (id, generation, digest) = (entry.id.clone(), entry.generation, entry.digest);
            let item = Item { id, generation, acked: None, digest, body: Some(entry.body.clone()) };
            Queued { item, from, re: None, asked: false }
        });
        self.queue.put_back(queued.collect());
    }
}
