//! Owns the members of a room on this node. A member is a cursor into the log: it is given the entry behind
//! its cursor and no other, whether that is live, replayed after a reconnect, or caught up with.

use std::sync::Arc;

use chat_protocol::{Epoch, MessageId, Reset, Resume, Resumed, RoomName, Seq, limits};

use super::chain::{Chain, Link};
use super::publish::Gate;
use super::{Call, ConnId, Frame, Joining, Moment, Outlet, RoomCore};
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
    /// Its outbox takes no more entries for now.
    full: bool,
    /// Its newest number that the log knows.
    pub(super) last_n: u64,
    /// A number it has to send before any higher one.
    pub(super) gate: Option<Gate>,
    /// Numbers what it sends without one.
    pub(super) producer: Option<MessageId>,
}

#[derive(Debug)]
struct Replay {
    from: Seq,
    to: Seq,
    recovered: u64,
    more: bool,
}

/// A connection that waits to come in.
#[derive(Debug)]
pub(super) struct Join {
    joining: Joining,
    /// What was done about a place above the head.
    claim: Claim,
}

/// A client claims to have seen more than this node knows: the log is read, then the other nodes are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    Unchecked,
    Read,
    Asked,
}

impl Member {
    fn new(cursor: Seq, last_n: u64) -> Self {
        Self { cursor, unproved: None, replay: None, full: false, last_n, gate: None, producer: None }
    }

    /// Gives one entry; says so when that completes the replay.
    fn give(&mut self, conn: ConnId, link: &Link, epoch: Epoch, out: &mut impl Outlet, room: &RoomName) {
        self.cursor = link.entry.seq;
        self.full = !out.send(conn, Frame::Entry(link.entry.seq, link.payload.clone()));
        if let Some(replay) = &mut self.replay {
            replay.recovered += 1;
        }
        self.finish_replay(conn, epoch, out, room);
    }

    /// Gives what follows the cursor until the outbox is full.
    fn give_all<'a>(
        &mut self,
        conn: ConnId,
        links: impl Iterator<Item = &'a Link>,
        epoch: Epoch,
        out: &mut impl Outlet,
        room: &RoomName,
    ) {
        for link in links {
            if self.full || link.entry.seq != self.cursor.next() {
                break;
            }
            self.give(conn, link, epoch, out, room);
        }
    }

    fn finish_replay(&mut self, conn: ConnId, epoch: Epoch, out: &mut impl Outlet, room: &RoomName) {
        if let Some(replay) = self.replay.take_if(|replay| self.cursor >= replay.to) {
            let Replay { from, recovered, more, .. } = replay;
            let (room, to, last_n) = (room.clone(), self.cursor, self.last_n);
            out.send(conn, Frame::Resumed(Resumed { room, epoch, from, to, recovered, last_n, more }));
        }
    }

    /// Sets off from a place that is certain; at most the newest entries are replayed.
    fn set_off(&mut self, from: Seq, head: Seq) {
        let oldest = Seq(head.0.saturating_sub(limits::REPLAY_ENTRIES_MAX));
        self.cursor = from.max(oldest);
        self.unproved = None;
        self.replay =
            Some(Replay { from: self.cursor, to: head.max(self.cursor), recovered: 0, more: from < oldest });
    }
}

/// The last place up to which a resume's tail and the log are the same. The same message at one place is no
/// proof: in another history it may have landed there behind other ones.
fn common_point<'a>(resume: &Resume, id_at: impl Fn(Seq) -> Option<&'a MessageId>) -> Option<Seq> {
    let newest = resume.id.as_ref().filter(|_| resume.tail.is_empty());
    let tail = resume.tail.iter().chain(newest);
    let first = (resume.seq.0 + 1).saturating_sub(resume.tail.len().max(1) as u64);
    let mut common = None;
    for (seq, id) in (first..).map(Seq).zip(tail) {
        match id_at(seq) {
            Some(here) if here == id => common = Some(seq),
            // Below what is held here: the rest has to tell.
            None if common.is_none() => {}
            _ => break,
        }
    }
    common
}

/// The place from which a page of the log shows whether a resume's place is in it.
fn proof_base(resume: &Resume, head: Seq) -> Seq {
    let reach = (resume.tail.len() as u64).max(1);
    Seq(resume.seq.0.saturating_sub(reach)).min(head)
}

impl RoomCore {
    pub(super) fn join(&mut self, joining: Joining) {
        self.empty_since = None;
        self.joins.push_back(Join { joining, claim: Claim::Unchecked });
    }

    pub(super) fn leave(&mut self, now: Moment, conn: ConnId) {
        self.joins.retain(|join| join.joining.conn != conn);
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

    /// Lets in those who wait, unless they claim a place that nobody was asked about yet.
    pub(super) fn admit(&mut self, now: Moment, out: &mut impl Outlet) {
        let Some(head) = self.head() else { return };
        for mut join in std::mem::take(&mut self.joins) {
            let above = |resume: &Resume| resume.epoch == head.epoch && resume.seq > head.seq;
            if !join.joining.resume.as_ref().is_some_and(above) || join.claim == Claim::Asked {
                self.enter(join.joining, &head, out);
                continue;
            }
            match join.claim {
                Claim::Unchecked => {
                    join.claim = Claim::Read;
                    self.sync.doubt();
                }
                Claim::Read if self.sync.may_ask(now) => {
                    join.claim = Claim::Asked;
                    self.sync.ask();
                }
                // Others claim too: one round at a time.
                Claim::Read | Claim::Asked => {}
            }
            self.joins.push_back(join);
        }
    }

    /// When a claim that waits for its round is looked at again.
    pub(super) fn claim_deadline(&self) -> Option<Moment> {
        let waits = self.joins.iter().any(|join| join.claim == Claim::Read);
        self.sync.next_ask().filter(|_| waits && self.sync.is_idle())
    }

    fn enter(&mut self, joining: Joining, head: &Place, out: &mut impl Outlet) {
        let Joining { conn, resume, last_n, re } = joining;
        out.send(conn, Frame::Joined { head: head.clone(), last_n, re });
        let mut member = Member::new(head.seq, last_n);
        match resume {
            None => {}
            Some(resume) if resume.epoch != head.epoch => {
                let chain = self.chain.as_ref().expect("admitted only with a chain");
                // The cursor's log is gone: everything of the new one follows.
                let reset = reset_of_epoch(self, chain, resume.epoch, resume.seq, last_n);
                member.cursor = reset.seq;
                self.figures.resets += 1;
                out.send(conn, Frame::Reset(reset));
            }
            Some(resume) => self.resume(&mut member, conn, resume, out),
        }
        self.members.insert(conn, member);
    }

    /// Finds where a returning member's history and the log's part, in the chain where it reaches that far.
    fn resume(&mut self, member: &mut Member, conn: ConnId, resume: Resume, out: &mut impl Outlet) {
        let chain = self.chain.as_ref().expect("admitted only with a chain");
        let head = chain.head();
        let unproved = resume.id.is_none() && resume.tail.is_empty() && resume.seq <= head.seq;
        let known = if unproved {
            // At the start there is nothing to prove; a client that brings no proof elsewhere wants none.
            Some(resume.seq)
        } else {
            common_point(&resume, |seq| chain.id_at(seq).filter(|_| seq <= head.seq))
        };
        match known {
            Some(common) => self.begin(member, conn, common, resume.seq, out),
            None => {
                member.cursor = proof_base(&resume, head.seq);
                member.replay = Some(Replay { from: member.cursor, to: head.seq, recovered: 0, more: false });
                member.unproved = Some(Box::new(resume));
            }
        }
    }

    /// The member's history is certain up to `common`; it has seen on to `seen`.
    fn begin(&mut self, member: &mut Member, conn: ConnId, common: Seq, seen: Seq, out: &mut impl Outlet) {
        let chain = self.chain.as_ref().expect("members need a chain");
        if common < seen {
            self.figures.rewinds += 1;
            out.send(conn, Frame::Rewind(chain.epoch, common));
        }
        member.set_off(common, chain.head().seq);
        member.finish_replay(conn, chain.epoch, out, &self.room);
    }

    /// Moves every cursor as far as it can go, and asks for a page where the chain does not reach.
    pub(super) fn pump(&mut self, out: &mut impl Outlet) {
        let Some(chain) = &self.chain else { return };
        let head = chain.head().seq;
        let mut lowest: Option<Place> = None;
        for (conn, member) in &mut self.members {
            if member.full || (member.cursor >= head && member.unproved.is_none()) {
                continue;
            }
            let links = if member.unproved.is_none() { chain.behind(member.cursor) } else { None };
            match links {
                Some(links) => member.give_all(*conn, links, chain.epoch, out, &self.room),
                None if lowest.as_ref().is_none_or(|place| member.cursor < place.seq) => {
                    lowest = Some(Place { epoch: chain.epoch, seq: member.cursor, id: None });
                }
                None => {}
            }
        }
        if let (Some(place), None, true) = (lowest, &self.paging, self.sync.is_idle()) {
            self.paging = Some(place.clone());
            out.call(Call::Page(place));
        }
    }

    /// One read serves every member whose cursor lies in it.
    pub(super) fn paged(&mut self, answer: Result<Page, BackboneError>, out: &mut impl Outlet) {
        let Some(after) = self.paging.take() else { return };
        let same_life = self.chain.as_ref().is_some_and(|chain| chain.epoch == after.epoch);
        match answer {
            Ok(Page::Ok { entries, .. }) if same_life => self.serve(after.seq, &entries, out),
            Ok(Page::Trimmed { first, .. }) if same_life => self.trimmed(first, out),
            Ok(_) => self.sync.doubt(),
            Err(error) => self.sync.fail(&error),
        }
    }

    fn serve(&mut self, after: Seq, entries: &[Arc<Entry>], out: &mut impl Outlet) {
        let Some(chain) = &self.chain else { return };
        let (epoch, head) = (chain.epoch, chain.head().seq);
        let links: Vec<Link> = entries.iter().map(|entry| Link::new(&self.room, entry.clone())).collect();
        let last = entries.last().map_or(after, |entry| entry.seq);
        let conns: Vec<ConnId> = self.members.keys().copied().collect();
        for conn in conns {
            let Some(mut member) = self.members.remove(&conn) else { continue };
            if member.cursor >= after && member.cursor <= last {
                if let Some(resume) = member.unproved.take_if(|resume| resume.seq <= last || last >= head) {
                    let id_at =
                        |seq: Seq| entries.iter().find(|entry| entry.seq == seq).map(|entry| &entry.id);
                    let common = common_point(&resume, id_at).unwrap_or(Seq::START);
                    self.begin(&mut member, conn, common, resume.seq, out);
                }
                if member.unproved.is_none() {
                    let cursor = member.cursor;
                    let ahead = links.iter().skip_while(|link| link.entry.seq <= cursor);
                    member.give_all(conn, ahead, epoch, out, &self.room);
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
            let lost_to = Some(seq);
            member.cursor = seq;
            member.replay = None;
            self.figures.resets += 1;
            let room = room.clone();
            out.send(
                *conn,
                Frame::Reset(Reset { room, reason, epoch, seq, id: None, lost_from, lost_to, last_n }),
            );
        }
    }

    /// The history above `to` did not survive: whoever has seen it is told, and reads on from there.
    pub(super) fn rewind_members(&mut self, epoch: Epoch, to: Seq, out: &mut impl Outlet) {
        for (conn, member) in &mut self.members {
            if member.unproved.is_some() {
                // What it has seen is compared with the log before it is given anything.
                member.cursor = member.cursor.min(to);
            } else if member.cursor > to {
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
        let Some(chain) = self.chain.take() else { return };
        for (conn, mut member) in std::mem::take(&mut self.members) {
            // What this node still has of the old one is given first, whatever the outbox says: it is not lost.
            for link in old.behind(member.cursor).into_iter().flatten() {
                member.give(conn, link, old.epoch, out, &self.room);
            }
            let seen = member.unproved.take().map_or(member.cursor, |resume| resume.seq);
            let reset = reset_of_epoch(self, &chain, old.epoch, seen, 0);
            (member.cursor, member.last_n, member.replay) = (reset.seq, 0, None);
            out.send(conn, Frame::Reset(reset));
            self.members.insert(conn, member);
        }
        self.chain = Some(chain);
    }
}

/// What to tell somebody who has seen `seen` of a former life of the log.
fn reset_of_epoch(core: &RoomCore, chain: &Chain, epoch: Epoch, seen: Seq, last_n: u64) -> Reset {
    let last_known = chain.before.filter(|(before, _)| *before == epoch).map(|(_, last)| last.max(seen));
    Reset {
        room: core.room.clone(),
        reason: "epoch".to_owned(),
        epoch: chain.epoch,
        seq: Seq::START,
        id: None,
        lost_from: seen.next(),
        lost_to: last_known,
        last_n,
    }
}
