//! `chat-tui send`.

use chat_protocol::{ServerMessage, decode_server};
use chat_tui::net::event::Transport;

use super::{Place, chat_tui, run, text};
use crate::fake::Fake;

#[tokio::test]
async fn a_long_text_becomes_messages_at_its_lines_and_each_is_acknowledged() {
    let place = Place::start(1);
    let (host, test) = (place.host(Transport::Ws), "send-long");
    let long: String = (0..500).map(|line| format!("{line} of a log\n")).collect();
    let output = run(chat_tui(test, &["--host", &host, "send", "--room", "ops", "--json", "-"]), &long).await;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let acks = text(&output.stdout);
    let places: Vec<_> = acks
        .lines()
        .map(|line| match decode_server(line.as_bytes()).unwrap() {
            ServerMessage::Ack(ack) => (ack.room.to_string(), ack.n, ack.seq.unwrap().0),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(places, [("ops".to_owned(), 1, 1), ("ops".to_owned(), 2, 2)]);
    let mut tail = super::Running::start(test, &["--host", &host, "tail", "--room", "ops", "--since", "1h"]);
    let first = tail.line().await;
    assert!(first.ends_with("alice: 0 of a log"), "{first}");
}

#[tokio::test]
async fn more_than_was_allowed_is_refused_before_anything_is_sent() {
    let fake = Fake::bind(Transport::Tcp).await;
    let host = format!("tcp://{}", fake.endpoint().authority());
    let long = "a line\n".repeat(20_000);
    let output = run(chat_tui("send-most", &["--host", &host, "send", "-"]), &long).await;
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(
        error.contains("this would be 36 messages, and 20 are allowed") && error.contains("--most 36"),
        "{error}"
    );
}

#[tokio::test]
async fn without_a_server_nothing_is_sent_and_the_code_says_so() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let host = format!("tcp://{}", socket.local_addr().unwrap());
    let output = run(chat_tui("send-none", &["--host", &host, "send", "--timeout", "0.3", "x"]), "").await;
    assert_eq!(output.status.code(), Some(4));
    assert!(text(&output.stderr).contains("nothing was sent within 300ms (connection refused)"));
}

#[tokio::test]
async fn what_can_never_be_accepted_is_an_error_of_its_own() {
    let place = Place::start(1);
    let host = place.host(Transport::Tcp);
    let output = run(chat_tui("send-refused", &["--host", &host, "send", "-"]), "red \u{1b}[31m").await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("U+001B"), "{}", text(&output.stderr));
    let output = run(chat_tui("send-refused", &["--host", &host, "send", "--room", "dm-1", "x"]), "").await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
}
