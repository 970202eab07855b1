//! Redis dies and comes back, with what it had or without; Redis is emptied.

use std::time::Duration;

use chat_testbed::{RedisOptions, RedisServer, Reply};
use chat_tui::net::event::OutId;

use super::{CLIENTS, IN_FULL_SWING, SCRIPT, check_row, cluster::RedisCluster, outage};
use crate::talk::{Client, Script};

/// How long Redis is away.
const AWAY: Duration = Duration::from_secs(2);

async fn flush(redis: &RedisServer) {
    assert_eq!(redis.command(&["FLUSHALL"]).await.unwrap(), Reply::Simple("OK".into()));
}

async fn check_restart(name: &str, options: RedisOptions) {
    let mut redis = RedisServer::start(options).await.unwrap();
    let cluster = RedisCluster::start(&redis).await;
    let row = check_row(name, SCRIPT, &cluster, async |stage| {
        stage.acked(IN_FULL_SWING).await;
        redis.kill();
        outage(AWAY).await;
        redis.restart().await.unwrap();
        stage.acked_more(1).await;
    })
    .await;
    row.check_undisturbed();
    row.check_told(CLIENTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_restarts_with_its_data() {
    check_restart("redis restart, data kept", RedisOptions::default().append_only()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_restarts_without_its_data() {
    check_restart("redis restart, data gone", RedisOptions::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_emptied_in_the_middle_of_the_talk() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let cluster = RedisCluster::start(&redis).await;
    let row = check_row("FLUSHALL", SCRIPT, &cluster, async |stage| {
        stage.acked(IN_FULL_SWING).await;
        flush(&redis).await;
        stage.acked_more(IN_FULL_SWING).await;
        // Once more, while what the first took may still be on its way back.
        flush(&redis).await;
        flush(&redis).await;
    })
    .await;
    row.check_undisturbed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_word_after_a_flush_comes_through_a_node_that_knows_nothing() {
    const OTHERS: &[&str] =
        &["through a node that has just been entered", "through a node that has just come"];
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let mut cluster = RedisCluster::start(&redis).await;
    let entered = cluster.add(&redis).await;
    let started = cluster.add(&redis).await;
    let script = Script { others: OTHERS, ..SCRIPT };
    let row =
        check_row("FLUSHALL, first word through a node without a ring", script, &cluster, async |stage| {
            stage.acked(IN_FULL_SWING).await;
            stage.hush().await;
            // It knows the place at which it came in, and no entry.
            let mut early = Client::start(CLIENTS + 1, entered);
            early.entered().await;
            flush(&redis).await;
            early.say(OutId(1), OTHERS[0]).await;
            stage.go_on();
            stage.acked_more(IN_FULL_SWING).await;
            stage.hush().await;
            flush(&redis).await;
            // It has never heard of the room.
            let mut late = Client::start(CLIENTS + 2, started);
            late.entered().await;
            late.say(OutId(1), OTHERS[1]).await;
            stage.go_on();
            early.stop().await;
            late.stop().await;
        })
        .await;
    row.check_undisturbed();
}
