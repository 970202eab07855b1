//! A replica is promoted that has not got everything that was acknowledged.

use chat_testbed::{Proxy, RedisOptions, RedisServer};
use chat_tui::net::event::OutId;

use super::{CLIENTS, IN_FULL_SWING, SCRIPT, check_row, cluster::RedisCluster};
use crate::talk::{Client, Script, Stage};

/// A primary, and a replica that can be kept from hearing of it.
struct Pair {
    primary: RedisServer,
    replica: RedisServer,
    replication: Proxy,
}

impl Pair {
    async fn start() -> Self {
        let primary = RedisServer::start(RedisOptions::default()).await.unwrap();
        let replication = Proxy::start(primary.addr()).await.unwrap();
        let options = RedisOptions::default().replica_through(&primary, replication.addr());
        let replica = RedisServer::start(options).await.unwrap();
        Self { primary, replica, replication }
    }

    /// The replica takes over, without what was acknowledged last.
    async fn fail_over(&mut self, stage: &Stage, cluster: &RedisCluster) {
        self.replication.stall();
        stage.acked_more(IN_FULL_SWING / 2).await;
        let (there, here) = (written(&self.primary).await, written(&self.replica).await);
        assert!(here < there, "the replica lacks nothing: the run proves nothing");
        self.primary.kill();
        self.replica.promote().await.unwrap();
        cluster.proxies().iter().for_each(|proxy| proxy.set_target(self.replica.addr()));
    }
}

/// How many bytes of the primary's writes a server has.
async fn written(redis: &RedisServer) -> u64 {
    let info = redis.command(&["INFO", "replication"]).await.unwrap().text().unwrap();
    let offset = info.lines().find_map(|line| line.strip_prefix("master_repl_offset:"));
    offset.unwrap().trim().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_is_promoted_that_lacks_acknowledged_messages() {
    let mut pair = Pair::start().await;
    let cluster = RedisCluster::start(&pair.primary).await;
    let row = check_row("replica promoted, acked writes missing", SCRIPT, &cluster, async |stage| {
        stage.acked(IN_FULL_SWING).await;
        pair.fail_over(stage, &cluster).await;
        stage.acked_more(1).await;
    })
    .await;
    row.check_undisturbed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_writes_to_a_promoted_replica_before_it_gets_back_what_it_lacks() {
    const OTHERS: &[&str] = &["where other messages stood"];
    let mut pair = Pair::start().await;
    let mut cluster = RedisCluster::start(&pair.primary).await;
    let knows_nothing = cluster.add(&pair.primary).await;
    let script = Script { others: OTHERS, ..SCRIPT };
    let name = "replica promoted, acked writes missing, others write first";
    let row = check_row(name, script, &cluster, async |stage| {
        stage.acked(IN_FULL_SWING).await;
        pair.fail_over(stage, &cluster).await;
        let who_know = &cluster.proxies()[..2];
        who_know.iter().for_each(Proxy::cut);
        let mut stranger = Client::start(CLIENTS + 1, knows_nothing);
        stranger.entered().await;
        stranger.say(OutId(1), OTHERS[0]).await;
        who_know.iter().for_each(Proxy::heal);
        stage.acked_more(1).await;
        stranger.stop().await;
    })
    .await;
    assert!(row.counts.rewinds >= 1, "nothing had to be taken back: the run proves nothing");
    assert_eq!(row.counts.resets, 0);
}
