//! Owns who is where in Redis: leases, and the users of each room on each node. What a node registers belongs to one
//! life of it, `node incarnation`: it is worth nothing once that life's lease has run out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chat_protocol::{NodeId, NodeInfo, Person, RoomName, User, UserId};
use futures_util::future::try_join_all;
use parking_lot::Mutex;
use redis::Value;
use tokio::time::{Instant, sleep};
use tracing::error;

use super::Answer;
use super::answers::{Row, understood};
use super::feed::{presence_notice, typing_notice};
use super::keys::{self, Channels};
use super::registering::Registering;
use super::scripts::{self, Eval};
use super::start::DialError;
use super::topology::Topology;
use crate::backbone::{Asked, BackboneError, PresenceChange};

/// How long a dead node is remembered: names are held beyond its death.
pub(super) const DEAD_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// A node whose lease ran out no longer ago may live still, and be asked.
const MAY_LIVE: Duration = Duration::from_secs(10);
/// A node that lives renews its lease within this time.
const RENEWED_WITHIN: Duration = Duration::from_millis(1_500);
/// How long what a life has registered stays without being refreshed, in seconds.
pub(super) const REGISTERED_S: u64 = 7 * 86_400;
/// Rooms whose users are counted at once.
const COUNTED_AT_ONCE: usize = 64;
/// How often it is refreshed.
pub(super) const REFRESH_EVERY: Duration = Duration::from_secs(86_400);

/// Who is where, as one node says and asks it.
pub(super) struct People {
    pub(super) topology: Arc<Topology>,
    pub(super) channels: Channels,
    node: NodeId,
    lease: Duration,
    pub(super) name_hold: Duration,
    /// Another one after each loss of the lease.
    life: Mutex<String>,
    /// Held over a renewal: of two at once each would begin a life, and one of them take the other for a namesake.
    renewing: tokio::sync::Mutex<()>,
    /// The lease was taken anew without the node having been told.
    anew: AtomicBool,
    /// What the node last said of itself.
    said: Mutex<String>,
    /// The others, each with the moment since when it is missing.
    peers: Mutex<HashMap<NodeId, Option<Instant>>>,
    /// A younger node lives under this one's name.
    displaced: AtomicBool,
    /// What this life has registered, to be refreshed.
    pub(super) registered: Mutex<HashSet<String>>,
}

/// One life of a node, and what Redis knows of it.
pub(super) struct Life {
    pub(super) life: String,
    node: NodeId,
    pub(super) until: u64,
    info: Option<NodeInfo>,
}

/// A later life is greater.
fn new_life(node: &NodeId) -> String {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
    format!("{node} {since:012x}{:04x}", fastrand::u16(..))
}

impl People {
    pub(super) fn new(
        topology: Arc<Topology>,
        channels: Channels,
        node: NodeId,
        times: (Duration, Duration),
    ) -> Self {
        let (life, (lease, name_hold)) = (Mutex::new(new_life(&node)), times);
        let (renewing, said, peers, registered, displaced) = Default::default();
        // Until the node has said of itself what there is to say, it has said nothing.
        let anew = AtomicBool::new(true);
        Self {
            topology,
            channels,
            node,
            lease,
            name_hold,
            life,
            renewing,
            anew,
            said,
            peers,
            displaced,
            registered,
        }
    }

    pub(super) fn node(&self) -> &NodeId {
        &self.node
    }

    pub(super) fn peers(&self) -> HashSet<NodeId> {
        self.peers.lock().keys().cloned().collect()
    }

    pub(super) fn life(&self) -> String {
        self.life.lock().clone()
    }

    pub(super) async fn eval(&self, eval: Eval, key: &str) -> Answer<Value> {
        self.topology.of(key).eval(eval).await
    }

    /// Says something to every node; how many heard it.
    pub(super) async fn tell_all(&self, message: String) -> Answer<usize> {
        self.tell(self.channels.all(), message).await
    }

    async fn tell(&self, channel: String, message: String) -> Answer<usize> {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(&channel).arg(message);
        let heard = self.topology.of(&channel).query(&publish).await?;
        Ok(if let Value::Int(count) = heard { usize::try_from(count).unwrap_or(0) } else { 0 })
    }

    /// Takes the lease of a node that starts. A former life of it brings nobody along; a node that lives under
    /// this name is another's.
    pub(super) async fn take_place(&self) -> Result<(), DialError> {
        let namesakes = async || {
            let (_, lives) = self.lives(Duration::ZERO).await?;
            Ok::<_, BackboneError>(
                lives.into_iter().filter(|life| life.node == self.node).collect::<Vec<_>>(),
            )
        };
        let later = |error: BackboneError| DialError::Later(error.to_string());
        let before = namesakes().await.map_err(later)?;
        if !before.is_empty() {
            sleep(RENEWED_WITHIN).await;
        }
        let now = namesakes().await.map_err(later)?;
        let lives = |life: &&Life| before.iter().any(|was| was.life == life.life && was.until < life.until);
        if now.iter().any(|life| lives(&life)) {
            return Err(DialError::Never(format!(
                "a node {:?} is in this cluster already: give this one a name of its own with --node",
                self.node.as_str()
            )));
        }
        for life in now {
            self.bury(&life.life).await.map_err(later)?;
        }
        self.renew_again().await.map_err(later)
    }

    pub(super) async fn renew(&self, info: &NodeInfo) -> Answer<bool> {
        *self.said.lock() = serde_json::to_string(info).expect("a node's figures are JSON");
        if self.displaced.load(Ordering::Relaxed) {
            // Its name is another's as long as that one lives.
            self.look_for_namesake(&self.lives(Duration::ZERO).await?.1)?;
        }
        self.renew_again().await?;
        Ok(!self.anew.swap(false, Ordering::Relaxed))
    }

    /// Renews the lease with what was last said; where it was lost, under another life.
    pub(super) async fn renew_again(&self) -> Answer<()> {
        let _one_at_a_time = self.renewing.lock().await;
        let (life, next) = (self.life(), new_life(&self.node));
        let said = self.said.lock().clone();
        let eval = Eval::of(&scripts::RENEW).keys(keys::NODES).arg(&life).arg(self.lease.as_millis());
        let eval = eval.arg(DEAD_KEPT.as_millis()).arg(said).arg(&next);
        let held = self.eval(eval, keys::NODES[0]).await?;
        if held != Value::Int(1) {
            *self.life.lock() = next;
            self.registered.lock().clear();
            self.anew.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(super) async fn depart(&self) -> Answer<()> {
        self.bury(&self.life()).await
    }

    /// A life is over: nothing it has registered counts.
    async fn bury(&self, life: &str) -> Answer<()> {
        let [leases, info] = keys::NODES;
        let primary = self.topology.of(leases);
        primary.query(redis::cmd("ZREM").arg(leases).arg(life)).await?;
        primary.query(redis::cmd("HDEL").arg(info).arg(life)).await?;
        Ok(())
    }

    /// Redis' clock, and the lives whose leases ran out no longer ago than `past`, the longest lived last.
    pub(super) async fn lives(&self, past: Duration) -> Answer<(u64, Vec<Life>)> {
        let eval = Eval::of(&scripts::NODES).keys(keys::NODES).arg(past.as_millis());
        let answer = self.eval(eval, keys::NODES[0]).await?;
        let read = || {
            let mut row = Row::of(answer)?;
            let (now, mut lives) = (row.number()?, Vec::new());
            while let Some(life) = row.text() {
                let (until, said) = (row.number()?, row.text()?);
                let node = NodeId::parse(life.split_once(' ')?.0).ok()?;
                lives.push(Life { life, node, until, info: serde_json::from_str(&said).ok() });
            }
            Some((now, lives))
        };
        understood("the list of nodes", read())
    }

    pub(super) async fn nodes(&self) -> Answer<Vec<NodeInfo>> {
        let (_, lives) = self.lives(Duration::ZERO).await?;
        self.see_peers(&lives);
        self.look_for_namesake(&lives)?;
        let newest: BTreeMap<NodeId, NodeInfo> =
            lives.into_iter().filter_map(|life| Some((life.node, life.info?))).collect();
        Ok(newest.into_values().collect())
    }

    /// Who is missing may be on its way: a Redis that was emptied has forgotten everybody.
    fn see_peers(&self, lives: &[Life]) {
        let now = Instant::now();
        let mut peers = self.peers.lock();
        peers.retain(|_, missing| now.duration_since(*missing.get_or_insert(now)) < MAY_LIVE);
        let others = lives.iter().filter(|life| life.node != self.node);
        peers.extend(others.map(|life| (life.node.clone(), None)));
    }

    /// A node that slept for so long that another took its name leaves it to that one.
    fn look_for_namesake(&self, lives: &[Life]) -> Answer<()> {
        let own = self.life();
        let displaced = lives.iter().any(|life| life.node == self.node && life.life > own);
        if displaced != self.displaced.swap(displaced, Ordering::Relaxed) && displaced {
            error!(node = %self.node, "another node has this one's name: give each a name of its own with --node");
        }
        let reason = || BackboneError::Unavailable(format!("another node is called {}", self.node));
        if displaced { Err(reason()) } else { Ok(()) }
    }

    /// True once all of these nodes have renewed their lease since the first call.
    pub(super) async fn are_back(&self, peers: &HashSet<NodeId>, since: &mut Option<u64>) -> Answer<bool> {
        let (now, lives) = self.lives(Duration::ZERO).await?;
        let since = *since.get_or_insert(now);
        let lease = self.lease.as_millis() as u64;
        let is_back =
            |peer: &NodeId| lives.iter().any(|life| life.node == *peer && life.until >= since + lease);
        Ok(peers.iter().all(is_back))
    }

    /// Asks every other node that may live what it has of a room.
    pub(super) async fn ask(&self, room: &RoomName, round: u64) -> Answer<Asked> {
        let heard = self.tell_all(format!("A {room} {}", self.node)).await?;
        let (_, lives) = self.lives(MAY_LIVE).await?;
        let mut nodes: BTreeSet<NodeId> = lives.into_iter().map(|life| life.node).collect();
        nodes.extend(self.peers());
        nodes.remove(&self.node);
        // Somebody heard it whose lease a flush has taken: it is waited for by time.
        let unknown = heard.saturating_sub(1).saturating_sub(nodes.len());
        let stand_in = |number| NodeId::parse(&format!("unknown-{number}")).expect("letters and digits");
        Ok(Asked { round, nodes: nodes.into_iter().chain((0..unknown).map(stand_in)).collect() })
    }

    pub(super) async fn answer(&self, room: &RoomName, to: &NodeId) -> Answer<()> {
        self.tell(self.channels.node(to), format!("R {room} {}", self.node)).await.map(|_| ())
    }

    /// Everything this life has registered stays for a while longer.
    pub(super) async fn refresh(&self) -> Answer<()> {
        let registered: Vec<String> = self.registered.lock().iter().cloned().collect();
        for key in registered {
            self.topology.of(&key).query(redis::cmd("EXPIRE").arg(&key).arg(REGISTERED_S)).await?;
        }
        Ok(())
    }

    pub(super) async fn enter(&self, room: &RoomName, user: User) -> Answer<()> {
        let (life, feed) = (self.life(), self.channels.room(room));
        let (here, rooms) = (keys::here(room, &life), keys::rooms_of(&life));
        let said = serde_json::to_string(&user).expect("a user is JSON");
        let eval = Eval::of(&scripts::ENTER).keys([here.clone(), feed]).arg(&user.user_id).arg(said);
        let eval = eval.arg("PUBLISH").arg(presence_notice(&PresenceChange::Entered(user)));
        self.eval(eval, &here).await?;
        // Of many who come at once the first one registers the room.
        let Some(registering) = Registering::begin(&self.registered, here) else { return Ok(()) };
        let mut register = redis::pipe();
        register.cmd("SADD").arg(&rooms).arg(room.as_str()).cmd("EXPIRE").arg(&rooms).arg(REGISTERED_S);
        self.topology.of(&rooms).pipeline(&register).await?;
        registering.done();
        self.registered.lock().insert(rooms);
        Ok(())
    }

    pub(super) async fn exit(&self, room: &RoomName, user: &UserId, lost: bool) -> Answer<()> {
        let (life, feed) = (self.life(), self.channels.room(room));
        let (here, rooms) = (keys::here(room, &life), keys::rooms_of(&life));
        let left = PresenceChange::Left { user: user.clone(), node: self.node.clone(), lost };
        let eval = Eval::of(&scripts::EXIT).keys([here.clone(), feed]).arg(user);
        let eval = eval.arg("PUBLISH").arg(presence_notice(&left));
        if self.eval(eval, &here).await? == Value::Int(0) {
            self.registered.lock().remove(&here);
            self.topology.of(&rooms).query(redis::cmd("SREM").arg(&rooms).arg(room.as_str())).await?;
        }
        Ok(())
    }

    pub(super) async fn whisper(&self, room: &RoomName, who: &Person) -> Answer<()> {
        self.tell(self.channels.room(room), typing_notice(who)).await.map(|_| ())
    }

    /// Each user once, however many nodes the user is on.
    pub(super) async fn present(&self, room: &RoomName) -> Answer<Vec<User>> {
        let (_, lives) = self.lives(Duration::ZERO).await?;
        let mut ask = redis::pipe();
        let keys: Vec<String> = lives.iter().map(|life| keys::here(room, &life.life)).collect();
        let Some(first) = keys.first() else { return Ok(Vec::new()) };
        for key in &keys {
            ask.cmd("HVALS").arg(key);
        }
        let answers = self.topology.of(first).pipeline(&ask).await?;
        let mut users = BTreeMap::new();
        for answer in answers {
            let read = || Row::of(answer)?.map(user).collect::<Option<Vec<User>>>();
            let there = understood("the users of a room", read())?;
            users.extend(there.into_iter().map(|user| (user.user_id.clone(), user)));
        }
        Ok(users.into_values().collect())
    }

    pub(super) async fn rooms(
        &self,
        after: Option<&RoomName>,
        limit: usize,
    ) -> Answer<Vec<(RoomName, usize)>> {
        let (_, lives) = self.lives(Duration::ZERO).await?;
        let mut found: BTreeSet<RoomName> = BTreeSet::new();
        for life in &lives {
            let key = keys::rooms_of(&life.life);
            let names = self.topology.of(&key).query(redis::cmd("SMEMBERS").arg(&key)).await?;
            let read = || Row::of(names)?.map(|name| RoomName::parse(&text(name)?).ok()).collect();
            found.extend(understood::<Vec<RoomName>>("the rooms of a node", read())?);
        }
        found.retain(|room| !room.is_reserved() && after.is_none_or(|after| room > after));
        let found: Vec<RoomName> = found.into_iter().collect();
        let mut counted = Vec::new();
        for rooms in found.chunks(COUNTED_AT_ONCE) {
            let counts = try_join_all(rooms.iter().map(|room| self.count(room, &lives))).await?;
            counted.extend(rooms.iter().cloned().zip(counts).filter(|(_, count)| *count > 0));
            if counted.len() >= limit {
                counted.truncate(limit);
                break;
            }
        }
        Ok(counted)
    }

    /// Each user once.
    async fn count(&self, room: &RoomName, lives: &[Life]) -> Answer<usize> {
        let mut ask = redis::pipe();
        for life in lives {
            ask.cmd("HKEYS").arg(keys::here(room, &life.life));
        }
        let Some(first) = lives.first() else { return Ok(0) };
        let answers = self.topology.of(&keys::here(room, &first.life)).pipeline(&ask).await?;
        let read = || answers.into_iter().map(Row::of).collect::<Option<Vec<Row>>>();
        let users = understood("the users of a room", read())?.into_iter().flatten().filter_map(text);
        Ok(users.collect::<HashSet<String>>().len())
    }
}

pub(super) fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn user(value: Value) -> Option<User> {
    serde_json::from_str(&text(value)?).ok()
}
