//! Owns what a user is beyond one connection: name, being away, how far it has read, its direct rooms, whom it
//! ignores. All of it is folded from the log of the user's hidden room, so that it is ordered, kept, repaired and
//! brought to every node like a message. Pure; knows neither hub nor backbone.

use std::collections::BTreeMap;

use chat_protocol::{ClientId, Epoch, Person, Re, RoomName, Seq, UserId, UserName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Entries behind the last snapshot after which another one is due: reading a user takes one page.
pub(crate) const SNAPSHOT_EVERY: u64 = 200;
/// Direct rooms, ignored users and markers one user may have: what is read at each hello is bounded.
pub(crate) const ITEMS_MAX: usize = 1_000;

/// An entry of a hidden room's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UserEntry {
    /// The client that did it; none: a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<ClientId>,
    /// The request that this is the answer to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) re: Option<Re>,
    pub(crate) deed: Deed,
}

/// What was done. Nodes of a former release pass over what they do not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Deed {
    /// The user has this name; `wanted` where that one was taken.
    Name {
        name: UserName,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wanted: Option<UserName>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        was: Option<UserName>,
    },
    /// The user is away; without a text: back.
    Away {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// A room was read up to a place.
    Read { room: RoomName, epoch: Epoch, seq: Seq },
    /// A direct room with another user was opened.
    Direct { room: RoomName, with: Person },
    /// What a user says is hidden from now on, or no more.
    Ignore {
        user: Person,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        off: bool,
    },
    /// Everything up to a place, folded: what lies before need not be read.
    Snapshot { upto: Option<(Epoch, Seq)>, state: UserState },
    /// A deed of a newer release.
    #[serde(other)]
    Unknown,
}

/// How far a room was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    pub(crate) epoch: Epoch,
    pub(crate) seq: Seq,
}

/// A user, as the log tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct UserState {
    pub(crate) name: Option<UserName>,
    /// The name to be had again once it is free.
    pub(crate) wanted: Option<UserName>,
    pub(crate) away: Option<String>,
    pub(crate) read: BTreeMap<RoomName, Marker>,
    pub(crate) direct: BTreeMap<RoomName, Person>,
    pub(crate) ignored: BTreeMap<UserId, String>,
}

impl UserState {
    /// Takes the next deed of the log.
    pub(crate) fn take(&mut self, deed: &Deed) {
        match deed.clone() {
            Deed::Name { name, wanted, .. } => (self.name, self.wanted) = (Some(name), wanted),
            Deed::Away { text } => self.away = text,
            Deed::Read { room, epoch, seq } => self.mark(room, Marker { epoch, seq }),
            Deed::Direct { room, with } => put(&mut self.direct, room, with),
            Deed::Ignore { user, off: false } => put(&mut self.ignored, user.user_id, user.username),
            Deed::Ignore { user, off: true } => drop(self.ignored.remove(&user.user_id)),
            Deed::Snapshot { state, .. } => self.merge(state),
            Deed::Unknown => {}
        }
    }

    /// A marker never goes back within a life of a log; a new life begins anew.
    fn mark(&mut self, room: RoomName, marker: Marker) {
        if !self.is_read(&room, marker) {
            put(&mut self.read, room, marker);
        }
    }

    /// True where a room is known to be read up to a place.
    pub(crate) fn is_read(&self, room: &RoomName, marker: Marker) -> bool {
        self.read.get(room).is_some_and(|known| known.epoch == marker.epoch && known.seq >= marker.seq)
    }

    /// Takes what another fold of the same user holds and this one may lack: a log that was lost begins anew.
    fn merge(&mut self, other: Self) {
        let Self { name, wanted, away, read, direct, ignored } = other;
        if self.name.is_none() {
            (self.name, self.wanted) = (name, wanted);
        }
        self.away = self.away.take().or(away);
        for (room, marker) in read {
            let known = self.read.get(&room);
            if known.is_none_or(|known| known.epoch == marker.epoch && known.seq < marker.seq) {
                put(&mut self.read, room, marker);
            }
        }
        direct.into_iter().for_each(|(room, with)| put(&mut self.direct, room, with));
        ignored.into_iter().for_each(|(user, name)| put(&mut self.ignored, user, name));
    }

    /// How far a room was read in a life of its log.
    pub(crate) fn read_in(&self, room: &RoomName, epoch: Epoch) -> Option<Seq> {
        self.read.get(room).filter(|marker| marker.epoch == epoch).map(|marker| marker.seq)
    }

    pub(crate) fn ignored(&self) -> Vec<Person> {
        let person = |(user_id, username): (&UserId, &String)| Person {
            user_id: user_id.clone(),
            username: username.clone(),
        };
        self.ignored.iter().map(person).collect()
    }
}

/// What is new finds no place where there are too many; what is known is kept up to date.
fn put<K: Ord, V>(items: &mut BTreeMap<K, V>, key: K, value: V) {
    if items.len() < ITEMS_MAX || items.contains_key(&key) {
        items.insert(key, value);
    }
}

/// The room of two users: the same whoever opens it, and whatever they are called. The first 128 bits of SHA-256 over
/// both ids in order.
pub(crate) fn direct_room(one: &UserId, other: &UserId) -> RoomName {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    let hash = Sha256::digest(format!("{first}\n{second}"));
    let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    RoomName::parse(&format!("dm-{digits}")).expect("hexadecimal digits make a room name")
}

/// A user as read from the end of its log backwards.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The newest entries first.
    entries: Vec<(Seq, UserEntry)>,
    /// Everything up to there is in a snapshot that was met.
    upto: Option<Seq>,
}

impl Reading {
    /// Takes the next older page of a log in this life, oldest entry first. True: nothing older is needed.
    pub(crate) fn take(
        &mut self,
        epoch: Epoch,
        page: impl DoubleEndedIterator<Item = (Seq, UserEntry)>,
    ) -> bool {
        for (seq, entry) in page.rev() {
            if self.is_enough(seq) {
                return true;
            }
            if let Deed::Snapshot { upto: Some((at, upto)), .. } = &entry.deed
                && *at == epoch
                && self.upto.is_none()
            {
                self.upto = Some(*upto);
            }
            self.entries.push((seq, entry));
        }
        false
    }

    fn is_enough(&self, seq: Seq) -> bool {
        self.upto.is_some_and(|upto| seq <= upto)
    }

    /// The user, and how many entries stand behind the last snapshot.
    pub(crate) fn fold(self) -> (UserState, u64) {
        // One without a place is what somebody knew after a loss: it is merged where it stands.
        let is_snapshot =
            |(_, entry): &&(Seq, UserEntry)| matches!(entry.deed, Deed::Snapshot { upto: Some(_), .. });
        let since = self.entries.iter().take_while(|entry| !is_snapshot(entry)).count() as u64;
        let mut state = UserState::default();
        // What a snapshot holds comes before what was done since, wherever it stands.
        let base = self.upto.and_then(|_| self.entries.iter().find(is_snapshot));
        if let Some((_, entry)) = base {
            state.take(&entry.deed);
        }
        for (_, entry) in self.entries.iter().rev().filter(|entry| self.upto.is_none() || !is_snapshot(entry))
        {
            state.take(&entry.deed);
        }
        (state, since)
    }
}

#[cfg(test)]
mod tests;
