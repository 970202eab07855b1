//! Owns which rooms a connection is in. Shared by its two directions: the session joins and leaves, the
//! writer tells the rooms when there is room in the outbox again.

use std::collections::HashMap;

use chat_protocol::RoomName;
use parking_lot::Mutex;

use super::RoomHandle;

/// The rooms of one connection.
#[derive(Default)]
pub(crate) struct Joined {
    rooms: Mutex<HashMap<RoomName, RoomHandle>>,
    /// The user's hidden room, which no request can name.
    own: Mutex<Option<RoomHandle>>,
}

impl Joined {
    pub(crate) fn insert(&self, room: RoomHandle) {
        self.rooms.lock().insert(room.room.clone(), room);
    }

    pub(crate) fn remove(&self, room: &RoomName) -> Option<RoomHandle> {
        self.rooms.lock().remove(room)
    }

    pub(crate) fn get(&self, room: &RoomName) -> Option<RoomHandle> {
        self.rooms.lock().get(room).cloned()
    }

    pub(crate) fn contains(&self, room: &RoomName) -> bool {
        self.rooms.lock().contains_key(room)
    }

    pub(crate) fn len(&self) -> usize {
        self.rooms.lock().len()
    }

    /// The user's hidden room.
    pub(crate) fn set_own(&self, room: RoomHandle) {
        *self.own.lock() = Some(room);
    }

    /// All that were joined.
    pub(crate) fn all(&self) -> Vec<RoomHandle> {
        self.rooms.lock().values().cloned().collect()
    }

    /// All of them, the user's hidden room too.
    pub(crate) fn each(&self) -> Vec<RoomHandle> {
        let own = self.own.lock().clone();
        self.all().into_iter().chain(own).collect()
    }

    /// Takes all of them out: the connection is gone.
    pub(crate) fn take(&self) -> Vec<RoomHandle> {
        let own = self.own.lock().take();
        self.rooms.lock().drain().map(|(_, room)| room).chain(own).collect()
    }
}
