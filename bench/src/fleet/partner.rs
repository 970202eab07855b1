//! Owns one client of a conversation: the program's own network side, and in the place of a screen the record. Besides
//! saying messages it changes and answers them, opens rooms of two and marks what it has read; what it does when is
//! decided in `acts`.

mod acts;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chat_protocol::{
    Epoch, ErrorCode, Kind, MessageId, Person, RoomMessage, RoomName, Seq, UserName, WelcomeRoom,
};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::{NetEvent, OutId, OutState, Target};
use chat_tui::net::link::LinkOptions;
use chat_tui::net::network::{Network, NetworkOptions};
use chat_tui::net::saved::SavedClient;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::line::Line;
use super::outs::Outs;
use super::stage::Stage;
use super::{Board, Deed, Phase, room};
use crate::record::{What, Words};
use acts::Opening;

/// Numbers from here on are the last words of a room, of that number behind it; all others count from 1.
const LAST_WORDS: u32 = 1 << 31;

/// A message that can be changed or answered.
#[derive(Debug, Clone)]
struct Spoken {
    room: u32,
    words: Words,
    target: Target,
}

/// A room as this client sees it.
#[derive(Debug, Clone, Copy)]
struct Place {
    life: Epoch,
    /// The highest place that was shown.
    shown: Seq,
    /// How far it is read: as told here, or heard of.
    read: Seq,
    ended: bool,
}

pub(super) struct Partner {
    index: u32,
    user: u32,
    stage: Arc<Stage>,
    endpoint: Endpoint,
    line: Line,
    rng: fastrand::Rng,
    said: u32,
    outs: Outs,
    /// By number: the rooms it is in.
    places: BTreeMap<u32, Place>,
    /// What it was welcomed with, of rooms that it may not have entered yet.
    welcomed: BTreeMap<(u32, Epoch), Seq>,
    /// What it has said and seen in the log.
    mine: Vec<Spoken>,
    /// The newest message of another client, by room.
    theirs: BTreeMap<u32, Spoken>,
    openings: Vec<Opening>,
    /// Rooms of others that it has asked for.
    probed: HashSet<RoomName>,
    is_renamed: bool,
    last_words_said: bool,
}

impl Partner {
    pub(super) fn new(index: u32, stage: Arc<Stage>, endpoint: Endpoint, board: Arc<Board>) -> Self {
        let user = stage.cast.user(index);
        let openings =
            if stage.cast.is_first(index) { Opening::all_of(user, &stage.cast) } else { Vec::new() };
        Self {
            index,
            user,
            endpoint,
            line: Line::new(index as usize, board),
            rng: fastrand::Rng::new(),
            said: 0,
            outs: Outs::default(),
            places: BTreeMap::new(),
            welcomed: BTreeMap::new(),
            mine: Vec::new(),
            theirs: BTreeMap::new(),
            openings,
            probed: HashSet::new(),
            is_renamed: false,
            last_words_said: false,
            stage,
        }
    }

    /// Runs until it is told to end.
    pub(super) async fn run(mut self, mut deeds: mpsc::Receiver<Deed>) {
        let mut network = self.start().await;
        let mut phase = self.line.board.phase.subscribe();
        let mut pace = self.pace();
        loop {
            let now = *phase.borrow_and_update();
            self.last_words(&network, now).await;
            tokio::select! {
                _ = pace.tick() => self.act(&network, now).await,
                event = network.events.recv() => match event {
                    Some(event) => self.told(&network, event).await,
                    None => break,
                },
                _ = phase.changed() => {}
                deed = deeds.recv() => match deed {
                    Some(Deed::Pause(_) | Deed::Restart(_)) => {}
                    Some(Deed::End) | None => break,
                },
            }
        }
        drop(network.stop().await.expect("the network side does not panic"));
        self.line.end();
    }

    fn pace(&self) -> Interval {
        let every = self.stage.every;
        let mut pace = interval_at(Instant::now() + every.mul_f64(fastrand::f64()), every);
        // Who could not speak for a while does not make up for it in a burst.
        pace.set_missed_tick_behavior(MissedTickBehavior::Skip);
        pace
    }

    /// The first client of a user has a name and a room; the second one has the session and that room; a new machine
    /// has the session and is told the rest.
    async fn start(&mut self) -> Network {
        let (index, user, cast) = (self.index, self.user, &self.stage.cast);
        let session = if cast.is_first(index) { None } else { Some(self.stage.session(user).await) };
        let home = (!cast.is_late(index)).then(|| room(cast.home(user)));
        let link = LinkOptions {
            endpoints: vec![self.endpoint.clone()],
            name: cast.is_first(index).then(|| name(user, "")),
            follows: true,
            rooms: home.into_iter().collect(),
            saved: SavedClient { session, ..SavedClient::default() },
            seed: fastrand::u64(..),
            ..LinkOptions::default()
        };
        self.take_down(What::Is { u: user });
        self.line.begin();
        let stage = self.stage.clone();
        Network::start(NetworkOptions {
            on_welcome: Box::new(move |saved: &SavedClient| {
                saved.session.iter().for_each(|session| stage.note_session(user, session.clone()));
            }),
            ..NetworkOptions::new(link)
        })
    }

    fn take_down(&self, what: What) {
        self.line.take_down(what);
    }

    fn surprise(&self, why: String) {
        self.take_down(What::Trouble { why });
    }

    async fn told(&mut self, network: &Network, event: NetEvent) {
        match event {
            NetEvent::Welcome { user_id, .. } => self.stage.note_user(self.user, user_id),
            NetEvent::Own { rooms, .. } => self.own(rooms),
            NetEvent::Direct { room, with, .. } => self.paired(&room, &with),
            NetEvent::Joined { room, epoch, head, .. } => self.joined(&room, epoch, head),
            NetEvent::Entry { message, .. } => self.entry(network, &message).await,
            NetEvent::Read { room, seq } => self.read(&room, seq),
            NetEvent::Out { out, state, .. } => self.out(out, state),
            NetEvent::Rewound { room, to } => self.rewound(&room, to),
            NetEvent::Reset { room, epoch: life, lost_from: from, lost_to: to, .. } => {
                let Some(r) = self.stage.number(&room) else { return };
                self.take_down(What::Reset { r, life, from, to });
                let is_new = self.places.get(&r).is_some_and(|place| place.life != life);
                if is_new {
                    self.enters(r, life);
                    self.mine.retain(|spoken| spoken.room != r);
                    self.theirs.remove(&r);
                }
            }
            NetEvent::History { room, messages, .. } => {
                let r = self.stage.number(&room).unwrap_or(u32::MAX);
                self.take_down(What::Page { r, entries: messages.len() as u64 });
            }
            NetEvent::Link(status) => self.line.link(status),
            NetEvent::Trouble { room, code, text } => self.trouble(room, code, &text),
            _ => {}
        }
    }

    fn trouble(&mut self, room: Option<RoomName>, code: ErrorCode, text: &str) {
        let is_of_others = matches!(code, ErrorCode::Forbidden | ErrorCode::NotInRoom);
        if is_of_others && let Some(room) = room.as_ref().filter(|room| self.probed.contains(room)) {
            let r = self.stage.number(room).unwrap_or(u32::MAX);
            return self.take_down(What::Barred { r });
        }
        // Where that does not pass the room is never opened, and the run does not come to its end.
        if code == ErrorCode::NoUser && room.is_none() {
            return self.take_down(What::NotFound);
        }
        // Its own program says that nothing can be asked now: it asks again.
        if code == ErrorCode::Unavailable && !self.line.is_online() {
            return;
        }
        self.surprise(format!("{code:?} {}: {text}", room.map(|room| room.to_string()).unwrap_or_default()));
    }

    /// What the servers know of the user, at each welcome.
    fn own(&mut self, rooms: Vec<WelcomeRoom>) {
        for room in rooms {
            if let Some(with) = &room.with {
                self.paired(&room.room, with);
            }
            let (Some(r), Some(life)) = (self.stage.number(&room.room), room.epoch) else { continue };
            if room.unmarked {
                continue;
            }
            self.take_down(What::Knows { r, life, s: room.read });
            self.welcomed.insert((r, life), room.read);
            if let Some(place) = self.places.get_mut(&r).filter(|place| place.life == life) {
                place.read = place.read.max(room.read);
            }
        }
        self.look_around();
    }

    /// A room of two has a name.
    fn paired(&mut self, name: &RoomName, with: &Person) {
        let pair = self.stage.user(&with.user_id).and_then(|with| self.stage.cast.pair(self.user, with));
        match pair {
            Some(r) if self.stage.note_room(name, r) => self.openings.retain(|opening| opening.room != r),
            _ => self.surprise(format!("a room {name} with {}, whom nobody asked for", with.user_id)),
        }
    }

    fn joined(&mut self, name: &RoomName, life: Epoch, head: Seq) {
        let Some(r) = self.stage.number(name) else {
            return self.surprise(format!("in a room {name} that nobody has opened"));
        };
        if !self.places.contains_key(&r) {
            self.take_down(What::Entered { r, life, s: head });
            self.enters(r, life);
        }
        self.look_around();
    }

    fn enters(&mut self, r: u32, life: Epoch) {
        let read = self.welcomed.get(&(r, life)).copied().unwrap_or_default();
        self.places.insert(r, Place { life, shown: Seq::START, read, ended: false });
    }

    fn rewound(&mut self, name: &RoomName, to: Seq) {
        let Some(r) = self.stage.number(name) else { return };
        self.take_down(What::Rewound { r, s: to });
        self.mine.retain(|spoken| spoken.room != r || spoken.target.seq <= to);
        self.theirs.remove(&r);
    }

    async fn entry(&mut self, network: &Network, message: &RoomMessage) {
        let (s, body) = (message.seq, &message.body);
        let Some(r) = self.stage.number(&message.room) else {
            return self.surprise(format!("an entry of a room {} that nobody has opened", message.room));
        };
        let Some(m) = self.words(r, message) else { return self.take_down(What::Garbled { r, s }) };
        self.take_down(What::Shown { r, s, m });
        let refers = body.reference_id.as_ref().zip(body.reference);
        let refers = refers.or(body.quote.as_ref().map(|quote| &quote.id).zip(body.reply));
        if let Some((of, s)) = refers {
            self.take_down(What::Refers { r, m, of: self.stage.message(r, of), s });
        }
        if let Some(place) = self.places.get_mut(&r) {
            place.shown = place.shown.max(s);
        }
        if body.kind.is_none() {
            self.spoken(r, m, Target { seq: s, id: Some(message.id.clone()) });
        }
        if m.1 == LAST_WORDS + r {
            self.ended(network, r, s).await;
        }
    }

    /// What an entry says; none: nothing that anybody has said.
    fn words(&self, room: u32, message: &RoomMessage) -> Option<Words> {
        let body = &message.body;
        match body.kind {
            None | Some(Kind::Edit | Kind::Topic) => {
                Words::of(&body.content).filter(|words| words.content(self.stage.bytes) == body.content)
            }
            Some(Kind::Delete) => {
                let words = self.stage.delete(room, body.reference_id.as_ref()?);
                words.filter(|_| body.content.is_empty())
            }
            _ => None,
        }
    }

    fn spoken(&mut self, room: u32, words: Words, target: Target) {
        target.id.iter().for_each(|id: &MessageId| self.stage.note_message(room, id, words));
        let spoken = Spoken { room, words, target };
        if words.1 >= LAST_WORDS {
            return;
        }
        if words.0 == self.index {
            self.mine.push(spoken);
        } else {
            self.theirs.insert(room, spoken);
        }
    }

    fn read(&mut self, name: &RoomName, s: Seq) {
        let Some(r) = self.stage.number(name) else { return };
        let Some(place) = self.places.get_mut(&r) else { return };
        place.read = place.read.max(s);
        let life = place.life;
        self.take_down(What::Read { r, life, s });
        self.look_around();
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

    /// How far it is, for whoever waits for it.
    fn look_around(&mut self) {
        let (stage, places) = (&self.stage, &self.places);
        let rooms = stage.cast.rooms_of(self.user);
        let is_late = stage.cast.is_late(self.index);
        // A new machine comes behind the last words, and has to know that they were read.
        let is_over = |r: &u32| {
            let (place, end) = (places.get(r), stage.end(*r));
            place.zip(end).is_some_and(|(place, end)| (place.ended || is_late) && place.read >= end)
        };
        let (entered, inside) = (!places.is_empty(), rooms.iter().all(|room| places.contains_key(room)));
        let done = inside && rooms.iter().all(is_over);
        self.line.change(|state| (state.entered, state.inside, state.done) = (entered, inside, done));
    }
}

/// What a user is called.
fn name(user: u32, behind: &str) -> UserName {
    UserName::parse(&format!("client-{user}{behind}")).expect("letters and a number")
}
