//! The same on nodes that meet in a real Redis.

use chat_testbed::{RedisOptions, RedisServer};
use chat_tui::net::event::Transport;

use super::cluster::RedisCluster;

#[tokio::test]
async fn changes_outlive_a_node() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let cluster = RedisCluster::start(&redis).await;
    crate::changes::check(cluster.endpoint(Transport::Ws), |node| cluster.kill(node)).await;
}
