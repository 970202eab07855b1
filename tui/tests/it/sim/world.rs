//! The virtual world: one clock, one queue of what is to happen, and everybody who lives in it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use chat_protocol::{ClientId, NodeId, Request, RoomName};
use chat_server::backbone::FeedEvent;
use chat_server::room::{ConnId, Input as RoomInput, Joining};
use chat_tui::net::link::{Happening, Input};

use super::Mutation;
use super::client::Client;
use super::node::{Desk, Node};
use super::plan::{Fault, Plan};
use super::queue::Queue;
use super::redis::Redis;
use super::wire::Sent;

pub(super) const MS: Duration = Duration::from_millis(1);
/// When everything is healed, it may take so long until everything is quiet and complete.
const HEALING_MAX: Duration = Duration::from_secs(50);
/// As long has to be waited, so that what nobody was told of is found: heads are compared every 5 s, and two rounds
/// follow before what nobody brought counts as gone.
const QUIET: Duration = Duration::from_secs(9);
/// More steps than any schedule of seconds needs, and than a second of a longer one does: somebody asks the same thing over
/// and over.
const STEPS_MAX: u64 = 60_000;
const STEPS_A_SECOND: u64 = 1_000;

#[derive(Debug)]
pub(super) enum Event {
    /// A node's call reaches Redis.
    Call(Box<Sent>),
    /// Its answer reaches the node.
    Answer {
        node: u64,
        id: Option<u64>,
        room: usize,
        input: RoomInput,
    },
    /// It is not waited for any longer.
    TimedOut {
        node: u64,
        id: u64,
    },
    Feed {
        node: u64,
        wire: u64,
        event: FeedEvent,
    },
    DialRedis(u64),
    /// The connections are no good.
    GiveUp {
        node: u64,
        wire: u64,
    },
    /// The server they lead to serves no more.
    Switch {
        node: u64,
        wire: u64,
    },
    Gate {
        node: u64,
        wire: u64,
    },
    Lease(u64),
    ToNode(ConnId, Box<Request>),
    ToClient(ConnId, Bytes),
    /// A connection has a seat in a room.
    Sit(u64, usize, Box<Joining>),
    /// A room may have been without members for a while.
    Rest(u64, usize),
    Dialled {
        client: usize,
        dial: u64,
    },
    /// A node looks at its standing.
    Look(u64),
    /// A node's drain has taken all its time.
    DrainOver(u64),
    /// A node that drains closes a connection that has not said who it is.
    Refused(ConnId),
    /// A client reads its first connection again.
    ReadOn(usize),
    /// The client learns that its connection is gone.
    Closed(ConnId),
    /// The node learns it.
    Gone(ConnId),
    Drained(ConnId, usize),
    Say(usize, usize),
    /// The replica, or the file, of a fault to come has what the primary has now.
    Copy(usize),
    Fault(usize),
    /// Another server is there.
    RedisStarts(usize),
    /// A node starts at a place.
    Start(usize),
    ClientStarts(usize, Box<chat_tui::net::saved::SavedClient>),
    ComeBack(usize, usize),
}

/// A connection between a client and a node; what it carries stays in order.
pub(super) struct Conn {
    pub(super) client: usize,
    pub(super) node: u64,
    pub(super) to_node: Duration,
    pub(super) to_client: Duration,
    /// The session does something else until then.
    pub(super) busy: Duration,
    /// The node has it no more.
    pub(super) is_gone: bool,
}

pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) mutation: Mutation,
    pub(super) rng: fastrand::Rng,
    pub(super) now: Duration,
    /// From then on nothing goes wrong any more.
    pub(super) heals_at: Duration,
    pub(super) rooms: Vec<RoomName>,
    pub(super) redis: Redis,
    pub(super) nodes: BTreeMap<u64, Node>,
    /// Those of the nodes that live.
    pub(super) keys: Vec<u64>,
    /// Who stands at each place.
    pub(super) places: Vec<Option<u64>>,
    pub(super) clients: Vec<Client>,
    pub(super) twins: BTreeMap<usize, usize>,
    pub(super) conns: BTreeMap<ConnId, Conn>,
    pub(super) desk: Desk,
    queue: Queue,
    pub(super) next: u64,
    pub(super) steps: u64,
    /// For [`Mutation::NoDedupe`]: the numbers each client gave, by the numbers it was given instead.
    pub(super) fresh_numbers: BTreeMap<ClientId, Vec<u64>>,
    verbose: bool,
}

impl World {
    pub(super) fn new(plan: Plan, mutation: Mutation, verbose: bool) -> Self {
        let names = ["sim", "two"];
        let mut world = Self {
            rng: fastrand::Rng::with_seed(plan.seed ^ 0x5eed),
            now: Duration::ZERO,
            heals_at: MS * plan.quiet_from(),
            rooms: names.iter().take(plan.rooms).map(|name| RoomName::parse(name).unwrap()).collect(),
            redis: Redis::new(mutation),
            nodes: BTreeMap::new(),
            keys: Vec::new(),
            places: vec![None; plan.nodes],
            clients: Vec::new(),
            twins: BTreeMap::new(),
            conns: BTreeMap::new(),
            desk: Desk::default(),
            queue: Queue::default(),
            next: 1,
            steps: 0,
            fresh_numbers: BTreeMap::new(),
            plan,
            mutation,
            verbose,
        };
        (0..world.plan.nodes).for_each(|place| world.start_node(place));
        for index in 0..world.plan.clients {
            let seed = world.rng.u64(..);
            world.clients.push(Client::new(index, &world.rooms, seed));
        }
        world.schedule();
        world
    }

    fn schedule(&mut self) {
        let plan = self.plan.clone();
        for (at, client, room) in plan.says {
            self.at(MS * at, Event::Say(client, room));
        }
        for (index, (at, fault)) in plan.faults.into_iter().enumerate() {
            if let Fault::Promote { lag, .. } | Fault::Reboot { lag, .. } = fault
                && lag > 0
            {
                self.at(MS * at.saturating_sub(lag), Event::Copy(index));
            }
            self.at(MS * at, Event::Fault(index));
        }
    }

    pub(super) fn log(&self, what: impl FnOnce() -> String) {
        if self.verbose {
            println!("{:>9.3} {}", self.now.as_secs_f64(), what());
        }
    }

    pub(super) fn at(&mut self, at: Duration, event: Event) {
        self.queue.push(at, event);
    }

    pub(super) fn after(&mut self, delay: Duration, event: Event) {
        self.at(self.now + delay, event);
    }

    pub(super) fn delay(&mut self) -> Duration {
        Duration::from_micros(self.rng.u64(100..u64::from(self.plan.delay) * 1_000 + 101))
    }

    pub(super) fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn one_in(&mut self, count: u64) -> bool {
        count > 0 && self.now < self.heals_at && self.rng.u64(0..count) == 0
    }

    pub(super) fn run(&mut self) {
        (0..self.clients.len()).for_each(|client| self.client_outputs(client));
        let (complete_from, end) = (self.heals_at + QUIET, self.heals_at + HEALING_MAX);
        while self.now < end && !self.is_endless() {
            self.steps += 1;
            let cores = self.nodes.values().flat_map(|node| &node.due).flatten().min().copied();
            let links = self.clients.iter().filter_map(|client| client.due).min();
            let queued = self.queue.next_at();
            let Some(due) = [queued, cores, links].into_iter().flatten().min() else { break };
            self.now = self.now.max(due);
            self.redis.set_time(self.now);
            if queued.is_some_and(|at| at <= self.now)
                && let Some(event) = self.queue.pop()
            {
                self.happen(event);
            }
            self.tick(cores, links);
            if self.now > complete_from && self.is_complete() {
                break;
            }
        }
    }

    /// It goes round in circles.
    pub(super) fn is_endless(&self) -> bool {
        self.steps >= STEPS_MAX.max(self.heals_at.as_secs() * STEPS_A_SECOND)
    }

    /// When a log may have lost something for the first time.
    pub(super) fn first_loss(&self) -> Duration {
        let losses = self.plan.faults.iter().filter(|(_, fault)| fault.loses());
        losses.map(|(at, _)| MS * *at).min().unwrap_or(Duration::MAX)
    }

    fn is_complete(&self) -> bool {
        let all: usize = self.clients.iter().map(|client| client.said.len()).sum();
        let shown = |client: &Client| client.screens.iter().map(|screen| screen.shown.len()).sum::<usize>();
        self.clients.iter().all(|client| client.unsent() == 0 && shown(client) >= all)
    }

    fn tick(&mut self, cores: Option<Duration>, links: Option<Duration>) {
        let now = self.now;
        let is_due = |due: Option<Duration>| due.is_some_and(|at| at <= now);
        if is_due(cores) {
            for index in 0..self.keys.len() {
                let Some(key) = self.keys.get(index).copied() else { continue };
                for room in 0..self.rooms.len() {
                    if self.nodes.get(&key).is_some_and(|node| is_due(node.due[room])) {
                        self.room_input(key, room, RoomInput::Tick);
                    }
                }
            }
        }
        if is_due(links) {
            for client in 0..self.clients.len() {
                if is_due(self.clients[client].due) {
                    self.client_input(client, Input::Tick);
                }
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Call(sent) => self.arrive(sent),
            Event::Answer { node, id, room, input } => self.answer(node, id, room, input),
            Event::TimedOut { node, id } => self.timed_out(node, id),
            Event::Feed { node, wire, event } => self.feed(node, wire, event),
            Event::DialRedis(node) => self.dial_redis(node),
            Event::GiveUp { node, wire } => self.give_up(node, wire),
            Event::Switch { node, wire } => self.switch(node, wire),
            Event::Gate { node, wire } => self.look_at_gate(node, wire),
            Event::Lease(node) => self.lease(node),
            Event::ToNode(conn, request) => self.request(conn, *request),
            Event::ToClient(conn, frame) => self.hears(conn, Happening::Frame(frame)),
            Event::Sit(node, room, joining) => self.sit(node, room, *joining),
            Event::Rest(node, room) => self.rest(node, room),
            Event::Dialled { client, dial } => self.dialled(client, dial),
            Event::Look(node) => self.look(node),
            Event::DrainOver(node) => self.drain_over(node),
            Event::Refused(conn) => self.refused(conn),
            Event::ReadOn(client) => self.read_on(client),
            Event::Closed(conn) => self.hears(conn, Happening::Closed("connection reset".into())),
            Event::Gone(conn) => self.gone(conn),
            Event::Drained(conn, room) => {
                if let Some(node) = self.conns.get(&conn).map(|conn| conn.node) {
                    self.room_input(node, room, RoomInput::Drained(conn));
                }
            }
            Event::Say(client, room) => {
                // A client of which there are two speaks with two voices.
                let twin = self.twins.get(&client).copied().filter(|_| self.queue.order.is_multiple_of(2));
                self.say(twin.unwrap_or(client), room);
            }
            Event::Copy(fault) => self.redis.take_copy(fault),
            Event::Fault(fault) => self.fault(fault),
            Event::RedisStarts(fault) => self.redis_starts(fault),
            Event::Start(place) => self.start_node(place),
            Event::ClientStarts(client, saved) => self.client_starts(client, *saved),
            Event::ComeBack(client, room) => self.come_back(client, room),
        }
    }

    fn start_node(&mut self, place: usize) {
        let key = self.fresh();
        let id = NodeId::parse(&format!("node-{key}")).unwrap();
        self.nodes.insert(key, Node::new(id, &self.rooms, self.now));
        self.keys.push(key);
        self.places[place] = Some(key);
        self.log(|| format!("node-{key} starts"));
        self.dial_redis(key);
        self.lease(key);
    }

    pub(super) fn carry(&mut self, conn: Option<ConnId>, request: Request) {
        let Some(conn) = conn else { return };
        let due = self.now + self.delay();
        let Some(path) = self.conns.get_mut(&conn) else { return };
        path.to_node = due.max(path.to_node);
        let at = path.to_node;
        self.at(at, Event::ToNode(conn, Box::new(request)));
    }

    pub(super) fn deliver(&mut self, conn: ConnId, frame: Bytes) {
        let due = self.now + self.delay();
        let slow = self.client_on(conn).map_or(Duration::ZERO, |client| self.clients[client].slow_until);
        let Some(path) = self.conns.get_mut(&conn) else { return };
        path.to_client = due.max(path.to_client).max(slow);
        let at = path.to_client;
        self.at(at, Event::ToClient(conn, frame));
    }
}
