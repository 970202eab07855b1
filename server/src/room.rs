//! Owns one room on one node: the newest part of its log, the members here with their cursors, the
//! messages on their way into the log, and the recovery of a log that others have lost.
//!
//! Sans-IO: [`Input`]s come in with the time, [`Call`]s to the backbone and [`Frame`]s to members go out
//! through an [`Outlet`]. The hub runs it on sockets, the simulator on a virtual clock. It knows no
//! encoding, no socket, and no backbone but by its words.
//!
//! - `chain`: the contiguous end of the log that this node holds, and what stands above a hole.
//! - `entered`: what a member was told of the log beside its entries.
//! - `entrance`: who comes in, or back, and what is proved of what it claims to have seen.
//! - `member`: a member is a cursor; live fan-out, replay and catching up are one movement of it.
//! - `publish`: one batch in flight, the rest queued; numbers refused, gone back to, voided.
//! - `sync`: what to do when the log and the chain may not agree; `fork`: when they do not.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{
    Ack, Acked, ClientId, Epoch, ErrorMessage, NodeId, Payload, Re, Reset, Resume, Resumed, RoomName, Seq,
};

use crate::backbone::{Asked, BackboneError, Entry, Head, Item, Page, Place, Published, Repaired, Run};

mod chain;
mod entered;
mod entrance;
mod fork;
mod member;
mod publish;
mod sync;
#[cfg(test)]
mod tests;

use chain::Chain;
pub use entered::Entered;
use entrance::Join;
use member::Member;
use publish::Queue;
use sync::Sync;

/// A moment on the caller's clock.
pub type Moment = Duration;

/// How long a room without members keeps its chain: it may be the last to know the log.
pub const RING_KEPT: Duration = Duration::from_secs(300);
/// Heads are compared when nothing was heard of a room with members for this long.
const IDLE_CHECK: Duration = Duration::from_secs(5);
/// The same of the log of a user: there are as many as users, and seldom anything in them.
const IDLE_CHECK_HIDDEN: Duration = Duration::from_secs(30);
/// A feed that is later than that is given up (its word is asked for once a second and may take one); what it says so
/// long after a log's head was read is new.
const FEED_LATE_MAX: Duration = Duration::from_secs(2);
/// Entries in one answer to [`Call::Read`] or [`Call::Page`].
pub const READ_ENTRIES: usize = 500;

/// A connection, unique in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub u64);

/// Where the core's words go.
pub trait Outlet {
    /// A call to the backbone; its answer comes back as the [`Input`] that [`Call`] names.
    fn call(&mut self, call: Call);
    /// A frame to a member. False: taken, but no more entries until [`Input::Drained`].
    fn send(&mut self, to: ConnId, frame: Frame) -> bool;
}

/// A call to the backbone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Answered by [`Input::Head`].
    Head,
    /// Answered by [`Input::Read`].
    Read(Place),
    /// For members whose cursor lies below the chain; answered by [`Input::Paged`].
    Page(Place),
    /// Answered by [`Input::Published`].
    Publish(Place, Vec<Item>),
    /// Answered by [`Input::Repaired`].
    Repair(Run),
    /// Answered by [`Input::Asking`].
    Ask,
    /// Not answered.
    Answer(NodeId),
    /// In the round in which nobody had anything. Answered by [`Input::Head`].
    Create(u64, Option<Place>),
}

/// What a member is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The next entry.
    Entry(Seq, Payload),
    /// The member is in; the log stands here.
    Joined {
        /// The log's head when the member came in.
        head: Place,
        /// The member's newest number in it.
        last_n: u64,
        /// The request this answers.
        re: Option<Re>,
    },
    /// The replay is complete.
    Resumed(Resumed),
    /// History is gone.
    Reset(Reset),
    /// What stands above the place did not survive.
    Rewind(Epoch, Seq),
    /// A message of the member's is in the log.
    Ack(Ack),
    /// A message of the member's was refused.
    Error(ErrorMessage),
    /// A newer connection of the member's client has published: this one is to be closed.
    Fenced,
}

/// What happens to a room.
#[derive(Debug)]
pub enum Input {
    /// A connection comes in.
    Join(Joining),
    /// A connection goes.
    Leave(ConnId),
    /// A member says something.
    Publish(Publishing),
    /// A member's outbox has room again.
    Drained(ConnId),
    /// New entries of the log, from the feed.
    Feed(Epoch, Vec<Arc<Entry>>),
    /// A recovery round is open; the log stands there.
    Round(Option<Head>),
    /// A node asks whether this one has something of the room.
    Asked(NodeId),
    /// A node has answered [`Call::Ask`].
    Answered(NodeId),
    /// Events of the feed were lost.
    Stale,
    /// Answers [`Call::Head`] and [`Call::Create`].
    Head(Result<Option<Head>, BackboneError>),
    /// Answers [`Call::Read`].
    Read(Result<Page, BackboneError>),
    /// Answers [`Call::Page`].
    Paged(Result<Page, BackboneError>),
    /// Answers [`Call::Publish`].
    Published(Result<Published, BackboneError>),
    /// Answers [`Call::Repair`].
    Repaired(Result<Repaired, BackboneError>),
    /// Answers [`Call::Ask`]: these nodes were asked.
    Asking(Result<Asked, BackboneError>),
    /// The time [`RoomCore::deadline`] named has come.
    Tick,
}

impl Input {
    /// Why the call failed that this answers.
    pub(crate) fn failure(&self) -> Option<&BackboneError> {
        match self {
            Self::Head(answer) => answer.as_ref().err(),
            Self::Read(answer) | Self::Paged(answer) => answer.as_ref().err(),
            Self::Published(answer) => answer.as_ref().err(),
            Self::Repaired(answer) => answer.as_ref().err(),
            Self::Asking(answer) => answer.as_ref().err(),
            _ => None,
        }
    }
}

/// A connection that comes in.
#[derive(Debug, Clone)]
pub struct Joining {
    /// Which.
    pub conn: ConnId,
    /// How far its client has seen the room.
    pub resume: Option<Resume>,
    /// The client's newest number that the log knows.
    pub last_n: u64,
    /// The request to answer.
    pub re: Option<Re>,
}

/// A message that a member sends.
#[derive(Debug, Clone)]
pub struct Publishing {
    /// By which connection.
    pub conn: ConnId,
    /// Its client and the connection's generation.
    pub client: ClientId,
    /// Grows with each connection of the client.
    pub generation: u64,
    /// The client's number; none: it wants neither ack nor dedupe.
    pub n: Option<u64>,
    /// The client's evidence for it.
    pub acked: Option<Acked>,
    /// Of the content.
    pub digest: u64,
    /// The encoded body; none: the number is void.
    pub body: Option<bytes::Bytes>,
    /// Why it must not get in, unless it is in already: dedupe comes before policy.
    pub refusal: Option<ErrorMessage>,
    /// The request to answer.
    pub re: Option<Re>,
}

/// One room on one node.
#[derive(Debug)]
pub struct RoomCore {
    room: RoomName,
    /// None until the log's head is known.
    chain: Option<Chain>,
    sync: Sync,
    members: BTreeMap<ConnId, Member>,
    /// Those who came while the chain was unknown or in doubt.
    joins: VecDeque<Join>,
    queue: Queue,
    /// A read for members below the chain is in flight, from here.
    paging: Option<Place>,
    /// Until then others may bring what a page of the log does not show.
    settles_until: Moment,
    /// Members wait for a page that may show it.
    page_due: bool,
    /// When the room was last heard of.
    heard: Moment,
    /// When the log's head was read first.
    opened: Moment,
    /// Since when it has no members.
    empty_since: Option<Moment>,
    /// Counted for logs and metrics.
    figures: Figures,
}

/// What a room has been through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Reads that filled a hole or caught up.
    pub reads: u64,
    /// Repairs that put entries back.
    pub repairs: u64,
    /// Times the log's history won over this node's.
    pub rewinds: u64,
    /// Times history was gone.
    pub resets: u64,
    /// Entries of a history that lost which nobody could place again here; their authors hold them too.
    pub orphans_dropped: u64,
}

impl RoomCore {
    /// A room nobody has asked for yet.
    pub fn new(room: RoomName, now: Moment) -> Self {
        Self {
            room,
            chain: None,
            sync: Sync::default(),
            members: BTreeMap::new(),
            joins: VecDeque::new(),
            queue: Queue::default(),
            paging: None,
            settles_until: Moment::ZERO,
            page_due: false,
            heard: now,
            opened: now,
            empty_since: Some(now),
            figures: Figures::default(),
        }
    }

    /// What the room has been through.
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// The log's word on something this connection has said is not there yet.
    pub fn owes(&self, conn: ConnId) -> bool {
        self.queue.holds(conn)
    }

    /// Where the chain stands; none until it is known.
    pub fn head(&self) -> Option<Place> {
        self.chain.as_ref().map(Chain::head)
    }

    /// True once nobody has been here for so long that the chain need not be kept.
    pub fn is_over(&self, now: Moment) -> bool {
        let idle = self.joins.is_empty() && self.queue.is_empty();
        idle && self.empty_since.is_some_and(|since| now >= since + self.kept())
    }

    /// How long the room is kept without members: one in which nothing was ever said is not worth it.
    fn kept(&self) -> Duration {
        let has_entries = self.chain.as_ref().is_some_and(|chain| chain.head().seq > Seq::START);
        if has_entries { RING_KEPT } else { Duration::ZERO }
    }

    /// When [`Input::Tick`] is due.
    pub fn deadline(&self) -> Option<Moment> {
        let idle = (!self.members.is_empty()).then_some(self.heard + self.idle_check());
        // A room that need not be kept is over with its last member: that needs no waiting for.
        let kept = Some(self.kept()).filter(|kept| !kept.is_zero() && self.queue.is_empty());
        let over = self.empty_since.zip(kept).map(|(since, kept)| since + kept);
        // While the log is in doubt nothing is published: only the answer to that doubt is waited for.
        let queue = self.queue.deadline().filter(|_| self.sync.is_idle());
        let opens = self.is_wanted().then(|| self.sync.next_try()).flatten();
        let page = self.page_due.then_some(self.settles_until);
        [idle, over, self.sync.deadline(), opens, page, queue, self.claim_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn idle_check(&self) -> Duration {
        if self.room.is_hidden() { IDLE_CHECK_HIDDEN } else { IDLE_CHECK }
    }

    /// Somebody waits to come in, and where the log stands is not known yet.
    fn is_wanted(&self) -> bool {
        self.chain.is_none() && !self.joins.is_empty()
    }

    /// Takes one input. What follows from it goes out before this returns.
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut impl Outlet) {
        match input {
            Input::Join(joining) => self.join(joining),
            Input::Leave(conn) => self.leave(now, conn),
            Input::Publish(publishing) => self.submit(publishing, out),
            Input::Drained(conn) => self.drained(conn),
            Input::Feed(epoch, entries) => self.feed(now, epoch, entries),
            Input::Round(head) => self.round(now, head.as_ref()),
            Input::Asked(from) => self.asked(from, out),
            Input::Answered(from) => self.answered(&from),
            Input::Stale => {
                self.sync.stale();
                self.queue.retry_now();
            }
            Input::Head(answer) => self.headed(now, answer, out),
            Input::Read(answer) => self.read(now, answer, out),
            Input::Paged(answer) => self.paged(now, answer, out),
            Input::Published(answer) => self.published(now, answer, out),
            Input::Repaired(answer) => self.repaired(now, answer, out),
            Input::Asking(answer) => self.asking(now, answer),
            Input::Tick => self.tick(now),
        }
        self.settle(now, out);
    }

    /// Moves everything as far as it can go.
    fn settle(&mut self, now: Moment, out: &mut impl Outlet) {
        self.advance_sync(now, out);
        if self.sync.is_idle() && self.chain.is_some() {
            self.admit(now, out);
            self.flush_queue(now, out);
        }
        self.pump(now, out);
    }

    fn tick(&mut self, now: Moment) {
        if !self.members.is_empty() && now >= self.heard + self.idle_check() {
            self.heard = now;
            self.sync.compare_heads();
        }
    }

    fn feed(&mut self, now: Moment, epoch: Epoch, entries: Vec<Arc<Entry>>) {
        self.heard = now;
        let Some(chain) = &mut self.chain else { return };
        if chain.epoch != epoch {
            self.sync.doubt();
            return;
        }
        self.make_way(&entries);
        let Some(chain) = &mut self.chain else { return };
        for entry in entries {
            if entry.seq <= chain.floor && chain.id_at(entry.seq).is_none() {
                self.sync.saw_below(entry.seq, now >= self.opened + FEED_LATE_MAX);
            }
            if chain.contradicts(&entry) {
                // At this place; where both end they may agree by chance.
                self.sync.suspect();
            } else if !chain.accept(&self.room, entry) {
                self.sync.doubt();
            }
        }
    }
}
