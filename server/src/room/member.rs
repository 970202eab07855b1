//! Owns the members of a room on this node. A member is a cursor into the log: it is given the entry behind
//! its cursor and no other, whether that is live, replayed after a reconnect, or caught up with.

use std::sync::Arc;

use chat_protocol::{Epoch, MessageId, Reset, Resume, Resumed, RoomName, Seq, limits};

use super::chain::{Chain, Link};
use super::entrance::{common_point, reset_of_epoch};
use super::publish::Gate;
use super::{Call, ConnId, Frame, Moment, Outlet, RoomCore};
use crate::backbone::{BackboneError, Entry, Page, Place};

/// A connection in the room.
#[derive(Debug)]
pub(super) struct Member {
    /// The last place it was given.
    pub(super) cursor: Seq,
    /// What stands there, where that has to be proved to the log before going on.
    unproved: Option<Box<Resume>>,
    /// The replay under way.
    replay: Option<Replay>,
    /// More is missing than is replayed: it is not known yet whether the log still has the rest.
    looks_back: bool,
    /// Its outbox takes no more entries for now.
    full: bool,
    /// Its newest number that the log knows.
    pub(super) last_n: u64,
    /// A number it has to send before any higher one.
    pub(super) gate: Option<Gate>,
    /// Numbers what it sends without one.
    pub(super) producer: Option<MessageId>,
}

/// What is needed to hand something to one member.
pub(super) struct Hand<'a, O: Outlet> {
    pub(super) conn: ConnId,
    pub(super) room: &'a RoomName,
    pub(super) epoch: Epoch,
    pub(super) out: &'a mut O,
}

#[derive(Debug)]
struct Replay {
    from: Seq,
    to: Seq,
    recovered: u64,
    more: bool,
}

impl Member {
    pub(super) fn new(cursor: Seq, last_n: u64) -> Self {
        let (unproved, replay, gate, producer) = Default::default();
        Self { cursor, unproved, replay, looks_back: false, full: false, last_n, gate, producer }
    }

    /// Gives one entry; says so when that completes the replay.
    fn give(&mut self, link: &Link, hand: &mut Hand<'_, impl Outlet>) {
        self.cursor = link.entry.seq;
        self.full = !hand.out.send(hand.conn, Frame::Entry(link.entry.seq, link.payload.clone()));
        if let Some(replay) = &mut self.replay {
            replay.recovered += 1;
        }
        self.finish_replay(hand);
    }

    /// Gives what follows the cursor until the outbox is full.
    fn give_all<'a>(&mut self, links: impl Iterator<Item = &'a Link>, hand: &mut Hand<'_, impl Outlet>) {
        for link in links {
            if self.full || link.entry.seq != self.cursor.next() {
                break;
            }
            self.give(link, hand);
        }
    }

    fn finish_replay(&mut self, hand: &mut Hand<'_, impl Outlet>) {
        if let Some(replay) = self.replay.take_if(|replay| self.cursor >= replay.to) {
            let Replay { from, recovered, more, .. } = replay;
            let (room, epoch, to, last_n) = (hand.room.clone(), hand.epoch, self.cursor, self.last_n);
            let resumed = Resumed { room, epoch, from, to, recovered, last_n, more };
            hand.out.send(hand.conn, Frame::Resumed(resumed));
        }
    }

    /// Its history is certain up to `common`, it has seen on to `seen`: goes on from there. True where
    /// something of what it has seen did not survive.
    pub(super) fn begin(
        &mut self,
        common: Seq,
        seen: Seq,
        head: Seq,
        hand: &mut Hand<'_, impl Outlet>,
    ) -> bool {
        if common < seen {
            hand.out.send(hand.conn, Frame::Rewind(hand.epoch, common));
        }
        self.set_off(common, head);
        self.finish_replay(hand);
        common < seen
    }

    /// Lets it wait until a page of the log from `base` on has shown where its history and the log's part.
    pub(super) fn prove(&mut self, base: Seq, head: Seq, resume: Resume) {
        self.cursor = base;
        self.replay = Some(Replay { from: base, to: head, recovered: 0, more: false });
        self.unproved = Some(Box::new(resume));
    }

    /// Sets off from a place that is certain; at most the newest entries are replayed.
    fn set_off(&mut self, from: Seq, head: Seq) {
        let oldest = Seq(head.0.saturating_sub(limits::REPLAY_ENTRIES_MAX));
        self.unproved = None;
        // What is not replayed is to be had by `history`, unless it is gone: the log is asked first.
        self.looks_back = from < oldest;
        self.cursor = from;
        let begin = from.max(oldest);
        self.replay = Some(Replay { from: begin, to: head.max(begin), recovered: 0, more: self.looks_back });
    }

    /// The log has everything behind the cursor, or has said what it has not: the replay begins.
    fn look_ahead(&mut self) {
        let looked_back = std::mem::take(&mut self.looks_back);
        if let Some(replay) = &mut self.replay {
            replay.more = looked_back && self.cursor < replay.from;
            replay.from = replay.from.max(self.cursor);
            self.cursor = self.cursor.max(replay.from);
        }
    }
}

impl RoomCore {
    pub(super) fn leave(&mut self, now: Moment, conn: ConnId) {
        self.forget_join(conn);
        self.members.remove(&conn);
        if self.members.is_empty() && self.joins.is_empty() {
            self.empty_since.get_or_insert(now);
        }
    }

    pub(super) fn drained(&mut self, conn: ConnId) {
        if let Some(member) = self.members.get_mut(&conn) {
            member.full = false;
        }
    }

    /// Moves every cursor as far as it can go, and asks for a page where the chain does not reach.
    pub(super) fn pump(&mut self, now: Moment, out: &mut impl Outlet) {
        self.page_due = false;
        let Some(chain) = &self.chain else { return };
        let head = chain.head().seq;
        let mut lowest: Option<Place> = None;
        for (conn, member) in &mut self.members {
            if member.full || (member.cursor >= head && member.unproved.is_none()) {
                continue;
            }
            if member.looks_back && chain.behind(member.cursor).is_some() {
                member.look_ahead();
            }
            let certain = member.unproved.is_none() && !member.looks_back;
            let links = if certain { chain.behind(member.cursor) } else { None };
            match links {
                Some(links) => {
                    let (conn, epoch) = (*conn, chain.epoch);
                    member.give_all(links, &mut Hand { conn, room: &self.room, epoch, out });
                }
                None if lowest.as_ref().is_none_or(|place| member.cursor < place.seq) => {
                    lowest = Some(Place { epoch: chain.epoch, seq: member.cursor, id: None });
                }
                None => {}
            }
        }
        if let (Some(place), None, true) = (lowest, &self.paging, self.sync.is_idle()) {
            self.page_due = now < self.settles_until;
            if !self.page_due {
                self.paging = Some(place.clone());
                out.call(Call::Page(place));
            }
        }
    }

    /// One read serves every member whose cursor lies in it.
    pub(super) fn paged(&mut self, now: Moment, answer: Result<Page, BackboneError>, out: &mut impl Outlet) {
        let Some(after) = self.paging.take() else { return };
        let chain = self.chain.as_ref().filter(|chain| chain.epoch == after.epoch);
        let same_life = chain.is_some();
        // The log ends below what this node knows: nothing comes of asking for the page again.
        let is_short = |entries: &[Arc<Entry>]| {
            entries.is_empty() && chain.is_some_and(|chain| after.seq < chain.head().seq)
        };
        match answer {
            Ok(Page::Ok { entries, .. }) if same_life && !is_short(&entries) => {
                if self.learn(&entries) {
                    self.serve(after.seq, &entries, out);
                } else {
                    self.sync.doubt();
                }
            }
            // Others may be bringing what is missing: it is looked for again when they had their time.
            Ok(Page::Trimmed { .. }) if now < self.settles_until => {}
            Ok(Page::Trimmed { first, .. }) if same_life => self.trimmed(first, out),
            Ok(_) => self.sync.doubt(),
            // Reading on shows when the log is in reach again; then the page is asked for anew.
            Err(_) => self.sync.doubt(),
        }
    }

    /// What a page shows around the chain is known from now on: should it not survive, who was given it has to be
    /// told. False where it does not follow.
    fn learn(&mut self, entries: &[Arc<Entry>]) -> bool {
        let Some(chain) = &mut self.chain else { return false };
        let head = chain.head().seq;
        if entries.iter().any(|entry| chain.contradicts(entry)) {
            self.sync.suspect();
        }
        chain.prepend(&self.room, entries);
        let above = entries.iter().filter(|entry| entry.seq > head);
        above.cloned().all(|entry| chain.accept(&self.room, entry))
    }

    fn serve(&mut self, after: Seq, entries: &[Arc<Entry>], out: &mut impl Outlet) {
        let Some(chain) = &self.chain else { return };
        let (epoch, head) = (chain.epoch, chain.head().seq);
        let links: Vec<Link> = entries.iter().map(|entry| Link::new(&self.room, entry.clone())).collect();
        let last = entries.last().map_or(after, |entry| entry.seq);
        let conns: Vec<ConnId> = self.members.keys().copied().collect();
        for conn in conns {
            let Some(mut member) = self.members.remove(&conn) else { continue };
            if member.looks_back && member.cursor >= after {
                member.look_ahead();
            }
            if member.cursor >= after && member.cursor <= last {
                if let Some(resume) = member.unproved.take_if(|resume| resume.seq <= last || last >= head) {
                    let id_at =
                        |seq: Seq| entries.iter().find(|entry| entry.seq == seq).map(|entry| &entry.id);
                    let common = common_point(&resume, id_at).unwrap_or(Seq::START);
                    let mut hand = Hand { conn, room: &self.room, epoch, out };
                    let rewound = member.begin(common, resume.seq, head, &mut hand);
                    self.figures.rewinds += u64::from(rewound);
                }
                if member.unproved.is_none() {
                    let cursor = member.cursor;
                    let ahead = links.iter().skip_while(|link| link.entry.seq <= cursor);
                    member.give_all(ahead, &mut Hand { conn, room: &self.room, epoch, out });
                }
            }
            self.members.insert(conn, member);
        }
    }

    /// What lies below `first` is gone: members whose cursor is lower are told the exact range.
    pub(super) fn trimmed(&mut self, first: Seq, out: &mut impl Outlet) {
        let Some(chain) = &self.chain else { return };
        let (room, epoch, seq) = (self.room.clone(), chain.epoch, first.before());
        for (conn, member) in self.members.iter_mut().filter(|(_, member)| member.cursor < seq) {
            if let Some(resume) = member.unproved.take_if(|resume| resume.seq >= seq) {
                // It has seen on to what is left: only the proof began too low.
                member.cursor = seq;
                member.unproved = Some(resume);
                continue;
            }
            let seen = member.unproved.take().map_or(member.cursor, |resume| resume.seq);
            let (reason, lost_from, last_n) = ("trimmed".to_owned(), seen.next(), member.last_n);
            let (room, lost_to) = (room.clone(), Some(seq));
            let reset = Reset { room, reason, epoch, seq, id: None, lost_from, lost_to, last_n };
            self.figures.resets += 1;
            out.send(*conn, Frame::Reset(reset));
            member.cursor = seq;
            // What is left is replayed all the same.
            member.look_ahead();
            member.finish_replay(&mut Hand { conn: *conn, room: &self.room, epoch, out });
        }
    }

    /// The history above `to` did not survive: whoever has seen it is told, and reads on from there.
    pub(super) fn rewind_members(&mut self, epoch: Epoch, to: Seq, out: &mut impl Outlet) {
        self.doubt_numbers();
        for (conn, member) in &mut self.members {
            if member.unproved.is_some() && member.cursor <= to {
                // What it has seen is compared with the log before it is given anything.
                continue;
            }
            // Not even the beginning of its proof survived.
            let was_unproved = member.unproved.take().is_some();
            member.looks_back &= member.cursor <= to;
            if was_unproved || member.cursor > to {
                member.cursor = to;
                out.send(*conn, Frame::Rewind(epoch, to));
            }
            if let Some(replay) = &mut member.replay {
                replay.from = replay.from.min(to);
            }
        }
    }

    /// The log was lost and made anew: everyone goes on in the new one.
    pub(super) fn reset_members(&mut self, old: &Chain, out: &mut impl Outlet) {
        self.doubt_numbers();
        let Some(chain) = self.chain.take() else { return };
        for (conn, mut member) in std::mem::take(&mut self.members) {
            // What this node still has of the old one is given first, whatever the outbox says: it is not lost.
            for link in old.behind(member.cursor).into_iter().flatten() {
                member.give(link, &mut Hand { conn, room: &self.room, epoch: old.epoch, out });
            }
            let seen = member.unproved.take().map_or(member.cursor, |resume| resume.seq);
            let reset = reset_of_epoch(self, &chain, old.epoch, seen, 0);
            (member.cursor, member.last_n, member.replay) = (reset.seq, 0, None);
            // It sends again whatever it holds, from a number that only it knows.
            member.gate = None;
            member.looks_back = false;
            out.send(conn, Frame::Reset(reset));
            self.members.insert(conn, member);
        }
        self.chain = Some(chain);
    }
}
