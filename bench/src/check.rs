//! Owns the judgement of a run, from its record alone: what every client was shown against what was said, and
//! against what every other client was shown. Knows nothing of how the record came to be.

mod conversation;
mod room;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chat_protocol::{Epoch, Seq};
use serde::Serialize;

use conversation::Conversation;

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
    /// Entries that a client was shown at another place than others were, or behind one that follows them.
    pub reordered: u64,
    /// Entries that were shown and that nobody said so, or that were refused.
    pub phantoms: u64,
    /// Messages that nobody was shown who saw the end, though they were said and not refused.
    pub vanished: u64,
    /// Messages that were refused for good.
    pub refused: u64,
    /// Clients that ended with messages in their outbox.
    pub stuck: u64,
    /// Clients that did not get into a room in which they had been, or did not see the end.
    pub absent: u64,
    /// Entries that a client missed and was told are gone.
    pub gone: u64,
    /// Entries that a client was told are gone, while the log that holds them went on for others.
    pub untrue: u64,
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
    /// Edits, deletes and replies that were said.
    pub changes: u64,
    /// Messages that were said in rooms of two.
    pub direct: u64,
    /// Times a client asked for a room of two others, and was refused.
    pub barred: u64,
    /// Times a client asked for the room with a user who had come, and was told that there is none.
    pub unfound: u64,
    /// Times a client told how far it has read.
    pub marked: u64,
    /// Times a client was told how far another one of its user has read.
    pub marks_shown: u64,
    /// Entries of rooms of two, and ways into them, that a client of somebody else was given.
    pub leaked: u64,
    /// Edits, deletes and replies that were shown as about another message, or of another's message.
    pub astray: u64,
    /// Times a client was told of a read marker below one that it knew.
    pub marks_back: u64,
    /// Read markers that clients of a user did not agree on at the end, or that none of them ever told.
    pub marks_apart: u64,
    /// Places that the clients themselves count as lost.
    pub counted_lost: u64,
    /// Repeats that clients dropped.
    pub counted_dup: u64,
}

impl Counts {
    /// Nothing is missing, nothing is there twice or out of place, nobody was left outside, told what is not so or
    /// shown what is not for it, no marker went back: the promise was kept.
    pub fn promise_kept(&self) -> bool {
        let Self { lost, duplicated, reordered, phantoms, vanished, stuck, absent, untrue, .. } = self;
        let Self { leaked, astray, marks_back, marks_apart, .. } = self;
        let of_conversations = leaked + astray + marks_back + marks_apart;
        lost + duplicated + reordered + phantoms + vanished + stuck + absent + untrue + of_conversations == 0
    }
}

/// The judgement of a run.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What was played.
    pub scenario: String,
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
    acked: bool,
    refused: bool,
    /// It has no ack, and nobody sends it again.
    fleeting: bool,
}

/// What one run of a client's program saw of one room.
#[derive(Debug, Default)]
struct Viewing {
    client: u32,
    /// Which life of the log it was in first, and where that ended then.
    entered: Option<(Epoch, Seq)>,
    /// Which life it is in now.
    life: Option<Epoch>,
    /// What stands on its screen, in order.
    shown: Vec<Shown>,
    /// The lives and places that it had to go back to.
    rewinds: Vec<(Epoch, Seq)>,
    /// The ranges it was told are gone.
    gone: Vec<Gone>,
    /// It saw the run to its end.
    stayed: bool,
}

/// A range that was told as gone.
#[derive(Debug, Clone, Copy)]
struct Gone {
    /// Which life of the log it is of.
    life: Epoch,
    from: Seq,
    /// None: nobody knows.
    to: Option<Seq>,
    /// Which life follows: the same where the log only lost its beginning.
    next: Epoch,
}

impl Gone {
    fn holds(&self, seq: Seq) -> bool {
        self.from <= seq && self.to.is_none_or(|to| seq <= to)
    }
}

/// An entry on a screen.
#[derive(Debug, Clone, Copy)]
struct Shown {
    life: Epoch,
    seq: Seq,
    /// None: not what anybody said.
    words: Option<Words>,
}

/// Takes a record event by event and judges it at its end.
#[derive(Debug, Default)]
pub struct Judge {
    said: HashMap<Words, Said>,
    /// By room, then by client: what its program sees now.
    open: BTreeMap<u32, BTreeMap<u32, Viewing>>,
    /// What programs saw that have ended before the run did.
    closed: BTreeMap<u32, Vec<Viewing>>,
    /// All clients; true for who saw the end.
    clients: BTreeMap<u32, bool>,
    /// Rooms in which a client has been: its program enters them again.
    homes: BTreeMap<u32, BTreeSet<u32>>,
    conversation: Conversation,
    verdict: Verdict,
}

impl Judge {
    /// Takes the next event.
    pub fn take(&mut self, event: Event) {
        let Event { t, c, what } = event;
        self.verdict.times.take(t, c, &what);
        match (c, what) {
            (Some(client), what) => self.client(client, what),
            (None, What::Plan { scenario }) => self.verdict.scenario = scenario,
            (None, What::Pair { r, u, v }) => self.conversation.pair(r, [u, v]),
            (None, _) => {}
        }
    }

    fn client(&mut self, client: u32, what: What) {
        self.conversation.take(client, &what, &mut self.verdict);
        let counts = &mut self.verdict.counts;
        match what {
            What::Started => self.started(client),
            What::Said { r, m } => {
                counts.said += 1;
                self.said.insert(m, Said { room: r, acked: false, refused: false, fleeting: false });
            }
            What::Fleeting { m } => {
                self.said.entry(m).and_modify(|said| said.fleeting = true);
            }
            What::Refers { r, m, of: Some(of), s } => self.refers(client, r, (m, of, s)),
            What::Acked { m } => {
                // A program that starts anew asks again.
                if let Some(said) = self.said.get_mut(&m).filter(|said| !said.acked) {
                    (counts.acked, said.acked) = (counts.acked + 1, true);
                }
            }
            What::Failed { m, why } => {
                counts.refused += 1;
                self.said.entry(m).and_modify(|said| said.refused = true);
                self.verdict.complain(1, || format!("client {client}: {m:?} was refused: {why}"));
            }
            What::Entered { r, life, s } => {
                self.homes.entry(client).or_default().insert(r);
                let viewing = self.viewing(r, client);
                viewing.entered.get_or_insert((life, s));
                viewing.life.get_or_insert(life);
            }
            What::Shown { r, s, m } => self.shown(client, r, s, Some(m)),
            What::Garbled { r, s } => self.shown(client, r, s, None),
            What::Rewound { r, s } => {
                counts.rewinds += 1;
                let viewing = self.viewing(r, client);
                let life = viewing.life;
                viewing.rewinds.extend(life.map(|life| (life, s)));
                viewing.shown.retain(|shown| Some(shown.life) != life || shown.seq <= s);
            }
            What::Reset { r, life, from, to } => {
                counts.resets += 1;
                let viewing = self.viewing(r, client);
                let before = viewing.life.replace(life).unwrap_or(life);
                viewing.gone.push(Gone { life: before, from, to, next: life });
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
                self.ended(client, queued);
            }
            What::Is { .. }
            | What::Pair { .. }
            | What::About { .. }
            | What::Refers { .. }
            | What::Marks { .. }
            | What::Read { .. }
            | What::Knows { .. }
            | What::Barred { .. }
            | What::NotFound
            | What::Page { .. }
            | What::Plan { .. }
            | What::Back { .. }
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

    fn shown(&mut self, client: u32, room: u32, seq: Seq, words: Option<Words>) {
        self.verdict.counts.shown += 1;
        let viewing = self.viewing(room, client);
        let Some(life) = viewing.life else {
            return self
                .verdict
                .complain(1, || format!("client {client} was shown an entry of a room it is not in"));
        };
        viewing.shown.push(Shown { life, seq, words });
    }

    /// An entry names the place of another one: where that stands, unless a rewind has moved it since.
    fn refers(&mut self, client: u32, room: u32, (words, of, seq): (Words, Words, Seq)) {
        let viewing = self.viewing(room, client);
        let stands = viewing.shown.iter().rev().find(|shown| shown.words == Some(of));
        let is_astray = viewing.rewinds.is_empty() && stands.is_some_and(|stands| stands.seq != seq);
        self.verdict.counts.astray += u64::from(is_astray);
        let complaint = || format!("client {client}: {words:?} names {seq:?} as the place of {of:?}");
        self.verdict.complain(u64::from(is_astray), complaint);
    }

    /// The client's program starts anew: what it saw until now is one story, what follows another.
    fn started(&mut self, client: u32) {
        self.clients.insert(client, false);
        for (room, viewings) in &mut self.open {
            self.closed.entry(*room).or_default().extend(viewings.remove(&client));
        }
    }

    fn ended(&mut self, client: u32, queued: u64) {
        self.clients.insert(client, true);
        for viewing in self.open.values_mut().filter_map(|room| room.get_mut(&client)) {
            viewing.stayed = true;
        }
        if queued > 0 {
            self.verdict.counts.stuck += 1;
            // Many clients of one room tell the same: the first says it for all.
            let is_first = u64::from(self.verdict.counts.stuck == 1);
            self.verdict.complain(is_first, || {
                format!("client {client} ended with {queued} messages in its outbox, and maybe others")
            });
        }
    }

    /// Judges what was taken.
    pub fn verdict(mut self) -> Verdict {
        let mut verdict = std::mem::take(&mut self.verdict);
        self.presence(&mut verdict);
        self.conversation.judge(&mut verdict);
        let rooms: BTreeSet<u32> =
            self.said.values().map(|said| said.room).chain(self.open.keys().copied()).collect();
        for room in rooms {
            let mut viewings: Vec<Viewing> =
                self.open.remove(&room).unwrap_or_default().into_values().collect();
            viewings.extend(self.closed.remove(&room).unwrap_or_default());
            let said = self.said.iter().filter(|(_, said)| said.room == room);
            let said = said.map(|(words, said)| (*words, said)).collect();
            room::judge(room, &viewings, &said, &mut verdict);
        }
        verdict
    }

    /// Everybody has to be there at the end, in every room they were in.
    fn presence(&self, verdict: &mut Verdict) {
        for (client, saw_the_end) in &self.clients {
            let is_in = |room: &u32| {
                let viewing = self.open.get(room).and_then(|room| room.get(client));
                viewing.is_some_and(|viewing| viewing.entered.is_some())
            };
            let outside: Vec<u32> =
                self.homes.get(client).into_iter().flatten().copied().filter(|room| !is_in(room)).collect();
            if !saw_the_end || !outside.is_empty() {
                verdict.counts.absent += 1;
                verdict.complain(1, || match saw_the_end {
                    false => format!("client {client} was not there at the end: its program died"),
                    true => format!("client {client} did not get into rooms {outside:?} again"),
                });
            }
        }
    }
}
