//! A node that goes down in order: clients are told, load balancers too, and nobody is cut off in silence.

use std::time::Duration;

use chat_server::Cluster;
use serde_json::json;
use tokio::net::TcpStream;

use crate::support::{TestClient, TestNode, Way, get, message, within};

#[tokio::test]
async fn clients_are_told_and_served_until_the_period_is_over() {
    let cluster = Cluster::default();
    let node = TestNode::of(&cluster, "one", |config| config.timing.drain = Duration::from_secs(2));
    let mut tcp = TestClient::joined(&node, "alice").await;
    let (mut socket, _) = TestClient::hello(&node, Way::WebSocket, json!({})).await;
    node.shutdown.cancel();
    for client in [&mut tcp, &mut socket] {
        let drain = client.wait("drain").await;
        assert!(drain["reconnect_in_ms"].as_u64().is_some_and(|within| within >= 50), "{drain}");
    }
    assert_eq!(get(node.http, "/ready").await, (503, "not ready\n".to_owned()));
    assert_eq!(get(node.http, "/live").await.0, 200);
    let upgrade = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assert!(crate::http::answer(&node, upgrade).await.starts_with("HTTP/1.1 503"));
    assert!(within(TcpStream::connect(node.tcp)).await.is_err(), "no new clients");
    assert_eq!(tcp.send(1, "still served").await["seq"], 1);
    assert_eq!(tcp.closed().await.reason, "shutting_down");
    assert_eq!(socket.closed().await.code, Some(1001));
    node.stopped().await;
}

#[tokio::test]
async fn a_node_without_clients_stops_at_once() {
    let node = TestNode::start();
    let client = TestClient::joined(&node, "alice").await;
    node.shutdown.cancel();
    drop(client);
    node.stopped().await;
}

#[tokio::test]
async fn who_moves_first_misses_nothing_and_is_not_seen_to_leave() {
    let cluster = Cluster::default();
    let (one, two) = (TestNode::of(&cluster, "one", |_| {}), TestNode::of(&cluster, "two", |_| {}));
    let mut bob = TestClient::joined(&two, "bob").await;
    let (mut old, welcome) =
        TestClient::hello(&one, Way::Tcp, json!({"name": "alice", "client_id": "c"})).await;
    let users = old.join("general").await;
    one.shutdown.cancel();
    old.wait("drain").await;
    bob.send(1, "meanwhile").await;
    let hello = json!({
        "client_id": "c", "session": welcome["session"], "generation": 1, "name": "alice",
        "resume": [{"room": "general", "epoch": users["epoch"], "seq": 0}],
    });
    let (mut new, _) = TestClient::hello(&two, Way::Tcp, hello).await;
    assert_eq!(new.contents(1).await, ["meanwhile"]);
    assert_eq!(old.closed().await.reason, "fenced");
    drop(old);
    one.stopped().await;
    new.say(message(1, "moved")).await;
    assert_eq!(bob.wait_for(|frame| frame["content"] == "moved").await["seq"], 2);
    let rest = bob.until_now(2).await;
    assert!(rest.iter().all(|frame| frame["left"].is_null()), "{rest:?}");
}
