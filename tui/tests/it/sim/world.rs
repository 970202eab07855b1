//! The virtual world: one clock, one queue of what is to happen, and everybody who lives in it.

use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chat_protocol::{ClientId, NodeId, NodeInfo, Request, RoomName, Seq};
use chat_server::backbone::FeedEvent;
use chat_server::backbone::memory::{MemoryBackbone, Timing};
use chat_server::room::{Call, ConnId, Input as RoomInput};
use chat_tui::net::event::{NetCommand, NetEvent, Transport};
use chat_tui::net::link::{Happening, Input, Output};
use futures_util::FutureExt;

use super::Mutation;
use super::client::Client;
use super::node::Node;

pub(super) const CLIENTS: usize = 3;
const NODES: usize = 3;
const MS: Duration = Duration::from_millis(1);
/// Faults happen until then; after it everything heals.
const TROUBLE: Duration = Duration::from_secs(12);
/// Everything must be quiet and complete by then.
const END: Duration = Duration::from_secs(60);
/// More steps than any schedule needs: somebody asks the same thing over and over.
pub(super) const STEPS_MAX: u64 = 60_000;

/// What a seed decides.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) messages: u64,
    /// Longest delay of anything, in milliseconds.
    pub(super) delay_ms: u64,
    pub(super) faults: Vec<(Duration, Fault)>,
    /// One in so many: an outbox is full after an entry; 0 never.
    pub(super) full_one_in: u64,
    /// One in so many: a call's answer is lost although it took effect; 0 never.
    pub(super) lost_answer_one_in: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A node dies; another one starts a little later.
    Crash,
    /// A client's connection breaks.
    Disconnect,
    /// A node and the backbone cannot reach each other for a while.
    Partition(Duration),
    /// A node hears nothing of the feed for a while, and is not told.
    DeadFeed(Duration),
    /// The log is gone.
    Flush,
    /// The log's newest entries are gone.
    RollBack(u64),
}

impl Plan {
    pub(super) fn of(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let chaos = rng.u64(0..6);
        let mut faults: Vec<_> = (0..rng.u64(0..10))
            .map(|_| {
                let at = MS * rng.u32(500..TROUBLE.as_millis() as u32);
                let long = MS * rng.u32(50..4_000);
                let fault = match rng.u64(0..10) {
                    0..3 => Fault::Crash,
                    3..6 => Fault::Disconnect,
                    6 => Fault::Partition(long),
                    7 => Fault::DeadFeed(long),
                    8 if chaos == 1 => Fault::Flush,
                    9 if chaos == 2 => Fault::RollBack(rng.u64(1..6)),
                    _ => Fault::Disconnect,
                };
                (at, fault)
            })
            .collect();
        faults.sort_by_key(|(at, _)| *at);
        Self {
            messages: rng.u64(3..20),
            delay_ms: [1, 5, 30, 200][rng.usize(0..4)],
            faults,
            full_one_in: [0, 0, 3, 10][rng.usize(0..4)],
            lost_answer_one_in: [0, 0, 8, 30][rng.usize(0..4)],
        }
    }

    pub(super) fn delay(&self) -> Duration {
        MS * self.delay_ms as u32
    }

    pub(super) fn has(&self, fault: impl Fn(&Fault) -> bool) -> bool {
        self.faults.iter().any(|(_, planned)| fault(planned))
    }
}

#[derive(Debug)]
pub(super) enum Event {
    /// A node's call reaches the backbone.
    Call(u64, Call),
    /// The backbone's answer reaches the node.
    Answer(u64, RoomInput),
    Feed(u64, FeedEvent),
    Lease(u64),
    ToNode(ConnId, Box<Request>),
    ToClient(ConnId, Bytes),
    Dialled {
        client: usize,
        dial: u64,
    },
    /// The client learns that its connection is gone.
    Closed(ConnId),
    /// The node learns it.
    Gone(ConnId),
    Drained(ConnId),
    Say(usize, u64),
    Fault(Fault),
    Heal(u64),
    Start,
}

struct Scheduled {
    at: Duration,
    order: u64,
    event: Event,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Scheduled {}
impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

/// A connection between a client and a node; what it carries stays in order.
pub(super) struct Conn {
    pub(super) client: usize,
    pub(super) node: u64,
    to_node: Duration,
    to_client: Duration,
}

pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) mutation: Mutation,
    pub(super) rng: fastrand::Rng,
    pub(super) now: Duration,
    pub(super) room: RoomName,
    pub(super) backbone: MemoryBackbone,
    pub(super) nodes: BTreeMap<u64, Node>,
    pub(super) clients: Vec<Client>,
    pub(super) conns: BTreeMap<ConnId, Conn>,
    clock: Arc<AtomicU64>,
    queue: BinaryHeap<Scheduled>,
    order: u64,
    next: u64,
    pub(super) steps: u64,
    /// For [`Mutation::NoDedupe`]: the numbers each client gave, by the numbers it was given instead.
    pub(super) fresh_numbers: BTreeMap<ClientId, Vec<u64>>,
    verbose: bool,
}

impl World {
    pub(super) fn new(seed: u64, mutation: Mutation, verbose: bool) -> Self {
        let clock = Arc::new(AtomicU64::new(0));
        let time = clock.clone();
        let read = Arc::new(move || Duration::from_nanos(time.load(Ordering::Relaxed)));
        let mut world = Self {
            plan: Plan::of(seed),
            mutation,
            rng: fastrand::Rng::with_seed(seed ^ 0x5eed),
            now: Duration::ZERO,
            room: RoomName::parse("sim").unwrap(),
            backbone: MemoryBackbone::with_clock(Timing::default(), read),
            nodes: BTreeMap::new(),
            clients: Vec::new(),
            conns: BTreeMap::new(),
            clock,
            queue: BinaryHeap::new(),
            order: 0,
            next: 0,
            steps: 0,
            fresh_numbers: BTreeMap::new(),
            verbose,
        };
        (0..NODES).for_each(|_| world.start_node());
        for index in 0..CLIENTS {
            let seed = world.rng.u64(..);
            world.clients.push(Client::new(index, seed, &world.room));
            for n in 1..=world.plan.messages {
                let at = MS * world.rng.u32(400..TROUBLE.as_millis() as u32 + 1_000);
                world.at(at, Event::Say(index, n));
            }
        }
        for (at, fault) in world.plan.faults.clone() {
            world.at(at, Event::Fault(fault));
        }
        world
    }

    pub(super) fn log(&self, what: impl FnOnce() -> String) {
        if self.verbose {
            println!("{:>9.3} {}", self.now.as_secs_f64(), what());
        }
    }

    fn at(&mut self, at: Duration, event: Event) {
        self.order += 1;
        self.queue.push(Scheduled { at, order: self.order, event });
    }

    pub(super) fn after(&mut self, delay: Duration, event: Event) {
        self.at(self.now + delay, event);
    }

    pub(super) fn delay(&mut self) -> Duration {
        Duration::from_micros(self.rng.u64(100..self.plan.delay_ms * 1_000 + 101))
    }

    pub(super) fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn one_in(&mut self, count: u64) -> bool {
        count > 0 && self.now < TROUBLE && self.rng.u64(0..count) == 0
    }

    pub(super) fn run(&mut self) {
        (0..CLIENTS).for_each(|client| self.client_outputs(client));
        while self.now < END && self.steps < STEPS_MAX {
            self.steps += 1;
            let due = [
                self.queue.peek().map(|scheduled| scheduled.at),
                self.nodes.values().filter_map(|node| node.core.deadline()).min(),
                self.clients.iter().filter_map(|client| client.link.deadline()).min(),
            ];
            let Some(due) = due.into_iter().flatten().min() else { break };
            self.now = self.now.max(due);
            self.clock.store(self.now.as_nanos() as u64, Ordering::Relaxed);
            if self.queue.peek().is_some_and(|scheduled| scheduled.at <= self.now) {
                let event = self.queue.pop().unwrap().event;
                self.happen(event);
            }
            self.tick();
            if self.now > TROUBLE + Duration::from_secs(8) && self.is_complete() {
                break;
            }
        }
    }

    fn is_complete(&self) -> bool {
        let all = self.plan.messages as usize * CLIENTS;
        self.clients.iter().all(|client| client.link.unsent() == 0 && client.shown.len() >= all)
    }

    fn tick(&mut self) {
        let due = |deadline: Option<Duration>, now| deadline.is_some_and(|at| at <= now);
        let nodes: Vec<u64> = self
            .nodes
            .iter()
            .filter(|(_, node)| due(node.core.deadline(), self.now))
            .map(|(key, _)| *key)
            .collect();
        for node in nodes {
            self.room_input(node, RoomInput::Tick);
        }
        for client in 0..CLIENTS {
            if due(self.clients[client].link.deadline(), self.now) {
                self.client_input(client, Input::Tick);
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Call(node, call) => self.call_backbone(node, call),
            Event::Answer(node, input) => self.room_input(node, input),
            Event::Feed(node, event) => self.feed(node, event),
            Event::Lease(node) => self.lease(node),
            Event::ToNode(conn, request) => self.request(conn, *request),
            Event::ToClient(conn, frame) => {
                if let Some(client) = self.client_on(conn) {
                    self.client_input(client, Input::First(Happening::Frame(frame)));
                }
            }
            Event::Dialled { client, dial } => self.dialled(client, dial),
            Event::Closed(conn) => {
                if let Some(client) = self.client_on(conn) {
                    self.clients[client].conn = None;
                    self.client_input(client, Input::First(Happening::Closed("connection reset".into())));
                }
            }
            Event::Gone(conn) => {
                if let Some(conn_) = self.conns.get(&conn) {
                    let node = conn_.node;
                    self.room_input(node, RoomInput::Leave(conn));
                }
            }
            Event::Drained(conn) => {
                if let Some(node) = self.conns.get(&conn).map(|conn| conn.node) {
                    self.room_input(node, RoomInput::Drained(conn));
                }
            }
            Event::Say(client, n) => self.say(client, n),
            Event::Fault(fault) => self.fault(fault),
            Event::Heal(node) => self.heal(node),
            Event::Start => self.start_node(),
        }
    }

    fn client_on(&self, conn: ConnId) -> Option<usize> {
        let client = self.conns.get(&conn)?.client;
        (self.clients[client].conn == Some(conn)).then_some(client)
    }

    fn start_node(&mut self) {
        let key = self.fresh();
        let id = NodeId::parse(&format!("node-{key}")).unwrap();
        let node = Node::new(id.clone(), self.backbone.connect(id), &self.room, self.now);
        self.nodes.insert(key, node);
        self.lease(key);
        self.log(|| format!("node-{key} starts"));
    }

    fn lease(&mut self, key: u64) {
        let Some(node) = self.nodes.get(&key) else { return };
        let info = NodeInfo {
            node: node.id.clone(),
            version: String::new(),
            uptime_s: 0,
            connections: 0,
            rooms: 0,
            draining: false,
            lag_ms: None,
            you: false,
        };
        drop(node.backbone.renew(info).now_or_never());
        self.after(Duration::from_secs(1), Event::Lease(key));
    }

    fn fault(&mut self, fault: Fault) {
        self.log(|| format!("FAULT {fault:?}"));
        let keys: Vec<u64> = self.nodes.keys().copied().collect();
        let victim = (!keys.is_empty()).then(|| keys[self.rng.usize(0..keys.len())]);
        match (fault, victim) {
            (Fault::Crash, Some(key)) => self.crash(key),
            (Fault::Disconnect, _) => {
                let client = self.rng.usize(0..CLIENTS);
                if let Some(conn) = self.clients[client].conn {
                    self.break_up(conn);
                }
            }
            (Fault::Partition(long), Some(key)) => {
                self.backbone.set_reachable(&self.nodes[&key].id, false);
                self.after(long, Event::Heal(key));
            }
            (Fault::DeadFeed(long), Some(key)) => {
                self.nodes.get_mut(&key).unwrap().deaf = true;
                self.after(long, Event::Heal(key));
            }
            (Fault::Flush, _) => self.backbone.flush(),
            (Fault::RollBack(by), _) => {
                let head = self.nodes.values().find_map(|node| node.core.head());
                if let Some(head) = head {
                    self.backbone.roll_back(&self.room, Seq(head.seq.0.saturating_sub(by)));
                }
            }
            (_, None) => {}
        }
    }

    fn crash(&mut self, key: u64) {
        // The last node of a cluster that may lose its log is spared: the promise needs one who knows.
        if self.nodes.len() < 2 {
            return;
        }
        let node = self.nodes.remove(&key).unwrap();
        node.backbone.cut();
        self.log(|| format!("{} dies", node.id));
        let conns: Vec<ConnId> =
            self.conns.iter().filter(|(_, conn)| conn.node == key).map(|(id, _)| *id).collect();
        for conn in conns {
            let delay = self.delay();
            self.after(delay, Event::Closed(conn));
        }
        let delay = MS * self.rng.u32(200..2_000);
        self.after(delay, Event::Start);
    }

    pub(super) fn break_up(&mut self, conn: ConnId) {
        let (to_client, to_node) = (self.delay(), self.delay() * 3);
        self.after(to_client, Event::Closed(conn));
        self.after(to_node, Event::Gone(conn));
    }

    fn heal(&mut self, key: u64) {
        if let Some(node) = self.nodes.get_mut(&key) {
            node.deaf = false;
            self.backbone.set_reachable(&node.id.clone(), true);
            self.drain_feeds();
        }
    }

    fn say(&mut self, client: usize, n: u64) {
        let text = self.clients[client].next_text(n);
        self.log(|| format!("client {client} says {text:?}"));
        let command = self.clients[client].say(text, &self.room);
        self.client_input(client, Input::Command(command));
    }

    pub(super) fn client_input(&mut self, client: usize, input: Input) {
        let now = self.now;
        self.clients[client].link.handle(now, input);
        self.client_outputs(client);
    }

    fn client_outputs(&mut self, client: usize) {
        while let Some(output) = self.clients[client].link.poll_output() {
            match output {
                Output::Dial(_) => {
                    self.hang_up(client);
                    let (dial, delay) = (self.fresh(), self.delay());
                    self.clients[client].dial = Some(dial);
                    self.after(delay, Event::Dialled { client, dial });
                }
                Output::Hangup => self.hang_up(client),
                Output::Send(request) => {
                    if let Some(conn) = self.clients[client].conn {
                        self.carry(conn, request);
                    }
                }
                // No node here drains or says that it is cut off, and only they are left.
                Output::DialBeside(_)
                | Output::SendBeside(_)
                | Output::HoldFirst
                | Output::Promote
                | Output::DropBeside => unreachable!("a client moves without a reason"),
                Output::Event(event) => {
                    self.log(|| format!("client {client} is told {event:?}"));
                    let is_joined = matches!(event, NetEvent::Joined { .. });
                    self.clients[client].told(event);
                    if let Some(before) = self.clients[client].wants_history.filter(|_| is_joined) {
                        let (room, before, limit) = (self.room.clone(), Some(before), 100);
                        self.client_input(
                            client,
                            Input::Command(NetCommand::History { room, before, limit }),
                        );
                    }
                }
            }
        }
    }

    fn hang_up(&mut self, client: usize) {
        self.clients[client].dial = None;
        if let Some(conn) = self.clients[client].conn.take() {
            let delay = self.delay();
            self.after(delay, Event::Gone(conn));
        }
    }

    fn dialled(&mut self, client: usize, dial: u64) {
        if self.clients[client].dial.take_if(|waiting| *waiting == dial).is_none() {
            return;
        }
        let keys: Vec<u64> = self.nodes.keys().copied().collect();
        let node = keys[self.rng.usize(0..keys.len())];
        let conn = ConnId(self.fresh());
        self.conns.insert(conn, Conn { client, node, to_node: self.now, to_client: self.now });
        self.clients[client].conn = Some(conn);
        self.client_input(client, Input::First(Happening::Dialled { transport: Transport::Tcp }));
    }

    fn carry(&mut self, conn: ConnId, request: Request) {
        let delay = self.delay();
        let now = self.now;
        let Some(path) = self.conns.get_mut(&conn) else { return };
        path.to_node = (now + delay).max(path.to_node);
        let at = path.to_node;
        self.at(at, Event::ToNode(conn, Box::new(request)));
    }

    pub(super) fn deliver(&mut self, conn: ConnId, frame: Bytes) {
        let delay = self.delay();
        let now = self.now;
        let Some(path) = self.conns.get_mut(&conn) else { return };
        path.to_client = (now + delay).max(path.to_client);
        let at = path.to_client;
        self.at(at, Event::ToClient(conn, frame));
    }
}
