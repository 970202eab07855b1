//! Owns what a node asks of Redis while nobody says anything: two nodes with different numbers of connections, each on a
//! Redis of its own, looked at for the same while. What scripts call inside counts like any other command.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use chat_protocol::NodeId;
use chat_server::Server;
use chat_server::config::{Config, RedisUrl};
use chat_testbed::{RedisConnection, RedisOptions, RedisServer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Connections of the two nodes.
const CONNECTIONS: [usize; 2] = [1_000, 5_000];
/// Rooms they sit in, one each.
const ROOMS: usize = 10;
/// Connections on their way in at once.
const AT_ONCE: usize = 100;
/// How long it takes until all have been told of all, and how long nodes are looked at then.
const QUIET: Duration = Duration::from_secs(5);
const WATCHED: Duration = Duration::from_secs(20);
/// Longest wait for one more connection to be in its room.
const JOIN_MAX: Duration = Duration::from_secs(60);
/// Sockets are in this process at both ends.
const FILES: u64 = 2 * 6_000 + 500;

/// A node with its Redis and its clients; gone when dropped.
struct Node {
    server: RedisServer,
    connections: usize,
    tasks: JoinSet<()>,
}

/// How often each command was carried out.
type Counts = BTreeMap<String, u64>;

/// Measures both nodes, prints a table and answers with its figures.
pub(crate) async fn measure() -> anyhow::Result<Value> {
    allow_files()?;
    let mut nodes = Vec::new();
    for connections in CONNECTIONS {
        nodes.push(Node::start(connections).await?);
    }
    sleep(QUIET).await;
    let mut before = Vec::new();
    for node in &nodes {
        before.push(node.counts().await?);
    }
    sleep(WATCHED).await;
    println!("idle: {ROOMS} rooms, {} s, commands within scripts counted", WATCHED.as_secs());
    let mut rows = Vec::new();
    for (node, before) in nodes.iter_mut().zip(before) {
        rows.push(report(node.connections, &before, &node.counts().await?));
        ensure!(node.tasks.try_join_next().is_none(), "a connection has ended");
    }
    println!();
    Ok(json!(rows))
}

fn allow_files() -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let enough = limit.maximum.is_none_or(|maximum| maximum >= FILES);
    ensure!(enough, "{FILES} open files are needed and {:?} allowed: raise ulimit -Hn", limit.maximum);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: Some(FILES), maximum: limit.maximum })?)
}

impl Node {
    async fn start(connections: usize) -> anyhow::Result<Self> {
        let server = RedisServer::start(RedisOptions::default()).await?;
        let mut config = Config::loopback(NodeId::parse("idle")?);
        config.redis.url = Some(RedisUrl::parse(&server.url()).map_err(anyhow::Error::msg)?);
        let node = Server::bind(config).await?;
        let addr = node.tcp_addr().context("a node listens")?;
        let mut tasks = JoinSet::new();
        tasks.spawn(node.run(CancellationToken::new()));
        let (joined, mut joins) = mpsc::channel(AT_ONCE);
        let mut waiting = 0;
        for number in 0..connections {
            let joined = joined.clone();
            tasks.spawn(async move {
                if let Err(error) = sit(addr, number, &joined).await {
                    // Who no longer waits for it notices that the task has ended.
                    drop(joined.send(Err(error)).await);
                }
            });
            waiting += 1;
            while waiting >= AT_ONCE || (number + 1 == connections && waiting > 0) {
                let join = timeout(JOIN_MAX, joins.recv()).await;
                join.context("a connection does not get into its room")?.context("this end is kept")??;
                waiting -= 1;
            }
        }
        Ok(Self { server, connections, tasks })
    }

    async fn counts(&self) -> anyhow::Result<Counts> {
        counts(&mut self.server.connect().await?).await
    }
}

/// A client: says hello, joins its room, tells once, then listens and answers pings.
async fn sit(
    addr: SocketAddr,
    number: usize,
    joined: &mpsc::Sender<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let mut stream = BufReader::new(TcpStream::connect(addr).await?);
    let hello = json!({"type": "hello", "v": 1, "name": format!("idle{number}")});
    let join = json!({"type": "join", "room": format!("idle-{}", number % ROOMS)});
    stream.write_all(format!("{hello}\n{join}\n").as_bytes()).await?;
    let (mut line, mut is_in) = (String::new(), false);
    while stream.read_line(&mut line).await? > 0 {
        if line.starts_with(r#"{"type":"room_users""#) {
            if !std::mem::replace(&mut is_in, true) {
                joined.send(Ok(())).await?;
            }
        } else if line.starts_with(r#"{"type":"ping""#) {
            let ping: Value = serde_json::from_str(&line)?;
            let pong = json!({"type": "pong", "t": ping["t"]});
            stream.write_all(format!("{pong}\n").as_bytes()).await?;
        } else if line.starts_with(r#"{"type":"error""#) {
            bail!("connection {number} is told {}", line.trim_end());
        }
        line.clear();
    }
    bail!("connection {number} was closed")
}

/// The calls of each command, as INFO says; those by which it is asked left out.
async fn counts(connection: &mut RedisConnection) -> anyhow::Result<Counts> {
    let text = connection.command(&["INFO", "commandstats"]).await?.text().context("INFO is text")?;
    let count = |line: &str| {
        let (name, figures) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), figures.split(',').next()?.parse().ok()?))
    };
    let mut counts: Counts = text.lines().filter_map(count).collect();
    counts.remove("info");
    Ok(counts)
}

fn report(connections: usize, before: &Counts, after: &Counts) -> Value {
    let seconds = WATCHED.as_secs_f64();
    let rate = |(name, calls): (&String, &u64)| {
        let calls = calls - before.get(name).copied().unwrap_or_default();
        (calls > 0).then(|| (name.clone(), calls as f64 / seconds))
    };
    let rates: BTreeMap<String, f64> = after.iter().filter_map(rate).collect();
    let total: f64 = rates.values().sum();
    let sent: f64 = rates.iter().filter(|(name, _)| name.starts_with("eval")).map(|(_, rate)| rate).sum();
    let each: Vec<String> = rates.iter().map(|(name, rate)| format!("{name} {rate:.2}")).collect();
    println!(
        "{connections:>5} connections {total:>8.2} commands/s, {sent:.2} of them scripts: {}",
        each.join(", ")
    );
    json!({"connections": connections, "commands_per_second": total, "each": rates})
}
