//! Owns a middleman on the way between clients and the front-end that edits what is said on it: it switches
//! parts of the delivery off, to see that the checker finds them missing.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chat_protocol::ClientId;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Which entry of a room is withheld from the client that gets it first.
const WITHHELD_SEQ: u64 = 50;

/// What the middleman takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoil {
    /// Nothing: it only passes on.
    None,
    /// A returning client is let in at the head: `resume` is taken out of its `hello`.
    Resume,
    /// The log knows a message again by its client and number: each connection looks like another client's.
    Dedupe,
    /// One entry does not reach one client.
    OneEntry,
}

/// A port on which all is spoiled alike; closed when dropped.
pub(crate) struct Middleman {
    pub(crate) addr: SocketAddr,
    _accepting: JoinSet<()>,
}

impl Middleman {
    pub(crate) async fn start(front_end: SocketAddr, spoil: Spoil) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let withheld = Arc::new(AtomicUsize::new(0));
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let editor = Editor { spoil, withheld: withheld.clone(), posing: Mutex::default() };
                connections.spawn(async move { drop(pass_on(client, front_end, editor).await) });
            }
        });
        Self { addr, _accepting: accepting }
    }
}

async fn pass_on(client: TcpStream, front_end: SocketAddr, editor: Editor) -> io::Result<()> {
    let server = TcpStream::connect(front_end).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    // The first side to end ends the other: both halves are dropped.
    tokio::select! {
        ended = copy_lines(from_client, to_server, |line| editor.request(line)) => ended,
        ended = copy_lines(from_server, to_client, |line| editor.answer(line)) => ended,
    }
}

async fn copy_lines(
    from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    edit: impl Fn(Value) -> Vec<Value>,
) -> io::Result<()> {
    let mut lines = BufReader::new(from).lines();
    while let Some(line) = lines.next_line().await? {
        for edited in edit(serde_json::from_str(&line)?) {
            to.write_all(format!("{edited}\n").as_bytes()).await?;
        }
    }
    Ok(())
}

/// Edits one connection.
struct Editor {
    spoil: Spoil,
    /// How many entries were withheld, on all connections.
    withheld: Arc<AtomicUsize>,
    /// Whom the client says it is, and whom the server takes it for.
    posing: Mutex<Option<(Value, Value)>>,
}

impl Editor {
    fn request(&self, mut line: Value) -> Vec<Value> {
        if line["type"] != "hello" {
            return vec![line];
        }
        match self.spoil {
            Spoil::None | Spoil::OneEntry => vec![line],
            Spoil::Resume => {
                let places = line.as_object_mut().and_then(|hello| hello.remove("resume"));
                let rooms: HashSet<String> = (places.iter().flat_map(|places| places.as_array()).flatten())
                    .filter_map(|place| place["room"].as_str().map(str::to_owned))
                    .collect();
                let joins = rooms.into_iter().map(|room| json!({ "type": "join", "room": room }));
                [line].into_iter().chain(joins).collect()
            }
            Spoil::Dedupe => {
                let stranger = json!(ClientId::random().as_str());
                let own = std::mem::replace(&mut line["client_id"], stranger.clone());
                *self.posing.lock() = Some((own, stranger));
                vec![line]
            }
        }
    }

    fn answer(&self, mut line: Value) -> Vec<Value> {
        match (self.spoil, line["type"].as_str()) {
            (Spoil::OneEntry, Some("message"))
                if line["seq"] == WITHHELD_SEQ && self.withheld.fetch_add(1, Ordering::Relaxed) == 0 =>
            {
                Vec::new()
            }
            (Spoil::Dedupe, Some("welcome" | "ack")) => {
                if let Some((own, stranger)) = &*self.posing.lock() {
                    give_back(&mut line, own, stranger);
                }
                vec![line]
            }
            _ => vec![line],
        }
    }
}

/// The client is told that it is who it said it was.
fn give_back(line: &mut Value, own: &Value, stranger: &Value) {
    let (Some(own), Some(stranger)) = (own.as_str(), stranger.as_str()) else { return };
    if line["client_id"] == stranger {
        line["client_id"] = json!(own);
    }
    if let Some(n) = line["id"].as_str().and_then(|id| id.strip_prefix(stranger)) {
        line["id"] = json!(format!("{own}{n}"));
    }
}
