mod bare;
mod changes;
mod find;
mod own;
mod places;
mod reading;
mod rooms;
mod settings;

use std::time::Duration;

use chat_protocol::{ErrorCode, Presence, SearchFrom, Seq, ServerMessage, UserName};

use crate::effect::{DemoCommand, Effect};
use crate::event::Event;
use crate::net::event::{LinkState, LinkStatus, NetCommand, NetEvent, Origin, OutId, OutState, Window};
use crate::stage::{Stage, id, message, online, room, user};

fn chat() -> Stage {
    Stage::chatting(80, 24)
}

/// A room is entered that has a log.
fn joined() -> NetEvent {
    NetEvent::Joined {
        room: room("general"),
        users: vec![],
        count: 0,
        epoch: chat_protocol::Epoch(1),
        head: Seq(60),
        topic: String::new(),
    }
}

/// A front that has just entered such a room.
fn arrived() -> Stage {
    let mut stage = Stage::new(80, 24);
    stage.net(NetEvent::Link(online("node-1", 0))).net(joined());
    stage
}

#[test]
fn a_page_that_could_not_be_had_is_asked_for_again() {
    let mut stage = arrived();
    assert_eq!(stage.asked().len(), 1);
    stage.net(NetEvent::History { room: room("general"), messages: vec![], more: true });
    assert_eq!(stage.press("PgUp PgUp").asked().len(), 1, "by who looks for it");
    stage.net(NetEvent::History { room: room("general"), messages: vec![], more: true });
    assert_eq!(stage.net(joined()).asked().len(), 1, "and when the room is entered again");
    stage.net(NetEvent::History { room: room("general"), messages: vec![], more: false });
    assert_eq!(stage.press("PgUp PgUp").asked().len(), 0, "there is none");
}

/// What the user was told of while looking elsewhere.
fn told(stage: &Stage) -> Vec<String> {
    let told = stage.effects.iter().filter_map(|effect| match effect {
        Effect::Notify(told) => Some(format!("{}: {}", told.title, told.text)),
        _ => None,
    });
    told.collect()
}

fn texts_said(asked: &[NetCommand]) -> Vec<&str> {
    let said = asked.iter().filter_map(|command| match command {
        NetCommand::Say { content, .. } => Some(content.as_str()),
        _ => None,
    });
    said.collect()
}

#[test]
fn the_rooms_it_starts_with_are_entered() {
    let stage = Stage::new(80, 24);
    let joins = ["general", "ops", "random"].map(|name| Effect::Net(NetCommand::Join(room(name))));
    assert_eq!(super::start(&stage.app), joins);
}

#[test]
fn unread_messages_are_counted_until_read() {
    let mut stage = chat();
    stage.says("random", "bob", "pizza?").says("ops", "bob", "you-know-who is no mention of you2");
    assert!(stage.shows(" 3 random   2") && stage.shows(" 2 ops     @1"));
    stage.press("Ctrl-N");
    assert!(stage.shows("▶2 ops        │") && stage.shows("2 new"));
    stage.press("Alt-3 Alt-1");
    assert!(stage.shows(" 3 random     │"), "seen is read");
    stage.press("Ctrl-N");
    assert!(!stage.shows("2 new"), "the line goes when the room was left");
}

#[test]
fn mentions_are_words_of_their_own_and_ring() {
    let mut stage = chat();
    stage.says("ops", "bob", "YOU there?");
    assert_eq!(told(&stage), ["#ops: bob: YOU there?"]);
    stage.at(2_000).says("ops", "bob", "bayou, yours, you-2, you_");
    assert!(stage.shows(" 2 ops     @2"));
    assert_eq!(told(&stage).len(), 1);
}

#[test]
fn what_was_missed_and_recovered_counts_but_does_not_ring() {
    let mut stage = chat();
    let missed = message("ops", 2, "bob", "you: still there?");
    stage.net(NetEvent::Entry { message: missed, out: None, origin: Origin::Replayed });
    assert!(stage.shows(" 2 ops     @2"));
    assert_eq!(stage.effects, []);
}

#[test]
fn rooms_are_switched_by_keys_commands_and_numbers() {
    let mut stage = chat();
    for (keys, shown) in [("Alt-Down", "▶2"), ("F6", "▶3"), ("F6", "▶1"), ("Alt-Up", "▶3"), ("Alt-2", "▶2")]
    {
        assert!(stage.press(keys).shows(shown), "{keys}");
    }
    for (line, shown) in
        [("/prev", "▶1"), ("/3", "▶3"), ("/go gnrl", "▶1"), ("/unread", "▶3"), ("/next", "▶1")]
    {
        stage.says("random", "bob", "x");
        assert!(stage.enters(line).shows(shown), "{line}");
    }
    assert!(stage.press("Alt-9").shows("there is no room 9"));
}

#[test]
fn a_mention_goes_before_what_is_merely_unread() {
    let mut stage = Stage::chatting(80, 24);
    stage.press("Alt-3").says("general", "bob", "unread");
    assert!(stage.press("Alt-a").shows("▶2 ops"));
    assert!(stage.press("Esc a").shows("▶1 general"), "Esc then a is Alt-a");
    assert!(stage.press("F4").shows("nothing unread"));
}

#[test]
fn a_text_begun_stays_with_its_room() {
    let mut stage = chat();
    stage.types("half a thou").press("Ctrl-N");
    assert!(!stage.shows("half a thou"));
    assert!(stage.types("ops text").press("Ctrl-P").shows("[you] half a thou"));
    assert!(stage.press("Ctrl-N").shows("[you] ops text"));
}

#[test]
fn written_before_comes_back_with_up() {
    let mut stage = chat();
    stage.enters("first").enters("second").types("third");
    assert!(stage.press("Up").shows("[you] second"));
    assert!(stage.press("Up").shows("[you] first"));
    assert!(stage.press("Down Down").shows("[you] third"));
}

#[test]
fn a_message_is_queued_then_acked_then_replaced_by_its_entry_once() {
    let mut stage = chat();
    stage.enters("still here?");
    assert!(stage.shows("still here?") && stage.shows("…"), "shown before anybody answers");
    let expected = NetCommand::Say {
        out: OutId(1),
        room: room("general"),
        content: "still here?".to_owned(),
        kind: None,
    };
    assert_eq!(stage.asked(), [expected]);
    assert!(stage.becomes("general", OutId(1), OutState::Queued).shows("… queued"));
    assert!(!stage.becomes("general", OutId(1), OutState::Sent).shows("queued"));
    stage.says("general", "bob", "in between");
    assert!(stage.becomes("general", OutId(1), OutState::Acked).shows("✓"));
    stage.arrives("general", OutId(1), "still here?");
    assert_eq!(stage.count("still here?"), 1);
    assert!(stage.shows("✓"), "the mark stays for a while");
    assert!(!stage.at(60_000).shows("✓"), "and goes");
}

#[test]
fn an_entry_before_its_ack_is_shown_once_too() {
    let mut stage = chat();
    stage.enters("quick").arrives("general", OutId(1), "quick");
    stage.becomes("general", OutId(1), OutState::Acked);
    assert_eq!(stage.count("quick"), 1);
    assert!(stage.shows("✓"));
    assert!(!stage.shows("1 new"), "one's own words are not news");
}

#[test]
fn a_failed_message_says_why_and_can_be_taken_back() {
    let mut stage = chat();
    stage.enters("too much of it").becomes(
        "general",
        OutId(1),
        OutState::Failed("too long\x1b[2J".to_owned()),
    );
    stage.says("general", "bob", "later");
    assert!(stage.shows("! too long[2J") && stage.shows("too much of it"));
    stage.enters("/retry");
    assert!(stage.shows("[you] too much of it"));
    assert_eq!(stage.count("too much of it"), 1);
    assert!(stage.press("Enter").shows("too much of it"));
    assert_eq!(texts_said(&stage.asked()), ["too much of it"; 2]);
}

#[test]
fn a_room_rewound_loses_what_did_not_win() {
    let mut stage = chat();
    stage.says("general", "bob", "the losing half").enters("pending one");
    stage.net(NetEvent::Rewound { room: room("general"), to: Seq(3) });
    assert!(!stage.shows("the losing half"));
    assert!(stage.shows("rolling node-2") && stage.shows("pending one"), "what stands, stands");
    let won = message("general", 4, "bob", "the winning half");
    stage.net(NetEvent::Entry { message: won, out: None, origin: Origin::Replayed });
    assert!(stage.shows("the winning half"));
}

#[test]
fn a_reset_room_keeps_what_it_shows_and_says_what_is_gone() {
    let mut stage = chat();
    stage.enters("acked, entry lost").becomes("general", OutId(1), OutState::Acked);
    let reset = |to| NetEvent::Reset {
        room: room("general"),
        epoch: chat_protocol::Epoch(1),
        lost_from: Seq(4),
        lost_to: to,
        reason: "epoch".to_owned(),
    };
    stage.net(reset(Some(Seq(9))));
    assert!(stage.shows("! messages 4-9 are gone (history begun anew)"));
    stage.says("general", "bob", "a new life");
    let picture = stage.picture();
    let rows: Vec<_> =
        picture.lines().filter(|row| row.contains("lost") || row.contains("new life")).collect();
    assert!(rows[0].contains("acked, entry lost") && rows[1].contains("new life"), "{picture}");
    assert!(stage.shows("rolling node-2"));
    stage.net(NetEvent::Rewound { room: room("general"), to: Seq(0) });
    assert!(stage.shows("rolling node-2"), "places of the old life are not the new one's");
}

#[test]
fn an_unknown_command_is_never_sent_and_stays_to_be_mended() {
    let mut stage = chat();
    stage.enters("/jion ops");
    assert!(stage.shows("did you mean /join?") && stage.shows("[you] /jion ops"));
    stage.press("Enter").press("Ctrl-U").enters("/todo water");
    assert!(stage.shows("does not have /todo yet") && stage.shows("[you] /todo water"));
    assert_eq!(stage.asked(), []);
    stage.press("Ctrl-U").enters("//etc/passwd");
    assert_eq!(texts_said(&stage.asked()), ["/etc/passwd"]);
}

#[test]
fn a_long_paste_is_asked_about() {
    let mut stage = chat();
    stage.play(Event::Paste("a\r\nb\r\nc\nd\ne\nf".to_owned()));
    assert_eq!(stage.asked(), [], "a paste alone sends nothing");
    stage.press("Enter");
    assert!(stage.shows("Send 6 pasted lines to #general?"));
    stage.press("Esc");
    assert!(stage.shows("[you] a"), "Esc destroys nothing");
    stage.press("Enter Enter");
    assert_eq!(texts_said(&stage.asked()), ["a\nb\nc\nd\ne\nf"]);
    stage.play(Event::Paste("one\ntwo".to_owned())).press("Enter");
    assert_eq!(texts_said(&stage.asked()), ["one\ntwo"], "a short one is not");
}

#[test]
fn too_long_a_text_is_kept_to_be_shortened() {
    let mut stage = chat();
    stage.play(Event::Paste("x".repeat(4_001))).press("Enter");
    assert!(stage.shows("4001 characters, 4000 are allowed"));
    assert_eq!(stage.asked(), []);
    stage.press("Backspace Enter");
    assert_eq!(texts_said(&stage.asked())[0].len(), 4_000);
}

#[test]
fn ctrl_c_clears_then_quits_and_ctrl_d_quits_when_empty() {
    let mut stage = chat();
    stage.types("oops").press("Ctrl-C");
    assert!(!stage.shows("oops") && stage.effects.is_empty());
    assert!(stage.press("Ctrl-_").shows("[you] oops"), "undo brings it back");
    stage.press("Ctrl-D");
    assert_eq!(stage.effects, []);
    stage.at(5_000).press("Ctrl-C").at(8_000).press("Ctrl-C");
    assert_eq!(stage.effects, [], "too slow to be a double");
    stage.press("Ctrl-C");
    assert_eq!(stage.effects, [Effect::Quit]);
    stage.effects.clear();
    assert_eq!(stage.press("Ctrl-D").effects, [Effect::Quit]);
}

#[test]
fn tab_completes_commands_rooms_and_names() {
    let mut stage = chat();
    assert!(stage.types("/jo").press("Tab").shows("[you] /join"));
    assert!(stage.types("ran").press("Tab").shows("[you] /join random"));
    assert!(stage.press("Ctrl-U").types("al").press("Tab").shows("[you] alice:"));
    assert!(stage.press("Ctrl-U").types("ask b").press("Tab").shows("[you] ask bob"));
    assert!(stage.press("Ctrl-U").types("see #o").press("Tab").shows("[you] see #ops"));
    stage.press("Ctrl-U").types("/re").press("Tab");
    assert!(stage.shows("[you] /reply") && stage.press("Tab").shows("[you] /read"));
    assert!(stage.press("Tab").shows("[you] /reconnect") && stage.press("Tab").shows("[you] /retry"));
    assert!(stage.press("Tab").shows("[you] /revive"));
}

#[test]
fn older_history_is_loaded_at_the_top_and_the_screen_stays() {
    let mut stage = arrived();
    let ask = |before| NetCommand::History { room: room("general"), before: Some(Seq(before)), limit: 100 };
    assert_eq!(stage.asked(), [ask(61)]);
    let page = |range: std::ops::RangeInclusive<u64>| {
        let messages = range.map(|seq| message("general", seq, "bob", &format!("line {seq}."))).collect();
        NetEvent::History { room: room("general"), messages, more: true }
    };
    stage.net(page(45..=60));
    assert!(stage.shows("line 60.") && stage.shows("PgUp loads older messages"));
    stage.press("PgUp PgUp");
    assert_eq!(stage.asked(), [ask(45)], "asked once while the page is on its way");
    let top = stage.picture();
    stage.net(page(20..=46));
    assert!(top.contains("line 60.") && stage.shows("line 60."));
    assert_eq!(stage.count("line 45."), 1, "what is there already does not come twice");
    stage.press("PgUp");
    assert!(stage.shows("line 30.") && !stage.shows("line 60."));
    assert_eq!(stage.asked(), [ask(20)], "before the oldest line is reached");
    let before = stage.picture();
    stage.net(page(10..=19));
    assert_eq!(stage.picture(), before, "a page above moves nothing");
    assert_eq!(stage.press("PgUp PgUp").asked(), [ask(10)]);
}

#[test]
fn a_page_that_is_refused_may_be_asked_for_again() {
    let mut stage = arrived();
    assert_eq!(stage.asked().len(), 1);
    let text = "the backbone cannot be reached".to_owned();
    stage.net(NetEvent::Trouble { room: Some(room("general")), code: ErrorCode::Unavailable, text });
    assert_eq!(stage.net(joined()).asked().len(), 1);
}

#[test]
fn a_lost_link_gives_the_asking_back() {
    let mut stage = arrived();
    assert_eq!(stage.asked().len(), 1);
    stage.net(NetEvent::Link(LinkStatus::default()));
    stage.net(NetEvent::Link(online("node-2", 0))).net(joined());
    assert_eq!(stage.asked().len(), 1, "the first page is asked for again");
}

#[test]
fn ten_thousand_lines_are_kept() {
    let mut stage = chat();
    for number in 0..10_050 {
        stage.says("general", "bob", &format!("n{number}."));
    }
    stage.press("Alt-Home");
    assert!(!stage.shows("n49.") && stage.shows("n50."));
    assert!(stage.press("Alt-End").shows("n10049."));
}

#[test]
fn members_come_go_move_and_change_names() {
    let mut stage = Stage::chatting(100, 24);
    let joined = vec![user("dora", "node-1")];
    let left = vec![user("bob", "node-3")];
    let moved = chat_protocol::Moved { user: user("alice", "node-9"), from: crate::stage::node("node-1") };
    let presence = Presence { room: room("general"), joined, left, moved: vec![moved], count: 3 };
    stage.net(NetEvent::Presence(presence));
    assert!(stage.shows("dora") && stage.shows("node-9") && !stage.shows("bob              node-3"));
    let was = Some("alice".to_owned());
    stage.net(NetEvent::Renamed { user_id: id("alice"), name: "al\x1bice2".to_owned(), was });
    assert!(stage.shows("alice is now alice2") && stage.shows(" alice2 "));
}

#[test]
fn rooms_are_joined_and_left() {
    let mut stage = chat();
    stage.enters("/join Dev");
    assert!(stage.shows("▶4 dev") && stage.shows("entering #dev"));
    stage.enters("/leave");
    assert!(stage.shows("#dev  (leaving)"));
    assert_eq!(stage.asked(), [NetCommand::Join(room("dev")), NetCommand::Leave(room("dev"))]);
    stage.net(NetEvent::Left(room("dev")));
    assert!(!stage.shows("dev") && stage.shows("▶3 random"));
    stage.net(NetEvent::Left(room("random")));
    assert!(stage.shows("you are no longer in #random"), "put out without asking: the room stays to be read");
    assert!(stage.enters("/join ~u.x").shows("cannot be joined"));
}

#[test]
fn answers_are_lines_in_the_room() {
    let mut stage = chat();
    stage.enters("/who").enters("/nick carol").enters("/reconnect");
    let name = UserName::parse("carol").expect("a good name");
    let expected = [NetCommand::Who(room("general")), NetCommand::Rename(name), NetCommand::ReconnectNow];
    assert_eq!(stage.asked(), expected);
    let users = vec![user("alice\x1b[31m", "node-1")];
    let who = ServerMessage::Who { room: room("general"), users, count: 3, more: true, re: None };
    stage.net(NetEvent::Answer(who));
    assert!(
        stage.shows("#general: 3 users") && stage.shows("alice[31m on node-1") && stage.shows("and 2 more")
    );
    let text = "name is taken\x07".to_owned();
    stage.net(NetEvent::Trouble { room: None, code: ErrorCode::BadName, text });
    assert!(stage.shows("! name is taken (bad_name)"));
}

#[test]
fn the_demo_breaks_by_command_and_key() {
    let mut stage = chat();
    stage.enters("/kill").enters("/kill all").enters("/revive").enters("/withhold").press("F9");
    let all = [
        DemoCommand::Kill,
        DemoCommand::KillAll,
        DemoCommand::Revive,
        DemoCommand::Withhold,
        DemoCommand::Kill,
    ];
    assert_eq!(stage.effects, all.map(Effect::Demo));
    stage.effects.clear();
    stage.app.demo = false;
    stage.enters("/kill").press("F9");
    assert_eq!(stage.effects, [], "outside the demo there is nothing to kill");
}

#[test]
fn typing_and_switching_work_offline() {
    let mut stage = Stage::new(80, 24);
    let state = LinkState::Dialling {
        attempt: 1,
        target: "lb.example.com".to_owned(),
        step: crate::net::event::DialStep::Resolving,
        down_since: None,
    };
    stage.net(NetEvent::Link(LinkStatus { state, ..LinkStatus::default() }));
    stage.enters("before the first welcome").press("Ctrl-N").types("more");
    assert_eq!(texts_said(&stage.asked()), ["before the first welcome"]);
    assert!(stage.shows("~ try 1 → lb.example.com dns…") && stage.shows("[you] more"));
    assert!(stage.press("Ctrl-P").shows("before the first welcome"));
}

#[test]
fn a_taken_name_is_said() {
    let mut stage = chat();
    let name_wanted = Some("you".to_owned());
    stage.net(NetEvent::Welcome { user_id: id("you"), name: "you-2".to_owned(), name_wanted });
    assert!(stage.shows("you is taken: you are you-2") && stage.shows("[you-2]"));
}

#[test]
fn nothing_counts_nothing_ticks() {
    let stage = Stage::new(80, 24);
    assert_eq!(stage.app.next_change(), None);
    let mut stage = chat();
    assert_eq!(
        stage.at(7_000).app.next_change(),
        Some(std::time::Duration::from_secs(60)),
        "minutes of uptime"
    );
}

#[test]
fn a_chosen_message_is_copied_or_taken_back() {
    let mut stage = chat();
    stage.enters("doomed").becomes("general", OutId(1), OutState::Failed("forbidden".to_owned()));
    stage.asked();
    assert!(stage.press("Ctrl-Up Ctrl-Up").shows("10:01▶bob") && stage.shows("c copy"));
    assert!(stage.press("Up").shows("     ▶          fine, go"));
    assert_eq!(stage.press("c").effects, [Effect::Copy("fine, go".to_owned())]);
    assert!(!stage.shows("▶ "), "done is done");
    assert!(stage.press("Ctrl-Up r").shows("[you] doomed"));
    assert!(stage.press("Ctrl-Up x").shows("[you] doomedx"), "another key goes on writing");
    stage.press("Ctrl-Up Esc");
    assert!(!stage.shows("10:01▶bob"));
}

#[test]
fn choosing_goes_as_far_up_as_there_is_something() {
    let mut stage = chat();
    for number in 0..100 {
        stage.says("general", "bob", &format!("line {number}."));
    }
    for _ in 0..200 {
        stage.press("Ctrl-Up");
    }
    assert!(stage.shows("10:00▶alice"), "{}", stage.picture());
    for _ in 0..200 {
        stage.press("Ctrl-Down");
    }
    assert!(stage.shows("line 99.") && !stage.shows("below"), "{}", stage.picture());
}

#[test]
fn a_panel_in_sight_asks_for_the_nodes_once() {
    let mut stage = chat();
    let resize = |width, height| Event::Resize { width, height };
    assert_eq!(stage.play(resize(120, 40)).asked(), [NetCommand::Nodes]);
    assert_eq!(stage.play(resize(140, 40)).asked(), []);
    stage.net(NetEvent::Answer(ServerMessage::Nodes { nodes: vec![], re: None }));
    assert!(!stage.shows("connections"), "what the panel asked is not told in the room");
}

#[test]
fn each_room_keeps_its_place() {
    let mut stage = chat();
    for number in 0..100 {
        stage.says("general", "bob", &format!("line {number}."));
    }
    stage.press("Alt-2 Alt-1 PgUp PgUp");
    let before = stage.picture();
    stage.press("Ctrl-N Ctrl-P");
    assert_eq!(stage.picture(), before);
    stage.enters("back to the present");
    assert!(stage.shows("back to the present"), "who speaks sees it");
}

#[test]
fn the_first_unread_message_is_found() {
    let mut stage = chat();
    stage.press("Alt-3");
    for number in 0..100 {
        stage.says("general", "bob", &format!("line {number}."));
    }
    stage.press("Alt-1").press("Alt-u");
    assert!(stage.shows("100 new") && stage.shows("line 0.") && !stage.shows("line 99."));
}

/// What a search finds, the newest first.
fn found(messages: Vec<chat_protocol::RoomMessage>, next: Option<SearchFrom>) -> NetEvent {
    let (room, epoch, more) = (Some(room("general")), None, next.is_some());
    NetEvent::Answer(ServerMessage::Search { room, epoch, messages, more, next, re: None })
}

fn searches(query: &str, in_room: Option<&str>, from: Option<SearchFrom>) -> NetCommand {
    NetCommand::Search { query: query.to_owned(), room: in_room.map(room), from, limit: Some(20) }
}

#[test]
fn what_is_found_is_shown_with_the_newest_last_and_goes_on() {
    let mut stage = chat();
    stage.asked();
    stage.enters("/search fox");
    assert_eq!(stage.asked(), [searches("fox", Some("general"), None)]);
    let next = SearchFrom { room: room("general"), before: Seq(7) };
    let messages = vec![
        message("general", 9, "bob\x07", "the\nnewest fox\x1b[2J"),
        message("general", 7, "eve", "a fox"),
    ];
    stage.net(found(messages, Some(next.clone())));
    assert!(stage.shows("found 2 for fox in #general, newest last; /search goes on"), "{}", stage.picture());
    assert!(stage.shows("  1 #general 2025-08-12 10:04 bob: the newest fox[2J"), "{}", stage.picture());
    let picture = stage.picture();
    assert!(picture.find("  2 #general").unwrap() < picture.find("  1 #general").unwrap(), "{picture}");
    stage.enters("/search");
    assert_eq!(stage.asked(), [searches("fox", Some("general"), Some(next))]);
    stage.net(found(vec![message("general", 3, "eve", "an old fox")], None));
    assert!(
        stage.shows("found 1 for fox in #general, newest last") && stage.shows("/context NUMBER"),
        "{}",
        stage.picture()
    );
    assert!(stage.shows("  3 #general 2025-08-12 10:01 eve: an old fox"));
    assert!(stage.enters("/search").shows("no search to go on with"));
    stage.enters("/search -a owl");
    assert_eq!(stage.asked(), [searches("owl", None, None)]);
    stage.net(found(vec![], None));
    assert!(stage.shows("nothing found for owl in all rooms"));
    assert!(stage.enters("/context 1").shows("no message 1 was found"));
}

#[test]
fn what_was_said_around_a_found_message_is_shown() {
    let mut stage = chat();
    stage.enters("/search fox");
    let messages = vec![message("general", 9, "bob", "a fox"), message("ops", 7, "eve", "a fox")];
    stage.net(found(messages, None));
    stage.asked();
    stage.enters("/context 2");
    let (room, window) = (room("ops"), Window::Around(Seq(7)));
    assert_eq!(stage.asked(), [NetCommand::Look { room: room.clone(), window, limit: 11 }]);
    let looked = |messages| NetEvent::Looked {
        room: room.clone(),
        window,
        epoch: chat_protocol::Epoch(1),
        messages,
        more: false,
    };
    let texts = [(6, "before"), (7, "a fox"), (8, "behind")];
    stage.net(looked(texts.map(|(seq, text)| message("ops", seq, "eve", text)).into()));
    assert!(stage.shows("around that in #ops:") && stage.shows("> 2025-08-12 10:03 eve: a fox"));
    assert!(stage.shows("  2025-08-12 10:04 eve: behind"), "{}", stage.picture());
    let mut another = message("ops", 7, "eve", "of another life");
    another.id.n = 99;
    stage.net(looked(vec![another]));
    assert!(stage.shows("#ops does not have that any more"), "{}", stage.picture());
}

#[test]
fn searching_offline_is_said() {
    let mut stage = Stage::new(80, 24);
    assert!(stage.enters("/search fox").shows("offline"), "{}", stage.picture());
}

fn typing(in_room: &str, name: &str) -> NetEvent {
    NetEvent::Typing { room: room(in_room), user_id: id(name), name: name.to_owned() }
}

/// When the screen changes while nobody does anything: the minutes that the link is up.
fn idle() -> Option<Duration> {
    Some(Duration::from_secs(60))
}

fn told_typing(stage: &mut Stage) -> usize {
    std::mem::take(&mut stage.typed).len()
}

#[test]
fn who_writes_is_told_once_in_three_seconds_and_no_more_when_it_stops() {
    let mut stage = chat();
    stage.at(10_000).types("hello");
    assert_eq!(std::mem::take(&mut stage.typed), [room("general")], "once, whatever the number of letters");
    stage.at(12_999).types("a");
    assert_eq!(told_typing(&mut stage), 0);
    stage.at(13_200).types("b");
    assert_eq!(told_typing(&mut stage), 1);
    stage.at(30_000).press("Home Up End");
    assert_eq!(told_typing(&mut stage), 0, "a cursor that moves writes nothing");
    stage.press("Backspace");
    assert_eq!(told_typing(&mut stage), 1);
    assert_eq!(stage.app.next_change(), idle(), "nothing is due by itself");
    stage.at(40_000).play(Event::Paste("pasted".into()));
    assert_eq!(told_typing(&mut stage), 1);
}

#[test]
fn what_is_no_speech_is_not_told() {
    let mut stage = chat();
    stage.at(10_000).types("/topic not yours to see").press("Ctrl-U").types("  ");
    assert_eq!(told_typing(&mut stage), 0, "a command, an empty line, a blank one");
    stage.press("Ctrl-U").types("//shrug");
    assert_eq!(told_typing(&mut stage), 1, "text that begins with a slash");
    stage.at(20_000).press("Enter");
    assert_eq!(told_typing(&mut stage), 0, "what is sent is not being written");
    stage.press("Ctrl-N").types("draft");
    assert_eq!(std::mem::take(&mut stage.typed), [room("ops")]);
    stage.at(30_000).press("Ctrl-P Ctrl-N");
    assert_eq!(told_typing(&mut stage), 0, "a draft that comes back was written before");
    stage.net(NetEvent::Link(LinkStatus::default())).types("x");
    assert_eq!(told_typing(&mut stage), 0, "nobody would hear it");
    let mut left = chat();
    left.at(10_000).net(NetEvent::Left(room("general"))).types("x");
    assert_eq!(told_typing(&mut left), 0);
}

#[test]
fn others_who_type_are_shown_until_five_seconds_after_or_until_it_comes() {
    let mut stage = chat();
    stage.at(10_000).net(typing("general", "bob"));
    assert!(stage.shows("bob is typing"));
    assert_eq!(stage.app.next_change(), Some(Duration::from_millis(15_000)));
    stage.at(12_000).net(typing("general", "carol"));
    assert!(stage.shows("bob, carol are typing"));
    stage.net(typing("general", "dave"));
    assert!(stage.shows("several people are typing"));
    stage.at(15_000);
    assert!(stage.shows("carol, dave are typing"), "bob's last word was five seconds ago");
    stage.says("general", "carol", "here it is");
    assert!(stage.shows("dave is typing"));
    stage.net(NetEvent::Presence(Presence {
        room: room("general"),
        joined: vec![],
        left: vec![user("dave", "node-1")],
        moved: vec![],
        count: 2,
    }));
    assert!(!stage.shows("typing"));
    assert_eq!(stage.app.next_change(), idle());
}

#[test]
fn typing_is_of_one_room_and_never_ones_own() {
    let mut stage = chat();
    stage.at(10_000).net(typing("ops", "bob")).net(typing("general", "you")).net(typing("nowhere", "bob"));
    assert!(!stage.shows("typing"));
    assert_eq!(stage.app.next_change(), idle(), "what is not shown wakes nobody");
    assert!(stage.press("Ctrl-N").shows("bob is typing"));
    let name = "mallory\u{1b}[2J\u{7}".to_owned();
    stage.net(NetEvent::Typing { room: room("ops"), user_id: id("mallory"), name });
    assert!(stage.shows("bob, mallory[2J are typing"), "{}", stage.picture());
    for number in 0..1_000 {
        stage.net(typing("ops", &format!("u{number}")));
    }
    assert!(stage.shows("several people are typing"));
    stage.net(NetEvent::Joined {
        room: room("ops"),
        topic: String::new(),
        users: vec![],
        count: 0,
        epoch: chat_protocol::Epoch(1),
        head: Seq(1),
    });
    assert!(!stage.shows("typing"), "who comes back does not know");
}
