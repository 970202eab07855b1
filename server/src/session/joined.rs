//! Owns which rooms a connection is in. Shared by its two directions: the session joins and leaves, the
//! writer tells the rooms when there is room in the outbox again.

use std::collections::HashMap;

use chat_protocol::RoomName;
use parking_lot::Mutex;

use crate::hub::RoomHandle;

/// The rooms of one connection.
#[derive(Default)]
pub(crate) struct Joined(Mutex<HashMap<RoomName, RoomHandle>>);

impl Joined {
    pub(crate) fn insert(&self, room: RoomHandle) {
        self.0.lock().insert(room.room.clone(), room);
    }

    pub(crate) fn remove(&self, room: &RoomName) -> Option<RoomHandle> {
        self.0.lock().remove(room)
    }

    pub(crate) fn get(&self, room: &RoomName) -> Option<RoomHandle> {
        self.0.lock().get(room).cloned()
    }

    pub(crate) fn contains(&self, room: &RoomName) -> bool {
        self.0.lock().contains_key(room)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<RoomHandle> {
        self.0.lock().values().cloned().collect()
    }

    /// Takes all of them out: the connection is gone.
    pub(crate) fn take(&self) -> Vec<RoomHandle> {
        self.0.lock().drain().map(|(_, room)| room).collect()
    }
}
