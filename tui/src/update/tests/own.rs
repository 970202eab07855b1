//! What a reader sees of rooms of two, of markers that other clients of the user have set, of being away and ignoring.

use chat_protocol::{Person, RoomName, WelcomeRoom};

use super::*;

fn bob() -> Person {
    Person { user_id: id("bob"), username: "bob".to_owned() }
}

fn dm() -> RoomName {
    room("dm-1")
}

fn known(name: &RoomName, read: u64, with: Option<Person>) -> WelcomeRoom {
    WelcomeRoom {
        room: name.clone(),
        kind: if with.is_some() { "direct" } else { "room" }.to_owned(),
        topic: String::new(),
        epoch: Some(chat_protocol::Epoch(1)),
        seq: Seq(9),
        id: None,
        last_n: 0,
        read: Seq(read),
        unmarked: false,
        unread: 9 - read,
        with,
    }
}

pub(super) fn own(rooms: Vec<WelcomeRoom>) -> NetEvent {
    NetEvent::Own { away: None, ignored: Vec::new(), rooms }
}

/// A conversation with somebody, as a welcome lists it.
pub(super) fn direct(name: &str) -> WelcomeRoom {
    let with = Person { user_id: id(name), username: name.to_owned() };
    known(&room(&format!("dm-{name}")), 9, Some(with))
}

fn opened(asked: bool) -> NetEvent {
    NetEvent::Direct { room: dm(), with: bob(), asked }
}

fn joined(name: RoomName, head: u64) -> NetEvent {
    let (users, topic) = (Vec::new(), String::new());
    NetEvent::Joined { room: name, users, count: 2, epoch: chat_protocol::Epoch(1), head: Seq(head), topic }
}

#[test]
fn a_first_message_to_somebody_opens_the_room_and_is_said_there() {
    let mut stage = chat();
    stage.asked();
    stage.enters("/msg bob are you there?");
    assert_eq!(stage.asked(), [NetCommand::Direct("bob".into())]);
    stage.net(opened(true));
    let said = stage.asked();
    assert!(
        matches!(&said[..], [NetCommand::Say { room, content, .. }] if *room == dm() && content == "are you there?"),
        "{said:?}"
    );
    assert!(stage.shows("@bob") && stage.shows("are you there?"), "{}", stage.picture());
    // From now on the room is there: nobody is asked again.
    stage.enters("/msg BOB second");
    assert!(matches!(&stage.asked()[..], [NetCommand::Say { room, .. }] if *room == dm()));
}

#[test]
fn a_first_message_to_nobody_comes_back() {
    let mut stage = chat();
    stage.enters("/msg nobody hello");
    let (code, text) = (ErrorCode::NoUser, "there is nobody called nobody".to_owned());
    stage.net(NetEvent::Trouble { room: None, code, text });
    assert!(
        stage.shows("there is nobody called nobody") && stage.shows("/msg nobody hello"),
        "{}",
        stage.picture()
    );
    let mut stage = Stage::new(80, 24);
    assert!(stage.enters("/msg bob hello").shows("your text is kept"), "{}", stage.picture());
    assert!(stage.shows("/msg bob hello"));
}

#[test]
fn what_somebody_writes_to_us_alone_counts_as_a_mention_and_follows_the_name() {
    let mut stage = chat();
    stage.net(opened(false)).net(joined(dm(), 0));
    assert!(stage.shows("a conversation with bob is open"), "{}", stage.picture());
    stage.effects.clear();
    stage.says("dm-1", "bob", "psst");
    assert!(
        told(&stage) == ["@bob: bob: psst"] && stage.shows("@bob") && stage.shows("@1"),
        "{}",
        stage.picture()
    );
    stage.net(NetEvent::Renamed { user_id: id("bob"), name: "robert".into(), was: Some("bob".into()) });
    assert!(stage.shows("@robert"), "{}", stage.picture());
    assert!(stage.enters("/leave").shows("general"), "the room shown is another");
}

#[test]
fn what_is_shown_is_told_as_read_once() {
    let mut stage = chat();
    stage.read.clear();
    stage.says("general", "bob", "one").says("ops", "bob", "elsewhere");
    let seq = stage.app.rooms.current().unwrap().newest.unwrap();
    assert_eq!(stage.read, [(room("general"), seq)]);
    stage.read.clear();
    stage.press("Alt-2");
    assert_eq!(stage.read.len(), 1, "the room that is shown now");
    stage.press("Alt-1 Alt-2 F1");
    assert_eq!(stage.read.len(), 1, "{:?}", stage.read);
}

#[test]
fn what_was_not_looked_at_stays_unread_when_the_link_comes_back() {
    let unmarked = |read| {
        own(vec![WelcomeRoom {
            unmarked: true,
            read: Seq(read),
            seq: Seq(read),
            unread: 0,
            ..known(&room("ops"), 0, None)
        }])
    };
    // Whether a welcome told of the room, or it was entered after that.
    for first in [Some(unmarked(0)), None] {
        let mut stage = chat();
        if let Some(first) = first {
            stage.net(first);
        }
        stays_unread(&mut stage, unmarked);
    }
}

fn stays_unread(stage: &mut Stage, unmarked: impl Fn(u64) -> NetEvent) {
    stage.says("ops", "bob", "one").says("ops", "bob", "two");
    let ops = |stage: &Stage| {
        let room = stage.app.rooms.iter().find(|of| of.name == room("ops")).unwrap();
        (room.unread, room.newest.unwrap())
    };
    let (unread, newest) = ops(stage);
    assert!(unread >= 2, "{unread}");
    stage.net(unmarked(newest.0));
    assert_eq!(ops(stage).0, unread, "{}", stage.picture());
}

#[test]
fn what_another_client_has_read_is_not_unread_here() {
    let mut stage = chat();
    for text in ["one", "you: two", "three"] {
        stage.says("ops", "bob", text);
    }
    let ops = |stage: &Stage| {
        let index = stage.app.rooms.find(&room("ops")).unwrap();
        let room = stage.app.rooms.iter().nth(index).unwrap();
        (room.unread, room.mentions, room.newest.unwrap())
    };
    let (unread, mentions, newest) = ops(&stage);
    assert_eq!((unread, mentions), (4, 2), "with what was there before");
    stage.net(NetEvent::Read { room: room("ops"), seq: Seq(newest.0 - 1) });
    assert_eq!((ops(&stage).0, ops(&stage).1), (1, 0));
    stage.net(NetEvent::Read { room: room("ops"), seq: Seq(1) });
    assert_eq!(ops(&stage).0, 1, "a marker never goes back");
    stage.net(own(vec![known(&room("ops"), newest.0, None)]));
    assert_eq!(ops(&stage).0, 0);
    stage.says("ops", "bob", "four");
    assert_eq!(ops(&stage).0, 1);
}

#[test]
fn on_a_new_machine_what_was_not_read_is_unread() {
    let mut stage = Stage::new(80, 24);
    stage.net(NetEvent::Link(online("node-1", 0)));
    stage.net(NetEvent::Welcome { user_id: id("you"), name: "you".into(), name_wanted: None });
    stage.net(own(vec![known(&room("ops"), 7, None), known(&dm(), 0, Some(bob()))]));
    stage.net(joined(room("ops"), 9));
    let messages =
        (5..=9).map(|seq| message("ops", seq, if seq == 9 { "you" } else { "bob" }, "hi")).collect();
    stage.net(NetEvent::History { room: room("ops"), messages, more: true });
    let ops = stage.app.rooms.iter().find(|of| of.name == room("ops")).unwrap();
    assert_eq!(ops.unread, 1, "8 is another's, 9 is ours, 5 to 7 were read");
    assert!(stage.shows("@bob"), "{}", stage.picture());
}

#[test]
fn who_is_ignored_is_not_shown_and_does_not_type() {
    let mut stage = chat();
    let mallory = Person { user_id: id("mallory"), username: "mallory\u{7}".to_owned() };
    stage.enters("/ignore mallory");
    assert_eq!(stage.asked(), [NetCommand::Ignore { user: "mallory".into(), off: false }]);
    stage.net(NetEvent::Ignored(vec![mallory]));
    assert!(stage.shows("ignored on all your clients: mallory"), "{}", stage.picture());
    stage.says("general", "mallory", "look at me, you");
    stage.net(NetEvent::Typing { room: room("general"), user_id: id("mallory"), name: "mallory".into() });
    assert!(!stage.shows("look at me") && !stage.shows("typing"), "{}", stage.picture());
    stage.enters("/unignore mallory");
    assert_eq!(stage.asked(), [NetCommand::Ignore { user: "mallory".into(), off: true }]);
    stage.net(NetEvent::Ignored(Vec::new()));
    stage.says("general", "mallory", "sorry");
    assert!(stage.shows("sorry"));
}

#[test]
fn being_away_stands_before_the_input_until_it_ends() {
    let mut stage = chat();
    stage.enters("/away lunch");
    assert_eq!(stage.asked(), [NetCommand::Away("lunch".into())]);
    stage.net(NetEvent::Away(Some("lunch\u{1b}[2J".into())));
    assert!(stage.shows("you are away: lunch[2J") && stage.shows("[you (away)]"), "{}", stage.picture());
    stage.enters("/away");
    assert_eq!(stage.asked(), [NetCommand::Away(String::new())]);
    assert!(stage.net(NetEvent::Away(None)).shows("you are back"));
    assert!(!stage.shows("(away)"), "{}", stage.picture());
}

#[test]
fn a_highlighted_word_is_a_mention() {
    let mut stage = chat();
    stage.effects.clear();
    stage.says("ops", "bob", "the Deploy is done").says("ops", "bob", "deployed long ago");
    let ops = stage.app.rooms.iter().find(|of| of.name == room("ops")).unwrap();
    assert_eq!(ops.mentions, 2, "carol's, and the word of its own");
}

#[test]
fn what_was_said_around_reads_as_it_does_in_its_room() {
    let mut stage = chat();
    let mallory = Person { user_id: id("mallory"), username: "mallory".to_owned() };
    stage.net(NetEvent::Ignored(vec![mallory]));
    let mut messages: Vec<_> =
        [(4, "bob", "old words"), (5, "mallory", "BADWORD"), (6, "bob", "secret"), (7, "bob", "here")]
            .map(|(seq, from, text)| message("ops", seq, from, text))
            .into();
    let change = |seq: u64, of: usize, kind, text: &str| {
        let mut change = message("ops", seq, "bob", text);
        change.body.kind = Some(kind);
        change.body.reference_id = Some(messages[of].id.clone());
        change
    };
    let changes =
        [change(8, 0, chat_protocol::Kind::Edit, "new words"), change(9, 2, chat_protocol::Kind::Delete, "")];
    messages.extend(changes);
    stage.enters("/search here");
    let found = vec![messages[3].clone(), messages[1].clone()];
    let (room_found, epoch, more) = (Some(room("ops")), None, false);
    let answer =
        ServerMessage::Search { room: room_found, epoch, messages: found, more, next: None, re: None };
    stage.net(NetEvent::Answer(answer));
    assert!(!stage.shows("BADWORD"), "{}", stage.picture());
    stage.enters("/context 1");
    let (window, epoch) = (crate::net::event::Window::Around(Seq(7)), chat_protocol::Epoch(1));
    stage.net(NetEvent::Looked { room: room("ops"), window, epoch, messages, more: false });
    assert!(stage.shows("new words (edited)") && stage.shows("(deleted)"), "{}", stage.picture());
    for gone in ["old words", "secret", "BADWORD"] {
        assert!(!stage.shows(gone), "{gone} in {}", stage.picture());
    }
}
