//! Owns the seam behind which the nodes of a cluster agree: the trait [`Backbone`] and what passes through
//! it. A backbone keeps a numbered log per room, who is where, names and sessions; it tells each node what
//! changed through one stream of [`FeedEvent`]s. It knows neither hub nor sessions.
//!
//! The rules of the log are those of docs/delivery.md; [`memory`] is their specification in code, and the
//! conformance module holds every other backbone to them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chat_protocol::{
    Acked, ClientId, Epoch, MessageId, NodeId, NodeInfo, Person, RoomName, Seq, User, UserId,
};
use tokio::sync::mpsc;

mod call;
#[cfg(test)]
mod conformance;
mod event;
mod feed_sender;
pub mod memory;
mod rank;
pub mod redis;
mod topic;

pub(crate) use call::call;
pub use call::{BackboneError, Call};
pub use event::{FeedEvent, PresenceChange};
pub use rank::Rank;
pub use topic::Topic;

/// A place in a log and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The log's life.
    pub epoch: Epoch,
    /// Where.
    pub seq: Seq,
    /// The message there; none at the start, and where the log no longer knows.
    pub id: Option<MessageId>,
}

impl Place {
    /// Before the first entry.
    pub fn start(epoch: Epoch) -> Self {
        Self { epoch, seq: Seq::START, id: None }
    }
}

/// An entry of a room's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub seq: Seq,
    /// Its identity.
    pub id: MessageId,
    /// The identity of the entry before it; none for the first.
    pub prev: Option<MessageId>,
    /// The generation of the connection that sent it.
    pub generation: u64,
    /// Of the content, to tell a repeat from a number used twice.
    pub digest: u64,
    /// What it says, encoded once.
    pub body: Bytes,
}

/// A message on its way into a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its identity: who, and that client's number.
    pub id: MessageId,
    /// The generation of the client's connection; a lower one than the log knows is fenced.
    pub generation: u64,
    /// The client's evidence for `n` where the log's record is gone.
    pub acked: Option<Acked>,
    /// Of the content.
    pub digest: u64,
    /// What it says; none: the number is used up without an entry.
    pub body: Option<Bytes>,
}

/// The newest number of a client that a log knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// The generation that sent it.
    pub generation: u64,
    /// The number.
    pub n: u64,
    /// Its place; [`Seq::START`] for a void number.
    pub seq: Seq,
    /// Of its content.
    pub digest: u64,
}

/// A log's word on a batch. Nothing was written unless it is `Ok`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// Each item was judged; the log is now at `head`.
    Ok {
        /// Where the log stands.
        head: Place,
        /// One for each item, in order.
        items: Vec<ItemAnswer>,
    },
    /// There is no log, and the caller knows of none.
    None,
    /// There is no log, but the caller knows that there was one.
    Lost,
    /// The log has another life than the caller knows.
    Epoch(Place),
    /// The log ends before the place the caller knows.
    Behind(Place),
    /// Another message stands at the place the caller knows.
    Fork(Place),
    /// A recovery round is open; ask again after this time.
    Settling(Duration),
}

/// A log's word on one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemAnswer {
    /// It is in the log, here, behind `prev`.
    Placed {
        /// Its place.
        seq: Seq,
        /// The entry before it.
        prev: Option<MessageId>,
    },
    /// Its number is used up.
    Voided,
    /// It was there already; its place, where it is the client's newest.
    Duplicate(Option<Seq>),
    /// Its number was taken by other content.
    Reused,
    /// Numbers are missing: the log has this one.
    Gap(u64),
    /// Acknowledged messages are missing: the log has this number, send again what follows it.
    Back(u64),
    /// A newer connection of the client has published.
    Fenced,
}

/// A log's word on a read behind a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// The entries that follow, contiguous; empty at the head.
    Ok {
        /// Where the log stands.
        head: Place,
        /// In order.
        entries: Vec<Arc<Entry>>,
    },
    /// There is no log.
    Lost,
    /// The log has another life.
    Epoch(Head),
    /// The log ends before that place.
    Behind(Place),
    /// Another message stands there.
    Fork(Place),
    /// The entries that follow are gone up to, not including, `first`.
    Trimmed {
        /// Where the log stands.
        head: Place,
        /// The first entry left.
        first: Seq,
    },
}

/// Where a log stands, and what it was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The newest entry.
    pub place: Place,
    /// The first entry kept; `place.seq + 1` in an empty log.
    pub first: Seq,
    /// The life before this one and the last place known of it.
    pub before: Option<(Epoch, Seq)>,
}

/// What somebody who comes in wants to know of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// Where its log stands; none: there is no log.
    pub head: Option<Head>,
    /// The client's newest number in it; 0 for none.
    pub last_n: u64,
    /// What the room is about.
    pub topic: Topic,
}

/// What a node still has of a log, to be given back to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The log's life.
    pub epoch: Epoch,
    /// Contiguous; empty where nothing was written yet.
    pub entries: Vec<Arc<Entry>>,
    /// Newest numbers of clients whose entries lie below the run.
    pub records: Vec<(ClientId, Record)>,
}

/// A log's word on a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repaired {
    /// The run is in the log; so many entries were missing.
    Ok {
        /// Where the log stands.
        head: Place,
        /// Entries put back.
        restored: usize,
    },
    /// The log has another life.
    Epoch(Head),
    /// The run does not fit: another message stands under one of its numbers, or one of its messages
    /// under another.
    Fork(Place),
    /// The run begins above the head: what lies between was asked of the other nodes.
    Hole(Place),
    /// The run is not contiguous: the caller's mistake.
    Bad,
}

/// Who was asked for what they have of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The recovery round in which they were asked.
    pub round: u64,
    /// Those who were.
    pub nodes: Vec<NodeId>,
}

/// Who and what a node has, to be said anew where the backbone may have lost it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// What signs sessions.
    pub session_key: Option<[u8; 32]>,
    /// Names by their keys, with the users online under them here.
    pub names: Vec<(String, UserId)>,
    /// Clients connected here, with their users and generations.
    pub clients: Vec<(ClientId, UserId, u64)>,
    /// What the rooms that are open here are about.
    pub topics: Vec<(RoomName, Topic)>,
}

/// How a node's connection to its backbone is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// Since when the feed has not proved itself; none while it works.
    pub silent: Option<Duration>,
    /// From a word said through the feed to its return, the last time.
    pub lag: Option<Duration>,
    /// Times the connection was lost and found again.
    pub reconnects: u64,
}

/// The two ends of a node's connection: calls go in, events come out.
pub struct Link {
    /// For calls.
    pub backbone: Arc<dyn Backbone>,
    /// For events. Bounded; when it is full events are dropped and [`FeedEvent::Stale`] follows.
    pub feed: mpsc::Receiver<FeedEvent>,
}

/// What the nodes of a cluster share. Calls are safe to repeat; an error leaves the outcome unknown.
pub trait Backbone: Send + Sync + 'static {
    /// How the connection is doing, as known here and now: asks nobody.
    fn health(&self) -> Health;
    /// Cuts this handle off as its process' death would: nothing it does from now on takes effect, and its
    /// lease runs out by itself.
    fn cut(&self);

    /// Events of these rooms are wanted from now on.
    fn subscribe(&self, room: &RoomName) -> Call<()>;
    /// Events of this room are no longer wanted.
    fn unsubscribe(&self, room: &RoomName) -> Call<()>;

    /// Judges and appends a batch. `known` is the highest place the caller knows for certain.
    fn publish(&self, room: &RoomName, known: Option<Place>, items: Vec<Item>) -> Call<Published>;
    /// Reads up to `limit` entries behind a place; without an id there, what stands there is not compared.
    fn read(&self, room: &RoomName, after: Place, limit: usize) -> Call<Page>;
    /// The same for members: what is missing at the log's beginning is not called gone before everybody who may
    /// hold it had the time to bring it.
    fn page(&self, room: &RoomName, after: Place, limit: usize) -> Call<Page> {
        self.read(room, after, limit)
    }
    /// Reads up to `limit` entries that end before `before`, or at the head.
    fn history(
        &self,
        room: &RoomName,
        before: Option<Seq>,
        limit: usize,
    ) -> Call<Option<(Head, Vec<Arc<Entry>>)>>;
    /// Where a log stands; none: there is no log.
    fn head(&self, room: &RoomName) -> Call<Option<Head>>;
    /// The newest number of a client; 0 for none.
    fn last_n(&self, room: &RoomName, client: &ClientId) -> Call<u64>;
    /// [`Self::head`], [`Self::last_n`] and [`Self::topics`] of one room in one question.
    fn glance(&self, room: &RoomName, client: &ClientId) -> Call<Glance>;
    /// Gives a room back what a node still has.
    fn repair(&self, room: &RoomName, run: Run) -> Call<Repaired>;
    /// Opens a recovery round and asks every other node that may live, also one whose lease a flush has
    /// taken.
    fn ask(&self, room: &RoomName) -> Call<Asked>;
    /// Answers [`FeedEvent::Ask`].
    fn answer(&self, room: &RoomName, to: &NodeId) -> Call<()>;
    /// Makes a log, if there is none; `before` is the last place known of its former life. Where it stands.
    /// None, and nothing is made, where the backbone has forgotten the round in which nobody had anything:
    /// the answers may be older than what was lost since, so everybody has to be asked again.
    fn create(&self, room: &RoomName, round: u64, before: Option<Place>) -> Call<Option<Head>>;

    /// Renews this node's lease and says what it is doing. False where it was lost in between: everything
    /// about the node's users has to be said anew.
    fn renew(&self, info: NodeInfo) -> Call<bool>;
    /// Gives the lease back: the node is gone for good.
    fn depart(&self) -> Call<()>;
    /// The live nodes.
    fn nodes(&self) -> Call<Vec<NodeInfo>>;
    /// A user is in a room on this node.
    fn enter(&self, room: &RoomName, user: User) -> Call<()>;
    /// A user is no longer in a room on this node.
    fn exit(&self, room: &RoomName, user: &UserId, lost: bool) -> Call<()>;
    /// A user is typing: told in the room and kept nowhere; dropped without a word where there is much else to tell.
    fn whisper(&self, room: &RoomName, who: Person) -> Call<()>;
    /// Who is in a room, on live nodes.
    fn present(&self, room: &RoomName) -> Call<Vec<User>>;
    /// Up to `limit` rooms behind one that have users, in order, each with their number; no hidden and direct ones.
    fn rooms(&self, after: Option<&RoomName>, limit: usize) -> Call<Vec<(RoomName, usize)>>;

    /// Keeps what a room is about, unless something later is kept.
    fn set_topic(&self, room: &RoomName, topic: Topic) -> Call<()>;
    /// What rooms are about, in their order.
    fn topics(&self, rooms: Vec<RoomName>) -> Call<Vec<Topic>>;

    /// Takes a name (by its key) for a user; false where it is another's.
    fn claim_name(&self, key: &str, user: &UserId) -> Call<bool>;
    /// Whose a name (by its key) is; none: nobody's.
    fn name_owner(&self, key: &str) -> Call<Option<UserId>>;
    /// Gives a name back on this node; held for its user a while longer than on the last node that had it.
    fn release_name(&self, key: &str, user: &UserId) -> Call<()>;
    /// Remembers, or forgets, that a user has joined a room.
    fn remember(&self, user: &UserId, room: &RoomName, joined: bool) -> Call<()>;
    /// The rooms a user has joined.
    fn remembered(&self, user: &UserId) -> Call<Vec<RoomName>>;
    /// The key that signs sessions, the same for all nodes; `offered` becomes it where there is none.
    fn session_key(&self, offered: [u8; 32]) -> Call<[u8; 32]>;
    /// Says anew what a flush may have taken. Until every node has had the time to do so, nobody new is given a
    /// name, a client id or a key.
    fn remind(&self, known: Known) -> Call<()>;
    /// Registers a client's connection for its user; closes older ones anywhere through
    /// [`FeedEvent::Fence`]. 0 counts as no generation.
    fn fence(&self, client: &ClientId, user: &UserId, generation: u64) -> Call<Rank>;
}
