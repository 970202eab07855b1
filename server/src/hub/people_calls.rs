//! Owns what the other nodes have to be told of who is here, until it was: of each user in order, many users at once. Knows
//! no seat and no backbone.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::mem::discriminant;

use chat_protocol::{User, UserId};

/// Calls that are made together: one by one, a room that fills tells the others at the pace of a round trip.
const CALLS_AT_ONCE: usize = 64;

/// What the other nodes have to be told.
#[derive(Debug, Clone)]
pub(super) enum PeopleCall {
    Enter(User),
    Exit { user: UserId, lost: bool },
}

impl PeopleCall {
    fn user(&self) -> &UserId {
        match self {
            Self::Enter(user) => &user.user_id,
            Self::Exit { user, .. } => user,
        }
    }
}

/// The calls that wait, and those that are made.
#[derive(Debug, Default)]
pub(super) struct PeopleCalls {
    waiting: VecDeque<PeopleCall>,
    calling: bool,
    failed: bool,
}

impl PeopleCalls {
    pub(super) fn push(&mut self, call: PeopleCall) {
        self.waiting.push_back(call);
    }

    /// Says anew who is here: what waits to be said of their coming is said with this.
    pub(super) fn say_anew(&mut self, here: BTreeMap<UserId, User>) {
        self.waiting.retain(|call| matches!(call, PeopleCall::Exit { .. }));
        self.waiting.extend(here.into_values().map(PeopleCall::Enter));
    }

    /// The next calls to make together, and whether to wait before them. All of one kind: the last to leave and the first
    /// to come next must not meet. Of one user there is one among them: it is told in order, also where only some of
    /// the calls are answered.
    pub(super) fn next(&mut self) -> Option<(Vec<PeopleCall>, bool)> {
        let kind = discriminant(self.waiting.front().filter(|_| !self.calling)?);
        let mut users = HashSet::new();
        let goes_along =
            |call: &&PeopleCall| discriminant(*call) == kind && users.insert(call.user().clone());
        let count = self.waiting.iter().take(CALLS_AT_ONCE).take_while(goes_along).count();
        self.calling = true;
        Some((self.waiting.drain(..count).collect(), std::mem::take(&mut self.failed)))
    }

    /// The calls were answered, but for these, which are to be made again before any other.
    pub(super) fn answered(&mut self, failed: Vec<PeopleCall>) {
        (self.calling, self.failed) = (false, !failed.is_empty());
        failed.into_iter().rev().for_each(|call| self.waiting.push_front(call));
    }
}

#[cfg(test)]
mod tests {
    use chat_protocol::NodeId;

    use super::*;

    fn enter(name: &str) -> PeopleCall {
        let (user_id, node) = (UserId::parse(name).unwrap(), NodeId::parse("n").unwrap());
        PeopleCall::Enter(User { user_id, username: name.into(), node, away: None })
    }

    fn exit(name: &str) -> PeopleCall {
        PeopleCall::Exit { user: UserId::parse(name).unwrap(), lost: false }
    }

    fn calls(calls: impl IntoIterator<Item = PeopleCall>) -> PeopleCalls {
        let mut waiting = PeopleCalls::default();
        calls.into_iter().for_each(|call| waiting.push(call));
        waiting
    }

    fn next(calls: &mut PeopleCalls) -> (String, bool) {
        let (next, waits) = calls.next().unwrap();
        let shown = next.iter().map(|call| match call {
            PeopleCall::Enter(user) => format!("+{}", user.user_id),
            PeopleCall::Exit { user, .. } => format!("-{user}"),
        });
        let shown = shown.collect::<Vec<_>>().join(" ");
        calls.answered(Vec::new());
        (shown, waits)
    }

    #[test]
    fn many_users_are_told_at_once_and_each_in_order() {
        let mut all = calls([enter("a"), enter("b"), enter("a"), exit("a"), exit("b"), enter("b")]);
        let told: Vec<String> = (0..4).map(|_| next(&mut all).0).collect();
        assert_eq!(told, ["+a +b", "+a", "-a -b", "+b"]);
        assert!(all.next().is_none());
        let mut many = calls((0..200).map(|number| enter(&format!("u{number}"))));
        assert_eq!(many.next().unwrap().0.len(), CALLS_AT_ONCE);
        assert!(many.next().is_none(), "not before they are answered");
    }

    #[test]
    fn what_failed_comes_again_first_and_after_a_pause() {
        let mut all = calls([exit("a"), exit("b"), exit("c"), enter("b")]);
        let (made, waits) = all.next().unwrap();
        assert!(!waits);
        all.answered(made.into_iter().skip(1).collect());
        assert_eq!(next(&mut all), ("-b -c".to_owned(), true));
        assert_eq!(next(&mut all), ("+b".to_owned(), false));
    }
}
