//! What a writer sees of rooms in their order, pinned and muted; of what was written before, and of emoji.

use super::*;
use crate::app::rooms::Order;

fn rang(stage: &Stage) -> bool {
    stage.effects.iter().any(|effect| matches!(effect, Effect::Notify(_)))
}

#[test]
fn a_pinned_room_stands_first_until_it_is_no_longer() {
    let mut stage = chat();
    stage.press("Alt-3").enters("/pin");
    assert!(stage.shows("▶1+random") && stage.shows(" 2 general") && stage.shows("#random is pinned"));
    assert!(stage.press("Alt-2").shows("▶2 general"));
    stage.press("Alt-1").enters("/pin");
    assert!(stage.shows("▶3 random") && stage.shows(" 1 general"));
}

#[test]
fn rooms_are_ordered_as_they_came_by_name_or_by_what_was_said_last() {
    let mut stage = chat();
    stage.enters("/join alpha").enters("/order name");
    assert!(stage.shows("▶1 alpha") && stage.shows(" 2 general"), "the one shown stays shown");
    stage.enters("/order activity").says("random", "bob", "news").says("ops", "bob", "more");
    assert!(stage.shows(" 1 ops") && stage.shows(" 2 random"));
    stage.enters("/order joined");
    assert!(stage.shows(" 1 general") && stage.shows("▶4 alpha"));
    assert!(stage.enters("/order size").shows("usage: /order joined|name|activity"));
}

#[test]
fn a_muted_room_calls_nobody() {
    let mut stage = chat();
    stage.press("Alt-3").enters("/mute");
    assert!(stage.shows("#random is muted"));
    stage.press("Alt-1").says("random", "bob", "you there?");
    assert!(!rang(&stage), "nor does a mention in it ring");
    stage.says("random", "bob", "pizza?").says("ops", "bob", "plain");
    assert!(stage.press("Alt-3").press("Alt-1").press("F4").shows("▶2 ops"));
    stage.press("Alt-1").says("random", "bob", "unread");
    assert!(stage.press("F4").shows("nothing unread"));
    stage.press("Alt-3").enters("/mute").press("Alt-1").says("random", "bob", "you?");
    assert!(rang(&stage));
}

#[test]
fn everything_is_read_at_once_on_all_clients() {
    let mut stage = chat();
    stage.says("ops", "bob", "you?").says("random", "bob", "pizza?");
    stage.read.clear();
    stage.enters("/read");
    assert!(!stage.shows("@1") && stage.shows(" 3 random     │") && stage.shows("all rooms are read"));
    let told: Vec<_> = stage.read.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(told, ["ops", "random"]);
}

#[test]
fn what_was_written_before_is_found_by_its_words() {
    let mut stage = chat();
    for line in ["roll node-1", "hello", "roll node-2"] {
        stage.enters(line);
    }
    stage.types("half a th").press("Ctrl-R");
    assert!(stage.shows("Written before") && stage.shows("▶roll node-2"));
    assert!(stage.types("roll").press("Ctrl-R").shows("▶roll node-1"), "again: the one before");
    assert!(stage.press("Esc").shows("[you] half a th"), "Esc destroys nothing");
    stage.press("Ctrl-R").types("hel").press("Enter");
    assert!(stage.shows("[you] hello"));
    assert!(stage.press("Ctrl-_").shows("[you] half a th"), "undo brings back what was being written");
    assert!(stage.press("Ctrl-R").types("xyz").shows("nothing of the kind was written"));
}

#[test]
fn a_shortcode_becomes_its_emoji() {
    let mut stage = chat();
    assert!(stage.types("fine :thumbsu").press("Tab").shows("[you] fine 👍"));
    stage.press("Ctrl-C");
    assert!(stage.types(":D").press("Tab").shows("[you] :D"), "a smiley stays one");
}

#[test]
fn the_next_run_begins_with_drafts_what_was_written_and_how_rooms_were() {
    let mut stage = chat();
    stage.enters("said before").types("half a th").press("Alt-2").types("ops draft").press("Alt-3");
    stage.enters("/pin").enters("/mute").enters("/order name");
    stage.press("Alt-2");
    let saved = stage.app.keep();
    assert_eq!(saved.order, Order::Name);
    let mut next = Stage::after(saved.clone(), (80, 24));
    assert!(next.shows("1-random") && next.shows("[you] half a th"), "{}", next.picture());
    assert!(next.press("Ctrl-N").shows("[you] ops draft"));
    assert_eq!(next.app.keep(), saved);
    assert!(next.press("Ctrl-C Ctrl-R").shows("said before"));
}
