//! Owns one client: the program's own network side, run as the program runs it, and in the place of a screen the
//! record.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{Epoch, RoomMessage, RoomName, Seq, UserName};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::{NetCommand, NetEvent, OutId, OutState};
use chat_tui::net::link::LinkOptions;
use chat_tui::net::network::{Network, NetworkOptions};
use chat_tui::net::saved::SavedClient;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, sleep_until};

use super::line::Line;
use super::outs::Outs;
use super::{Board, Phase, Talk, room};
use crate::record::{What, Words};

/// The number of a room's last words; all others count from 1.
const LAST_WORDS: u32 = 0;

/// What a client does of its own will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Reads nothing for so long.
    Pause(Duration),
    /// Ends, and starts again after so long with what it saved.
    Restart(Duration),
    /// Ends for good.
    End,
}

/// What a client has to do.
#[derive(Debug, Clone)]
pub(super) struct Part {
    index: usize,
    rooms: Vec<u32>,
    /// Between two messages; none: it says nothing.
    every: Option<Duration>,
    first_after: Duration,
    bytes: usize,
    /// It says the last words in its room.
    ends: bool,
    reads_per_second: Option<u32>,
}

impl Part {
    pub(super) fn of(index: usize, talk: Talk) -> Self {
        let speakers = talk.clients - talk.slow.clients;
        let is_slow = index >= speakers;
        let every = Duration::from_secs_f64(speakers as f64 / talk.rate);
        Self {
            index,
            rooms: if is_slow { (0..talk.rooms as u32).collect() } else { vec![(index % talk.rooms) as u32] },
            every: (!is_slow).then_some(every),
            first_after: every.mul_f64((index + 1) as f64 / talk.clients as f64),
            bytes: talk.bytes,
            ends: index < talk.rooms,
            reads_per_second: is_slow.then_some(talk.slow.bytes_per_second),
        }
    }
}

pub(super) struct Client {
    part: Part,
    endpoint: Endpoint,
    line: Line,
    numbers: HashMap<RoomName, u32>,
    said: u32,
    /// What was given to the network side, by the name it was given under.
    outs: Outs,
    entered: HashSet<u32>,
    ends_seen: HashSet<u32>,
    /// Until when it reads nothing.
    deaf_until: Option<Instant>,
    is_paused: bool,
    last_words_said: bool,
}

impl Client {
    pub(super) fn new(part: Part, endpoint: Endpoint, board: Arc<Board>) -> Self {
        let numbers = part.rooms.iter().map(|number| (room(*number), *number)).collect();
        Self {
            line: Line::new(part.index, board),
            part,
            endpoint,
            numbers,
            said: 0,
            outs: Outs::default(),
            entered: HashSet::new(),
            ends_seen: HashSet::new(),
            deaf_until: None,
            is_paused: false,
            last_words_said: false,
        }
    }

    /// Runs until it is told to end.
    pub(super) async fn run(mut self, mut deeds: mpsc::Receiver<Deed>) {
        let mut saved = SavedClient::default();
        let mut pace = self.pace();
        let mut phase = self.line.board.phase.subscribe();
        loop {
            let mut network = self.start(saved);
            let deed = self.live(&mut network, &mut pace, &mut phase, &mut deeds).await;
            saved = network.stop().await.expect("the network side does not panic");
            match deed {
                Deed::Restart(pause) => {
                    self.line.change(|state| (state.online, state.away) = (false, false));
                    sleep(pause).await;
                }
                Deed::Pause(_) | Deed::End => return self.line.end(),
            }
        }
    }

    fn pace(&self) -> Interval {
        let every = self.part.every.unwrap_or(Duration::from_secs(3_600));
        let mut pace = interval_at(Instant::now() + self.part.first_after, every);
        // Who could not speak for a while does not make up for it in a burst.
        pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
        pace
    }

    fn start(&mut self, saved: SavedClient) -> Network {
        for m in self.outs.restore(&saved) {
            self.take_down(What::Acked { m });
        }
        let name = UserName::parse(&format!("client-{}", self.part.index)).expect("letters and a number");
        let link = LinkOptions {
            endpoints: vec![self.endpoint.clone()],
            name: Some(name),
            rooms: self.part.rooms.iter().map(|number| room(*number)).collect(),
            saved,
            seed: fastrand::u64(..),
            ..LinkOptions::default()
        };
        self.entered = HashSet::new();
        self.line.begin();
        Network::start(NetworkOptions::new(link))
    }

    /// Says its part and takes down what it is told, until it does something that ends this.
    async fn live(
        &mut self,
        network: &mut Network,
        pace: &mut Interval,
        phase: &mut watch::Receiver<Phase>,
        deeds: &mut mpsc::Receiver<Deed>,
    ) -> Deed {
        loop {
            let now = *phase.borrow_and_update();
            if now == Phase::End && self.part.ends && !std::mem::replace(&mut self.last_words_said, true) {
                self.say(network, LAST_WORDS).await;
            }
            let is_deaf = self.deaf_until.is_some();
            tokio::select! {
                _ = pace.tick(), if now == Phase::Talk && self.part.every.is_some() => {
                    self.said += 1;
                    self.say(network, self.said).await;
                }
                event = network.events.recv(), if !is_deaf => match event {
                    Some(event) => self.told(event),
                    None => return Deed::End,
                },
                () = at(self.deaf_until), if is_deaf => self.hears_again(),
                _ = phase.changed() => {
                    if *phase.borrow() == Phase::Talk {
                        pace.reset_after(self.part.first_after);
                    }
                }
                deed = deeds.recv() => match deed {
                    Some(Deed::Pause(pause)) => self.pause(pause),
                    Some(deed) => return deed,
                    None => return Deed::End,
                },
            }
        }
    }

    fn pause(&mut self, pause: Duration) {
        self.is_paused = true;
        self.deaf_until = Some(Instant::now() + pause);
        self.take_down(What::Paused);
    }

    fn hears_again(&mut self) {
        self.deaf_until = None;
        if std::mem::take(&mut self.is_paused) {
            self.take_down(What::Reading);
        }
    }

    async fn say(&mut self, network: &Network, n: u32) {
        let words = Words(self.part.index as u32, n);
        let (out, number) = (self.outs.say(words), self.part.rooms[0]);
        self.take_down(What::Said { r: number, m: words });
        self.line.change(|state| state.queued += 1);
        let content = words.content(self.part.bytes);
        let say = NetCommand::Say { out, room: room(number), content, kind: None };
        // The network side lives as long as this does.
        drop(network.commands.send(say).await);
    }

    fn take_down(&self, what: What) {
        self.line.take_down(what);
    }

    fn told(&mut self, event: NetEvent) {
        match event {
            NetEvent::Joined { room, epoch, head, .. } => self.joined(&room, epoch, head),
            NetEvent::Entry { message, .. } => self.entry(&message),
            NetEvent::Out { out, state, .. } => self.out(out, state),
            NetEvent::Rewound { room, to } => {
                if let Some(r) = self.numbers.get(&room) {
                    self.take_down(What::Rewound { r: *r, s: to });
                }
            }
            NetEvent::Reset { room, epoch: life, lost_from: from, lost_to: to, .. } => {
                if let Some(r) = self.numbers.get(&room) {
                    self.take_down(What::Reset { r: *r, life, from, to });
                }
            }
            NetEvent::Link(status) => self.line.link(status),
            NetEvent::Trouble { code, text, .. } => {
                self.take_down(What::Trouble { why: format!("{code:?}: {text}") });
            }
            _ => {}
        }
    }

    fn joined(&mut self, name: &RoomName, life: Epoch, head: Seq) {
        let Some(r) = self.numbers.get(name).copied() else { return };
        if self.entered.insert(r) {
            self.take_down(What::Entered { r, life, s: head });
        }
        if self.entered.len() == self.part.rooms.len() {
            self.line.change(|state| (state.entered, state.inside) = (true, true));
        }
    }

    fn entry(&mut self, message: &RoomMessage) {
        let Some(r) = self.numbers.get(&message.room).copied() else { return };
        let (s, content) = (message.seq, &message.body.content);
        match Words::of(content).filter(|words| words.content(self.part.bytes) == *content) {
            Some(m) => {
                self.take_down(What::Shown { r, s, m });
                self.shown(m, content.len());
            }
            None => self.take_down(What::Garbled { r, s }),
        }
    }

    fn shown(&mut self, words: Words, bytes: usize) {
        // A room's last words are said by the client of its number.
        if words.1 == LAST_WORDS && self.part.rooms.contains(&words.0) && self.ends_seen.insert(words.0) {
            let done = self.ends_seen.len() == self.part.rooms.len();
            self.line.change(|state| state.done = done);
        }
        let slow = self.part.reads_per_second.filter(|_| *self.line.board.phase.borrow() == Phase::Talk);
        if let Some(rate) = slow {
            self.deaf_until = Some(Instant::now() + Duration::from_secs_f64(bytes as f64 / f64::from(rate)));
        }
    }

    fn out(&mut self, out: OutId, state: OutState) {
        let Some(m) = self.outs.words(out) else { return };
        match state {
            OutState::Acked => self.take_down(What::Acked { m }),
            OutState::Failed(why) => self.take_down(What::Failed { m, why }),
            OutState::Queued | OutState::Sent => return,
        }
        self.outs.settle(out);
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
