//! Owns who is in one room, as this node sees it: the users of all nodes, the leaves that are held back
//! because their user may be back in a moment, and the changes to tell. Pure: time is passed in. No order is
//! promised against messages.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::Duration;

use chat_protocol::{Moved, NodeId, Presence, RoomName, User, UserId, limits};

use crate::backbone::PresenceChange;

/// Changes are told at once, and those that follow so soon together: when a node dies, a third of a room moves within
/// a moment, and telling everybody of each would cost more than all else that the others do for them.
const BATCH_EVERY: Duration = Duration::from_millis(250);
/// A room of more users is large.
const BATCH_ABOVE: usize = 500;
/// How often a large room is told.
const BATCH_LARGE_EVERY: Duration = Duration::from_secs(1);
/// Users listed in one batch of a large room; the count is exact.
const SAMPLE_MAX: usize = 50;

/// The users of one room.
#[derive(Debug)]
pub(crate) struct Roster {
    users: BTreeMap<UserId, Seat>,
    hold: Duration,
    changes: Changes,
    told_at: Option<Duration>,
}

#[derive(Debug)]
struct Seat {
    user: User,
    /// The user's nodes, the newest last; empty while a leave is held.
    nodes: Vec<NodeId>,
    /// Counts as gone then, unless back before.
    gone_at: Option<Duration>,
}

/// What is to be told together. To those who hear it all that counts is what they were told before and how it
/// stands at the end, not what happened between.
#[derive(Debug, Default)]
struct Changes {
    /// Who is there and was not when the last changes were told: nobody needs to hear of their leaving.
    new: BTreeSet<UserId>,
    /// Who came, or has another name.
    joined: BTreeSet<UserId>,
    left: BTreeMap<UserId, User>,
    /// From which node.
    moved: BTreeMap<UserId, NodeId>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.joined.is_empty() && self.left.is_empty() && self.moved.is_empty()
    }

    /// From where they were told to be; whoever is back there has not moved.
    fn note_move(&mut self, user: &UserId, from: NodeId, to: &NodeId) {
        let from = self.moved.remove(user).unwrap_or(from);
        if from != *to {
            self.moved.insert(user.clone(), from);
        }
    }
}

impl Roster {
    /// Nobody; a leave by a lost connection is held for `hold`.
    pub(crate) fn new(hold: Duration) -> Self {
        Self { users: BTreeMap::new(), hold, changes: Changes::default(), told_at: None }
    }

    pub(crate) fn count(&self) -> usize {
        self.users.len()
    }

    /// Up to `max` users.
    pub(crate) fn list(&self, max: usize) -> Vec<User> {
        self.behind(None, max)
    }

    /// Up to `max` users in the order of their ids, behind one of them: whoever comes and goes between two pages, all
    /// others are on one page each.
    pub(crate) fn behind(&self, after: Option<&UserId>, max: usize) -> Vec<User> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let users = self.users.range::<UserId, _>((from, Bound::Unbounded));
        users.take(max).map(|(_, seat)| seat.user.clone()).collect()
    }

    /// Takes what the backbone says now; who is missing there leaves, held.
    pub(crate) fn load(&mut self, now: Duration, users: Vec<User>) {
        let missing: Vec<(UserId, Vec<NodeId>)> = (self.users.iter())
            .filter(|(id, _)| !users.iter().any(|user| user.user_id == **id))
            .map(|(id, seat)| (id.clone(), seat.nodes.clone()))
            .collect();
        for (user, nodes) in missing {
            for node in nodes {
                self.change(now, PresenceChange::Left { user: user.clone(), node, lost: true });
            }
        }
        for user in users {
            self.enter(user);
        }
    }

    pub(crate) fn change(&mut self, now: Duration, change: PresenceChange) {
        match change {
            PresenceChange::Entered(user) => self.enter(user),
            PresenceChange::Left { user, node, lost } => self.leave(now, &user, &node, lost),
        }
    }

    /// A node is gone: its users leave, held, unless they are elsewhere too.
    pub(crate) fn node_gone(&mut self, now: Duration, node: &NodeId) {
        let there = self.users.iter().filter(|(_, seat)| seat.nodes.contains(node));
        let users: Vec<UserId> = there.map(|(id, _)| id.clone()).collect();
        for user in users {
            self.leave(now, &user, node, true);
        }
    }

    fn enter(&mut self, user: User) {
        let id = user.user_id.clone();
        let Some(seat) = self.users.get_mut(&id) else {
            if self.changes.left.remove(&id).is_none() {
                self.changes.new.insert(id.clone());
            }
            self.changes.joined.insert(id.clone());
            self.users.insert(id, Seat { nodes: vec![user.node.clone()], user, gone_at: None });
            return;
        };
        seat.gone_at = None;
        seat.nodes.retain(|node| *node != user.node);
        seat.nodes.push(user.node.clone());
        let was = std::mem::replace(&mut seat.user, user.clone());
        if was.node != user.node {
            self.changes.note_move(&id, was.node, &user.node);
        }
        if (was.username, was.away) != (user.username, user.away) {
            self.changes.joined.insert(id);
        }
    }

    fn leave(&mut self, now: Duration, user: &UserId, node: &NodeId, lost: bool) {
        let Some(seat) = self.users.get_mut(user) else { return };
        let count = seat.nodes.len();
        seat.nodes.retain(|there| there != node);
        if seat.nodes.len() == count {
            return;
        }
        match seat.nodes.last() {
            Some(remaining) if seat.user.node != *remaining => {
                let from = std::mem::replace(&mut seat.user.node, remaining.clone());
                self.changes.note_move(user, from, remaining);
            }
            Some(_) => {}
            None if lost => seat.gone_at = Some(now + self.hold),
            None => self.remove(&user.clone()),
        }
    }

    fn remove(&mut self, user: &UserId) {
        if let Some(seat) = self.users.remove(user) {
            self.changes.moved.remove(user);
            self.changes.joined.remove(user);
            if !self.changes.new.remove(user) {
                self.changes.left.insert(user.clone(), seat.user);
            }
        }
    }

    /// When [`Roster::tell`] may have something new without a change coming in.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let held = self.users.values().filter_map(|seat| seat.gone_at).min();
        let batch = (!self.changes.is_empty()).then(|| self.tell_at());
        [held, batch].into_iter().flatten().min()
    }

    fn is_large(&self) -> bool {
        self.users.len() > BATCH_ABOVE
    }

    /// When changes may be told.
    fn tell_at(&self) -> Duration {
        let every = if self.is_large() { BATCH_LARGE_EVERY } else { BATCH_EVERY };
        self.told_at.map_or(Duration::ZERO, |at| at + every)
    }

    /// The changes to tell now, if any. Held leaves that are due become real.
    pub(crate) fn tell(&mut self, now: Duration, room: &RoomName) -> Option<Presence> {
        let due = self.users.iter().filter(|(_, seat)| seat.gone_at.is_some_and(|at| at <= now));
        let due: Vec<UserId> = due.map(|(id, _)| id.clone()).collect();
        for user in due {
            self.remove(&user);
        }
        if self.changes.is_empty() || now < self.tell_at() {
            return None;
        }
        self.told_at = Some(now);
        let max = if self.is_large() { SAMPLE_MAX } else { limits::USERS_LISTED_MAX };
        let changes = std::mem::take(&mut self.changes);
        // As they are now, whatever the order in which they were renamed and moved.
        let user = |id: &UserId| self.users.get(id).map(|seat| seat.user.clone());
        let moved = |(id, from)| user(&id).map(|user| Moved { user, from });
        Some(Presence {
            room: room.clone(),
            joined: changes.joined.iter().filter_map(user).take(max).collect(),
            left: changes.left.into_values().take(max).collect(),
            moved: changes.moved.into_iter().filter_map(moved).take(max).collect(),
            count: self.users.len(),
        })
    }
}

#[cfg(test)]
mod tests;
