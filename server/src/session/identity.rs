//! Owns who a connection is: its user by session, its client by id, its name by claim.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chat_protocol::{
    ClientId, CloseReason, ErrorCode, ErrorMessage, Hello, Person, Re, Resume, RoomName, Seq, ServerMessage,
    UserId, Welcome, WelcomeRoom,
};

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::Instant;

use super::answers::fitting;
use super::own::Own;
use super::{Session, Who};
use crate::backbone::{BackboneError, Glance, Rank, call};
use crate::directory::guest_name;
use crate::hub::{Newest, Profile, Style, Told};
use crate::user::UserState;

/// Rooms in one welcome: more would not fit a frame.
const ROOMS_TOLD_MAX: usize = 400;
/// Rooms that are asked about at once.
const ROOMS_AT_ONCE: usize = 32;

/// How long a client's newest number in a log is believed instead of asked again. Since it was read the name was claimed and
/// the client registered: a link to the backbone that was lost in between fails the hello, and in a database that was
/// emptied in between both wait for longer than this. From there on the room doubts the number itself.
const BELIEVED: Duration = Duration::from_millis(200);

/// What a hello has found and decided.
struct TakenIn {
    own: Own,
    /// The client's newest number in the rooms in which the user is remembered.
    known: HashMap<RoomName, u64>,
    /// Since when that is so.
    looked_at: Instant,
}

/// What is known of a user before its log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    New,
    /// Whoever its session proved before the cluster lost its key; it may have been here since.
    Successor,
    /// It was here before.
    Proved,
}

impl TakenIn {
    fn last_n(&self, room: &RoomName) -> Option<u64> {
        self.known.get(room).copied().filter(|_| self.looked_at.elapsed() < BELIEVED)
    }
}

impl Who {
    /// Somebody who has not said who it is.
    pub(super) fn guest() -> Self {
        let random = ClientId::random();
        let id = format!("guest-{}", &random.as_str()[..8]);
        let user = UserId::parse(&id).expect("hexadecimal digits make an id");
        let client = ClientId::parse(&id).expect("hexadecimal digits make an id");
        let name = guest_name(&user);
        let profile = Profile::new(name, None);
        Self {
            style: Style::Seed,
            user,
            client,
            generation: 0,
            profile,
            registered: false,
            returning: false,
            silent: false,
        }
    }
}

impl Session {
    /// The client says who it is and what it has seen.
    pub(super) async fn hello(&mut self, hello: Hello, re: Option<Re>) {
        if self.who.style == Style::Hello || self.who.registered {
            let reason = "hello comes once, before anything else: open another connection";
            return self.refuse(ErrorMessage { re, ..ErrorMessage::new(ErrorCode::BadJson, reason) });
        }
        if let Some(refused) = self.cannot_take(hello.if_ready) {
            let (code, reason) = (refused.0, refused.1.text());
            self.refuse(ErrorMessage { re, ..ErrorMessage::new(code, reason) });
            return self.outbox.close(refused.1);
        }
        if hello.resume.len() > self.rooms_max() {
            let reason = "more rooms to resume than a connection may join";
            return self.refuse(ErrorMessage { re, ..ErrorMessage::new(ErrorCode::TooManyRooms, reason) });
        }
        let resume = hello.resume.clone();
        let taken_in = match self.introduce(hello, re.clone()).await {
            Ok(Some((welcome, taken_in))) => {
                self.outbox.say(&ServerMessage::Welcome(welcome));
                taken_in
            }
            // A newer connection of this client's was quicker: nothing has changed for that one.
            Ok(None) => return self.outbox.close(CloseReason::Fenced),
            Err(error) => {
                // Not half a user: the client comes back, here or elsewhere.
                self.unavailable(&error, re);
                return self.outbox.close(CloseReason::TryAgainLater("the backbone is out of reach"));
            }
        };
        for entry in resume {
            self.resume_room(entry, &taken_in).await;
        }
        self.follow_own(taken_in.own).await;
    }

    /// Why this node takes nobody in, or nobody who has another connection to go on with: said before anything
    /// is proved, fenced or claimed, so that nothing has changed for the client.
    fn cannot_take(&self, if_ready: bool) -> Option<(ErrorCode, CloseReason)> {
        if self.hub.is_draining() {
            return Some((ErrorCode::ShuttingDown, CloseReason::Drain));
        }
        let reason = CloseReason::TryAgainLater("this server cannot reach the others: stay where you are");
        (if_ready && !self.hub.is_well()).then_some((ErrorCode::Unavailable, reason))
    }

    /// A hello that fails has changed nothing for the client's other connection: fencing that one comes last, when
    /// nothing else can fail. A name that was claimed runs out by itself.
    async fn introduce(
        &mut self,
        hello: Hello,
        re: Option<Re>,
    ) -> Result<Option<(Welcome, TakenIn)>, BackboneError> {
        let directory = &self.hub.directory;
        let (user, standing) = self.user_of(hello.session.as_deref()).await?;
        let generation = hello.generation.unwrap_or(0);
        // Ids that servers lend are public and nobody's.
        let asked = hello.client_id.filter(|client| !client.is_lent()).unwrap_or_else(ClientId::random);
        let looked_at = Instant::now();
        // What needs no other's answer is asked together: after a node's death many come at once, and each round trip
        // counts.
        let told = async {
            if standing == Standing::New { Ok(Told::default()) } else { self.hub.read_user(&user).await }
        };
        let (told, session, remembered) =
            tokio::try_join!(told, directory.session(&user), call(self.hub.backbone.remembered(&user)))?;
        let is_known = standing == Standing::Proved || told.state.name.is_some();
        let asked_name = hello.name.filter(|name| !name.is_reserved()).unwrap_or_else(|| guest_name(&user));
        // The user has one name on all its clients: a client's own idea of it counts for a new user only.
        let wanted = told.state.wanted.clone().or_else(|| told.state.name.clone()).unwrap_or(asked_name);
        let rooms = rooms_of(&told.state, &remembered, &hello.resume);
        let rooms = rooms.into_iter().map(|room| self.room_of_user(room, &asked, &told.state));
        let rooms = stream::iter(rooms).buffered(ROOMS_AT_ONCE).try_collect::<Vec<_>>();
        let (name, mut rooms) = tokio::try_join!(directory.claim(&wanted, &user), rooms)?;
        let Some(client) = self.own_client(asked.clone(), &user, generation).await? else { return Ok(None) };
        if client != asked {
            // Somebody else's numbers are not its own.
            rooms.iter_mut().for_each(|room| room.last_n = 0);
        }
        let own = (self.conn(), self.rooms.clone());
        let profile = self.hub.user_online(&user, &name, own, &told);
        self.who = Who {
            style: Style::Hello,
            user,
            client,
            generation,
            profile,
            registered: true,
            returning: is_known,
            silent: false,
        };
        let Who { user, client, .. } = &self.who;
        self.hub.client_here(client, self.newest());
        let (away, ignored) = (told.state.away.clone(), told.state.ignored());
        let (rooms, _) = fitting(rooms, ROOMS_TOLD_MAX);
        let known = rooms.iter().filter(|room| remembered.contains(&room.room));
        let known = known.map(|room| (room.room.clone(), room.last_n)).collect();
        let welcome = Welcome {
            user_id: user.clone(),
            client_id: client.clone(),
            session,
            name: name.to_string(),
            name_wanted: (name != wanted).then(|| wanted.to_string()),
            node: self.hub.node().clone(),
            ready: self.hub.is_ready(),
            away,
            ignored,
            rooms,
            re,
        };
        let own = Own { is_known, place: told.place, was: told.state.name, name, wanted };
        Ok(Some((welcome, TakenIn { own, known, looked_at })))
    }

    /// Who shows this session.
    async fn user_of(&self, session: Option<&str>) -> Result<(UserId, Standing), BackboneError> {
        let directory = &self.hub.directory;
        if let Some(session) = session {
            if let Some(user) = directory.prove(session).await? {
                return Ok((user, Standing::Proved));
            }
            if let Some(user) = directory.successor(session).await? {
                return Ok((user, Standing::Successor));
            }
        }
        Ok((UserId::random(), Standing::New))
    }

    /// The id that was asked for, unless it is another user's or another program's: then a fresh one. None where the
    /// connection was overtaken.
    async fn own_client(
        &self,
        asked: ClientId,
        user: &UserId,
        generation: u64,
    ) -> Result<Option<ClientId>, BackboneError> {
        for client in [asked, ClientId::random()] {
            match call(self.hub.backbone.fence(&client, user, generation)).await? {
                Rank::Newest => return Ok(Some(client)),
                Rank::Overtaken => return Ok(None),
                Rank::Foreign => {}
            }
        }
        Ok(Some(ClientId::random()))
    }

    async fn room_of_user(
        &self,
        room: RoomName,
        client: &ClientId,
        state: &UserState,
    ) -> Result<WelcomeRoom, BackboneError> {
        let with = state.direct.get(&room).map(|with| self.named_now(with));
        let Glance { head, last_n, topic } = call(self.hub.backbone.glance(&room, client)).await?;
        let place = head.map(|head| head.place);
        let seq = place.as_ref().map_or(Seq::START, |place| place.seq);
        let epoch = place.as_ref().map(|place| place.epoch);
        // A room that was never read is new with its first look at it; what somebody writes to a user is not.
        let unmarked = if with.is_some() { Seq::START } else { seq };
        let marked = epoch.and_then(|epoch| state.read_in(&room, epoch));
        let read = marked.unwrap_or(unmarked).min(seq);
        Ok(WelcomeRoom {
            kind: if with.is_some() { "direct" } else { "room" }.to_owned(),
            unmarked: with.is_none() && marked.is_none(),
            room,
            topic: topic.text,
            epoch,
            seq,
            id: place.and_then(|place| place.id),
            last_n,
            read,
            unread: seq.0 - read.0,
            with,
        })
    }

    /// Somebody this user writes to, under the name of now as far as this node knows it; a change elsewhere is told later.
    fn named_now(&self, with: &Person) -> Person {
        let username = self.hub.shown_name(&with.user_id).unwrap_or_else(|| with.username.clone());
        Person { user_id: with.user_id.clone(), username }
    }

    async fn resume_room(&mut self, entry: Resume, taken_in: &TakenIn) {
        let (room, known) = (entry.room.clone(), taken_in.last_n(&entry.room));
        if let Err(error) = self.enter(&room, Some(entry), known, None).await {
            self.refuse(ErrorMessage { room: Some(room), ..error });
        }
    }

    /// A client that never says hello becomes a guest with its first deed.
    pub(super) async fn register_guest(&mut self) {
        if self.who.registered {
            return;
        }
        self.who.registered = true;
        let (own, name) = ((self.conn(), self.rooms.clone()), self.who.profile.name());
        self.who.profile = self.hub.user_online(&self.who.user, &name, own, &Told::default());
        self.hub.client_here(&self.who.client, self.newest());
    }

    fn newest(&self) -> Newest {
        let (conn, outbox) = (self.conn(), self.outbox.clone());
        let (user, generation) = (self.who.user.clone(), self.who.generation);
        Newest { user, generation, conn, style: self.who.style, outbox }
    }

    pub(super) fn rooms_max(&self) -> usize {
        match self.hub.config.limits.wire.rooms {
            0 => usize::MAX,
            max => max,
        }
    }

    /// The user's log was lost, and who knows it has not said so yet.
    fn is_being_recovered(&self) -> bool {
        self.who.returning && self.hub.of_user(&self.who.user, |state| state.name.is_none()) == Some(true)
    }

    /// Enters a room for the first time in this connection; `known` is the client's newest number there, where the user
    /// is remembered in it.
    pub(super) async fn enter(
        &mut self,
        room: &RoomName,
        resume: Option<Resume>,
        known: Option<u64>,
        re: Option<Re>,
    ) -> Result<(), ErrorMessage> {
        let refused =
            |code, reason: String| Err(ErrorMessage { re: re.clone(), ..ErrorMessage::new(code, reason) });
        let is_own =
            || self.hub.of_user(&self.who.user, |state| state.direct.contains_key(room)) == Some(true);
        if room.is_direct() && !is_own() && self.is_being_recovered() {
            let error = ErrorMessage::new(ErrorCode::Unavailable, "the log of this user is being recovered");
            let retry_ms = Some(super::UNAVAILABLE_RETRY.as_millis() as u64);
            return Err(ErrorMessage { re, retry_ms, ..error });
        }
        if room.is_reserved() && !(room.is_direct() && is_own()) {
            return refused(ErrorCode::Forbidden, format!("room {room} cannot be joined by name"));
        }
        if self.rooms.len() >= self.rooms_max() && !self.rooms.contains(room) {
            let reason =
                format!("{} rooms are joined, more are not allowed: leave one first", self.rooms.len());
            return refused(ErrorCode::TooManyRooms, reason);
        }
        let known = match known {
            Some(last_n) => Ok(last_n),
            None => self.ask_known(room).await,
        };
        match known {
            Ok(last_n) => self.sit(room, resume, last_n, re).await,
            Err(error) => {
                self.hub.backbone_failed();
                let retry_ms = Some(super::UNAVAILABLE_RETRY.as_millis() as u64);
                return refused(ErrorCode::Unavailable, error.to_string())
                    .map_err(|error| ErrorMessage { retry_ms, ..error });
            }
        }
        Ok(())
    }

    /// Has it remembered that the user is in a room; the client's newest number there.
    async fn ask_known(&self, room: &RoomName) -> Result<u64, BackboneError> {
        let (backbone, Who { user, client, .. }) = (&self.hub.backbone, &self.who);
        let remember = call(backbone.remember(user, room, true));
        Ok(tokio::try_join!(remember, call(backbone.last_n(room, client)))?.1)
    }
}

/// The rooms a user is remembered to be in, those it comes back to, and those it has with another user.
fn rooms_of(state: &UserState, remembered: &[RoomName], resume: &[Resume]) -> Vec<RoomName> {
    let is_own = |room: &RoomName| !room.is_reserved() || state.direct.contains_key(room);
    let resumed = resume.iter().map(|entry| entry.room.clone());
    let mut rooms: Vec<RoomName> = resumed.chain(remembered.iter().cloned()).filter(is_own).collect();
    // Those in which nobody of the user's has been yet come last.
    rooms.extend(state.direct.keys().cloned());
    let mut seen = HashSet::new();
    rooms.retain(|room| seen.insert(room.clone()));
    rooms.truncate(ROOMS_TOLD_MAX);
    rooms
}
