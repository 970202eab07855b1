//! Placeholder of the link's state machine: the types through which [`crate::net`] drives it, and just
//! enough behaviour to try the rest of the client. The real one replaces this file.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use chat_protocol::{
    ClientId, ClientMessage, Hello, NodeId, Outgoing, Request, RoomName, Seq, ServerMessage, UserName,
    decode_server,
};

use crate::net::backoff::{SPREAD_MIN, delay};
use crate::net::endpoint::Endpoint;
use crate::net::event::{
    DialStep, LinkState, LinkStatus, Moment, NetCommand, NetEvent, Origin, OutId, OutState, Recovery,
    Transport,
};
use crate::net::saved::SavedClient;

/// What the link starts with.
#[derive(Debug, Clone)]
pub struct LinkOptions {
    /// Where to dial, in order.
    pub endpoints: Vec<Endpoint>,
    /// The name to ask for.
    pub name: Option<UserName>,
    /// The rooms to enter.
    pub rooms: Vec<RoomName>,
    /// What the last run left.
    pub saved: SavedClient,
    /// Where its random numbers begin.
    pub seed: u64,
}

/// What happens to the link.
#[derive(Debug)]
#[expect(missing_docs, reason = "a placeholder")]
pub enum Input {
    Command(NetCommand),
    DialProgress(DialStep, String),
    Dialled { transport: Transport },
    DialFailed(String),
    Frame(Bytes),
    Closed(String),
    Tick,
}

/// What the link wants done.
#[derive(Debug)]
#[expect(missing_docs, reason = "a placeholder")]
pub enum Output {
    Dial(Endpoint),
    Hangup,
    Send(Request),
    Event(NetEvent),
}

/// The link's state machine.
pub struct Link {
    options: LinkOptions,
    outputs: VecDeque<Output>,
    rng: fastrand::Rng,
    status: LinkStatus,
    client_id: ClientId,
    transport: Transport,
    last_node: Option<(NodeId, Moment)>,
    next_n: BTreeMap<RoomName, u64>,
    outbox: VecDeque<(OutId, u64, RoomName, Outgoing)>,
}

#[expect(missing_docs, reason = "a placeholder")]
impl Link {
    pub fn new(options: LinkOptions, _started: Moment) -> Self {
        let mut link = Self {
            outputs: VecDeque::new(),
            rng: fastrand::Rng::with_seed(options.seed),
            status: LinkStatus::default(),
            client_id: ClientId::random(),
            transport: Transport::Tcp,
            last_node: None,
            next_n: BTreeMap::new(),
            outbox: VecDeque::new(),
            options,
        };
        link.dial(1);
        link
    }
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
    pub fn deadline(&self) -> Option<Moment> {
        match self.status.state {
            LinkState::Down { retry_at, .. } => Some(retry_at),
            _ => None,
        }
    }
    pub fn unsent(&self) -> usize {
        self.outbox.len()
    }
    pub fn save(&self) -> SavedClient {
        self.options.saved.clone()
    }
    pub fn handle(&mut self, now: Moment, input: Input) {
        match input {
            Input::Command(command) => self.command(command),
            Input::DialProgress(new_step, new_target) => {
                if let LinkState::Dialling { step, target, .. } = &mut self.status.state {
                    (*step, *target) = (new_step, new_target);
                }
                self.tell();
            }
            Input::Dialled { transport } => {
                self.transport = transport;
                let hello = Hello {
                    v: 1,
                    name: self.options.name.clone(),
                    client_id: Some(self.client_id.clone()),
                    session: self.options.saved.session.clone(),
                    ..Hello::default()
                };
                self.send(ClientMessage::Hello(hello));
            }
            Input::DialFailed(reason) | Input::Closed(reason) => self.lost(now, reason),
            Input::Frame(frame) => {
                if let Ok(message) = decode_server(&frame) {
                    self.frame(now, message);
                }
            }
            Input::Tick => {
                if let LinkState::Down { attempt, .. } = self.status.state {
                    self.dial(attempt);
                }
            }
        }
    }
    fn dial(&mut self, attempt: u32) {
        let endpoint = self.options.endpoints[(attempt as usize - 1) % self.options.endpoints.len()].clone();
        let (target, step) = (endpoint.to_string(), DialStep::Resolving);
        self.status.state = LinkState::Dialling { attempt, target, step, down_since: None };
        self.outputs.push_back(Output::Dial(endpoint));
        self.tell();
    }
    fn lost(&mut self, now: Moment, reason: String) {
        let attempt = match &self.status.state {
            LinkState::Dialling { attempt, .. } => attempt + 1,
            LinkState::Online { node, .. } => {
                self.last_node = Some((node.clone(), now));
                1
            }
            _ => 1,
        };
        let retry_at = now + delay(attempt, SPREAD_MIN, &mut self.rng) + Duration::from_millis(1);
        self.status.state = LinkState::Down { since: now, reason, attempt, retry_at };
        self.tell();
    }
    fn frame(&mut self, now: Moment, message: ServerMessage) {
        match message {
            ServerMessage::Welcome(welcome) => {
                let node = welcome.node.clone();
                self.options.saved.session = Some(welcome.session);
                self.event(NetEvent::Welcome {
                    user_id: welcome.user_id,
                    name: welcome.name,
                    name_wanted: welcome.name_wanted,
                });
                if let Some((from, lost)) = self.last_node.take() {
                    let (to, took) = (node.clone(), now.saturating_sub(lost));
                    self.status.recovery =
                        Some(Recovery { at: now, from, to, took, counted: Default::default() });
                }
                let transport = self.transport;
                self.status.state =
                    LinkState::Online { node, transport, since: now, heard: now, suspect: false };
                for room in self.options.rooms.clone() {
                    self.send(ClientMessage::Join { room });
                }
                for (_, n, room, outgoing) in self.outbox.clone() {
                    self.send_out(n, room, outgoing);
                }
                self.tell();
            }
            ServerMessage::RoomUsers(users) => {
                let (room, count, head) = (users.room, users.count, users.seq);
                self.event(NetEvent::Joined { room, users: users.users, count, head });
            }
            ServerMessage::Message(message) => {
                let own = |out: &&(OutId, u64, RoomName, Outgoing)| {
                    message.id.client == self.client_id && message.id.n == out.1 && message.room == out.2
                };
                let out = self.outbox.iter().find(own).map(|out| out.0);
                self.event(NetEvent::Entry { message, out, origin: Origin::Live });
            }
            ServerMessage::Ack(ack) => {
                if let Some(at) = self.outbox.iter().position(|out| out.1 == ack.n && out.2 == ack.room)
                    && let Some((out, _, room, _)) = self.outbox.remove(at)
                {
                    self.event(NetEvent::Out { out, room, state: OutState::Acked });
                }
                self.tell();
            }
            ServerMessage::Error(error) => {
                self.event(NetEvent::Trouble { room: error.room, code: error.code, text: error.message });
            }
            ServerMessage::Ping { t, .. } => self.send(ClientMessage::Pong { t }),
            ServerMessage::Left { room, .. } => self.event(NetEvent::Left(room)),
            answer @ (ServerMessage::Who { .. }
            | ServerMessage::Rooms { .. }
            | ServerMessage::Nodes { .. }) => {
                self.event(NetEvent::Answer(answer));
            }
            _ => {}
        }
    }
    fn command(&mut self, command: NetCommand) {
        match command {
            NetCommand::Say { out, room, content, kind } => {
                let n = self.next_n.entry(room.clone()).or_insert(1);
                let outgoing = Outgoing { content, kind, ..Outgoing::default() };
                self.outbox.push_back((out, *n, room.clone(), outgoing.clone()));
                let n = std::mem::replace(n, *n + 1);
                let online = matches!(self.status.state, LinkState::Online { .. });
                let state = if online { OutState::Sent } else { OutState::Queued };
                self.event(NetEvent::Out { out, room: room.clone(), state });
                if online {
                    self.send_out(n, room, outgoing);
                }
                self.tell();
            }
            NetCommand::Join(room) => self.send(ClientMessage::Join { room }),
            NetCommand::Leave(room) => self.send(ClientMessage::Leave { room: Some(room) }),
            NetCommand::Who(room) => self.send(ClientMessage::Who { room: Some(room) }),
            NetCommand::Rooms => self.send(ClientMessage::Rooms { limit: None, after: None }),
            NetCommand::Nodes => self.send(ClientMessage::Nodes {}),
            NetCommand::Rename(name) => self.send(ClientMessage::Rename { name }),
            NetCommand::History { room, before, limit } => {
                let (room, limit, epoch) = (Some(room), Some(limit), None);
                self.send(ClientMessage::History { room, epoch, before, after: None, around: None, limit });
            }
            NetCommand::ReconnectNow => {}
        }
    }
    fn send_out(&mut self, n: u64, room: RoomName, outgoing: Outgoing) {
        self.send(ClientMessage::Message(Outgoing { n: Some(n), room: Some(room), ..outgoing }));
    }
    fn send(&mut self, message: ClientMessage) {
        let _ = Seq::START;
        self.outputs.push_back(Output::Send(message.into()));
    }
    fn tell(&mut self) {
        self.status.queued = self.outbox.len();
        self.event(NetEvent::Link(self.status.clone()));
    }
    fn event(&mut self, event: NetEvent) {
        self.outputs.push_back(Output::Event(event));
    }
}
