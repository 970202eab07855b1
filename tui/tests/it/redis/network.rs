//! The way between a node and Redis breaks: all of it, the subscription alone, one channel of it.

use std::time::Duration;

use chat_testbed::{Direction, Proxy, RedisOptions, RedisServer, Reply};
use tokio::time::Instant;

use super::{CLIENTS, IN_FULL_SWING, LONGER, SCRIPT, check_row, cluster::RedisCluster};
use crate::fake::within;
use crate::talk::ROOM;

/// How long a partition lasts: longer than a node's lease.
const PARTITION: Duration = Duration::from_secs(4);
/// By then a subscription that has died silently has to be found, a busy machine's time included.
const FOUND_MAX: Duration = Duration::from_millis(2_500);
/// By then what a single dead channel did not bring has to be there, likewise.
const CHANNEL_FOUND_MAX: Duration = Duration::from_millis(6_500);

async fn start() -> (RedisServer, RedisCluster) {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let cluster = RedisCluster::start(&redis).await;
    (redis, cluster)
}

/// One of two nodes is parted from Redis for longer than its lease.
async fn check_parted(name: &'static str, part: impl Fn(&Proxy)) {
    let (redis, cluster) = start().await;
    let row = check_row(name, LONGER, &cluster, async |stage| {
        stage.acked(IN_FULL_SWING).await;
        part(&cluster.proxies()[0]);
        redis.wait_for_clock(PARTITION).await.unwrap();
        cluster.proxies()[0].heal();
    })
    .await;
    row.check_undisturbed();
    row.check_told(CLIENTS / 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_hears_nothing_from_redis_for_longer_than_its_lease() {
    check_parted("node and Redis parted, silently", Proxy::stall).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nodes_connections_to_redis_are_reset_for_longer_than_its_lease() {
    check_parted("node and Redis parted, connections reset", Proxy::cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_dies_silently() {
    let (_redis, cluster) = start().await;
    let row = check_row("subscription silently dead", SCRIPT, &cluster, async |stage| {
        stage.acked(IN_FULL_SWING).await;
        let feed = cluster.proxies()[0].connection_that_said("SUBSCRIBE").await.unwrap();
        let died = Instant::now();
        feed.drop_direction(Direction::FromTarget);
        within("the end of the dead subscription", feed.ended()).await;
        let found = died.elapsed();
        println!("subscription silently dead: given up after {} ms", found.as_millis());
        assert!(found <= FOUND_MAX, "{found:?}");
    })
    .await;
    row.check_undisturbed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_channel_dies_silently() {
    let (redis, cluster) = start().await;
    let row = check_row("single channel silently dead", SCRIPT, &cluster, async |stage| {
        stage.acked(IN_FULL_SWING).await;
        let Reply::Array(channels) = redis.command(&["PUBSUB", "CHANNELS", "*"]).await.unwrap() else {
            panic!("no list of channels");
        };
        let mut channels = channels.iter().filter_map(Reply::text);
        let channel = channels.find(|name| name.contains(ROOM)).expect("the room's channel");
        let feed = cluster.proxies()[0].connection_that_said("SUBSCRIBE").await.unwrap();
        let command = format!("*2\r\n$11\r\nUNSUBSCRIBE\r\n${}\r\n{channel}\r\n", channel.len());
        feed.slip_in(command.as_bytes());
    })
    .await;
    row.check_undisturbed();
    assert!(row.counts.longest_silence <= CHANNEL_FOUND_MAX, "{:?}", row.counts);
}
