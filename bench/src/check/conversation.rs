//! Owns the judgement of what people do besides sending messages: whose eyes a room of two is for, what edits, deletes
//! and replies are about, and how far users are known to have read. That all of these arrive once and in order is
//! judged as for every message, elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chat_protocol::{Epoch, Seq};

use super::Verdict;
use crate::record::{How, What, Words};

/// How far a client knows a room to be read, in one life of its log.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    /// It has told so itself: whether that is kept, nobody has said.
    told: Seq,
    /// A server has told it so.
    heard: Seq,
}

impl Mark {
    /// What its user sees.
    fn shown(self) -> Seq {
        self.told.max(self.heard)
    }
}

/// What a record says of users, so far.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    /// By client.
    users: BTreeMap<u32, u32>,
    /// By room.
    pairs: BTreeMap<u32, [u32; 2]>,
    /// By what was said: what it is about, and what it does to it.
    about: HashMap<Words, (Words, How)>,
    /// By client and room: the life of its log that the client is in.
    lives: BTreeMap<(u32, u32), Epoch>,
    /// By client, room and life.
    marks: HashMap<(u32, u32, Epoch), Mark>,
    /// By user, room and life: the highest that any of the user's clients has told.
    highest: HashMap<(u32, u32, Epoch), Seq>,
    /// Rooms of two in which something was said.
    used: BTreeSet<u32>,
}

impl Conversation {
    pub(super) fn pair(&mut self, room: u32, users: [u32; 2]) {
        self.pairs.insert(room, users);
    }

    /// Takes what happened to a client.
    pub(super) fn take(&mut self, client: u32, what: &What, verdict: &mut Verdict) {
        let counts = &mut verdict.counts;
        match *what {
            What::Is { u } => drop(self.users.insert(client, u)),
            What::Said { r, .. } if self.pairs.contains_key(&r) => {
                counts.direct += 1;
                self.used.insert(r);
            }
            What::About { m, of, how } => {
                counts.changes += 1;
                self.about.insert(m, (of, how));
            }
            What::Refers { m, of, .. } => self.refers(client, m, of, verdict),
            What::Entered { r, life, .. } => {
                self.lives.insert((client, r), life);
                self.given(client, r, 1, verdict);
            }
            What::Reset { r, life, .. } => drop(self.lives.insert((client, r), life)),
            What::Shown { r, .. } | What::Garbled { r, .. } => self.given(client, r, 1, verdict),
            What::Page { r, entries } => self.given(client, r, entries, verdict),
            What::Barred { .. } => counts.barred += 1,
            What::NotFound => counts.unfound += 1,
            What::Marks { r, life, s } => {
                counts.marked += 1;
                self.marks(client, (r, life), s);
            }
            What::Read { r, life, s } => {
                counts.marks_shown += 1;
                // Live, it is shown beside what the client itself has told.
                let floor = self.marks.get(&(client, r, life)).copied().unwrap_or_default().shown();
                self.hears(client, (r, life), (s, floor), verdict);
            }
            What::Knows { r, life, s } => {
                // What the client has told may not have come through: but what it heard was in the log.
                let floor = self.marks.get(&(client, r, life)).copied().unwrap_or_default().heard;
                self.hears(client, (r, life), (s, floor), verdict);
            }
            _ => {}
        }
    }

    /// A client was given something of a room.
    fn given(&self, client: u32, room: u32, count: u64, verdict: &mut Verdict) {
        let Some(pair) = self.pairs.get(&room) else { return };
        if self.users.get(&client).is_some_and(|user| pair.contains(user)) {
            return;
        }
        verdict.counts.leaked += count;
        verdict.complain(count, || {
            format!("client {client} was given something of room {room}, which is of users {pair:?} alone")
        });
    }

    fn refers(&self, client: u32, words: Words, of: Option<Words>, verdict: &mut Verdict) {
        let is_so = match (self.about.get(&words), of) {
            (Some((wanted, _)), Some(of)) if *wanted != of => false,
            // An answer may be to anybody.
            (Some((_, How::Reply)), Some(_)) => true,
            (Some(_), Some(of)) => self.users.get(&of.0) == self.users.get(&words.0),
            _ => false,
        };
        verdict.counts.astray += u64::from(!is_so);
        verdict.complain(u64::from(!is_so), || {
            let wanted = self.about.get(&words);
            format!("client {client} was shown {words:?} as about {of:?}, its author said {wanted:?}")
        });
    }

    fn marks(&mut self, client: u32, (room, life): (u32, Epoch), seq: Seq) {
        let mark = self.marks.entry((client, room, life)).or_default();
        mark.told = mark.told.max(seq);
        if let Some(user) = self.users.get(&client) {
            let highest = self.highest.entry((*user, room, life)).or_default();
            *highest = (*highest).max(seq);
        }
    }

    /// A client is told a marker; it knows better than to be told one below the floor.
    fn hears(
        &mut self,
        client: u32,
        (room, life): (u32, Epoch),
        (seq, floor): (Seq, Seq),
        verdict: &mut Verdict,
    ) {
        let mark = self.marks.entry((client, room, life)).or_default();
        mark.heard = mark.heard.max(seq);
        verdict.counts.marks_back += u64::from(seq < floor);
        verdict.complain(u64::from(seq < floor), || {
            format!("client {client}, room {room}: its marker went back from {floor:?} to {seq:?}")
        });
        let user = self.users.get(&client).copied().unwrap_or(client);
        let highest = self.highest.get(&(user, room, life)).copied().unwrap_or_default();
        verdict.counts.marks_apart += u64::from(seq > highest);
        verdict.complain(u64::from(seq > highest), || {
            format!(
                "client {client}, room {room}: marker {seq:?}, and user {user} has told {highest:?} at most"
            )
        });
    }

    /// What is to hold at the end, when all is calm.
    pub(super) fn judge(&self, verdict: &mut Verdict) {
        for (client, user) in &self.users {
            self.agrees(*client, *user, verdict);
            let outside = |(room, pair): &(&u32, &[u32; 2])| {
                pair.contains(user)
                    && self.used.contains(room)
                    && !self.lives.contains_key(&(*client, **room))
            };
            let outside: Vec<&u32> = self.pairs.iter().filter(outside).map(|(room, _)| room).collect();
            verdict.counts.absent += u64::from(!outside.is_empty());
            verdict.complain(outside.len() as u64, || {
                format!("client {client} never got into the rooms of two {outside:?}, which are its user's")
            });
        }
    }

    /// A marker has no ack: but a client tells it again where a server knows less, so that in the end all have it.
    fn agrees(&self, client: u32, user: u32, verdict: &mut Verdict) {
        for ((_, room), life) in self.lives.range((client, 0)..=(client, u32::MAX)) {
            let Some(highest) = self.highest.get(&(user, *room, *life)) else { continue };
            let shown = self.marks.get(&(client, *room, *life)).copied().unwrap_or_default().shown();
            verdict.counts.marks_apart += u64::from(shown < *highest);
            verdict.complain(u64::from(shown < *highest), || {
                format!("client {client}, room {room}: ends with marker {shown:?}, user {user} has told {highest:?}")
            });
        }
    }
}
