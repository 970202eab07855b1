//! Owns who is where in one process: node leases, the users of each room on each node, names, the rooms a
//! user has joined. Pure: time is passed in.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::time::Duration;

use chat_protocol::{NodeId, NodeInfo, RoomName, User, UserId};

/// A connection of a node to the backbone: what a former life of the node claimed is not its own.
type Life = (NodeId, u64);

/// Rooms remembered for one user; further ones are entered, but not remembered.
const REMEMBERED_MAX: usize = 256;

#[derive(Debug, Default, Clone)]
pub(super) struct People {
    leases: BTreeMap<NodeId, Lease>,
    rooms: BTreeMap<RoomName, BTreeMap<NodeId, BTreeMap<UserId, User>>>,
    names: HashMap<String, Claim>,
    /// When names that nobody holds any more were last thrown away.
    swept: Duration,
    joined: HashMap<UserId, BTreeSet<RoomName>>,
}

#[derive(Debug, Clone)]
struct Lease {
    info: NodeInfo,
    connection: u64,
    until: Duration,
}

#[derive(Debug, Clone)]
struct Claim {
    user: UserId,
    /// Where the user is online under it: a user who moves is on two nodes for a while.
    nodes: HashSet<Life>,
    /// When it was last claimed or given back.
    at: Duration,
}

/// What a claim is judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) now: Duration,
    /// How long a name is held after its user's last client went.
    pub(super) hold: Duration,
}

/// True while the user is online under the name, and for a while after that or after the node died.
fn is_held(leases: &BTreeMap<NodeId, Lease>, claim: &Claim, times: Times) -> bool {
    let online_until = |(node, connection): &Life| {
        leases.get(node).filter(|lease| lease.connection == *connection).map(|lease| lease.until)
    };
    let last = claim.nodes.iter().filter_map(online_until).max().unwrap_or_default().max(claim.at);
    last + times.hold > times.now
}

impl People {
    pub(super) fn live(&self, now: Duration) -> impl Iterator<Item = &NodeInfo> {
        self.leases.values().filter(move |lease| lease.until > now).map(|lease| &lease.info)
    }

    fn is_live(&self, node: &NodeId, now: Duration) -> bool {
        self.leases.get(node).is_some_and(|lease| lease.until > now)
    }

    /// False where the lease had run out, or is new; what the node had registered is gone then.
    pub(super) fn renew(&mut self, info: NodeInfo, connection: u64, until: Duration, now: Duration) -> bool {
        let node = info.node.clone();
        // Who was on a former life of the node is not on this one.
        let held =
            self.leases.get(&node).is_some_and(|lease| lease.until > now && lease.connection == connection);
        if !held {
            self.forget(&node);
        }
        self.leases.insert(node, Lease { info, connection, until });
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

    pub(super) fn exit(&mut self, room: &RoomName, node: &NodeId, user: &UserId) {
        let Some(nodes) = self.rooms.get_mut(room) else { return };
        if let Some(users) = nodes.get_mut(node) {
            users.remove(user);
        }
        nodes.retain(|_, users| !users.is_empty());
        if nodes.is_empty() {
            self.rooms.remove(room);
        }
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

    pub(super) fn rooms(
        &self,
        after: Option<&RoomName>,
        limit: usize,
        now: Duration,
    ) -> Vec<(RoomName, usize)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.rooms.range::<RoomName, _>((from, Bound::Unbounded)).map(|(room, _)| room);
        behind
            .filter(|room| !room.is_reserved())
            .map(|room| (room.clone(), self.present(room, now).len()))
            .filter(|(_, count)| *count > 0)
            .take(limit)
            .collect()
    }

    pub(super) fn claim_name(&mut self, key: &str, user: &UserId, by: Life, times: Times) -> bool {
        self.sweep(times);
        let others = self.names.get(key).filter(|claim| claim.user != *user);
        if others.is_some_and(|claim| is_held(&self.leases, claim, times)) {
            return false;
        }
        let fresh = || Claim { user: user.clone(), nodes: HashSet::new(), at: times.now };
        let mut claim = self.names.remove(key).filter(|claim| claim.user == *user).unwrap_or_else(fresh);
        claim.nodes.insert(by);
        claim.at = times.now;
        self.names.insert(key.to_owned(), claim);
        true
    }

    pub(super) fn name_owner(&self, key: &str) -> Option<UserId> {
        self.names.get(key).map(|claim| claim.user.clone())
    }

    pub(super) fn release_name(&mut self, key: &str, user: &UserId, by: &Life, now: Duration) {
        if let Some(claim) = self.names.get_mut(key).filter(|claim| claim.user == *user) {
            claim.nodes.remove(by);
            claim.at = now;
        }
    }

    /// Once in the time a name is held: so a claim costs the same however many names there are.
    fn sweep(&mut self, times: Times) {
        if times.now >= self.swept + times.hold {
            self.swept = times.now;
            let leases = &self.leases;
            self.names.retain(|_, claim| is_held(leases, claim, times));
        }
    }

    pub(super) fn remember(&mut self, user: &UserId, room: &RoomName, joined: bool) {
        let rooms = self.joined.entry(user.clone()).or_default();
        if !joined {
            rooms.remove(room);
        } else if rooms.len() < REMEMBERED_MAX {
            rooms.insert(room.clone());
        }
    }

    pub(super) fn remembered(&self, user: &UserId) -> Vec<RoomName> {
        self.joined.get(user).into_iter().flatten().cloned().collect()
    }
}
