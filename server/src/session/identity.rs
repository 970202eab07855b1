//! Owns who a connection is: its user by session, its client by id, its name by claim.

use chat_protocol::{
    ClientId, CloseReason, ErrorCode, ErrorMessage, Hello, Re, Resume, RoomName, Seq, ServerMessage, UserId,
    UserName, Welcome, WelcomeRoom,
};

use futures_util::future::try_join_all;

use super::{Session, Who};
use crate::backbone::{BackboneError, Rank, call};
use crate::directory::guest_name;
use crate::hub::{Command, Newest, Style};

impl Who {
    /// Somebody who has not said who it is.
    pub(super) fn guest() -> Self {
        let random = ClientId::random();
        let id = format!("guest-{}", &random.as_str()[..8]);
        let user = UserId::parse(&id).expect("hexadecimal digits make an id");
        let client = ClientId::parse(&id).expect("hexadecimal digits make an id");
        let name = guest_name(&user);
        Self { style: Style::Seed, user, client, generation: 0, name, registered: false, silent: false }
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
        match self.introduce(hello, re.clone()).await {
            Ok(Some(welcome)) => self.outbox.say(&ServerMessage::Welcome(welcome)),
            // A newer connection of this client's was quicker: nothing has changed for that one.
            Ok(None) => return self.outbox.close(CloseReason::Fenced),
            Err(error) => {
                // Not half a user: the client comes back, here or elsewhere.
                self.unavailable(&error, re);
                return self.outbox.close(CloseReason::TryAgainLater("the backbone is out of reach"));
            }
        }
        for entry in resume {
            self.resume_room(entry).await;
        }
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
    async fn introduce(&mut self, hello: Hello, re: Option<Re>) -> Result<Option<Welcome>, BackboneError> {
        let directory = &self.hub.directory;
        let proved = match &hello.session {
            Some(session) => directory.prove(session).await?,
            None => None,
        };
        let user = proved.unwrap_or_else(UserId::random);
        let generation = hello.generation.unwrap_or(0);
        let wanted = hello.name.filter(|name| !name.is_reserved()).unwrap_or_else(|| guest_name(&user));
        // Ids that servers lend are public and nobody's.
        let asked = hello.client_id.filter(|client| !client.is_lent()).unwrap_or_else(ClientId::random);
        // None of them needs another's answer: after a node's death many come at once, and each round trip counts.
        let (name, session, mut rooms) = tokio::try_join!(
            directory.claim(&wanted, &user),
            directory.session(&user),
            self.rooms_of_user(&user, &asked, &hello.resume),
        )?;
        let Some(client) = self.own_client(asked.clone(), &user, generation).await? else { return Ok(None) };
        if client != asked {
            // Somebody else's numbers are not its own.
            rooms.iter_mut().for_each(|room| room.last_n = 0);
        }
        self.who =
            Who { style: Style::Hello, user, client, generation, name, registered: true, silent: false };
        let Who { user, client, name, .. } = &self.who;
        self.hub.user_online(user, name);
        self.hub.client_here(client, self.newest());
        Ok(Some(Welcome {
            user_id: user.clone(),
            client_id: client.clone(),
            session,
            name: name.to_string(),
            name_wanted: (*name != wanted).then(|| wanted.to_string()),
            node: self.hub.node().clone(),
            ready: self.hub.is_ready(),
            away: None,
            ignored: Vec::new(),
            rooms,
            re,
        }))
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

    /// The rooms a user is remembered to be in, and those it comes back to, as they are for a client.
    async fn rooms_of_user(
        &self,
        user: &UserId,
        client: &ClientId,
        resume: &[Resume],
    ) -> Result<Vec<WelcomeRoom>, BackboneError> {
        let mut rooms = call(self.hub.backbone.remembered(user)).await?;
        rooms.extend(resume.iter().map(|entry| entry.room.clone()));
        rooms.sort();
        rooms.dedup();
        rooms.retain(|room| !room.is_hidden());
        try_join_all(rooms.into_iter().map(|room| self.room_of_user(room, client))).await
    }

    async fn room_of_user(&self, room: RoomName, client: &ClientId) -> Result<WelcomeRoom, BackboneError> {
        let backbone = &self.hub.backbone;
        let (head, last_n) =
            tokio::try_join!(call(backbone.head(&room)), call(backbone.last_n(&room, client)))?;
        let topic = self.topic_of(&room).await?;
        let place = head.map(|head| head.place);
        Ok(WelcomeRoom {
            room,
            kind: "room".to_owned(),
            topic,
            epoch: place.as_ref().map(|place| place.epoch),
            seq: place.as_ref().map_or(Seq::START, |place| place.seq),
            id: place.and_then(|place| place.id),
            last_n,
            read: Seq::START,
            unread: 0,
            with: None,
        })
    }

    async fn resume_room(&mut self, entry: Resume) {
        let room = entry.room.clone();
        if let Err(error) = self.enter(&room, Some(entry), None).await {
            self.refuse(ErrorMessage { room: Some(room), ..error });
        }
    }

    /// Another name for the user; a taken one is numbered.
    pub(super) async fn rename(&mut self, wanted: &UserName, re: Option<Re>) {
        if wanted.is_reserved() {
            let reason = format!("the name {wanted} is reserved: choose another");
            return self.refuse(ErrorMessage { re, ..ErrorMessage::new(ErrorCode::BadName, reason) });
        }
        self.register_guest().await;
        if let Some(error) = self.too_fast() {
            return self.refuse(ErrorMessage { re, ..error });
        }
        let name = match self.hub.directory.claim(wanted, &self.who.user).await {
            Ok(name) => name,
            Err(error) => return self.unavailable(&error, re),
        };
        let was = std::mem::replace(&mut self.who.name, name.clone());
        if was.key() != name.key() {
            self.hub.directory.release(&was, &self.who.user).await;
        }
        self.hub.user_renamed(&self.who.user, &name);
        let user = self.as_user();
        for room in self.rooms.all() {
            room.send(Command::Renamed { conn: self.conn(), user: user.clone() }).await;
        }
        self.outbox.say(&ServerMessage::UserChanged {
            user_id: user.user_id,
            username: user.username,
            was: Some(was.to_string()),
            away: None,
            re,
        });
    }

    /// A client that never says hello becomes a guest with its first deed.
    pub(super) async fn register_guest(&mut self) {
        if self.who.registered {
            return;
        }
        self.who.registered = true;
        self.hub.user_online(&self.who.user, &self.who.name);
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

    /// Enters a room for the first time in this connection.
    pub(super) async fn enter(
        &mut self,
        room: &RoomName,
        resume: Option<Resume>,
        re: Option<Re>,
    ) -> Result<(), ErrorMessage> {
        let refused =
            |code, reason: String| Err(ErrorMessage { re: re.clone(), ..ErrorMessage::new(code, reason) });
        if room.is_reserved() {
            return refused(ErrorCode::Forbidden, format!("room {room} cannot be joined by name"));
        }
        if self.rooms.len() >= self.rooms_max() && !self.rooms.contains(room) {
            let reason =
                format!("{} rooms are joined, more are not allowed: leave one first", self.rooms.len());
            return refused(ErrorCode::TooManyRooms, reason);
        }
        let (backbone, user, client) = (&self.hub.backbone, &self.who.user, &self.who.client);
        let known =
            tokio::try_join!(call(backbone.remember(user, room, true)), call(backbone.last_n(room, client)));
        match known {
            Ok(((), last_n)) => self.sit(room, resume, last_n, re).await,
            Err(error) => {
                self.hub.backbone_failed();
                let retry_ms = Some(super::UNAVAILABLE_RETRY.as_millis() as u64);
                return refused(ErrorCode::Unavailable, error.to_string())
                    .map_err(|error| ErrorMessage { retry_ms, ..error });
            }
        }
        Ok(())
    }
}
