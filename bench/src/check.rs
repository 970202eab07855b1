//! Owns the judgement of a run, from its record alone: what every client was shown against what was said, and
//! against what every other client was shown. Knows nothing of how the record came to be.

mod room;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use chat_protocol::Seq;
use serde::Serialize;

use crate::record::{Event, What, Words};
use crate::silence::Times;

/// Complaints that are kept in words; all are counted.
const COMPLAINTS_MAX: usize = 40;

/// What a run comes to, all clients together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Messages that were said.
    pub said: u64,
    /// Messages that were acknowledged.
    pub acked: u64,
    /// Entries that were shown.
    pub shown: u64,
    /// Entries that a client should have been shown and was not; each client by itself.
    pub lost: u64,
    /// Entries that a client was shown a second time.
    pub duplicated: u64,
    /// Entries that a client was shown at another place than others were.
    pub reordered: u64,
    /// Entries that were shown and never said, or refused.
    pub phantoms: u64,
    /// Messages that nobody was shown, though they were said and not refused.
    pub vanished: u64,
    /// Messages that were refused for good.
    pub refused: u64,
    /// Clients that ended with messages in their outbox.
    pub stuck: u64,
    /// Entries that a client missed and was told are gone.
    pub gone: u64,
    /// Times a client had to take back what it showed.
    pub rewinds: u64,
    /// Times a client was told that history is gone.
    pub resets: u64,
    /// Errors that were shown to people.
    pub troubles: u64,
    /// Times a client was told that its node cannot reach the others.
    pub cut_off: u64,
    /// Times a client lost its connection.
    pub disconnected: u64,
    /// Times a client moved as it was asked to, without losing its connection.
    pub moved: u64,
    /// Places that the clients themselves count as lost.
    pub counted_lost: u64,
    /// Repeats that clients dropped.
    pub counted_dup: u64,
}

impl Counts {
    /// Nothing is missing, nothing is there twice or out of place: the promise was kept.
    pub fn promise_kept(&self) -> bool {
        let Self { lost, duplicated, reordered, phantoms, vanished, stuck, .. } = self;
        lost + duplicated + reordered + phantoms + vanished + stuck == 0
    }
}

/// The judgement of a run.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What was counted.
    pub counts: Counts,
    /// What is wrong, in words; the first of them.
    pub complaints: Vec<String>,
    /// When each client was shown something, and when something was broken.
    pub times: Times,
}

impl Verdict {
    fn complain(&mut self, count: u64, complaint: impl FnOnce() -> String) {
        if count > 0 && self.complaints.len() < COMPLAINTS_MAX {
            self.complaints.push(complaint());
        }
    }
}

/// A message as its author knows it.
#[derive(Debug)]
struct Said {
    room: u32,
    at: u64,
    acked: bool,
    refused: bool,
}

/// What one run of a client's program saw of one room.
#[derive(Debug, Default)]
struct Viewing {
    client: u32,
    /// When it entered, and where the log ended then.
    entered: Option<(u64, Seq)>,
    /// What stands on its screen, in order.
    shown: Vec<Shown>,
    rewinds: u64,
    /// The ranges it was told are gone.
    gone: Vec<(Seq, Option<Seq>)>,
    /// It saw the run to its end.
    stayed: bool,
}

/// An entry on a screen.
#[derive(Debug, Clone, Copy)]
struct Shown {
    /// The log's life, counted by resets.
    life: usize,
    seq: Seq,
    words: Words,
}

/// Takes a record event by event and judges it at its end.
#[derive(Debug, Default)]
pub struct Judge {
    said: HashMap<Words, Said>,
    /// By room, then by client: what its program sees now.
    open: BTreeMap<u32, BTreeMap<u32, Viewing>>,
    /// What programs saw that have ended before the run did.
    closed: BTreeMap<u32, Vec<Viewing>>,
    verdict: Verdict,
}

impl Judge {
    /// Takes the next event.
    pub fn take(&mut self, event: Event) {
        let Event { t, c, what } = event;
        self.verdict.times.take(t, c, &what);
        match c {
            Some(client) => self.client(t, client, what),
            None => drop(what),
        }
    }

    fn client(&mut self, t: u64, client: u32, what: What) {
        let counts = &mut self.verdict.counts;
        match what {
            What::Started => self.close(client),
            What::Said { r, m } => {
                counts.said += 1;
                self.said.insert(m, Said { room: r, at: t, acked: false, refused: false });
            }
            What::Acked { m } => {
                counts.acked += 1;
                self.said.entry(m).and_modify(|said| said.acked = true);
            }
            What::Failed { m, why } => {
                counts.refused += 1;
                self.said.entry(m).and_modify(|said| said.refused = true);
                self.verdict.complain(1, || format!("client {client}: {m:?} was refused: {why}"));
            }
            What::Entered { r, s } => {
                self.viewing(r, client).entered.get_or_insert((t, s));
            }
            What::Shown { r, s, m } => {
                counts.shown += 1;
                let viewing = self.viewing(r, client);
                let life = viewing.gone.len();
                viewing.shown.push(Shown { life, seq: s, words: m });
            }
            What::Rewound { r, s } => {
                counts.rewinds += 1;
                let viewing = self.viewing(r, client);
                let life = viewing.gone.len();
                viewing.rewinds += 1;
                viewing.shown.retain(|shown| shown.life < life || shown.seq <= s);
            }
            What::Reset { r, from, to } => {
                counts.resets += 1;
                self.viewing(r, client).gone.push((from, to));
            }
            What::Back { planned: true, .. } => counts.moved += 1,
            What::Lost => counts.disconnected += 1,
            What::CutOff => counts.cut_off += 1,
            What::Trouble { why } => {
                counts.troubles += 1;
                self.verdict.complain(1, || format!("client {client} was shown an error: {why}"));
            }
            What::Ended { lost, dup, queued } => {
                counts.counted_lost += lost;
                counts.counted_dup += dup;
                let stayed = queued == 0;
                self.open.values_mut().filter_map(|room| room.get_mut(&client)).for_each(|viewing| {
                    viewing.stayed = true;
                });
                counts.stuck += u64::from(!stayed);
                // Many clients of one room tell the same: the first says it for all.
                let is_first = u64::from(counts.stuck == 1 && !stayed);
                self.verdict.complain(is_first, || {
                    format!("client {client} ended with {queued} messages in its outbox, and maybe others")
                });
            }
            What::Back { .. }
            | What::Online { .. }
            | What::Paused
            | What::Reading
            | What::Fault { .. }
            | What::Mended { .. }
            | What::Calm => {}
        }
    }

    fn viewing(&mut self, room: u32, client: u32) -> &mut Viewing {
        let viewing = self.open.entry(room).or_default().entry(client).or_default();
        viewing.client = client;
        viewing
    }

    /// The client's program starts anew: what it saw until now is one story, what follows another.
    fn close(&mut self, client: u32) {
        for (room, viewings) in &mut self.open {
            self.closed.entry(*room).or_default().extend(viewings.remove(&client));
        }
    }

    /// Judges what was taken.
    pub fn verdict(mut self) -> Verdict {
        let mut verdict = std::mem::take(&mut self.verdict);
        for (room, open) in std::mem::take(&mut self.open) {
            let mut viewings: Vec<Viewing> = open.into_values().collect();
            viewings.extend(self.closed.remove(&room).unwrap_or_default());
            room::judge(room, &viewings, &self.said, &mut verdict);
        }
        verdict
    }
}
