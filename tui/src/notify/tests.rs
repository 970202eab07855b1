use crate::between::Between;

use super::{Kind, Level, Notification, Notifications, Way, bytes};

#[track_caller]
fn check(ways: &[Way], between: Between, expected: &str) {
    let told = Notification::new("#ops", "bob", "you: look");
    assert_eq!(String::from_utf8(bytes(&told, ways, between)).unwrap(), expected);
}

#[test]
fn each_way_has_its_bytes() {
    check(&[Way::Bell], Between::Nothing, "\x07");
    check(&[Way::Osc9], Between::Nothing, "\x1b]9;#ops bob: you: look\x07");
    check(&[Way::Osc777], Between::Nothing, "\x1b]777;notify;#ops;bob: you: look\x07");
    check(&[], Between::Nothing, "");
}

#[test]
fn tmux_hands_them_on() {
    check(&[Way::Bell, Way::Osc9], Between::Tmux, "\x07\x1bPtmux;\x1b\x1b]9;#ops bob: you: look\x07\x1b\\");
    check(&[Way::Osc777], Between::Tmux, "\x1bPtmux;\x1b\x1b]777;notify;#ops;bob: you: look\x07\x1b\\");
}

#[test]
fn nothing_of_others_reaches_the_terminal_as_a_command() {
    let evil = Notification::new("#a;b", "e\x07\x1b]0;title\x07", "x\x1b\\\u{9c}\u{9d}52;c;aGk=\x07\ny\x7f");
    for way in [Way::Osc9, Way::Osc777] {
        let told = String::from_utf8(bytes(&evil, &[way], Between::Nothing)).unwrap();
        let inside = told.strip_prefix("\x1b]").and_then(|rest| rest.strip_suffix('\x07')).unwrap();
        assert!(!inside.chars().any(char::is_control), "{inside:?}");
        if way == Way::Osc777 {
            assert!(inside.starts_with("777;notify;#a,b;"), "the title ends where it should: {inside:?}");
        }
    }
    assert!(
        bytes(&Notification::new("#a", "b", &"long ".repeat(1_000)), &[Way::Osc9], Between::Nothing).len()
            < 200
    );
}

#[test]
fn each_room_may_have_its_own_mind() {
    let rooms = [("ops", Level::All), ("random", Level::None), ("@bob", Level::None)];
    let rooms = rooms.map(|(room, level)| (room.to_owned(), level)).into();
    let settings = Notifications { rooms, ..Notifications::default() };
    let wants = |room: &str| (settings.wants(room, Kind::Mention), settings.wants(room, Kind::Other));
    assert_eq!(wants("#general"), (true, false));
    assert_eq!(wants("#ops"), (true, true));
    assert_eq!(wants("#random"), (false, false));
    assert_eq!((wants("@bob"), wants("@alice")), ((false, false), (true, false)));
    let silent = Notifications { ways: vec![], ..settings };
    assert!(!silent.wants("#ops", Kind::Mention));
}
