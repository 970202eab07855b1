//! Owns the comparison of a message's way from node to node, from the publish call to the event, with a raw hop from
//! PUBLISH to SUBSCRIBE of as many bytes. One in flight, in turns, all on one runtime. Both ways end at a task that
//! waits for what comes, as a program does; where the raw hop ends inside of its connection is told too.

use anyhow::{Context, ensure};
use bytes::Bytes;
use chat_protocol::{ClientId, MessageId, NodeId, RoomName};
use chat_server::backbone::redis::{Options, connect};
use chat_server::backbone::{FeedEvent, Item, Link, Place, Published};
use chat_server::config::RedisUrl;
use chat_testbed::{RedisServer, percentile};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, PushInfo, PushKind};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Messages each way; some before them are not counted.
const SAMPLES: usize = 4_000;
const UNCOUNTED: usize = 200;
/// Bytes of a message.
const BODY: usize = 220;

/// What a message says: nodes pass nothing on but JSON.
pub(crate) fn body() -> Bytes {
    let frame = r#"{"content":""}"#;
    Bytes::from(frame.replace("\"\"", &format!("\"{}\"", "x".repeat(BODY - frame.len()))))
}

/// A message that came in.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    /// When the connection had it; at a node nobody can see that.
    at_wire: Instant,
    /// When the task had it.
    at_task: Instant,
    bytes: usize,
}

type Arrivals = mpsc::UnboundedReceiver<Arrival>;

/// From one node to another.
struct Through {
    node: Link,
    room: RoomName,
    client: ClientId,
    known: Place,
    arrivals: Arrivals,
}

impl Through {
    async fn send(&mut self) -> anyhow::Result<f64> {
        let n = self.known.seq.0 + 1;
        let (id, body) = (MessageId::new(self.client.clone(), n), Some(body()));
        let items = vec![Item { id, generation: 1_763_000_000_000, acked: None, digest: n << 50, body }];
        let known = Some(self.known.clone());
        let begun = Instant::now();
        let call = self.node.backbone.publish(&self.room, known, items);
        let (answer, arrived) = tokio::join!(call, self.arrivals.recv());
        let took = arrived.context("the other node is told nothing")?.at_task.duration_since(begun);
        let Published::Ok { head, .. } = answer? else { anyhow::bail!("not published") };
        ensure!(head.seq.0 == n, "{head:?} at message {n}");
        self.known = head;
        Ok(took.as_secs_f64() * 1e6)
    }
}

/// From one connection to another.
struct Raw {
    wire: MultiplexedConnection,
    bytes: Vec<u8>,
    arrivals: Arrivals,
}

impl Raw {
    /// To the task, and to the connection.
    async fn send(&mut self) -> anyhow::Result<[f64; 2]> {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg("raw").arg(&self.bytes);
        let begun = Instant::now();
        let (answer, arrived) = tokio::join!(publish.exec_async(&mut self.wire), self.arrivals.recv());
        let arrived = arrived.context("the other connection is told nothing")?;
        answer?;
        Ok([arrived.at_task, arrived.at_wire].map(|at| at.duration_since(begun).as_secs_f64() * 1e6))
    }
}

/// Measures both in turns, prints a table and answers with its figures.
pub(crate) async fn measure(server: &RedisServer) -> anyhow::Result<Value> {
    let (room, mut tasks) = (RoomName::parse("latency")?, JoinSet::new());
    let (node, other) = (node(server, "latency-a").await?, node(server, "latency-b").await?);
    let round = node.backbone.ask(&room).await?.round;
    let known = node.backbone.create(&room, round, None).await?.context("no log was made")?.place;
    other.backbone.subscribe(&room).await?;
    let arrivals = at_node(other.feed, &mut tasks);
    let (feed, mut sizes) = at_wire(server, &format!("chat:{{{room}}}:feed:0"), &mut tasks).await?;
    let mut through = Through { node, room, client: ClientId::random(), known, arrivals };
    through.send().await?;
    let size = sizes.recv().await.context("nothing in the room's channel")?.bytes;
    drop(feed);
    let (_ears, arrivals) = at_wire(server, "raw", &mut tasks).await?;
    let wire = dial(server, AsyncConnectionConfig::new()).await?;
    let mut raw = Raw { wire, bytes: vec![b'x'; size], arrivals };
    let mut samples = [Vec::new(), Vec::new(), Vec::new()];
    for number in 0..UNCOUNTED + SAMPLES {
        let (through, [to_task, to_wire]) = (through.send().await?, raw.send().await?);
        if number >= UNCOUNTED {
            for (samples, sample) in samples.iter_mut().zip([through, to_task, to_wire]) {
                samples.push(sample);
            }
        }
    }
    Ok(report(samples, size))
}

async fn node(server: &RedisServer, name: &str) -> anyhow::Result<Link> {
    let url = RedisUrl::parse(&server.url()).map_err(anyhow::Error::msg)?;
    connect(Options::new(url, NodeId::parse(name)?)).await
}

/// Messages come in as the hub takes them.
fn at_node(mut feed: mpsc::Receiver<FeedEvent>, tasks: &mut JoinSet<()>) -> Arrivals {
    let (arrived, arrivals) = mpsc::unbounded_channel();
    tasks.spawn(async move {
        while let Some(event) = feed.recv().await {
            if let FeedEvent::Entries { entries, .. } = event {
                let now = Instant::now();
                let bytes = entries.iter().map(|entry| entry.body.len()).sum();
                if arrived.send(Arrival { at_wire: now, at_task: now, bytes }).is_err() {
                    return;
                }
            }
        }
    });
    arrivals
}

/// Messages come in through a bare connection.
async fn at_wire(
    server: &RedisServer,
    channel: &str,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<(MultiplexedConnection, Arrivals)> {
    let (pushed, mut pushes) = mpsc::unbounded_channel();
    let config = AsyncConnectionConfig::new().set_push_sender(move |push: PushInfo| {
        match (push.kind, push.data.last()) {
            (PushKind::Message, Some(redis::Value::BulkString(bytes))) => {
                pushed.send((Instant::now(), bytes.len()))
            }
            _ => Ok(()),
        }
    });
    let (arrived, arrivals) = mpsc::unbounded_channel();
    tasks.spawn(async move {
        while let Some((at_wire, bytes)) = pushes.recv().await {
            if arrived.send(Arrival { at_wire, at_task: Instant::now(), bytes }).is_err() {
                return;
            }
        }
    });
    let mut wire = dial(server, config).await?;
    wire.subscribe(channel).await?;
    Ok((wire, arrivals))
}

async fn dial(server: &RedisServer, config: AsyncConnectionConfig) -> anyhow::Result<MultiplexedConnection> {
    let client = redis::Client::open(format!("{}/?protocol=resp3", server.url()))?;
    Ok(client.get_multiplexed_async_connection_with_config(&config).await?)
}

fn report(mut samples: [Vec<f64>; 3], size: usize) -> Value {
    println!("latency: {BODY} bytes, {size} in the channel, one in flight, {SAMPLES} in turns");
    println!(
        "{:<6}{:>12}{:>12}{:>8}{:>18}{:>8}",
        "", "node, us", "raw, us", "ratio", "raw at wire, us", "ratio"
    );
    let rows = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)].map(|(name, share)| {
        let [through, raw, at_wire] = samples.each_mut().map(|samples| percentile(samples, share));
        let (ratio, ratio_at_wire) = (through / raw, through / at_wire);
        println!("{name:<6}{through:>12.1}{raw:>12.1}{ratio:>8.2}{at_wire:>18.1}{ratio_at_wire:>8.2}");
        json!({"what": name, "node_us": through, "raw_us": raw, "raw_at_wire_us": at_wire, "ratio": ratio})
    });
    println!();
    json!(rows)
}
