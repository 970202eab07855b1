//! Owns what belongs to the user rather than to this client: its name, how far it has read, its rooms of two, whom it
//! ignores. The servers keep it and tell all clients of the user; markers are told again where they know less.

use std::collections::BTreeMap;
use std::time::Duration;

use chat_protocol::{
    ClientMessage, Epoch, ErrorCode, ErrorMessage, Person, Re, RoomName, Seq, ServerMessage, UserId,
    UserName, Welcome,
};

use chat_protocol::limits::ROOMS_PER_CONNECTION_MAX;

use super::{Link, Phase};
use crate::net::event::{Moment, NetEvent};

/// How often markers are told: a reader who scrolls passes many places a second.
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// The mark of a marker: that it was refused is nothing that a person should know.
const MARKER: &str = "read";

/// The user, as far as this client has to know.
#[derive(Debug, Default)]
pub(super) struct User {
    id: Option<UserId>,
    /// The name to be had as soon as a server can be asked.
    pub(super) wanted: Option<UserName>,
    /// Rooms of two that are to be asked for.
    pub(super) openings: Vec<String>,
    /// All rooms of the user are entered.
    follows: bool,
    read: BTreeMap<RoomName, Marker>,
    /// When markers were told last.
    told_at: Option<Moment>,
}

/// How far a room was read.
#[derive(Debug, Clone, Copy)]
struct Marker {
    epoch: Epoch,
    seq: Seq,
    /// The servers know it, as far as this client can tell.
    told: bool,
}

impl User {
    /// A user who is to have this name, and all whose rooms are entered where it `follows`.
    pub(super) fn new(wanted: Option<UserName>, follows: bool) -> Self {
        Self { wanted, follows, ..Self::default() }
    }

    /// When a marker is due to be told.
    pub(super) fn deadline(&self) -> Option<Moment> {
        let waits = self.read.values().any(|marker| !marker.told);
        waits.then(|| self.told_at.map_or(Moment::ZERO, |at| at + TOLD_EVERY))
    }

    /// The servers know this much. True where that is more than was known here.
    fn learn(&mut self, room: &RoomName, epoch: Epoch, seq: Seq) -> bool {
        let known = self.read.get_mut(room).filter(|known| known.epoch == epoch);
        match known {
            Some(known) if known.seq > seq => {
                known.told = false;
                false
            }
            Some(known) => {
                known.told = true;
                std::mem::replace(&mut known.seq, seq) < seq
            }
            None => {
                self.read.insert(room.clone(), Marker { epoch, seq, told: true });
                true
            }
        }
    }
}

impl Link {
    /// A server says what it knows of the user.
    pub(super) fn welcome_user(&mut self, now: Moment, welcome: &Welcome) {
        self.user.id = Some(welcome.user_id.clone());
        let is_had = |wanted: &UserName| {
            let wanted = wanted.to_string();
            welcome.name == wanted || welcome.name_wanted.as_ref() == Some(&wanted)
        };
        if let Some(name) = self.user.wanted.take().filter(|wanted| !is_had(wanted)) {
            self.ask_own(now, ClientMessage::Rename { name });
        }
        for to in std::mem::take(&mut self.user.openings) {
            self.ask_own(now, ClientMessage::Direct { to });
        }
        for room in &welcome.rooms {
            // Where nobody has marked a room, its end is told, which is no marker: ours, if there is one, was lost.
            let seq = if room.unmarked { Seq::START } else { room.read };
            let has_ours = || self.user.read.contains_key(&room.room);
            if let Some(epoch) = room.epoch.filter(|_| !room.unmarked || has_ours()) {
                self.user.learn(&room.room, epoch, seq);
            }
            let is_left = self.rooms.get(&room.room).is_some_and(|known| known.left_early);
            if self.user.follows && !is_left && self.order.len() < ROOMS_PER_CONNECTION_MAX {
                self.wish(&room.room);
            }
        }
        let (away, ignored, rooms) = (welcome.away.clone(), welcome.ignored.clone(), welcome.rooms.clone());
        self.event(NetEvent::Own { away, ignored, rooms });
    }

    /// Asks under a mark: the answer and a refusal are known by it, whatever else comes.
    pub(super) fn ask_own(&mut self, now: Moment, message: ClientMessage) {
        let re = self.pages.mark();
        self.question_as(now, Some(re), message);
    }

    /// The front has shown a room up to a place.
    pub(super) fn mark_read(&mut self, room: RoomName, seq: Seq) {
        let Some(epoch) = self.rooms.get(&room).and_then(|known| known.cursor.epoch()) else { return };
        let known = self.user.read.get(&room).filter(|known| known.epoch == epoch);
        if known.is_none_or(|known| known.seq < seq) {
            self.user.read.insert(room, Marker { epoch, seq, told: false });
        }
    }

    /// Tells the markers that are due.
    pub(super) fn tell_markers(&mut self, now: Moment) {
        if self.phase != Phase::Up
            || self.moving.is_asking()
            || self.user.deadline().is_none_or(|due| now < due)
        {
            return;
        }
        let is_open = |room: &RoomName| self.rooms.get(room).is_some_and(|known| known.outbox.is_open());
        let due: Vec<_> = (self.user.read.iter())
            .filter(|(room, marker)| !marker.told && is_open(room))
            .map(|(room, marker)| (room.clone(), *marker))
            .collect();
        if due.is_empty() {
            return;
        }
        self.user.told_at = Some(now);
        for (room, Marker { epoch, seq, .. }) in due {
            self.user.read.insert(room.clone(), Marker { epoch, seq, told: true });
            let re = Re::parse(MARKER).ok();
            let message = ClientMessage::Read { room, epoch, seq };
            self.outputs.push_back(super::Output::Send(chat_protocol::Request { re, message }));
        }
    }

    /// Another client of the user has read on.
    pub(super) fn read_elsewhere(&mut self, room: RoomName, epoch: Epoch, seq: Seq) {
        let is_present = self.rooms.get(&room).and_then(|known| known.cursor.epoch()) == Some(epoch);
        if self.user.learn(&room, epoch, seq) && is_present {
            self.event(NetEvent::Read { room, seq });
        }
    }

    /// A room of two was opened, here or by somebody else.
    pub(super) fn direct(&mut self, room: RoomName, with: Person, asked: bool) {
        let has_place = self.order.len() < ROOMS_PER_CONNECTION_MAX;
        // One that is there already has only another name now.
        let is_new = !self.rooms.contains_key(&room);
        if asked || (self.user.follows && has_place && is_new) {
            self.wish(&room);
            self.send(ClientMessage::Join { room: room.clone() });
        }
        self.event(NetEvent::Direct { room, with, asked });
    }

    /// A user's name or state changed.
    pub(super) fn user_changed(&mut self, message: ServerMessage) {
        let ServerMessage::UserChanged { user_id, username, was, away, .. } = message else { return };
        if self.user.id.as_ref() == Some(&user_id) {
            self.identity.name = UserName::parse(&username).ok().or(self.identity.name.take());
            self.event(NetEvent::Away(away));
        }
        self.event(NetEvent::Renamed { user_id, name: username, was });
    }

    /// True where the error is about a marker: it is told again where that can help.
    pub(super) fn is_marker_refused(&mut self, error: &ErrorMessage) -> bool {
        let is_marker = error.re.as_ref().is_some_and(|re| re.as_str() == MARKER);
        if is_marker && matches!(error.code, ErrorCode::Unavailable | ErrorCode::RateLimited) {
            let room = error.room.as_ref();
            let refused = self.user.read.iter_mut().filter(|(name, _)| room.is_none_or(|room| room == *name));
            refused.for_each(|(_, marker)| marker.told = false);
        }
        is_marker
    }
}
