//! Owns the people who talk and listen in the room: fills its log, says one message after another, and takes the time
//! until each listener has it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::ENTRIES;

/// Where they talk.
pub(crate) const ROOM: &str = "full";
/// Those who listen, half of them on each node.
pub(crate) const LISTENERS: usize = 20;
/// How often something is said.
pub(crate) const EVERY: Duration = Duration::from_millis(5);
/// Messages on their way into the log while it is filled.
const AT_ONCE: u64 = 500;
/// Longest wait for what must come.
const DEADLINE: Duration = Duration::from_secs(30);

/// A client of a node.
pub(crate) struct Client {
    pub(crate) stream: BufReader<TcpStream>,
    line: String,
}

impl Client {
    /// Connects, says hello and joins the room.
    pub(crate) async fn join(addr: SocketAddr, name: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let mut client = Self { stream: BufReader::new(stream), line: String::new() };
        client.say(&json!({"type": "hello", "v": 1, "name": name})).await?;
        client.say(&json!({"type": "join", "room": ROOM})).await?;
        client.wait("room_users").await?;
        Ok(client)
    }

    pub(crate) async fn say(&mut self, frame: &Value) -> anyhow::Result<()> {
        Ok(self.stream.write_all(format!("{frame}\n").as_bytes()).await?)
    }

    /// The next frame of a type; pings are answered.
    pub(crate) async fn wait(&mut self, kind: &str) -> anyhow::Result<&str> {
        let beginning = format!(r#"{{"type":"{kind}""#);
        loop {
            self.next().await?;
            if self.line.starts_with(&beginning) {
                return Ok(&self.line);
            }
        }
    }

    /// The next frame that is no ping.
    pub(crate) async fn next(&mut self) -> anyhow::Result<&str> {
        loop {
            self.line.clear();
            let read = timeout(DEADLINE, self.stream.read_line(&mut self.line)).await;
            ensure!(read.context("nothing comes")?? > 0, "the connection was closed");
            if !self.line.starts_with(r#"{"type":"ping""#) {
                return Ok(&self.line);
            }
            let ping: Value = serde_json::from_str(&self.line)?;
            self.say(&json!({"type": "pong", "t": ping["t"]})).await?;
        }
    }
}

/// A message that a listener has: its number, and when.
type Heard = (u64, Instant);

/// One who talks and many who listen.
pub(crate) struct Talkers {
    speaker: Client,
    n: u64,
    heard: mpsc::UnboundedReceiver<Heard>,
    listeners: JoinSet<anyhow::Result<()>>,
}

impl Talkers {
    /// Fills the room and sits down in it.
    pub(crate) async fn start(addrs: &[SocketAddr]) -> anyhow::Result<Self> {
        let mut speaker = Client::join(addrs[0], "speaker").await?;
        for n in 1..=ENTRIES {
            speaker.say(&message(n, &line(n))).await?;
            if n % AT_ONCE == 0 {
                acked(&mut speaker, n).await?;
            }
        }
        let (tell, heard) = mpsc::unbounded_channel();
        let mut listeners = JoinSet::new();
        for number in 0..LISTENERS {
            let client = Client::join(addrs[number % addrs.len()], &format!("listener{number}")).await?;
            listeners.spawn(listen(client, tell.clone()));
        }
        Ok(Self { speaker, n: ENTRIES, heard, listeners })
    }

    /// Talks for a while; what each delivery took, in microseconds.
    pub(crate) async fn talk(&mut self, time: Duration) -> anyhow::Result<Vec<f64>> {
        let (until, mut ticks) = (Instant::now() + time, interval(EVERY));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (first, mut said, mut took) = (self.n + 1, Vec::new(), Vec::new());
        while Instant::now() < until {
            ticks.tick().await;
            self.n += 1;
            said.push(Instant::now());
            self.speaker.say(&message(self.n, &line(self.n))).await?;
            while let Ok(heard) = self.heard.try_recv() {
                took.push(elapsed(&said, first, heard)?);
            }
        }
        acked(&mut self.speaker, self.n).await?;
        while took.len() < said.len() * LISTENERS {
            let heard = timeout(DEADLINE, self.heard.recv()).await.context("a message does not come")?;
            took.push(elapsed(&said, first, heard.context("this end is kept")?)?);
        }
        ensure!(self.listeners.try_join_next().is_none(), "a listener was closed");
        Ok(took)
    }
}

fn elapsed(said: &[Instant], first: u64, (n, at): Heard) -> anyhow::Result<f64> {
    let index = n.checked_sub(first).context("a message of another turn")?;
    let said = said.get(usize::try_from(index)?).context("nobody has said that yet")?;
    Ok(at.duration_since(*said).as_secs_f64() * 1e6)
}

fn message(n: u64, content: &str) -> Value {
    json!({"type": "message", "room": ROOM, "n": n, "content": content})
}

/// A hundred letters, as people write them; one in 500 holds what is searched for.
fn line(n: u64) -> String {
    let needle = if n.is_multiple_of(500) { "needle" } else { "thread" };
    format!(
        "number {n}: where is the {needle} that Ada has seen in the haystack behind the old mill yesterday?"
    )
}

async fn acked(speaker: &mut Client, n: u64) -> anyhow::Result<()> {
    loop {
        let ack: Value = serde_json::from_str(speaker.wait("ack").await?)?;
        if ack["n"] == n {
            return Ok(());
        }
    }
}

async fn listen(mut client: Client, tell: mpsc::UnboundedSender<Heard>) -> anyhow::Result<()> {
    loop {
        let line = client.wait("message").await?;
        let at = Instant::now();
        // As cheap as can be: what a listener does with it is not measured.
        let (_, rest) =
            line.split_once("\"number ").or_else(|| line.split_once("number ")).context("a number")?;
        let n = rest.split_once(':').context("a number")?.0.parse()?;
        tell.send((n, at))?;
    }
}
