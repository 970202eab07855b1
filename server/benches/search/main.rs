//! What searching costs, run by `cargo xtask bench search`: a room with a full log on a real Redis, people who talk and
//! listen in it, and in turns nobody, one and many who search through all of it. Times are those that clients see,
//! through sockets. What is compared is measured in one run, in turns. This file prints and writes down.

mod room;
mod searcher;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use chat_protocol::NodeId;
use chat_server::Server;
use chat_server::config::{Config, RedisUrl};
use chat_testbed::{RedisOptions, RedisServer, percentile};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use room::Talkers;
use searcher::Searchers;

/// Entries of the room: what a log keeps.
const ENTRIES: u64 = 10_000;
/// Who searches at the same time, in turns.
const SEARCHERS: [usize; 3] = [0, 1, 16];
/// Turns of each; those of the first round are not counted.
const ROUNDS: usize = 12;
/// How long a turn takes.
const TURN: Duration = Duration::from_secs(2);

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run())
}

/// What the turns of one number of searchers gave.
#[derive(Default)]
struct Measured {
    /// From saying a message to each listener's having it, in microseconds.
    delivery: Vec<f64>,
    /// Whole searches, in milliseconds.
    searches: Vec<f64>,
    /// Entries looked at.
    entries: usize,
}

async fn run() -> anyhow::Result<()> {
    let redis = RedisServer::start(RedisOptions::default()).await?;
    let mut nodes = JoinSet::new();
    let mut addrs = Vec::new();
    for name in ["one", "two"] {
        let mut config = Config::loopback(NodeId::parse(name)?);
        config.redis.url = Some(RedisUrl::parse(&redis.url()).map_err(anyhow::Error::msg)?);
        config.limits.messages_per_second = 0;
        let node = Server::bind(config).await?;
        addrs.push(node.tcp_addr().context("a node listens")?);
        nodes.spawn(node.run(CancellationToken::new()));
    }
    println!("filling a room with {ENTRIES} entries");
    let mut talkers = Talkers::start(&addrs).await?;
    let mut measured: [Measured; SEARCHERS.len()] = Default::default();
    for round in 0..=ROUNDS {
        for turn in 0..SEARCHERS.len() {
            let index = (round + turn) % SEARCHERS.len();
            // Each turn with connections of its own: each may search through a log at once.
            let searchers = Searchers::start(&addrs, SEARCHERS.into_iter().max().unwrap_or_default()).await?;
            let (delivery, found) =
                tokio::join!(talkers.talk(TURN), searchers.search(SEARCHERS[index], TURN));
            let (delivery, found) = (delivery?, found?);
            if round > 0 {
                let measured = &mut measured[index];
                measured.delivery.extend(delivery);
                measured.searches.extend(found.searches);
                measured.entries += found.entries;
            }
        }
    }
    write(&report(&mut measured))
}

fn report(measured: &mut [Measured; SEARCHERS.len()]) -> Value {
    println!(
        "{ENTRIES} entries, {} listeners on two nodes, a message every {} ms, {ROUNDS} turns of {} s each\n",
        room::LISTENERS,
        room::EVERY.as_millis(),
        TURN.as_secs()
    );
    println!(
        "{:<10}{:>10}{:>10}{:>10}{:>8}{:>8}{:>12}{:>14}{:>14}{:>14}",
        "searching",
        "p50, us",
        "p90, us",
        "p99, us",
        "p50",
        "p99",
        "deliveries",
        "search p50",
        "search p99",
        "entries/s"
    );
    let quiet = [0.5, 0.99].map(|share| percentile(&mut measured[0].delivery, share));
    let rows = SEARCHERS.iter().zip(measured).map(|(searchers, measured)| {
        let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|share| percentile(&mut measured.delivery, share));
        let (ratio, ratio_p99) = (p50 / quiet[0], p99 / quiet[1]);
        let [search, search_p99] = [0.5, 0.99].map(|share| percentile(&mut measured.searches, share));
        let rate = measured.entries as f64 / (TURN.as_secs_f64() * ROUNDS as f64);
        let count = measured.delivery.len();
        println!(
            "{searchers:<10}{p50:>10.0}{p90:>10.0}{p99:>10.0}{ratio:>8.2}{ratio_p99:>8.2}{count:>12}{:>14}{:>14}{rate:>14.0}",
            whole(search),
            whole(search_p99)
        );
        json!({"searchers": searchers, "delivery_us_p50": p50, "delivery_us_p90": p90, "delivery_us_p99": p99,
            "ratio_p50": ratio, "ratio_p99": ratio_p99, "deliveries": count, "full_search_ms_p50": search,
            "full_search_ms_p99": search_p99, "full_searches": measured.searches.len(), "entries_per_second": rate})
    });
    let rows: Vec<Value> = rows.collect();
    println!("\np50 and p99 without a unit: beside nobody searching\n");
    json!({"entries": ENTRIES, "listeners": room::LISTENERS, "rows": rows})
}

fn write(results: &Value) -> anyhow::Result<()> {
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the server lies in a workspace")?;
    let folder = workspace.join("target/bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("search.json"), serde_json::to_string_pretty(results)?)?;
    println!("written to target/bench/search.json");
    Ok(())
}

/// What a whole search took; where none came to its end within a turn, that is not known.
fn whole(search: f64) -> String {
    if search > 0.0 { format!("{search:.1} ms") } else { "-".to_owned() }
}
