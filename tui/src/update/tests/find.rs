use chat_protocol::{ErrorCode, SearchFrom, Seq};

use super::{found, searches};
use crate::net::event::{LinkStatus, NetCommand, NetEvent, Window};
use crate::stage::{Stage, message, room};

pub(super) fn talked() -> Stage {
    let mut stage = Stage::chatting(80, 24);
    for number in 0..60 {
        stage.says("general", "alice", &format!("line {number}."));
    }
    stage.says("general", "Bob", "the red *Fox* \u{fc}ber all").says("ops", "eve", "no fox here");
    stage.asked();
    stage
}

#[test]
fn what_is_at_hand_is_found_while_it_is_typed() {
    let mut stage = talked();
    stage.press("Ctrl-F").types("FOX");
    insta::assert_snapshot!(stage.picture());
    assert!(stage.asked().is_empty(), "no server is asked for that");
    assert!(!stage.shows("no fox here") && stage.press("Tab").shows("no fox here"), "Tab looks everywhere");
    stage.press("Tab").press("Backspace Backspace Backspace").types("\"red *fox\" from:bob \u{dc}BER");
    assert!(stage.shows("the red *Fox*"), "{}", stage.picture());
    stage.types("x");
    assert!(stage.shows("nothing at hand: Enter asks the server"));
    stage.press("Esc");
    assert!(!stage.shows("Search #general") && stage.shows("line 59."), "Esc changes nothing");
    stage.press("Alt-/");
    assert!(stage.shows("Search #general"));
}

#[test]
fn enter_goes_to_the_message() {
    let mut stage = talked();
    stage.press("Ctrl-F").types("\"line 7.\"").press("Enter");
    assert!(stage.shows("line 7.") && stage.shows("newer below") && !stage.shows("line 59."));
    stage.press("Esc Alt-End Ctrl-F").types("fox").press("Tab Down Enter");
    assert!(stage.shows("\u{25b6}2 ops") && stage.shows("no fox here"), "in its room: {}", stage.picture());
}

#[test]
fn the_server_adds_what_is_not_at_hand() {
    let mut stage = talked();
    stage.press("Ctrl-F").types("fox").press("Down Enter");
    assert_eq!(stage.asked(), [searches("fox", Some("general"), None)]);
    assert!(stage.shows("asking the server"));
    assert!(
        stage.app.next_change() < Some(std::time::Duration::from_millis(121)),
        "something turns meanwhile"
    );
    let next = SearchFrom { room: room("general"), before: Seq(3) };
    // The first is at hand already.
    let messages =
        vec![message("general", 64, "Bob", "the red"), message("general", 3, "eve", "an old fox\x1b[2J")];
    let mut known = messages;
    (known[0].id.n, known[1].id.n) = (64, 1_003);
    stage.net(found(known, Some(next.clone())));
    assert_eq!((stage.count("red"), stage.count("an old fox[2J")), (1, 1), "{}", stage.picture());
    assert!(!stage.shows("found 2"), "no lines in the room behind it");
    assert_eq!(stage.press("Ctrl-F").asked(), [searches("fox", Some("general"), Some(next))]);
    stage.net(found(vec![], None));
    assert!(stage.shows("that is all"));
    assert!(stage.press("Ctrl-F").asked().is_empty());
    stage.press("Up Up Up Down Enter");
    let look = NetCommand::Look { room: room("general"), window: Window::Around(Seq(3)), limit: 11 };
    assert_eq!(stage.asked(), [look], "what stands around it is asked for");
}

#[test]
fn what_the_server_refuses_is_said_and_may_be_asked_again() {
    let mut stage = talked();
    stage.press("Ctrl-F").types("after:never").press("Enter");
    assert_eq!(stage.asked().len(), 1);
    let text = "no such date".to_owned();
    stage.net(NetEvent::Trouble { room: None, code: ErrorCode::BadQuery, text });
    assert!(stage.shows("! no such date (bad_query)"), "{}", stage.picture());
    assert_eq!(stage.press("Enter").asked().len(), 1);
    stage.net(NetEvent::Link(LinkStatus::default()));
    stage.press("Backspace Enter");
    assert!(stage.asked().is_empty() && stage.shows("offline: this is what is at hand"));
}

#[test]
fn an_answer_that_nobody_waits_for_is_nobodys() {
    let mut stage = talked();
    stage.press("Ctrl-F").types("owl").press("Enter").types("l").press("Enter");
    assert_eq!(stage.asked().len(), 2);
    stage.net(found(vec![message("general", 900, "eve", "an owl")], None));
    assert!(!stage.shows("an owl"), "that was the answer to the first: {}", stage.picture());
    stage.net(found(vec![message("general", 901, "eve", "an owll")], None));
    assert!(stage.shows("an owll"));
    stage.press("Backspace Enter Esc");
    stage.net(found(vec![message("general", 900, "eve", "an owl")], None));
    assert!(!stage.shows("an owl"), "no lines of a search that was closed");
    stage.enters("/search owl").net(found(vec![message("general", 900, "eve", "an owl")], None));
    assert!(stage.shows("found 1 for owl") && stage.shows("eve: an owl"));
}

#[test]
fn a_lost_link_answers_nothing() {
    let mut stage = talked();
    stage.press("Ctrl-F").types("owl").press("Enter");
    stage.net(NetEvent::Link(LinkStatus::default()));
    assert!(stage.shows("the link is lost: ask again"), "{}", stage.picture());
}
