//! What a reader sees of edits, deletes, replies and topics, and what a writer does to make them.

use chat_protocol::{ClientId, Kind, MessageId, Quote, RoomMessage};

use super::*;
use crate::net::event::{Target, Words};

fn message_id(seq: u64) -> MessageId {
    MessageId::new(ClientId::parse("c1").unwrap(), seq)
}

/// A change of the message that stood at `of` when it was said.
fn change(seq: u64, from: &str, of: u64, kind: Kind, text: &str) -> RoomMessage {
    let mut change = message("general", seq, from, text);
    change.body.kind = Some(kind);
    (change.body.reference, change.body.reference_id) = (Some(Seq(of)), Some(message_id(of)));
    change
}

fn edit(seq: u64, from: &str, of: u64, text: &str) -> RoomMessage {
    change(seq, from, of, Kind::Edit, text)
}

fn delete(seq: u64, from: &str, of: u64) -> RoomMessage {
    change(seq, from, of, Kind::Delete, "")
}

fn reply(seq: u64, from: &str, of: u64, text: &str) -> RoomMessage {
    let mut reply = message("general", seq, from, text);
    let quote = Quote {
        id: message_id(of),
        sender: "alice".into(),
        sender_id: id("alice"),
        text: "rolling node-2\u{1b}[2J".into(),
    };
    (reply.body.reply, reply.body.quote) = (Some(Seq(of)), Some(quote));
    reply
}

fn live(message: RoomMessage) -> NetEvent {
    NetEvent::Entry { message, out: None, origin: Origin::Live }
}

fn page(messages: Vec<RoomMessage>) -> NetEvent {
    NetEvent::History { room: room("general"), messages, more: true }
}

/// The three messages of `general`: two of alice's, one of bob's.
fn played(entries: impl IntoIterator<Item = RoomMessage>) -> Stage {
    let mut stage = chat();
    for entry in entries {
        stage.net(live(entry));
    }
    stage
}

fn target(seq: u64) -> Target {
    Target { seq: Seq(seq), id: Some(message_id(seq)) }
}

fn said_of(out: u64, kind: Option<Kind>, content: &str, of: u64) -> NetCommand {
    let words = Words { content: content.into(), kind, of: Some(target(of)) };
    NetCommand::SayOf { out: OutId(out), room: room("general"), words }
}

#[test]
fn an_edited_message_shows_its_newest_text_and_says_so() {
    let mut stage = played([edit(4, "alice", 1, "rolling node-3"), edit(5, "alice", 1, "rolling node-4")]);
    assert!(stage.shows("rolling node-4 (edited)") && !stage.shows("node-2 in five"));
    stage.net(live(edit(4, "alice", 1, "a repeat")));
    assert!(stage.shows("rolling node-4 (edited)"));
}

#[test]
fn a_deleted_message_leaves_a_line_and_no_edit_brings_it_back() {
    let stage = played([delete(4, "alice", 2), edit(5, "alice", 2, "back again")]);
    assert!(stage.shows("message deleted") && !stage.shows("fine, go") && !stage.shows("back again"));
}

#[test]
fn nobody_changes_the_message_of_another_whatever_a_server_says() {
    let stage = played([edit(4, "mallory", 1, "I resign"), delete(5, "mallory", 2)]);
    assert!(stage.shows("rolling node-2 in five") && stage.shows("fine, go"));
    assert!(!stage.shows("I resign") && !stage.shows("deleted"));
}

#[test]
fn changes_find_their_message_whichever_comes_first() {
    let mut stage = arrived();
    stage.net(live(edit(61, "alice", 40, "newest")));
    stage.net(page(vec![edit(50, "alice", 40, "older"), edit(51, "alice", 41, "of the page before")]));
    stage.net(page(vec![message("general", 40, "alice", "forty"), message("general", 41, "alice", "41")]));
    assert!(
        stage.shows("newest (edited)") && stage.shows("of the page before (edited)"),
        "{}",
        stage.picture()
    );
    assert!(!stage.shows("forty"));
}

#[test]
fn a_page_of_history_ends_where_a_change_stood() {
    let mut stage = arrived();
    stage.net(page(vec![edit(60, "alice", 40, "newest")])).asked();
    stage.press("PgUp PgUp");
    let NetCommand::History { before, .. } = stage.asked().remove(0) else { panic!("a page") };
    assert_eq!(before, Some(Seq(60)), "it is not asked for again");
}

#[test]
fn what_did_not_survive_a_rewind_has_changed_nothing() {
    let mut stage =
        played([edit(4, "alice", 1, "first"), edit(5, "alice", 1, "second"), delete(6, "alice", 2)]);
    stage.net(NetEvent::Rewound { room: room("general"), to: Seq(4) });
    assert!(stage.shows("first (edited)") && stage.shows("fine, go"));
    stage.net(NetEvent::Rewound { room: room("general"), to: Seq(3) });
    assert!(stage.shows("rolling node-2 in five") && !stage.shows("(edited)"));
    // It comes again, at another place: it goes by the identity.
    let mut moved = edit(9, "alice", 1, "again");
    moved.body.reference = Some(Seq(77));
    assert!(stage.net(live(moved)).shows("again (edited)"));
}

#[test]
fn what_was_changed_before_the_log_was_lost_stays_so() {
    let forged = edit(10, "mallory", 1, "forged");
    let mut stage = played([edit(8, "alice", 1, "first"), delete(9, "alice", 2), forged]);
    let (lost_from, lost_to, reason) = (Seq(9), None, "epoch".to_owned());
    stage.net(NetEvent::Reset {
        room: room("general"),
        epoch: chat_protocol::Epoch(2),
        lost_from,
        lost_to,
        reason,
    });
    assert!(stage.shows("first (edited)") && stage.shows("message deleted"));
    stage.net(live(edit(1, "alice", 1, "second")));
    assert!(stage.shows("second (edited)"));
    stage.net(NetEvent::Rewound { room: room("general"), to: Seq(0) });
    assert!(stage.shows("first (edited)"));
}

#[test]
fn changes_and_topics_are_no_news() {
    let mut stage = chat();
    stage.press("Alt-3");
    let mut topic = message("general", 6, "bob", "release day, you");
    topic.body.kind = Some(Kind::Topic);
    for entry in [edit(4, "alice", 1, "you: look"), delete(5, "alice", 2), topic] {
        stage.net(live(entry));
    }
    assert!(stage.shows(" 1 general    "), "{}", stage.picture());
    assert!(!stage.shows("1 general  @") && told(&stage).is_empty());
    stage.net(live(message("general", 7, "bob", "news")));
    assert!(stage.shows(" 1 general  1"), "{}", stage.picture());
}

#[test]
fn a_reply_stands_under_the_line_it_is_to() {
    let mut stage = played([reply(4, "carol", 1, "how far?")]);
    let picture = stage.picture();
    let rows: Vec<&str> = picture.lines().collect();
    let at = rows.iter().position(|row| row.contains("│ alice: rolling node-2[2J")).expect("the quote");
    assert!(rows[at].contains("carol") && rows[at + 1].contains("how far?"), "{picture}");
    assert!(!rows[at + 1].contains("carol"), "the name stands once");
    stage.net(live(delete(5, "alice", 1)));
    assert!(stage.shows("carol     │ message deleted"), "{}", stage.picture());
}

#[test]
fn a_topic_is_a_line_and_stands_in_the_title() {
    let mut stage = chat();
    stage.enters("/topic");
    assert!(stage.shows("#general has no topic"));
    stage.enters("/topic release day").enters("/topic -");
    let asked = stage.asked();
    let topic = |text: &str| NetCommand::Topic { room: room("general"), text: text.into() };
    assert_eq!(asked, [topic("release day"), topic("")]);
    let mut entry = message("general", 4, "you", "release\u{1b} day");
    entry.body.kind = Some(Kind::Topic);
    stage.net(live(entry.clone()));
    assert!(stage.shows("you set the topic: release day") && stage.shows("#general  release day"));
    (entry.seq, entry.id) = (Seq(5), message_id(5));
    entry.body.content.clear();
    stage.net(live(entry));
    assert!(stage.shows("you cleared the topic") && !stage.shows("#general  release day"));
    stage.net(NetEvent::Joined {
        room: room("general"),
        users: vec![],
        count: 0,
        epoch: chat_protocol::Epoch(1),
        head: Seq(5),
        topic: "from the server".into(),
    });
    assert!(stage.shows("#general  from the server"));
}

/// A front in which one of ours is in the log, at 4.
fn spoken() -> Stage {
    let mut stage = chat();
    stage.enters("teh words").arrives("general", OutId(1), "teh words");
    stage.at(20_000).asked();
    stage
}

#[test]
fn the_last_message_is_edited_by_a_command() {
    let mut stage = spoken();
    assert_eq!(stage.enters("/edit the words").asked(), [said_of(2, Some(Kind::Edit), "the words", 4)]);
    assert!(stage.shows("teh words") && !stage.shows("(edited)"), "it is edited when it is in the log");
    stage.becomes("general", OutId(2), OutState::Queued);
    assert!(stage.shows("… queued"));
    let entry = NetEvent::Entry {
        message: edit(5, "you", 4, "the words"),
        out: Some(OutId(2)),
        origin: Origin::Live,
    };
    assert!(stage.net(entry).shows("the words (edited)") && !stage.shows("queued"));
    stage.says("general", "bob", "x");
    assert_eq!(
        stage.enters("/edit again").asked(),
        [said_of(3, Some(Kind::Edit), "again", 4)],
        "own, not last"
    );
}

#[test]
fn an_edit_that_is_refused_is_told_and_changes_nothing() {
    let mut stage = spoken();
    stage.enters("/edit the words");
    stage.becomes("general", OutId(2), OutState::Failed("message 4 is another's".into()));
    assert!(stage.shows("not changed: message 4 is another's") && stage.shows("teh words"));
    assert!(stage.enters("/retry").shows("nothing failed here"), "the message did not");
}

#[test]
fn the_chosen_message_is_edited_in_the_input() {
    let mut stage = spoken();
    stage.types("a draft").press("Ctrl-Up e");
    assert!(stage.shows("[edit] teh words"), "{}", stage.picture());
    stage.press("Esc");
    assert!(stage.shows("[you] a draft"), "left as it was");
    stage.press("Ctrl-Up e Backspace").types("S").press("Enter");
    assert_eq!(stage.asked(), [said_of(2, Some(Kind::Edit), "teh wordS", 4)]);
    assert!(stage.shows("[you] a draft"));
    stage.press("Ctrl-Up Ctrl-Up e");
    assert!(stage.shows("not yours") && stage.shows("[you] a draft"));
}

#[test]
fn the_chosen_message_is_deleted_when_that_was_asked() {
    let mut stage = spoken();
    stage.press("Ctrl-Up d");
    assert!(stage.shows("Delete this message?") && stage.shows("teh words"));
    assert_eq!(stage.press("Esc").asked(), []);
    assert_eq!(stage.press("Ctrl-Up d Enter").asked(), [said_of(2, Some(Kind::Delete), "", 4)]);
    assert_eq!(stage.enters("/delete").press("n").asked(), []);
    assert_eq!(stage.enters("/delete").press("y").asked(), [said_of(3, Some(Kind::Delete), "", 4)]);
    stage.net(live(delete(5, "you", 4)));
    assert!(stage.enters("/delete").shows("nothing of yours is in the log here yet"));
    assert!(stage.press("Ctrl-Up d").shows("that message was deleted"));
}

#[test]
fn the_chosen_message_is_answered() {
    let mut stage = spoken();
    stage.press("Ctrl-Up Ctrl-Up Enter");
    assert!(stage.shows("[→ bob]"), "{}", stage.picture());
    assert_eq!(stage.enters("now").asked(), [said_of(2, None, "now", 3)]);
    assert!(stage.shows("│ bob: ready when you are"), "shown before anybody answers");
    assert!(stage.enters("to nobody").shows("[you]"));
    assert!(matches!(stage.asked()[..], [NetCommand::Say { .. }]));
    stage.enters("/reply again");
    assert!(stage.shows("choose the message first"));
    stage.press("Ctrl-Up Ctrl-Up Ctrl-Up Ctrl-Up").enters("/reply again");
    assert_eq!(stage.asked(), [said_of(4, None, "again", 3)]);
    stage.press("Ctrl-Up Ctrl-Up Enter Esc").enters("to all");
    assert!(matches!(stage.asked()[..], [NetCommand::Say { .. }]), "forgotten by Esc");
}

#[test]
fn nothing_is_done_about_what_is_not_in_the_log() {
    let mut stage = chat();
    stage.enters("on its way");
    assert!(stage.enters("/edit x").shows("nothing of yours is in the log here yet"));
    assert!(stage.press("Ctrl-Up e").shows("not in the log yet"));
    let mut stage = spoken();
    stage.enters("another");
    assert!(stage.enters("/edit x").shows("nothing of yours"), "not the one before it");
}

#[test]
fn what_is_copied_is_what_was_said() {
    let mut stage = played([edit(4, "bob", 3, "shorter")]);
    stage.effects.clear();
    stage.press("Ctrl-Up c");
    assert_eq!(stage.effects, [Effect::Copy("shorter".into())]);
}

#[test]
fn a_conversation_80x24() {
    let mut stage = played([
        reply(4, "carol", 1, "how far along is it? the dashboards say that nothing has begun at all"),
        edit(5, "alice", 2, "not yet, go\nwhen I say so"),
        delete(6, "bob", 3),
    ]);
    stage.enters("fine").arrives("general", OutId(1), "fine");
    stage.at(20_000).enters("/edit fine, then").press("Ctrl-Up Ctrl-Up Ctrl-Up Ctrl-Up Enter").types("soon");
    insta::assert_snapshot!(stage.picture());
}
