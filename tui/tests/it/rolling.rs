//! A rolling restart, through real sockets: three nodes behind the front-end are taken down in order, one
//! after another, each replaced before the next, while clients talk. Nobody may notice.

use std::time::Duration;

use chat_tui::net::event::Transport;
use tokio::time::Instant;

use crate::cluster::{NODES, RateLimit, TestCluster};
use crate::talk::history::{Counts, disturbances};
use crate::talk::{Played, Script, play};

const CLIENTS: usize = 12;
/// A message every 8 ms.
const SCRIPT: Script = Script { clients: CLIENTS, messages: 60, lasts: Duration::from_secs(6), others: &[] };
/// Said between two restarts.
const BETWEEN: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_is_noticed_by_nobody() {
    let mut cluster = TestCluster::start(RateLimit::Off);
    let via = |index: usize| if index.is_multiple_of(3) { Transport::Ws } else { Transport::Tcp };
    let endpoints: Vec<_> = (0..CLIENTS).map(|index| cluster.endpoint(via(index))).collect();
    let Played { histories, fault: restarts, head, mut complaints } =
        play(SCRIPT, &endpoints, async |stage| {
            let mut restarts = Vec::new();
            for index in 0..NODES {
                stage.acked_more(BETWEEN).await;
                let begun = Instant::now();
                cluster.restart(index).await;
                restarts.push(begun.elapsed());
            }
            restarts
        })
        .await;
    complaints.extend(disturbances(&histories));
    let Counts { lost, duplicated, reordered, longest_silence, .. } = Counts::of(&histories, &SCRIPT.said());
    let moves: Vec<_> = histories.iter().flat_map(|history| &history.moves).map(|(_, took)| *took).collect();
    println!(
        "rolling restart: {CLIENTS} clients, {} said, {} moves (longest {} ms), nodes down within {:?} ms, lost {lost}, \
         duplicated {duplicated}, reordered {reordered}, longest silence {} ms",
        SCRIPT.said().len(),
        moves.len(),
        moves.iter().max().unwrap().as_millis(),
        restarts.iter().map(Duration::as_millis).collect::<Vec<_>>(),
        longest_silence.as_millis(),
    );
    assert_eq!(complaints, Vec::<String>::new());
    assert_eq!((lost, duplicated, reordered), (0, 0, 0));
    assert_eq!(head.0, SCRIPT.said().len() as u64, "the log holds what was said and nothing else");
    for history in &histories {
        assert_eq!((history.offline, history.status.failovers), (0, 0), "{}", history.name);
        assert!(history.left.is_empty(), "{} saw {:?} leave", history.name, history.left);
    }
    assert!(moves.len() >= CLIENTS, "each node had a third of them");
}
