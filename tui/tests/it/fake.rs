//! A server that says what a test tells it to, on either transport.

use std::time::Duration;

use bytes::BytesMut;
use chat_protocol::{
    Ack, ClientId, ClientMessage, Connection, Epoch, Hello, Limits, LineCodec, MessageBody, MessageId,
    NodeId, Outgoing, Request, Resume, Resumed, RoomMessage, RoomName, RoomUsers, Seq, ServerMessage, UserId,
    Welcome, decode_request, encode_line,
};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::Transport;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

/// What a test waits for comes by then, or it has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// Waits for something, but not for ever.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// A listener on a free port.
pub(crate) struct Fake {
    pub(crate) listener: TcpListener,
    pub(crate) transport: Transport,
}

impl Fake {
    pub(crate) async fn bind(transport: Transport) -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap(), transport }
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::new("127.0.0.1", self.listener.local_addr().unwrap().port(), self.transport)
    }

    pub(crate) async fn accept(&self) -> Conn {
        let (stream, _) = within("a connection", self.listener.accept()).await.unwrap();
        match self.transport {
            Transport::Tcp => Conn::Tcp { stream, codec: LineCodec::new(0), input: BytesMut::new() },
            Transport::Ws => Conn::Ws(Box::new(
                within("an upgrade", tokio_tungstenite::accept_async(stream)).await.unwrap(),
            )),
        }
    }
}

/// One accepted connection.
pub(crate) enum Conn {
    Tcp { stream: TcpStream, codec: LineCodec, input: BytesMut },
    Ws(Box<WebSocketStream<TcpStream>>),
}

impl Conn {
    pub(crate) async fn send(&mut self, message: &ServerMessage) {
        let line = encode_line(message);
        match self {
            Self::Tcp { stream, .. } => stream.write_all(&line).await.unwrap(),
            Self::Ws(ws) => ws
                .send(Message::text(String::from_utf8(line.trim_ascii_end().to_vec()).unwrap()))
                .await
                .unwrap(),
        }
    }

    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        match self {
            Self::Tcp { stream, .. } => stream.write_all(bytes).await.unwrap(),
            Self::Ws(ws) => ws.get_mut().write_all(bytes).await.unwrap(),
        }
    }

    /// The next request, or none at the end.
    pub(crate) async fn request(&mut self) -> Option<Request> {
        within("a request", async {
            match self {
                Self::Tcp { stream, codec, input } => loop {
                    if let Some(line) = codec.decode(input).unwrap() {
                        return Some(decode_request(&line).unwrap());
                    }
                    if stream.read_buf(input).await.unwrap_or(0) == 0 {
                        return None;
                    }
                },
                Self::Ws(ws) => loop {
                    match ws.next().await {
                        Some(Ok(Message::Text(text))) => {
                            return Some(decode_request(text.as_bytes()).unwrap());
                        }
                        Some(Ok(_)) => {}
                        Some(Err(_)) | None => return None,
                    }
                },
            }
        })
        .await
    }

    pub(crate) async fn close(mut self, reason: &str) {
        if let Self::Ws(ws) = &mut self {
            let frame = CloseFrame { code: CloseCode::Policy, reason: reason.to_owned().into() };
            ws.send(Message::Close(Some(frame))).await.unwrap();
        }
    }

    /// Ends it as a killed process with unread input does: by a reset.
    pub(crate) fn reset(self) {
        let stream = match self {
            Self::Tcp { stream, .. } => stream,
            Self::Ws(ws) => ws.into_inner(),
        };
        stream.set_zero_linger().unwrap();
    }

    /// First words up to the rooms; gives what the client said of itself.
    pub(crate) async fn greet(&mut self, node: &str) -> Hello {
        let node = NodeId::parse(node).unwrap();
        let connection = Connection {
            v: 1,
            status: "connected".into(),
            client_id: ClientId::random(),
            hostname: "test".into(),
            node: node.clone(),
            version: "0".into(),
            ping_ms: 4_000,
            limits: Limits::default(),
        };
        self.send(&ServerMessage::Connection(connection)).await;
        let hello = self.hello().await;
        self.welcome(node, &hello).await;
        hello
    }

    /// What a client says of itself that has pinged before, to see whether a server is there.
    pub(crate) async fn hello(&mut self) -> Hello {
        loop {
            match self.request().await.expect("hello").message {
                ClientMessage::Hello(hello) => return hello,
                ClientMessage::Ping { t } => self.send(&ServerMessage::Pong { t, re: None }).await,
                _ => {}
            }
        }
    }

    /// Takes in who said hello.
    pub(crate) async fn welcome(&mut self, node: NodeId, hello: &Hello) {
        let welcome = Welcome {
            user_id: UserId::random(),
            client_id: hello.client_id.clone().expect("a client id"),
            session: "s-1".into(),
            name: hello.name.as_ref().map_or("guest".into(), ToString::to_string),
            name_wanted: None,
            node,
            ready: true,
            away: None,
            ignored: Vec::new(),
            rooms: Vec::new(),
            re: None,
        };
        self.send(&ServerMessage::Welcome(welcome)).await;
        for place in &hello.resume {
            self.resume(place).await;
        }
    }

    /// Lets a returning client in where it was: it missed nothing, and the log has nothing of its own.
    async fn resume(&mut self, place: &Resume) {
        let Resume { room, epoch, seq, .. } = place.clone();
        self.send(&ServerMessage::RoomUsers(entered(room.clone(), epoch, seq))).await;
        let (from, to, recovered, last_n, more) = (seq, seq, 0, 0, false);
        self.send(&ServerMessage::Resumed(Resumed { room, epoch, from, to, recovered, last_n, more })).await;
    }

    /// Serves until the next message of the client, answering joins; none at the end.
    pub(crate) async fn message(&mut self) -> Option<Outgoing> {
        loop {
            match self.request().await?.message {
                ClientMessage::Message(message) => return Some(message),
                ClientMessage::Join { room } => {
                    let answer = entered(room, Epoch(1), Seq::START);
                    self.send(&ServerMessage::RoomUsers(answer)).await;
                }
                _ => {}
            }
        }
    }

    /// Acknowledges a message and delivers it.
    pub(crate) async fn accept_message(&mut self, client: &ClientId, message: &Outgoing) {
        let (room, n) = (message.room.clone().unwrap(), message.n.unwrap());
        let id = MessageId::new(client.clone(), n);
        let body = MessageBody {
            sender: "alice".into(),
            sender_id: UserId::parse("u").unwrap(),
            content: message.content.clone(),
            timestamp: "2026-11-21T10:02:00.000Z".into(),
            node: NodeId::parse("node-1").unwrap(),
            kind: None,
            reference: None,
            reference_id: None,
            reply: None,
            quote: None,
            enc: None,
        };
        let entry = RoomMessage { room: room.clone(), seq: Seq(n), id: id.clone(), body };
        self.send(&ServerMessage::Message(entry)).await;
        let ack = Ack { room, n, seq: Some(Seq(n)), id, epoch: Epoch(1), duplicate: false, re: None };
        self.send(&ServerMessage::Ack(ack)).await;
    }
}

/// A room with nobody else in it, and a log that has nothing of the client's.
pub(crate) fn entered(room: RoomName, epoch: Epoch, seq: Seq) -> RoomUsers {
    let (users, count, more) = (Vec::new(), 1, false);
    RoomUsers { room, users, count, more, topic: String::new(), epoch, seq, id: None, last_n: 0, re: None }
}

/// A room name.
pub(crate) fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}
