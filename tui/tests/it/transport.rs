//! Dialling and frames, both ways.

use std::time::Duration;

use chat_protocol::{ClientMessage, ServerMessage};
use chat_tui::net::dial::{DialError, Dialer};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::{DialStep, Transport};
use chat_tui::net::transport::Wire;
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::http::header::{COOKIE, SET_COOKIE};

use crate::fake::{Conn, Fake, within};

async fn dial(endpoint: &Endpoint) -> Result<Wire, DialError> {
    let (progress, _) = watch::channel((DialStep::Resolving, String::new()));
    within("a dial", Dialer::default().dial(endpoint, &progress)).await
}

async fn pair(transport: Transport) -> (Wire, Conn) {
    let fake = Fake::bind(transport).await;
    let endpoint = fake.endpoint();
    let (wire, conn) = tokio::join!(dial(&endpoint), fake.accept());
    (wire.unwrap(), conn)
}

async fn refused(endpoint: &Endpoint) -> String {
    dial(endpoint).await.expect_err("a refusal").to_string()
}

async fn ends(wire: &mut Wire) -> String {
    within("the end", wire.recv()).await.expect_err("an end").0
}

#[tokio::test]
async fn many_requests_go_and_frames_come_on_both_transports() {
    for transport in [Transport::Tcp, Transport::Ws] {
        let (mut wire, mut conn) = pair(transport).await;
        assert_eq!(wire.transport(), transport);
        let requests: Vec<_> = (0..100).map(|t| ClientMessage::Ping { t: Some(t) }.into()).collect();
        wire.send(&requests);
        assert!(wire.unwritten() > 0);
        let serve = async {
            for t in 0..100 {
                let request = conn.request().await.unwrap();
                assert_eq!(request.message, ClientMessage::Ping { t: Some(t) });
            }
            conn.send(&ServerMessage::Pong { t: Some(99), re: None }).await;
        };
        let (frame, ()) = tokio::join!(within("a frame", wire.recv()), serve);
        assert_eq!(frame.unwrap(), r#"{"type":"pong","t":99}"#);
        assert_eq!(wire.unwritten(), 0);
    }
}

#[tokio::test]
async fn a_recv_that_is_dropped_halfway_loses_nothing() {
    let (mut wire, mut conn) = pair(Transport::Tcp).await;
    conn.raw(b"{\"type\":").await;
    let mut recv = Box::pin(wire.recv());
    assert!(futures_util::poll!(&mut recv).is_pending());
    drop(recv);
    conn.raw(b"\"pong\"}\n").await;
    assert_eq!(within("a frame", wire.recv()).await.unwrap(), r#"{"type":"pong"}"#);
}

#[tokio::test]
async fn a_text_greeting_and_empty_lines_are_skipped() {
    let (mut wire, mut conn) = pair(Transport::Tcp).await;
    conn.raw(b"Welcome to the chat\r\n\n{\"type\":\"pong\"}\r\n\n{\"type\":\"drain\"}\n").await;
    assert_eq!(within("a frame", wire.recv()).await.unwrap(), r#"{"type":"pong"}"#);
    assert_eq!(within("a frame", wire.recv()).await.unwrap(), r#"{"type":"drain"}"#);
}

#[tokio::test]
async fn the_end_is_told_in_words_after_the_last_frame() {
    let (mut wire, mut conn) = pair(Transport::Tcp).await;
    conn.raw(b"{\"type\":\"error\"}\n").await;
    conn.close("").await;
    assert_eq!(within("a frame", wire.recv()).await.unwrap(), r#"{"type":"error"}"#);
    assert_eq!(ends(&mut wire).await, "closed by the server");

    let (mut wire, conn) = pair(Transport::Ws).await;
    conn.close("too many\u{1b}[2J mistakes").await;
    assert_eq!(ends(&mut wire).await, "closed by the server: too many[2J mistakes");

    for transport in [Transport::Tcp, Transport::Ws] {
        let (mut wire, conn) = pair(transport).await;
        conn.reset();
        assert_eq!(ends(&mut wire).await, "connection reset");
    }
}

#[tokio::test]
async fn a_line_without_end_is_given_up_at_the_limit() {
    let (mut wire, mut conn) = pair(Transport::Tcp).await;
    let flood = async {
        let chunk = [b'x'; 64 * 1024];
        for _ in 0..8 {
            conn.raw(&chunk).await;
        }
        conn.raw(b"x").await;
    };
    let (end, ()) = tokio::join!(ends(&mut wire), flood);
    assert_eq!(end, "not a chat server, or a broken one: frame is longer than 524288 bytes");
}

#[tokio::test]
async fn a_server_that_never_reads_stops_nothing_and_is_given_up() {
    for transport in [Transport::Tcp, Transport::Ws] {
        let (mut wire, mut conn) = pair(transport).await;
        conn.send(&ServerMessage::Pong { t: Some(1), re: None }).await;
        let request = ClientMessage::Topic { room: crate::fake::room("a"), text: "x".repeat(1 << 20) }.into();
        wire.send(&vec![request; 6]);
        assert!(within("a frame beside a stuck write", wire.recv()).await.is_ok());
        wire.send(&vec![
            ClientMessage::Topic { room: crate::fake::room("a"), text: "x".repeat(1 << 20) }
                .into();
            12
        ]);
        assert_eq!(ends(&mut wire).await, "the server does not read: 8 MiB wait for it");
    }
}

#[tokio::test]
async fn refusals_are_told_in_words() {
    // Bound, so that nobody else gets the port, and not listening.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    assert_eq!(refused(&Endpoint::new("127.0.0.1", port, Transport::Tcp)).await, "connection refused");

    let fake = Fake::bind(Transport::Tcp).await;
    let endpoint = Endpoint { transport: Transport::Ws, ..fake.endpoint() };
    let answer = async {
        let mut conn = fake.accept().await;
        conn.raw(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
        conn
    };
    let (refusal, _conn) = tokio::join!(refused(&endpoint), answer);
    assert_eq!(refusal, "no WebSocket there: HTTP 404 Not Found");
}

#[tokio::test]
async fn a_tcp_dial_to_something_else_says_so() {
    let (mut wire, mut conn) = pair(Transport::Tcp).await;
    conn.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    conn.close("").await;
    assert_eq!(ends(&mut wire).await, "closed by the server, which does not speak the chat protocol here");
}

#[tokio::test]
async fn an_upgrade_without_answer_times_out_and_each_step_is_told() {
    let fake = Fake::bind(Transport::Tcp).await;
    let endpoint = Endpoint { transport: Transport::Ws, ..fake.endpoint() };
    let dialer = Dialer { upgrade: Duration::from_millis(50), ..Dialer::default() };
    let (progress, watched) = watch::channel((DialStep::Resolving, String::new()));
    let (dialled, _conn) = tokio::join!(dialer.dial(&endpoint, &progress), fake.accept());
    assert_eq!(dialled.expect_err("a timeout").to_string(), "no answer to the WebSocket upgrade");
    assert_eq!(*watched.borrow(), (DialStep::Upgrading, format!("127.0.0.1:{} ws", endpoint.port)));
}

/// Accepts a WebSocket and answers its handshake with these cookies; what the client said of its own.
pub(crate) async fn upgraded_with(fake: &Fake, cookies: &'static [&'static str]) -> Option<String> {
    let (stream, _) = within("a connection", fake.listener.accept()).await.unwrap();
    let mut said = None;
    #[expect(clippy::result_large_err, reason = "the library's callback")]
    let answer = |request: &Request, mut response: Response| {
        said = request.headers().get(COOKIE).map(|line| line.to_str().unwrap().to_owned());
        for cookie in cookies {
            response.headers_mut().append(SET_COOKIE, cookie.parse().unwrap());
        }
        Ok(response)
    };
    within("an upgrade", tokio_tungstenite::accept_hdr_async(stream, answer)).await.unwrap();
    said
}

#[tokio::test]
async fn cookies_of_a_handshake_come_back_at_the_next_one() {
    let (fake, elsewhere) = (Fake::bind(Transport::Ws).await, Fake::bind(Transport::Ws).await);
    let (dialer, (progress, _)) = (Dialer::default(), watch::channel((DialStep::Resolving, String::new())));
    for (server, cookies, expected) in [
        (&fake, &["AWSALB=one; Path=/", "AWSALBCORS=one; SameSite=None; Secure"][..], None),
        (&fake, &["AWSALB=two; Path=/", "NODE=a; path=/"], Some("AWSALB=one")),
        (&elsewhere, &[], None),
        (&fake, &["AWSALB=; Max-Age=0"], Some("AWSALB=two; NODE=a")),
        (&fake, &[], Some("NODE=a")),
    ] {
        let endpoint = server.endpoint();
        let (wire, said) = tokio::join!(dialer.dial(&endpoint, &progress), upgraded_with(server, cookies));
        wire.unwrap();
        assert_eq!(said.as_deref(), expected);
    }
    // A refusal may take a cookie back, too.
    let endpoint = Endpoint { transport: Transport::Ws, ..fake.endpoint() };
    let refuse = async {
        let (mut stream, _) = fake.listener.accept().await.unwrap();
        let answer = "HTTP/1.1 503 No\r\nSet-Cookie: NODE=; Max-Age=0\r\ncontent-length: 0\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await.unwrap();
        stream
    };
    let (refused, _stream) = tokio::join!(dialer.dial(&endpoint, &progress), refuse);
    refused.expect_err("a refusal");
    let (wire, said) = tokio::join!(dialer.dial(&endpoint, &progress), upgraded_with(&fake, &[]));
    wire.unwrap();
    assert_eq!(said, None);
}
