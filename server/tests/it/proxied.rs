//! Whose connection it is behind load balancers that others wrote: PROXY protocol and `X-Forwarded-For`, believed
//! from those that the settings name, and from nobody else.

use std::time::Duration;

use chat_server::config::Config;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tungstenite::client::IntoClientRequest;

use crate::support::{Terminal, TestClient, TestNode, Way, get, within};

const LOOPBACK: &str = "127.0.0.0/8";

/// The load balancer's own address.
const LOCAL_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

fn v1(client: &str) -> Vec<u8> {
    format!("PROXY TCP4 {client} 127.0.0.1 40000 12345\r\n").into_bytes()
}

fn v2(last_byte: u8) -> Vec<u8> {
    [
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c",
        &[203, 0, 113, last_byte, 127, 0, 0, 1, 0x9c, 0x40, 0x30, 0x39][..],
    ]
    .concat()
}

/// A node that believes headers of the PROXY protocol and takes one connection from an address.
fn behind_proxy(change: impl FnOnce(&mut Config)) -> TestNode {
    TestNode::with(|config| {
        config.proxy_protocol_from = LOOPBACK.parse().unwrap();
        config.limits.connections_per_address = 1;
        change(config);
    })
}

async fn connect(addr: std::net::SocketAddr, first: &[u8]) -> TcpStream {
    let mut stream = within(TcpStream::connect(addr)).await.unwrap();
    stream.write_all(first).await.unwrap();
    stream
}

/// A client of the TCP port behind these bytes; true where the node answers it.
async fn speaks(node: &TestNode, first: &[u8]) -> (TcpStream, bool) {
    let words = [first, b"{\"type\":\"ping\"}\n"].concat();
    let mut stream = connect(node.tcp, &words).await;
    let mut answer = [0];
    let answered = within(stream.read(&mut answer)).await.is_ok_and(|count| count == 1 && answer == *b"{");
    (stream, answered)
}

/// Asks for a WebSocket behind these bytes; the status where it is refused.
async fn upgrade(
    node: &TestNode,
    first: &[u8],
    forwarded: Option<&str>,
) -> Result<WebSocketStream<TcpStream>, u16> {
    let stream = connect(node.http, first).await;
    let mut request = format!("ws://{}/ws", node.http).into_client_request().unwrap();
    if let Some(line) = forwarded {
        request.headers_mut().append("x-forwarded-for", line.parse().unwrap());
    }
    match within(tokio_tungstenite::client_async(request, stream)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn refused_headers(node: &TestNode) -> String {
    let metrics = get(node.http, "/metrics").await.1;
    let line = metrics.lines().find(|line| line.starts_with("chat_proxy_headers_refused_total "));
    line.unwrap().rsplit_once(' ').unwrap().1.to_owned()
}

#[tokio::test]
async fn a_connection_counts_for_the_address_in_its_header() {
    let node = behind_proxy(|_| {});
    let (first, answered) = speaks(&node, &v1("203.0.113.9")).await;
    assert!(answered);
    // The same client by the other version, and by the other spelling.
    assert!(!speaks(&node, &v2(9)).await.1);
    assert!(!speaks(&node, b"PROXY TCP6 ::ffff:203.0.113.9 ::1 40000 12345\r\n").await.1);
    let (_second, answered) = speaks(&node, &v2(10)).await;
    assert!(answered, "another client");
    let (_third, answered) = speaks(&node, b"PROXY TCP6 2001:db8::9 ::1 40000 12345\r\n").await;
    assert!(answered, "yet another");
    // Its place is given back when it goes.
    drop(first);
    within(async { while !speaks(&node, &v1("203.0.113.9")).await.1 {} }).await;
}

#[tokio::test]
async fn without_a_header_a_trusted_connection_counts_for_itself() {
    let node = behind_proxy(|_| {});
    let (own, answered) = speaks(&node, b"").await;
    assert!(answered);
    for first in [LOCAL_V2, b"PROXY UNKNOWN\r\n", b""] {
        assert!(!speaks(&node, first).await.1, "{}", first.escape_ascii());
    }
    assert!(speaks(&node, &v2(9)).await.1);
    drop(own);
    within(async { while !speaks(&node, LOCAL_V2).await.1 {} }).await;
}

#[tokio::test]
async fn from_others_a_header_ends_the_connection_and_nothing_is_said() {
    let node = TestNode::with(|config| config.proxy_protocol_from = "10.0.0.0/8".parse().unwrap());
    let mut alice = TestClient::joined(&node, "alice").await;
    for header in [LOCAL_V2, &v2(9), &v1("203.0.113.9"), b"PROXY UNKNOWN\r\n", b"PROXY TCP6 ::1 ::1 1 2\r\n"]
    {
        for rest in ["", "hello\n", "{\"type\":\"ping\"}\n"] {
            let mut stream = connect(node.tcp, &[header, rest.as_bytes()].concat()).await;
            let mut said = Vec::new();
            drop(within(stream.read_to_end(&mut said)).await);
            assert!(said.is_empty(), "{}", said.escape_ascii());
        }
    }
    let mut person = Terminal::connect(&node).await;
    person.type_in("\r\nPROXY TCP4 is a fine word\r\n").await;
    assert_eq!(alice.contents(1).await, ["PROXY TCP4 is a fine word"], "the first that is said in the room");
    let mut stream = connect(node.http, &[&v2(9)[..], b"GET /live HTTP/1.1\r\n\r\n"].concat()).await;
    let mut said = String::new();
    drop(within(stream.read_to_string(&mut said)).await);
    assert!(!said.contains("200"), "{said}");
    assert_eq!(refused_headers(&node).await, "0");
}

#[tokio::test]
async fn from_others_a_header_in_pieces_says_nothing_either() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    // Each piece waits until the node has taken the one before for all there is: a guest's empty line.
    let mut stream = Terminal::connect(&node).await;
    stream.type_in("\r\n\r\n").await;
    stream.sees("you are in [general]").await;
    stream.type_in("\0\r\nQUIT\n\x20\0\0\0").await;
    drop(stream.rest().await);
    // One that breaks off.
    let mut broken = connect(node.tcp, &LOCAL_V2[..9]).await;
    broken.shutdown().await.unwrap();
    drop(within(broken.read_to_end(&mut Vec::new())).await);
    let mut person = Terminal::connect(&node).await;
    // No end of a line, and the beginning of neither.
    person.type_in("PROXY TC").await;
    assert_eq!(alice.contents(1).await, ["PROXY TC"], "the first that is said in the room");
    person.type_in("PROXY TCP4 is a fine word\n").await;
    assert_eq!(alice.contents(1).await, ["PROXY TCP4 is a fine word"], "it is not the first any more");
}

#[tokio::test]
async fn a_header_that_is_none_or_does_not_come_whole_ends_the_connection() {
    let node = behind_proxy(|config| config.timing.handshake = Duration::from_millis(200));
    for (count, (addr, bytes)) in [
        (node.tcp, b"PROXY TCP4 nobody 127.0.0.1 1 2\r\n{\"type\":\"ping\"}\n".to_vec()),
        (node.http, b"PROXY TCP9 a b 1 2\r\nGET /live HTTP/1.1\r\n\r\n".to_vec()),
        (node.tcp, b"PROXY TCP4 203.0.113.9".to_vec()),
        (node.http, v2(9)[..20].to_vec()),
    ]
    .into_iter()
    .enumerate()
    {
        let mut stream = connect(addr, &bytes).await;
        let mut said = Vec::new();
        drop(within(stream.read_to_end(&mut said)).await);
        assert!(said.is_empty(), "{}", said.escape_ascii());
        within(async { while refused_headers(&node).await != (count + 1).to_string() {} }).await;
    }
}

#[tokio::test]
async fn a_header_that_breaks_off_is_no_guests_text() {
    let node = behind_proxy(|_| {});
    for (count, bytes) in [b"PROXY TCP4 203".to_vec(), v2(9)[..20].to_vec()].into_iter().enumerate() {
        let mut stream = connect(node.tcp, &bytes).await;
        stream.shutdown().await.unwrap();
        let mut said = Vec::new();
        drop(within(stream.read_to_end(&mut said)).await);
        assert!(said.is_empty(), "{}", said.escape_ascii());
        assert_eq!(refused_headers(&node).await, (count + 1).to_string());
    }
}

#[tokio::test]
async fn a_trusted_person_who_waits_to_be_greeted_is_greeted() {
    let node = behind_proxy(|config| {
        config.timing.handshake = Duration::from_millis(50);
        config.limits.connections_per_address = 0;
    });
    for first in ["", "\r\n", "\r\n\r\n"] {
        let mut person = Terminal::connect(&node).await;
        person.type_in(first).await;
        person.sees("you are in [general]").await;
    }
    assert_eq!(refused_headers(&node).await, "0");
}

#[tokio::test]
async fn the_http_port_takes_headers_and_goes_on_behind_them() {
    let node = behind_proxy(|_| {});
    for first in [v1("203.0.113.9"), v2(9), LOCAL_V2.to_vec(), Vec::new()] {
        let request = [&first[..], b"GET /ready HTTP/1.1\r\nConnection: close\r\n\r\n"].concat();
        let mut stream = connect(node.http, &request).await;
        let mut said = String::new();
        within(stream.read_to_string(&mut said)).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 200") && said.ends_with("ready\n"), "{said}");
    }
    // The header, the handshake and the first frame in one packet.
    let first = v2(9);
    let mut request = first.clone();
    request.extend_from_slice(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
          Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\
          \x81\x8f\0\0\0\0{\"type\":\"ping\"}",
    );
    let mut stream = connect(node.http, &request).await;
    let (mut said, mut piece) = (Vec::new(), [0; 1_024]);
    within(async {
        while !String::from_utf8_lossy(&said).contains("\"pong\"") {
            let count = stream.read(&mut piece).await.unwrap();
            assert!(count > 0, "{}", said.escape_ascii());
            said.extend_from_slice(&piece[..count]);
        }
    })
    .await;
    // It still counts.
    let mut again = connect(node.http, &[&first[..], b"GET /live HTTP/1.1\r\n\r\n"].concat()).await;
    assert!(within(again.read(&mut piece)).await.is_ok_and(|count| count == 0) || again.peer_addr().is_err());
}

#[tokio::test]
async fn a_forwarded_address_counts_where_its_load_balancer_is_trusted() {
    let node = TestNode::with(|config| {
        config.forwarded_from = LOOPBACK.parse().unwrap();
        config.limits.connections_per_address = 1;
    });
    let first = upgrade(&node, b"", Some("198.51.100.7, 203.0.113.9, 127.0.0.5")).await.unwrap();
    assert_eq!(upgrade(&node, b"", Some("203.0.113.9")).await.unwrap_err(), 429);
    let _other = upgrade(&node, b"", Some("198.51.100.7")).await.unwrap();
    let _own = upgrade(&node, b"", None).await.unwrap();
    assert_eq!(upgrade(&node, b"", Some("nonsense")).await.unwrap_err(), 429, "it counts for the balancer");
    // Who asks how the node is counts for nobody.
    for _ in 0..3 {
        assert_eq!(get(node.http, "/ready").await.0, 200);
    }
    drop(first);
    within(async { while upgrade(&node, b"", Some("203.0.113.9")).await.is_err() {} }).await;
    // The TCP port knows no such header: there the balancer counts for itself, and it has its connection.
    assert!(!speaks(&node, b"").await.1);
}

#[tokio::test]
async fn nobody_else_can_say_who_they_are() {
    let node = TestNode::with(|config| {
        config.forwarded_from = "10.0.0.0/8".parse().unwrap();
        config.limits.connections_per_address = 2;
    });
    let _first = upgrade(&node, b"", Some("203.0.113.9")).await.unwrap();
    let _second = upgrade(&node, b"", Some("203.0.113.10")).await.unwrap();
    let mut third = connect(node.http, b"GET /live HTTP/1.1\r\nX-Forwarded-For: 203.0.113.11\r\n\r\n").await;
    let read = within(third.read(&mut [0; 64])).await;
    assert!(!read.is_ok_and(|count| count > 0), "it is the third connection of 127.0.0.1");
}

#[tokio::test]
async fn both_ways_of_saying_it_go_together() {
    let node = TestNode::with(|config| {
        config.proxy_protocol_from = LOOPBACK.parse().unwrap();
        config.forwarded_from = "203.0.113.0/24".parse().unwrap();
        config.limits.connections_per_address = 1;
    });
    let _first = upgrade(&node, &v2(9), Some("198.51.100.7")).await.unwrap();
    assert_eq!(upgrade(&node, &v2(10), Some("198.51.100.7")).await.unwrap_err(), 429);
    let (mut alice, _) = TestClient::hello(&node, Way::Tcp, json!({"name": "alice"})).await;
    alice.join("general").await;
}
