//! Owns who is where in one process: node leases, the users of each room on each node, names, the rooms a
//! user has joined. Pure: time is passed in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use chat_protocol::{NodeId, NodeInfo, RoomName, User, UserId};

#[derive(Debug, Default)]
pub(super) struct People {
    leases: BTreeMap<NodeId, Lease>,
    rooms: BTreeMap<RoomName, BTreeMap<NodeId, BTreeMap<UserId, User>>>,
    names: HashMap<String, Claim>,
    joined: HashMap<UserId, BTreeSet<RoomName>>,
}

#[derive(Debug)]
struct Lease {
    info: NodeInfo,
    until: Duration,
}

#[derive(Debug)]
struct Claim {
    user: UserId,
    /// None while the user is online.
    until: Option<Duration>,
}

impl People {
    pub(super) fn live(&self, now: Duration) -> impl Iterator<Item = &NodeInfo> {
        self.leases.values().filter(move |lease| lease.until > now).map(|lease| &lease.info)
    }

    fn is_live(&self, node: &NodeId, now: Duration) -> bool {
        self.leases.get(node).is_some_and(|lease| lease.until > now)
    }

    /// False where the lease had run out, or is new; what the node had registered is gone then.
    pub(super) fn renew(&mut self, info: NodeInfo, until: Duration, now: Duration) -> bool {
        let node = info.node.clone();
        let held = self.is_live(&node, now);
        if !held {
            self.forget(&node);
        }
        self.leases.insert(node, Lease { info, until });
        held
    }

    pub(super) fn depart(&mut self, node: &NodeId) {
        self.leases.remove(node);
        self.forget(node);
    }

    fn forget(&mut self, node: &NodeId) {
        for nodes in self.rooms.values_mut() {
            nodes.remove(node);
        }
        self.rooms.retain(|_, nodes| !nodes.is_empty());
    }

    pub(super) fn enter(&mut self, room: &RoomName, node: &NodeId, user: User) {
        let users = self.rooms.entry(room.clone()).or_default().entry(node.clone()).or_default();
        users.insert(user.user_id.clone(), user);
    }

    /// True where the user was there.
    pub(super) fn exit(&mut self, room: &RoomName, node: &NodeId, user: &UserId) -> bool {
        let Some(nodes) = self.rooms.get_mut(room) else { return false };
        let was = nodes.get_mut(node).is_some_and(|users| users.remove(user).is_some());
        nodes.retain(|_, users| !users.is_empty());
        if nodes.is_empty() {
            self.rooms.remove(room);
        }
        was
    }

    /// Each user once, however many nodes the user is on.
    pub(super) fn present(&self, room: &RoomName, now: Duration) -> Vec<User> {
        let mut users = BTreeMap::new();
        for (node, there) in self.rooms.get(room).into_iter().flatten() {
            if self.is_live(node, now) {
                users.extend(there.iter().map(|(id, user)| (id.clone(), user.clone())));
            }
        }
        users.into_values().collect()
    }

    pub(super) fn rooms(&self, now: Duration) -> Vec<(RoomName, usize)> {
        let shown = self.rooms.keys().filter(|room| !room.is_reserved());
        shown
            .map(|room| (room.clone(), self.present(room, now).len()))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    pub(super) fn claim_name(&mut self, key: &str, user: &UserId, now: Duration) -> bool {
        self.names.retain(|_, claim| claim.until.is_none_or(|until| until > now));
        let claim =
            self.names.entry(key.to_owned()).or_insert_with(|| Claim { user: user.clone(), until: None });
        let ours = claim.user == *user;
        if ours {
            claim.until = None;
        }
        ours
    }

    pub(super) fn release_name(&mut self, key: &str, user: &UserId, until: Duration) {
        if let Some(claim) = self.names.get_mut(key).filter(|claim| claim.user == *user) {
            claim.until = Some(until);
        }
    }

    pub(super) fn remember(&mut self, user: &UserId, room: &RoomName, joined: bool) {
        let rooms = self.joined.entry(user.clone()).or_default();
        if joined {
            rooms.insert(room.clone())
        } else {
            rooms.remove(room)
        };
    }

    pub(super) fn remembered(&self, user: &UserId) -> Vec<RoomName> {
        self.joined.get(user).into_iter().flatten().cloned().collect()
    }
}
