//! Owns the connections in a room as people: what each is sent and in which style, and who of them the
//! other nodes have to be told of.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{
    ClientId, CloseReason, ErrorCode, ErrorMessage, Payload, Person, Presence, RoomName, RoomUsers,
    ServerMessage, User, UserId, limits,
};
use serde_json::json;

use super::handle::RoomHandle;
use super::people_calls::{PeopleCall, PeopleCalls};
use super::topic::RoomTopic;
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::presence::{Roster, Telling};
use crate::room::{ConnId, Entered, Frame};

/// A connection in a room.
pub(crate) struct Seat {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) user: User,
    pub(crate) client: ClientId,
    pub(crate) style: Style,
}

/// How a client is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// It has said `hello`.
    Hello,
    /// It has not: names alone, joins and leaves one by one.
    Seed,
}

/// When those who are told that a room is refused may try again.
const REFUSED_RETRY: Duration = Duration::from_secs(10);

pub(super) struct Seats {
    room: RoomName,
    topic: RoomTopic,
    seats: BTreeMap<ConnId, Taken>,
    /// How many of these connections each user has.
    users: HashMap<UserId, usize>,
    pub(super) roster: Roster,
    pub(super) calls: PeopleCalls,
    /// Entries handed out since they were counted last.
    delivered: u64,
    metrics: Arc<Metrics>,
}

struct Taken {
    seat: Seat,
    /// What it was told of the log, once it is in.
    entered: Option<Entered>,
    /// Presence was left out while its outbox was full: a snapshot follows.
    missed: bool,
}

impl Seats {
    pub(super) fn new(handle: &RoomHandle, hold: Duration, metrics: Arc<Metrics>) -> Self {
        let (room, topic) = (handle.room.clone(), handle.topic.clone());
        let (seats, users, calls) = Default::default();
        Self { room, topic, seats, users, roster: Roster::new(hold), calls, delivered: 0, metrics }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.roster.deadline()
    }

    /// Entries handed out since this was asked last.
    pub(super) fn take_delivered(&mut self) -> u64 {
        std::mem::take(&mut self.delivered)
    }

    pub(super) fn sit(&mut self, conn: ConnId, seat: Seat) {
        if self.room.is_hidden() {
            self.seats.insert(conn, Taken { seat, entered: None, missed: false });
            return;
        }
        if !self.seats.contains_key(&conn) {
            self.metrics.joined.add(1);
        }
        *self.users.entry(seat.user.user_id.clone()).or_default() += 1;
        self.enter(seat.user.clone());
        let former = self.seats.insert(conn, Taken { seat, entered: None, missed: false });
        if let Some(former) = former {
            self.is_gone(&former.seat.user.user_id);
        }
    }

    /// One connection of a user less; true where that was the last one here.
    fn is_gone(&mut self, user: &UserId) -> bool {
        let Some(count) = self.users.get_mut(user) else { return true };
        *count -= 1;
        let is_gone = *count == 0;
        if is_gone {
            self.users.remove(user);
        }
        is_gone
    }

    fn enter(&mut self, user: User) {
        // Known here at once; the others hear of it through the backbone.
        self.roster.change(Duration::ZERO, crate::backbone::PresenceChange::Entered(user.clone()));
        self.calls.push(PeopleCall::Enter(user));
    }

    /// The connection of a client, with its user.
    pub(super) fn seat(&self, conn: ConnId) -> Option<&Seat> {
        self.seats.get(&conn).map(|taken| &taken.seat)
    }

    pub(super) fn has(&self, conn: ConnId) -> bool {
        self.seats.contains_key(&conn)
    }

    /// Somebody leaves; where to it is written.
    pub(super) fn stand(&mut self, now: Duration, conn: ConnId, lost: bool) -> Option<Arc<Outbox>> {
        let taken = self.seats.remove(&conn)?;
        if self.room.is_hidden() {
            return Some(taken.seat.outbox);
        }
        self.metrics.left.add(1);
        let User { user_id: user, node, .. } = taken.seat.user;
        if self.is_gone(&user) {
            let change = crate::backbone::PresenceChange::Left { user: user.clone(), node, lost };
            self.roster.change(now, change);
            self.calls.push(PeopleCall::Exit { user, lost });
        }
        Some(taken.seat.outbox)
    }

    pub(super) fn renamed(&mut self, conn: ConnId, user: User) {
        if let Some(taken) = self.seats.get_mut(&conn) {
            taken.seat.user = user.clone();
            self.enter(user);
        }
    }

    /// Says anew who is here.
    pub(super) fn register(&mut self) {
        let here: BTreeMap<UserId, User> = self
            .seats
            .values()
            .map(|taken| (taken.seat.user.user_id.clone(), taken.seat.user.clone()))
            .collect();
        if !self.room.is_hidden() {
            self.calls.say_anew(here);
        }
    }

    /// What the backbone has answered; who sits here is here whatever it says. False: it is to be asked again.
    pub(super) fn load(&mut self, now: Duration, mut users: Vec<User>) -> bool {
        users.retain(|user| !self.users.contains_key(&user.user_id));
        users.extend(self.seats.values().map(|taken| taken.seat.user.clone()));
        self.roster.load(now, users)
    }

    pub(super) fn drained(&mut self, conn: ConnId) {
        if let Some(taken) = self.seats.get_mut(&conn)
            && std::mem::take(&mut taken.missed)
            && let Some(entered) = &taken.entered
        {
            let message = room_users((&self.room, &self.topic), &self.roster, entered, None);
            taken.seat.outbox.push(message.payload(taken.seat.style));
        }
    }

    /// Hands one frame to one connection. False: no more entries for now.
    pub(super) fn send(&mut self, to: ConnId, frame: Frame) -> bool {
        let Some(taken) = self.seats.get_mut(&to) else { return true };
        taken.entered.iter_mut().for_each(|entered| entered.learn(&frame));
        let Seat { outbox, style, .. } = &taken.seat;
        let message = match frame {
            Frame::Entry(_, payload) => {
                self.delivered += 1;
                return outbox.push(payload);
            }
            Frame::Joined { head, last_n, re } => {
                let entered = taken.entered.insert(Entered { head, last_n });
                let payload =
                    room_users((&self.room, &self.topic), &self.roster, entered, re).payload(*style);
                return outbox.push(payload);
            }
            Frame::Fenced => {
                outbox.close(CloseReason::Fenced);
                return true;
            }
            Frame::Resumed(resumed) => ServerMessage::Resumed(resumed),
            Frame::Reset(reset) => ServerMessage::Reset(reset),
            Frame::Rewind(epoch, to) => ServerMessage::Rewind { room: self.room.clone(), epoch, to },
            Frame::Ack(ack) => ServerMessage::Ack(ack),
            Frame::Error(error) => ServerMessage::Error(error),
        };
        outbox.push(Payload::new(&message))
    }

    /// Who sits there.
    pub(super) fn person(&self, conn: ConnId) -> Option<Person> {
        let User { user_id, username, .. } = self.seats.get(&conn)?.seat.user.clone();
        Some(Person { user_id, username })
    }

    /// Tells the others that somebody is typing; whoever has enough to read is left out.
    pub(super) fn tell_typing(&self, who: &Person) {
        let Person { user_id, username } = who.clone();
        let typing = ServerMessage::Typing { room: self.room.clone(), user_id, username };
        let payload = Payload::new(&typing);
        let is_told = |taken: &&Taken| {
            let Seat { user, style, .. } = &taken.seat;
            taken.entered.is_some() && *style == Style::Hello && user.user_id != who.user_id
        };
        for taken in self.seats.values().filter(is_told) {
            if !taken.seat.outbox.whisper(&payload) {
                self.metrics.typing_dropped.add(1);
            }
        }
    }

    /// The backbone refuses this room: everybody here is told, also who waits to come in.
    pub(super) fn tell_refused(&self) {
        let reason = "this room cannot be reached now: your messages wait and are sent when it can";
        let retry_ms = Some(REFUSED_RETRY.as_millis() as u64);
        let error = ErrorMessage::new(ErrorCode::Unavailable, reason);
        let error = ErrorMessage { room: Some(self.room.clone()), retry_ms, ..error };
        let payload = Payload::new(&ServerMessage::Error(error));
        for taken in self.seats.values().filter(|taken| !taken.seat.outbox.is_full()) {
            taken.seat.outbox.push(payload.clone());
        }
    }

    /// Tells everybody who came, went and moved.
    pub(super) fn tell(&mut self, now: Duration) {
        match self.roster.tell(now, &self.room) {
            Some(Telling::Changes(presence)) => self.tell_changes(&presence),
            Some(Telling::Anew) => self.tell_anew(),
            None => {}
        }
    }

    fn tell_anew(&mut self) {
        for taken in self.seats.values_mut() {
            let Some(entered) = &taken.entered else { continue };
            taken.missed = taken.seat.outbox.is_full();
            if !taken.missed {
                let message = room_users((&self.room, &self.topic), &self.roster, entered, None);
                taken.seat.outbox.push(message.payload(taken.seat.style));
            }
        }
    }

    fn tell_changes(&mut self, presence: &Presence) {
        let (mut shared, mut single) = (None, None);
        for taken in self.seats.values_mut().filter(|taken| taken.entered.is_some()) {
            let outbox = &taken.seat.outbox;
            if outbox.is_full() {
                taken.missed = true;
                continue;
            }
            match taken.seat.style {
                Style::Hello => {
                    let payload = shared
                        .get_or_insert_with(|| Payload::new(&ServerMessage::Presence(presence.clone())));
                    outbox.push(payload.clone());
                }
                Style::Seed => {
                    let single = single.get_or_insert_with(|| one_by_one(presence));
                    let others = single.iter().filter(|(user, _)| *user != taken.seat.user.user_id);
                    others.for_each(|(_, payload)| {
                        outbox.push(payload.clone());
                    });
                }
            }
        }
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        // A room that failed would leave everybody in it waiting for good: they come back into another one.
        if std::thread::panicking() {
            for taken in self.seats.values() {
                taken.seat.outbox.close(CloseReason::TryAgainLater("the room failed"));
            }
        }
    }
}

/// Joins and leaves as a client without `hello` is told them, with their users: nobody is told of the own.
fn one_by_one(presence: &Presence) -> Vec<(UserId, Payload)> {
    let told = |user: &User, tell: fn(RoomName, User) -> ServerMessage| {
        (user.user_id.clone(), Payload::new(&tell(presence.room.clone(), user.clone())))
    };
    let joined = presence.joined.iter().map(|user| {
        told(user, |room, User { user_id, username, node, .. }| ServerMessage::UserJoined {
            room,
            user_id,
            username,
            node,
        })
    });
    let left = presence.left.iter().map(|user| {
        told(user, |room, User { user_id, username, node, .. }| ServerMessage::UserLeft {
            room,
            user_id,
            username,
            node,
        })
    });
    joined.chain(left).collect()
}

struct Snapshot(RoomUsers);

fn room_users(
    (room, topic): (&RoomName, &RoomTopic),
    roster: &Roster,
    entered: &Entered,
    re: Option<chat_protocol::Re>,
) -> Snapshot {
    let (users, count) = (roster.list(limits::USERS_LISTED_MAX), roster.count());
    let crate::backbone::Place { epoch, seq, id } = entered.head.clone();
    let more = users.len() < count;
    Snapshot(RoomUsers {
        room: room.clone(),
        users,
        count,
        more,
        topic: topic.now().text,
        epoch,
        seq,
        id,
        last_n: entered.last_n,
        re,
    })
}

impl Snapshot {
    fn payload(self, style: Style) -> Payload {
        match style {
            Style::Hello => Payload::new(&ServerMessage::RoomUsers(self.0)),
            Style::Seed => {
                let names: Vec<&str> = self.0.users.iter().map(|user| user.username.as_str()).collect();
                let mut snapshot = json!({
                    "type": "room_users", "room": self.0.room, "users": names, "count": self.0.count,
                });
                if !self.0.topic.is_empty() {
                    snapshot["topic"] = json!(self.0.topic);
                }
                Payload::of(&snapshot)
            }
        }
    }
}
