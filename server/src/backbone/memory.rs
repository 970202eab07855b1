//! Owns the backbone of one process: several nodes in it can share one [`MemoryBackbone`]. It is the
//! specification that every other backbone must meet. Every call takes effect at once and answers at once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{ClientId, Epoch, NodeId, NodeInfo, Person, RoomName, Seq, User, UserId};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::backbone::feed_sender::{FEED_EVENTS_MAX, FeedSender};
use crate::backbone::{
    Asked, Backbone, BackboneError, Call, Entry, FeedEvent, Glance, Head, Health, Item, Known, Link, Page,
    Place, PresenceChange, Published, Rank, Repaired, Run, Topic,
};

mod faults;
mod feed;
mod log;
mod people;

use feed::Feed;
use log::{RoomLog, Told};
use people::{People, Times};

/// How long things last. The defaults are those of docs/delivery.md.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// A node's lease.
    pub lease: Duration,
    /// How long a recovery round keeps a room closed.
    pub settle: Duration,
    /// How long a name is held after its user's last client went.
    pub name_hold: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(3),
            settle: Duration::from_millis(300),
            name_hold: Duration::from_secs(600),
        }
    }
}

/// Tells the time since the backbone was made.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// What the nodes of one process share; a clone shares it too.
#[derive(Clone)]
pub struct MemoryBackbone {
    /// One lock for all: no call holds it for longer than it takes to change a few maps.
    state: Arc<Mutex<State>>,
    clock: Clock,
    timing: Timing,
}

#[derive(Default)]
struct State {
    rooms: HashMap<RoomName, RoomLog>,
    nodes: BTreeMap<NodeId, Feed>,
    people: People,
    /// Whose each client is, and its newest generation.
    clients: HashMap<ClientId, (UserId, u64)>,
    session_key: Option<[u8; 32]>,
    topics: HashMap<RoomName, Topic>,
}

impl Default for MemoryBackbone {
    fn default() -> Self {
        Self::new(Timing::default())
    }
}

impl MemoryBackbone {
    /// An empty backbone on tokio's clock.
    pub fn new(timing: Timing) -> Self {
        let started = Instant::now();
        Self::with_clock(timing, Arc::new(move || started.elapsed()))
    }

    /// An empty backbone on a clock of the caller's: the simulator's is virtual.
    pub fn with_clock(timing: Timing, clock: Clock) -> Self {
        Self { state: Arc::default(), clock, timing }
    }

    /// A node's connection. A second one of the same name takes the first one's place.
    pub fn connect(&self, node: NodeId) -> Link {
        let (sender, feed) = FeedSender::new(FEED_EVENTS_MAX);
        let connection = fastrand::u64(..);
        let end = Feed { connection, sender, rooms: HashSet::new(), cut_off: None, calls_left: None };
        self.state.lock().nodes.insert(node.clone(), end);
        Link { backbone: Arc::new(MemoryNode { shared: self.clone(), node, connection }), feed }
    }

    /// The time since the backbone was made.
    pub fn now(&self) -> Duration {
        (self.clock)()
    }
}

impl State {
    fn log(&mut self, room: &RoomName) -> &mut RoomLog {
        self.rooms.entry(room.clone()).or_default()
    }

    fn set_topic(&mut self, room: RoomName, topic: Topic) {
        let kept = self.topics.entry(room).or_default();
        if topic > *kept {
            *kept = topic;
        }
    }

    fn tell_room(&mut self, room: &RoomName, event: &FeedEvent) {
        for feed in self.nodes.values_mut().filter(|feed| feed.rooms.contains(room)) {
            feed.send(event.clone());
        }
    }

    fn tell(&mut self, room: &RoomName, told: Told) {
        if let (Some(epoch), false) =
            (self.log(room).head().map(|head| head.place.epoch), told.entries.is_empty())
        {
            self.tell_room(room, &FeedEvent::Entries { room: room.clone(), epoch, entries: told.entries });
        }
        if told.round {
            let head = self.log(room).head();
            // Rings outlive their members' subscriptions: a round is told to every node.
            for feed in self.nodes.values_mut() {
                feed.send(FeedEvent::Head { room: room.clone(), head: head.clone() });
            }
        }
    }
}

/// One node's handle.
struct MemoryNode {
    shared: MemoryBackbone,
    node: NodeId,
    connection: u64,
}

impl MemoryNode {
    /// Runs one call under the lock, unless the node is cut off.
    fn call<T: Send + 'static>(&self, call: impl FnOnce(&mut State, Duration) -> T) -> Call<T> {
        let now = self.shared.now();
        let mut state = self.shared.state.lock();
        let reachable = (state.nodes.get_mut(&self.node))
            .is_some_and(|feed| feed.connection == self.connection && feed.lets_call(now));
        let answer = if reachable {
            Ok(call(&mut state, now))
        } else {
            Err(BackboneError::Unavailable("this node is cut off".into()))
        };
        Box::pin(std::future::ready(answer))
    }
}

impl Backbone for MemoryNode {
    fn health(&self) -> Health {
        let now = self.shared.now();
        let state = self.shared.state.lock();
        let cut_off = state.nodes.get(&self.node).and_then(|feed| feed.cut_off);
        Health { silent: cut_off.map(|since| now.saturating_sub(since)), ..Health::default() }
    }

    fn cut(&self) {
        let mut state = self.shared.state.lock();
        if state.nodes.get(&self.node).is_some_and(|feed| feed.connection == self.connection) {
            state.nodes.remove(&self.node);
        }
    }

    fn subscribe(&self, room: &RoomName) -> Call<()> {
        self.call(|state, _| {
            if let Some(feed) = state.nodes.get_mut(&self.node) {
                feed.rooms.insert(room.clone());
            }
        })
    }

    fn unsubscribe(&self, room: &RoomName) -> Call<()> {
        self.call(|state, _| {
            if let Some(feed) = state.nodes.get_mut(&self.node) {
                feed.rooms.remove(room);
            }
        })
    }

    fn publish(&self, room: &RoomName, known: Option<Place>, items: Vec<Item>) -> Call<Published> {
        self.call(|state, now| {
            let (answer, told) = state.log(room).publish(now, known.as_ref(), &items);
            state.tell(room, told);
            answer
        })
    }

    fn read(&self, room: &RoomName, after: Place, limit: usize) -> Call<Page> {
        self.call(|state, _| state.log(room).read(&after, limit))
    }

    fn history(
        &self,
        room: &RoomName,
        before: Option<Seq>,
        limit: usize,
    ) -> Call<Option<(Head, Vec<Arc<Entry>>)>> {
        self.call(|state, _| state.log(room).history(before, limit))
    }

    fn head(&self, room: &RoomName) -> Call<Option<Head>> {
        self.call(|state, _| state.rooms.get(room).and_then(RoomLog::head))
    }

    fn last_n(&self, room: &RoomName, client: &ClientId) -> Call<u64> {
        self.call(|state, _| state.rooms.get(room).map_or(0, |log| log.last_n(client)))
    }

    fn glance(&self, room: &RoomName, client: &ClientId) -> Call<Glance> {
        self.call(|state, _| {
            let log = state.rooms.get(room);
            let topic = state.topics.get(room).cloned().unwrap_or_default();
            Glance {
                head: log.and_then(RoomLog::head),
                last_n: log.map_or(0, |log| log.last_n(client)),
                topic,
            }
        })
    }

    fn repair(&self, room: &RoomName, run: Run) -> Call<Repaired> {
        let settle = self.shared.timing.settle;
        self.call(|state, now| {
            let (answer, told) = state.log(room).repair(now, settle, &run);
            state.tell(room, told);
            answer
        })
    }

    fn ask(&self, room: &RoomName) -> Call<Asked> {
        let settle = self.shared.timing.settle;
        self.call(|state, now| {
            let round = state.log(room).ask(now, settle);
            // Everybody who is connected, whatever the leases say: after a flush there are none.
            let mut nodes = Vec::new();
            for (node, feed) in state.nodes.iter_mut().filter(|(node, _)| **node != self.node) {
                feed.send(FeedEvent::Ask { room: room.clone(), from: self.node.clone() });
                nodes.push(node.clone());
            }
            Asked { round, nodes }
        })
    }

    fn answer(&self, room: &RoomName, to: &NodeId) -> Call<()> {
        self.call(|state, _| {
            if let Some(feed) = state.nodes.get_mut(to) {
                feed.send(FeedEvent::Answer { room: room.clone(), from: self.node.clone() });
            }
        })
    }

    fn create(&self, room: &RoomName, round: u64, before: Option<Place>) -> Call<Option<Head>> {
        self.call(|state, _| state.log(room).create(round, Epoch::random(), before.as_ref()))
    }

    fn renew(&self, info: NodeInfo) -> Call<bool> {
        let lease = self.shared.timing.lease;
        self.call(|state, now| state.people.renew(info, self.connection, now + lease, now))
    }

    fn depart(&self) -> Call<()> {
        self.call(|state, _| {
            state.people.depart(&self.node);
            state.nodes.remove(&self.node);
        })
    }

    fn nodes(&self) -> Call<Vec<NodeInfo>> {
        self.call(|state, now| state.people.live(now).cloned().collect())
    }

    fn enter(&self, room: &RoomName, user: User) -> Call<()> {
        self.call(|state, _| {
            state.people.enter(room, &self.node, user.clone());
            state.tell_room(
                room,
                &FeedEvent::Presence { room: room.clone(), change: PresenceChange::Entered(user) },
            );
        })
    }

    fn exit(&self, room: &RoomName, user: &UserId, lost: bool) -> Call<()> {
        self.call(|state, _| {
            // Told in any case: others may know of somebody whom a lost lease has taken from here.
            state.people.exit(room, &self.node, user);
            let change = PresenceChange::Left { user: user.clone(), node: self.node.clone(), lost };
            state.tell_room(room, &FeedEvent::Presence { room: room.clone(), change });
        })
    }

    fn whisper(&self, room: &RoomName, who: Person) -> Call<()> {
        self.call(|state, _| {
            let wanted = |feed: &&mut Feed| feed.rooms.contains(room) && feed.cut_off.is_none();
            let typing = FeedEvent::Typing(room.clone(), who);
            state.nodes.values_mut().filter(wanted).for_each(|feed| feed.sender.whisper(typing.clone()));
        })
    }

    fn present(&self, room: &RoomName) -> Call<Vec<User>> {
        self.call(|state, now| state.people.present(room, now))
    }

    fn rooms(&self, after: Option<&RoomName>, limit: usize) -> Call<Vec<(RoomName, usize)>> {
        let after = after.cloned();
        self.call(move |state, now| state.people.rooms(after.as_ref(), limit, now))
    }

    fn set_topic(&self, room: &RoomName, topic: Topic) -> Call<()> {
        self.call(|state, _| state.set_topic(room.clone(), topic))
    }

    fn topics(&self, rooms: Vec<RoomName>) -> Call<Vec<Topic>> {
        self.call(|state, _| {
            rooms.iter().map(|room| state.topics.get(room).cloned().unwrap_or_default()).collect()
        })
    }

    fn claim_name(&self, key: &str, user: &UserId) -> Call<bool> {
        let (by, hold) = ((self.node.clone(), self.connection), self.shared.timing.name_hold);
        self.call(|state, now| state.people.claim_name(key, user, by, Times { now, hold }))
    }

    fn name_owner(&self, key: &str) -> Call<Option<UserId>> {
        self.call(|state, _| state.people.name_owner(key))
    }

    fn release_name(&self, key: &str, user: &UserId) -> Call<()> {
        let by = (self.node.clone(), self.connection);
        self.call(|state, now| state.people.release_name(key, user, &by, now))
    }

    fn remember(&self, user: &UserId, room: &RoomName, joined: bool) -> Call<()> {
        self.call(|state, _| state.people.remember(user, room, joined))
    }

    fn remembered(&self, user: &UserId) -> Call<Vec<RoomName>> {
        self.call(|state, _| state.people.remembered(user))
    }

    fn session_key(&self, offered: [u8; 32]) -> Call<[u8; 32]> {
        self.call(|state, _| *state.session_key.get_or_insert(offered))
    }

    fn remind(&self, known: Known) -> Call<()> {
        let (by, hold) = ((self.node.clone(), self.connection), self.shared.timing.name_hold);
        self.call(|state, now| {
            state.session_key = state.session_key.or(known.session_key);
            for (key, user) in known.names {
                state.people.claim_name(&key, &user, by.clone(), Times { now, hold });
            }
            for (room, topic) in known.topics {
                state.set_topic(room, topic);
            }
            for (client, user, generation) in known.clients {
                state.clients.entry(client).or_insert((user, generation));
            }
        })
    }

    fn fence(&self, client: &ClientId, user: &UserId, generation: u64) -> Call<Rank> {
        self.call(|state, _| {
            let (owner, newest) = state.clients.entry(client.clone()).or_insert_with(|| (user.clone(), 0));
            if owner != user {
                return Rank::Foreign;
            }
            let rank = Rank::of(generation, *newest);
            if rank != Rank::Newest {
                return rank;
            }
            *newest = generation.max(*newest);
            let event = FeedEvent::Fence { client: client.clone(), generation: *newest };
            state.nodes.values_mut().for_each(|feed| feed.send(event.clone()));
            rank
        })
    }
}

#[cfg(test)]
mod tests;
