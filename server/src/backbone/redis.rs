//! Owns the backbone of nodes in different processes: a Redis that they share. Every rule of the log is in a script, so
//! that Redis judges; this side packs what is asked and reads what is answered.
//!
//! - `keys`: every name in Redis. `scripts`: what runs there. `entry`, `answers`: what goes there and comes back.
//! - `link`: the connections to one primary. `supervise`: that they are there. `topology`: which primary serves what.
//! - `feed`: what Redis tells. `people`: who is where. `start`: whether a Redis can be used at all.

use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{ClientId, Epoch, NodeId, NodeInfo, RoomName, Seq, User, UserId};
use redis::IntoConnectionInfo;
use tokio::time::{Instant, interval, sleep};
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use crate::backbone::feed_sender::{FEED_EVENTS_MAX, FeedSender};
use crate::backbone::{
    Asked, Backbone, BackboneError, Call, Entry, Head, Health, Item, Link, Page, Place, Published, Repaired,
    Run,
};
use crate::config::RedisUrl;

mod answers;
mod entry;
mod feed;
mod keys;
mod link;
mod people;
mod scripts;
mod start;
mod supervise;
mod topology;

use answers::understood;
use feed::Feed;
use keys::Channels;
use link::Primary;
use people::People;
use scripts::Eval;
use start::DialError;
use supervise::{Gate, Supervisor};
use topology::Topology;

type Answer<T> = Result<T, BackboneError>;

/// Entries kept in a log.
const LOG_ENTRIES_MAX: usize = 10_000;
/// Between two tries to reach a Redis that a node waits for at its start.
const WAIT_EVERY: Duration = Duration::from_millis(500);
/// Longest pause asked for while other nodes are waited for.
const GATE_PAUSE: Duration = Duration::from_millis(100);

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
    let wires = reach(&primary, &options).await?;
    primary.use_wires(wires.clone());
    let topology = Arc::new(Topology::single(primary.clone()));
    let times = (options.lease, options.name_hold);
    let people = Arc::new(People::new(topology.clone(), channels, options.node.clone(), times));
    people.renew_again().await?;
    let gate = Arc::new(Gate::default());
    let settle = options.settle;
    let supervisor = Supervisor { primary, channels, people: people.clone(), gate: gate.clone(), settle };
    let inner = Arc::new(Inner { topology, channels, people, gate, settle });
    let tasks = [tokio::spawn(supervisor.run(wires)), tokio::spawn(refresh(inner.people.clone()))];
    let tasks = tasks.map(AbortOnDropHandle::new);
    Ok(Link { backbone: Arc::new(RedisBackbone { inner, _tasks: tasks }), feed: events })
}

/// Dials until it is there, or the time is up.
async fn reach(primary: &Primary, options: &Options) -> anyhow::Result<link::Wires> {
    let until = Instant::now() + options.wait;
    let mut told = false;
    loop {
        match primary.dial().await {
            Ok(wires) => return Ok(wires),
            Err(DialError::Later(why)) if Instant::now() < until => {
                if !std::mem::replace(&mut told, true) {
                    info!(why, wait_s = options.wait.as_secs(), "waiting for redis");
                }
            }
            Err(error) => anyhow::bail!(error),
        }
        sleep(WAIT_EVERY).await;
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
    Ok(People::new(topology, channels, nobody, Default::default()).nodes().await?)
}

/// A node's handle.
struct RedisBackbone {
    inner: Arc<Inner>,
    _tasks: [AbortOnDropHandle<()>; 2],
}

struct Inner {
    topology: Arc<Topology>,
    channels: Channels,
    people: Arc<People>,
    gate: Arc<Gate>,
    settle: Duration,
}

impl Inner {
    /// Runs a script on the keys of a room's log.
    async fn on_log(&self, room: &RoomName, eval: Eval) -> Answer<redis::Value> {
        self.topology.of(&keys::log(room)[0]).eval(eval).await
    }

    async fn publish(&self, room: &RoomName, known: Option<Place>, items: Vec<Item>) -> Answer<Published> {
        if let Some(left) = self.gate.left() {
            return Ok(Published::Settling(left.min(GATE_PAUSE)));
        }
        let (epoch, seq, id) = known.map_or_else(Default::default, |place| {
            (place.epoch.to_string(), place.seq.0, place.id.map(|id| id.to_string()).unwrap_or_default())
        });
        let eval = Eval::of(&scripts::PUBLISH).keys(keys::log(room)).keys([self.channels.room(room)]);
        let mut eval = eval.arg(epoch).arg(seq).arg(id).arg(LOG_ENTRIES_MAX).arg("PUBLISH");
        for item in &items {
            let (acked, epoch, seq) = item
                .acked
                .map_or_else(Default::default, |acked| (acked.n, acked.epoch.to_string(), acked.seq.0));
            eval = eval.arg(&item.id.client).arg(item.id.n).arg(item.generation).arg(item.digest);
            eval = eval.arg(acked).arg(epoch).arg(seq).bytes(entry::pack_item(item));
        }
        understood("the log of a room", answers::published(self.on_log(room, eval).await?, &items))
    }

    async fn read(&self, room: &RoomName, after: Place, limit: usize) -> Answer<Page> {
        let eval = Eval::of(&scripts::READ).keys(keys::log(room)).arg(after.epoch).arg(after.seq.0);
        let eval = eval.arg(after.id.map(|id| id.to_string()).unwrap_or_default()).arg(limit);
        understood("the log of a room", answers::page(self.on_log(room, eval).await?, after.seq, limit))
    }

    async fn history(
        &self,
        room: &RoomName,
        before: Option<Seq>,
        limit: usize,
    ) -> Answer<Option<(Head, Vec<Arc<Entry>>)>> {
        let eval = Eval::of(&scripts::HISTORY).keys(keys::log(room));
        let eval = eval.arg(before.map(|seq| seq.0.to_string()).unwrap_or_default()).arg(limit);
        let answer = self.on_log(room, eval).await?;
        understood("the log of a room", answers::history(answer, before, limit))
    }

    async fn head(&self, room: &RoomName) -> Answer<Option<Head>> {
        let eval = Eval::of(&scripts::HEAD).keys(keys::log(room));
        understood("the head of a room", answers::head(self.on_log(room, eval).await?))
    }

    async fn last_n(&self, room: &RoomName, client: &ClientId) -> Answer<u64> {
        let [meta, _, records, older] = keys::log(room);
        let mut ask = redis::pipe();
        ask.cmd("HGET").arg(records).arg(client.as_str()).cmd("HGET").arg(older).arg(client.as_str());
        let answers = self.topology.of(&meta).pipeline(&ask).await?;
        let Some(record) = answers.into_iter().find(|answer| *answer != redis::Value::Nil) else {
            return Ok(0);
        };
        understood("the record of a client", answers::record_n(record))
    }

    async fn repair(&self, room: &RoomName, run: Run) -> Answer<Repaired> {
        if !answers::is_contiguous(&run) {
            return Ok(Repaired::Bad);
        }
        let first = run.entries.first();
        let below = first.map_or(Seq::START, |entry| entry.seq);
        let prev = first.and_then(|entry| entry.prev.as_ref()).map(ToString::to_string).unwrap_or_default();
        let records: String = (run.records.iter())
            .map(|(client, record)| {
                let super::Record { generation, n, seq, digest } = record;
                format!("{client} {generation} {n} {} {digest}\n", seq.0)
            })
            .collect();
        let eval = Eval::of(&scripts::REPAIR).keys(keys::log(room)).keys([self.channels.room(room)]);
        let eval = eval.arg(run.epoch).arg(self.settle.as_millis()).arg(LOG_ENTRIES_MAX).arg("PUBLISH");
        let eval = eval.arg(below.0).arg(prev).bytes(entry::pack_run(&run.entries)).arg(records);
        let read = answers::repaired(self.on_log(room, eval).await?);
        let (repaired, notice) = understood("the log of a room", read)?;
        if let Some(notice) = notice {
            // Nodes without members there may still hold something of it.
            self.people.tell_all(notice.replacen('H', &format!("H {room}"), 1)).await?;
        }
        Ok(repaired)
    }

    async fn ask(&self, room: &RoomName) -> Answer<Asked> {
        let [meta, ..] = keys::log(room);
        let eval = Eval::of(&scripts::ASK).keys([meta]).arg(self.settle.as_millis());
        let answer = self.on_log(room, eval.arg(fastrand::u64(..))).await?;
        let round = understood("the round of a room", answers::number(answer))?;
        self.people.ask(room, round).await
    }

    async fn create(&self, room: &RoomName, round: u64, before: Option<Place>) -> Answer<Option<Head>> {
        let (epoch, seq) =
            before.map_or_else(Default::default, |place| (place.epoch.to_string(), place.seq.0));
        let eval = Eval::of(&scripts::CREATE).keys(keys::log(room)).arg(round).arg(Epoch::random());
        let answer = self.on_log(room, eval.arg(epoch).arg(seq)).await?;
        understood("the head of a room", answers::head(answer))
    }

    async fn subscribe(&self, room: &RoomName) -> Answer<()> {
        let channel = self.channels.room(room);
        let primary = self.topology.of(&channel);
        // Wanted first: a connection that is made meanwhile asks for it too.
        primary.feed.want(channel.clone(), room.clone());
        primary.subscribe(&channel).await
    }

    async fn unsubscribe(&self, room: &RoomName) -> Answer<()> {
        let channel = self.channels.room(room);
        let primary = self.topology.of(&channel);
        primary.feed.unwant(&channel);
        primary.unsubscribe(&channel).await
    }
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
    fn log(&self) -> Arc<Inner> {
        self.inner.clone()
    }

    fn people(&self) -> Arc<People> {
        self.inner.people.clone()
    }
}

impl Backbone for RedisBackbone {
    fn health(&self) -> Health {
        let worst = self.inner.topology.each().map(|primary| primary.health());
        worst.max_by_key(|health| health.silent).unwrap_or_default()
    }

    fn cut(&self) {
        self.inner.topology.each().for_each(|primary| primary.cut());
    }

    fn subscribe(&self, room: &RoomName) -> Call<()> {
        hand_on!(self, log => |log, room| log.subscribe(&room))
    }

    fn unsubscribe(&self, room: &RoomName) -> Call<()> {
        hand_on!(self, log => |log, room| log.unsubscribe(&room))
    }

    fn publish(&self, room: &RoomName, known: Option<Place>, items: Vec<Item>) -> Call<Published> {
        hand_on!(self, log => |log, room| log.publish(&room, known, items))
    }

    fn read(&self, room: &RoomName, after: Place, limit: usize) -> Call<Page> {
        hand_on!(self, log => |log, room| log.read(&room, after, limit))
    }

    fn history(
        &self,
        room: &RoomName,
        before: Option<Seq>,
        limit: usize,
    ) -> Call<Option<(Head, Vec<Arc<Entry>>)>> {
        hand_on!(self, log => |log, room| log.history(&room, before, limit))
    }

    fn head(&self, room: &RoomName) -> Call<Option<Head>> {
        hand_on!(self, log => |log, room| log.head(&room))
    }

    fn last_n(&self, room: &RoomName, client: &ClientId) -> Call<u64> {
        hand_on!(self, log => |log, room, client| log.last_n(&room, &client))
    }

    fn repair(&self, room: &RoomName, run: Run) -> Call<Repaired> {
        hand_on!(self, log => |log, room| log.repair(&room, run))
    }

    fn ask(&self, room: &RoomName) -> Call<Asked> {
        hand_on!(self, log => |log, room| log.ask(&room))
    }

    fn answer(&self, room: &RoomName, to: &NodeId) -> Call<()> {
        hand_on!(self, people => |people, room, to| people.answer(&room, &to))
    }

    fn create(&self, room: &RoomName, round: u64, before: Option<Place>) -> Call<Option<Head>> {
        hand_on!(self, log => |log, room| log.create(&room, round, before))
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

    fn present(&self, room: &RoomName) -> Call<Vec<User>> {
        hand_on!(self, people => |people, room| people.present(&room))
    }

    fn rooms(&self) -> Call<Vec<(RoomName, usize)>> {
        hand_on!(self, people => |people| people.rooms())
    }

    fn claim_name(&self, key: &str, user: &UserId) -> Call<bool> {
        let key = key.to_owned();
        hand_on!(self, people => |people, key, user| people.claim_name(&key, &user))
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

    fn fence(&self, client: &ClientId, user: &UserId, generation: u64) -> Call<bool> {
        hand_on!(self, people => |people, client, user| people.fence(&client, &user, generation))
    }
}
