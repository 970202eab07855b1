//! Owns the comparison of a publish call that answers when the primary has the message with one that waits for a
//! replica, both on this machine: what `ack = "replicated"` costs at the least.

use anyhow::Context;
use chat_protocol::{ClientId, MessageId, NodeId, RoomName};
use chat_server::backbone::redis::{Options, connect};
use chat_server::backbone::{Item, Link, Place, Published};
use chat_server::config::{AckPolicy, RedisUrl};
use chat_testbed::{RedisOptions, RedisServer, Reply, percentile};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::latency::body;

const SAMPLES: usize = 2_000;
const UNCOUNTED: usize = 100;

struct Publisher {
    node: Link,
    room: RoomName,
    client: ClientId,
    known: Place,
}

impl Publisher {
    async fn start(primary: &RedisServer, name: &str, ack: AckPolicy) -> anyhow::Result<Self> {
        let url = RedisUrl::parse(&primary.url()).map_err(anyhow::Error::msg)?;
        let node = connect(Options { ack, ..Options::new(url, NodeId::parse(name)?) }).await?;
        let room = RoomName::parse(name)?;
        let round = node.backbone.ask(&room).await?.round;
        let known = node.backbone.create(&room, round, None).await?.context("no log was made")?.place;
        Ok(Self { node, room, client: ClientId::random(), known })
    }

    async fn send(&mut self) -> anyhow::Result<f64> {
        let n = self.known.seq.0 + 1;
        let id = MessageId::new(self.client.clone(), n);
        let items = vec![Item { id, generation: 1, acked: None, digest: n, body: Some(body()) }];
        let begun = Instant::now();
        let answer = self.node.backbone.publish(&self.room, Some(self.known.clone()), items).await?;
        let took = begun.elapsed();
        let Published::Ok { head, .. } = answer else { anyhow::bail!("not published: {answer:?}") };
        self.known = head;
        Ok(took.as_secs_f64() * 1e6)
    }
}

/// Measures both in turns, prints a table and answers with its figures.
pub(crate) async fn measure() -> anyhow::Result<Value> {
    let primary = RedisServer::start(RedisOptions::default()).await?;
    let _replica = RedisServer::start(RedisOptions::default().replica_of(&primary)).await?;
    anyhow::ensure!(primary.command(&["WAIT", "1", "20000"]).await? == Reply::Int(1), "no replica came");
    let mut alone = Publisher::start(&primary, "primary", AckPolicy::Primary).await?;
    let mut both = Publisher::start(&primary, "replicated", AckPolicy::Replicated).await?;
    let mut samples = [Vec::new(), Vec::new()];
    for number in 0..UNCOUNTED + SAMPLES {
        let took = [alone.send().await?, both.send().await?];
        if number >= UNCOUNTED {
            samples.iter_mut().zip(took).for_each(|(samples, took)| samples.push(took));
        }
    }
    println!("acknowledged by the primary, or by a replica on this machine too: {SAMPLES} in turns");
    println!("{:<6}{:>14}{:>16}{:>8}", "", "primary, us", "replicated, us", "ratio");
    let rows = [("p50", 0.5), ("p99", 0.99)].map(|(name, share)| {
        let [alone, both] = samples.each_mut().map(|samples| percentile(samples, share));
        println!("{name:<6}{alone:>14.1}{both:>16.1}{:>8.2}", both / alone);
        json!({"what": name, "primary_us": alone, "replicated_us": both, "ratio": both / alone})
    });
    println!();
    Ok(json!(rows))
}
