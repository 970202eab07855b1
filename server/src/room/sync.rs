//! Owns what is done when the log and this node's chain may not agree: read on, bring what the log lost,
//! ask the others, follow the history that won. One question at a time; publishing waits meanwhile.
//!
//! - `others`: what nodes ask each other.

use std::collections::BTreeSet;
use std::time::Duration;

use chat_protocol::{NodeId, Seq};

use super::chain::Chain;
use super::{Call, Moment, Outlet, RoomCore};
use crate::backbone::{BackboneError, Head, Page, Place, Repaired, Run};

mod others;

/// How long nodes that were asked have for their answer.
const ASK_MAX: Duration = Duration::from_millis(500);
/// How long a recovery round gives every node to bring what it has; a little over the settling time.
const ROUND: Duration = Duration::from_millis(350);
/// Rounds after which what nobody brought counts as gone.
const ROUNDS_MAX: u32 = 2;
/// Between two rounds that a client's claim opens.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// The first pause after a failed call; doubles to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(50);
/// The longest such pause.
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// How sure this node is of the log, and what it does about it.
#[derive(Debug, Default)]
pub(super) struct Sync {
    step: Step,
    /// Something did not fit: read on as soon as nothing else is under way.
    doubt: bool,
    /// What this node holds may not be what the log holds: the newest places are compared, one by one.
    suspicion: bool,
    /// Somebody may need what this node has: bring it.
    repair_due: bool,
    /// Compare heads, cheaply.
    compare_due: bool,
    /// Ask the others what they have.
    ask_due: bool,
    asked_at: Option<Moment>,
    /// Rounds opened in this recovery.
    rounds: u32,
    /// The lowest head seen in this recovery: above it the log may have been written anew meanwhile.
    lowest: Option<Seq>,
    /// Something was written in this recovery where this node cannot compare it.
    written_anew: bool,
    /// Nodes that wait for this one's answer.
    askers: Vec<NodeId>,
    not_before: Moment,
    backoff: Duration,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Idle,
    /// [`Call::Head`] is in flight. `asked`: in this round the others had nothing; if the log has nothing
    /// either, it is made.
    Heading { asked: Option<u64> },
    /// [`Call::Read`] behind the head is in flight.
    Reading,
    /// [`Call::Read`] of what this node holds at its end is in flight, which ended there.
    Proving { end: Seq },
    /// [`Call::Read`] behind the chain's base is in flight: where do the histories part?
    Scanning,
    /// [`Call::Repair`] is in flight.
    Repairing,
    /// [`Call::Ask`] is in flight.
    Asking,
    /// These nodes were asked and have not answered.
    Waiting { round: u64, nodes: BTreeSet<NodeId>, until: Moment },
    /// A round is open: others bring what they have until then.
    Round { until: Moment },
}

impl Sync {
    pub(super) fn is_idle(&self) -> bool {
        self.step == Step::Idle && !self.doubt && !self.repair_due && !self.ask_due
    }

    pub(super) fn doubt(&mut self) {
        self.doubt = true;
    }

    /// The log may hold something else than this node, where it ends or below.
    pub(super) fn suspect(&mut self) {
        (self.doubt, self.suspicion) = (true, true);
    }

    /// The backbone is back, and the log may differ, at its beginning too: what follows the chain is read, then
    /// heads are compared. Pauses between failed calls are over.
    pub(super) fn stale(&mut self) {
        self.suspect();
        self.compare_heads();
        self.backoff = Duration::ZERO;
    }

    pub(super) fn compare_heads(&mut self) {
        self.compare_due = true;
    }

    pub(super) fn ask(&mut self) {
        self.ask_due = true;
    }

    pub(super) fn is_asking(&self) -> bool {
        self.ask_due
    }

    /// One round for clients' claims at a time: a claim costs a client nothing.
    pub(super) fn may_ask(&self, now: Moment) -> bool {
        self.asked_at.is_none_or(|at| now >= at + ASK_AGAIN)
    }

    /// When the next such round may be opened.
    pub(super) fn next_ask(&self) -> Option<Moment> {
        self.asked_at.map(|at| at + ASK_AGAIN)
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        match &self.step {
            Step::Waiting { until, .. } | Step::Round { until } => Some(*until),
            Step::Idle if !self.is_idle() || self.compare_due => Some(self.not_before),
            _ => None,
        }
    }

    /// When the next question may be asked, unless one is under way.
    pub(super) fn next_try(&self) -> Option<Moment> {
        (self.step == Step::Idle).then_some(self.not_before)
    }

    /// A call failed: its outcome is unknown, the question stays.
    pub(super) fn fail(&mut self) {
        self.doubt = true;
        self.suspicion |= matches!(self.step, Step::Proving { .. });
        self.step = Step::Idle;
        self.backoff = (self.backoff * 2).clamp(BACKOFF_MIN, BACKOFF_MAX);
    }

    fn saw_head(&mut self, head: &Place) {
        self.lowest = Some(self.lowest.map_or(head.seq, |lowest| lowest.min(head.seq)));
    }

    /// An entry was published below where this node began to hold the log, and it does not know what stood there: in a
    /// recovery, or where it cannot be a word that was late, the log has been written anew from there on.
    pub(super) fn saw_below(&mut self, seq: Seq, is_new: bool) {
        if is_new {
            self.lowest = Some(self.lowest.map_or(seq.before(), |lowest| lowest.min(seq.before())));
            self.suspect();
        }
        self.written_anew |= self.lowest.is_some();
    }

    /// Where history is cut when nobody brought what stood above the log's head.
    pub(super) fn lowest(&self, head: &Place) -> Seq {
        self.lowest.map_or(head.seq, |lowest| lowest.min(head.seq))
    }

    pub(super) fn start_scan(&mut self) {
        self.step = Step::Scanning;
    }

    /// History was cut: what follows is another recovery.
    pub(super) fn start_anew(&mut self) {
        (self.rounds, self.lowest, self.written_anew) = (0, None, false);
        self.doubt();
    }

    fn done(&mut self) {
        // What was suspected meanwhile is not answered yet.
        (self.step, self.doubt, self.backoff) = (Step::Idle, self.suspicion, Duration::ZERO);
        (self.rounds, self.lowest, self.written_anew) = (0, None, false);
    }
}

impl RoomCore {
    /// Takes the next step, if one is due and none under way.
    pub(super) fn advance_sync(&mut self, now: Moment, out: &mut impl Outlet) {
        match &self.sync.step {
            Step::Waiting { round, nodes, until } if nodes.is_empty() || now >= *until => {
                self.sync.step = Step::Heading { asked: Some(*round) };
                return out.call(Call::Head);
            }
            Step::Round { until } if now >= *until => self.sync.step = Step::Idle,
            Step::Idle => {}
            _ => return,
        }
        if self.sync.backoff > Duration::ZERO && self.sync.not_before <= now {
            self.sync.not_before = now + self.sync.backoff;
        } else if self.sync.backoff > Duration::ZERO {
            return;
        }
        self.next_step(now, out);
    }

    fn next_step(&mut self, now: Moment, out: &mut impl Outlet) {
        let can_restore = self.chain.as_ref().is_some_and(Chain::can_restore);
        // Who knows nothing of the log cannot be wrong about it.
        self.sync.doubt &= self.chain.is_some();
        self.sync.suspicion &= self.chain.is_some();
        if self.sync.repair_due && can_restore {
            self.sync.repair_due = false;
            self.repair(out);
        } else if std::mem::take(&mut self.sync.ask_due) {
            self.sync.asked_at = Some(now);
            self.sync.step = Step::Asking;
            out.call(Call::Ask);
        } else if let Some(chain) = self.chain.as_ref().filter(|_| self.sync.doubt) {
            let is_suspect = std::mem::take(&mut self.sync.suspicion);
            let (end, from) = (chain.head().seq, if is_suspect { chain.proof() } else { chain.head() });
            self.sync.step = if is_suspect { Step::Proving { end } } else { Step::Reading };
            out.call(Call::Read(from));
        } else if self.sync.compare_due || self.is_wanted() {
            self.sync.compare_due = false;
            self.sync.step = Step::Heading { asked: None };
            out.call(Call::Head);
        }
        if !can_restore && std::mem::take(&mut self.sync.repair_due) {
            self.answer_askers(out);
        }
    }

    fn repair(&mut self, out: &mut impl Outlet) {
        let Some(chain) = &self.chain else { return };
        self.sync.step = Step::Repairing;
        out.call(Call::Repair(Run { epoch: chain.epoch, entries: chain.run(), records: Vec::new() }));
    }

    /// Where the log stands, or that there is none.
    pub(super) fn headed(
        &mut self,
        now: Moment,
        answer: Result<Option<Head>, BackboneError>,
        out: &mut impl Outlet,
    ) {
        let Step::Heading { asked } = self.sync.step else { return };
        self.sync.step = Step::Idle;
        if !matches!(answer, Ok(Some(_))) {
            // Whoever waits may have been told of a log that is gone.
            self.doubt_numbers();
        }
        match (answer, &self.chain) {
            (Err(_), _) => self.sync.fail(),
            (Ok(Some(head)), None) => {
                self.chain = Some(Chain::at(head.place, head.before));
                self.opened = now;
                self.sync.done();
            }
            (Ok(Some(head)), Some(chain)) if chain.reaches_before(&head) => self.sync.repair_due = true,
            (Ok(Some(head)), Some(chain))
                if chain.head() == head.place && !chain.has_hole() && !self.sync.written_anew =>
            {
                self.sync.done();
            }
            (Ok(Some(_)), Some(_)) => self.sync.doubt(),
            (Ok(None), Some(chain)) if chain.has_entries() => self.sync.repair_due = true,
            (Ok(None), chain) => match asked {
                None => self.sync.ask(),
                Some(round) => {
                    // Nobody alive has anything of it: the log begins (anew).
                    self.sync.step = Step::Heading { asked: None };
                    out.call(Call::Create(round, chain.as_ref().map(Chain::top)));
                }
            },
        }
        self.heard = now;
    }

    /// What follows the chain's head (or its base, while scanning) in the log.
    pub(super) fn read(&mut self, now: Moment, answer: Result<Page, BackboneError>, out: &mut impl Outlet) {
        let scanning = self.sync.step == Step::Scanning;
        let proving = match self.sync.step {
            Step::Proving { end } => Some(end),
            _ => None,
        };
        if !scanning && proving.is_none() && self.sync.step != Step::Reading {
            return;
        }
        self.heard = now;
        if answer.is_err() {
            return self.sync.fail();
        }
        self.sync.step = Step::Idle;
        match answer {
            Err(_) => {}
            Ok(Page::Ok { entries, head }) if proving.is_some() && self.is_contradicted(&entries) => {
                self.part_in(&entries, &head, out);
            }
            Ok(Page::Ok { head, .. }) if proving.is_some_and(|end| head.seq < end) => {
                self.lost(now, Some(head), out);
            }
            // The log lost the beginning of the proof: where it ends has to do.
            Ok(Page::Trimmed { .. }) if proving.is_some() => self.sync.doubt(),
            Ok(Page::Ok { entries, head }) if scanning => self.part(&entries, &head, out),
            Ok(Page::Ok { head, .. }) if self.sync.written_anew => self.shorten(&head, out),
            Ok(Page::Ok { entries, head }) => {
                self.make_way(&entries);
                let Some(chain) = &mut self.chain else { return };
                self.figures.reads += u64::from(!entries.is_empty());
                let fits =
                    entries.into_iter().all(|entry| chain.accept(&self.room, entry) || chain.has_hole());
                let reached = fits && chain.head().seq >= head.seq;
                if reached && chain.has_hole() {
                    self.hole_stays(now);
                } else if reached {
                    self.sync.done();
                }
            }
            Ok(Page::Lost) => self.lost(now, None, out),
            Ok(Page::Behind(head)) => self.lost(now, Some(head), out),
            Ok(Page::Epoch(head)) => self.follow(&head, out),
            Ok(Page::Fork(_)) if scanning => self.part_below(Seq::START, out),
            Ok(Page::Fork(_)) => self.scan(out),
            Ok(Page::Trimmed { first, .. }) if scanning => self.scan_above(first, out),
            Ok(Page::Trimmed { first, head }) => {
                let place = Place { epoch: head.epoch, seq: first.before(), id: None };
                // Members that have not seen so far are told when they ask for the page that is not there.
                self.chain = Some(Chain::at(place, None));
                self.sync.doubt();
            }
        }
    }

    /// The log ends below a hole: what this node knows above it was lost. Others are asked for what lies
    /// between; after two rounds what stands above is offered to the log anew.
    fn hole_stays(&mut self, now: Moment) {
        let Some(chain) = &mut self.chain else { return };
        if self.sync.rounds < ROUNDS_MAX {
            self.sync.rounds += 1;
            self.sync.asked_at = Some(now);
            return self.sync.ask();
        }
        let orphans = chain.cut(chain.head().seq);
        self.adopt_orphans(&orphans);
        self.sync.start_anew();
    }

    /// The log lacks what this node has, or knows to have been.
    fn lost(&mut self, now: Moment, head: Option<Place>, out: &mut impl Outlet) {
        self.doubt_numbers();
        let has_entries = self.chain.as_ref().is_some_and(Chain::has_entries);
        head.iter().for_each(|head| self.sync.saw_head(head));
        match head {
            _ if has_entries => self.sync.repair_due = true,
            Some(head) if self.sync.rounds >= ROUNDS_MAX => self.shorten(&head, out),
            Some(_) => {
                self.sync.rounds += 1;
                self.sync.asked_at = Some(now);
                self.sync.ask();
            }
            None => self.sync.ask(),
        }
    }

    /// The answer to what this node brought.
    pub(super) fn repaired(
        &mut self,
        now: Moment,
        answer: Result<Repaired, BackboneError>,
        out: &mut impl Outlet,
    ) {
        if self.sync.step != Step::Repairing {
            return;
        }
        self.sync.step = Step::Idle;
        self.sync.doubt();
        match answer {
            Err(_) => {
                self.sync.repair_due = true;
                return self.sync.fail();
            }
            Ok(Repaired::Ok { restored, .. }) => {
                self.figures.repairs += u64::from(restored > 0);
                if restored > 0 {
                    self.settles_until = now + ROUND;
                }
            }
            Ok(Repaired::Epoch(head)) => self.follow(&head, out),
            Ok(Repaired::Fork(_)) => self.scan(out),
            Ok(Repaired::Hole(head)) => {
                self.sync.saw_head(&head);
                if self.sync.rounds >= ROUNDS_MAX {
                    self.shorten(&head, out);
                } else {
                    self.sync.rounds += 1;
                    self.sync.step = Step::Round { until: now + ROUND };
                }
            }
            Ok(Repaired::Bad) => unreachable!("a chain's run is contiguous"),
        }
        self.answer_askers(out);
    }
}
