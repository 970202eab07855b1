//! Owns how somebody comes into a room, for the first time or again: in what order, what it claims to have
//! seen, and where its history and the log's part.

use std::collections::BTreeSet;

use chat_protocol::{Epoch, MessageId, Reset, Resume, Seq};

use super::chain::Chain;
use super::member::{Hand, Member};
use super::{ConnId, Frame, Joining, Moment, Outlet, RoomCore};
use crate::backbone::Place;

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

/// The last place up to which a resume's tail and the log are the same. The same message at one place is no
/// proof: in another history it may have landed there behind other ones.
pub(super) fn common_point<'a>(resume: &Resume, id_at: impl Fn(Seq) -> Option<&'a MessageId>) -> Option<Seq> {
    let newest = resume.id.as_ref().filter(|_| resume.tail.is_empty());
    let tail = resume.tail.iter().chain(newest);
    let first = resume.seq.next().0.saturating_sub(resume.tail.len().max(1) as u64);
    let mut common = None;
    for (seq, id) in (0..).map(|ahead| Seq(first.saturating_add(ahead))).zip(tail) {
        match id_at(seq) {
            Some(here) if here == id => common = Some(seq),
            // Below what is held here: the rest has to tell.
            None if common.is_none() => {}
            _ => break,
        }
    }
    common
}

/// True where the chain alone shows whether a resume's place is in it.
fn proves(chain: &Chain, resume: &Resume) -> bool {
    let base = proof_base(resume, chain.head().seq);
    // Where it begins it knows what stands there, though it has no entry of it.
    chain.base().seq <= base || chain.id_at(base.next()).is_some()
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

    /// The log is not what it was. Its numbers of those who wait were read before, and it may know less now: they
    /// send again what they hold, and the log takes each message once.
    pub(super) fn doubt_numbers(&mut self) {
        self.joins.iter_mut().for_each(|join| join.joining.last_n = 0);
    }

    pub(super) fn forget_join(&mut self, conn: ConnId) {
        self.joins.retain(|join| join.joining.conn != conn);
    }

    /// Lets in those who wait, unless they claim a place that nobody was asked about yet.
    pub(super) fn admit(&mut self, now: Moment, out: &mut impl Outlet) {
        let Some(head) = self.head() else { return };
        let mut waiting = BTreeSet::new();
        for mut join in std::mem::take(&mut self.joins) {
            if waiting.contains(&join.joining.conn) {
                // Let in without what it has seen, it would be given that again.
                self.joins.push_back(join);
                continue;
            }
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
            waiting.insert(join.joining.conn);
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
        if resume.is_none() && self.members.contains_key(&conn) {
            // It is in already, and perhaps behind: its cursor stays where it is.
            return;
        }
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
        } else if proves(chain, &resume) {
            common_point(&resume, |seq| chain.id_at(seq).filter(|_| seq <= head.seq))
        } else {
            // A part of the proof is none: the log is read for the rest.
            None
        };
        match known {
            Some(common) => {
                let mut hand = Hand { conn, room: &self.room, epoch: head.epoch, out };
                let rewound = member.begin(common, resume.seq, head.seq, &mut hand);
                self.figures.rewinds += u64::from(rewound);
            }
            None => {
                member.prove(proof_base(&resume, head.seq), head.seq, resume);
            }
        }
    }
}

/// What to tell somebody who has seen `seen` of a former life of the log.
pub(super) fn reset_of_epoch(core: &RoomCore, chain: &Chain, epoch: Epoch, seen: Seq, last_n: u64) -> Reset {
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
