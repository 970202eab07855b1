use super::*;

const LIFE: Epoch = Epoch(7);

fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

fn read(name: &str, epoch: u64, seq: u64) -> Deed {
    Deed::Read { room: room(name), epoch: Epoch(epoch), seq: Seq(seq) }
}

fn person(id: &str) -> Person {
    Person { user_id: UserId::parse(id).unwrap(), username: id.to_owned() }
}

fn name(name: &str) -> Deed {
    Deed::Name { name: UserName::parse(name).unwrap(), wanted: None, was: None }
}

fn entry(deed: Deed) -> UserEntry {
    UserEntry { by: None, re: None, deed }
}

fn fold(deeds: &[Deed]) -> UserState {
    let mut state = UserState::default();
    deeds.iter().for_each(|deed| state.take(deed));
    state
}

/// What is read of a log in pages of `page`, and how many entries stand behind its last snapshot.
fn read_back(log: &[Deed], page: usize) -> (UserState, u64, usize) {
    let placed: Vec<(Seq, UserEntry)> =
        (1..).zip(log).map(|(seq, deed)| (Seq(seq), entry(deed.clone()))).collect();
    let (mut reading, mut pages) = (Reading::default(), 0);
    for page in placed.rchunks(page) {
        pages += 1;
        if reading.take(LIFE, page.iter().cloned()) {
            break;
        }
    }
    let (state, since) = reading.fold();
    (state, since, pages)
}

#[test]
fn a_marker_never_goes_back_within_a_life_of_the_log() {
    let state = fold(&[read("ops", 1, 9), read("ops", 1, 4)]);
    assert_eq!(state.read_in(&room("ops"), Epoch(1)), Some(Seq(9)));
    let state = fold(&[read("ops", 1, 9), read("ops", 2, 4)]);
    assert_eq!(state.read_in(&room("ops"), Epoch(2)), Some(Seq(4)));
    assert_eq!(state.read_in(&room("ops"), Epoch(1)), None, "places of another life mean nothing");
}

#[test]
fn who_is_ignored_no_more_is_shown_again() {
    let ignore = |off| Deed::Ignore { user: person("mallory"), off };
    assert_eq!(fold(&[ignore(false)]).ignored(), [person("mallory")]);
    assert_eq!(fold(&[ignore(false), ignore(true)]).ignored(), []);
}

#[test]
fn both_users_find_the_same_room_and_others_another() {
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|id| UserId::parse(id).unwrap());
    assert_eq!(direct_room(&alice, &bob), direct_room(&bob, &alice));
    assert_ne!(direct_room(&alice, &bob), direct_room(&alice, &carol));
    assert!(direct_room(&alice, &bob).is_direct());
}

#[test]
fn a_snapshot_stands_for_everything_before_the_place_it_names() {
    let ignore = |off| Deed::Ignore { user: person("mallory"), off };
    let mut log = vec![name("alice"), ignore(false), read("ops", 1, 4)];
    // Folded up to place 3; before it was written, mallory was heard again.
    let snapshot = Deed::Snapshot { upto: Some((LIFE, Seq(3))), state: fold(&log) };
    log.extend([ignore(true), snapshot, read("ops", 1, 6)]);
    let (state, since, _) = read_back(&log, 100);
    assert_eq!(state.ignored(), []);
    assert_eq!(state.read_in(&room("ops"), Epoch(1)), Some(Seq(6)));
    assert_eq!(since, 1);
}

#[test]
fn what_lies_before_a_snapshot_is_not_read() {
    let mut log: Vec<Deed> = (1..=500).map(|seq| read("ops", 1, seq)).collect();
    let state = fold(&log);
    log.push(Deed::Snapshot { upto: Some((LIFE, Seq(500))), state });
    log.push(name("alice"));
    let (state, _, pages) = read_back(&log, 10);
    assert_eq!((state.read_in(&room("ops"), Epoch(1)), pages), (Some(Seq(500)), 1));
}

#[test]
fn a_log_that_was_lost_begins_with_what_its_snapshot_holds() {
    let state = fold(&[name("alice"), read("ops", 1, 9), read("general", 1, 2)]);
    // Written into the new log behind a marker that was set there first.
    let log = [read("general", 2, 1), Deed::Snapshot { upto: Some((Epoch(6), Seq(90))), state }];
    let (state, _, _) = read_back(&log, 100);
    assert_eq!(state.name.unwrap().as_str(), "alice");
    assert_eq!(state.read.get(&room("ops")), Some(&Marker { epoch: Epoch(1), seq: Seq(9) }));
    assert_eq!(state.read.get(&room("general")), Some(&Marker { epoch: Epoch(2), seq: Seq(1) }));
}

#[test]
fn a_deed_of_a_newer_release_is_passed_over() {
    let newer = r#"{"by":"c1","deed":{"kind":"sang","song":"la"}}"#;
    let entry: UserEntry = serde_json::from_str(newer).unwrap();
    assert_eq!(entry.deed, Deed::Unknown);
    assert_eq!(fold(&[name("alice"), entry.deed]), fold(&[name("alice")]));
}

#[test]
fn no_more_is_kept_than_a_hello_can_read() {
    let log: Vec<Deed> = (0..ITEMS_MAX + 5).map(|n| read(&format!("room-{n}"), 1, 1)).collect();
    let mut state = fold(&log);
    assert_eq!(state.read.len(), ITEMS_MAX);
    state.take(&read("room-0", 1, 2));
    assert_eq!(state.read_in(&room("room-0"), Epoch(1)), Some(Seq(2)), "what is known goes on");
}

#[test]
fn what_somebody_knew_after_a_loss_is_merged_wherever_it_stands() {
    // The log was brought back without its beginning; a node that knew only its end wrote a snapshot of that.
    let full =
        fold(&[name("alice"), read("ops", 1, 9), Deed::Ignore { user: person("mallory"), off: false }]);
    let partial = fold(&[read("general", 1, 3)]);
    for known_first in [true, false] {
        let knew = Deed::Snapshot { upto: None, state: full.clone() };
        let part = Deed::Snapshot { upto: Some((LIFE, Seq(1))), state: partial.clone() };
        let mut log = vec![read("general", 1, 3)];
        log.extend(if known_first { [knew.clone(), part] } else { [part, knew.clone()] });
        log.push(read("general", 1, 4));
        let (state, _, _) = read_back(&log, 100);
        assert_eq!(state.ignored(), [person("mallory")], "{known_first}");
        assert_eq!(state.read_in(&room("general"), Epoch(1)), Some(Seq(4)));
    }
}
