//! Clients that do not read: nobody else is harmed, and they miss nothing once they do.

use std::time::Duration;

use serde_json::json;
use tokio::io::BufReader;
use tokio::net::TcpSocket;

use crate::support::{Terminal, TestClient, TestNode, Way, get, message, within};

/// A client in `general` whose socket takes little.
async fn narrow(node: &TestNode) -> TestClient {
    let mut client = TestClient::connect(node, Way::Tcp).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    *client.stream() = within(socket.connect(node.tcp)).await.unwrap();
    client.say(json!({"type": "hello", "v": 1})).await;
    client.wait("welcome").await;
    client.join("general").await;
    client
}

#[tokio::test]
async fn who_reads_late_gets_everything_in_order_and_nobody_waits() {
    let node = TestNode::with(|config| {
        config.limits.messages_per_second = 0;
        config.limits.outbox_bytes = 16 * 1024;
    });
    let mut slow = narrow(&node).await;
    let mut alice = TestClient::joined(&node, "alice").await;
    let mut bob = TestClient::joined(&node, "bob").await;
    let long = "x".repeat(4_000);
    for n in 1..=3_000 {
        alice.say(message(n, &format!("{n} {long}")[..4_000])).await;
        if n % 100 == 0 {
            alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == n).await;
            alice.contents(100).await;
            assert_eq!(bob.contents(100).await.len(), 100, "others are served");
        }
    }
    for n in 1..=3_000 {
        let seen = slow.wait("message").await;
        assert_eq!(seen["seq"], n);
    }
    slow.send(1, "caught up").await;
    assert_eq!(slow.contents(1).await, ["caught up"]);
}

#[tokio::test]
async fn who_never_reads_is_closed_and_leaves() {
    let node = TestNode::with(|config| {
        config.limits.messages_per_second = 0;
        config.timing.stall = Duration::from_millis(300);
        config.timing.leave_hold = Duration::from_millis(10);
    });
    let mut alice = TestClient::joined(&node, "alice").await;
    let slow = narrow(&node).await;
    alice.wait_for(|frame| frame["joined"][0].is_object()).await;
    let long = "x".repeat(4_000);
    let mut n = 0;
    // Written until the node has had enough of it.
    let left = within(async {
        loop {
            for _ in 0..50 {
                n += 1;
                alice.say(message(n, &long)).await;
            }
            alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == n).await;
            alice.contents(50).await;
            if let Some(left) = alice.seen(|frame| frame["left"].is_array()) {
                return left;
            }
        }
    })
    .await;
    assert_eq!(left["count"], 1);
    let (_, metrics) = get(node.http, "/metrics").await;
    assert!(metrics.contains("\nchat_clients_slow_closed_total 1\n"), "{metrics}");
    assert!(!metrics.contains("\nchat_clients_lagged_total 0\n"), "{metrics}");
    drop(slow);
}

#[tokio::test]
async fn who_asks_without_reading_is_answered_as_it_reads() {
    let node = TestNode::with(|config| {
        config.limits.messages_per_second = 0;
        // Its way to the node is full: a pong would have to wait behind its questions.
        config.timing.ping = Duration::from_secs(600);
    });
    let mut alice = TestClient::joined(&node, "alice").await;
    let long = "x".repeat(4_000);
    for n in 1..=80 {
        alice.say(message(n, &long)).await;
    }
    alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == 80).await;
    let mut greedy = TestClient::joined(&node, "greedy").await;
    let question = json!({"type": "history", "room": "general", "limit": 80}).to_string() + "\n";
    // A quarter of a megabyte is due for each of them; the node answers as far as there is room.
    greedy.raw(question.repeat(2_000).as_bytes()).await;
    // It still serves the others, and goes on with this one as it reads.
    alice.send(81, "served").await;
    for _ in 0..20 {
        greedy.wait("history").await;
    }
}

#[tokio::test]
async fn a_slow_person_at_a_terminal_catches_up_too() {
    let node = TestNode::with(|config| {
        config.limits.messages_per_second = 0;
        config.limits.outbox_bytes = 16 * 1024;
    });
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut person = Terminal(BufReader::new(within(socket.connect(node.tcp)).await.unwrap()));
    person.type_in("hi\n").await;
    person.sees(": hi").await;
    let mut alice = TestClient::joined(&node, "alice").await;
    let long = "x".repeat(1_000);
    for n in 1..=1_000 {
        alice.say(message(n, &format!("{n} {long}"))).await;
    }
    alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == 1_000).await;
    for n in 1..=1_000 {
        let line = person.sees("] alice: ").await;
        assert!(line.starts_with(&format!("[general] alice: {n} ")), "{n}: {line}");
    }
}
