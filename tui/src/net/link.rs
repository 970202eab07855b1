//! Owns the client's connection to the cluster as a state machine: when to dial, what to say first, what
//! was missed, what has to be sent again. No clock, no socket: inputs come in with the time, outputs are
//! polled. The same core runs in the program, in unit tests and in the simulator.
//!
//! - `cursor`: how far each room was seen; counts what was recovered, lost and repeated.
//! - `outbox`: what was written here and may not be in the log yet.
//! - `dial`: the way to a server and away from it.
//! - `recovery`: what losing the link cost.
//! - `frames`: what the server's messages mean for both.
//! - `cut_off`: a server that cannot reach the others.
//! - `moving`: leaving a server that still answers, by a second connection beside the first.
//! - `pulse`: pings, round trips, and when silence means death.
//! - `questions`: what was asked on this connection and not answered yet; `pages`: answers that come in pieces.
//! - `typing`: that the user is. `user`: what belongs to the user, on all its clients.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use chat_protocol::{ClientId, ClientMessage, Request, RoomName, UserName};

use super::backoff::SPREAD_MIN;
use super::cursor::Cursor;
use super::endpoint::Endpoint;
use super::event::{
    DialStep, LinkState, LinkStatus, Moment, NetCommand, NetEvent, OutId, OutState, Transport,
};
use super::outbox::{Outbox, Outcome};
use super::saved::{SavedClient, SavedRoom};

mod commands;
mod cut_off;
mod dial;
mod frames;
mod moving;
mod pages;
mod pulse;
mod questions;
mod recovery;
#[cfg(test)]
mod tests;
mod typing;
mod user;

use dial::HELLO_MAX;
use moving::Moving;
use pages::Pages;
use pulse::Pulse;
use questions::Questions;
use recovery::Lost;
use user::User;

/// Ids of restored messages begin here: those of the front-end count from 1.
const RESTORED_OUTS: u64 = 1 << 48;

/// What the link starts with.
#[derive(Debug, Clone, Default)]
pub struct LinkOptions {
    /// Where to dial, in order.
    pub endpoints: Vec<Endpoint>,
    /// The name to ask for, should the user have none yet.
    pub name: Option<UserName>,
    /// The name to take even where the user has another.
    pub rename: Option<UserName>,
    /// All rooms of the user are entered, those that other clients have opened too.
    pub follows: bool,
    /// The rooms to enter.
    pub rooms: Vec<RoomName>,
    /// What the last run left.
    pub saved: SavedClient,
    /// Where its random numbers begin.
    pub seed: u64,
}

/// What happens to the link.
#[derive(Debug)]
pub enum Input {
    /// The front-end wants something.
    Command(NetCommand),
    /// Something happens on the connection.
    First(Happening),
    /// Something happens on the second connection, the one that [`Output::DialBeside`] began.
    Beside(Happening),
    /// The time [`Link::deadline`] named has come.
    Tick,
    /// The time [`Link::ping_due`] named has come, and nothing is read now: nobody takes what would be told.
    PingDue,
}

/// What happens on a connection.
#[derive(Debug)]
pub enum Happening {
    /// The dial has come this far, to this target.
    DialProgress(DialStep, String),
    /// The dial is complete: frames can be sent.
    Dialled {
        /// Which way the bytes go.
        transport: Transport,
    },
    /// The dial has failed, with the reason.
    DialFailed(String),
    /// The server says something.
    Frame(Bytes),
    /// The connection is gone, with the reason.
    Closed(String),
}

/// What the link wants done.
#[derive(Debug)]
pub enum Output {
    /// Dial this, in place of any former connection.
    Dial(Endpoint),
    /// Drop the connection.
    Hangup,
    /// Send this.
    Send(Request),
    /// Dial this as a second connection; the first one goes on.
    DialBeside(Endpoint),
    /// Send this on the second connection.
    SendBeside(Request),
    /// Give no more inputs of the first connection, until [`Output::Promote`] or [`Output::DropBeside`]:
    /// what it still has waits in its socket.
    HoldFirst,
    /// Drop the first connection, or what is left of it: the second one, dialled or not, is the first now.
    Promote,
    /// Drop the second connection; the first one is read again.
    DropBeside,
    /// Tell the front-end.
    Event(NetEvent),
}

/// The link's state machine.
#[derive(Debug)]
pub struct Link {
    endpoints: Vec<Endpoint>,
    endpoint: usize,
    rng: fastrand::Rng,
    identity: Identity,
    rooms: BTreeMap<RoomName, Room>,
    /// Wished rooms in the order in which they were wished.
    order: Vec<RoomName>,
    status: LinkStatus,
    told: LinkStatus,
    /// When the server's word that it cannot reach the others holds no more.
    cut_off_until: Option<Moment>,
    phase: Phase,
    pulse: Pulse,
    /// Within what time to come back, as the server said.
    spread: Duration,
    /// The link was up and was lost; until the last room is recovered.
    lost: Option<Lost>,
    /// On the way to another server while this one still answers.
    moving: Moving,
    questions: Questions,
    pages: Pages,
    /// The server does not know what typing is.
    typing_refused: bool,
    user: User,
    /// Connections in a row that were lost as soon as they stood.
    short_lives: u32,
    outputs: VecDeque<Output>,
    next_restored: u64,
}

#[derive(Debug)]
struct Identity {
    session: Option<String>,
    name: Option<UserName>,
    client: ClientId,
    generation: u64,
}

/// Where the connection is, apart from what is shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No connection; the state says when the next one is tried.
    Down,
    /// A dial is under way.
    Dialling,
    /// Hello was sent.
    Greeting { since: Moment },
    /// The server said welcome.
    Up,
}

/// One room as this client knows it.
#[derive(Debug, Default)]
struct Room {
    cursor: Cursor,
    outbox: Outbox,
    /// The user wants to be in it.
    wished: bool,
    /// How often it was left on this connection where the server has not said so yet.
    leaving: u32,
    /// It was left while the server, which had been asked to resume it, had not answered: it is left then.
    left_early: bool,
}

impl Link {
    /// A link that dials at once.
    pub fn new(options: LinkOptions, started: Moment) -> Self {
        let LinkOptions { endpoints, name, rename, follows, rooms, saved, seed } = options;
        let identity = Identity {
            session: saved.session,
            name: name.or(saved.name),
            client: saved.client_id.unwrap_or_else(ClientId::random),
            generation: saved.generation,
        };
        let mut link = Self {
            endpoints,
            endpoint: 0,
            rng: fastrand::Rng::with_seed(seed),
            identity,
            rooms: BTreeMap::new(),
            order: Vec::new(),
            status: LinkStatus::default(),
            told: LinkStatus::default(),
            cut_off_until: None,
            phase: Phase::Down,
            pulse: Pulse::default(),
            spread: SPREAD_MIN,
            lost: None,
            moving: Moving::default(),
            questions: Questions::default(),
            pages: Pages::default(),
            typing_refused: false,
            user: User::new(rename, follows),
            short_lives: 0,
            outputs: VecDeque::new(),
            next_restored: RESTORED_OUTS,
        };
        saved.rooms.into_iter().for_each(|room| link.restore(started, room));
        rooms.into_iter().for_each(|room| link.wish(&room));
        link.dial(started, 1);
        link.tell();
        link
    }

    fn restore(&mut self, now: Moment, saved: SavedRoom) {
        let room = saved.room.clone();
        if !saved.unsent.is_empty() {
            // Somebody wrote it: it goes out before anything else, so the room is entered again.
            self.wish(&room);
        }
        let next = &mut self.next_restored;
        let outbox = Outbox::restore(now, saved, || {
            *next += 1;
            OutId(*next)
        });
        self.rooms.entry(room).or_default().outbox = outbox;
    }

    fn wish(&mut self, room: &RoomName) {
        self.rooms.entry(room.clone()).or_default().wished = true;
        if !self.order.contains(room) {
            self.order.push(room.clone());
        }
    }

    /// What the link wants done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Messages that are not known to be in a log.
    pub fn unsent(&self) -> usize {
        self.rooms.values().map(|room| room.outbox.pending()).sum()
    }

    /// What the next run is to start with.
    pub fn save(&self, now: Moment) -> SavedClient {
        let rooms =
            self.rooms.iter().filter(|(_, room)| room.outbox.next_n() > 1).map(|(name, room)| SavedRoom {
                room: name.clone(),
                next_n: room.outbox.next_n(),
                acked: room.outbox.acked(),
                unsent: room.outbox.unsent(),
                acknowledged: room.outbox.held(now),
            });
        SavedClient {
            session: self.identity.session.clone(),
            name: self.identity.name.clone(),
            client_id: Some(self.identity.client.clone()),
            generation: self.identity.generation,
            rooms: rooms.collect(),
        }
    }

    /// When [`Input::Tick`] is due.
    pub fn deadline(&self) -> Option<Moment> {
        if let Some(answer) = self.moving.answer_due() {
            // The first connection is not read: nothing else can be due.
            return Some(answer);
        }
        let state = match (&self.status.state, self.phase) {
            (LinkState::Down { retry_at, .. }, _) => Some(*retry_at),
            (_, Phase::Greeting { since }) => Some(since + HELLO_MAX),
            (_, Phase::Up) => Some(self.pulse.deadline()),
            _ => None,
        };
        let outbox = self.rooms.values().filter_map(|room| room.outbox.deadline()).min();
        let markers = self.user.deadline().filter(|_| self.phase == Phase::Up);
        [state, outbox, markers, self.moving.deadline(), self.cut_off_until].into_iter().flatten().min()
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Moment, input: Input) {
        match input {
            Input::Command(command) => self.command(now, command),
            Input::First(happening) => self.first(now, happening),
            Input::Beside(happening) => self.beside(now, happening),
            Input::Tick => self.tick(now),
            Input::PingDue => self.ping(now),
        }
        self.send_waiting(now);
        self.tell_markers(now);
        self.finish_recovery(now);
        self.tell();
    }

    fn first(&mut self, now: Moment, happening: Happening) {
        debug_assert!(!self.moving.is_asking(), "held back, but given: {happening:?}");
        match happening {
            Happening::DialProgress(step, target) => self.progress(step, target),
            Happening::Dialled { transport } => self.greet(now, transport),
            Happening::DialFailed(reason) => {
                self.endpoint += 1;
                self.down(now, reason);
            }
            Happening::Frame(frame) => self.frame(now, &frame),
            Happening::Closed(reason) => self.down(now, reason),
        }
    }

    fn tick(&mut self, now: Moment) {
        if self.moving.is_asking() {
            return self.move_on(now);
        }
        if self.cut_off_until.is_some_and(|until| until <= now) {
            self.reaches_others();
        }
        self.move_on(now);
        match (&self.status.state, self.phase) {
            (LinkState::Down { retry_at, attempt, .. }, _) if *retry_at <= now => self.dial(now, *attempt),
            (_, Phase::Greeting { since }) if now >= since + HELLO_MAX => {
                self.hang_up(now, "the server did not say welcome in 10 s");
            }
            (_, Phase::Up) => self.beat(now),
            _ => {}
        }
    }

    /// Sends what the outboxes let go.
    fn send_waiting(&mut self, now: Moment) {
        if self.phase != Phase::Up || self.moving.is_asking() {
            return;
        }
        let ready: Vec<_> = (self.rooms.iter_mut())
            .map(|(name, room)| (name.clone(), room.outbox.send(now, name)))
            .filter(|(_, sent)| !sent.is_empty())
            .collect();
        for (room, sent) in ready {
            for (out, message) in sent {
                self.send(message);
                if let Some(out) = out {
                    self.event(NetEvent::Out { out, room: room.clone(), state: OutState::Sent });
                }
            }
        }
    }

    fn outcome(&mut self, room: &RoomName, outcome: Outcome) {
        let (out, state) = match outcome {
            Outcome::Acked(out) => (out, OutState::Acked),
            Outcome::Failed(out, reason) => (out, OutState::Failed(reason)),
        };
        self.event(NetEvent::Out { out, room: room.clone(), state });
    }

    fn send(&mut self, message: ClientMessage) {
        self.outputs.push_back(Output::Send(message.into()));
    }

    fn event(&mut self, event: NetEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Tells the front-end the link's state, when something shown of it has changed.
    fn tell(&mut self) {
        self.status.totals = self.totals();
        self.status.queued = self.unsent();
        if self.status != self.told {
            self.told = self.status.clone();
            self.event(NetEvent::Link(self.status.clone()));
        }
    }
}
