//! Owns what a user says of itself: its name, being away, what it has read, whom it writes to and whom it ignores.
//! Each is an entry of the user's own log, and what comes out of that log is the answer: so every client of the user
//! is told the same, wherever it is.

use chat_protocol::{ErrorCode, ErrorMessage, Person, Re, RoomName, ServerMessage, UserId, UserName};

use tokio::sync::oneshot;

use super::Session;
use crate::backbone::{BackboneError, Place, call};
use crate::hub::{Command, Style};
use crate::user::{Deed, ITEMS_MAX, Marker, UserEntry, UserState, direct_room};

/// What a hello has found in the user's log, and decided.
pub(super) struct Own {
    /// The user was here before.
    pub(super) is_known: bool,
    /// Where the log stood.
    pub(super) place: Option<Place>,
    pub(super) was: Option<UserName>,
    pub(super) name: UserName,
    pub(super) wanted: UserName,
}

impl Session {
    /// From now on the user's log is heard. What had to be decided at the hello is written into it.
    pub(super) async fn follow_own(&mut self, own: Own) {
        let Own { is_known, place, was, name, wanted } = own;
        self.sit_own(place).await;
        self.hub.name_peers(&self.who.user);
        if was.is_none() && is_known {
            // The log was lost, and who knows it says so in a moment.
            return self.hub.name_later(self.who.user.clone(), name);
        }
        if was.as_ref() != Some(&name) {
            let wanted = (wanted != name).then_some(wanted);
            let deed = Deed::Name { name, wanted, was };
            self.hub.record_soon(self.who.user.clone(), UserEntry { by: None, re: None, deed });
        }
    }

    /// Writes a deed into the user's log; the answer comes out of it. False: it could not be, and that was said.
    async fn record(&mut self, deed: Deed, re: Option<Re>) -> bool {
        let entry = UserEntry { by: Some(self.who.client.clone()), re: re.clone(), deed };
        // The answer comes out of the log: it has to be heard first.
        self.hub.user_heard(&self.who.user).await;
        let error = match self.hub.record(&self.who.user, &entry).await {
            Ok(true) => return true,
            Ok(false) => nowhere(),
            Err(error) => error,
        };
        self.unavailable(&error, re);
        false
    }

    /// Guests have no log: they are who they are for as long as they stay.
    fn is_guest(&mut self, what: &str, re: Option<&Re>) -> bool {
        let is_guest = self.who.style == Style::Seed;
        if is_guest {
            let error =
                ErrorMessage::new(ErrorCode::Forbidden, format!("{what}: say hello first, guests cannot"));
            self.refuse(ErrorMessage { re: re.cloned(), ..error });
        }
        is_guest
    }

    fn no_user(&mut self, wanted: &str, re: Option<Re>) {
        let reason = format!("there is nobody called {wanted}: ask who is in a room, or use a user id");
        self.refuse(ErrorMessage { re, ..ErrorMessage::new(ErrorCode::NoUser, reason) });
    }

    /// Another name for the user, on all its clients.
    pub(super) async fn rename(&mut self, wanted: &UserName, re: Option<Re>) {
        if wanted.is_reserved() {
            let reason = format!("the name {wanted} is reserved: choose another");
            return self.refuse(ErrorMessage { re, ..ErrorMessage::new(ErrorCode::BadName, reason) });
        }
        self.register_guest().await;
        if let Some(error) = self.too_fast() {
            return self.refuse(ErrorMessage { re, ..error });
        }
        match call(self.hub.backbone.claim_name(&wanted.key(), &self.who.user)).await {
            Ok(true) => self.hub.name_claimed(&self.who.user, wanted),
            Ok(false) => {
                let reason =
                    format!("the name {wanted}, or one that looks like it, is taken: choose another");
                return self.refuse(ErrorMessage { re, ..ErrorMessage::new(ErrorCode::NameTaken, reason) });
            }
            Err(error) => return self.unavailable(&error, re),
        }
        if self.who.style == Style::Seed {
            return self.rename_guest(wanted, re).await;
        }
        let (name, was) = (wanted.clone(), Some(self.who.profile.name()));
        if !self.record(Deed::Name { name, wanted: None, was }, re).await {
            self.hub.name_not_taken(&self.who.user);
        }
    }

    async fn rename_guest(&mut self, name: &UserName, re: Option<Re>) {
        let was = self.who.profile.rename(name.clone());
        self.hub.name_not_taken(&self.who.user);
        let user = self.as_user();
        for room in self.rooms.all() {
            room.send(Command::Renamed { conn: self.conn(), user: user.clone() }).await;
        }
        let (user_id, username, was) = (user.user_id, user.username, Some(was.to_string()));
        self.outbox.say(&ServerMessage::UserChanged { user_id, username, was, away: None, re });
    }

    /// The user is away, or back.
    pub(super) async fn away(&mut self, text: String, re: Option<Re>) {
        if self.is_guest("being away", re.as_ref()) {
            return;
        }
        if let Some(error) = self.too_fast() {
            return self.refuse(ErrorMessage { re, ..error });
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.record(Deed::Away { text: Some(text).filter(|text| !text.is_empty()) }, re).await;
    }

    /// A room was read up to a place, on all the user's clients.
    pub(super) async fn read(&mut self, room: RoomName, marker: Marker, re: Option<Re>) {
        if self.is_guest("read markers", re.as_ref()) {
            return;
        }
        let refusal = match self.too_fast() {
            Some(error) => Some(error),
            None if !self.rooms.contains(&room) => {
                let reason = format!("room {room} was not joined: join it first");
                Some(ErrorMessage::new(ErrorCode::NotInRoom, reason))
            }
            None if self.has_heard(&room, marker).await => None,
            None => match call(self.hub.backbone.head(&room)).await {
                Ok(Some(head)) => beyond(&room, marker, &head.place),
                Ok(None) => return self.unavailable_in(Some(room), &nowhere(), re),
                Err(error) => return self.unavailable_in(Some(room), &error, re),
            },
        };
        if let Some(error) = refusal {
            return self.refuse(ErrorMessage { room: Some(room), re, ..error });
        }
        let is_known = |state: &UserState| state.is_read(&room, marker);
        if self.hub.of_user(&self.who.user, is_known) != Some(true) {
            let Marker { epoch, seq } = marker;
            self.record(Deed::Read { room, epoch, seq }, re).await;
        }
    }

    /// True where this node knows the room's log up to there: also while the backbone is being told of it again.
    async fn has_heard(&self, room: &RoomName, marker: Marker) -> bool {
        let Some(handle) = self.rooms.get(room) else { return false };
        let (reply, answer) = oneshot::channel();
        handle.send(Command::Head(reply)).await;
        let head = answer.await.ok().flatten();
        head.is_some_and(|head| head.epoch == marker.epoch && head.seq >= marker.seq)
    }

    /// Opens the room of this user and another.
    pub(super) async fn direct(&mut self, to: &str, re: Option<Re>) {
        let Some(with) = self.other("direct messages", to, re.as_ref()).await else { return };
        let (user, room) = (self.who.user.clone(), direct_room(&self.who.user, &with.user_id));
        let known = |state: &UserState| (state.direct.contains_key(&room), state.direct.len() >= ITEMS_MAX);
        let is_open = match self.hub.of_user(&user, known) {
            Some((true, _)) => true,
            Some((false, true)) => {
                let reason = format!("more than {ITEMS_MAX} direct rooms are not kept");
                return self
                    .refuse(ErrorMessage { re, ..ErrorMessage::new(ErrorCode::TooManyRooms, reason) });
            }
            _ => false,
        };
        match self.hub.has_direct(&with.user_id, &room).await {
            Ok(true) if is_open => return self.outbox.say(&ServerMessage::Direct { room, with, re }),
            Ok(_) => {}
            Err(error) => return self.unavailable(&error, re),
        }
        let me = Person { user_id: user, username: self.who.profile.name().to_string() };
        let deed = Deed::Direct { room: room.clone(), with: me };
        // The other one first: a room that only one of both knows would be a wall to speak to.
        match self.hub.record(&with.user_id, &UserEntry { by: None, re: None, deed }).await {
            Ok(true) => drop(self.record(Deed::Direct { room, with }, re).await),
            Ok(false) => self.no_user(to, re),
            Err(error) => self.unavailable(&error, re),
        }
    }

    /// Hides what a user says, or shows it again.
    pub(super) async fn ignore(&mut self, wanted: &str, off: bool, re: Option<Re>) {
        if off && let Some(user) = self.ignored(wanted) {
            // Whoever has that name by now: it is the one who was ignored.
            self.record(Deed::Ignore { user, off }, re).await;
            return;
        }
        let Some(user) = self.other("ignoring", wanted, re.as_ref()).await else { return };
        let count = self.hub.of_user(&self.who.user, |state| state.ignored.len());
        if !off && count.is_some_and(|count| count >= ITEMS_MAX) {
            let reason = format!("more than {ITEMS_MAX} users cannot be ignored: end one first");
            return self.refuse(ErrorMessage { re, ..ErrorMessage::new(ErrorCode::Forbidden, reason) });
        }
        self.record(Deed::Ignore { user, off }, re).await;
    }

    /// Who is ignored under a name or id.
    fn ignored(&self, wanted: &str) -> Option<Person> {
        let is_it = |user: &Person| {
            user.user_id.as_str() == wanted || user.username.to_lowercase() == wanted.to_lowercase()
        };
        self.hub.of_user(&self.who.user, UserState::ignored)?.into_iter().find(is_it)
    }

    /// Another user, by name or id. None: it was refused.
    async fn other(&mut self, what: &str, wanted: &str, re: Option<&Re>) -> Option<Person> {
        if self.is_guest(what, re) {
            return None;
        }
        if let Some(error) = self.too_fast() {
            self.refuse(ErrorMessage { re: re.cloned(), ..error });
            return None;
        }
        let found = match self.hub.find_user(wanted).await {
            Ok(found) => found,
            Err(error) => {
                self.unavailable(&error, re.cloned());
                return None;
            }
        };
        if found.as_ref().is_some_and(|found| is(&self.who.user, found)) {
            let error = ErrorMessage::new(ErrorCode::Forbidden, format!("{what}: this is yourself"));
            self.refuse(ErrorMessage { re: re.cloned(), ..error });
            return None;
        }
        // Who never said hello has no log, and is nobody once the connection ends.
        let found = found.filter(|found| !found.user_id.as_str().starts_with("guest-"));
        if found.is_none() {
            self.no_user(wanted, re.cloned());
        }
        found
    }
}

fn is(user: &UserId, person: &Person) -> bool {
    person.user_id == *user
}

fn nowhere() -> BackboneError {
    BackboneError::Unavailable("the log of this user is not there yet".to_owned())
}

/// Why a marker is not taken: nobody can have read what nobody has said.
fn beyond(room: &RoomName, marker: Marker, head: &Place) -> Option<ErrorMessage> {
    let reason = if head.epoch != marker.epoch {
        format!("the history of {room} has begun anew: its epoch is {}", head.epoch)
    } else if head.seq < marker.seq {
        format!("{room} ends at {}: mark what was said", head.seq)
    } else {
        return None;
    };
    Some(ErrorMessage::new(ErrorCode::NoMessage, reason))
}
