//! `chat-tui tail`.

use chat_protocol::{ServerMessage, decode_server};
use chat_tui::net::event::Transport;
use rustix::process::Signal;

use super::{Place, Running};
use crate::fake::within;

/// What was said, of a line for programs.
fn content(line: &str) -> (u64, String) {
    match decode_server(line.as_bytes()) {
        Ok(ServerMessage::Message(message)) => (message.seq.0, message.body.content),
        other => panic!("{line}: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_said_is_a_line_and_the_link_is_told_beside_it() {
    let place = Place::start(1);
    let host = place.host(Transport::Tcp);
    let mut tail =
        Running::start("tail-lines", &["--host", &host, "tail", "--room", "general", "--room", "ops"]);
    tail.told("-- connected to node-1 (tcp)").await;
    tail.told("[ops] joined").await;
    place.say("tail-lines", "ops", "one\ntwo \u{202e}").await;
    let line = tail.line().await;
    assert!(line.ends_with(" [ops] alice: one") && line.starts_with("20"), "{line}");
    assert_eq!(tail.line().await, "      | two ");
    place.say("tail-lines", "general", "three").await;
    assert!(tail.line().await.ends_with(" [general] alice: three"));
    tail.signal(Signal::INT);
    assert_eq!(tail.code().await, Some(130));
}

#[tokio::test]
async fn the_death_of_a_node_leaves_no_gap_and_no_repeat() {
    let place = Place::start(2);
    let host = place.host(Transport::Ws);
    let test = "tail-death";
    place.say(test, "ops", "1").await;
    place.say(test, "ops", "2").await;
    let args = ["--host", &host, "tail", "--room", "ops", "--since", "10m", "--json"];
    let mut tail = Running::start(test, &args);
    let at = tail.told("-- connected to node-").await;
    assert_eq!(
        [tail.line().await, tail.line().await].map(|line| content(&line)),
        [(1, "1".to_owned()), (2, "2".to_owned())]
    );
    place.say(test, "ops", "3").await;
    assert_eq!(content(&tail.line().await), (3, "3".into()));

    let index = usize::from(at.contains("node-2"));
    place.nodes[index].kill();
    for said in ["4", "5", "6"] {
        place.say(test, "ops", said).await;
    }
    for seq in 4..=6 {
        assert_eq!(content(&tail.line().await), (seq, seq.to_string()));
    }
    let cost = tail.told(" recovered, ").await;
    assert!(cost.contains(&format!("node-{} → node-{}", index + 1, 2 - index)), "{cost}");
    assert!(cost.contains(" 0 lost, 0 dup"), "{cost}");
    place.say(test, "ops", "7").await;
    assert_eq!(content(&tail.line().await), (7, "7".into()));
    tail.signal(Signal::TERM);
    assert_eq!(tail.code().await, Some(143));
}

#[tokio::test]
async fn the_history_of_several_pages_comes_whole_and_in_order() {
    let place = Place::start(1);
    let (host, test) = (place.host(Transport::Tcp), "tail-history");
    // More than two pages: 4,000 characters are one message.
    let long: String = (0..450).map(|line| format!("{line:<3999}\n")).collect();
    let args = ["--host", &host, "send", "--most", "500", "--timeout", "30", "-"];
    let output = super::run(super::chat_tui(test, &args), &long).await;
    assert!(output.status.success(), "{}", super::text(&output.stderr));
    let mut tail = Running::start(test, &["--host", &host, "tail", "--since", "1h", "--json"]);
    for at in 0..450 {
        let (seq, content) = content(&tail.line().await);
        assert_eq!((seq, content.trim()), (at + 1, at.to_string().as_str()));
    }
    tail.signal(Signal::INT);
    assert_eq!(tail.code().await, Some(130));
}

#[tokio::test]
async fn whoever_reads_may_go_though_nothing_is_said() {
    let place = Place::start(1);
    let host = place.host(Transport::Tcp);
    let mut tail = Running::start("tail-closed", &["--host", &host, "tail"]);
    tail.told("[general] joined").await;
    let Running { mut child, lines, mut notices } = tail;
    drop(lines);
    let status = within("the program's end", child.wait()).await.unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(within("silence", notices.next_line()).await.unwrap(), None);
}

#[tokio::test]
async fn a_room_that_cannot_be_entered_is_an_error() {
    let place = Place::start(1);
    let host = place.host(Transport::Tcp);
    let mut tail = Running::start("tail-refused", &["--host", &host, "tail", "--room", "dm-0123"]);
    tail.told("chat-tui: cannot listen in dm-0123: ").await;
    assert_eq!(tail.code().await, Some(1));
}

#[tokio::test]
async fn nothing_is_marked_as_read() {
    let place = Place::start(1);
    let (host, test) = (place.host(Transport::Tcp), "tail-unread");
    place.say(test, "ops", "first").await;
    let mut tail = Running::start(test, &["--host", &host, "tail", "--room", "ops", "--since", "1h"]);
    assert!(tail.line().await.ends_with("alice: first"));
    place.say(test, "ops", "second").await;
    assert!(tail.line().await.ends_with("alice: second"));
    // Another client of the same user's is told what it has read: what no client ever told is marked as that.
    let mut chat = Running::start(test, &["--host", &host, "--json", "--room", "general"]);
    let own = loop {
        let line = chat.line().await;
        if line.contains("\"type\":\"own\"") {
            break line;
        }
    };
    let own: serde_json::Value = serde_json::from_str(&own).unwrap();
    let ops = own["rooms"].as_array().unwrap().iter().find(|known| known["room"] == "ops").unwrap();
    assert_eq!((&ops["unmarked"], &ops["seq"]), (&true.into(), &2.into()), "{own}");
    tail.signal(Signal::HUP);
    assert_eq!(tail.code().await, Some(129));
}
