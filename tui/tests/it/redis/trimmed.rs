//! A log that no longer has its beginning: who resumes from 0 is told exactly what comes, what is to be had,
//! and what is gone.

use std::net::SocketAddr;

use chat_testbed::{RedisOptions, RedisServer};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinSet;

use super::cluster::RedisCluster;
use crate::fake::within;
use crate::talk::ROOM;

/// Who fills the log, and how much each says.
const FILLERS: u64 = 4;
const MESSAGES: u64 = 2_700;
/// What each has on its way at once: a room that is busy refuses what would be too much.
const WINDOW: usize = 100;
/// More than a log keeps.
const SAID: u64 = FILLERS * MESSAGES;
/// What a log keeps at least.
const KEPT_MIN: u64 = 10_000;
/// What a resume replays at most.
const REPLAYED: u64 = 10_000;

/// A client that speaks JSON.
struct Speaker {
    lines: Lines<BufReader<OwnedReadHalf>>,
    to: OwnedWriteHalf,
}

impl Speaker {
    async fn hello(front: SocketAddr, hello: Value) -> Self {
        let (from, to) = within("a connection", TcpStream::connect(front)).await.unwrap().into_split();
        let mut speaker = Self { lines: BufReader::new(from).lines(), to };
        speaker.say(&hello).await;
        speaker
    }

    async fn say(&mut self, frame: &Value) {
        self.to.write_all(format!("{frame}\n").as_bytes()).await.unwrap();
    }

    /// The next frame that is wanted, and what came before it.
    async fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> (Value, Vec<Value>) {
        let mut passed = Vec::new();
        loop {
            let line = within(what, self.lines.next_line()).await.unwrap().expect("the connection lives");
            let frame: Value = serde_json::from_str(&line).unwrap();
            if wanted(&frame) {
                return (frame, passed);
            }
            passed.push(frame);
        }
    }
}

/// Says its part as fast as it goes; the epoch of the log it landed in.
async fn fill(front: SocketAddr) -> Value {
    let mut speaker = Speaker::hello(front, json!({"type": "hello", "v": 1})).await;
    speaker.say(&json!({"type": "join", "room": ROOM})).await;
    let (users, _) = speaker.until("the room", |frame| frame["type"] == "room_users").await;
    for begin in (0..MESSAGES).step_by(WINDOW) {
        let last = begin + WINDOW as u64;
        for n in begin + 1..=last {
            let content = format!("filling {n}");
            speaker.say(&json!({"type": "message", "room": ROOM, "n": n, "content": content})).await;
        }
        speaker.until("the last ack", |frame| frame["type"] == "ack" && frame["n"] == last).await;
    }
    users["epoch"].clone()
}

/// The places of the entries, which have to follow one another.
fn check_contiguous(entries: &[Value]) -> (u64, u64) {
    let seqs: Vec<u64> = entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{seqs:?}");
    (*seqs.first().unwrap(), *seqs.last().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_resumes_from_0_on_a_trimmed_log_is_told_what_is_gone() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let cluster = RedisCluster::start(&redis).await;
    let front = cluster.tcp();
    let mut fillers: JoinSet<Value> = (0..FILLERS).map(|_| fill(front)).collect();
    let epoch = fillers.join_next().await.unwrap().unwrap();
    fillers.join_all().await;

    let resume = json!([{"room": ROOM, "epoch": epoch, "seq": 0}]);
    let mut client = Speaker::hello(front, json!({"type": "hello", "v": 1, "resume": resume})).await;
    let (reset, _) = client.until("what is gone", |frame| frame["type"] == "reset").await;
    let (resumed, passed) = client.until("the end of the resume", |frame| frame["type"] == "resumed").await;
    let replayed: Vec<Value> = passed.into_iter().filter(|frame| frame["type"] == "message").collect();
    assert_eq!(
        (&resumed["from"], &resumed["to"], &resumed["recovered"], &resumed["more"]),
        (&json!(SAID - REPLAYED), &json!(SAID), &json!(REPLAYED), &json!(true)),
    );
    assert_eq!(check_contiguous(&replayed), (SAID - REPLAYED + 1, SAID));

    let mut first = SAID - REPLAYED + 1;
    loop {
        client.say(&json!({"type": "history", "room": ROOM, "before": first, "limit": 200})).await;
        let (page, _) = client.until("a page", |frame| frame["type"] == "history").await;
        let (oldest, newest) = check_contiguous(page["messages"].as_array().unwrap());
        assert_eq!(newest + 1, first);
        first = oldest;
        if page["more"] != true {
            break;
        }
    }
    println!(
        "resume from 0 on a trimmed log: {SAID} said, replayed {}..{SAID}, to be had {first}..{}, gone 1..{}",
        SAID - REPLAYED + 1,
        SAID - REPLAYED,
        first - 1
    );
    assert_eq!(
        (&reset["reason"], &reset["lost_from"], &reset["lost_to"]),
        (&json!("trimmed"), &json!(1), &json!(first - 1))
    );
    assert!(first > 1, "nothing was trimmed: the run proves nothing");
    assert!(SAID - first + 1 >= KEPT_MIN, "{} entries are kept", SAID - first + 1);
}
