//! Owns this node's lease: renews it, and says who is gone when another node's runs out. Knows no room from
//! within, and judges nobody while the backbone may have been asleep.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chat_protocol::NodeId;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tracing::{debug, info, warn};

use super::{Command, Hub};
use crate::backbone::{BackboneError, call};
use crate::room::Moment;

/// How often the lease is renewed and the other nodes are looked at; a short lease more often.
const LEASE_EVERY: Duration = Duration::from_secs(1);
/// Longest the loop waits for the backbone: a lease is lost after three seconds, so that a call that hangs
/// must leave time for another.
const LEASE_CALL_MAX: Duration = Duration::from_secs(2);
/// An answer that took longer came out of a pause of the backbone: other nodes may not have renewed yet.
const SLOW_ANSWER: Duration = Duration::from_millis(500);
/// A node judges nobody dead until it has itself had the backbone for this long: a pause of the backbone
/// lets all leases run out at once.
const JUDGE_AFTER: Duration = Duration::from_secs(4);
/// Between two tries to claim the names of the users here, after the lease was lost.
const CLAIM_RETRY: Duration = Duration::from_secs(1);

/// The other nodes, as this one has seen them.
#[derive(Debug, Default)]
struct Others {
    /// With the seconds they had been up for.
    seen: HashMap<NodeId, u64>,
    /// Since when the backbone has answered at once, and every time.
    since: Option<Moment>,
}

impl Others {
    /// These live, by an answer at `now` to a question of `asked`; gives those that are gone. One that was up for
    /// longer before is gone too: it has come back before its lease ran out.
    fn saw(&mut self, asked: Moment, now: Moment, live: HashMap<NodeId, u64>) -> Vec<NodeId> {
        if now.saturating_sub(asked) > SLOW_ANSWER {
            self.since = None;
        }
        let since = *self.since.get_or_insert(now);
        let may_judge = now.saturating_sub(since) >= JUDGE_AFTER;
        let is_gone = |(node, up): &(&NodeId, &u64)| live.get(*node).map_or(may_judge, |now_up| now_up < *up);
        let gone = self.seen.iter().filter(is_gone).map(|(node, _)| node.clone()).collect();
        if may_judge {
            self.seen.clear();
        }
        self.seen.extend(live);
        gone
    }

    /// There was no answer.
    fn unknown(&mut self) {
        self.since = None;
    }
}

impl Hub {
    /// Takes the node's lease before clients come: what is said of users without one is forgotten.
    pub(crate) async fn announce(&self) {
        if let Err(error) = call(self.backbone.renew(self.info())).await {
            warn!(%error, "backbone out of reach, starting without a lease");
        }
    }

    pub(super) async fn run_lease(&self) {
        let mut tick = interval(LEASE_EVERY.min(self.config.timing.lease / 3));
        // After a call that hung the loop goes on at its own pace: there is nothing to catch up with.
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut others = Others::default();
        loop {
            tick.tick().await;
            let asked = self.now();
            self.reach.lock().asked(asked);
            match self.renew().await {
                Ok(live) => {
                    self.reach.lock().answered();
                    for gone in others.saw(asked, self.now(), live) {
                        info!(node = %gone, "node gone");
                        self.each_room(|| Command::NodeGone(gone.clone()));
                    }
                }
                Err(error) => {
                    debug!(%error, "lease not renewed");
                    self.backbone_failed();
                    self.reach.lock().failed(error);
                    others.unknown();
                }
            }
        }
    }

    /// Renews the lease and looks at the others, in bounded time; the other live nodes and how long each is up.
    async fn renew(&self) -> Result<HashMap<NodeId, u64>, BackboneError> {
        let nodes = async {
            if !self.backbone.renew(self.info()).await? {
                self.each_room(|| Command::Register);
                self.lost.notify_one();
            }
            self.backbone.nodes().await
        };
        let Ok(nodes) = timeout(LEASE_CALL_MAX, nodes).await else {
            let seconds = LEASE_CALL_MAX.as_secs();
            return Err(BackboneError::Unavailable(format!("no answer in {seconds} s")));
        };
        let others = nodes?.into_iter().filter(|info| info.node != *self.node());
        let others: HashMap<NodeId, u64> = others.map(|info| (info.node, info.uptime_s)).collect();
        self.others.store(others.len(), Ordering::Relaxed);
        Ok(others)
    }

    /// Claims the names of the users here anew whenever the lease was lost. Apart from the renewals, which
    /// must not wait for as many calls as there are users.
    pub(super) async fn run_claims(&self) {
        loop {
            self.lost.notified().await;
            // What took the lease may have taken the key of the sessions too.
            self.directory.refresh().await;
            while let Err(error) = self.claim_names().await {
                debug!(%error, "names not claimed yet");
                sleep(CLAIM_RETRY).await;
            }
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

#[cfg(test)]
mod tests;
