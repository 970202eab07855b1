//! People at a plain terminal: `nc`, `telnet`, scripts.

use tokio::io::AsyncWriteExt;

use crate::support::{Terminal, TestClient, TestNode};

#[tokio::test]
async fn silence_is_greeted_with_the_room_and_what_was_said() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    alice.send(1, "before you came").await;
    let mut person = Terminal::connect(&node).await;
    let greeting = person.sees("you are in [general]").await;
    assert!(greeting.contains("alice") && greeting.contains("guest-"), "{greeting}");
    alice.send(2, "two\nlines").await;
    person.sees("[general] alice: two").await;
    assert_eq!(person.sees("lines").await, "    lines\n", "a second line cannot look like another message");
    person.type_in("hello\r\n").await;
    person.sees(": hello").await;
    assert_eq!(alice.wait_for(|frame| frame["content"] == "hello").await["type"], "message");
}

#[tokio::test]
async fn commands_are_understood() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    let mut person = Terminal::connect(&node).await;
    person.type_in("/nick zoe\n").await;
    person.sees("-- you are zoe now").await;
    person.type_in("/join general\n/me waves\n//not a command\n").await;
    person.sees("[general] * zoe waves").await;
    person.sees("[general] zoe: /not a command").await;
    assert_eq!(alice.wait("message").await["kind"], "action");
    person.type_in("/who\n").await;
    person.sees("-- 2 in [general]").await;
    person.type_in("/rooms\n/nodes\n").await;
    person.sees("-- rooms: general (").await;
    person.sees("-- nodes: one (2 connections, you)").await;
    person.type_in("/help\n/nonsense\n").await;
    person.sees("-- commands: /join ROOM").await;
    person.sees("-- unknown command /nonsense").await;
    person.type_in("/join no room\n").await;
    person.sees("-- room name holds the character U+0020").await;
    person.type_in("/leave\n").await;
    person.sees("-- you left [general]").await;
    person.type_in("/quit\n").await;
    assert_eq!(person.rest().await, "");
}

#[tokio::test]
async fn a_line_without_an_end_is_ended_by_silence() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    let mut person = Terminal::connect(&node).await;
    person.type_in("no newline").await;
    person.sees(": no newline").await;
    assert_eq!(alice.contents(1).await, ["no newline"]);
}

#[tokio::test]
async fn a_half_close_delivers_first() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    let mut person = Terminal::connect(&node).await;
    person.type_in("one\ntwo without an end").await;
    person.0.get_mut().shutdown().await.unwrap();
    assert_eq!(alice.contents(2).await, ["one", "two without an end"]);
    let rest = person.rest().await;
    assert!(rest.contains(": one\n") && rest.contains(": two without an end\n"), "{rest}");
    alice.wait_for(|frame| frame["left"].is_array()).await;
}

#[tokio::test]
async fn terminal_escapes_typed_are_refused_and_shown_to_nobody() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    let mut person = Terminal::connect(&node).await;
    person.type_in("\u{1b}[2Jgone\n\u{9b}31m\nfine\n").await;
    let refused = person.sees("U+001B").await;
    assert!(!refused.contains('\u{1b}'), "{refused:?}");
    person.sees("U+009B").await;
    person.0.get_mut().write_all(b"\xff\xfe\n").await.unwrap();
    person.sees("not UTF-8").await;
    assert_eq!(alice.contents(1).await, ["fine"]);
}
