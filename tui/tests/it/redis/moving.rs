//! A node is cut off from Redis for so long that its clients go elsewhere; or all are, and nobody goes.

use std::time::Duration;

use chat_testbed::{Proxy, RedisOptions, RedisServer};
use tokio::time::Instant;

use super::{CLIENTS, IN_FULL_SWING, SCRIPT, check_row, cluster::RedisCluster};
use crate::talk::Script;

/// A server that says it is cut off is left after this time at the earliest.
const LEFT_AFTER: Duration = Duration::from_secs(5);
/// And at the latest: the first try falls within 5 s more, a second one 12.5 s after it.
const LEFT_WITHIN: Duration = Duration::from_secs(16);
/// All nodes are cut off for so long: longer than every client's first try.
const ALL_CUT_OFF: Duration = Duration::from_secs(13);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_is_left_for_one_that_is_not() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let cluster = RedisCluster::start(&redis).await;
    let mut healed = None;
    let row = check_row("node cut off and left", SCRIPT, &cluster, async |stage| {
        stage.acked(IN_FULL_SWING).await;
        cluster.proxies()[0].stall();
        cluster.lead_past(0).await;
        // What its clients have said is acknowledged once they are elsewhere: it still reaches nobody.
        stage.hush().await;
        healed = Some(Instant::now());
        cluster.proxies()[0].heal();
        stage.go_on();
    })
    .await;
    row.check_undisturbed();
    row.check_told(CLIENTS / 2);
    let movers: Vec<_> = row.histories.iter().filter(|history| history.cut_off.is_some()).collect();
    let times: Vec<Duration> = (movers.iter())
        .map(|history| {
            let [(moved, _)] = history.moves[..] else { panic!("one move: {:?}", history.moves) };
            assert!(Some(moved) <= healed, "{} moved when it need not", history.name);
            moved - history.cut_off.unwrap()
        })
        .collect();
    println!(
        "node cut off and left: after {:?} ms",
        times.iter().map(Duration::as_millis).collect::<Vec<_>>()
    );
    assert!(times.iter().all(|time| *time >= LEFT_AFTER && *time <= LEFT_WITHIN), "{times:?}");
    assert_eq!(row.histories.iter().map(|history| history.moves.len()).sum::<usize>(), movers.len());
    assert!(row.histories.iter().all(|history| history.offline == 0), "nobody was ever without a server");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_nodes_are_cut_off_nobody_goes() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let cluster = RedisCluster::start(&redis).await;
    let script = Script { messages: 60, ..SCRIPT };
    let row = check_row("all nodes cut off", script, &cluster, async |stage| {
        stage.acked(IN_FULL_SWING).await;
        cluster.proxies().iter().for_each(Proxy::stall);
        redis.wait_for_clock(ALL_CUT_OFF).await.unwrap();
        cluster.proxies().iter().for_each(Proxy::heal);
    })
    .await;
    row.check_undisturbed();
    row.check_told(CLIENTS);
    for history in &row.histories {
        assert_eq!((history.moves.len(), history.offline), (0, 0), "{} stayed where it was", history.name);
    }
}
