//! The promise on a real Redis: two nodes, ten clients that talk in one room through the front-end, and a
//! fault of Redis or of the way to it in the middle of the talk. Each row of the failure matrix is a test
//! that counts what was lost, shown twice, or shown in another order.

mod changes;
mod cluster;
mod failover;
mod gone;
mod moving;
mod network;
mod restart;
mod trimmed;
mod trouble;

use std::time::Duration;

use chat_tui::net::event::Transport;
use tokio::time::{Instant, interval_at};

use crate::talk::history::{Counts, History};
use crate::talk::{Script, Stage, play};
use cluster::RedisCluster;

/// Clients in each row.
const CLIENTS: usize = 10;
/// What they say: a message every 12 ms.
const SCRIPT: Script = Script { clients: CLIENTS, messages: 40, lasts: Duration::from_secs(5), others: &[] };
/// The same over a longer time, for faults that last longer.
const LONGER: Script = Script { lasts: Duration::from_secs(7), ..SCRIPT };
/// After so many acks the talk is in full swing.
const IN_FULL_SWING: usize = 80;

/// A fault that nothing tells the middle of lasts so long.
async fn outage(time: Duration) {
    interval_at(Instant::now() + time, time).tick().await;
}

/// What came of a row.
struct Row {
    counts: Counts,
    histories: Vec<History>,
}

/// Plays one row, prints what it came to, and checks what holds in every one: nothing is lost, shown twice or
/// in another order, and the log holds what was said and nothing else.
async fn check_row(
    name: &str,
    script: Script,
    cluster: &RedisCluster,
    fault: impl AsyncFnOnce(&Stage),
) -> Row {
    let endpoints = vec![cluster.endpoint(Transport::Tcp); script.clients];
    let played = play(script, &endpoints, fault).await;
    let said = script.said();
    let counts = Counts::of(&played.histories, &said);
    let Counts { lost, duplicated, reordered, rewinds, resets, longest_silence } = counts;
    let told = played.histories.iter().filter(|history| history.unavailable).count();
    println!(
        "{name}: {} clients, {} said, lost {lost}, duplicated {duplicated}, reordered {reordered}, \
         rewinds {rewinds}, resets {resets}, longest silence {} ms, told that Redis is away {told}",
        script.clients,
        said.len(),
        longest_silence.as_millis(),
    );
    played.histories.iter().filter(|history| !history.resets.is_empty()).for_each(|history| {
        println!("  - {}: {:?}", history.name, history.resets);
    });
    played.complaints.iter().take(12).for_each(|complaint| println!("  - {complaint}"));
    assert_eq!(played.complaints, Vec::<String>::new());
    assert_eq!((lost, duplicated, reordered), (0, 0, 0));
    assert_eq!(played.head.0, said.len() as u64, "the log holds what was said and nothing else");
    Row { counts, histories: played.histories }
}

impl Row {
    /// So many clients were told that their node cannot reach the others.
    fn check_told(&self, clients: usize) {
        let told = self.histories.iter().filter(|history| history.unavailable).count();
        assert_eq!(told, clients, "told that Redis is away");
    }

    /// Nobody saw an order that did not survive, and no history is gone.
    fn check_undisturbed(&self) {
        assert_eq!((self.counts.rewinds, self.counts.resets), (0, 0));
    }
}
