//! The lines people see.

use chat_protocol::{ErrorCode, Seq};

use super::*;
use crate::net::event::{DialStep, Origin, OutId, Totals, Transport};
use crate::plain::samples::{entry, node, room};

fn lines() -> Lines {
    Lines::new(TimeZone::UTC)
}

fn link(state: LinkState) -> NetEvent {
    NetEvent::Link(LinkStatus { state, ..LinkStatus::default() })
}

fn online(name: &str) -> LinkState {
    let since = Moment::ZERO;
    LinkState::Online { node: node(name), transport: Transport::Tcp, since, heard: since, suspect: false }
}

fn shown(lines: &mut Lines, event: &NetEvent) -> Vec<String> {
    lines.event(Moment::from_secs(10), event, None)
}

fn shown_entry(content: &str, sender: &str, kind: Option<Kind>) -> String {
    let mut message = entry("general", 1, content);
    message.body.sender = sender.into();
    message.body.kind = kind;
    lines().entry(&message)
}

#[test]
fn entries_show_time_room_author_and_content() {
    assert_eq!(shown_entry("hi", "alice", None), "10:02 [general] alice: hi");
    assert_eq!(shown_entry("waves", "alice", Some(Kind::Action)), "10:02 [general] * alice waves");
    let berlin = TimeZone::fixed(jiff::tz::offset(2));
    assert_eq!(Lines::new(berlin).entry(&entry("general", 1, "hi")), "12:02 [general] alice: hi");
}

#[test]
fn remote_text_cannot_move_the_cursor_or_forge_a_line() {
    assert_eq!(
        shown_entry("\u{1b}[2Ja\u{9b}b\u{7f}\u{202e}", "m\u{7}al\nory", None),
        "10:02 [general] mal ory: [2Jab"
    );
    assert_eq!(
        shown_entry("one\n10:03 [general] bob: forged", "eve", None),
        "10:02 [general] eve: one\n      | 10:03 [general] bob: forged"
    );
    let trouble = NetEvent::Trouble { room: None, code: ErrorCode::BadJson, text: "a\u{1b}c\nd".into() };
    assert_eq!(shown(&mut lines(), &trouble), ["-- error: ac d"]);
}

#[test]
fn the_link_is_told_once_for_each_change() {
    let mut lines = lines();
    let dialling = |attempt, step, down_since| {
        link(LinkState::Dialling { attempt, target: "lb:12345 tcp".into(), step, down_since })
    };
    assert_eq!(shown(&mut lines, &dialling(1, DialStep::Resolving, None)), ["-- connecting to lb:12345 tcp"]);
    assert_eq!(shown(&mut lines, &dialling(1, DialStep::Hello, None)), [""; 0]);
    assert_eq!(shown(&mut lines, &link(online("node-1"))), ["-- connected to node-1 (tcp)"]);
    assert_eq!(shown(&mut lines, &link(online("node-1"))), [""; 0]);
    let down = |attempt| {
        let (since, retry_at) = (Moment::from_secs(9), Moment::from_millis(11_800));
        link(LinkState::Down { since, reason: "connection refused".into(), attempt, retry_at })
    };
    assert_eq!(shown(&mut lines, &down(2)), ["-- connecting… try 2 in 1.8s (connection refused)"]);
    assert_eq!(shown(&mut lines, &down(2)), [""; 0]);
    assert_eq!(shown(&mut lines, &dialling(2, DialStep::Hello, Some(Moment::ZERO))), [""; 0]);
    let counted = Totals { recovered: 3, lost: 0, dup: 0 };
    let (at, took) = (Moment::from_secs(10), Duration::from_millis(420));
    let recovery =
        Some(Recovery { at, from: node("node-1"), to: node("node-2"), took, planned: false, counted });
    let status = LinkStatus { state: online("node-2"), recovery, ..LinkStatus::default() };
    assert_eq!(
        shown(&mut lines, &NetEvent::Link(status.clone())),
        ["-- connected to node-2 (tcp)", "-- node-1 → node-2: 3 recovered, 0 lost, 0 dup (0.4 s)"]
    );
    assert_eq!(shown(&mut lines, &NetEvent::Link(status.clone())), [""; 0]);
    let totals = Totals { recovered: 3, lost: 1, dup: 0 };
    let status = LinkStatus { totals, ..status };
    assert_eq!(shown(&mut lines, &NetEvent::Link(status.clone())), ["-- 1 lost on the way"]);
    assert_eq!(shown(&mut lines, &NetEvent::Link(status)), [""; 0]);
}

#[test]
fn a_server_alone_is_told_when_it_begins_and_when_it_ends() {
    let mut lines = lines();
    let status = |cut_off| LinkStatus { state: online("node-2"), cut_off, ..LinkStatus::default() };
    let alone = NetEvent::Link(status(Some(Moment::from_millis(5_800))));
    shown(&mut lines, &NetEvent::Link(status(None)));
    assert_eq!(shown(&mut lines, &alone), ["-- node-2 cannot reach the others: messages wait"]);
    assert_eq!(shown(&mut lines, &alone), [""; 0]);
    let again = ["-- node-2 reaches the others again (4.2 s)"];
    assert_eq!(shown(&mut lines, &NetEvent::Link(status(None))), again);
    shown(&mut lines, &alone);
    let (since, retry_at) = (Moment::from_secs(9), Moment::from_secs(11));
    let down = link(LinkState::Down { since, reason: "gone".into(), attempt: 1, retry_at });
    assert_eq!(shown(&mut lines, &down).len(), 1, "a lost link is told as that");
    assert_eq!(shown(&mut lines, &NetEvent::Link(status(None))), ["-- connected to node-2 (tcp)"]);
}

#[test]
fn delivery_is_told_where_it_had_to_wait() {
    let mut lines = lines();
    let mut show = |state, was_queued| {
        let said = Said { content: "hi".into(), re: None, was_queued };
        let event = NetEvent::Out { out: OutId(1), room: room("general"), state };
        lines.event(Moment::ZERO, &event, Some(&said))
    };
    assert_eq!(show(OutState::Queued, false), ["-- queued: hi"]);
    assert_eq!(show(OutState::Queued, true), [""; 0]);
    assert_eq!(show(OutState::Sent, true), [""; 0]);
    assert_eq!(show(OutState::Acked, true), ["-- delivered: hi"]);
    assert_eq!(show(OutState::Acked, false), [""; 0]);
    assert_eq!(show(OutState::Failed("too long".into()), false), ["-- not delivered: hi (too long)"]);
}

#[test]
fn a_room_is_entered_once_however_often_the_link_comes_back() {
    let mut lines = lines();
    let joined = NetEvent::Joined {
        room: room("ops"),
        users: Vec::new(),
        count: 1,
        epoch: chat_protocol::Epoch(1),
        head: Seq(4),
        topic: String::new(),
    };
    assert_eq!(shown(&mut lines, &joined), ["-- [ops] joined: 1 user"]);
    assert_eq!(shown(&mut lines, &joined), [""; 0]);
    assert_eq!(shown(&mut lines, &NetEvent::Left(room("ops"))), ["-- [ops] left"]);
}

#[test]
fn lost_and_withdrawn_history_is_told() {
    let reset = NetEvent::Reset {
        room: room("ops"),
        epoch: chat_protocol::Epoch(1),
        lost_from: Seq(120),
        lost_to: Some(Seq(163)),
        reason: "trimmed".into(),
    };
    assert_eq!(shown(&mut lines(), &reset), ["-- [ops] messages 120 to 163 are gone (trimmed)"]);
    let rewound = NetEvent::Rewound { room: room("ops"), to: Seq(9) };
    assert!(shown(&mut lines(), &rewound)[0].contains("above message 9 is withdrawn"));
    let origin = Origin::Replayed;
    let replayed = NetEvent::Entry { message: entry("ops", 10, "again"), out: None, origin };
    assert_eq!(shown(&mut lines(), &replayed), ["10:02 [ops] alice: again"]);
}

#[test]
fn changes_topics_and_replies_read_as_what_they_are() {
    for (kind, content, shown) in [
        (Kind::Edit, "better", "10:02 [general] alice (edited): better"),
        (Kind::Delete, "", "10:02 [general] * alice deleted a message"),
        (Kind::Topic, "release\nday", "10:02 [general] * alice set the topic: release day"),
        (Kind::Topic, "", "10:02 [general] * alice cleared the topic"),
    ] {
        assert_eq!(shown_entry(content, "alice", Some(kind)), shown);
    }
    let mut reply = entry("general", 2, "yes");
    let (id, sender_id) = (reply.id.clone(), reply.body.sender_id.clone());
    let text = format!("one\n{}", "x".repeat(60));
    reply.body.quote = Some(Quote { id, sender: "b\u{7}ob".into(), sender_id, text });
    let shown = lines().entry(&reply);
    assert_eq!(shown, format!("10:02 [general] alice (to bob: one {}...): yes", "x".repeat(36)));
}

#[test]
fn what_is_found_stands_with_the_newest_last() {
    let found = |messages, more| {
        let next = None;
        NetEvent::Answer(ServerMessage::Search { room: None, epoch: None, messages, more, next, re: None })
    };
    let event = found(vec![entry("ops", 9, "new\u{1b}[2J"), entry("general", 4, "old")], true);
    let expected = [
        "-- found 2, the newest last; /search goes on",
        "  2 2026-11-21 10:02 [general] alice: old",
        "  1 2026-11-21 10:02 [ops] alice: new[2J",
    ];
    assert_eq!(shown(&mut lines(), &event), expected);
    assert_eq!(shown(&mut lines(), &found(vec![], true)), ["-- nothing found; /search goes on"]);
    assert_eq!(shown(&mut lines(), &found(vec![], false)), ["-- nothing found"]);
}
