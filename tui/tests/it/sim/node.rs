//! A node of the virtual world: the production room core, and around it just enough of a session to carry
//! requests in and frames out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{
    Ack, ClientId, ClientMessage, ErrorMessage, MessageBody, NodeId, Outgoing, Payload, Request, Resume,
    RoomMessage, RoomName, RoomUsers, Seq, ServerMessage, UserId, Welcome, encode_body,
};
use chat_server::backbone::{Backbone, BackboneError, Entry, FeedEvent, Link, Page, Place};
use chat_server::room::{Call, ConnId, Frame, Input, Joining, Outlet, Publishing, READ_ENTRIES, RoomCore};
use futures_util::FutureExt;
use tokio::sync::mpsc;

use super::Mutation;
use super::world::{Event, World};

pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) core: RoomCore,
    pub(super) backbone: Arc<dyn Backbone>,
    feed: mpsc::Receiver<FeedEvent>,
    feed_at: Duration,
    /// Nothing of the feed arrives.
    pub(super) deaf: bool,
    who: BTreeMap<ConnId, (ClientId, u64)>,
}

/// What a core wants done, kept until the core is out of hand.
#[derive(Default)]
struct Desk {
    calls: Vec<Call>,
    frames: VecDeque<(ConnId, Frame)>,
    /// Answers of `send`, decided beforehand; empty: there is room.
    full: VecDeque<bool>,
    filled: Vec<ConnId>,
}

impl Outlet for Desk {
    fn call(&mut self, call: Call) {
        self.calls.push(call);
    }

    fn send(&mut self, to: ConnId, frame: Frame) -> bool {
        let is_entry = matches!(frame, Frame::Entry(..));
        self.frames.push_back((to, frame));
        let full = is_entry && self.full.pop_front().unwrap_or(false);
        if full {
            self.filled.push(to);
        }
        !full
    }
}

fn now<T>(call: chat_server::backbone::Call<T>) -> Result<T, BackboneError> {
    call.now_or_never().expect("the memory backbone answers at once")
}

impl Node {
    pub(super) fn new(id: NodeId, link: Link, room: &RoomName, at: Duration) -> Self {
        drop(now(link.backbone.subscribe(room)));
        let core = RoomCore::new(room.clone(), at);
        Self {
            id,
            core,
            backbone: link.backbone,
            feed: link.feed,
            feed_at: at,
            deaf: false,
            who: BTreeMap::new(),
        }
    }
}

impl World {
    pub(super) fn room_input(&mut self, key: u64, input: Input) {
        let full = (0..8).map(|_| self.one_in(self.plan.full_one_in)).collect();
        let Some(node) = self.nodes.get_mut(&key) else { return };
        let mut desk = Desk { full, ..Desk::default() };
        node.core.handle(self.now, input, &mut desk);
        for call in desk.calls {
            let delay = self.delay();
            self.after(delay, Event::Call(key, call));
        }
        for (conn, frame) in desk.frames {
            self.frame_out(key, conn, frame);
        }
        for conn in desk.filled {
            let delay = self.delay() * 5;
            self.after(delay, Event::Drained(conn));
        }
    }

    /// A call takes effect now; its answer takes a while, or is lost.
    pub(super) fn call_backbone(&mut self, key: u64, call: Call) {
        let Some(node) = self.nodes.get(&key) else { return };
        let (backbone, room) = (node.backbone.clone(), self.room.clone());
        self.log(|| format!("node-{key} calls {call:?}"));
        let answer = match call {
            Call::Head => Input::Head(now(backbone.head(&room))),
            Call::Read(after) if self.mutation == Mutation::NoGapFill => {
                let head = chat_server::backbone::Place { seq: after.seq, ..after };
                Input::Read(Ok(Page::Ok { head, entries: Vec::new() }))
            }
            Call::Read(after) => Input::Read(now(backbone.read(&room, after, READ_ENTRIES))),
            Call::Page(after) => Input::Paged(now(backbone.read(&room, after, READ_ENTRIES))),
            Call::Publish(known, items) => Input::Published(now(backbone.publish(&room, Some(known), items))),
            Call::Repair(run) => Input::Repaired(now(backbone.repair(&room, run))),
            Call::Ask => Input::Asking(now(backbone.ask(&room))),
            Call::Create(round, before) => Input::Head(now(backbone.create(&room, round, before))),
            Call::Answer(to) => {
                drop(now(backbone.answer(&room, &to)));
                return self.drain_feeds();
            }
        };
        self.log(|| format!("          … {answer:?}"));
        self.drain_feeds();
        let answer = if self.one_in(self.plan.lost_answer_one_in) { lost(answer) } else { answer };
        let delay = self.delay();
        self.after(delay, Event::Answer(key, answer));
    }

    /// What the backbone has told reaches each node later, in its order.
    pub(super) fn drain_feeds(&mut self) {
        let keys: Vec<u64> = self.nodes.keys().copied().collect();
        for key in keys {
            while let Ok(event) = self.nodes.get_mut(&key).unwrap().feed.try_recv() {
                let delay = self.delay();
                let node = self.nodes.get_mut(&key).unwrap();
                if node.deaf && !matches!(event, FeedEvent::Ask { .. } | FeedEvent::Answer { .. }) {
                    continue;
                }
                node.feed_at = node.feed_at.max(self.now + delay);
                let wait = node.feed_at - self.now;
                self.after(wait, Event::Feed(key, event));
            }
        }
    }

    pub(super) fn feed(&mut self, key: u64, event: FeedEvent) {
        self.log(|| format!("node-{key} hears {event:?}"));
        let input = match event {
            FeedEvent::Entries { epoch, entries, .. } => Input::Feed(epoch, entries),
            FeedEvent::Head { head, .. } => Input::Round(head),
            FeedEvent::Ask { from, .. } => Input::Asked(from),
            FeedEvent::Answer { from, .. } => Input::Answered(from),
            FeedEvent::Stale => Input::Stale,
            FeedEvent::Presence { .. } | FeedEvent::Fence { .. } => return,
        };
        self.room_input(key, input);
    }

    pub(super) fn request(&mut self, conn: ConnId, request: Request) {
        let Some(key) = self.conns.get(&conn).map(|conn| conn.node) else { return };
        if !self.nodes.contains_key(&key) {
            return;
        }
        self.log(|| format!("node-{key} reads {request:?}"));
        match request.message {
            ClientMessage::Hello(hello) => {
                let client = hello.client_id.unwrap();
                self.nodes
                    .get_mut(&key)
                    .unwrap()
                    .who
                    .insert(conn, (client.clone(), hello.generation.unwrap()));
                self.welcome(key, conn, client);
                for entry in hello.resume {
                    self.join(key, conn, Some(entry));
                }
            }
            ClientMessage::Join { .. } => self.join(key, conn, None),
            ClientMessage::Message(message) => self.publish(key, conn, message),
            ClientMessage::History { before, .. } => self.history(key, conn, before),
            ClientMessage::Ping { t } => self.say_to(conn, &ServerMessage::Pong { t, re: None }),
            _ => {}
        }
    }

    fn history(&mut self, key: u64, conn: ConnId, before: Option<Seq>) {
        let Ok(Some((head, entries))) = now(self.nodes[&key].backbone.history(&self.room, before, 100))
        else {
            return self.break_up(conn);
        };
        if self.nodes[&key].core.head().is_some_and(|known| known.seq > head.place.seq) {
            // A page from a log that is being given back what it lost has a hole at its end: ask again.
            let room = Some(self.room.clone());
            let (epoch, after, around, limit) = (None, None, None, None);
            let again = ClientMessage::History { room, epoch, before, after, around, limit };
            return self.after(self.plan.delay(), Event::ToNode(conn, Box::new(again.into())));
        }
        let read = |entry: &Arc<Entry>| {
            let body = serde_json::from_slice(&entry.body).unwrap();
            RoomMessage { room: self.room.clone(), seq: entry.seq, id: entry.id.clone(), body }
        };
        let messages = entries.iter().map(read).collect();
        let (room, epoch) = (self.room.clone(), head.place.epoch);
        self.say_to(conn, &ServerMessage::History { room, epoch, messages, more: false, re: None });
    }

    fn welcome(&mut self, key: u64, conn: ConnId, client_id: ClientId) {
        let welcome = Welcome {
            user_id: UserId::parse("user").unwrap(),
            client_id,
            session: "session".into(),
            name: "user".into(),
            name_wanted: None,
            node: self.nodes[&key].id.clone(),
            ready: true,
            rooms: Vec::new(),
            re: None,
        };
        self.say_to(conn, &ServerMessage::Welcome(welcome));
    }

    fn join(&mut self, key: u64, conn: ConnId, resume: Option<Resume>) {
        let node = &self.nodes[&key];
        let (client, _) = node.who[&conn].clone();
        match now(node.backbone.last_n(&self.room, &client)) {
            Ok(last_n) => {
                let resume = resume.filter(|_| self.mutation != Mutation::NoResume);
                self.room_input(key, Input::Join(Joining { conn, resume, last_n, re: None }));
            }
            // As a session does that cannot reach the backbone: the client comes back.
            Err(_) => self.break_up(conn),
        }
    }

    fn publish(&mut self, key: u64, conn: ConnId, message: Outgoing) {
        let Some((client, generation)) = self.nodes[&key].who.get(&conn).cloned() else { return };
        let message =
            if self.mutation == Mutation::NoDedupe { self.as_new(&client, message) } else { message };
        let digest =
            message.content.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let body = encode_body(&MessageBody {
            sender: "user".into(),
            sender_id: UserId::parse("user").unwrap(),
            content: message.content,
            timestamp: String::new(),
            node: self.nodes[&key].id.clone(),
            kind: None,
            reference: None,
            reply: None,
            enc: None,
        });
        let body = (!message.void).then_some(body);
        let (n, acked, refusal, re) = (message.n, message.acked, None::<ErrorMessage>, None);
        let publishing = Publishing { conn, client, generation, n, acked, digest, body, refusal, re };
        self.room_input(key, Input::Publish(publishing));
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

    fn frame_out(&mut self, key: u64, conn: ConnId, frame: Frame) {
        let message = match frame {
            Frame::Entry(_, payload) => return self.deliver(conn, payload.line().clone()),
            Frame::Joined { head, last_n, re } => {
                let last_n = if self.mutation == Mutation::NoDedupe { 0 } else { last_n };
                let (room, users, count, more) = (self.room.clone(), Vec::new(), 0, false);
                let Place { epoch, seq, id } = head;
                ServerMessage::RoomUsers(RoomUsers { room, users, count, more, epoch, seq, id, last_n, re })
            }
            Frame::Resumed(resumed) => ServerMessage::Resumed(resumed),
            Frame::Reset(reset) => ServerMessage::Reset(reset),
            Frame::Rewind(epoch, to) => ServerMessage::Rewind { room: self.room.clone(), epoch, to },
            Frame::Ack(ack) => ServerMessage::Ack(self.as_sent(ack)),
            Frame::Error(error) => ServerMessage::Error(error),
            Frame::Fenced => {
                self.log(|| format!("node-{key} fences {conn:?}"));
                return self.break_up(conn);
            }
        };
        self.say_to(conn, &message);
    }

    fn say_to(&mut self, conn: ConnId, message: &ServerMessage) {
        self.deliver(conn, Payload::new(message).line().clone());
    }
}

/// The call took effect, but nobody knows.
fn lost(answer: Input) -> Input {
    let error = BackboneError::Unavailable("the answer was lost".into());
    match answer {
        Input::Head(_) => Input::Head(Err(error)),
        Input::Read(_) => Input::Read(Err(error)),
        Input::Paged(_) => Input::Paged(Err(error)),
        Input::Published(_) => Input::Published(Err(error)),
        Input::Repaired(_) => Input::Repaired(Err(error)),
        Input::Asking(_) => Input::Asking(Err(error)),
        other => other,
    }
}
