//! Owns who is who in a conversation: which client is of which user, who is in which room, and who has the last word.
//! Pure, and the same whoever asks.

use std::collections::BTreeSet;

/// One user in so many has a second client.
const TWO_CLIENTS_OF: u32 = 3;

/// The users of a conversation and their rooms, all by number. The clients come first by the users' first ones, then
/// by their second ones, and at last, when all is said, one more for each user: a new machine.
#[derive(Debug, Clone)]
pub(super) struct Cast {
    clients: u32,
    users: u32,
    rooms: u32,
    /// Who opens each room of two, and with whom.
    pairs: Vec<(u32, u32)>,
}

impl Cast {
    pub(super) fn of(clients: usize, rooms: usize) -> Self {
        let (clients, rooms) = (clients as u32, rooms as u32);
        let users = (clients - clients / (TWO_CLIENTS_OF + 1)).max(rooms);
        let mut taken = BTreeSet::new();
        let pairs = (0..users).map(|user| (user, (user + 1 + user % 3) % users));
        let pairs =
            pairs.filter(|(user, with)| user != with && taken.insert((*user.min(with), *user.max(with))));
        Self { clients, users, rooms, pairs: pairs.collect() }
    }

    pub(super) fn users(&self) -> u32 {
        self.users
    }

    /// Rooms for everybody.
    pub(super) fn open_rooms(&self) -> std::ops::Range<u32> {
        0..self.rooms
    }

    pub(super) fn user(&self, client: u32) -> u32 {
        match client {
            _ if client < self.users => client,
            _ if client < self.clients => client - self.users,
            _ => client - self.clients,
        }
    }

    /// It is the client by which its user came.
    pub(super) fn is_first(&self, client: u32) -> bool {
        client < self.users
    }

    /// It comes when all is said.
    pub(super) fn is_late(&self, client: u32) -> bool {
        client >= self.clients
    }

    /// The client that a user's new machine is.
    pub(super) fn late(&self, user: u32) -> u32 {
        self.clients + user
    }

    /// The room for everybody in which a user is.
    pub(super) fn home(&self, user: u32) -> u32 {
        user % self.rooms
    }

    /// Rooms of two, with who opens each and whom it is with.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (u32, (u32, u32))> {
        (self.rooms..).zip(self.pairs.iter().copied())
    }

    /// The room of two users.
    pub(super) fn pair(&self, one: u32, other: u32) -> Option<u32> {
        let is_it = |pair: (u32, u32)| pair == (one, other) || pair == (other, one);
        self.pairs().find(|(_, pair)| is_it(*pair)).map(|(room, _)| room)
    }

    /// All rooms of a user.
    pub(super) fn rooms_of(&self, user: u32) -> Vec<u32> {
        let own = self.pairs().filter(|(_, (one, other))| [*one, *other].contains(&user));
        std::iter::once(self.home(user)).chain(own.map(|(room, _)| room)).collect()
    }

    /// The rooms in which a client has the last word.
    pub(super) fn ended_by(&self, client: u32) -> Vec<u32> {
        let own = self.open_rooms().filter(|room| *room == client);
        own.chain(self.pairs().filter(|(_, (one, _))| *one == client).map(|(room, _)| room)).collect()
    }

    /// The client that tells at the end how far its user has read a room: the others of the user have to hear of it.
    pub(super) fn teller(&self, user: u32, room: u32) -> u32 {
        let second = user + self.users;
        if second < self.clients && (user + room) % 2 == 1 { second } else { user }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_has_a_user_and_every_room_somebody_with_the_last_word() {
        let cast = Cast::of(40, 2);
        assert_eq!((cast.users(), cast.user(3), cast.user(30), cast.user(cast.late(7))), (30, 3, 0, 7));
        let mut ended: Vec<u32> = (0..cast.users()).flat_map(|client| cast.ended_by(client)).collect();
        ended.sort_unstable();
        let rooms: Vec<u32> = cast.open_rooms().chain(cast.pairs().map(|(room, _)| room)).collect();
        assert_eq!(ended, rooms);
        for (room, (one, other)) in cast.pairs() {
            assert_eq!(cast.pair(other, one), Some(room));
            assert!(cast.rooms_of(one).contains(&room) && cast.rooms_of(other).contains(&room));
        }
    }

    #[test]
    fn both_clients_of_a_user_have_something_to_tell_and_to_hear() {
        let cast = Cast::of(40, 2);
        let tellers: BTreeSet<u32> = cast.rooms_of(4).into_iter().map(|room| cast.teller(4, room)).collect();
        assert_eq!(tellers, BTreeSet::from([4, 34]));
        assert_eq!(cast.teller(29, 0), 29, "it has no second client");
    }
}
