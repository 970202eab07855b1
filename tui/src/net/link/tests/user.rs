//! What belongs to the user: markers that are told again where the servers know less, rooms of two, the name.

use chat_protocol::{Person, Re, WelcomeRoom};

use super::*;

fn known(name: &RoomName, read: u64) -> WelcomeRoom {
    WelcomeRoom {
        room: name.clone(),
        kind: "room".to_owned(),
        topic: String::new(),
        epoch: Some(EPOCH),
        seq: Seq(9),
        id: None,
        last_n: 0,
        read: Seq(read),
        unmarked: false,
        unread: 0,
        with: None,
    }
}

fn welcome_with(bench: &mut Bench, name: &str, rooms: Vec<WelcomeRoom>) {
    let hello = bench.dialled();
    let ServerMessage::Welcome(welcome) = Bench::welcomes("node-2", hello.client_id.unwrap()) else {
        panic!("a welcome")
    };
    bench.server(&ServerMessage::Welcome(Welcome { name: name.to_owned(), rooms, ..welcome }));
}

fn read(bench: &mut Bench, seq: u64) {
    bench.input(Input::Command(NetCommand::Read { room: room(), seq: Seq(seq) }));
}

/// The markers that were told since this was asked last.
fn told(bench: &mut Bench) -> Vec<u64> {
    let sent = std::mem::take(&mut bench.sent);
    let told = sent.into_iter().filter_map(|sent| match sent {
        ClientMessage::Read { seq, epoch, .. } => {
            assert_eq!(epoch, EPOCH);
            Some(seq.0)
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn markers_are_told_at_once_and_then_once_a_second() {
    let mut bench = Bench::online(9);
    for seq in [4, 5, 6, 3] {
        read(&mut bench, seq);
    }
    assert_eq!(told(&mut bench), [4]);
    bench.pass(Duration::from_secs(1));
    assert_eq!(told(&mut bench), [6]);
    bench.pass(Duration::from_secs(2));
    assert_eq!(told(&mut bench), [0_u64; 0], "nothing is told twice");
}

#[test]
fn a_marker_that_the_servers_have_lost_is_told_again() {
    let mut bench = Bench::online(9);
    read(&mut bench, 6);
    assert_eq!(told(&mut bench), [6]);
    bench.input(Input::First(Happening::Closed("reset".into())));
    bench.pass(Duration::from_secs(1));
    welcome_with(&mut bench, "me", vec![known(&room(), 4)]);
    bench.sent.clear();
    bench.enter(9, 0);
    bench.resumed(9, 9, 0);
    bench.pass(Duration::from_secs(1));
    assert_eq!(told(&mut bench), [6]);
    let reads = bench.events.iter().filter(|event| matches!(event, NetEvent::Read { .. })).count();
    assert_eq!(reads, 0, "it knew more than the servers");
}

#[test]
fn a_first_marker_that_never_reached_the_log_is_told_again() {
    let mut bench = Bench::online(9);
    read(&mut bench, 6);
    assert_eq!(told(&mut bench), [6]);
    bench.input(Input::First(Happening::Closed("reset".into())));
    bench.pass(Duration::from_secs(1));
    // Of a room that nobody has marked a server says the end, which is not how far this client has read.
    welcome_with(&mut bench, "me", vec![WelcomeRoom { unmarked: true, ..known(&room(), 9) }]);
    bench.sent.clear();
    bench.enter(9, 0);
    bench.resumed(9, 9, 0);
    bench.pass(Duration::from_secs(1));
    assert_eq!(told(&mut bench), [6]);
    read(&mut bench, 8);
    bench.pass(Duration::from_secs(1));
    assert_eq!(told(&mut bench), [8]);
}

#[test]
fn a_refused_marker_is_told_again_where_that_can_help_and_never_shown() {
    let mut bench = Bench::online(9);
    for (code, again) in [(ErrorCode::RateLimited, vec![5]), (ErrorCode::NoMessage, vec![])] {
        read(&mut bench, 5);
        told(&mut bench);
        let error = ErrorMessage::new(code, "no");
        let re = Re::parse("read").ok();
        bench.server(&ServerMessage::Error(ErrorMessage { re, room: Some(room()), ..error }));
        bench.pass(Duration::from_secs(1));
        assert_eq!(told(&mut bench), again, "{code}");
    }
    assert!(!bench.events.iter().any(|event| matches!(event, NetEvent::Trouble { .. })));
}

#[test]
fn what_another_client_reads_is_told_to_the_front_once() {
    let mut bench = Bench::online(9);
    let read = |seq| ServerMessage::Read { room: room(), epoch: EPOCH, seq: Seq(seq) };
    for seq in [4, 4, 3] {
        bench.server(&read(seq));
    }
    bench.server(&ServerMessage::Read { room: room(), epoch: Epoch(77), seq: Seq(8) });
    let reads: Vec<_> =
        bench.events.iter().filter(|event| matches!(event, NetEvent::Read { .. })).cloned().collect();
    assert_eq!(reads, [NetEvent::Read { room: room(), seq: Seq(4) }], "of the log's present life");
}

#[test]
fn only_a_client_that_follows_its_user_enters_all_rooms() {
    let ops = RoomName::parse("ops").unwrap();
    for follows in [true, false] {
        let options = LinkOptions {
            endpoints: vec![Endpoint::new("lb", 1, Transport::Tcp)],
            rooms: vec![room()],
            follows,
            ..LinkOptions::default()
        };
        let mut bench = Bench::new();
        bench.link = Link::new(options, Moment::ZERO);
        bench.drain();
        welcome_with(&mut bench, "me", vec![known(&ops, 0)]);
        let enters = |bench: &Bench, name: &RoomName| {
            bench.sent.iter().any(|sent| matches!(sent, ClientMessage::Join { room } if room == name))
        };
        assert_eq!(enters(&bench, &ops), follows);
        let dm = RoomName::parse("dm-1").unwrap();
        let with = Person { user_id: UserId::parse("b").unwrap(), username: "bob".into() };
        bench.server(&ServerMessage::Direct { room: dm.clone(), with: with.clone(), re: None });
        assert_eq!(enters(&bench, &dm), follows);
        let asked = Re::parse("page-1").ok();
        bench.server(&ServerMessage::Direct { room: dm.clone(), with, re: asked });
        assert!(enters(&bench, &dm), "who asks wants to speak there");
    }
}

#[test]
fn a_name_that_was_asked_for_is_taken_as_soon_as_it_can_be() {
    let rename = |bench: &Bench| bench.sent.iter().any(|sent| matches!(sent, ClientMessage::Rename { .. }));
    let mut bench = Bench::online(9);
    bench.input(Input::First(Happening::Closed("reset".into())));
    bench.input(Input::Command(NetCommand::Rename(UserName::parse("carol").unwrap())));
    assert!(
        bench
            .events
            .iter()
            .any(|event| matches!(event, NetEvent::Trouble { text, .. } if text.contains("carol")))
    );
    bench.pass(Duration::from_secs(1));
    welcome_with(&mut bench, "me", Vec::new());
    assert!(rename(&bench), "{:?}", bench.sent);
    let mut bench = Bench::new();
    bench.link.user.wanted = UserName::parse("me").ok();
    welcome_with(&mut bench, "me", Vec::new());
    assert!(!rename(&bench), "the user has it");
}

#[test]
fn a_deed_that_is_refused_costs_no_connection_and_is_not_said_again() {
    let mut bench = Bench::online(9);
    let ignore = || NetCommand::Ignore { user: "me".into(), off: false };
    bench.input(Input::Command(ignore()));
    let re = Re::parse("page-1").ok();
    let error = ErrorMessage::new(ErrorCode::Forbidden, "ignoring: this is yourself");
    bench.server(&ServerMessage::Error(ErrorMessage { re, ..error }));
    assert_eq!(bench.hangups, 0);
    let is_told =
        |event: &NetEvent| matches!(event, NetEvent::Trouble { text, .. } if text.contains("yourself"));
    assert!(bench.events.iter().any(is_told));
    let waiting = format!("{:?}", bench.link.questions);
    assert!(!waiting.contains("Ignore"), "{waiting}");
}

#[test]
fn a_client_enters_no_more_rooms_than_a_connection_may() {
    let options = LinkOptions {
        endpoints: vec![Endpoint::new("lb", 1, Transport::Tcp)],
        follows: true,
        ..LinkOptions::default()
    };
    let mut bench = Bench::new();
    bench.link = Link::new(options, Moment::ZERO);
    bench.drain();
    let rooms = (0..200).map(|n| known(&RoomName::parse(&format!("dm-{n}")).unwrap(), 0)).collect();
    welcome_with(&mut bench, "me", rooms);
    let joins = bench.sent.iter().filter(|sent| matches!(sent, ClientMessage::Join { .. })).count();
    assert_eq!(joins, 64);
}

#[test]
fn a_room_of_two_that_is_asked_for_offline_is_asked_for_when_the_link_is_back() {
    let mut bench = Bench::new();
    bench.input(Input::Command(NetCommand::Direct("bob".into())));
    welcome_with(&mut bench, "me", Vec::new());
    let asks = |sent: &ClientMessage| matches!(sent, ClientMessage::Direct { to } if to == "bob");
    assert!(bench.sent.iter().any(asks), "{:?}", bench.sent);
}
