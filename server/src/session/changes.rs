//! Owns what a session does to what was said: editing and deleting its user's own messages, and the topics of rooms.
//! A change is an entry of the log with a number like a message; a topic is an entry without one.

use chat_protocol::{
    Acked, ErrorCode, ErrorMessage, Kind, MessageBody, MessageId, Re, RoomName, Seq, encode_body, limits,
    text,
};
use jiff::Timestamp;

use super::Session;
use super::rooms::digest_of;
use super::target::{Named, Target};
use crate::backbone::{BackboneError, Topic, call};
use crate::hub::Style;
use crate::room::Publishing;

/// What is to become of a message.
pub(super) struct Change {
    pub(super) room: RoomName,
    pub(super) seq: Seq,
    pub(super) id: Option<MessageId>,
    /// The text it has from now on; none: it is taken back.
    pub(super) content: Option<String>,
    pub(super) n: u64,
    pub(super) acked: Option<Acked>,
}

impl Change {
    fn kind(&self) -> Kind {
        if self.content.is_some() { Kind::Edit } else { Kind::Delete }
    }

    /// Of everything a client decides about it: an edit is no message with the same words, and no edit of another one.
    fn digest(&self) -> u64 {
        let kind: &[u8] = if self.content.is_some() { b"edit" } else { b"delete" };
        let id = self.id.as_ref().map(MessageId::to_string).unwrap_or_default();
        let content = self.content.as_deref().unwrap_or_default();
        digest_of([content.as_bytes(), kind], &[&self.seq.0.to_be_bytes(), id.as_bytes()])
    }
}

impl Session {
    /// Edits or deletes a message: dedupe first, then policy, as for messages.
    pub(super) async fn change(&mut self, change: Change, re: Option<Re>) {
        self.hub.metrics.received.add(1);
        // A client without hello has no numbers of its own.
        let n = Some(change.n).filter(|_| self.who.style == Style::Hello);
        if n == Some(0) {
            let error = ErrorMessage::new(ErrorCode::BadJson, "n counts from 1");
            return self.refuse(ErrorMessage { n, re, ..error });
        }
        let room = change.room.clone();
        if !self.rooms.contains(&room) {
            return self.said_outside(&room, n, re).await;
        }
        let mut judged = self.judge_change(&change).await.map(|target| (target.seq, Some(target.id)));
        if let Err(error) = &judged {
            if self.is_taken(&room, n, error).await {
                judged = Ok((change.seq, change.id.clone()));
            } else {
                self.count_mistake(error);
            }
        }
        let (digest, acked) = (change.digest(), change.acked);
        let (kind, id) = (Some(change.kind()), change.id);
        let (target, refusal) = match judged {
            Ok(target) => (target, None),
            // Nothing of it is shown to anybody, unless it is in the log already.
            Err(refusal) => ((change.seq, id), Some(refusal)),
        };
        let body = MessageBody {
            kind,
            reference: Some(target.0),
            reference_id: target.1,
            ..self.body(change.content.unwrap_or_default())
        };
        let (conn, client, generation) = (self.conn(), self.who.client.clone(), self.who.generation);
        let body = Some(encode_body(&body));
        let publishing = Publishing { conn, client, generation, n, acked, digest, body, refusal, re };
        self.publish(&room, publishing).await;
    }

    /// What is refused for what the log says by now may have landed before it said so, through a node that is gone: dedupe
    /// comes before policy.
    pub(super) async fn is_taken(&self, room: &RoomName, n: Option<u64>, refusal: &ErrorMessage) -> bool {
        let (Some(n), ErrorCode::NoMessage) = (n, refusal.code) else { return false };
        call(self.hub.backbone.last_n(room, &self.who.client)).await.is_ok_and(|last_n| n <= last_n)
    }

    /// The message it is about; or why it must not be.
    async fn judge_change(&mut self, change: &Change) -> Result<Target, ErrorMessage> {
        if change.room.is_hidden() {
            let reason = "a room of the system's is none to change anything in";
            return Err(ErrorMessage::new(ErrorCode::Forbidden, reason));
        }
        if let Some(content) = &change.content {
            self.check_content(content)?;
        }
        self.check_rate()?;
        let by = MessageId::new(self.who.client.clone(), change.n);
        let named = Named { seq: change.seq, id: change.id.as_ref(), by: Some(&by) };
        let target = self.target(&change.room, named).await?;
        if target.body.sender_id == self.who.user {
            return Ok(target);
        }
        let reason = format!("message {} is another's: only its author can change it", change.seq);
        Err(ErrorMessage::new(ErrorCode::Forbidden, reason))
    }

    /// Says what a room is about; nothing: about nothing in particular. Its receipt is the entry.
    pub(super) async fn topic(&mut self, room: RoomName, text: &str, re: Option<Re>) {
        let Some(room) = self.joined_room(Some(room), re.as_ref()) else { return };
        if room.is_hidden() {
            let error = ErrorMessage::new(ErrorCode::Forbidden, "a room of the system's has no topic");
            return self.refuse(ErrorMessage { room: Some(room), re, ..error });
        }
        if let Some(error) = self.too_fast() {
            return self.refuse(ErrorMessage { room: Some(room), re, ..error });
        }
        // A topic is one line.
        let text = text::sanitize_line(text).trim().to_owned();
        if let Err(error) = text::check_length(&text, limits::SHORT_TEXT_CHARS_MAX, 0) {
            let error = ErrorMessage::new(ErrorCode::TooLong, format!("topic {error}"));
            return self.refuse(ErrorMessage { room: Some(room), re, ..error });
        }
        let topic = match self.set_topic(&room, text).await {
            Ok(topic) => topic,
            Err(error) => return self.unavailable_in(Some(room), &error, re),
        };
        let said_at = i64::try_from(topic.at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let timestamp = format!("{:.3}", said_at.unwrap_or_else(Timestamp::now));
        let body = MessageBody { kind: Some(Kind::Topic), timestamp, ..self.body(topic.text) };
        let (conn, client, generation) = (self.conn(), self.who.client.clone(), self.who.generation);
        let body = Some(encode_body(&body));
        let (n, acked, digest, refusal) = (None, None, 0, None);
        let publishing = Publishing { conn, client, generation, n, acked, digest, body, refusal, re };
        self.publish(&room, publishing).await;
    }

    /// First kept, then told: who comes in when it is told finds it. Later than the one before, however the clocks of
    /// the nodes differ.
    async fn set_topic(&self, room: &RoomName, text: String) -> Result<Topic, BackboneError> {
        let before = self.topics_of(std::slice::from_ref(room)).await?;
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        let at_ms = before.first().map_or(now, |before| now.max(before.at_ms + 1));
        let topic = Topic { at_ms, text };
        call(self.hub.backbone.set_topic(room, topic.clone())).await?;
        Ok(topic)
    }

    /// What a room is about.
    pub(super) async fn topic_of(&self, room: &RoomName) -> Result<String, BackboneError> {
        Ok(self.topics_of(std::slice::from_ref(room)).await?.pop().unwrap_or_default().text)
    }

    /// What rooms are about, in their order.
    pub(super) async fn topics_of(&self, rooms: &[RoomName]) -> Result<Vec<Topic>, BackboneError> {
        call(self.hub.backbone.topics(rooms.to_vec())).await
    }
}
