//! Redis is there, and does not do what it is asked: it is full, or it is slow.

use std::time::Duration;

use chat_testbed::{RedisOptions, RedisServer, Reply};
use chat_tui::net::event::Transport;

use super::{CLIENTS, IN_FULL_SWING, LONGER, Row, check_row, cluster::RedisCluster};
use crate::talk::Client;

/// How long Redis is full: longer than a lease, the time until the others judge, and the time for which they
/// hold the leaves of a dead node's users.
const FULL: Duration = Duration::from_secs(9);

async fn set_max_memory(redis: &RedisServer, bytes: &str) {
    let reply = redis.command(&["CONFIG", "SET", "maxmemory", bytes]).await.unwrap();
    assert_eq!(reply, Reply::Simple("OK".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_full_for_longer_than_every_lease() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let cluster = RedisCluster::start(&redis).await;
    let row = check_row("out of memory, noeviction", LONGER, &cluster, async |stage| {
        stage.acked(IN_FULL_SWING).await;
        set_max_memory(&redis, "1").await;
        redis.wait_for_clock(FULL).await.unwrap();
        set_max_memory(&redis, "0").await;
        check_all_listed(&cluster).await;
    })
    .await;
    row.check_undisturbed();
    row.check_told(CLIENTS);
    check_nobody_left(&row);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_slow_for_longer_than_every_lease() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let cluster = RedisCluster::start(&redis).await;
    let row = check_row("CLIENT PAUSE 5000 ALL", LONGER, &cluster, async |stage| {
        stage.acked(IN_FULL_SWING).await;
        let paused = redis.command(&["CLIENT", "PAUSE", "5000", "ALL"]).await.unwrap();
        assert_eq!(paused, Reply::Simple("OK".into()));
        // Answered when the pause is over.
        redis.command(&["PING"]).await.unwrap();
        check_all_listed(&cluster).await;
    })
    .await;
    row.check_undisturbed();
    row.check_told(CLIENTS);
    check_nobody_left(&row);
}

/// Who comes in now sees everybody.
async fn check_all_listed(cluster: &RedisCluster) {
    let mut onlooker = Client::start(CLIENTS + 1, cluster.endpoint(Transport::Tcp));
    assert_eq!(onlooker.entered().await.present, CLIENTS + 1, "all are listed");
    onlooker.stop().await;
}

/// Nobody but the onlooker was seen to leave.
fn check_nobody_left(row: &Row) {
    let onlooker = format!("client-{}", CLIENTS + 1);
    let left = row.histories.iter().flat_map(|history| &history.left).filter(|name| **name != onlooker);
    assert_eq!(left.collect::<Vec<_>>(), Vec::<&String>::new(), "nobody is taken for dead");
}
