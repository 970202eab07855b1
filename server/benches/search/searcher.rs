//! Owns those who search: each through all of the log, answer by answer, as fast as the node lets it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{bail, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use crate::room::{Client, ROOM};

/// Connections that are about to search.
pub(crate) struct Searchers(Vec<Client>);

/// What they have seen.
#[derive(Default)]
pub(crate) struct Found {
    /// Whole searches, in milliseconds.
    pub(crate) searches: Vec<f64>,
    /// Entries looked at, as far as the answers tell.
    pub(crate) entries: usize,
}

impl Searchers {
    pub(crate) async fn start(addrs: &[SocketAddr], count: usize) -> anyhow::Result<Self> {
        let mut clients = Vec::new();
        for number in 0..count {
            clients.push(Client::join(addrs[number % addrs.len()], &format!("searcher{number}")).await?);
        }
        Ok(Self(clients))
    }

    /// As many as are wanted search over and over for a while; the others sit there, so that the room is as large as ever.
    pub(crate) async fn search(self, wanted: usize, time: Duration) -> anyhow::Result<Found> {
        let (until, mut tasks, mut all) = (Instant::now() + time, JoinSet::new(), Found::default());
        for (number, client) in self.0.into_iter().enumerate() {
            match number < wanted {
                true => tasks.spawn(search(client, until)),
                false => tasks.spawn(sit(client, until)),
            };
        }
        while let Some(found) = tasks.join_next().await {
            let found = found??;
            all.searches.extend(found.searches);
            all.entries += found.entries;
        }
        Ok(all)
    }
}

async fn sit(mut client: Client, until: Instant) -> anyhow::Result<Found> {
    while let Ok(frame) = timeout_at(until, client.next()).await {
        frame?;
    }
    Ok(Found::default())
}

async fn search(mut client: Client, until: Instant) -> anyhow::Result<Found> {
    let mut all = Found::default();
    while Instant::now() < until {
        let (begun, mut from, mut found) = (Instant::now(), Value::Null, 0);
        let mut waited = Duration::ZERO;
        loop {
            client.say(&json!({"type": "search", "room": ROOM, "query": "needle", "from": from})).await?;
            let Ok(answer) = timeout_at(until, answer(&mut client)).await else { return Ok(all) };
            let answer = answer?;
            if let Some(retry_ms) = answer["retry_ms"].as_u64() {
                // Who searches more than is allowed waits; that is not the time a search takes.
                let pause = Duration::from_millis(retry_ms);
                waited += pause;
                sleep(pause).await;
                if Instant::now() >= until {
                    return Ok(all);
                }
                continue;
            }
            found += answer["messages"].as_array().map_or(0, Vec::len);
            let before = from["before"].as_u64();
            from = answer["next"].clone();
            all.entries += match (before, from["before"].as_u64()) {
                (Some(before), Some(next)) => usize::try_from(before - next)?,
                _ => crate::ENTRIES as usize / 5,
            };
            if from.is_null() {
                break;
            }
        }
        ensure!((19..=21).contains(&found), "{found} found of one in 500");
        if waited.is_zero() {
            all.searches.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(all)
}

async fn answer(client: &mut Client) -> anyhow::Result<Value> {
    loop {
        let line = client.next().await?;
        if line.starts_with(r#"{"type":"search""#) {
            return Ok(serde_json::from_str(line)?);
        }
        if line.starts_with(r#"{"type":"error""#) {
            let error: Value = serde_json::from_str(line)?;
            if error["code"] != "rate_limited" {
                bail!("refused: {error}");
            }
            return Ok(error);
        }
    }
}
