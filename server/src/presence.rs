//! Owns who is in one room, as this node sees it: the users of all nodes, the leaves that are held back
//! because their user may be back in a moment, and the changes to tell. Pure: time is passed in. No order is
//! promised against messages.
//!
//! Nothing here walks all users of the room but what is asked of all of them: a list from the backbone, a node that is
//! gone. A room of thousands asks for its deadline with every message.

use std::collections::{BTreeMap, BTreeSet, HashSet};
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
/// Changes kept while the backbone is asked who is here: what comes within its longest answer, and more.
const SINCE_ASKED_MAX: usize = 65_536;

/// The users of one room.
#[derive(Debug)]
pub(crate) struct Roster {
    users: BTreeMap<UserId, Seat>,
    hold: Duration,
    /// The leaves that are held, the first to become real first.
    held: BTreeSet<(Duration, UserId)>,
    changes: Changes,
    told_at: Option<Duration>,
    /// Changes were left out of what was told: once the room is small, everybody needs the whole list.
    is_sampled: bool,
    /// What has happened since the backbone was asked who is here: its answer may be older. None: it was not asked, or too
    /// much has happened.
    since_asked: Option<Vec<PresenceChange>>,
}

/// What everybody in the room is to be told.
#[derive(Debug)]
pub(crate) enum Telling {
    /// These changes.
    Changes(Presence),
    /// Who is there: the changes would not add up to it.
    Anew,
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

    fn longest(&self) -> usize {
        self.joined.len().max(self.left.len()).max(self.moved.len())
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
        let (users, held, changes) = Default::default();
        Self { users, hold, held, changes, told_at: None, is_sampled: false, since_asked: None }
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

    /// The backbone is asked who is here: what happens from now on stands, whatever it answers.
    pub(crate) fn asked(&mut self) {
        self.since_asked = Some(Vec::new());
    }

    /// Takes what the backbone has answered; who is missing there leaves, held. False: nothing was taken, as it is not
    /// known what has happened since it was asked. It is to be asked again.
    pub(crate) fn load(&mut self, now: Duration, users: Vec<User>) -> bool {
        let Some(since) = self.since_asked.take() else { return false };
        let there: HashSet<&UserId> = users.iter().map(|user| &user.user_id).collect();
        let missing: Vec<(UserId, Vec<NodeId>)> = (self.users.iter())
            .filter(|(id, _)| !there.contains(id))
            .map(|(id, seat)| (id.clone(), seat.nodes.clone()))
            .collect();
        for (user, nodes) in missing {
            for node in nodes {
                self.leave(now, &user, &node, true);
            }
        }
        for user in users {
            self.enter(user);
        }
        since.into_iter().for_each(|change| self.apply(now, change));
        true
    }

    pub(crate) fn change(&mut self, now: Duration, change: PresenceChange) {
        if let Some(since) = self.since_asked.as_mut().filter(|since| since.len() < SINCE_ASKED_MAX) {
            since.push(change.clone());
        } else {
            self.since_asked = None;
        }
        self.apply(now, change);
    }

    fn apply(&mut self, now: Duration, change: PresenceChange) {
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
        if let Some(at) = seat.gone_at.take() {
            self.held.remove(&(at, id.clone()));
        }
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
            None if lost => {
                let at = now + self.hold;
                seat.gone_at = Some(at);
                self.held.insert((at, user.clone()));
            }
            None => self.remove(&user.clone()),
        }
    }

    fn remove(&mut self, user: &UserId) {
        if let Some(seat) = self.users.remove(user) {
            if let Some(at) = seat.gone_at {
                self.held.remove(&(at, user.clone()));
            }
            self.changes.moved.remove(user);
            self.changes.joined.remove(user);
            if !self.changes.new.remove(user) {
                self.changes.left.insert(user.clone(), seat.user);
            }
        }
    }

    /// When [`Roster::tell`] may have something new without a change coming in.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let held = self.held.first().map(|(at, _)| *at);
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

    /// What is to be told now, if anything. Held leaves that are due become real.
    pub(crate) fn tell(&mut self, now: Duration, room: &RoomName) -> Option<Telling> {
        while let Some((at, user)) = self.held.pop_first() {
            if at > now {
                self.held.insert((at, user));
                break;
            }
            self.remove(&user);
        }
        if self.changes.is_empty() || now < self.tell_at() {
            return None;
        }
        self.told_at = Some(now);
        let max = if self.is_large() { SAMPLE_MAX } else { limits::USERS_LISTED_MAX };
        let changes = std::mem::take(&mut self.changes);
        self.is_sampled |= changes.longest() > max;
        if self.is_sampled && !self.is_large() {
            self.is_sampled = false;
            return Some(Telling::Anew);
        }
        // As they are now, whatever the order in which they were renamed and moved.
        let user = |id: &UserId| self.users.get(id).map(|seat| seat.user.clone());
        let moved = |(id, from)| user(&id).map(|user| Moved { user, from });
        Some(Telling::Changes(Presence {
            room: room.clone(),
            joined: changes.joined.iter().filter_map(user).take(max).collect(),
            left: changes.left.into_values().take(max).collect(),
            moved: changes.moved.into_iter().filter_map(moved).take(max).collect(),
            count: self.users.len(),
        }))
    }
}

#[cfg(test)]
mod tests;
