//! What goes wrong, done to the world.

use std::time::Duration;

use chat_protocol::RoomName;
use chat_server::room::ConnId;
use chat_tui::net::event::NetCommand;
use chat_tui::net::link::Input;
use chat_tui::net::saved::SavedClient;

use super::client::Client;
use super::plan::Fault;
use super::wire::SLOW_MAX;
use super::world::{Event, MS, World};

/// A feed that is silent is found out within this time.
const PROBE_MAX: Duration = Duration::from_secs(2);

impl World {
    pub(super) fn fault(&mut self, index: usize) {
        let fault = self.plan.faults[index].1;
        self.log(|| format!("FAULT {fault:?}"));
        match fault {
            Fault::Flush => self.redis.flush(),
            Fault::RollBack { room, by } => self.redis.roll_back(&self.rooms[room], by),
            Fault::Promote { fork, .. } => self.promote(index, fork),
            Fault::Reboot { down, .. } | Fault::Wipe { down } => {
                if self.redis.is_up(self.redis.primary) {
                    self.redis.stop();
                    self.all_lose_redis();
                    self.after(MS * down, Event::RedisStarts(index));
                }
            }
            _ => {
                if let Some(client) = fault.client() {
                    self.fault_of_client(fault, client);
                } else if let Some(key) = fault.node().and_then(|place| self.places[place]) {
                    self.fault_of_node(fault, key);
                }
            }
        }
    }

    fn fault_of_client(&mut self, fault: Fault, client: usize) {
        let now = self.now;
        match fault {
            Fault::Disconnect { .. } => {
                let ways = &self.clients[client].ways;
                let both = ways.first.zip(ways.beside);
                let one = both.map(|(first, beside)| if self.rng.bool() { first } else { beside });
                if let Some(conn) = one.or(self.clients[client].ways.first) {
                    self.break_up(conn);
                }
            }
            Fault::Slow { long, .. } => self.clients[client].slow_until = now + MS * long,
            Fault::Restart { down, .. } => {
                let Some(saved) = self.clients[client].link.take().map(|link| link.save(now)) else { return };
                self.clients[client].due = None;
                self.hang_up(client);
                self.drop_beside(client);
                self.after(MS * down, Event::ClientStarts(client, Box::new(saved)));
            }
            Fault::Twin { .. } => self.twin(client),
            Fault::Leave { room, away, .. } if self.clients[client].is_online => {
                let name = self.rooms[room].clone();
                // What was shown goes with the room; where the link is lost, no answer comes.
                self.clients[client].screens[room].leave();
                self.client_input(client, Input::Command(NetCommand::Leave(name)));
                self.after(MS * away, Event::ComeBack(client, room));
            }
            _ => {}
        }
    }

    /// A second program with a copy of the state; only of a client that waits for nothing: what waits would be said
    /// by both.
    fn twin(&mut self, client: usize) {
        let is_quiet = self.clients[client].unsent() == 0
            && self.clients[client].ways.first.is_some()
            && !self.twins.contains_key(&client);
        let link = self.clients[client].link.as_ref().filter(|_| is_quiet);
        let Some(saved) = link.map(|link| link.save(self.now)) else { return };
        let (index, seed) = (self.clients.len(), self.rng.u64(..));
        self.clients.push(Client::of(index, saved, &self.rooms, seed, self.now));
        self.twins.insert(client, index);
        self.client_outputs(index);
    }

    pub(super) fn client_starts(&mut self, client: usize, saved: SavedClient) {
        let (seed, now) = (self.rng.u64(..), self.now);
        let rooms: Vec<RoomName> = self.rooms.clone();
        self.clients[client].begin_again(saved, &rooms, seed, now);
        self.client_outputs(client);
    }

    pub(super) fn come_back(&mut self, client: usize, room: usize) {
        let name = self.rooms[room].clone();
        self.client_input(client, Input::Command(NetCommand::Join(name)));
    }

    fn fault_of_node(&mut self, fault: Fault, key: u64) {
        let now = self.now;
        let number = self.nodes[&key].wire.number;
        let found = PROBE_MAX / 2 + MS * self.rng.u32(0..1_000);
        let wire = &mut self.nodes.get_mut(&key).unwrap().wire;
        match fault {
            Fault::Crash { node, down } => return self.crash(key, node, MS * down),
            Fault::Drain { long, .. } => return self.drain(key, MS * long),
            Fault::Cut { long, .. } => {
                wire.cut_until = wire.cut_until.max(now + MS * long);
                return self.drop_wire(key);
            }
            Fault::Deaf { long, .. } => return wire.deaf_until = wire.deaf_until.max(now + MS * long),
            Fault::MuteCalls { long, .. } => wire.calls_held = wire.calls_held.max(now + MS * long),
            Fault::MuteAnswers { long, .. } => wire.answers_held = wire.answers_held.max(now + MS * long),
            Fault::MuteFeed { long, .. } => {
                wire.feed_held = wire.feed_held.max(now + MS * long);
                self.in_trouble(key);
                return self.after(found, Event::GiveUp { node: key, wire: number });
            }
            _ => return,
        }
        self.in_trouble(key);
        self.hold(key);
        self.after(SLOW_MAX, Event::GiveUp { node: key, wire: number });
    }

    /// The word said through the feed has not come back, if it is still so.
    pub(super) fn give_up(&mut self, key: u64, number: u64) {
        let Some(wire) = self.nodes.get(&key).map(|node| &node.wire) else { return };
        let held = wire.calls_held.max(wire.answers_held).max(wire.feed_held);
        if wire.number == number && held > self.now {
            self.drop_wire(key);
        }
    }

    pub(super) fn crash(&mut self, key: u64, place: usize, down: Duration) {
        self.places[place] = None;
        self.after(down, Event::Start(place));
        self.keys.retain(|other| *other != key);
        let Some(node) = self.nodes.remove(&key) else { return };
        if let Some(link) = &node.wire.link {
            link.backbone.cut();
        }
        self.log(|| format!("{} dies", node.id));
        let conns: Vec<ConnId> =
            self.conns.iter().filter(|(_, conn)| conn.node == key).map(|(id, _)| *id).collect();
        for conn in conns {
            let delay = self.delay();
            self.after(delay, Event::Closed(conn));
        }
    }

    pub(super) fn break_up(&mut self, conn: ConnId) {
        let to_client = self.now + self.delay();
        let to_node = self.delay() * 3;
        let due = self.conns.get(&conn).map_or(to_client, |path| path.to_client.max(to_client));
        self.at(due, Event::Closed(conn));
        self.after(to_node, Event::Gone(conn));
    }

    /// The replica takes over; nodes go over one by one.
    fn promote(&mut self, index: usize, fork: u32) {
        let before = self.redis.primary;
        if !self.redis.is_up(before) {
            return;
        }
        let offset = self.redis.offset() + MS * self.rng.u32(0..3_000);
        self.redis.begin_with_copy(index, self.now, offset);
        for key in self.keys.clone() {
            let number = self.nodes[&key].wire.number;
            let later = MS * self.rng.u32(0..=fork);
            self.after(later, Event::Switch { node: key, wire: number });
        }
    }

    fn all_lose_redis(&mut self) {
        for key in self.keys.clone() {
            let number = self.nodes[&key].wire.number;
            let delay = self.delay();
            self.after(delay, Event::Switch { node: key, wire: number });
        }
    }

    /// The connections to a server that serves no more are gone.
    pub(super) fn switch(&mut self, key: u64, number: u64) {
        if self.nodes.get(&key).is_some_and(|node| node.wire.number == number) {
            self.drop_wire(key);
        }
    }

    pub(super) fn redis_starts(&mut self, index: usize) {
        match self.plan.faults[index].1 {
            Fault::Wipe { .. } => self.redis.begin_empty(self.now),
            _ => self.redis.begin_with_copy(index, self.now, self.redis.offset()),
        }
        self.log(|| "redis starts".to_owned());
    }
}
