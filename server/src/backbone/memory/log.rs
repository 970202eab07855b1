//! Owns the log of one room as one process keeps it, and with it the semantics every backbone must meet:
//! publish, read, repair, settling. Pure: time is passed in.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{ClientId, Epoch, MessageId, Seq};

use crate::backbone::{Entry, Head, Item, ItemAnswer, Page, Place, Published, Record, Repaired, Run};

/// Entries kept in a log.
pub(super) const LOG_ENTRIES_MAX: usize = 10_000;

/// A room's log, and the settling that may precede or interrupt it.
#[derive(Debug, Default, Clone)]
pub(super) struct RoomLog {
    life: Option<Life>,
    /// Closed for publishing: a recovery round is open.
    settling: Option<Settling>,
    /// The newest round since the log was made, or lost. Answers to older ones count for nothing.
    round: Option<u64>,
}

/// An open round.
#[derive(Debug, Clone, Copy)]
struct Settling {
    until: Duration,
    /// What says that more than this is left was written by another clock: by that of a server that was copied.
    longest: Duration,
}

#[derive(Debug, Clone)]
struct Life {
    epoch: Epoch,
    before: Option<(Epoch, Seq)>,
    entries: VecDeque<Arc<Entry>>,
    seq: Seq,
    id: Option<MessageId>,
    records: HashMap<ClientId, Record>,
}

/// What a change of the log tells the nodes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Entries for the feed, in order.
    pub entries: Vec<Arc<Entry>>,
    /// A recovery round was opened, or went on.
    pub round: bool,
}

impl Life {
    fn new(epoch: Epoch, before: Option<(Epoch, Seq)>) -> Self {
        Self { epoch, before, entries: VecDeque::new(), seq: Seq::START, id: None, records: HashMap::new() }
    }

    fn place(&self) -> Place {
        Place { epoch: self.epoch, seq: self.seq, id: self.id.clone() }
    }

    fn first(&self) -> Seq {
        self.entries.front().map_or(self.seq.next(), |entry| entry.seq)
    }

    fn head(&self) -> Head {
        Head { place: self.place(), first: self.first(), before: self.before }
    }

    fn at(&self, seq: Seq) -> Option<&Arc<Entry>> {
        let index = seq.0.checked_sub(self.first().0)?;
        self.entries.get(usize::try_from(index).ok()?)
    }

    /// The id at a place, where the log still knows it.
    fn id_at(&self, seq: Seq) -> Option<&MessageId> {
        if seq == self.seq { self.id.as_ref() } else { self.at(seq).map(|entry| &entry.id) }
    }

    /// True where another message certainly stands at a place.
    fn contradicts(&self, seq: Seq, id: Option<&MessageId>) -> bool {
        matches!((self.id_at(seq), id), (Some(here), Some(there)) if here != there)
    }

    fn append(&mut self, entry: Arc<Entry>) {
        (self.seq, self.id) = (entry.seq, Some(entry.id.clone()));
        self.entries.push_back(entry);
        if self.entries.len() > LOG_ENTRIES_MAX {
            self.entries.pop_front();
        }
    }

    fn take(&mut self, client: &ClientId, record: Record) {
        self.records.insert(client.clone(), record);
    }

    /// Puts a record back unless a newer one is there.
    fn put_back(&mut self, client: &ClientId, record: Record) {
        if self.records.get(client).is_none_or(|known| known.n < record.n) {
            self.take(client, record);
        }
    }

    /// Judges one item; the entry where it was appended. Dedupe comes before everything else.
    fn judge(&mut self, item: &Item) -> (ItemAnswer, Option<Arc<Entry>>) {
        let n = item.id.n;
        let record = self.records.get(&item.id.client).copied();
        if let Some(known) = record {
            if item.generation < known.generation {
                return (ItemAnswer::Fenced, None);
            }
            if n <= known.n {
                return (repeat(&known, item), None);
            }
        }
        let Some(body) = &item.body else {
            let void = Record { generation: item.generation, n, seq: Seq::START, digest: item.digest };
            self.take(&item.id.client, void);
            return (ItemAnswer::Voided, None);
        };
        if let Some(answer) = self.out_of_order(item, record) {
            return (answer, None);
        }
        let entry = Arc::new(Entry {
            seq: self.seq.next(),
            id: item.id.clone(),
            prev: self.id.clone(),
            generation: item.generation,
            digest: item.digest,
            body: body.clone(),
        });
        let taken = Record { generation: item.generation, n, seq: entry.seq, digest: item.digest };
        self.take(&item.id.client, taken);
        self.append(entry.clone());
        (ItemAnswer::Placed { seq: entry.seq, prev: entry.prev.clone() }, Some(entry))
    }

    /// Numbers are taken in order. Where the record is gone, the client's newest acknowledged message stands
    /// in for it, if that one is still in the log: else acknowledged messages would vanish for good.
    fn out_of_order(&self, item: &Item, record: Option<Record>) -> Option<ItemAnswer> {
        let acked = item.acked.map_or(0, |acked| acked.n);
        match record {
            Some(known) if known.n < acked => Some(ItemAnswer::Back(known.n)),
            Some(known) if item.id.n != known.n + 1 => Some(ItemAnswer::Gap(known.n)),
            Some(_) => None,
            None if acked > 0 && !self.holds_acked(item) => Some(ItemAnswer::Back(0)),
            None if item.id.n != acked + 1 => Some(ItemAnswer::Gap(acked)),
            None => None,
        }
    }

    fn holds_acked(&self, item: &Item) -> bool {
        let Some(acked) = item.acked else { return false };
        let id = MessageId::new(item.id.client.clone(), acked.n);
        acked.epoch == self.epoch && self.id_at(acked.seq) == Some(&id)
    }
}

/// A number that is taken: the same content is a repeat, other content the client's mistake.
fn repeat(known: &Record, item: &Item) -> ItemAnswer {
    if item.id.n < known.n || item.body.is_none() || known.seq == Seq::START {
        return ItemAnswer::Duplicate(None);
    }
    if known.digest == item.digest { ItemAnswer::Duplicate(Some(known.seq)) } else { ItemAnswer::Reused }
}

impl RoomLog {
    pub(super) fn head(&self) -> Option<Head> {
        self.life.as_ref().map(Life::head)
    }

    pub(super) fn last_n(&self, client: &ClientId) -> u64 {
        self.life.as_ref().and_then(|life| life.records.get(client)).map_or(0, |record| record.n)
    }

    /// Closes the room for `settle`. One question a round: true where none was open.
    pub(super) fn open_round(&mut self, now: Duration, settle: Duration) -> bool {
        let open = self.settling_left(now).is_some();
        if !open {
            self.settling = Some(Settling { until: now + settle, longest: settle });
        }
        !open
    }

    /// Opens a round in which everybody is asked; one that nothing has ended yet is joined.
    pub(super) fn ask(&mut self, now: Duration, settle: Duration) -> u64 {
        self.open_round(now, settle);
        *self.round.get_or_insert_with(|| fastrand::u64(..))
    }

    fn settling_left(&self, now: Duration) -> Option<Duration> {
        let Settling { until, longest } = self.settling?;
        until.checked_sub(now).filter(|left| !left.is_zero() && *left <= longest)
    }

    /// Makes the log if there is none; ends the round that preceded it. A log in which nothing was written
    /// yet goes on in its former life: nobody has missed anything.
    pub(super) fn create(&mut self, round: u64, epoch: Epoch, before: Option<&Place>) -> Option<Head> {
        if let Some(life) = &self.life {
            return Some(life.head());
        }
        self.round.take_if(|open| *open == round)?;
        self.settling = None;
        let life = self.life.insert(match before {
            Some(place) if place.seq == Seq::START => Life::new(place.epoch, None),
            before => Life::new(epoch, before.map(|place| (place.epoch, place.seq))),
        });
        Some(life.head())
    }

    pub(super) fn publish(
        &mut self,
        now: Duration,
        known: Option<&Place>,
        items: &[Item],
    ) -> (Published, Told) {
        let mut told = Told::default();
        if let Some(left) = self.settling_left(now) {
            return (Published::Settling(left), told);
        }
        let Some(life) = &mut self.life else {
            return (if known.is_some() { Published::Lost } else { Published::None }, told);
        };
        if let Some(known) = known {
            if known.epoch != life.epoch {
                return (Published::Epoch(life.place()), told);
            }
            if known.seq > life.seq {
                return (Published::Behind(life.place()), told);
            }
            if life.contradicts(known.seq, known.id.as_ref()) {
                return (Published::Fork(life.place()), told);
            }
        }
        let mut answers = Vec::with_capacity(items.len());
        for item in items {
            let (answer, entry) = life.judge(item);
            answers.push(answer);
            told.entries.extend(entry);
        }
        (Published::Ok { head: life.place(), items: answers }, told)
    }

    pub(super) fn read(&self, after: &Place, limit: usize) -> Page {
        let Some(life) = &self.life else { return Page::Lost };
        if after.epoch != life.epoch {
            return Page::Epoch(life.head());
        }
        if after.seq > life.seq {
            return Page::Behind(life.place());
        }
        if life.contradicts(after.seq, after.id.as_ref()) {
            return Page::Fork(life.place());
        }
        if after.seq.next() < life.first() {
            return Page::Trimmed { head: life.place(), first: life.first() };
        }
        let skip = usize::try_from(after.seq.next().0 - life.first().0).unwrap_or(usize::MAX);
        let entries: Vec<_> = life.entries.iter().skip(skip).take(limit).cloned().collect();
        let prev_differs =
            |entry: &Arc<Entry>| after.id.is_some() && entry.prev.is_some() && entry.prev != after.id;
        if entries.first().is_some_and(prev_differs) {
            return Page::Fork(life.place());
        }
        Page::Ok { head: life.place(), entries }
    }

    pub(super) fn history(&self, before: Option<Seq>, limit: usize) -> Option<(Head, Vec<Arc<Entry>>)> {
        let life = self.life.as_ref()?;
        let before = before.unwrap_or(life.seq.next()).min(life.seq.next());
        let end = usize::try_from(before.0.saturating_sub(life.first().0)).unwrap_or(0);
        let start = end.saturating_sub(limit);
        Some((life.head(), life.entries.range(start..end).cloned().collect()))
    }

    /// Gives the log back what a node still has: extends the chain or puts its front back. Everything is
    /// checked before anything is written.
    pub(super) fn repair(&mut self, now: Duration, settle: Duration, run: &Run) -> (Repaired, Told) {
        let contiguous = |pair: &[Arc<Entry>]| {
            pair[1].seq == pair[0].seq.next() && pair[1].prev.as_ref() == Some(&pair[0].id)
        };
        if !run.entries.windows(2).all(contiguous) {
            return (Repaired::Bad, Told::default());
        }
        let Some(first) = run.entries.first() else { return (self.repair_empty(run), Told::default()) };
        if let Some(life) = &self.life {
            if life.epoch != run.epoch {
                return (Repaired::Epoch(life.head()), Told::default());
            }
            if first.seq > life.seq.next() {
                let (place, round) = (life.place(), self.open_round(now, settle));
                return (Repaired::Hole(place), Told { entries: Vec::new(), round });
            }
            if life.conflicts(run) {
                return (Repaired::Fork(life.place()), Told::default());
            }
        }
        self.round = None;
        let life = self.life.get_or_insert_with(|| {
            let mut life = Life::new(run.epoch, None);
            (life.seq, life.id) = (first.seq.before(), first.prev.clone());
            life
        });
        let restored = life.front(run) + life.extend(run);
        for (client, record) in run.records.iter().filter(|(_, record)| record.seq < first.seq) {
            life.put_back(client, *record);
        }
        let place = life.place();
        if restored > 0 {
            self.open_round(now, settle);
        }
        (Repaired::Ok { head: place, restored }, Told { entries: Vec::new(), round: restored > 0 })
    }

    /// A log in which nothing was written yet goes on in its life.
    fn repair_empty(&mut self, run: &Run) -> Repaired {
        let life = self.life.get_or_insert_with(|| Life::new(run.epoch, None));
        if life.epoch != run.epoch {
            return Repaired::Epoch(life.head());
        }
        self.round = None;
        Repaired::Ok { head: life.place(), restored: 0 }
    }

    /// Everything is gone, as after FLUSHALL.
    pub(super) fn flush(&mut self) {
        *self = Self::default();
    }

    /// The records are gone, the entries are not.
    #[cfg(test)]
    pub(in crate::backbone) fn forget_records(&mut self) {
        if let Some(life) = &mut self.life {
            life.records.clear();
        }
    }

    /// The entries above `to` are gone with their records, as after the promotion of a replica that lags.
    pub(super) fn roll_back(&mut self, to: Seq) {
        let Some(life) = &mut self.life else { return };
        while life.entries.back().is_some_and(|entry| entry.seq > to) {
            life.entries.pop_back();
        }
        let last = life.entries.back().cloned();
        life.id = last.as_ref().map(|entry| entry.id.clone());
        life.seq = last.map_or(life.seq.min(to), |entry| entry.seq);
        life.records.retain(|_, record| record.seq <= to);
        let kept: Vec<_> = life.entries.iter().cloned().collect();
        for entry in kept {
            life.put_back(&entry.id.client, record_of(&entry));
        }
    }
}

impl Life {
    /// Another message under a number of the run, or one of its messages in the log under another number.
    fn conflicts(&self, run: &Run) -> bool {
        let first = &run.entries[0];
        if first.seq == self.seq.next() && self.id.is_some() && first.prev != self.id {
            return true;
        }
        let taken =
            |entry: &Entry| self.records.get(&entry.id.client).is_some_and(|record| record.n >= entry.id.n);
        run.entries.iter().any(|entry| {
            if entry.seq <= self.seq { self.contradicts(entry.seq, Some(&entry.id)) } else { taken(entry) }
        })
    }

    /// A shorter run came first: what lies before it goes back in front, also when its round is over.
    fn front(&mut self, run: &Run) -> usize {
        let Some(front) = self.entries.front() else { return 0 };
        let (first, prev) = (front.seq, front.prev.clone());
        let before: Vec<_> = run.entries.iter().filter(|entry| entry.seq < first).cloned().collect();
        let fits =
            before.last().is_some_and(|last| last.seq.next() == first && prev.as_ref() == Some(&last.id));
        if !fits || self.entries.len() + before.len() > LOG_ENTRIES_MAX {
            return 0;
        }
        for entry in before.iter().rev() {
            self.put_back(&entry.id.client, record_of(entry));
            self.entries.push_front(entry.clone());
        }
        before.len()
    }

    fn extend(&mut self, run: &Run) -> usize {
        let above: Vec<_> = run.entries.iter().filter(|entry| entry.seq > self.seq).cloned().collect();
        for entry in &above {
            self.take(&entry.id.client, record_of(entry));
            self.append(entry.clone());
        }
        above.len()
    }
}

fn record_of(entry: &Entry) -> Record {
    Record { generation: entry.generation, n: entry.id.n, seq: entry.seq, digest: entry.digest }
}
