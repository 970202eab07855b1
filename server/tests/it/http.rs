//! The HTTP port: what load balancers ask, and how a request becomes a WebSocket.

use std::time::Duration;

use chat_server::Cluster;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{TestClient, TestNode, Way, get, web_socket, within};

/// What the HTTP port says to bytes.
pub(crate) async fn answer(node: &TestNode, request: &str) -> String {
    let mut stream = within(TcpStream::connect(node.http)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut said = String::new();
    drop(within(stream.read_to_string(&mut said)).await);
    said
}

#[tokio::test]
async fn load_balancers_get_their_answers() {
    let node = TestNode::start();
    let _client = TestClient::joined(&node, "alice").await;
    assert_eq!(get(node.http, "/live").await, (200, "live\n".to_owned()));
    assert_eq!(get(node.http, "/ready").await, (200, "ready\n".to_owned()));
    let (status, body) = get(node.http, "/health").await;
    let health: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &health["status"], &health["node"]), (200, &"ok".into(), &"one".into()));
    assert_eq!((&health["connections"], &health["draining"]), (&1.into(), &false.into()));
    assert!(health["hostname"].as_str().is_some_and(|name| !name.is_empty()));
    assert_eq!(get(node.http, "/").await.0, 200);
    let (status, body) = get(node.http, "/nonsense").await;
    assert_eq!((status, body.contains("/health")), (404, true));
    assert_eq!(get(node.http, "/ws").await.0, 426);
    let posted =
        answer(&node, "POST /live HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .await;
    assert!(posted.starts_with("HTTP/1.1 405"), "{posted}");
}

#[tokio::test]
async fn both_paths_become_a_web_socket() {
    let node = TestNode::start();
    for path in ["/", "/ws"] {
        drop(web_socket(&node, path).await);
    }
    let request = "GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n";
    assert!(answer(&node, request).await.starts_with("HTTP/1.1 200"));
    let bad = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n";
    let said = answer(&node, bad).await;
    assert!(said.starts_with("HTTP/1.1 400") && said.contains("not a WebSocket handshake"), "{said}");
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let node = TestNode::with(|config| config.timing.handshake = Duration::from_millis(100));
    for beginning in ["", "GET /ws HTTP/1.1\r\nHost"] {
        let said = answer(&node, beginning).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    }
}

/// What a port says to a head that is longer than anybody needs: it is refused, or the connection is closed on it.
pub(crate) async fn refuses_a_long_head(addr: std::net::SocketAddr) {
    let long = format!("X: {}\r\n", "x".repeat(200_000));
    let many = "X: x\r\n".repeat(200);
    for (headers, end) in [(&long, "\r\n"), (&long, ""), (&many, "\r\n")] {
        let mut stream = within(TcpStream::connect(addr)).await.unwrap();
        // Not all of it is taken.
        drop(
            within(stream.write_all(format!("GET /live HTTP/1.1\r\nHost: x\r\n{headers}{end}").as_bytes()))
                .await,
        );
        let mut said = Vec::new();
        drop(within(stream.read_to_end(&mut said)).await);
        let said = String::from_utf8_lossy(&said);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 431"), "{said}");
    }
}

#[tokio::test]
async fn a_head_of_a_request_has_a_limit() {
    // Longer than the test: it is the size that ends it, not the time.
    let node = TestNode::with(|config| config.timing.handshake = Duration::from_secs(600));
    refuses_a_long_head(node.http).await;
    // One as browsers behind load balancers send it is none of those.
    let usual = format!(
        "GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: {}\r\n\r\n",
        "x".repeat(8_000)
    );
    assert!(answer(&node, &usual).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn who_reads_no_answer_is_not_waited_for() {
    let node = TestNode::with(|config| config.timing.stall = Duration::from_millis(300));
    let mut deaf = crate::drain::asks_without_reading(node.http).await;
    // Questions that nobody has read make a reset of its end.
    within(async { while deaf.write_all(&[b'x'; 1_024]).await.is_ok() {} }).await;
}

#[tokio::test]
async fn a_node_without_its_backbone_is_not_ready_and_says_so() {
    let cluster = Cluster::default();
    let node = TestNode::of(&cluster, "one", |_| {});
    let (mut alice, welcome) = TestClient::hello(&node, Way::Tcp, serde_json::json!({"name": "alice"})).await;
    assert_eq!(welcome["ready"], true);
    cluster.set_reachable(&"one".parse().unwrap(), false);
    alice.say(serde_json::json!({"type": "join", "room": "general"})).await;
    let error = alice.wait("error").await;
    assert_eq!((&error["code"], &error["room"]), (&"unavailable".into(), &"general".into()));
    assert!(error["retry_ms"].as_u64().is_some_and(|wait| wait > 0), "{error}");
    within(async { while get(node.http, "/ready").await.0 != 503 {} }).await;
    assert_eq!(get(node.http, "/live").await.0, 200, "a node without a backbone must not be killed");
    cluster.set_reachable(&"one".parse().unwrap(), true);
    within(async { while get(node.http, "/ready").await.0 != 200 {} }).await;
    alice.join("general").await;
    alice.send(1, "back").await;
}
