//! What a writer keeps, and where: in its room, through undo, completion, pastes and the end of the program; and that
//! nothing about one room is done in another.

use super::find::talked;
use super::own::{direct, own};
use super::*;
use crate::app::rooms::Order;

/// A message of ours in the log of `general`, and a draft there.
fn spoken(draft: &str) -> Stage {
    let mut stage = chat();
    stage.enters("mine").becomes("general", OutId(1), OutState::Sent).arrives("general", OutId(1), "mine");
    stage.types(draft);
    stage.asked();
    stage
}

fn said(stage: &mut Stage) -> Vec<NetCommand> {
    let said = |command: &NetCommand| matches!(command, NetCommand::Say { .. } | NetCommand::SayOf { .. });
    stage.asked().into_iter().filter(said).collect()
}

#[test]
fn tab_goes_on_only_with_what_it_has_left() {
    let mut stage = chat();
    stage.types("hello there al").press("Tab").press("Alt-2").press("Tab");
    assert!(stage.shows("[you]") && stage.press("Alt-1").shows("[you] hello there alice"));
    stage.press("Ctrl-U").types("al").press("Tab").play(Event::Paste("x".to_owned())).press("Tab");
    assert!(stage.shows("[you] alice: x"), "a paste stays: {}", stage.picture());
    let mut moved = chat();
    moved.types("al").press("Tab Ctrl-A Tab");
    assert!(moved.shows("[you] alice:"));
}

#[test]
fn a_completion_ends_what_was_brought_back() {
    let mut stage = chat();
    stage.types("s").press("Ctrl-U").types(":thumb").press("Ctrl-Y");
    stage.press("Ctrl-H").press("Tab").press("Alt-y");
    assert!(!stage.app.composer.is_empty());
}

#[test]
fn a_draft_survives_an_edit_that_the_end_cuts_off() {
    let mut stage = spoken("half a th");
    stage.press("Ctrl-Up e");
    assert!(stage.shows("[edit] mine") || stage.app.composer.text() == "mine", "{}", stage.picture());
    let kept = stage.app.keep();
    assert_eq!(kept.rooms[&room("general")].draft, "half a th");
}

#[test]
fn what_was_about_a_message_stays_in_its_room() {
    let mut stage = spoken("");
    stage.press("Ctrl-Up Enter").enters("/leave").net(NetEvent::Left(room("general")));
    stage.asked();
    stage.enters("hi");
    assert!(matches!(said(&mut stage)[..], [NetCommand::Say { .. }]));
    let mut asked = spoken("");
    asked.enters("/leave").press("Ctrl-Up d");
    assert!(asked.app.popup.is_some());
    asked.net(NetEvent::Left(room("general")));
    assert!(asked.app.popup.is_none() && asked.app.chosen.is_none());
}

#[test]
fn a_long_paste_is_asked_about_wherever_it_has_been() {
    let paste = || Event::Paste((1..=8).map(|n| format!("line {n}\n")).collect());
    let asks = |stage: &mut Stage| {
        stage.press("Enter");
        assert!(stage.shows("lines"), "{}", stage.picture());
        assert!(said(stage).is_empty());
    };
    let mut stage = chat();
    asks(stage.play(paste()).press("Alt-2 Alt-1"));
    let mut undone = chat();
    asks(undone.play(paste()).press("Ctrl-C Ctrl-7"));
    let mut left = chat();
    left.play(paste());
    let mut next = Stage::after(left.app.keep(), (80, 24));
    asks(&mut next);
}

#[test]
fn undo_brings_nothing_of_another_room() {
    let mut stage = chat();
    stage.types("secret").press("Alt-2 Ctrl-7 Ctrl-7");
    assert!(!stage.shows("secret"));
    assert!(stage.press("Alt-1").shows("[you] secret"));
}

#[test]
fn a_text_that_failed_is_the_same_text_again() {
    let fails = |line: &str| {
        let mut stage = chat();
        stage.enters(line).becomes("general", OutId(1), OutState::Failed("no".to_owned())).enters("/retry");
        assert_eq!(stage.app.composer.text(), line);
        stage
    };
    let mut quit = fails("//quit");
    quit.press("Enter");
    assert!(!quit.effects.contains(&Effect::Quit));
    fails("/me waves");
    fails("plain");
}

#[test]
fn a_search_lets_go_of_its_answer_with_a_paste() {
    let mut stage = talked();
    stage.press("Ctrl-F").types("owl").press("Enter").play(Event::Paste("x".to_owned()));
    stage.net(super::found(vec![message("general", 3, "eve", "an owl")], None));
    stage.press("Esc");
    assert!(!stage.shows("an owl"), "{}", stage.picture());
}

#[test]
fn a_page_that_is_refused_while_a_search_waits_is_asked_again() {
    let is_page = |asked: &NetCommand| matches!(asked, NetCommand::History { .. });
    let mut stage = arrived();
    assert!(stage.asked().iter().any(is_page));
    stage.press("Ctrl-F").types("nothing").press("Enter");
    let why = "too fast".to_owned();
    stage.net(NetEvent::Trouble { room: Some(room("general")), code: ErrorCode::RateLimited, text: why });
    stage.press("Esc Alt-Home");
    let asked = stage.asked();
    assert!(asked.iter().any(is_page), "{asked:?}");
}

#[test]
fn a_muted_room_calls_nobody() {
    let mut stage = chat();
    stage.press("F4 F4 F4 F4").press("Alt-3").enters("/mute").press("Alt-1");
    stage.says("random", "bob", "you?").press("F4");
    let picture = stage.picture();
    let status = picture.lines().rev().nth(1).unwrap();
    assert!(stage.shows("nothing unread") && !status.contains("@1"), "{picture}");
}

#[test]
fn conversations_stand_among_rooms_by_their_names() {
    let mut stage = chat();
    stage.enters("/order name");
    stage.net(own(vec![direct("zoe")])).net(own(vec![direct("carol")]));
    let listed: Vec<String> = stage.app.rooms.iter().map(crate::app::rooms::Room::label).collect();
    assert_eq!(stage.app.rooms.keep().1, Order::Name);
    assert_eq!(listed, ["@carol", "#general", "#ops", "#random", "@zoe"]);
}

#[test]
fn the_wheel_goes_no_further_than_helps_end() {
    let mut stage = chat();
    stage.press("F1");
    for _ in 0..100 {
        stage.play(Event::Mouse(crate::event::Mouse::WheelDown));
    }
    let bottom = stage.picture();
    stage.play(Event::Mouse(crate::event::Mouse::WheelUp));
    assert_ne!(stage.picture(), bottom);
    stage.press("Esc Ctrl-T Alt-k");
    assert!(stage.shows("random") && stage.shows("general"), "Alt-k is no letter: {}", stage.picture());
}
