//! A node that goes down in order: clients are told when to go, load balancers too, and nobody is cut off in
//! silence.

use std::time::Duration;

use chat_server::Cluster;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::support::{BOTH, Terminal, TestClient, TestNode, Way, get, message, within};

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

fn drains_within(time: Duration) -> TestNode {
    TestNode::of(&Cluster::default(), "one", |config| config.timing.drain = time)
}

/// Told to go; when.
async fn told(client: &mut TestClient) -> u64 {
    client.wait("drain").await["reconnect_in_ms"].as_u64().unwrap()
}

#[tokio::test]
async fn clients_are_told_and_served_until_the_period_is_over() {
    let node = drains_within(Duration::from_secs(2));
    let mut tcp = TestClient::joined(&node, "alice").await;
    let (mut socket, _) = TestClient::hello(&node, Way::WebSocket, json!({})).await;
    let begun = Instant::now();
    node.shutdown.cancel();
    for client in [&mut tcp, &mut socket] {
        let when = told(client).await;
        assert!(when <= 50, "two clients are gone in a blink: {when} ms");
    }
    assert_eq!(get(node.http, "/ready").await, (503, "not ready\n".to_owned()));
    assert_eq!(get(node.http, "/live").await.0, 200);
    assert!(crate::http::answer(&node, UPGRADE).await.starts_with("HTTP/1.1 503"));
    assert!(within(TcpStream::connect(node.tcp)).await.is_err(), "no new clients");
    assert_eq!(tcp.send(1, "still served").await["seq"], 1);
    assert_eq!(tcp.closed().await.reason, "shutting_down");
    assert_eq!(socket.closed().await.code, Some(1001));
    assert!(begun.elapsed() >= Duration::from_secs(2), "not before its time");
    drop((tcp, socket));
    node.stopped().await;
}

#[tokio::test]
async fn many_clients_are_sent_away_one_after_another() {
    const CLIENTS: usize = 200;
    let node = drains_within(Duration::from_secs(10));
    let mut clients = Vec::new();
    for index in 0..CLIENTS {
        let (client, _) = TestClient::hello(&node, BOTH[index % 2], json!({})).await;
        clients.push(client);
    }
    node.shutdown.cancel();
    let mut turns = Vec::new();
    for client in &mut clients {
        turns.push(told(client).await);
    }
    // 5 ms each: a window of a second, in whose ten parts 20 are expected.
    let mut parts = [0; 10];
    for turn in &turns {
        assert!(*turn <= 1_000, "{turns:?}");
        parts[usize::try_from(turn / 100).unwrap().min(9)] += 1;
    }
    assert!(parts.iter().all(|part| (3..=45).contains(part)), "{parts:?}");
    drop(clients);
    node.stopped().await;
}

#[tokio::test]
async fn a_client_that_does_not_go_is_closed_with_what_it_was_still_to_get() {
    let node = drains_within(Duration::from_millis(500));
    let mut deaf = TestClient::joined(&node, "deaf").await;
    let mut alice = TestClient::joined(&node, "alice").await;
    node.shutdown.cancel();
    for n in 1..=50 {
        alice.send(n, "to the last").await;
    }
    let begun = Instant::now();
    let contents = deaf.contents(50).await;
    assert_eq!((contents.len(), deaf.closed().await.reason.as_str()), (50, "shutting_down"));
    drop((deaf, alice));
    node.stopped().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_client_that_reads_nothing_does_not_hold_the_node() {
    let node = drains_within(Duration::from_millis(200));
    let (_silent, _) = TestClient::hello(&node, Way::Tcp, json!({})).await;
    // And somebody who has opened a door and never said what for.
    let _half_open = TcpStream::connect(node.http).await.unwrap();
    let begun = Instant::now();
    node.shutdown.cancel();
    let _too_late = TcpStream::connect(node.http).await.unwrap();
    node.stopped().await;
    assert!(begun.elapsed() < Duration::from_millis(200 + 2_500), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn who_cannot_be_told_is_closed_at_its_turn_with_a_reason() {
    let node = drains_within(Duration::from_secs(10));
    let mut stays = TestClient::joined(&node, "stays").await;
    let mut terminal = Terminal::connect(&node).await;
    terminal.type_in("/join general\n").await;
    terminal.sees("guest-").await;
    let mut guest = TestClient::connect(&node, Way::WebSocket).await;
    guest.join("general").await;
    let begun = Instant::now();
    node.shutdown.cancel();
    assert_eq!(guest.closed().await.code, Some(1001));
    assert!(guest.seen(|frame| frame["type"] == "drain").is_none());
    let rest = terminal.rest().await;
    assert!(rest.contains("server is going away"), "{rest}");
    assert!(begun.elapsed() < Duration::from_secs(4), "not at the end: {:?}", begun.elapsed());
    stays.send(1, "still here").await;
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
async fn who_waits_to_be_let_in_when_a_node_drains_is_not_reset() {
    // More than a task of the runtime takes in one go.
    const WAITING: usize = 300;
    let node = drains_within(Duration::from_secs(10));
    let mut first = TestClient::joined(&node, "alice").await;
    // On this thread nothing else runs until the next await: they all wait in the system's queue.
    let connect = |addr| {
        let stream = std::net::TcpStream::connect(addr).unwrap();
        stream.set_nonblocking(true).unwrap();
        TcpStream::from_std(stream).unwrap()
    };
    let waiting: Vec<TcpStream> = (0..WAITING).map(|_| connect(node.tcp)).collect();
    node.shutdown.cancel();
    for mut stream in waiting {
        let mut said = Vec::new();
        let read = within(stream.read_to_end(&mut said)).await;
        assert!(read.is_ok(), "{read:?} after {}", said.escape_ascii());
        assert_eq!(said, b"-- server is going away\n");
    }
    told(&mut first).await;
    drop(first);
    node.stopped().await;
}

#[tokio::test]
async fn a_load_balancer_that_asks_as_a_node_closes_its_port_gets_its_answer() {
    let node = TestNode::start();
    let mut stream = std::net::TcpStream::connect(node.http).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    node.shutdown.cancel();
    stream.set_nonblocking(true).unwrap();
    let mut answer = String::new();
    within(TcpStream::from_std(stream).unwrap().read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    node.stopped().await;
}

/// What a client says that comes from a connection which it keeps until it is welcome.
fn hello_again(session: &Value, users: &Value) -> Value {
    json!({
        "client_id": "c", "session": session, "generation": 2, "name": "alice", "if_ready": true,
        "resume": [{"room": "general", "epoch": users["epoch"], "seq": 0}],
    })
}

#[tokio::test]
async fn who_moves_first_misses_nothing_and_is_not_seen_to_leave() {
    let cluster = Cluster::default();
    let (one, two) = (TestNode::of(&cluster, "one", |_| {}), TestNode::of(&cluster, "two", |_| {}));
    let mut bob = TestClient::joined(&two, "bob").await;
    let hello = json!({"name": "alice", "client_id": "c", "generation": 1});
    let (mut old, welcome) = TestClient::hello(&one, Way::Tcp, hello).await;
    let users = old.join("general").await;
    let begun = Instant::now();
    one.shutdown.cancel();
    old.wait("drain").await;
    bob.send(1, "meanwhile").await;
    let (mut new, _) = TestClient::hello(&two, Way::Tcp, hello_again(&welcome["session"], &users)).await;
    assert_eq!(new.contents(1).await, ["meanwhile"]);
    assert_eq!(old.closed().await.reason, "fenced");
    drop(old);
    one.stopped().await;
    assert!(begun.elapsed() < Duration::from_secs(5), "with its last client: {:?}", begun.elapsed());
    new.say(message(1, "moved")).await;
    assert_eq!(bob.wait_for(|frame| frame["content"] == "moved").await["seq"], 2);
    let rest = bob.until_now(2).await;
    assert!(rest.iter().all(|frame| frame["left"].is_null()), "{rest:?}");
}

#[tokio::test]
async fn a_node_that_drains_takes_nobody_in_and_leaves_the_other_connection_alone() {
    let node = drains_within(Duration::from_secs(10));
    let hello = json!({"name": "alice", "client_id": "c", "generation": 1});
    let (mut old, welcome) = TestClient::hello(&node, Way::Tcp, hello).await;
    let users = old.join("general").await;
    // They are there before the port is closed, as a load balancer's connection in advance is.
    let (mut same, mut other) =
        (TestClient::connect(&node, Way::Tcp).await, TestClient::connect(&node, Way::WebSocket).await);
    for client in [&mut same, &mut other] {
        client.say(json!({"type": "ping"})).await;
        client.wait("pong").await;
    }
    node.shutdown.cancel();
    told(&mut old).await;
    let mut again = hello_again(&welcome["session"], &users);
    again["type"] = "hello".into();
    same.say(again).await;
    other.say(json!({"type": "hello", "v": 1, "name": "somebody"})).await;
    assert_eq!(same.closed().await.reason, "shutting_down");
    assert_eq!(other.closed().await.code, Some(1001));
    assert_eq!(old.send(1, "as before").await["seq"], 1);
}
