//! Pages, what happens between them, and the order in which all of it is shown.

use chat_protocol::Epoch;

use super::*;
use crate::plain::samples::{entry, room};

const NOON: &str = "2026-11-21T12:00:00Z";

/// A message that was said so many minutes after noon.
fn said(name: &str, seq: u64, minute: i32) -> RoomMessage {
    let mut message = entry(name, seq, &format!("{name} {seq}"));
    message.body.timestamp = match minute {
        0.. => format!("2026-11-21T12:{minute:02}:00.000Z"),
        _ => format!("2026-11-21T11:{:02}:00.000Z", 60 + minute),
    };
    message
}

fn past(rooms: &[&str]) -> Past {
    let rooms: Vec<_> = rooms.iter().map(|name| room(name)).collect();
    Past::new(NOON.parse().unwrap(), &rooms)
}

fn joined(name: &str, head: u64) -> NetEvent {
    let (users, count, topic) = (Vec::new(), 1, String::new());
    NetEvent::Joined { room: room(name), users, count, epoch: Epoch(1), head: Seq(head), topic }
}

fn page(name: &str, messages: Vec<RoomMessage>, more: bool) -> NetEvent {
    NetEvent::History { room: room(name), messages, more }
}

fn live(message: RoomMessage) -> NetEvent {
    NetEvent::Entry { message, out: None, origin: Origin::Live }
}

fn asks(command: Option<NetCommand>) -> Option<u64> {
    match command? {
        NetCommand::History { before, .. } => before.map(|before| before.0),
        other => panic!("{other:?}"),
    }
}

fn shown(past: Past) -> Vec<String> {
    let text = |event| match event {
        NetEvent::Entry { message, .. } => message.body.content,
        NetEvent::Reset { .. } => "reset".into(),
        other => panic!("{other:?}"),
    };
    past.into_events().into_iter().map(text).collect()
}

#[test]
fn pages_are_asked_for_back_to_the_time_and_live_ones_wait() {
    let mut past = past(&["a"]);
    let now = Moment::ZERO;
    assert_eq!(asks(past.event(now, joined("a", 4))), Some(5));
    past.event(now, live(said("a", 5, 5)));
    assert_eq!(asks(past.event(now, page("a", vec![said("a", 3, 3), said("a", 4, 4)], true))), Some(3));
    assert!(!past.is_whole());
    assert_eq!(asks(past.event(now, page("a", vec![said("a", 1, -1), said("a", 2, 2)], true))), None);
    assert!(past.is_whole());
    assert_eq!(shown(past), ["a 2", "a 3", "a 4", "a 5"]);
}

#[test]
fn rooms_are_merged_by_time_and_each_keeps_its_order() {
    let mut past = past(&["a", "b"]);
    let now = Moment::ZERO;
    past.event(now, joined("a", 3));
    // Nodes whose clocks differ: the second of them was said at an earlier time than the first.
    past.event(now, page("a", vec![said("a", 1, 4), said("a", 2, 2), said("a", 3, 9)], false));
    assert!(!past.is_whole());
    past.event(now, joined("b", 2));
    past.event(now, page("b", vec![said("b", 1, 3), said("b", 2, 5)], false));
    assert_eq!(shown(past), ["b 1", "a 1", "a 2", "b 2", "a 3"]);
}

#[test]
fn what_is_not_answered_or_cannot_be_had_is_asked_for_again() {
    let mut past = past(&["a"]);
    past.event(Moment::ZERO, joined("a", 4));
    assert_eq!(past.deadline(), Some(ANSWER_MAX));
    assert!(past.ask_again(ANSWER_MAX / 2).is_empty());
    assert_eq!(past.ask_again(ANSWER_MAX).pop(), past.ask_again(ANSWER_MAX * 2).pop());
    let now = ANSWER_MAX * 3;
    assert_eq!(past.event(now, page("a", Vec::new(), true)), None);
    assert_eq!(past.deadline(), Some(now + AGAIN_AFTER));
    // Both answers come: the second has nothing that is new.
    assert_eq!(asks(past.event(now, page("a", vec![said("a", 4, 4)], true))), Some(4));
    past.event(now, page("a", vec![said("a", 4, 4)], true));
    past.event(now, page("a", Vec::new(), false));
    assert_eq!(shown(past), ["a 4"]);
}

#[test]
fn what_was_withdrawn_is_not_shown_and_what_follows_is() {
    let mut past = past(&["a"]);
    let now = Moment::ZERO;
    past.event(now, joined("a", 4));
    past.event(now, page("a", vec![said("a", 3, 3), said("a", 4, 4)], true));
    past.event(now, live(said("a", 5, 5)));
    past.event(now, NetEvent::Rewound { room: room("a"), to: Seq(3) });
    past.event(now, live(said("a", 4, 6)));
    past.event(now, page("a", vec![said("a", 1, 1), said("a", 2, 2)], false));
    assert_eq!(shown(past), ["a 1", "a 2", "a 3", "a 4"]);
}

#[test]
fn a_log_that_is_gone_ends_the_search_for_what_is_older() {
    let mut past = past(&["a"]);
    let now = Moment::ZERO;
    past.event(now, joined("a", 4));
    past.event(now, page("a", vec![said("a", 3, 3), said("a", 4, 4)], true));
    let (epoch, lost_from, lost_to, reason) = (Epoch(2), Seq(5), None, "epoch".to_owned());
    past.event(now, NetEvent::Reset { room: room("a"), epoch, lost_from, lost_to, reason });
    past.event(now, live(said("a", 1, 7)));
    assert!(past.is_whole());
    assert_eq!(shown(past), ["a 3", "a 4", "reset", "a 1"]);
}

#[test]
fn the_oldest_of_too_many_are_let_go_whatever_their_room() {
    let mut past = past(&["a", "b"]);
    past.most = 3;
    let now = Moment::ZERO;
    past.event(now, joined("a", 9));
    past.event(now, joined("b", 9));
    assert_eq!(asks(past.event(now, page("b", vec![said("b", 8, 6), said("b", 9, 8)], true))), Some(8));
    assert_eq!(past.told(), None);
    // Two too many: both are the first room's, which asks for no more.
    let newest = vec![said("a", 7, 4), said("a", 8, 5), said("a", 9, 7)];
    assert_eq!(asks(past.event(now, page("a", newest, true))), None);
    assert!(past.ask_again(ANSWER_MAX * 2).iter().all(|command| asks(Some(command.clone())) == Some(8)));
    past.event(now, page("a", vec![said("a", 6, 3)], true));
    // What is too old anyway is not counted.
    past.event(now, page("b", vec![said("b", 6, -2), said("b", 7, -1)], true));
    assert!(past.is_whole());
    assert!(
        past.told().unwrap().contains("(2 that had come): a tail begins with 3 at most"),
        "{:?}",
        past.told()
    );
    assert_eq!(shown(past), ["b 8", "a 9", "b 9"]);
}

#[test]
fn what_happens_meanwhile_is_not_held_back_for_ever() {
    let mut past = past(&["a", "b"]);
    past.most = 2;
    let now = Moment::ZERO;
    past.event(now, joined("a", 1));
    past.event(now, page("a", vec![said("a", 1, 1)], false));
    past.event(now, live(said("a", 2, 2)));
    past.event(now, live(said("a", 3, 3)));
    assert!(!past.is_whole(), "the other room is not entered yet");
    past.event(now, live(said("a", 4, 4)));
    assert!(past.is_whole());
    assert!(past.told().unwrap().contains("(0 that had come)"));
    assert_eq!(shown(past), ["a 1", "a 2", "a 3", "a 4"], "nothing new is let go");
}
