//! A client of the virtual world: the production link, a screen that only remembers, and the way of what the link
//! wants done.

use std::collections::BTreeMap;
use std::time::Duration;

use chat_protocol::{ClientId, ErrorCode, MessageId, RoomMessage, RoomName, Seq};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::{LinkState, Moment, NetCommand, NetEvent, OutId, OutState, Totals, Transport};
use chat_tui::net::link::{Input, Link, LinkOptions, Output};
use chat_tui::net::saved::SavedClient;

use super::ways::Ways;
use super::world::{Event, World};

/// The link gives restored messages names from here on.
const RESTORED_OUTS: u64 = 1 << 48;

/// What stands on the screen.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    /// Which life of the log it was shown in.
    pub(super) life: usize,
    pub(super) seq: Seq,
    pub(super) id: MessageId,
    pub(super) text: String,
}

/// One room on a client's screen.
#[derive(Debug, Default)]
pub(super) struct Screen {
    /// In order.
    pub(super) shown: Vec<Shown>,
    pub(super) life: usize,
    /// What the client was told is gone, or does not stand: places from, to (none: nobody knows).
    pub(super) told: Vec<(Seq, Option<Seq>)>,
    pub(super) rewinds: usize,
    pub(super) resets: usize,
    /// Those of them that named a place behind the first: something had been seen, or was known to have been there.
    pub(super) resets_of_seen: usize,
    /// The page before its first place in the room has not come yet.
    wants_history: Option<Seq>,
    /// Where the log stood when the room was entered: what is older is history.
    pub(super) entered: Option<Seq>,
    /// When that was.
    pub(super) entered_at: Duration,
}

/// Something a client said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) room: usize,
    pub(super) text: String,
    pub(super) state: OutState,
    /// Said under a client id that was taken away before the log had answered: it may have taken it.
    pub(super) twice: bool,
}

pub(super) struct Client {
    pub(super) index: usize,
    /// None while the program does not run.
    pub(super) link: Option<Link>,
    pub(super) due: Option<Duration>,
    pub(super) ways: Ways,
    pub(super) screens: Vec<Screen>,
    pub(super) said: Vec<Said>,
    outs: BTreeMap<OutId, usize>,
    pub(super) totals: Totals,
    pub(super) is_online: bool,
    /// How often it was seen to be online no more.
    pub(super) downs: usize,
    /// Moves from one node to another, of the program that runs.
    pub(super) moves: u64,
    /// Of programs that ran before.
    pub(super) totals_before: Totals,
    pub(super) slow_until: Duration,
    pub(super) restarts: usize,
}

/// A name of its own for each client, whatever the seed.
fn client_id(index: usize) -> ClientId {
    ClientId::parse(&format!("client-{index:08}")).expect("letters and digits")
}

fn link(saved: SavedClient, rooms: &[RoomName], seed: u64, at: Moment) -> Link {
    let endpoints = vec![Endpoint::new("lb", 1, Transport::Tcp)];
    Link::new(
        LinkOptions { endpoints, name: None, rooms: rooms.to_vec(), saved, seed, ..LinkOptions::default() },
        at,
    )
}

impl Client {
    pub(super) fn new(index: usize, rooms: &[RoomName], seed: u64) -> Self {
        let saved = SavedClient { client_id: Some(client_id(index)), ..SavedClient::default() };
        Self::of(index, saved, rooms, seed, Moment::ZERO)
    }

    pub(super) fn of(index: usize, saved: SavedClient, rooms: &[RoomName], seed: u64, at: Moment) -> Self {
        Self {
            index,
            link: Some(link(saved, rooms, seed, at)),
            due: None,
            ways: Ways::default(),
            screens: rooms.iter().map(|_| Screen::default()).collect(),
            said: Vec::new(),
            outs: BTreeMap::new(),
            totals: Totals::default(),
            is_online: false,
            downs: 0,
            moves: 0,
            totals_before: Totals::default(),
            slow_until: Duration::ZERO,
            restarts: 0,
        }
    }

    /// Begins again with what was saved, and an empty screen.
    pub(super) fn begin_again(&mut self, saved: SavedClient, rooms: &[RoomName], seed: u64, at: Moment) {
        let texts = saved.rooms.iter().flat_map(|room| &room.unsent).map(|unsent| &unsent.content);
        self.outs.clear();
        for (number, text) in (RESTORED_OUTS + 1..).zip(texts) {
            let said = self.said.iter().position(|said| said.text == *text).expect("it was said");
            self.outs.insert(OutId(number), said);
        }
        self.link = Some(link(saved, rooms, seed, at));
        self.screens = rooms.iter().map(|_| Screen::default()).collect();
        self.totals_before = std::mem::take(&mut self.totals);
        self.restarts += 1;
    }

    fn say(&mut self, room: usize, name: RoomName) -> NetCommand {
        let number = self.said.len() as u64 + 1;
        let content = format!("{}:{number}", self.index);
        let out = OutId(number);
        self.outs.insert(out, self.said.len());
        let state = OutState::Queued;
        self.said.push(Said { room, text: content.clone(), state, twice: false });
        NetCommand::Say { out, room: name, content, kind: None }
    }

    pub(super) fn unsent(&self) -> usize {
        self.link.as_ref().map_or(0, Link::unsent)
    }

    /// Takes what the link tells; a page of history to ask for.
    fn told(&mut self, now: Duration, event: NetEvent, rooms: &[RoomName]) -> Option<(RoomName, Seq)> {
        let at = |room: &RoomName| rooms.iter().position(|known| known == room);
        match event {
            NetEvent::Entry { message, .. } => {
                let screen = &mut self.screens[at(&message.room)?];
                let RoomMessage { seq, id, body, .. } = message;
                screen.shown.push(Shown { life: screen.life, seq, id, text: body.content });
            }
            NetEvent::Rewound { room, to } => self.screens[at(&room)?].rewound(to),
            NetEvent::Joined { room, head, .. } => {
                let screen = &mut self.screens[at(&room)?];
                if screen.entered.is_none() {
                    (screen.entered, screen.wants_history) = (Some(head), Some(head.next()));
                    screen.entered_at = now;
                }
                return screen.wants_history.map(|before| (room, before));
            }
            // What was shown goes with the room.
            NetEvent::Left(room) => self.screens[at(&room)?].leave(),
            NetEvent::History { room, messages, more: false } => {
                let screen = &mut self.screens[at(&room)?];
                screen.wants_history = None;
                messages.into_iter().for_each(|message| screen.insert(message));
            }
            NetEvent::Reset { room, lost_from, lost_to, .. } => {
                let screen = &mut self.screens[at(&room)?];
                screen.resets += 1;
                screen.resets_of_seen += usize::from(lost_from > Seq(1));
                screen.life += 1;
                screen.told.push((lost_from, lost_to));
            }
            NetEvent::Out { out, state, .. } => {
                let said = *self.outs.get(&out)?;
                self.said[said].state = state;
            }
            NetEvent::Trouble { code: ErrorCode::Fenced, .. } => {
                let open = self.said.iter_mut().filter(|said| said.state != OutState::Acked);
                open.for_each(|said| said.twice = true);
            }
            NetEvent::Link(status) => {
                self.totals = status.totals;
                self.moves = u64::from(status.moves);
                let is_online = matches!(status.state, LinkState::Online { .. });
                self.downs += usize::from(self.is_online && !is_online);
                self.is_online = is_online;
            }
            _ => {}
        }
        None
    }
}

impl Screen {
    /// What was shown goes with the room; what was told of it was told.
    pub(super) fn leave(&mut self) {
        *self = Self { resets: self.resets, rewinds: self.rewinds, ..Self::default() };
    }

    fn rewound(&mut self, to: Seq) {
        self.rewinds += 1;
        self.told.push((to.next(), None));
        let life = self.life;
        while self.shown.last().is_some_and(|shown| shown.life == life && shown.seq > to) {
            self.shown.pop();
        }
    }

    /// An older entry goes where it belongs.
    fn insert(&mut self, message: RoomMessage) {
        let (life, RoomMessage { seq, id, body, .. }) = (self.life, message);
        let below = |shown: &Shown| (shown.life, shown.seq) < (life, seq);
        let at = self.shown.iter().rposition(below).map_or(0, |before| before + 1);
        self.shown.insert(at, Shown { life, seq, id, text: body.content });
    }
}

impl World {
    pub(super) fn say(&mut self, client: usize, room: usize) {
        if self.clients[client].link.is_none() {
            // Said as soon as the program runs again.
            return self.after(super::world::MS * 100, Event::Say(client, room));
        }
        let name = self.rooms[room].clone();
        let command = self.clients[client].say(room, name);
        self.log(|| format!("client {client} says {command:?}"));
        self.client_input(client, Input::Command(command));
    }

    pub(super) fn client_input(&mut self, client: usize, input: Input) {
        let now = self.now;
        let Some(link) = &mut self.clients[client].link else { return };
        link.handle(now, input);
        self.client_outputs(client);
        let client = &mut self.clients[client];
        client.due = client.link.as_ref().and_then(Link::deadline);
    }

    pub(super) fn client_outputs(&mut self, client: usize) {
        while let Some(output) = self.clients[client].link.as_mut().and_then(Link::poll_output) {
            match output {
                Output::Dial(_) => self.dial(client),
                Output::Hangup => self.hang_up(client),
                Output::Send(request) => self.carry(self.clients[client].ways.first, request),
                Output::DialBeside(_) => self.dial_beside(client),
                Output::SendBeside(request) => self.carry(self.clients[client].ways.beside, request),
                Output::HoldFirst => self.clients[client].ways.hold(),
                Output::Promote => self.promote_beside(client),
                Output::DropBeside => self.drop_beside(client),
                Output::Event(event) => {
                    self.log(|| format!("client {client} is told {event:?}"));
                    if let Some((room, before)) = self.clients[client].told(self.now, event, &self.rooms) {
                        let command = NetCommand::History { room, before: Some(before), limit: 100 };
                        self.client_input(client, Input::Command(command));
                    }
                }
            }
        }
        let client = &mut self.clients[client];
        client.due = client.link.as_ref().and_then(Link::deadline);
    }
}
