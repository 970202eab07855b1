//! Owns the rooms: which there are, which is shown, who is in each, what is unread. Knows nothing of how they are
//! drawn or how their messages come.

use std::collections::{BTreeMap, BTreeSet};

use chat_protocol::{NodeId, Presence, RoomName, User, UserId};

use super::history::History;
use super::text::clean_line;
use super::typing::Typing;

/// A room.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: RoomName,
    /// The server has us in it.
    pub(crate) joined: bool,
    /// We asked to leave.
    pub(crate) leaving: bool,
    pub(crate) topic: String,
    pub(crate) unread: usize,
    pub(crate) mentions: usize,
    /// Sorted by name.
    pub(crate) members: Vec<Member>,
    /// How many there are; the list may be cut.
    pub(crate) count: usize,
    pub(crate) history: History,
    pub(crate) typing: Typing,
    /// What was being written when another room was chosen.
    pub(crate) draft: String,
}

/// A user in a room, with names safe to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) node: NodeId,
    pub(crate) away: bool,
}

impl From<&User> for Member {
    fn from(user: &User) -> Self {
        Self {
            id: user.user_id.clone(),
            name: clean_line(&user.username),
            node: user.node.clone(),
            away: user.away.is_some(),
        }
    }
}

impl Room {
    fn new(name: RoomName) -> Self {
        Self {
            name,
            joined: false,
            leaving: false,
            topic: String::new(),
            unread: 0,
            mentions: 0,
            members: Vec::new(),
            count: 0,
            history: History::default(),
            typing: Typing::default(),
            draft: String::new(),
        }
    }

    /// Takes the list of users as it is now.
    pub(crate) fn set_members(&mut self, users: &[User], count: usize) {
        self.members = users.iter().map(Member::from).collect();
        self.count = count;
        self.sort();
    }

    /// Takes a batch of changes.
    pub(crate) fn change_members(&mut self, presence: &Presence) {
        presence.left.iter().for_each(|user| self.typing.stopped(&user.user_id));
        let there: BTreeMap<&UserId, &User> = (presence.joined.iter())
            .chain(presence.moved.iter().map(|moved| &moved.user))
            .map(|user| (&user.user_id, user))
            .collect();
        // Once through the list, whatever the number of changes: a room may have thousands of both.
        let gone: BTreeSet<&UserId> = presence.left.iter().map(|user| &user.user_id).collect();
        self.members.retain(|member| !gone.contains(&member.id) && !there.contains_key(&member.id));
        self.members.extend(there.into_values().map(Member::from));
        self.count = presence.count;
        self.sort();
    }

    /// A user has another name now; true if the user is here.
    pub(crate) fn rename(&mut self, id: &UserId, name: &str) -> bool {
        let Some(member) = self.members.iter_mut().find(|member| member.id == *id) else { return false };
        member.name = clean_line(name);
        self.sort();
        true
    }

    fn sort(&mut self) {
        self.members.sort_by_cached_key(|member| (member.name.to_lowercase(), member.id.clone()));
    }

    /// Everything in it was seen.
    pub(crate) fn read(&mut self) {
        (self.unread, self.mentions) = (0, 0);
    }
}

/// All rooms, one of them shown.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    list: Vec<Room>,
    current: usize,
}

impl Rooms {
    /// Indices of the rooms that hold the letters of `query` in order: exact first, then beginnings, then pieces,
    /// then the rest; unread rooms before read ones.
    pub(crate) fn found(&self, query: &str) -> Vec<usize> {
        let query = query.trim_start_matches('#').to_lowercase();
        let mut found: Vec<_> = self
            .iter()
            .enumerate()
            .filter(|(_, room)| is_subsequence(&query, room.name.as_str()))
            .map(|(index, room)| {
                let name = room.name.as_str();
                let rank = (name != query, !name.starts_with(&query), !name.contains(&query));
                (rank, room.mentions == 0, room.unread == 0, index)
            })
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, _, _, index)| index).collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.list.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Room> {
        self.list.iter_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The index of the room shown.
    pub(crate) fn index(&self) -> usize {
        self.current
    }

    pub(crate) fn current(&self) -> Option<&Room> {
        self.list.get(self.current)
    }

    pub(crate) fn current_mut(&mut self) -> Option<&mut Room> {
        self.list.get_mut(self.current)
    }

    pub(crate) fn find(&self, name: &RoomName) -> Option<usize> {
        self.list.iter().position(|room| room.name == *name)
    }

    pub(crate) fn by_name_mut(&mut self, name: &RoomName) -> Option<&mut Room> {
        self.list.iter_mut().find(|room| room.name == *name)
    }

    /// The index of a room, which is made where there is none.
    pub(crate) fn find_or_add(&mut self, name: &RoomName) -> usize {
        self.find(name).unwrap_or_else(|| {
            self.list.push(Room::new(name.clone()));
            self.list.len() - 1
        })
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut Room> {
        self.list.get_mut(index)
    }

    /// Shows another room; false if there is none of that index.
    pub(crate) fn select(&mut self, index: usize) -> bool {
        let exists = index < self.list.len();
        if exists {
            self.current = index;
        }
        exists
    }

    /// Takes a room off the list; the one above is shown if it was the current one.
    pub(crate) fn remove(&mut self, name: &RoomName) {
        let Some(index) = self.find(name) else { return };
        self.list.remove(index);
        if self.current > index || self.current >= self.list.len() {
            self.current = self.current.saturating_sub(1);
        }
    }

    /// The next room with a mention, else with something unread, after the current one and around.
    pub(crate) fn next_unread(&self) -> Option<usize> {
        let around = || (1..=self.list.len()).map(|step| (self.current + step) % self.list.len());
        around()
            .find(|index| self.list[*index].mentions > 0)
            .or_else(|| around().find(|index| self.list[*index].unread > 0))
    }

    /// Mentions and unread messages in the rooms that are not shown.
    pub(crate) fn elsewhere(&self) -> (usize, usize) {
        let others = self.list.iter().enumerate().filter(|(index, _)| *index != self.current);
        others.fold((0, 0), |(mentions, unread), (_, room)| (mentions + room.mentions, unread + room.unread))
    }
}

fn is_subsequence(letters: &str, text: &str) -> bool {
    let mut rest = text.chars();
    letters.chars().all(|letter| rest.any(|c| c == letter))
}
