use super::*;

const HOLD: Duration = Duration::from_secs(10);

fn user(name: &str, node: &str) -> User {
    User {
        user_id: UserId::parse(name).unwrap(),
        username: name.into(),
        node: NodeId::parse(node).unwrap(),
        away: None,
    }
}

/// Who joined, left and moved, and how many are there.
type Told = (Vec<String>, Vec<String>, Vec<String>, usize);

fn told(roster: &mut Roster, now: u64) -> Option<Told> {
    told_at(roster, Duration::from_secs(now))
}

fn told_at(roster: &mut Roster, now: Duration) -> Option<Told> {
    let names =
        |users: &[User]| users.iter().map(|user| format!("{}@{}", user.username, user.node)).collect();
    changes(roster.tell(now, &RoomName::general())).map(|batch| {
        let moved = batch
            .moved
            .iter()
            .map(|moved| format!("{}:{}>{}", moved.user.username, moved.from, moved.user.node));
        (names(&batch.joined), names(&batch.left), moved.collect(), batch.count)
    })
}

/// The changes in what is told; that everything is told anew is none.
fn changes(telling: Option<Telling>) -> Option<Presence> {
    match telling {
        Some(Telling::Changes(presence)) => Some(presence),
        Some(Telling::Anew) | None => None,
    }
}

fn roster(users: &[User]) -> Roster {
    let mut roster = Roster::new(HOLD);
    roster.asked();
    assert!(roster.load(Duration::ZERO, users.to_vec()));
    told(&mut roster, 0);
    roster
}

fn left(user: &User, lost: bool) -> PresenceChange {
    PresenceChange::Left { user: user.user_id.clone(), node: user.node.clone(), lost }
}

#[test]
fn who_says_goodbye_leaves_at_once() {
    let (alice, bob) = (user("alice", "a"), user("bob", "b"));
    let mut roster = roster(&[alice.clone(), bob]);
    roster.change(Duration::ZERO, left(&alice, false));
    assert_eq!(told(&mut roster, 1), Some((vec![], vec!["alice@a".into()], vec![], 1)));
    assert_eq!(told(&mut roster, 2), None, "told once");
}

#[test]
fn who_is_lost_is_held_and_only_moves_when_back_in_time() {
    let alice = user("alice", "a");
    let mut roster = roster(std::slice::from_ref(&alice));
    roster.node_gone(Duration::from_secs(1), &alice.node);
    assert_eq!(told(&mut roster, 10), None);
    roster.change(Duration::from_secs(10), PresenceChange::Entered(user("alice", "b")));
    assert_eq!(told(&mut roster, 30), Some((vec![], vec![], vec!["alice:a>b".into()], 1)));
}

#[test]
fn who_does_not_come_back_leaves_after_the_hold() {
    let alice = user("alice", "a");
    let mut roster = roster(std::slice::from_ref(&alice));
    roster.change(Duration::from_secs(1), left(&alice, true));
    assert_eq!(roster.deadline(), Some(Duration::from_secs(11)));
    assert_eq!(told(&mut roster, 11), Some((vec![], vec!["alice@a".into()], vec![], 0)));
}

#[test]
fn a_user_on_two_nodes_leaves_with_the_last() {
    let (here, there) = (user("alice", "a"), user("alice", "b"));
    let mut roster = roster(std::slice::from_ref(&here));
    roster.change(Duration::ZERO, PresenceChange::Entered(there.clone()));
    assert_eq!(told(&mut roster, 1).unwrap().3, 1);
    roster.change(Duration::ZERO, left(&there, false));
    assert_eq!(told(&mut roster, 2), Some((vec![], vec![], vec!["alice:b>a".into()], 1)));
    roster.change(Duration::ZERO, left(&here, false));
    assert_eq!(told(&mut roster, 3).unwrap().3, 0);
}

#[test]
fn a_change_is_told_at_once_and_what_follows_it_together() {
    let ms = Duration::from_millis;
    let mut roster = roster(&[user("alice", "a")]);
    roster.change(ms(5_000), PresenceChange::Entered(user("bob", "a")));
    assert_eq!(told_at(&mut roster, ms(5_000)).unwrap().0, ["bob@a"]);
    for name in ["carol", "dave"] {
        roster.change(ms(5_010), PresenceChange::Entered(user(name, "b")));
        assert_eq!(told_at(&mut roster, ms(5_010)), None);
    }
    assert_eq!(roster.deadline(), Some(ms(5_250)));
    assert_eq!(told_at(&mut roster, ms(5_250)).unwrap().0, ["carol@b", "dave@b"]);
}

#[test]
fn a_large_room_tells_once_a_second_a_sample_and_the_exact_count() {
    let mut roster = roster(&[]);
    let enter = |roster: &mut Roster, indices: std::ops::Range<usize>| {
        for index in indices {
            roster.change(Duration::ZERO, PresenceChange::Entered(user(&format!("u{index:04}"), "a")));
        }
    };
    enter(&mut roster, 0..600);
    assert_eq!(told(&mut roster, 1).unwrap().3, 600);
    enter(&mut roster, 600..700);
    assert_eq!(told_at(&mut roster, Duration::from_millis(1_900)), None, "not before the second is over");
    let (joined, _, _, count) = told(&mut roster, 2).unwrap();
    assert_eq!((joined.len(), count), (SAMPLE_MAX, 700));
}

/// Alice and bob are known, and carol was told at 5 s: what follows within 250 ms is told together.
fn within_a_batch(changes: &[PresenceChange]) -> Option<Told> {
    let mut roster = roster(&[user("alice", "a"), user("bob", "a")]);
    roster.change(Duration::from_secs(5), PresenceChange::Entered(user("carol", "a")));
    assert!(told(&mut roster, 5).is_some());
    for change in changes {
        roster.change(Duration::from_millis(5_010), change.clone());
    }
    assert_eq!(told_at(&mut roster, Duration::from_millis(5_020)), None);
    told_at(&mut roster, Duration::from_millis(5_250))
}

#[test]
fn who_was_known_and_leaves_has_left_whatever_else_the_batch_held() {
    let bob = user("bob", "a");
    let (enters, leaves) = (PresenceChange::Entered(bob.clone()), left(&bob, false));
    let renamed = PresenceChange::Entered(User { username: "bobby".into(), ..bob });
    assert_eq!(
        within_a_batch(&[renamed.clone(), leaves.clone()]),
        Some((vec![], vec!["bobby@a".into()], vec![], 2))
    );
    assert_eq!(
        within_a_batch(&[leaves.clone(), enters, renamed, leaves]),
        Some((vec![], vec!["bobby@a".into()], vec![], 2))
    );
}

#[test]
fn who_comes_is_renamed_and_leaves_within_a_batch_is_not_told() {
    let dave = user("dave", "a");
    let renamed = PresenceChange::Entered(User { username: "david".into(), ..dave.clone() });
    let (enters, leaves) = (PresenceChange::Entered(dave.clone()), left(&dave, false));
    assert_eq!(within_a_batch(&[enters, renamed, leaves]), None);
}

#[test]
fn what_is_told_adds_up_to_who_is_there() {
    for seed in 0..200 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut roster = Roster::new(Duration::from_millis(300));
        let mut list = BTreeMap::new();
        for step in 0..400 {
            let now = Duration::from_millis(step * 20);
            let name = ["alice", "bob", "carol"][rng.usize(..3)];
            let mut who = user(name, ["a", "b"][rng.usize(..2)]);
            match rng.u8(..4) {
                0 => {}
                1 => roster.change(now, left(&who, rng.bool())),
                _ => {
                    who.username = format!("{name}{}", rng.u8(..2));
                    roster.change(now, PresenceChange::Entered(who));
                }
            }
            let Some(batch) = changes(roster.tell(now, &RoomName::general())) else { continue };
            let came = batch.joined.into_iter().chain(batch.moved.into_iter().map(|moved| moved.user));
            list.extend(came.map(|user| (user.user_id.clone(), user)));
            for user in batch.left {
                assert!(list.remove(&user.user_id).is_some(), "seed {seed}: {user:?} was not there");
            }
            let listed: Vec<User> = list.values().cloned().collect();
            assert_eq!(listed, roster.list(10), "seed {seed}, step {step}");
            assert_eq!(batch.count, listed.len());
        }
    }
}

#[test]
fn pages_of_a_large_room_hold_everybody_once_while_others_come_and_go() {
    let numbered = |number: usize| user(&format!("u{number:05}"), "a");
    // The odd numbers are there, the even ones come later.
    let mut roster = roster(&(0..5_000).map(|number| numbered(2 * number + 1)).collect::<Vec<_>>());
    let (mut seen, mut after, mut stayed) = (Vec::new(), None, roster.count());
    for turn in 0.. {
        let page = roster.behind(after.as_ref(), 500);
        let Some(last) = page.last() else { break };
        after = Some(last.user_id.clone());
        seen.extend(page.into_iter().map(|user| user.user_id));
        roster.change(Duration::ZERO, PresenceChange::Entered(numbered(2 * turn)));
        roster.change(Duration::ZERO, left(&numbered(9_999 - 2 * turn), false));
        stayed -= 1;
    }
    assert!(seen.is_sorted() && seen.windows(2).all(|pair| pair[0] != pair[1]));
    let odd = seen.iter().filter(|id| id.as_str().ends_with(['1', '3', '5', '7', '9'])).count();
    assert!(odd >= stayed, "{odd} of {stayed} who stayed");
    assert_eq!(roster.behind(Some(&UserId::parse("zz").unwrap()), 9), []);
}

#[test]
fn what_has_happened_since_the_backbone_was_asked_stands() {
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| user(name, "a"));
    let mut roster = roster(&[alice.clone(), bob.clone()]);
    roster.asked();
    roster.change(Duration::ZERO, left(&alice, false));
    roster.change(Duration::ZERO, PresenceChange::Entered(carol.clone()));
    assert!(roster.load(Duration::ZERO, vec![alice, bob.clone()]), "an answer from before");
    assert_eq!(roster.list(9), [bob.clone(), carol.clone()]);
    assert!(!roster.load(Duration::ZERO, vec![]), "an answer to nothing");
    roster.asked();
    for _ in 0..=SINCE_ASKED_MAX {
        roster.change(Duration::ZERO, PresenceChange::Entered(carol.clone()));
    }
    assert!(!roster.load(Duration::ZERO, vec![]), "too much has happened");
    assert_eq!(roster.list(9), [bob, carol]);
}

/// A member of the room: what it was told, and whom it believes to be there.
#[derive(Default)]
struct Told5000 {
    frames: usize,
    bytes: usize,
    lists: usize,
    count: usize,
    there: BTreeSet<UserId>,
}

impl Told5000 {
    fn take(&mut self, telling: Telling, roster: &Roster) {
        self.frames += 1;
        let presence = match telling {
            Telling::Changes(presence) => presence,
            Telling::Anew => {
                let users = roster.list(limits::USERS_LISTED_MAX);
                self.lists += 1;
                self.bytes += serde_json::to_string(&users).unwrap().len();
                self.there = users.into_iter().map(|user| user.user_id).collect();
                self.count = roster.count();
                return;
            }
        };
        self.bytes += serde_json::to_string(&presence).unwrap().len();
        self.count = presence.count;
        self.there.extend(presence.joined.into_iter().map(|user| user.user_id));
        self.there.retain(|id| !presence.left.iter().any(|user| user.user_id == *id));
    }
}

/// Plays changes over a time, evenly, with everything that is due in between; what a member was told.
fn play(roster: &mut Roster, (from, over): (Duration, Duration), changes: Vec<PresenceChange>) -> Told5000 {
    let (mut told, count) = (Told5000::default(), changes.len() as u32);
    told.there = roster.list(usize::MAX).into_iter().map(|user| user.user_id).collect();
    for (index, change) in (0..).zip(changes) {
        let now = from + over * index / count;
        while let Some(due) = roster.deadline().filter(|due| *due <= now) {
            let telling = roster.tell(due, &RoomName::general());
            telling.into_iter().for_each(|telling| told.take(telling, roster));
        }
        roster.change(now, change);
        let telling = roster.tell(now, &RoomName::general());
        telling.into_iter().for_each(|telling| told.take(telling, roster));
    }
    while let Some(due) = roster.deadline() {
        let telling = roster.tell(due, &RoomName::general());
        telling.into_iter().for_each(|telling| told.take(telling, roster));
        assert!(due <= from + over + Duration::from_secs(1) + HOLD, "told in time");
    }
    told
}

#[test]
fn five_thousand_come_and_go_and_a_member_is_told_little_and_the_truth() {
    let users: Vec<User> =
        (0..5_000).map(|index| user(&format!("{index:032x}"), ["a", "b", "c"][index % 3])).collect();
    let seconds = |from, over| (Duration::from_secs(from), Duration::from_secs(over));
    let mut roster = roster(&[]);
    let enters = |users: &[User]| users.iter().cloned().map(PresenceChange::Entered).collect();
    let came = play(&mut roster, seconds(100, 5), enters(&users));
    assert_eq!(came.count, 5_000);
    // Small at first: four times a second, everybody listed. Then once a second, 50 of them.
    assert!(came.frames <= 2 + 4 + 5, "{} frames", came.frames);
    assert!(came.bytes <= 120 * (500 + 5 * 50), "{} bytes", came.bytes);
    let half = |odd| users.iter().skip(odd).step_by(2);
    let gone = play(&mut roster, seconds(200, 2), half(1).map(|user| left(user, false)).collect());
    assert_eq!((gone.count, gone.lists), (2_500, 0));
    assert!(
        gone.frames <= 4 && gone.bytes <= 120 * 50 * gone.frames,
        "{} frames, {} bytes",
        gone.frames,
        gone.bytes
    );
    let lost = play(&mut roster, seconds(300, 1), half(0).map(|user| left(user, true)).take(1_000).collect());
    assert_eq!(lost.count, 1_500, "those who were lost are held, and gone then");
    assert!(
        lost.frames <= 3 && lost.bytes <= 120 * 50 * lost.frames,
        "{} frames, {} bytes",
        lost.frames,
        lost.bytes
    );
    // From large to small: the samples did not add up, so the whole list follows.
    let rest: Vec<_> = half(0).skip(1_000).map(|user| left(user, false)).take(1_400).collect();
    let small = play(&mut roster, seconds(400, 3), rest);
    assert_eq!((small.count, small.lists), (100, 1));
    let there: BTreeSet<UserId> = roster.list(usize::MAX).into_iter().map(|user| user.user_id).collect();
    assert_eq!(small.there, there, "a member knows who is there");
    println!(
        "a member was told: 5,000 came in 5 s: {} frames, {} bytes; 2,500 went in 2 s: {} frames, {} bytes",
        came.frames, came.bytes, gone.frames, gone.bytes
    );
}
