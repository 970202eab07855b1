//! Owns what is done to a cluster: each fault with how it is mended, and the order in which a scenario plays them.
//! Everything it does stands in the record. Knows nothing of what clients see of it.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use chat_testbed::{Direction, Proxy};
use tokio::time::{Instant, interval, sleep, timeout};

use crate::cluster::Cluster;
use crate::fleet::{Deed, Fleet};
use crate::record::Recorder;
use crate::scenario::Scenario;

/// Clients talk so long before anything is broken.
const WARM_UP: Duration = Duration::from_secs(3);
/// Between two nodes that are killed under a conversation.
const KILLED_EVERY: Duration = Duration::from_secs(2);
/// How long such a node is away, and then comes up again.
const DEAD: Duration = Duration::from_millis(500);
/// How long clients may take to find another node.
const RETURN_MAX: Duration = Duration::from_secs(60);
/// How long a node may take to have a feed.
const FEED_MAX: Duration = Duration::from_secs(10);
/// Redis answers nobody for so long.
const REDIS_PAUSE: Duration = Duration::from_secs(5);
/// Acknowledged messages that a promoted replica lacks were said in this time.
const LAG: Duration = Duration::from_millis(300);

/// One thing that is broken; nodes by number. Who is deaf has one direction of a connection swallow what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Kill(usize),
    Terminate(usize),
    Hang(usize),
    HostGone(usize),
    Parted(usize),
    Reset(usize),
    Slow(usize),
    Deaf(usize, Direction),
    ClientsSlow(usize),
    ClientsReset(usize),
    ClientsDeaf(usize, Direction),
    RedisRestart,
    Flush,
    RedisFull,
    RedisPause,
    Promote,
    AllGone,
    Nothing,
}

impl Fault {
    /// The node it strikes.
    fn node(self) -> Option<usize> {
        match self {
            Self::Kill(node)
            | Self::Terminate(node)
            | Self::Hang(node)
            | Self::HostGone(node)
            | Self::Parted(node)
            | Self::Reset(node)
            | Self::Slow(node)
            | Self::Deaf(node, _)
            | Self::ClientsSlow(node)
            | Self::ClientsReset(node)
            | Self::ClientsDeaf(node, _) => Some(node),
            _ => None,
        }
    }
}

/// What a scenario is played on.
pub struct Nemesis {
    cluster: Cluster,
    record: Arc<Recorder>,
    rng: fastrand::Rng,
    until: Instant,
}

impl Nemesis {
    /// Plays on a cluster for so long; the order of what is broken comes from the seed.
    pub fn new(cluster: Cluster, record: Arc<Recorder>, seed: u64, lasts: Duration) -> Self {
        Self { cluster, record, rng: fastrand::Rng::with_seed(seed), until: Instant::now() + WARM_UP + lasts }
    }

    /// Plays a scenario while the fleet talks; whatever was broken is well again when it returns.
    ///
    /// # Errors
    /// When the cluster does not do what it has to: a node that does not end, or does not come up again.
    pub async fn play(&mut self, scenario: Scenario, fleet: &Fleet) -> anyhow::Result<()> {
        sleep(WARM_UP).await;
        match scenario {
            Scenario::Kill => self.again(Fault::Kill, 1_000, 3_000).await,
            Scenario::Hang => self.again(Fault::Hang, 12_000, 3_000).await,
            Scenario::HostGone => self.again(Fault::HostGone, 14_000, 3_000).await,
            Scenario::Parted => self.again(Fault::Parted, 25_000, 5_000).await,
            Scenario::Reset => self.again(Fault::Reset, 25_000, 5_000).await,
            Scenario::DeafFeed => {
                self.again(|node| Fault::Deaf(node, Direction::FromTarget), 4_000, 1_000).await
            }
            Scenario::RedisRestart | Scenario::RedisEmpty => {
                self.again(|_| Fault::RedisRestart, 500, 6_000).await
            }
            Scenario::Flush => self.again(|_| Fault::Flush, 0, 4_000).await,
            Scenario::RedisFull => self.again(|_| Fault::RedisFull, 4_000, 4_000).await,
            Scenario::RedisPause => self.again(|_| Fault::RedisPause, 0, 5_000).await,
            Scenario::Promote => self.again(|_| Fault::Promote, 0, 6_000).await,
            Scenario::AllGone => self.again(|_| Fault::AllGone, 500, 8_000).await,
            Scenario::Rolling => self.rolling().await,
            Scenario::SlowReader => {
                self.strike(Fault::Nothing).await?;
                tokio::time::sleep_until(self.until).await;
                Ok(())
            }
            Scenario::Storm => self.storm(fleet).await,
            Scenario::Chaos => self.chaos(fleet).await,
            Scenario::Conversation => self.kills().await,
        }
    }

    /// What a metric of the nodes comes to, all that answer together.
    pub async fn metric(&mut self, name: &str) -> u64 {
        let mut sum = 0;
        for node in self.cluster.nodes() {
            sum += node.metric(name).await.unwrap_or_default();
        }
        sum
    }

    /// The same fault again and again, on nodes in turns, each for `hold`, with `rest` between two, in milliseconds.
    async fn again(&mut self, fault: impl Fn(usize) -> Fault, hold: u64, rest: u64) -> anyhow::Result<()> {
        let nodes = self.cluster.nodes().len();
        let mut node = self.rng.usize(0..nodes);
        // One at least, however short the time is.
        loop {
            let fault = fault(node);
            self.strike(fault).await?;
            sleep(Duration::from_millis(hold)).await;
            self.mend(fault).await?;
            sleep(Duration::from_millis(rest)).await;
            if Instant::now() >= self.until {
                return Ok(());
            }
            node = (node + 1 + self.rng.usize(0..nodes - 1)) % nodes;
        }
    }

    /// A node is killed every two seconds, to the clock, and comes back soon.
    async fn kills(&mut self) -> anyhow::Result<()> {
        let nodes = self.cluster.nodes().len();
        let (mut node, mut pace) = (self.rng.usize(0..nodes), interval(KILLED_EVERY));
        while Instant::now() < self.until {
            pace.tick().await;
            self.strike(Fault::Kill(node)).await?;
            sleep(DEAD).await;
            self.mend(Fault::Kill(node)).await?;
            node = (node + 1 + self.rng.usize(0..nodes - 1)) % nodes;
        }
        Ok(())
    }

    async fn rolling(&mut self) -> anyhow::Result<()> {
        while Instant::now() < self.until {
            for node in 0..self.cluster.nodes().len() {
                self.strike(Fault::Terminate(node)).await?;
                self.mend(Fault::Terminate(node)).await?;
                sleep(Duration::from_secs(2)).await;
            }
        }
        Ok(())
    }

    /// One node of many clients dies and stays dead.
    async fn storm(&mut self, fleet: &Fleet) -> anyhow::Result<()> {
        self.strike(Fault::Kill(0)).await?;
        // Clients see the loss in this time; all are back before it too.
        sleep(Duration::from_secs(1)).await;
        fleet.all_back(RETURN_MAX).await?;
        sleep(Duration::from_secs(2)).await;
        self.mend(Fault::Kill(0)).await
    }

    async fn chaos(&mut self, fleet: &Fleet) -> anyhow::Result<()> {
        while Instant::now() < self.until {
            let (one, other) = (self.any_fault(), self.any_fault());
            self.strike(one).await?;
            self.hold(0..=1_500).await;
            self.trouble_clients(fleet).await;
            // Not two at one node, nor two of those that all nodes share; when all is gone there is nothing more to break.
            let both = one.node() != other.node() && ![one, other].contains(&Fault::AllGone);
            if both {
                self.strike(other).await?;
            }
            self.hold(300..=6_000).await;
            // What the nodes meet in first: a node does not come up without it.
            let (first, last) = if other.node().is_none() && both { (other, one) } else { (one, other) };
            self.mend(first).await?;
            if both {
                self.hold(0..=1_000).await;
                self.mend(last).await?;
            }
            self.trouble_clients(fleet).await;
            self.hold(200..=3_000).await;
        }
        fleet.all_back(RETURN_MAX).await
    }

    fn any_fault(&mut self) -> Fault {
        let node = self.rng.usize(0..self.cluster.nodes().len());
        match self.rng.u32(0..20) {
            0..=2 => Fault::Kill(node),
            3 => Fault::Terminate(node),
            4 => Fault::Hang(node),
            5 => Fault::HostGone(node),
            6 => Fault::Parted(node),
            7 => Fault::Reset(node),
            8 => Fault::Slow(node),
            9 => Fault::Deaf(node, self.any_direction()),
            10 => Fault::RedisRestart,
            11 => Fault::Flush,
            12 => Fault::RedisFull,
            13 => Fault::RedisPause,
            14 => Fault::ClientsSlow(node),
            15 => Fault::ClientsReset(node),
            16 => Fault::ClientsDeaf(node, self.any_direction()),
            17 => Fault::AllGone,
            _ => Fault::Promote,
        }
    }

    fn any_direction(&mut self) -> Direction {
        if self.rng.bool() { Direction::ToTarget } else { Direction::FromTarget }
    }

    async fn hold(&mut self, ms: RangeInclusive<u64>) {
        sleep(Duration::from_millis(self.rng.u64(ms))).await;
    }

    /// One client in fifty reads nothing for a while, one in fifty starts anew.
    async fn trouble_clients(&mut self, fleet: &Fleet) {
        for _ in 0..fleet.len().div_ceil(50) {
            // The first in each room are left alone: what they see is the whole run.
            let spared = fleet.len() / 5;
            let pause = Duration::from_millis(self.rng.u64(500..4_000));
            fleet.order(self.rng.usize(spared..fleet.len()), Deed::Pause(pause)).await;
            let pause = Duration::from_millis(self.rng.u64(0..3_000));
            fleet.order(self.rng.usize(spared..fleet.len()), Deed::Restart(pause)).await;
        }
    }

    async fn strike(&mut self, fault: Fault) -> anyhow::Result<()> {
        let nodes = self.cluster.nodes();
        let node = fault.node().map(|node| nodes[node].name().to_owned());
        self.record.fault(format!("{fault:?}"), node);
        match fault {
            Fault::Kill(node) => nodes[node].kill().await?,
            Fault::Terminate(node) => {
                let (status, took) = nodes[node].terminate().await?;
                ensure!(status.success(), "{} ended with {status}", nodes[node].name());
                self.record.mended(format!("{fault:?}: gone after {} ms", took.as_millis()));
            }
            Fault::Hang(node) => nodes[node].pause()?,
            Fault::HostGone(node) => nodes[node].from_front().for_each(Proxy::stall),
            Fault::Parted(node) => nodes[node].to_store().stall(),
            Fault::Reset(node) => nodes[node].to_store().cut(),
            Fault::Slow(node) => {
                let delay = Duration::from_millis(self.rng.u64(5..150));
                self.cluster.nodes()[node].to_store().delay(delay);
            }
            Fault::Deaf(node, direction) => {
                let wire = nodes[node].to_store().connection_that_said("SUBSCRIBE");
                let wire =
                    timeout(FEED_MAX, wire).await.context("the node has no feed that could go deaf")?;
                wire?.drop_direction(direction);
            }
            Fault::ClientsSlow(node) => {
                let delay = Duration::from_millis(self.rng.u64(5..300));
                self.cluster.nodes()[node].from_front().for_each(|way| way.delay(delay));
            }
            Fault::ClientsReset(node) => nodes[node].from_front().for_each(Proxy::cut),
            Fault::ClientsDeaf(node, direction) => {
                nodes[node].from_front().for_each(|way| way.drop_direction(direction));
            }
            Fault::RedisRestart => self.cluster.store().kill(),
            Fault::Flush => drop(self.cluster.store().command(&["FLUSHALL"]).await?),
            Fault::RedisFull => self.max_memory("1").await?,
            Fault::RedisPause => {
                let pause = REDIS_PAUSE.as_millis().to_string();
                self.cluster.store().command(&["CLIENT", "PAUSE", &pause, "ALL"]).await?;
                sleep(REDIS_PAUSE).await;
            }
            Fault::Promote => {
                self.cluster.store().lag()?;
                sleep(LAG).await;
                self.cluster.store().fail_over().await?;
                self.cluster.follow_store();
            }
            Fault::AllGone => {
                for node in nodes {
                    node.kill().await?;
                }
                self.cluster.store().kill();
            }
            Fault::Nothing => {}
        }
        Ok(())
    }

    /// What Redis may use, in bytes; 0: everything.
    async fn max_memory(&mut self, bytes: &str) -> anyhow::Result<()> {
        self.cluster.store().command(&["CONFIG", "SET", "maxmemory", bytes]).await.map(drop)
    }

    async fn mend(&mut self, fault: Fault) -> anyhow::Result<()> {
        let nodes = self.cluster.nodes();
        match fault {
            Fault::Kill(node) | Fault::Terminate(node) => nodes[node].revive().await?,
            Fault::Hang(node) => nodes[node].resume()?,
            Fault::HostGone(node)
            | Fault::ClientsSlow(node)
            | Fault::ClientsReset(node)
            | Fault::ClientsDeaf(node, _) => nodes[node].from_front().for_each(Proxy::heal),
            Fault::Parted(node) | Fault::Reset(node) | Fault::Slow(node) => nodes[node].to_store().heal(),
            Fault::RedisRestart => self.cluster.store().restart().await?,
            Fault::RedisFull => self.max_memory("0").await?,
            Fault::Promote => self.cluster.store().add_replica().await?,
            Fault::AllGone => {
                self.cluster.store().restart().await?;
                for node in self.cluster.nodes() {
                    node.revive().await?;
                }
            }
            Fault::Deaf(..) | Fault::Flush | Fault::RedisPause | Fault::Nothing => {}
        }
        self.record.mended(format!("{fault:?}"));
        Ok(())
    }
}
