//! A node's connections to Redis, by the rules of the Redis backbone: both or none, calls in flight fail with them,
//! all heads are compared after a reconnect, and nothing is published, asked or made for up to a second when another
//! server answers, unless the nodes that were there before are back.

use std::collections::BTreeMap;
use std::time::Duration;

use chat_protocol::NodeId;
use chat_server::backbone::{Asked, Backbone, BackboneError, FeedEvent, Link, Page, Place, Published};
use chat_server::room::{Call, Input, READ_ENTRIES};

use super::Mutation;
use super::mutation;
use super::redis::{ghost, now};
use super::world::{Event, MS, World};

/// How long publishing waits for the other nodes.
const GATE_MAX: Duration = Duration::from_secs(1);
const GATE_EVERY: Duration = Duration::from_millis(50);
const GATE_PAUSE: Duration = Duration::from_millis(100);
/// How long a round keeps a room closed.
const SETTLE: Duration = Duration::from_millis(300);
/// A call that was not answered by then has failed.
const CALL_MAX: Duration = Duration::from_secs(5);
/// Redis may be slow for so long before another connection is tried.
pub(super) const SLOW_MAX: Duration = Duration::from_secs(7);
const RENEW_EVERY: Duration = Duration::from_secs(1);
/// A node whose lease was renewed no longer ago may live, and is waited for.
const MAY_LIVE: Duration = Duration::from_secs(10);

/// One node's connections.
#[derive(Default)]
pub(super) struct Wire {
    pub(super) link: Option<Link>,
    /// To which server they lead, or led.
    pub(super) server: Option<usize>,
    /// Another one after each loss: what belongs to a former one comes to nothing.
    pub(super) number: u64,
    /// Calls that were not answered.
    calls: BTreeMap<u64, (usize, Kind)>,
    gate: Duration,
    gate_since: Option<Duration>,
    feed_at: Duration,
    /// Other nodes and when their leases were last seen renewed.
    peers: BTreeMap<u64, (NodeId, Duration)>,
    pub(super) renewed: Duration,
    pub(super) cut_until: Duration,
    pub(super) calls_held: Duration,
    pub(super) answers_held: Duration,
    pub(super) feed_held: Duration,
    pub(super) deaf_until: Duration,
}

/// What a call's failure is the answer to.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Head,
    Read,
    Page,
    Publish,
    Repair,
    Ask,
}

impl Kind {
    fn of(call: &Call) -> Option<Self> {
        Some(match call {
            Call::Head | Call::Create(..) => Self::Head,
            Call::Read(_) => Self::Read,
            Call::Page(_) => Self::Page,
            Call::Publish(..) => Self::Publish,
            Call::Repair(_) => Self::Repair,
            Call::Ask => Self::Ask,
            Call::Answer(_) => return None,
        })
    }

    fn failed(self) -> Input {
        let error = BackboneError::Unavailable("lost".into());
        match self {
            Self::Head => Input::Head(Err(error)),
            Self::Read => Input::Read(Err(error)),
            Self::Page => Input::Paged(Err(error)),
            Self::Publish => Input::Published(Err(error)),
            Self::Repair => Input::Repaired(Err(error)),
            Self::Ask => Input::Asking(Err(error)),
        }
    }
}

/// A call on its way: by whom, through which connections.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) node: u64,
    pub(super) wire: u64,
    pub(super) server: usize,
    pub(super) id: u64,
    pub(super) room: usize,
    pub(super) call: Call,
}

impl Wire {
    pub(super) fn reaches_redis(&self, now: Duration) -> bool {
        self.link.is_some() && !self.holds_calls(now) && now >= self.feed_held
    }

    /// It has said goodbye.
    pub(super) fn forget_peer(&mut self, peer: u64) {
        self.peers.remove(&peer);
    }

    fn holds_calls(&self, now: Duration) -> bool {
        now < self.calls_held || now < self.answers_held
    }
}

impl World {
    /// A core asks something of the log.
    pub(super) fn call(&mut self, key: u64, room: usize, call: Call) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let (at, kind) = (self.now, Kind::of(&call));
        let id = self.next;
        self.next += 1;
        let gate = node.wire.gate.saturating_sub(at);
        if !gate.is_zero() {
            match call {
                Call::Publish(..) => {
                    let answer = Input::Published(Ok(Published::Settling(gate.min(GATE_PAUSE))));
                    return self.after(MS / 10, Event::Answer { node: key, id: None, room, input: answer });
                }
                Call::Create(..) => {
                    let answer = Input::Head(Ok(None));
                    return self.after(MS / 10, Event::Answer { node: key, id: None, room, input: answer });
                }
                _ => {}
            }
        }
        let (Some(server), true) = (node.wire.server, node.wire.link.is_some()) else {
            let Some(kind) = kind else { return };
            return self.after(MS / 10, Event::Answer { node: key, id: None, room, input: kind.failed() });
        };
        let (wire, waits) = (node.wire.number, node.wire.holds_calls(at));
        if let Some(kind) = kind {
            node.wire.calls.insert(id, (room, kind));
        }
        if waits {
            self.after(CALL_MAX, Event::TimedOut { node: key, id });
        }
        let waits_for_all = match &call {
            Call::Ask => true,
            Call::Repair(run) => run.entries.is_empty(),
            _ => false,
        };
        let gate = if waits_for_all { gate } else { Duration::ZERO };
        let delay = self.delay() + gate;
        self.after(delay, Event::Call(Box::new(Sent { node: key, wire, server, id, room, call })));
    }

    /// A call reaches its server, and takes effect there, whether its node waits for the answer or not.
    pub(super) fn arrive(&mut self, sent: Box<Sent>) {
        let Sent { node: key, wire, server, id, room, .. } = *sent;
        let name = self.rooms[room].clone();
        let node = self.nodes.get(&key).filter(|node| node.wire.number == wire && node.wire.link.is_some());
        if let Some(held) = node.map(|node| node.wire.calls_held).filter(|held| *held > self.now) {
            return self.at(held, Event::Call(sent));
        }
        let of_node = node.and_then(|node| node.wire.link.as_ref()).map(|link| link.backbone.clone());
        let is_waited_for = of_node.is_some();
        let Some(backbone) = of_node.or_else(|| self.redis.ghost(server)) else { return };
        if !self.redis.is_up(server) {
            return;
        }
        self.log(|| format!("node-{key} calls {}: {:?}", name, sent.call));
        let again = Some(sent.call.clone()).filter(|call| matches!(call, Call::Page(_)));
        let answer = self.effect(key, &name, &*backbone, sent.call);
        self.log(|| format!("          … {answer:?}{}", if is_waited_for { "" } else { ", to nobody" }));
        self.drain_feeds();
        let (Some(input), true) = (answer, is_waited_for) else { return };
        let gate = self.nodes.get(&key).map(|node| node.wire.gate).filter(|gate| *gate > self.now);
        let is_trimmed = matches!(input, Input::Paged(Ok(Page::Trimmed { .. })));
        if let (Some(gate), Some(call), true) = (gate, again, is_trimmed) {
            // Not said before those who may have the beginning of the log had their time: it is read again.
            return self.at(gate, Event::Call(Box::new(Sent { node: key, wire, server, id, room, call })));
        }
        if self.one_in(self.plan.lost_answer_one_in) {
            return self.after(MS * 5, Event::TimedOut { node: key, id });
        }
        let delay = self.delay();
        self.after(delay, Event::Answer { node: key, id: Some(id), room, input });
    }

    fn effect(
        &mut self,
        key: u64,
        room: &chat_protocol::RoomName,
        log: &dyn Backbone,
        call: Call,
    ) -> Option<Input> {
        Some(match call {
            Call::Head => Input::Head(now(log.head(room))),
            Call::Read(after) if self.mutation == Mutation::NoGapFill => {
                let head = Place { seq: after.seq, ..after };
                Input::Read(Ok(Page::Ok { head, entries: Vec::new() }))
            }
            Call::Read(after) => Input::Read(now(log.read(room, after, READ_ENTRIES))),
            Call::Page(after) => Input::Paged(now(log.read(room, after, READ_ENTRIES))),
            Call::Publish(known, items) => {
                if self.mutation == Mutation::NoEvidence {
                    mutation::believe(log, room, &items);
                }
                Input::Published(now(log.publish(room, Some(known), items)))
            }
            Call::Repair(run) if self.mutation == Mutation::NoRepair => {
                Input::Repaired(mutation::make_anew(log, room, &run))
            }
            Call::Repair(run) => Input::Repaired(now(log.repair(room, run))),
            Call::Ask => Input::Asking(now(log.ask(room)).map(|asked| self.waited_for(key, asked))),
            Call::Create(round, before) => Input::Head(now(log.create(room, round, before))),
            Call::Answer(to) => {
                drop(now(log.answer(room, &to)));
                return None;
            }
        })
    }

    /// Who was asked, and who may live and did not hear it.
    fn waited_for(&self, key: u64, asked: Asked) -> Asked {
        let ghost = ghost();
        let mut nodes: Vec<NodeId> = asked.nodes.into_iter().filter(|node| *node != ghost).collect();
        let peers = self.nodes.get(&key).into_iter().flat_map(|node| node.wire.peers.values());
        for (peer, _) in peers {
            if !nodes.contains(peer) {
                nodes.push(peer.clone());
            }
        }
        Asked { round: asked.round, nodes }
    }

    pub(super) fn answer(&mut self, key: u64, id: Option<u64>, room: usize, input: Input) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        if let Some(id) = id {
            if !node.wire.calls.contains_key(&id) {
                return;
            }
            let held = node.wire.answers_held;
            if held > self.now {
                return self.at(held, Event::Answer { node: key, id: Some(id), room, input });
            }
            node.wire.calls.remove(&id);
        }
        self.room_input(key, room, input);
    }

    pub(super) fn timed_out(&mut self, key: u64, id: u64) {
        let Some((room, kind)) = self.nodes.get_mut(&key).and_then(|node| node.wire.calls.remove(&id)) else {
            return;
        };
        self.room_input(key, room, kind.failed());
    }

    /// Answers are waited for no longer than that.
    pub(super) fn hold(&mut self, key: u64) {
        let ids: Vec<u64> = self.nodes[&key].wire.calls.keys().copied().collect();
        for id in ids {
            self.after(CALL_MAX, Event::TimedOut { node: key, id });
        }
    }

    /// Redis' feed reaches each node later, in its order.
    pub(super) fn drain_feeds(&mut self) {
        let keys = std::mem::take(&mut self.keys);
        for key in &keys {
            let next = |world: &mut Self| world.nodes.get_mut(key)?.wire.link.as_mut()?.feed.try_recv().ok();
            while let Some(event) = next(self) {
                self.tell_node(*key, event);
            }
        }
        self.keys = keys;
    }

    fn tell_node(&mut self, key: u64, event: FeedEvent) {
        let (delay, at) = (self.delay(), self.now);
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let is_of_one_room = matches!(event, FeedEvent::Entries { .. } | FeedEvent::Head { .. });
        if at < node.wire.deaf_until && is_of_one_room {
            return;
        }
        let wire = &mut node.wire;
        wire.feed_at = wire.feed_at.max(at + delay).max(wire.feed_held).max(wire.answers_held);
        let (due, wire) = (wire.feed_at, wire.number);
        self.at(due, Event::Feed { node: key, wire, event });
    }

    /// The connections are gone: calls in flight have failed, and what the feed had on its way is lost.
    pub(super) fn drop_wire(&mut self, key: u64) {
        let fresh = self.fresh();
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let Some(link) = node.wire.link.take() else { return };
        link.backbone.cut();
        node.wire.number = fresh;
        let calls = std::mem::take(&mut node.wire.calls);
        self.in_trouble(key);
        self.log(|| format!("node-{key} loses redis"));
        for (room, kind) in calls.into_values() {
            self.after(MS / 10, Event::Answer { node: key, id: None, room, input: kind.failed() });
        }
        let pause = MS * self.rng.u32(10..400);
        self.after(pause, Event::DialRedis(key));
    }

    pub(super) fn dial_redis(&mut self, key: u64) {
        let (at, primary) = (self.now, self.redis.primary);
        let Some(node) = self.nodes.get(&key).filter(|node| node.wire.link.is_none()) else { return };
        let wire = &node.wire;
        let held = wire.cut_until.max(wire.calls_held).max(wire.answers_held).max(wire.feed_held);
        if held > at || !self.redis.is_up(primary) {
            self.in_trouble(key);
            let pause = MS * self.rng.u32(25..400);
            return self.after(pause, Event::DialRedis(key));
        }
        self.connect(key);
    }

    pub(super) fn connect(&mut self, key: u64) {
        let (at, primary, number) = (self.now, self.redis.primary, self.fresh());
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let link = self.redis.connect(&node.id);
        for (room, _) in self.rooms.iter().zip(&node.subscribed).filter(|(_, subscribed)| **subscribed) {
            drop(now(link.backbone.subscribe(room)));
        }
        let wire = &mut node.wire;
        let young = (self.redis.server(primary).since + GATE_MAX).saturating_sub(at);
        let is_other = wire.server.is_some_and(|before| before != primary);
        let wait = if is_other { GATE_MAX } else { young };
        let gated = !wait.is_zero() && primary > 0 && self.mutation != Mutation::NoGate;
        wire.gate = if gated { at + wait } else { Duration::ZERO };
        wire.gate_since = None;
        (wire.link, wire.server, wire.number, wire.renewed) = (Some(link), Some(primary), number, at);
        self.log(|| format!("node-{key} has redis {primary}"));
        if gated {
            self.after(GATE_EVERY, Event::Gate { node: key, wire: number });
        }
        self.tell_node(key, FeedEvent::Stale);
    }

    /// Publishing goes on as soon as all who were there before are there again, and had the time of a round.
    pub(super) fn look_at_gate(&mut self, key: u64, number: u64) {
        let at = self.now;
        let Some(node) = self.nodes.get(&key) else { return };
        let wire = &node.wire;
        if wire.number != number || wire.gate <= at {
            return;
        }
        let since = wire.gate_since.unwrap_or(at);
        let is_back = |peer: &u64| {
            let peer = self.nodes.get(peer).map(|node| &node.wire);
            peer.is_some_and(|peer| {
                peer.link.is_some() && peer.server == wire.server && peer.renewed >= since
            })
        };
        let opens = !wire.peers.is_empty() && wire.peers.keys().all(is_back);
        let Some(node) = self.nodes.get_mut(&key) else { return };
        node.wire.gate_since = Some(since);
        if opens {
            node.wire.gate = node.wire.gate.min(at + SETTLE);
        } else {
            self.after(GATE_EVERY, Event::Gate { node: key, wire: number });
        }
    }

    /// The lease is renewed, and the others' are read.
    pub(super) fn lease(&mut self, key: u64) {
        let at = self.now;
        let Some(wire) = self.nodes.get(&key).map(|node| &node.wire) else { return };
        if wire.link.is_some() && wire.holds_calls(at) {
            return self.after(RENEW_EVERY, Event::Lease(key));
        }
        if wire.link.is_some() {
            let server = wire.server;
            let others =
                self.nodes.iter().filter(|(other, node)| **other != key && node.wire.server == server);
            let seen: Vec<_> =
                others.map(|(other, node)| (*other, (node.id.clone(), node.wire.renewed))).collect();
            let Some(node) = self.nodes.get_mut(&key) else { return };
            node.wire.renewed = at;
            node.wire.peers.extend(seen);
            node.wire.peers.retain(|_, (_, renewed)| at < *renewed + MAY_LIVE);
        }
        self.after(RENEW_EVERY, Event::Lease(key));
    }
}
