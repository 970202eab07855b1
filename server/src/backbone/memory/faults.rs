//! Owns what can go wrong with the backbone of one process: a node that is cut off, data that is lost, a copy that
//! takes its place. What tests, the simulator and the demo play.

use std::collections::BTreeMap;
use std::sync::Arc;

use chat_protocol::{NodeId, RoomName, Seq};
use parking_lot::Mutex;

use super::people::People;
use super::{Clock, MemoryBackbone, RoomLog, State};

impl MemoryBackbone {
    /// Cuts a node off, or lets it back: a partition between the node and the backbone.
    pub fn set_reachable(&self, node: &NodeId, reachable: bool) {
        let now = self.now();
        let mut state = self.state.lock();
        if let Some(feed) = state.nodes.get_mut(node) {
            feed.cut_off = if reachable { None } else { feed.cut_off.or(Some(now)) };
            feed.calls_left = None;
            if reachable {
                feed.sender.tell_stale();
            }
        }
    }

    /// Cuts a node off after so many more of its calls: what is done in several ends between two of them.
    pub fn cut_off_after(&self, node: &NodeId, calls: usize) {
        if let Some(feed) = self.state.lock().nodes.get_mut(node) {
            feed.calls_left = Some(calls);
        }
    }

    /// A copy of everything that is kept, on another clock and without a node: what a replica has of its primary
    /// at this moment, or a server after a restart.
    #[must_use]
    pub fn copy(&self, clock: Clock) -> Self {
        let state = self.state.lock();
        let (rooms, people, clients) = (state.rooms.clone(), state.people.clone(), state.clients.clone());
        let copy = State {
            rooms,
            people,
            clients,
            topics: state.topics.clone(),
            session_key: state.session_key,
            nodes: BTreeMap::new(),
        };
        Self { state: Arc::new(Mutex::new(copy)), clock, timing: self.timing }
    }

    /// Forgets everything, as FLUSHALL does.
    pub fn flush(&self) {
        let mut state = self.state.lock();
        state.rooms.values_mut().for_each(RoomLog::flush);
        state.people = People::default();
        state.clients.clear();
        state.session_key = None;
        state.topics.clear();
    }

    /// Forgets a room's entries above `to`, as the promotion of a replica that lags does.
    pub fn roll_back(&self, room: &RoomName, to: Seq) {
        if let Some(log) = self.state.lock().rooms.get_mut(room) {
            log.roll_back(to);
        }
    }

    /// Forgets which numbers a room's clients have used, as their expiry or eviction does.
    #[cfg(test)]
    pub(in crate::backbone) fn forget_records(&self, room: &RoomName) {
        if let Some(log) = self.state.lock().rooms.get_mut(room) {
            log.forget_records();
        }
    }
}
