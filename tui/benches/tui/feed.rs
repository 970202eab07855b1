//! Owns the server that the client is measured on: the tests' fake one, which here also answers pings, and says as much
//! as it is told to. Text is the same wherever messages are.

use chat_protocol::{
    ClientId, ClientMessage, Epoch, MessageBody, MessageId, NodeId, RoomMessage, Seq, ServerMessage, UserId,
    encode_line,
};
use chat_tui::net::event::Transport;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::fake::{Conn, Fake, entered, room};

/// Where everything is said.
pub(crate) const ROOM: &str = "general";
/// The node the client believes to be on.
pub(crate) const NODE: &str = "node-1";
/// Who talks, one after another.
const AUTHORS: [&str; 4] = ["alice", "bob", "carol", "dave"];

/// The text of message `n`, from 1: about as long as people's are.
pub(crate) fn text(n: u64) -> String {
    format!("{n:06} reading the release notes now, is anything missing in there?")
}

/// Who says it.
pub(crate) fn author(n: u64) -> &'static str {
    AUTHORS[n as usize % AUTHORS.len()]
}

/// Message `n` of the room's log, from 1.
pub(crate) fn entry(n: u64) -> RoomMessage {
    let (author, second) = (author(n), n / 10);
    RoomMessage {
        room: room(ROOM),
        seq: Seq(n),
        id: MessageId::new(ClientId::parse(author).unwrap(), n),
        body: MessageBody {
            sender: author.to_owned(),
            sender_id: UserId::parse(author).unwrap(),
            content: text(n),
            timestamp: format!(
                "2026-11-21T{:02}:{:02}:{:02}.000Z",
                second / 3_600 % 24,
                second / 60 % 60,
                second % 60
            ),
            node: NodeId::parse(NODE).unwrap(),
            kind: None,
            reference: None,
            reference_id: None,
            reply: None,
            quote: None,
            enc: None,
        },
    }
}

/// The server.
pub(crate) struct Feed {
    fake: Fake,
}

impl Feed {
    pub(crate) async fn bind() -> Self {
        Self { fake: Fake::bind(Transport::Tcp).await }
    }

    /// What the client is to be told.
    pub(crate) fn host(&self) -> String {
        format!("tcp://{}", self.fake.endpoint().authority())
    }

    /// Takes in the client, who is served from then on.
    pub(crate) async fn accept(&self) -> Client {
        let mut conn = self.fake.accept().await;
        conn.greet(NODE).await;
        let (say, words) = mpsc::channel(64);
        let mut serving = JoinSet::new();
        serving.spawn(serve(conn, words));
        Client { say, serving, said: 0 }
    }
}

/// The client as the server has it.
pub(crate) struct Client {
    say: mpsc::Sender<Vec<u8>>,
    serving: JoinSet<Conn>,
    said: u64,
}

impl Client {
    /// Says the next `count` messages, all at once; gives the number of the last.
    pub(crate) async fn says(&mut self, count: u64) -> u64 {
        let mut bytes = Vec::new();
        for n in self.said + 1..=self.said + count {
            bytes.extend_from_slice(&encode_line(&ServerMessage::Message(entry(n))));
        }
        self.said += count;
        self.say.send(bytes).await.unwrap();
        self.said
    }

    /// Ends the connection as a node does that dies; when that was.
    pub(crate) async fn dies(self) -> Instant {
        let Self { say, mut serving, .. } = self;
        drop(say);
        let conn = serving.join_next().await.unwrap().unwrap();
        let at = Instant::now();
        conn.reset();
        at
    }
}

/// Serves until nothing more is to be said.
async fn serve(mut conn: Conn, mut words: mpsc::Receiver<Vec<u8>>) -> Conn {
    loop {
        tokio::select! {
            // A request that is not whole yet stays in the connection's input.
            request = conn.request() => match request.map(|request| request.message) {
                Some(ClientMessage::Ping { t }) => conn.send(&ServerMessage::Pong { t, re: None }).await,
                Some(ClientMessage::Join { room }) => {
                    conn.send(&ServerMessage::RoomUsers(entered(room, Epoch(1), Seq::START))).await;
                }
                Some(_) => {}
                None => return conn,
            },
            bytes = words.recv() => match bytes {
                Some(bytes) => conn.raw(&bytes).await,
                None => return conn,
            },
        }
    }
}
