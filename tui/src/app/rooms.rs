//! Owns the rooms: which there are, which is shown, who is in each, what is unread. Knows nothing of how they are
//! drawn or how their messages come.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chat_protocol::{NodeId, Person, Presence, RoomName, Seq, User, UserId};
use serde::{Deserialize, Serialize};

use super::history::History;
use super::text::clean_line;
use super::typing::Typing;

/// A room.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: RoomName,
    /// The server has us in it.
    pub(crate) joined: bool,
    /// It is ours and not entered: that is done when it is looked at.
    pub(crate) listed: bool,
    /// We asked to leave.
    pub(crate) leaving: bool,
    pub(crate) topic: String,
    /// The other one, in a room of two.
    pub(crate) with: Option<With>,
    /// How far it was read, on any client of ours.
    pub(crate) marker: Option<Seq>,
    /// The newest place known of its log.
    pub(crate) newest: Option<Seq>,
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
    /// It stands before those that are not.
    pub(crate) pinned: bool,
    /// What is said there calls nobody.
    pub(crate) muted: bool,
    /// Counts up with every room that comes.
    place: u64,
    /// Counts up with everything that is said anywhere: when something was said here last.
    active: u64,
}

/// What of a room outlives the program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptRoom {
    /// What was being written.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub draft: String,
    /// It stands before others.
    pub pinned: bool,
    /// It calls nobody.
    pub muted: bool,
}

/// In which order rooms are listed, the pinned ones first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// As they came.
    #[default]
    Joined,
    /// By name.
    Name,
    /// Those first in which something was said last.
    Activity,
}

/// The other user of a room of two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct With {
    pub(crate) id: UserId,
    /// Safe to draw.
    pub(crate) name: String,
}

impl From<&Person> for With {
    fn from(person: &Person) -> Self {
        Self { id: person.user_id.clone(), name: clean_line(&person.username) }
    }
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
    /// Mentions and unread messages that call the user; a muted room calls nobody.
    fn calls(&self) -> (usize, usize) {
        if self.muted { (0, 0) } else { (self.mentions, self.unread) }
    }

    fn new(name: RoomName) -> Self {
        Self {
            name,
            joined: false,
            listed: false,
            leaving: false,
            topic: String::new(),
            with: None,
            marker: None,
            newest: None,
            unread: 0,
            mentions: 0,
            members: Vec::new(),
            count: 0,
            history: History::default(),
            typing: Typing::default(),
            draft: String::new(),
            pinned: false,
            muted: false,
            place: 0,
            active: 0,
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
        if let Some(with) = self.with.as_mut().filter(|with| with.id == *id) {
            with.name = clean_line(name);
        }
        let Some(member) = self.members.iter_mut().find(|member| member.id == *id) else { return false };
        member.name = clean_line(name);
        self.sort();
        true
    }

    fn sort(&mut self) {
        self.members.sort_by_cached_key(|member| (member.name.to_lowercase(), member.id.clone()));
    }

    /// What it is called on the screen: `#general`, `@bob`.
    pub(crate) fn label(&self) -> String {
        match &self.with {
            Some(with) => format!("@{}", with.name),
            None => format!("#{}", self.name),
        }
    }

    /// The log goes on at least to here.
    pub(crate) fn reach(&mut self, seq: Seq) {
        self.newest = self.newest.max(Some(seq));
    }

    /// It was read up to a place; what is behind it is counted anew.
    pub(crate) fn read_to(&mut self, seq: Seq, me: Option<&UserId>) {
        if self.marker < Some(seq) {
            self.marker = Some(seq);
            self.count_unread(me);
        }
    }

    /// Counts what stands behind the marker.
    pub(crate) fn count_unread(&mut self, me: Option<&UserId>) {
        let Some(marker) = self.marker.filter(|_| self.history.begun) else { return };
        let news = self.history.behind(marker, me);
        (self.unread, self.mentions) = (news.messages, news.mentions);
        if self.with.is_some() {
            self.mentions = self.unread;
        }
        self.history.news = news.from.map(|from| super::history::News { from, count: news.messages });
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
    order: Order,
    /// What the last run left of rooms that have not come yet.
    kept: BTreeMap<RoomName, KeptRoom>,
    /// Rooms that came, and things that were said.
    count: u64,
}

impl Rooms {
    /// Indices of the rooms that hold the letters of `query` in order: exact first, then beginnings, then pieces,
    /// then the rest; unread rooms before read ones.
    pub(crate) fn found(&self, query: &str) -> Vec<usize> {
        let query = query.trim_start_matches(['#', '@']).to_lowercase();
        let mut found: Vec<_> = self
            .iter()
            .enumerate()
            .map(|(index, room)| (index, room, room.label()[1..].to_lowercase()))
            .filter(|(_, _, name)| is_subsequence(&query, name))
            .map(|(index, room, name)| {
                let rank = (name != query, !name.starts_with(query.as_str()), !name.contains(query.as_str()));
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

    /// The first room of the list in a pane of so many rows: the one shown is always in it.
    pub(crate) fn first_shown(&self, rows: usize) -> usize {
        (self.index() + 1).saturating_sub(rows)
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

    /// The room with a user, by name or id.
    pub(crate) fn find_direct(&self, user: &str) -> Option<usize> {
        let is_it = |with: &With| with.id.as_str() == user || with.name.to_lowercase() == user.to_lowercase();
        self.list.iter().position(|room| room.with.as_ref().is_some_and(is_it))
    }

    /// What a room is called on the screen.
    pub(crate) fn label(&self, name: &RoomName) -> String {
        let known = self.list.iter().find(|room| room.name == *name);
        known.map_or_else(|| format!("#{name}"), Room::label)
    }

    pub(crate) fn find(&self, name: &RoomName) -> Option<usize> {
        self.list.iter().position(|room| room.name == *name)
    }

    pub(crate) fn by_name_mut(&mut self, name: &RoomName) -> Option<&mut Room> {
        self.list.iter_mut().find(|room| room.name == *name)
    }

    /// The index of a room, which is made where there is none.
    pub(crate) fn find_or_add(&mut self, name: &RoomName) -> usize {
        if let Some(index) = self.find(name) {
            return index;
        }
        self.count += 1;
        let KeptRoom { draft, pinned, muted } = self.kept.remove(name).unwrap_or_default();
        self.list.push(Room { draft, pinned, muted, place: self.count, ..Room::new(name.clone()) });
        self.arrange();
        self.find(name).unwrap_or_default()
    }

    /// What the last run left.
    pub(crate) fn restore(&mut self, kept: BTreeMap<RoomName, KeptRoom>, order: Order) {
        (self.kept, self.order) = (kept, order);
    }

    /// What the next run is to start with; rooms of which there is nothing to keep are left out.
    pub(crate) fn keep(&self) -> (BTreeMap<RoomName, KeptRoom>, Order) {
        let kept = |room: &Room| {
            let (draft, pinned, muted) = (room.draft.clone(), room.pinned, room.muted);
            (room.name.clone(), KeptRoom { draft, pinned, muted })
        };
        let mut rooms = self.kept.clone();
        rooms.extend(self.list.iter().map(kept));
        rooms.retain(|_, kept| *kept != KeptRoom::default());
        (rooms, self.order)
    }

    /// Lists them in this order from now on.
    pub(crate) fn set_order(&mut self, order: Order) {
        self.order = order;
        self.arrange();
    }

    /// Puts them in their order; the one shown stays the one shown.
    pub(crate) fn arrange(&mut self) {
        let shown = self.current().map(|room| room.name.clone());
        match self.order {
            Order::Joined => self.list.sort_by_key(|room| (!room.pinned, room.place)),
            Order::Name => {
                self.list.sort_by_cached_key(|room| (!room.pinned, room.label()[1..].to_lowercase()));
            }
            Order::Activity => self.list.sort_by_key(|room| (!room.pinned, Reverse(room.active), room.place)),
        }
        self.current = shown.and_then(|name| self.find(&name)).unwrap_or(0);
    }

    /// Something was said in a room.
    pub(crate) fn spoken_in(&mut self, index: usize) {
        self.count += 1;
        let Some(room) = self.list.get_mut(index) else { return };
        room.active = self.count;
        if self.order == Order::Activity {
            self.arrange();
        }
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
            .find(|index| self.list[*index].calls().0 > 0)
            .or_else(|| around().find(|index| self.list[*index].calls().1 > 0))
    }

    /// Mentions and unread messages in the rooms that are not shown.
    pub(crate) fn elsewhere(&self) -> (usize, usize) {
        let others = self.list.iter().enumerate().filter(|(index, _)| *index != self.current);
        let calls = others.map(|(_, room)| room.calls());
        calls.fold((0, 0), |sum, calls| (sum.0 + calls.0, sum.1 + calls.1))
    }
}

fn is_subsequence(letters: &str, text: &str) -> bool {
    let mut rest = text.chars();
    letters.chars().all(|letter| rest.any(|c| c == letter))
}
