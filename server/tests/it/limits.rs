//! Limits: what each refuses, and that 0 switches it off.

use chat_server::Cluster;
use chat_server::config::{Loaded, Sources};
use serde_json::json;

use crate::support::{TestClient, TestNode, Way, message, within};

/// A node with limits set as load tests set them.
fn by_environment(limits: &[(&str, &str)]) -> TestNode {
    let env = limits.iter().map(|(key, value)| (format!("CHAT_SERVER_LIMITS__{key}"), (*value).to_owned()));
    let sources =
        Sources { file: None, system_file: "/nonexistent".into(), env: env.collect(), flags: Vec::new() };
    let limits = Loaded::read(&sources).unwrap().config.limits;
    TestNode::of(&Cluster::default(), "one", |config| config.limits = limits)
}

#[tokio::test]
async fn zero_switches_every_limit_off() {
    let keys = [
        "CONTENT_CHARS",
        "CONTENT_BYTES",
        "FRAME_BYTES",
        "ROOMS_PER_CONNECTION",
        "MESSAGES_PER_SECOND",
        "MESSAGES_BURST",
        "CONNECTIONS_PER_ADDRESS",
        "OUTBOX_BYTES",
        "MEMORY_BYTES",
    ];
    let node = by_environment(&keys.map(|key| (key, "0")));
    for way in [Way::Tcp, Way::WebSocket] {
        let (mut client, _) = TestClient::hello(&node, way, json!({"name": format!("{way:?}")})).await;
        let connection = client.wait("connection").await;
        assert_eq!(
            connection["limits"],
            json!({"content_chars": 0, "content_bytes": 0, "frame_bytes": 0, "rooms": 0})
        );
        for room in 0..70 {
            client.join(&format!("room-{room}")).await;
        }
        client.join("general").await;
        for n in 1..=300 {
            client.say(message(n, "fast")).await;
        }
        client.say(message(301, &"long ".repeat(100_000))).await;
        client.wait_for(|frame| frame["type"] == "ack" && frame["n"] == 301).await;
        let long =
            client.wait_for(|frame| frame["content"].as_str().is_some_and(|text| text.len() > 9)).await;
        assert_eq!(long["content"].as_str().unwrap().len(), 500_000);
    }
}

#[tokio::test]
async fn too_fast_is_told_with_the_time_to_wait_and_nothing_is_lost() {
    let node = by_environment(&[("MESSAGES_PER_SECOND", "20"), ("MESSAGES_BURST", "3")]);
    let mut alice = TestClient::joined(&node, "alice").await;
    for n in 1..=6 {
        alice.say(message(n, &n.to_string())).await;
    }
    let error = alice.wait("error").await;
    assert_eq!(
        (&error["code"], &error["n"], &error["room"]),
        (&json!("rate_limited"), &json!(4), &json!("general"))
    );
    assert!(error["retry_ms"].as_u64().is_some_and(|wait| (1..=51).contains(&wait)), "{error}");
    // 5 and 6 were dropped without a word: nothing may overtake 4.
    let mut n = 4;
    within(async {
        while n <= 6 {
            alice.say(message(n, &n.to_string())).await;
            let answer = alice
                .wait_for(|frame| frame["n"] == n && (frame["type"] == "ack" || frame["type"] == "error"))
                .await;
            n += u64::from(answer["type"] == "ack");
        }
    })
    .await;
    assert_eq!(alice.contents(6).await, ["1", "2", "3", "4", "5", "6"]);
}

#[tokio::test]
async fn connections_of_one_address_are_counted() {
    let node = by_environment(&[("CONNECTIONS_PER_ADDRESS", "2")]);
    let (mut first, _) = TestClient::hello(&node, Way::Tcp, json!({})).await;
    let (_second, _) = TestClient::hello(&node, Way::WebSocket, json!({})).await;
    let mut third = TestClient::connect(&node, Way::Tcp).await;
    third.closed().await;
    first.stream().set_zero_linger().unwrap();
    drop(first);
    // Its place is free again as soon as the node has noticed.
    within(async {
        loop {
            let mut next = TestClient::connect(&node, Way::Tcp).await;
            if next.answers_ping().await {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn long_content_is_final_under_its_number() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    alice.send(1, &"x".repeat(4_000)).await;
    alice.say(message(2, &"x".repeat(4_001))).await;
    let error = alice.wait("error").await;
    assert_eq!((&error["code"], &error["n"]), (&json!("too_long"), &json!(2)));
    assert!(error["message"].as_str().unwrap().contains("4001 characters, 4000 are allowed"), "{error}");
    // 4,000 characters, but more bytes than allowed.
    let wide = "\u{1f468}\u{200d}".repeat(2_400);
    alice.say(json!({"type": "message", "room": "general", "n": 2, "content": &wide[..7 * 2_341]})).await;
    assert_eq!(alice.wait("error").await["code"], "too_long");
    alice.say(json!({"type": "message", "room": "general", "n": 2, "void": true})).await;
    let ack = alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == 2).await;
    assert_eq!(ack.get("seq"), None);
    assert_eq!(alice.send(3, "after it").await["seq"], 2);
}

#[tokio::test]
async fn a_frame_at_the_limit_passes_and_one_above_closes() {
    let node = by_environment(&[("FRAME_BYTES", "1000"), ("CONTENT_BYTES", "900")]);
    for way in [Way::Tcp, Way::WebSocket] {
        let (mut client, _) = TestClient::hello(&node, way, json!({})).await;
        let frame = |length: usize| {
            let rest = r#"{"type":"ping","t":1,"padding":""}"#.len();
            format!(r#"{{"type":"ping","t":1,"padding":"{}"}}"#, "x".repeat(length - rest))
        };
        client.text(&frame(1_000)).await;
        client.wait("pong").await;
        client.text(&frame(1_001)).await;
        let closed = client.closed().await;
        match way {
            Way::Tcp => assert_eq!(closed.reason, "too_long"),
            Way::WebSocket => assert_eq!(closed.code, Some(1009)),
        }
    }
}
