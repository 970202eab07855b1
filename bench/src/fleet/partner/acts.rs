//! Owns what a client of a conversation does when it is its turn. What comes of it is not known here.

use std::time::Duration;

use chat_protocol::{Kind, Seq};
use chat_tui::net::event::{NetCommand, Target, Words as Said};
use chat_tui::net::network::Network;
use tokio::time::Instant;

use super::super::cast::Cast;
use super::{LAST_WORDS, Partner, Phase, Spoken, name};
use crate::record::{How, What, Words};

/// A question that was not answered by then is asked again: its node is gone.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// Of so many messages of a client one may be taken back; the others may be answered.
const DELETED_OF: u32 = 8;

/// A room of two that this client is to open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    pub(super) room: u32,
    with: u32,
    asked: Option<Instant>,
}

impl Opening {
    pub(super) fn all_of(user: u32, cast: &Cast) -> Vec<Self> {
        let own = cast.pairs().filter(|(_, (opener, _))| *opener == user);
        own.map(|(room, (_, with))| Self { room, with, asked: None }).collect()
    }
}

fn may_be_deleted(words: Words) -> bool {
    words.1 % DELETED_OF == 3
}

impl Partner {
    /// It is its turn.
    pub(super) async fn act(&mut self, network: &Network, phase: Phase) {
        if phase == Phase::Hush || phase == Phase::Talk && self.rng.u8(0..2) == 0 {
            self.open(network).await;
        }
        if phase != Phase::Talk || self.stage.cast.is_late(self.index) {
            return;
        }
        match self.rng.u8(0..100) {
            0..35 => self.say(network, self.stage.cast.home(self.user)).await,
            35..55 => self.say_direct(network).await,
            55..67 => self.edit(network).await,
            67..71 => self.delete(network).await,
            71..83 => self.reply(network).await,
            83..95 => self.mark_any(network).await,
            95..97 => self.probe(network).await,
            97..99 => self.topic(network).await,
            _ => self.be_other(network).await,
        }
    }

    /// When all is said, somebody has the last word in each room.
    pub(super) async fn last_words(&mut self, network: &Network, phase: Phase) {
        if phase != Phase::End || std::mem::replace(&mut self.last_words_said, true) {
            return;
        }
        for room in self.stage.cast.ended_by(self.index) {
            self.put(network, room, Words(self.index, LAST_WORDS + room), None).await;
        }
    }

    /// The last words of a room are seen: one client of each user tells that it has read them.
    pub(super) async fn ended(&mut self, network: &Network, room: u32, seq: Seq) {
        self.stage.note_end(room, seq);
        if let Some(place) = self.places.get_mut(&room) {
            place.ended = true;
        }
        if self.stage.cast.teller(self.user, room) == self.index {
            self.mark(network, room, seq).await;
        }
        self.look_around();
    }

    async fn ask(&self, network: &Network, command: NetCommand) {
        // The network side lives as long as this does.
        drop(network.commands.send(command).await);
    }

    fn next_words(&mut self) -> Words {
        self.said += 1;
        Words(self.index, self.said)
    }

    /// Says something, about another message maybe.
    async fn put(&mut self, network: &Network, number: u32, words: Words, about: Option<(How, Spoken)>) {
        let Some(room) = self.stage.name(number) else { return };
        let out = self.outs.say(words);
        self.take_down(What::Said { r: number, m: words });
        self.line.change(|state| state.queued += 1);
        let content = words.content(self.stage.bytes);
        let Some((how, spoken)) = about else {
            return self.ask(network, NetCommand::Say { out, room, content, kind: None }).await;
        };
        self.take_down(What::About { m: words, of: spoken.words, how });
        let of = Some(spoken.target);
        let words = match how {
            How::Edit => Said { content, kind: Some(Kind::Edit), of },
            How::Delete => Said { content: String::new(), kind: Some(Kind::Delete), of },
            How::Reply => Said { content, kind: None, of },
        };
        self.ask(network, NetCommand::SayOf { out, room, words }).await;
    }

    async fn say(&mut self, network: &Network, room: u32) {
        let words = self.next_words();
        self.put(network, room, words, None).await;
    }

    async fn say_direct(&mut self, network: &Network) {
        let rooms: Vec<u32> =
            self.places.range(self.stage.cast.open_rooms().end..).map(|(room, _)| *room).collect();
        let room = self.rng.choice(rooms).unwrap_or(self.stage.cast.home(self.user));
        self.say(network, room).await;
    }

    async fn edit(&mut self, network: &Network) {
        let Some(spoken) = self.rng.choice(&self.mine).cloned() else { return };
        let words = self.next_words();
        self.put(network, spoken.room, words, Some((How::Edit, spoken))).await;
    }

    async fn delete(&mut self, network: &Network) {
        let Some(at) = self.mine.iter().position(|spoken| may_be_deleted(spoken.words)) else { return };
        let spoken = self.mine.remove(at);
        let words = self.next_words();
        if let Target { id: Some(id), .. } = &spoken.target {
            self.stage.note_delete(spoken.room, id, words);
        }
        self.put(network, spoken.room, words, Some((How::Delete, spoken))).await;
    }

    async fn reply(&mut self, network: &Network) {
        let theirs = self.theirs.values().filter(|spoken| !may_be_deleted(spoken.words));
        let Some(spoken) = self.rng.choice(theirs.cloned().collect::<Vec<_>>()) else { return };
        let words = self.next_words();
        self.put(network, spoken.room, words, Some((How::Reply, spoken))).await;
    }

    async fn mark_any(&mut self, network: &Network) {
        let unread = self.places.iter().filter(|(_, place)| place.shown > place.read);
        let unread: Vec<(u32, Seq)> = unread.map(|(room, place)| (*room, place.shown)).collect();
        if let Some((room, seq)) = self.rng.choice(unread) {
            self.mark(network, room, seq).await;
        }
    }

    async fn mark(&mut self, network: &Network, number: u32, seq: Seq) {
        let Some(room) = self.stage.name(number) else { return };
        let Some(place) = self.places.get_mut(&number).filter(|place| place.read < seq) else { return };
        place.read = seq;
        let life = place.life;
        self.take_down(What::Marks { r: number, life, s: seq });
        self.ask(network, NetCommand::Read { room, seq }).await;
    }

    /// Opens its rooms of two, by user id or by name in turns; asks again where the answer is lost.
    async fn open(&mut self, network: &Network) {
        let is_due = |opening: &Opening| opening.asked.is_none_or(|asked| asked.elapsed() > ANSWER_MAX);
        if !self.line.is_online() {
            return;
        }
        let Some(opening) = self.openings.iter_mut().find(|opening| is_due(opening)) else { return };
        let id = self.stage.id(opening.with).filter(|_| is_by_id(opening.with));
        let to = id.map_or_else(|| name(opening.with, "").to_string(), |id| id.to_string());
        opening.asked = Some(Instant::now());
        self.ask(network, NetCommand::Direct(to)).await;
    }

    /// Tries a room of two others by its name: the door, or its history.
    async fn probe(&mut self, network: &Network) {
        let cast = &self.stage.cast;
        let (others, user) = (cast.pairs().collect::<Vec<_>>(), self.user);
        let Some((number, _)) =
            self.rng.choice(others).filter(|(_, (one, other))| ![*one, *other].contains(&user))
        else {
            return;
        };
        let Some(room) = self.stage.name(number).filter(|_| self.line.is_online()) else { return };
        self.probed.insert(room.clone());
        let command = match self.rng.bool() {
            true => NetCommand::Join(room),
            false => NetCommand::History { room, before: None, limit: 10 },
        };
        self.ask(network, command).await;
    }

    /// A topic has no number: what becomes of it where its node dies, nobody has promised.
    async fn topic(&mut self, network: &Network) {
        let number = self.stage.cast.home(self.user);
        let Some(room) = self.stage.name(number).filter(|_| self.line.is_online()) else { return };
        let words = self.next_words();
        self.take_down(What::Said { r: number, m: words });
        self.take_down(What::Fleeting { m: words });
        self.ask(network, NetCommand::Topic { room, text: words.content(self.stage.bytes) }).await;
    }

    /// Takes another name, or is away: whom others open rooms with by name keeps it.
    async fn be_other(&mut self, network: &Network) {
        if !self.line.is_online() {
            return;
        }
        if !is_by_id(self.user) {
            let text = if self.rng.bool() { "to lunch" } else { "" };
            return self.ask(network, NetCommand::Away(text.to_owned())).await;
        }
        self.is_renamed = !self.is_renamed;
        let behind = if self.is_renamed { "-too" } else { "" };
        self.ask(network, NetCommand::Rename(name(self.user, behind))).await;
    }
}

/// A user is named by its id where others ask for it.
fn is_by_id(user: u32) -> bool {
    user % 2 == 1
}
