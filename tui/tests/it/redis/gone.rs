//! Redis is emptied and no node is left that knew what was there: history is gone, and everybody is told which.

use chat_protocol::Seq;
use chat_testbed::{RedisOptions, RedisServer, Reply};
use chat_tui::net::event::Transport;

use super::{CLIENTS, IN_FULL_SWING, SCRIPT, cluster::RedisCluster};
use crate::talk::history::{Counts, Gone};
use crate::talk::play;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_all_nodes_and_redis_gone_the_exact_range_is_told() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let mut cluster = RedisCluster::start(&redis).await;
    let endpoints = vec![cluster.endpoint(Transport::Tcp); CLIENTS];
    let played = play(SCRIPT, &endpoints, async |stage| {
        stage.acked(IN_FULL_SWING).await;
        stage.hush().await;
        stage.all_shown(CLIENTS).await;
        let last = Seq(stage.acks() as u64);
        cluster.kill_all();
        assert_eq!(redis.command(&["FLUSHALL"]).await.unwrap(), Reply::Simple("OK".into()));
        cluster.revive(&redis).await;
        stage.go_on();
        last
    })
    .await;
    let said = SCRIPT.said();
    let counts = Counts::of(&played.histories, &said);
    let gone = Gone { from: played.fault.next(), to: None, reason: "epoch".into() };
    println!(
        "all nodes and Redis gone: {CLIENTS} clients, {} said, lost {}, duplicated {}, reordered {}, rewinds {}, \
         resets {}, longest silence {} ms, told that {} and what followed is gone",
        said.len(),
        counts.lost,
        counts.duplicated,
        counts.reordered,
        counts.rewinds,
        counts.resets,
        counts.longest_silence.as_millis(),
        gone.from.0,
    );
    for history in &played.histories {
        assert_eq!(history.resets, std::slice::from_ref(&gone), "{}", history.name);
    }
    assert_eq!((counts.lost, counts.duplicated, counts.reordered, counts.rewinds), (0, 0, 0, 0));
}
