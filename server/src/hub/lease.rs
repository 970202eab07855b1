//! Owns this node's lease: renews it, tells whether the backbone is in reach, and says who is gone when
//! another node's lease runs out. Knows no room from within.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chat_protocol::NodeId;
use tokio::time::{Instant, interval};
use tracing::{info, warn};

use super::{Command, Hub};
use crate::backbone::{BackboneError, call};

/// How often the lease is renewed and the other nodes are looked at.
const LEASE_EVERY: Duration = Duration::from_secs(1);
/// A node judges nobody dead until it has itself had the backbone for this long: a pause of the backbone
/// lets all leases run out at once.
const JUDGE_AFTER: Duration = Duration::from_secs(4);
/// The node is not ready after the backbone was out of reach for this long.
const UNREADY_AFTER: Duration = Duration::from_secs(5);

impl Hub {
    /// Takes the node's lease before clients come: what is said of users without one is forgotten.
    pub(crate) async fn announce(&self) {
        if let Err(error) = call(self.backbone.renew(self.info())).await {
            warn!(%error, "backbone out of reach, starting without a lease");
        }
    }

    pub(super) async fn run_lease(&self) {
        let mut tick = interval(LEASE_EVERY);
        let (mut seen, mut reachable_since) = (HashSet::new(), Some(Instant::now()));
        let mut unreachable_since = None;
        loop {
            tick.tick().await;
            match self.renew().await {
                Ok(nodes) => {
                    unreachable_since = None;
                    self.ready.send_replace(true);
                    let since = *reachable_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= JUDGE_AFTER {
                        self.judge(&seen, &nodes);
                        seen = nodes;
                    } else {
                        seen.extend(nodes);
                    }
                }
                Err(error) => {
                    reachable_since = None;
                    let since = *unreachable_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= UNREADY_AFTER && self.ready.send_replace(false) {
                        warn!(%error, "backbone out of reach, not ready");
                    }
                }
            }
        }
    }

    async fn renew(&self) -> Result<HashSet<NodeId>, BackboneError> {
        if !call(self.backbone.renew(self.info())).await? {
            self.each_room(|| Command::Register);
            self.claim_names().await?;
        }
        let nodes = call(self.backbone.nodes()).await?;
        let others = nodes.into_iter().map(|info| info.node).filter(|node| node != self.node());
        let others: HashSet<NodeId> = others.collect();
        self.others.store(others.len(), Ordering::Relaxed);
        Ok(others)
    }

    /// Who was there and is not any more is gone: its users leave, held.
    fn judge(&self, before: &HashSet<NodeId>, now: &HashSet<NodeId>) {
        for gone in before.difference(now) {
            info!(node = %gone, "node gone");
            self.each_room(|| Command::NodeGone(gone.clone()));
        }
    }

    async fn claim_names(&self) -> Result<(), BackboneError> {
        let names: Vec<_> =
            self.users.lock().iter().map(|(user, online)| (user.clone(), online.name.key())).collect();
        for (user, key) in names {
            call(self.backbone.claim_name(&key, &user)).await?;
        }
        Ok(())
    }
}
