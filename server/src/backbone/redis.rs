//! Owns the backbone of nodes in different processes: a Redis that they share. Every rule of the log is in a script, so
//! that Redis judges; this side packs what is asked and reads what is answered.
//!
//! - `logs`: what is asked of the logs of rooms.
//! - `keys`: every name in Redis. `scripts`: what runs there. `entry`, `answers`: what goes there and comes back.
//! - `link`: the connections to one primary. `supervise`: that they are there. `topology`: which primary serves what.
//! - `replication`: the wait for a replica. `feed`: what Redis tells. `people`: who is where; `topics`: what rooms are about; `identity`: who is who. `start`: whether a Redis can be used at all.

use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{ClientId, NodeId, NodeInfo, Person, RoomName, Seq, User, UserId};
use redis::IntoConnectionInfo;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, timeout};
use tracing::{debug, info, warn};

use crate::backbone::feed_sender::{FEED_EVENTS_MAX, FeedSender};
use crate::backbone::{
    Asked, Backbone, BackboneError, Call, Entry, Glance, Head, Health, Item, Known, Link, Page, Place,
    Published, Rank, Repaired, Run, Topic,
};
use crate::config::{AckPolicy, RedisUrl};

mod answers;
mod entry;
mod feed;
mod identity;
mod keys;
mod link;
mod logs;
mod people;
mod registering;
mod replication;
mod scripts;
mod start;
mod supervise;
mod topics;
mod topology;

use feed::Feed;
use keys::Channels;
use link::{Primary, Wires};
use logs::Logs;
use people::People;
use replication::Replication;
use start::DialError;
use supervise::{Gate, Supervisor};
use topology::Topology;

type Answer<T> = Result<T, BackboneError>;

/// Between two tries to reach a Redis that a node waits for at its start.
const WAIT_EVERY: Duration = Duration::from_millis(500);

/// Longest time to take a place among the nodes, once connected.
const ENTER_MAX: Duration = Duration::from_secs(5);

/// How a node uses a Redis.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it is.
    pub url: RedisUrl,
    /// The node's name.
    pub node: NodeId,
    /// How long the node waits for it at the start.
    pub wait: Duration,
    /// The node's lease.
    pub lease: Duration,
    /// How long a recovery round keeps a room closed.
    pub settle: Duration,
    /// How long a name is held after its user's last client went.
    pub name_hold: Duration,
    /// When a message counts as accepted.
    pub ack: AckPolicy,
    /// Events the node may lag behind.
    pub feed_events: usize,
}

impl Options {
    /// With the times of docs/delivery.md.
    pub fn new(url: RedisUrl, node: NodeId) -> Self {
        Self {
            url,
            node,
            wait: Duration::ZERO,
            lease: Duration::from_secs(3),
            settle: Duration::from_millis(300),
            name_hold: Duration::from_secs(600),
            ack: AckPolicy::Primary,
            feed_events: FEED_EVENTS_MAX,
        }
    }
}

/// Connects a node.
///
/// # Errors
/// When the Redis cannot be used, or not be reached within [`Options::wait`]; says what to do.
pub async fn connect(options: Options) -> anyhow::Result<Link> {
    let database = options.url.as_str().into_connection_info()?.redis_settings().db();
    let channels = Channels::of(database);
    let (sender, events) = FeedSender::new(options.feed_events);
    let feed = Arc::new(Feed::new(options.node.clone(), sender));
    let primary = Arc::new(Primary::new(options.url.clone(), options.node.clone(), channels, feed));
    let topology = Arc::new(Topology::single(primary.clone()));
    let times = (options.lease, options.name_hold);
    let people = Arc::new(People::new(topology.clone(), channels, options.node.clone(), times));
    let wires = reach(&primary, &people, &options).await?;
    let replication = (options.ack == AckPolicy::Replicated).then(|| Replication::of(primary.clone()));
    let gate = Arc::new(Gate::default());
    gate.meet(&wires.server, None);
    let settle = options.settle;
    let supervisor = Supervisor { primary, channels, people: people.clone(), gate: gate.clone(), settle };
    let logs = Arc::new(Logs { topology, channels, people, gate, replication, settle });
    let mut tasks = JoinSet::new();
    tasks.spawn(supervisor.run(wires));
    tasks.spawn(refresh(logs.people.clone()));
    Ok(Link { backbone: Arc::new(RedisBackbone { logs, _tasks: tasks }), feed: events })
}

/// Dials until it is there and the node has its place, or the time is up.
async fn reach(primary: &Primary, people: &People, options: &Options) -> anyhow::Result<Wires> {
    let until = Instant::now() + options.wait;
    if !options.wait.is_zero() {
        info!(redis = %options.url, wait_s = options.wait.as_secs(), "waiting for redis");
    }
    loop {
        match enter(primary, people, &options.url).await {
            Ok(wires) => return Ok(wires),
            Err(DialError::Later(why)) if Instant::now() < until => debug!(why, "redis not there yet"),
            Err(error) => anyhow::bail!(error),
        }
        sleep(WAIT_EVERY).await;
    }
}

/// One try, bounded in time.
async fn enter(primary: &Primary, people: &People, url: &RedisUrl) -> Result<Wires, DialError> {
    let wires = primary.dial().await?;
    primary.use_wires(wires.clone());
    let place = timeout(ENTER_MAX, people.take_place()).await;
    if !matches!(place, Ok(Ok(()))) {
        primary.drop_wires();
    }
    match place {
        Ok(Ok(())) => Ok(wires),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(start::mute(url, ENTER_MAX)),
    }
}

async fn refresh(people: Arc<People>) {
    let mut tick = interval(people::REFRESH_EVERY);
    loop {
        tick.tick().await;
        if let Err(error) = people.refresh().await {
            warn!(%error, "not refreshed, again tomorrow");
        }
    }
}

/// The live nodes of a cluster, as somebody who is none of them sees them.
///
/// # Errors
/// When the Redis cannot be used.
pub async fn nodes(url: &RedisUrl) -> anyhow::Result<Vec<NodeInfo>> {
    let database = url.as_str().into_connection_info()?.redis_settings().db();
    let channels = Channels::of(database);
    let nobody = NodeId::parse("nobody")?;
    let (sender, _events) = FeedSender::new(1);
    let feed = Arc::new(Feed::new(nobody.clone(), sender));
    let primary = Arc::new(Primary::new(url.clone(), nobody.clone(), channels, feed));
    primary.use_wires(primary.dial().await?);
    let topology = Arc::new(Topology::single(primary));
    let people = People::new(topology, channels, nobody, Default::default());
    timeout(ENTER_MAX, people.nodes()).await.map_err(|_| start::mute(url, ENTER_MAX))?.map_err(Into::into)
}

/// A node's handle.
struct RedisBackbone {
    logs: Arc<Logs>,
    /// End with the handle.
    _tasks: JoinSet<()>,
}

/// Hands a call on to where it is made, with what it needs.
macro_rules! hand_on {
    ($self:ident, $part:ident => |$inner:ident $(, $name:ident)*| $work:expr) => {{
        let $inner = $self.$part();
        $(let $name = $name.clone();)*
        Box::pin(async move { $work.await })
    }};
}

impl RedisBackbone {
    fn logs(&self) -> Arc<Logs> {
        self.logs.clone()
    }

    fn people(&self) -> Arc<People> {
        self.logs.people.clone()
    }
}

impl Backbone for RedisBackbone {
    fn health(&self) -> Health {
        let worst = self.logs.topology.each().map(|primary| primary.health());
        worst.max_by_key(|health| health.silent).unwrap_or_default()
    }

    fn cut(&self) {
        self.logs.topology.each().for_each(|primary| primary.cut());
    }

    fn subscribe(&self, room: &RoomName) -> Call<()> {
        hand_on!(self, logs => |logs, room| logs.subscribe(&room))
    }

    fn unsubscribe(&self, room: &RoomName) -> Call<()> {
        hand_on!(self, logs => |logs, room| logs.unsubscribe(&room))
    }

    fn publish(&self, room: &RoomName, known: Option<Place>, items: Vec<Item>) -> Call<Published> {
        hand_on!(self, logs => |logs, room| logs.publish(&room, known, items))
    }

    fn read(&self, room: &RoomName, after: Place, limit: usize) -> Call<Page> {
        hand_on!(self, logs => |logs, room| logs.read(&room, after, limit))
    }

    fn page(&self, room: &RoomName, after: Place, limit: usize) -> Call<Page> {
        hand_on!(self, logs => |logs, room| logs.page(&room, after, limit))
    }

    fn history(
        &self,
        room: &RoomName,
        before: Option<Seq>,
        limit: usize,
    ) -> Call<Option<(Head, Vec<Arc<Entry>>)>> {
        hand_on!(self, logs => |logs, room| logs.history(&room, before, limit))
    }

    fn head(&self, room: &RoomName) -> Call<Option<Head>> {
        hand_on!(self, logs => |logs, room| logs.head(&room))
    }

    fn last_n(&self, room: &RoomName, client: &ClientId) -> Call<u64> {
        hand_on!(self, logs => |logs, room, client| logs.last_n(&room, &client))
    }

    fn glance(&self, room: &RoomName, client: &ClientId) -> Call<Glance> {
        hand_on!(self, logs => |logs, room, client| logs.glance(&room, &client))
    }

    fn repair(&self, room: &RoomName, run: Run) -> Call<Repaired> {
        hand_on!(self, logs => |logs, room| logs.repair(&room, run))
    }

    fn ask(&self, room: &RoomName) -> Call<Asked> {
        hand_on!(self, logs => |logs, room| logs.ask(&room))
    }

    fn answer(&self, room: &RoomName, to: &NodeId) -> Call<()> {
        hand_on!(self, people => |people, room, to| people.answer(&room, &to))
    }

    fn create(&self, room: &RoomName, round: u64, before: Option<Place>) -> Call<Option<Head>> {
        hand_on!(self, logs => |logs, room| logs.create(&room, round, before))
    }

    fn renew(&self, info: NodeInfo) -> Call<bool> {
        hand_on!(self, people => |people| people.renew(&info))
    }

    fn depart(&self) -> Call<()> {
        hand_on!(self, people => |people| people.depart())
    }

    fn nodes(&self) -> Call<Vec<NodeInfo>> {
        hand_on!(self, people => |people| people.nodes())
    }

    fn enter(&self, room: &RoomName, user: User) -> Call<()> {
        hand_on!(self, people => |people, room| people.enter(&room, user))
    }

    fn exit(&self, room: &RoomName, user: &UserId, lost: bool) -> Call<()> {
        hand_on!(self, people => |people, room, user| people.exit(&room, &user, lost))
    }

    fn whisper(&self, room: &RoomName, who: Person) -> Call<()> {
        hand_on!(self, people => |people, room| people.whisper(&room, &who))
    }

    fn present(&self, room: &RoomName) -> Call<Vec<User>> {
        hand_on!(self, people => |people, room| people.present(&room))
    }

    fn rooms(&self, after: Option<&RoomName>, limit: usize) -> Call<Vec<(RoomName, usize)>> {
        let after = after.cloned();
        hand_on!(self, people => |people| people.rooms(after.as_ref(), limit))
    }

    fn set_topic(&self, room: &RoomName, topic: Topic) -> Call<()> {
        hand_on!(self, people => |people, room, topic| people.set_topic(&room, topic))
    }

    fn topics(&self, rooms: Vec<RoomName>) -> Call<Vec<Topic>> {
        hand_on!(self, people => |people| people.topics(rooms))
    }

    fn claim_name(&self, key: &str, user: &UserId) -> Call<bool> {
        let key = key.to_owned();
        hand_on!(self, people => |people, key, user| people.claim_name(&key, &user))
    }

    fn name_owner(&self, key: &str) -> Call<Option<UserId>> {
        let key = key.to_owned();
        hand_on!(self, people => |people, key| people.name_owner(&key))
    }

    fn release_name(&self, key: &str, user: &UserId) -> Call<()> {
        let key = key.to_owned();
        hand_on!(self, people => |people, key, user| people.release_name(&key, &user))
    }

    fn remember(&self, user: &UserId, room: &RoomName, joined: bool) -> Call<()> {
        hand_on!(self, people => |people, user, room| people.remember(&user, &room, joined))
    }

    fn remembered(&self, user: &UserId) -> Call<Vec<RoomName>> {
        hand_on!(self, people => |people, user| people.remembered(&user))
    }

    fn session_key(&self, offered: [u8; 32]) -> Call<[u8; 32]> {
        hand_on!(self, people => |people| people.session_key(offered))
    }

    fn remind(&self, known: Known) -> Call<()> {
        hand_on!(self, people => |people| people.remind(known))
    }

    fn fence(&self, client: &ClientId, user: &UserId, generation: u64) -> Call<Rank> {
        hand_on!(self, people => |people, client, user| people.fence(&client, &user, generation))
    }
}

#[cfg(test)]
mod tests;
