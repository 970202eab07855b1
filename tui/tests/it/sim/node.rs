//! A node of the virtual world: the production room cores, and around them just enough of a session to carry
//! requests in and frames out.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use chat_protocol::{
    Ack, ClientId, ClientMessage, ErrorCode, ErrorMessage, MessageBody, NodeId, Outgoing, Payload, Request,
    Resume, RoomMessage, RoomName, RoomUsers, Seq, ServerMessage, UserId, Welcome, encode_body,
};
use chat_server::backbone::{Backbone, FeedEvent, Place, Rank};
use chat_server::room::{Call, ConnId, Entered, Frame, Input, Joining, Outlet, Publishing, RoomCore};

use super::Mutation;
use super::leaving::Standing;
use super::redis::now;
use super::wire::Wire;
use super::world::{Event, World};

/// In one plan of three a session refuses what comes sooner behind what was said before than this, but for as much as
/// fits into a burst.
const SPOKEN: Duration = Duration::from_millis(200);
const BURST: Duration = Duration::from_millis(800);
/// How long a room stays subscribed without members.
const LINGER: Duration = Duration::from_secs(2);

pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) cores: Vec<RoomCore>,
    /// When each core wants to be woken.
    pub(super) due: Vec<Option<Duration>>,
    pub(super) subscribed: Vec<bool>,
    /// Connections in each room, and what each was told of its log, once it is in.
    seats: Vec<BTreeMap<ConnId, Option<Entered>>>,
    pub(super) wire: Wire,
    pub(super) standing: Standing,
    /// Since when it takes nobody in any more.
    pub(super) draining: Option<Duration>,
    who: BTreeMap<ConnId, Who>,
}

/// A connection that has said who it is.
struct Who {
    client: ClientId,
    generation: u64,
    /// When it has spoken as slowly as it may.
    rested: Duration,
}

/// What a core wants done, kept until the core is out of hand.
#[derive(Default)]
pub(super) struct Desk {
    calls: Vec<Call>,
    frames: Vec<(ConnId, Frame)>,
    /// Answers of `send`, decided beforehand; empty: there is room.
    full: VecDeque<bool>,
    /// Who reads nothing now.
    slow: Vec<ConnId>,
    filled: Vec<ConnId>,
}

impl Outlet for Desk {
    fn call(&mut self, call: Call) {
        self.calls.push(call);
    }

    fn send(&mut self, to: ConnId, frame: Frame) -> bool {
        let is_entry = matches!(frame, Frame::Entry(..));
        self.frames.push((to, frame));
        let full = is_entry && (self.full.pop_front().unwrap_or(false) || self.slow.contains(&to));
        if full {
            self.filled.push(to);
        }
        !full
    }
}

impl Node {
    pub(super) fn new(id: NodeId, rooms: &[RoomName], at: Duration) -> Self {
        Self {
            id,
            cores: rooms.iter().map(|room| RoomCore::new(room.clone(), at)).collect(),
            due: vec![None; rooms.len()],
            subscribed: vec![false; rooms.len()],
            seats: vec![BTreeMap::new(); rooms.len()],
            wire: Wire::default(),
            standing: Standing::default(),
            draining: None,
            who: BTreeMap::new(),
        }
    }

    /// A connection has said who it is.
    pub(super) fn knows(&self, conn: ConnId) -> bool {
        self.who.contains_key(&conn)
    }

    pub(super) fn known(&self) -> Vec<ConnId> {
        self.who.keys().copied().collect()
    }

    fn backbone(&self) -> Option<&dyn Backbone> {
        self.wire.link.as_ref().map(|link| &*link.backbone)
    }
}

impl World {
    pub(super) fn room_input(&mut self, key: u64, room: usize, input: Input) {
        let mut desk = std::mem::take(&mut self.desk);
        if self.plan.full_one_in > 0 && self.now < self.heals_at {
            desk.full.extend((0..8).map(|_| self.rng.u64(0..self.plan.full_one_in) == 0));
        }
        let slow = self.clients.iter().filter(|client| client.slow_until > self.now);
        desk.slow.extend(slow.flat_map(|client| client.ways.all()));
        let at = self.now;
        let Some(node) = self.nodes.get_mut(&key) else {
            desk.slow.clear();
            desk.full.clear();
            self.desk = desk;
            return;
        };
        let core = &mut node.cores[room];
        core.handle(at, input, &mut desk);
        node.due[room] = core.deadline();
        let mut calls = std::mem::take(&mut desk.calls);
        for call in calls.drain(..) {
            self.call(key, room, call);
        }
        let mut frames = std::mem::take(&mut desk.frames);
        for (conn, frame) in frames.drain(..) {
            self.frame_out(key, room, conn, frame);
        }
        for conn in std::mem::take(&mut desk.filled) {
            let slow = self.client_on(conn).map_or(Duration::ZERO, |client| self.clients[client].slow_until);
            let due = (self.now + self.delay() * 5).max(slow);
            self.at(due, Event::Drained(conn, room));
        }
        desk.slow.clear();
        desk.full.clear();
        (desk.calls, desk.frames) = (calls, frames);
        self.desk = desk;
    }

    pub(super) fn feed(&mut self, key: u64, wire: u64, event: FeedEvent) {
        if self.nodes.get(&key).is_none_or(|node| node.wire.number != wire) {
            return;
        }
        self.log(|| format!("node-{key} hears {event:?}"));
        let (room, input) = match event {
            FeedEvent::Entries { room, epoch, entries } => (room, Input::Feed(epoch, entries)),
            FeedEvent::Head { room, head } => (room, Input::Round(head)),
            FeedEvent::Ask { room, from } => (room, Input::Asked(from)),
            FeedEvent::Answer { room, from } => (room, Input::Answered(from)),
            FeedEvent::Stale => {
                return (0..self.rooms.len()).for_each(|room| self.room_input(key, room, Input::Stale));
            }
            FeedEvent::Fence { client, generation } => return self.fenced(key, &client, generation),
            FeedEvent::Presence { .. } | FeedEvent::Typing(..) => return,
        };
        let room = self.rooms.iter().position(|known| *known == room).expect("one of the rooms");
        self.room_input(key, room, input);
    }

    /// A newer connection of a client is elsewhere: older ones are closed.
    fn fenced(&mut self, key: u64, client: &ClientId, generation: u64) {
        let Some(node) = self.nodes.get(&key) else { return };
        let older = node.who.iter().filter(|(_, who)| who.client == *client && who.generation < generation);
        let older: Vec<ConnId> = older.map(|(conn, _)| *conn).collect();
        older.into_iter().for_each(|conn| self.close_fenced(conn));
    }

    fn close_fenced(&mut self, conn: ConnId) {
        let error = ErrorMessage::new(ErrorCode::Fenced, "a newer connection of this client is there");
        self.say_to(conn, &ServerMessage::Error(error));
        self.break_up(conn);
    }

    pub(super) fn request(&mut self, conn: ConnId, request: Request) {
        let Some(path) = self.conns.get(&conn) else { return };
        let (key, busy) = (path.node, path.busy);
        if busy > self.now {
            // A session does one thing after the other.
            return self.at(busy, Event::ToNode(conn, Box::new(request)));
        }
        self.log(|| format!("node-{key} reads {request:?}"));
        if let ClientMessage::Hello(hello) = &request.message
            && let Some(code) = self.cannot_take(key, hello.if_ready)
        {
            return self.refuse(conn, code);
        }
        let Some(node) = self.nodes.get_mut(&key) else { return };
        match request.message {
            ClientMessage::Hello(hello) => {
                let client = hello.client_id.unwrap();
                let generation = hello.generation.unwrap();
                let rested = Duration::ZERO;
                node.who.insert(conn, Who { client: client.clone(), generation, rested });
                self.hello(key, conn, &client, generation);
                for entry in hello.resume {
                    self.join(key, conn, &entry.room.clone(), Some(entry));
                }
            }
            ClientMessage::Join { room } => self.join(key, conn, &room, None),
            ClientMessage::Leave { room: Some(room) } => {
                let index = self.room(&room);
                self.stand(key, conn, index);
                self.say_to(conn, &ServerMessage::Left { room, re: None });
            }
            ClientMessage::Message(message) => self.publish(key, conn, message),
            ClientMessage::History { room: Some(room), before, .. } => self.history(key, conn, &room, before),
            ClientMessage::Ping { t } => self.say_to(conn, &ServerMessage::Pong { t, re: None }),
            _ => {}
        }
    }

    pub(super) fn room(&self, name: &RoomName) -> usize {
        self.rooms.iter().position(|known| known == name).expect("one of the rooms")
    }

    /// The user of all: what befalls users is not played here.
    fn hello(&mut self, key: u64, conn: ConnId, client: &ClientId, generation: u64) {
        let user = UserId::parse("user").unwrap();
        let Some(backbone) = self.nodes[&key].backbone() else {
            return self.refuse(conn, ErrorCode::Unavailable);
        };
        let mut client = client.clone();
        if self.mutation != Mutation::NoFencing {
            match now(backbone.fence(&client, &user, generation)) {
                Ok(Rank::Newest) => {}
                // Another program counts under this id: this one goes on under another.
                Ok(Rank::Foreign) => client = self.another_client(),
                Ok(Rank::Overtaken) | Err(_) => return self.break_up(conn),
            }
        }
        let who = self.nodes.get_mut(&key).and_then(|node| node.who.get_mut(&conn));
        who.into_iter().for_each(|who| who.client.clone_from(&client));
        self.drain_feeds();
        let welcome = Welcome {
            user_id: user,
            client_id: client,
            session: "session".into(),
            name: "user".into(),
            name_wanted: None,
            node: self.nodes[&key].id.clone(),
            ready: self.nodes[&key].standing.is_ready(self.now),
            away: None,
            ignored: Vec::new(),
            rooms: Vec::new(),
            re: None,
        };
        self.say_to(conn, &ServerMessage::Welcome(welcome));
    }

    fn another_client(&mut self) -> ClientId {
        ClientId::parse(&format!("other-{:016x}", self.rng.u64(..))).expect("letters and digits")
    }

    /// What the log knows of the client is asked first; the room hears of it later.
    fn join(&mut self, key: u64, conn: ConnId, room: &RoomName, resume: Option<Resume>) {
        let Some(node) = self.nodes.get(&key) else { return };
        let Some(Who { client, .. }) = node.who.get(&conn) else { return };
        let last_n = node.backbone().and_then(|backbone| now(backbone.last_n(room, client)).ok());
        // As a session does that cannot reach the backbone: the client comes back.
        let Some(last_n) = last_n else { return self.break_up(conn) };
        let resume = resume.filter(|_| self.mutation != Mutation::NoResume);
        let joining = Joining { conn, resume, last_n, re: None };
        let (room, delay) = (self.room(room), self.delay());
        let Some(path) = self.conns.get_mut(&conn) else { return };
        path.busy = path.busy.max(self.now) + delay;
        let due = path.busy;
        self.at(due, Event::Sit(key, room, Box::new(joining)));
    }

    pub(super) fn sit(&mut self, key: u64, room: usize, joining: Joining) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        if !node.who.contains_key(&joining.conn) {
            return;
        }
        node.seats[room].entry(joining.conn).or_insert(None);
        if !node.subscribed[room] {
            let Some(backbone) = node.backbone() else { return self.break_up(joining.conn) };
            drop(now(backbone.subscribe(&self.rooms[room])));
            node.subscribed[room] = true;
            self.room_input(key, room, Input::Stale);
        }
        self.room_input(key, room, Input::Join(joining));
        self.tell_who_is_here(key, room);
    }

    /// Everybody is told who is here, and with that once more what the log has of it.
    fn tell_who_is_here(&mut self, key: u64, room: usize) {
        let Some(node) = self.nodes.get(&key) else { return };
        let entered = node.seats[room].iter().filter_map(|(conn, entered)| Some((*conn, entered.clone()?)));
        for (conn, entered) in entered.collect::<Vec<_>>() {
            self.say_to(conn, &room_users(&self.rooms[room], &entered));
        }
    }

    /// A connection is no longer in a room.
    fn stand(&mut self, key: u64, conn: ConnId, room: usize) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        node.seats[room].remove(&conn);
        if node.seats[room].is_empty() {
            self.after(LINGER, Event::Rest(key, room));
        }
        self.room_input(key, room, Input::Leave(conn));
        self.tell_who_is_here(key, room);
    }

    pub(super) fn gone(&mut self, conn: ConnId) {
        let Some((key, busy)) = self.conns.get(&conn).map(|conn| (conn.node, conn.busy.max(conn.to_node)))
        else {
            return;
        };
        if busy > self.now {
            // What was sent before the end is read before the end.
            return self.at(busy, Event::Gone(conn));
        }
        let Some(node) = self.nodes.get_mut(&key) else { return };
        node.who.remove(&conn);
        (0..self.rooms.len()).for_each(|room| self.stand(key, conn, room));
        self.conns.entry(conn).and_modify(|path| path.is_gone = true);
        self.end_when_empty(key);
    }

    /// A room without members is not subscribed for long.
    pub(super) fn rest(&mut self, key: u64, room: usize) {
        let Some(node) = self.nodes.get_mut(&key) else { return };
        if node.seats[room].is_empty() && node.subscribed[room] {
            node.subscribed[room] = false;
            if let Some(backbone) = node.backbone() {
                drop(now(backbone.unsubscribe(&self.rooms[room])));
            }
        }
    }

    fn history(&mut self, key: u64, conn: ConnId, room: &RoomName, before: Option<Seq>) {
        let node = &self.nodes[&key];
        let page =
            node.backbone().and_then(|backbone| now(backbone.history(room, before, 100)).ok().flatten());
        let Some((head, entries)) = page else { return self.break_up(conn) };
        let messages = entries.iter().map(|entry| {
            let body = serde_json::from_slice(&entry.body).unwrap();
            RoomMessage { room: room.clone(), seq: entry.seq, id: entry.id.clone(), body }
        });
        let (messages, room, epoch) = (messages.collect(), room.clone(), head.place.epoch);
        self.say_to(conn, &ServerMessage::History { room, epoch, messages, more: false, re: None });
    }

    fn publish(&mut self, key: u64, conn: ConnId, message: Outgoing) {
        let node = &self.nodes[&key];
        let Some(Who { client, generation, .. }) = node.who.get(&conn) else { return };
        let (client, generation) = (client.clone(), *generation);
        let room = self.room(message.room.as_ref().unwrap());
        if !node.seats[room].contains_key(&conn) {
            return;
        }
        let from = node.id.clone();
        let generation = if self.mutation == Mutation::NoFencing { 0 } else { generation };
        let message =
            if self.mutation == Mutation::NoDedupe { self.as_new(&client, message) } else { message };
        let digest =
            message.content.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let body = encode_body(&MessageBody {
            sender: "user".into(),
            sender_id: UserId::parse("user").unwrap(),
            content: message.content,
            timestamp: String::new(),
            node: from,
            kind: None,
            reference: None,
            reference_id: None,
            reply: None,
            quote: None,
            enc: None,
        });
        let body = (!message.void).then_some(body);
        let refusal = if message.void { None } else { self.too_fast(key, conn) };
        let (n, acked, re) = (message.n, message.acked, None);
        let publishing = Publishing { conn, client, generation, n, acked, digest, body, refusal, re };
        self.room_input(key, room, Input::Publish(publishing));
    }

    /// Why a message is refused for now, where it comes too soon behind others.
    fn too_fast(&mut self, key: u64, conn: ConnId) -> Option<ErrorMessage> {
        let who = self.nodes.get_mut(&key)?.who.get_mut(&conn)?;
        let wait = (who.rested.saturating_sub(self.now)).saturating_sub(BURST).as_millis() as u64;
        // Numbers given anew are not those that a refusal names.
        let is_limited = self.plan.seed.is_multiple_of(3) && self.mutation != Mutation::NoDedupe;
        if !is_limited || wait == 0 {
            who.rested = who.rested.max(self.now) + SPOKEN;
            return None;
        }
        let error = ErrorMessage::new(ErrorCode::RateLimited, "too fast");
        Some(ErrorMessage { retry_ms: Some(wait + 1), ..error })
    }

    /// Gives a message a number that no log has seen, however often it was sent.
    fn as_new(&mut self, client: &ClientId, message: Outgoing) -> Outgoing {
        let numbers = self.fresh_numbers.entry(client.clone()).or_default();
        numbers.extend(message.n);
        Outgoing { n: Some(numbers.len() as u64), acked: None, ..message }
    }

    /// Undoes [`World::as_new`] for the author's eyes.
    fn as_sent(&self, ack: Ack) -> Ack {
        let sent = self.fresh_numbers.get(&ack.id.client).and_then(|numbers| numbers.get(ack.n as usize - 1));
        Ack { n: sent.copied().unwrap_or(ack.n), ..ack }
    }

    fn frame_out(&mut self, key: u64, room: usize, conn: ConnId, frame: Frame) {
        let name = &self.rooms[room];
        let mut seat = self.nodes.get_mut(&key).and_then(|node| node.seats[room].get_mut(&conn));
        if let Some(Some(entered)) = &mut seat {
            entered.learn(&frame);
        }
        let message = match frame {
            Frame::Entry(_, payload) => return self.deliver(conn, payload.line().clone()),
            Frame::Joined { head, last_n, .. } => {
                let last_n = if self.mutation == Mutation::NoDedupe { 0 } else { last_n };
                let entered = Entered { head, last_n };
                let list = room_users(name, &entered);
                seat.into_iter().for_each(|seat| *seat = Some(entered.clone()));
                list
            }
            Frame::Resumed(resumed) => ServerMessage::Resumed(resumed),
            Frame::Reset(reset) => ServerMessage::Reset(reset),
            Frame::Rewind(epoch, to) => ServerMessage::Rewind { room: name.clone(), epoch, to },
            Frame::Ack(ack) => ServerMessage::Ack(self.as_sent(ack)),
            Frame::Error(error) => ServerMessage::Error(error),
            Frame::Fenced => {
                self.log(|| format!("node-{key} fences {conn:?}"));
                return self.close_fenced(conn);
            }
        };
        self.say_to(conn, &message);
    }

    pub(super) fn say_to(&mut self, conn: ConnId, message: &ServerMessage) {
        self.deliver(conn, Payload::new(message).line().clone());
    }
}

fn room_users(room: &RoomName, entered: &Entered) -> ServerMessage {
    let (room, users, count, more) = (room.clone(), Vec::new(), 0, false);
    let (Place { epoch, seq, id }, last_n) = (entered.head.clone(), entered.last_n);
    let topic = String::new();
    ServerMessage::RoomUsers(RoomUsers { room, users, count, more, topic, epoch, seq, id, last_n, re: None })
}
