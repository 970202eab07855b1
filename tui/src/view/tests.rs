mod accessible;

use std::time::Duration;

use chat_protocol::{NodeInfo, Seq, ServerMessage};

use crate::effect::Effect;
use crate::glyphs::Glyphs;
use crate::net::event::{
    DialStep, LinkState, LinkStatus, Moment, NetCommand, NetEvent, OutId, OutState, Recovery, Totals,
};
use crate::stage::{Stage, node, online, recovery, room};

fn down(queued: usize) -> LinkStatus {
    let state = LinkState::Down {
        since: Moment::from_secs(10),
        reason: "connection reset".to_owned(),
        attempt: 3,
        retry_at: Moment::from_millis(16_100),
    };
    LinkStatus { state, queued, ..LinkStatus::default() }
}

fn dialling(step: DialStep, target: &str) -> LinkStatus {
    let state = LinkState::Dialling {
        attempt: 3,
        target: target.to_owned(),
        step,
        down_since: Some(Moment::from_secs(10)),
    };
    LinkStatus { state, queued: 2, ..LinkStatus::default() }
}

#[track_caller]
fn check_status(stage: &Stage, expected: &str) {
    let picture = stage.picture();
    let status = picture.lines().rev().nth(1).unwrap_or_default();
    let left = status.split("   ").next().unwrap_or_default();
    assert_eq!(left.trim(), expected);
}

#[test]
fn first_paint() {
    insta::assert_snapshot!(Stage::new(80, 24).picture());
}

#[test]
fn online_80x24() {
    let mut stage = Stage::chatting(80, 24);
    stage.enters("still here?");
    stage.arrives("general", OutId(1), "still here?");
    stage.enters("second one").becomes("general", OutId(2), OutState::Queued);
    insta::assert_snapshot!(stage.at(2_000).picture());
}

#[test]
fn offline_with_a_countdown_and_a_queued_message() {
    let mut stage = Stage::chatting(80, 24);
    stage.at(14_300).net(NetEvent::Link(down(1)));
    stage.enters("while away").becomes("general", OutId(1), OutState::Queued);
    insta::assert_snapshot!(stage.picture());
    check_status(&stage, "! OFFLINE 4s (connection reset) try 3 in 1.8s [Alt-r now] queued 1");
    assert_eq!(stage.app.next_change(), Some(Moment::from_millis(14_400)), "the countdown moves in tenths");
    stage.at(14_400);
    check_status(&stage, "! OFFLINE 4s (connection reset) try 3 in 1.7s [Alt-r now] queued 1");
}

#[test]
fn every_state_of_the_link_has_its_words() {
    let mut stage = Stage::chatting(100, 24);
    stage.at(131_000);
    check_status(&stage, "● node-2 tcp rtt 3.1ms p99 9.0ms up 2m");
    stage.at(14_000).net(NetEvent::Link(dialling(DialStep::Resolving, "lb.example.com")));
    check_status(&stage, "~ try 3 → lb.example.com dns… offline 4s queued 2");
    stage.net(NetEvent::Link(dialling(DialStep::Connecting, "10.0.0.7:12345 tcp")));
    check_status(&stage, "~ try 3 → 10.0.0.7:12345 tcp… offline 4s queued 2");
    stage.net(NetEvent::Link(dialling(DialStep::Hello, "10.0.0.7:12345 tcp")));
    check_status(&stage, "~ try 3 → 10.0.0.7:12345 tcp… hello… offline 4s queued 2");
    let mut status = online("node-3", 11);
    if let LinkState::Online { suspect, .. } = &mut status.state {
        *suspect = true;
    }
    stage.at(13_100).net(NetEvent::Link(status));
    check_status(&stage, "◌ node-3 no pong 2.1s");
}

#[test]
fn resumed_for_ten_seconds() {
    let mut stage = Stage::chatting(80, 24);
    stage.at(14_000).net(NetEvent::Link(down(0)));
    let mut status = LinkStatus { failovers: 1, ..online("node-3", 15) };
    stage.at(15_000).net(NetEvent::Link(status.clone()));
    status.recovery = Some(recovery(15, 37, 0));
    stage.net(NetEvent::Link(status.clone())).net(NetEvent::Link(status));
    insta::assert_snapshot!(stage.picture());
    assert!(stage.shows("37 recovered, 0 lost, 0 dup"), "the phrase people look for, at 80x24");
    assert_eq!(stage.count("~~ node-2 → node-3"), 1, "told once, however often the status comes");
    assert!(stage.at(24_900).shows("37 recovered, 0 lost, 0 dup"));
    assert!(!stage.at(25_000).shows("recovered, "));
    assert!(stage.shows("failovers 1"));
}

#[test]
fn in_50_columns_the_figures_of_a_failover_stand_whole() {
    let mut stage = Stage::chatting(50, 20);
    let status = LinkStatus { recovery: Some(recovery(15, 37, 0)), ..online("node-3", 15) };
    stage.at(15_000).net(NetEvent::Link(status));
    check_status(&stage, "● node-3 1.24s +37 recovered, 0 lost, 0 dup");
}

#[test]
fn a_move_is_told_as_one_and_is_no_line_of_the_conversation() {
    let mut stage = Stage::chatting(120, 30);
    let moved = Recovery { took: Duration::from_millis(20), planned: true, ..recovery(15, 1, 0) };
    let mut status = LinkStatus { moves: 1, recovery: Some(moved), ..online("node-3", 15) };
    stage.at(15_000).effects.clear();
    stage.net(NetEvent::Link(status.clone()));
    check_status(&stage, "● node-3 ← node-2 moved 0.02s +1 recovered, 0 lost, 0 dup");
    assert!(stage.shows("moved 0.02s") && stage.shows("+1 -0 dup 0"), "and in the panel");
    assert_eq!(stage.count("~~ node-2"), 0);
    assert_eq!(stage.effects, [Effect::Net(NetCommand::Nodes)], "the panel is told where we are now");
    status.recovery =
        Some(Recovery { counted: Totals { lost: 1, ..Totals::default() }, ..recovery(16, 0, 1) });
    stage.at(16_000).net(NetEvent::Link(status));
    assert_eq!(stage.count("~~ node-2 → node-3"), 1, "one that cost something is");
    assert!(stage.at(30_000).shows("moves 1"));
}

#[test]
fn a_loss_is_not_shown_as_all_well() {
    let mut stage = Stage::chatting(80, 24);
    let status = LinkStatus { recovery: Some(recovery(15, 36, 1)), ..online("node-3", 15) };
    stage.at(15_000).net(NetEvent::Link(status));
    check_status(&stage, "! node-3 ← node-2 1.24s +36 recovered, 1 lost, 0 dup");
}

#[test]
fn a_loss_on_a_good_link_is_counted_aloud() {
    let mut stage = Stage::chatting(80, 24);
    let mut status = online("node-2", 11);
    status.totals.lost = 1;
    stage.at(15_000).net(NetEvent::Link(status.clone())).net(NetEvent::Link(status));
    check_status(&stage, "! 1 lost on the way ● node-2 tcp rtt 3.1ms p99 9.0ms up 0m");
    stage.at(45_000);
    check_status(&stage, "● node-2 tcp rtt 3.1ms p99 9.0ms up 0m 1 lost");
}

#[test]
fn lost_history_is_named() {
    let mut stage = Stage::chatting(80, 24);
    let reset = |room, to, reason: &str| NetEvent::Reset {
        room,
        epoch: chat_protocol::Epoch(1),
        lost_from: Seq(120),
        lost_to: to,
        reason: reason.to_owned(),
    };
    stage.at(1_000).net(reset(room("ops"), Some(Seq(163)), "trimmed"));
    insta::assert_snapshot!(stage.press("Alt-2").picture());
    assert!(stage.shows("! #ops: messages 120-163 are gone (history trimmed) ● node-2 tcp"));
    stage.net(reset(room("random"), None, "epoch"));
    assert!(stage.shows("! #random: messages from 120 on are gone (history begun anew)"));
}

#[test]
fn a_server_alone_says_so() {
    let mut stage = Stage::chatting(80, 24);
    let cut_off = Some(Moment::from_millis(13_500));
    stage.at(17_200).net(NetEvent::Link(LinkStatus { cut_off, queued: 3, ..online("node-2", 0) }));
    insta::assert_snapshot!(stage.picture());
    assert_eq!(stage.app.next_change(), Some(Moment::from_millis(17_500)), "its seconds count");
    stage.at(17_500);
    check_status(&stage, "! server cannot reach the others 4s (node-2) queued 3 rtt 3.1ms p99 9.0ms");
    stage.net(NetEvent::Link(online("node-2", 0)));
    check_status(&stage, "● node-2 tcp rtt 3.1ms p99 9.0ms up 0m");
}

#[test]
fn the_link_panel_notes_a_server_alone() {
    let mut stage = Stage::chatting(120, 40);
    stage.at(14_000).net(NetEvent::Link(online("node-2", 0)));
    let cut_off = Some(Moment::from_secs(14));
    stage.net(NetEvent::Link(LinkStatus { cut_off, ..online("node-2", 0) }));
    assert!(stage.shows("! node-2") && stage.shows("cut off"));
    stage.at(18_000).net(NetEvent::Link(online("node-2", 0)));
    assert!(stage.shows("has others"));
}

#[test]
fn the_link_panel_120x40() {
    let mut stage = Stage::chatting(120, 40);
    for (second, ms) in [(1, 3), (2, 5), (3, 2), (4, 40)] {
        let rtt = Some(Duration::from_millis(ms));
        stage.at(second * 1_000).net(NetEvent::Link(LinkStatus { rtt, ..online("node-2", 0) }));
    }
    stage.at(14_000).net(NetEvent::Link(down(0)));
    stage.net(NetEvent::Link(dialling(DialStep::Connecting, "10.0.0.7:12345 tcp")));
    let mut status = online("node-3", 15);
    stage.at(15_200).net(NetEvent::Link(status.clone()));
    status.recovery = Some(recovery(15, 37, 0));
    stage.net(NetEvent::Link(status));
    let nodes = ["node-1", "node-3"].map(|name| NodeInfo {
        node: node(name),
        version: "0.1.0".to_owned(),
        uptime_s: 90,
        connections: 812,
        rooms: 3,
        draining: false,
        lag_ms: None,
        you: name == "node-3",
    });
    stage.net(NetEvent::Answer(ServerMessage::Nodes { nodes: nodes.into(), re: None }));
    insta::assert_snapshot!(stage.picture());
    stage.press("F2");
    assert!(!stage.shows("Link"), "F2 takes the panel away");
}

#[test]
fn members_from_100_columns() {
    insta::assert_snapshot!(Stage::chatting(100, 30).picture());
}

#[test]
fn members_lie_over_a_narrower_screen() {
    let mut stage = Stage::chatting(80, 24);
    assert!(!stage.shows("node-3 "));
    insta::assert_snapshot!(stage.press("F8").picture());
    assert!(!stage.press("F8").shows("3 users\n"));
}

#[test]
fn only_the_chat_under_60_columns() {
    insta::assert_snapshot!(Stage::chatting(50, 20).picture());
}

#[test]
fn a_tiny_terminal_still_shows_the_chat() {
    let mut stage = Stage::chatting(20, 5);
    insta::assert_snapshot!(stage.types("hi").picture());
}

#[test]
fn no_size_and_no_popup_panics() {
    for width in [1, 2, 3, 7, 19, 20, 21, 59, 60, 61, 99, 100, 120] {
        for height in [1, 2, 3, 4, 5, 6, 29, 30] {
            let mut stage = Stage::chatting(width, height);
            stage.types("日本語👨‍👩‍👧‍👦 and more text than fits").picture();
            stage.press("PgUp PgUp").picture();
            stage.press("F2 F8").picture();
            stage.press("F1").picture();
            stage.press("PgDn Esc Ctrl-T").picture();
            stage.types("zzz").picture();
        }
    }
}

#[test]
fn help_lists_keys_and_commands() {
    let mut stage = Stage::chatting(80, 24);
    insta::assert_snapshot!("help_top", stage.press("F1").picture());
    insta::assert_snapshot!("help_bottom", stage.press("End").picture());
    assert!(stage.shows("/kill [all]"));
    assert!(!stage.press("Up").shows("//text"), "the last page moves at the first key");
    assert!(!stage.press("Esc").shows("Esc closes"));
}

#[test]
fn the_switcher_finds_rooms() {
    let mut stage = Stage::chatting(80, 24);
    insta::assert_snapshot!(stage.press("Ctrl-T").types("o").picture());
    stage.types("ps").press("Enter");
    assert!(stage.shows("▶2 ops"));
}

#[test]
fn scrolled_up_the_screen_stands_still() {
    let mut stage = Stage::chatting(80, 24);
    for number in 0..60 {
        stage.says("general", "alice", &format!("line {number}"));
    }
    stage.press("PgUp");
    let before = stage.picture();
    for number in 60..72 {
        stage.says("general", "bob", &format!("line {number}"));
    }
    insta::assert_snapshot!(stage.picture());
    let rows = |picture: &str| -> Vec<String> {
        picture.lines().skip(1).take(20).map(|line| line.chars().skip(16).collect()).collect()
    };
    assert_eq!(rows(&before), rows(&stage.picture()), "what is read does not move");
    assert!(stage.shows("12 new below"));
    stage.press("Alt-End");
    assert!(stage.shows("line 71") && !stage.shows("new below"));
}

#[test]
fn wide_and_hostile_characters_keep_the_columns() {
    let mut stage = Stage::chatting(80, 24);
    stage.says(
        "general",
        "日本",
        "日本語の文章は空白なしで続く、とても長い文章なので折り返しが必要になります、まだ続く",
    );
    stage.says("general", "bob", "family 👨‍👩‍👧‍👦 flag 🏴󠁧󠁢󠁥󠁮󠁧󠁿 heart ❤\u{fe0f} e\u{301}te\u{301} end");
    stage.says("general", "alice", "שלום עולם and مرحبا بالعالم");
    stage.says(
        "general",
        "e\u{202e}vil\x1b[2J",
        "clear\x1b[2J\x1b]0;title\x07 c1\u{9b}31m bidi\u{202e}gnp.exe\u{2066}",
    );
    stage.says("general", "carol", "tab\there\nsecond line");
    insta::assert_snapshot!(stage.picture());
}

#[test]
fn ascii_alone_is_enough() {
    let mut stage = Stage::chatting(80, 24);
    stage.app.glyphs = &Glyphs::ASCII;
    stage.enters("hello").becomes("general", OutId(1), OutState::Queued);
    let status = LinkStatus { recovery: Some(recovery(1, 37, 0)), ..online("node-3", 1) };
    stage.at(1_000).net(NetEvent::Link(status));
    let picture = stage.picture();
    assert!(picture.is_ascii(), "{picture}");
}

#[test]
fn a_hostile_reason_and_room_stay_on_the_status_line() {
    let mut stage = Stage::chatting(80, 24);
    let mut status = down(2);
    if let LinkState::Down { reason, .. } = &mut status.state {
        *reason = format!("{}\n\x1b[2J", "certificate is bad ".repeat(10));
    }
    stage.at(14_300).net(NetEvent::Link(status));
    assert!(stage.shows("…) try 3 in 1.8s [Alt-r now] queued 2"), "{}", stage.picture());
}
