//! Owns what the clients of a conversation know of one another without asking the cluster: what their users and rooms
//! are called, which message has which id, where the logs end. Nothing of it is judged: it turns names into numbers.

use std::collections::HashMap;
use std::time::Duration;

use chat_protocol::{MessageId, RoomName, Seq, UserId};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::cast::Cast;
use super::{Talk, room};
use crate::record::{Recorder, Words};

/// What is the same for all clients of a conversation.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) cast: Cast,
    /// Between two deeds of a client.
    pub(super) every: Duration,
    /// Bytes of a message.
    pub(super) bytes: usize,
    known: Mutex<Known>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Known {
    sessions: HashMap<u32, String>,
    ids: HashMap<UserId, u32>,
    rooms: HashMap<RoomName, u32>,
    /// By room: ids count in each.
    messages: HashMap<(u32, MessageId), Words>,
    /// By room and the message that is to be taken back: it has no words of its own.
    deletes: HashMap<(u32, MessageId), Words>,
    ends: HashMap<u32, Seq>,
}

impl Stage {
    /// What a talk is about; who is who stands in the record.
    pub(super) fn set(talk: &Talk, record: &Recorder) -> Self {
        let cast = Cast::of(talk.clients, talk.rooms);
        cast.pairs().for_each(|(number, pair)| record.pair(number, pair));
        let rooms = cast.open_rooms().map(|number| (room(number), number)).collect();
        let known = Mutex::new(Known { rooms, ..Known::default() });
        let every = Duration::from_secs_f64(talk.clients as f64 / talk.rate);
        Self { cast, every, bytes: talk.bytes, known, news: Notify::new() }
    }

    /// The session by which a user's other clients come.
    pub(super) fn note_session(&self, user: u32, session: String) {
        self.known.lock().sessions.insert(user, session);
        self.news.notify_waiters();
    }

    /// Waits until the user has come.
    pub(super) async fn session(&self, user: u32) -> String {
        loop {
            let news = self.news.notified();
            if let Some(session) = self.known.lock().sessions.get(&user) {
                return session.clone();
            }
            news.await;
        }
    }

    pub(super) fn note_user(&self, user: u32, id: UserId) {
        self.known.lock().ids.insert(id, user);
    }

    pub(super) fn user(&self, id: &UserId) -> Option<u32> {
        self.known.lock().ids.get(id).copied()
    }

    pub(super) fn id(&self, user: u32) -> Option<UserId> {
        self.known.lock().ids.iter().find(|(_, number)| **number == user).map(|(id, _)| id.clone())
    }

    /// A room of two has this name. False where it has another one, or the name is another's.
    pub(super) fn note_room(&self, name: &RoomName, number: u32) -> bool {
        let rooms = &mut self.known.lock().rooms;
        let is_other = rooms.iter().any(|(known, of)| *of == number && known != name);
        !is_other && *rooms.entry(name.clone()).or_insert(number) == number
    }

    pub(super) fn number(&self, name: &RoomName) -> Option<u32> {
        self.known.lock().rooms.get(name).copied()
    }

    pub(super) fn name(&self, number: u32) -> Option<RoomName> {
        if self.cast.open_rooms().contains(&number) {
            return Some(room(number));
        }
        self.known.lock().rooms.iter().find(|(_, of)| **of == number).map(|(name, _)| name.clone())
    }

    pub(super) fn note_message(&self, room: u32, id: &MessageId, words: Words) {
        self.known.lock().messages.entry((room, id.clone())).or_insert(words);
    }

    pub(super) fn message(&self, room: u32, id: &MessageId) -> Option<Words> {
        self.known.lock().messages.get(&(room, id.clone())).copied()
    }

    pub(super) fn note_delete(&self, room: u32, of: &MessageId, words: Words) {
        self.known.lock().deletes.insert((room, of.clone()), words);
    }

    pub(super) fn delete(&self, room: u32, of: &MessageId) -> Option<Words> {
        self.known.lock().deletes.get(&(room, of.clone())).copied()
    }

    /// So far a room is to be read at the end.
    pub(super) fn note_end(&self, room: u32, seq: Seq) {
        self.known.lock().ends.insert(room, seq);
    }

    pub(super) fn end(&self, room: u32) -> Option<Seq> {
        self.known.lock().ends.get(&room).copied()
    }
}
