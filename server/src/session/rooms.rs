//! Owns what a session does in rooms: join, leave, say.

use std::time::Duration;

use chat_protocol::{
    Ack, ErrorCode, ErrorMessage, Kind, MessageBody, MessageId, Outgoing, Payload, Quote, Re, Resume,
    RoomName, ServerMessage, encode_body, text,
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::{Session, UNAVAILABLE_RETRY};
use crate::backbone::{Place, call};
use crate::hub::{Command, Seat, Style};
use crate::room::{Joining, Publishing};

impl Session {
    /// Enters a room; a client without hello leaves its former one.
    pub(super) async fn join(&mut self, room: RoomName, re: Option<Re>) {
        self.register_guest().await;
        if let Some(error) = self.too_fast() {
            return self.refuse(ErrorMessage { room: Some(room), re, ..error });
        }
        if self.who.style == Style::Seed
            && let Some(former) = self.current.take().filter(|former| *former != room)
        {
            self.depart(&former).await;
        }
        match self.enter(&room, None, None, re).await {
            Ok(()) => self.current = Some(room),
            Err(error) => self.refuse(ErrorMessage { room: Some(room), ..error }),
        }
    }

    /// Hands the connection to the room, in place of an older seat there.
    pub(super) async fn sit(&mut self, room: &RoomName, resume: Option<Resume>, last_n: u64, re: Option<Re>) {
        loop {
            let handle = self.hub.room(room);
            let seat = self.seat();
            let joining = Joining { conn: self.conn(), resume: resume.clone(), last_n, re: re.clone() };
            // A room that closes at this moment is opened again.
            let seated = seat.user.clone();
            if handle.send(Command::Join(joining, seat)).await {
                self.rooms.insert(handle.clone());
                let user = self.as_user();
                if user != seated {
                    // It changed on the way in, when this room was not known to be one of the user's yet.
                    handle.send(Command::Renamed { conn: self.conn(), user }).await;
                }
                return;
            }
        }
    }

    fn seat(&self) -> Seat {
        let (outbox, client) = (self.outbox.clone(), self.who.client.clone());
        Seat { outbox, user: self.as_user(), client, style: self.who.style }
    }

    /// Hears what is said in the user's log behind this place.
    pub(super) async fn sit_own(&mut self, place: Option<Place>) {
        let room = RoomName::of_user(&self.who.user);
        let resume = place.map(|Place { epoch, seq, id }| Resume {
            room: room.clone(),
            epoch,
            seq,
            id,
            tail: Vec::new(),
        });
        loop {
            let handle = self.hub.room(&room);
            let joining = Joining { conn: self.conn(), resume: resume.clone(), last_n: 0, re: None };
            if handle.send(Command::Join(joining, self.seat())).await {
                return self.rooms.set_own(handle);
            }
        }
    }

    pub(super) async fn leave(&mut self, room: Option<RoomName>, re: Option<Re>) {
        let Some(room) = room.or_else(|| self.current.clone()) else {
            let reason = "no room was joined: name the one to leave";
            return self.refuse(ErrorMessage { re, ..ErrorMessage::new(ErrorCode::NotInRoom, reason) });
        };
        if !self.depart(&room).await {
            let reason = format!("room {room} was not joined");
            let error = ErrorMessage::new(ErrorCode::NotInRoom, reason);
            return self.refuse(ErrorMessage { re, room: Some(room), ..error });
        }
        self.outbox.say(&ServerMessage::Left { room, re });
    }

    async fn depart(&mut self, room: &RoomName) -> bool {
        let Some(handle) = self.rooms.remove(room) else { return false };
        handle.send(Command::Leave { conn: self.conn(), lost: false }).await;
        self.current.take_if(|current| current == room);
        if room.is_direct() {
            // It stays the user's: the other one may write.
            return true;
        }
        if let Err(error) = call(self.hub.backbone.remember(&self.who.user, room, false)).await {
            // The room is left here; the user's list keeps it until it is left again.
            tracing::debug!(%room, %error, "left room stays remembered");
        }
        true
    }

    /// Says something: dedupe first, then policy; both are the room's, which knows what is in the log.
    pub(super) async fn message(&mut self, mut message: Outgoing, re: Option<Re>) {
        self.hub.metrics.received.add(1);
        if message.n == Some(0) {
            // No number of the client's: nothing can wait for it.
            let error = ErrorMessage::new(ErrorCode::BadJson, "n counts from 1");
            return self.refuse(ErrorMessage { n: message.n, re, ..error });
        }
        let room = message.room.take().or_else(|| self.current.clone()).unwrap_or_else(RoomName::general);
        if self.who.style == Style::Seed {
            message.n = None;
            if !self.rooms.contains(&room) {
                self.join(room.clone(), None).await;
            }
        }
        if !self.rooms.contains(&room) {
            return self.said_outside(&room, message.n, re).await;
        }
        let mut judged = self.judge(&room, &message).await;
        if let Err(error) = &judged {
            if self.is_taken(&room, message.n, error).await {
                judged = Ok(None);
            } else {
                self.count_mistake(error);
            }
        }
        let publishing = self.publishing(message, judged, re);
        self.publish(&room, publishing).await;
    }

    pub(super) async fn publish(&self, room: &RoomName, publishing: Publishing) {
        let at = self.hub.now();
        if let Some(handle) = self.rooms.get(room) {
            // A room is not closed while somebody is in it, except with the node.
            handle.send(Command::Publish(publishing, at)).await;
        }
    }

    /// A message that could not even be read: refused under its number, so that the client can void it.
    pub(super) async fn refuse_number(&mut self, room: &RoomName, n: u64, error: ErrorMessage) {
        self.count_mistake(&error);
        let re = error.re.clone();
        let message = Outgoing { n: Some(n), ..Outgoing::default() };
        let publishing = self.publishing(message, Err(error), re);
        self.publish(room, publishing).await;
    }

    /// `judged`: what it quotes, or why it must not get in.
    fn publishing(
        &self,
        message: Outgoing,
        judged: Result<Option<Quote>, ErrorMessage>,
        re: Option<Re>,
    ) -> Publishing {
        let digest = digest(&message);
        let (quote, refusal) = match judged {
            Ok(quote) => (quote, None),
            Err(refusal) => (None, Some(refusal)),
        };
        let (n, acked) = (message.n, message.acked);
        let body = (!message.void).then(|| {
            let Outgoing { content, kind, reply, enc, .. } = message;
            encode_body(&MessageBody { kind, reply, quote, enc, ..self.body(content) })
        });
        let (conn, client, generation) = (self.conn(), self.who.client.clone(), self.who.generation);
        Publishing { conn, client, generation, n, acked, digest, body, refusal, re }
    }

    /// An entry of this user's, said now.
    pub(super) fn body(&self, content: String) -> MessageBody {
        MessageBody {
            sender: self.who.profile.name().to_string(),
            sender_id: self.who.user.clone(),
            content,
            timestamp: format!("{:.3}", Timestamp::now()),
            node: self.hub.node().clone(),
            kind: None,
            reference: None,
            reference_id: None,
            reply: None,
            quote: None,
            enc: None,
        }
    }

    /// What a message quotes; or why it must not get in.
    async fn judge(&mut self, room: &RoomName, message: &Outgoing) -> Result<Option<Quote>, ErrorMessage> {
        if message.void {
            return Ok(None);
        }
        if !matches!(message.kind, None | Some(Kind::Action)) {
            let reason = "a client may only send the kind \"action\"";
            return Err(ErrorMessage::new(ErrorCode::Forbidden, reason));
        }
        match &message.enc {
            None => self.check_content(&message.content)?,
            Some(sealed) => {
                self.check_length(&message.content)?;
                text::check_length(sealed, 0, chat_protocol::limits::SEALED_BYTES_MAX)
                    .map_err(|error| too_long(&error))?;
            }
        }
        self.check_rate()?;
        self.quote(room, message).await
    }

    /// Why a text cannot be said, whatever it is about.
    pub(super) fn check_content(&self, content: &str) -> Result<(), ErrorMessage> {
        if content.trim().is_empty() {
            return Err(ErrorMessage::new(ErrorCode::BadText, "content is empty"));
        }
        self.check_length(content)
    }

    fn check_length(&self, content: &str) -> Result<(), ErrorMessage> {
        let limits = self.hub.config.limits.wire;
        text::check_length(content, limits.content_chars, limits.content_bytes)
            .map_err(|error| too_long(&error))
    }

    /// Counts something said. Refused where it comes too soon.
    pub(super) fn check_rate(&mut self) -> Result<(), ErrorMessage> {
        self.rate.take(Instant::now()).map(slow_down).map_or(Ok(()), Err)
    }

    /// Too many mistakes end the connection.
    pub(super) fn count_mistake(&mut self, error: &ErrorMessage) {
        if error.code.is_mistake() && self.mistakes.add(Instant::now()) {
            self.outbox.close(chat_protocol::CloseReason::Policy("too many mistakes"));
        }
    }

    /// Counts a join or a rename. Refused where it comes too soon.
    pub(super) fn too_fast(&mut self) -> Option<ErrorMessage> {
        self.deeds.take(Instant::now()).map(slow_down)
    }

    /// Something numbered for a room that was not joined: acknowledged if it is in the log already, refused else.
    pub(super) async fn said_outside(&mut self, room: &RoomName, number: Option<u64>, re: Option<Re>) {
        let (backbone, client) = (&self.hub.backbone, &self.who.client);
        let n = number.unwrap_or(0);
        let known = async {
            let last_n = if n == 0 { 0 } else { call(backbone.last_n(room, client)).await? };
            Ok((last_n, call(backbone.head(room)).await?))
        };
        match known.await {
            Ok((last_n, Some(head))) if n > 0 && n <= last_n => {
                let (room, id, epoch) = (room.clone(), MessageId::new(client.clone(), n), head.place.epoch);
                let ack = Ack { room, n, seq: None, id, epoch, duplicate: true, re };
                self.outbox.push(Payload::new(&ServerMessage::Ack(ack)));
            }
            Ok(_) => {
                let reason = format!("room {room} was not joined: join it first");
                let error = ErrorMessage::new(ErrorCode::NotInRoom, reason);
                self.refuse(ErrorMessage { n: number, room: Some(room.clone()), re, ..error });
            }
            Err::<_, crate::backbone::BackboneError>(error) => {
                self.hub.backbone_failed();
                let retry_ms = Some(UNAVAILABLE_RETRY.as_millis() as u64);
                let error = ErrorMessage::new(ErrorCode::Unavailable, error.to_string());
                self.refuse(ErrorMessage { n: number, room: Some(room.clone()), retry_ms, re, ..error });
            }
        }
    }
}

fn too_long(error: &text::TextError) -> ErrorMessage {
    ErrorMessage::new(ErrorCode::TooLong, format!("content {error}"))
}

fn slow_down(wait: Duration) -> ErrorMessage {
    let retry_ms = Some(wait.as_millis() as u64 + 1);
    ErrorMessage { retry_ms, ..ErrorMessage::new(ErrorCode::RateLimited, "too fast: send it again later") }
}

/// Of everything a client decides about a message: the same for its repeat, another for another message.
fn digest(message: &Outgoing) -> u64 {
    let reply = message.reply.map_or(0, |seq| seq.0).to_be_bytes();
    let is_action = [u8::from(message.kind == Some(Kind::Action))];
    let replied = message.reply_id.as_ref().map(MessageId::to_string).unwrap_or_default();
    let texts = [message.content.as_bytes(), message.enc.as_deref().unwrap_or_default().as_bytes()];
    digest_of(texts, &[&is_action, &reply, replied.as_bytes()])
}

/// The first eight bytes of SHA-256, the same on every node and release: of texts with their lengths, and of the rest.
pub(super) fn digest_of(texts: [&[u8]; 2], rest: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    for part in texts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    rest.iter().for_each(|part| hash.update(part));
    hash.finalize().iter().take(8).fold(0, |digest, byte| (digest << 8) | u64::from(*byte))
}
