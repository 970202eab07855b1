//! Owns this node's lease: renews it, and says who is gone when another node's runs out. Knows no room from
//! within, and judges nobody while the backbone may have been asleep.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chat_protocol::{ClientId, NodeId, UserId};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tracing::{debug, info, warn};

use super::{Command, Hub};
use crate::backbone::{BackboneError, Known, call};
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
/// Between two tries to say who is here, after the lease was lost.
const REMIND_RETRY: Duration = Duration::from_secs(1);

/// The other nodes, as this one has seen them.
#[derive(Debug, Default)]
struct Others {
    /// With the seconds they had been up for.
    seen: HashMap<NodeId, u64>,
    /// Since when the backbone has answered at once, and every time.
    since: Option<Moment>,
}

/// What came of a renewal.
struct Renewed {
    /// The others, with the seconds they are up for.
    live: HashMap<NodeId, u64>,
    /// The lease was held until then.
    held: bool,
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
                Ok(Renewed { live, held }) => {
                    self.reach.lock().answered();
                    if !held {
                        // What took this lease may have taken others': they are renewed in a moment.
                        others.unknown();
                    }
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
    async fn renew(&self) -> Result<Renewed, BackboneError> {
        let nodes = async {
            let held = self.backbone.renew(self.info()).await?;
            if !held {
                self.each_room(|| Command::Register);
                self.lease_lost.store(true, Ordering::Relaxed);
                self.lost.notify_one();
            }
            Ok::<_, BackboneError>((held, self.backbone.nodes().await?))
        };
        let Ok(nodes) = timeout(LEASE_CALL_MAX, nodes).await else {
            let seconds = LEASE_CALL_MAX.as_secs();
            return Err(BackboneError::Unavailable(format!("no answer in {seconds} s")));
        };
        let (held, nodes) = nodes?;
        let live = nodes.into_iter().filter(|info| info.node != *self.node());
        let live: HashMap<NodeId, u64> = live.map(|info| (info.node, info.uptime_s)).collect();
        self.others.store(live.len(), Ordering::Relaxed);
        Ok(Renewed { live, held })
    }

    /// Says anew who and what is here whenever the lease was lost: what took it may have taken that too. Apart from
    /// the renewals, which must not wait for it.
    pub(super) async fn run_reminders(self: &Arc<Self>) {
        let remind = async {
            loop {
                self.lost.notified().await;
                while let Err(error) = call(self.backbone.remind(self.known())).await {
                    debug!(%error, "not said yet who is here");
                    sleep(REMIND_RETRY).await;
                }
                self.directory.refresh().await;
                if self.lease_lost.swap(false, Ordering::Relaxed) {
                    self.restate_all().await;
                }
            }
        };
        // Known before the first hello needs it: after a node's death many come at once.
        tokio::join!(self.directory.refresh(), remind);
    }

    fn known(&self) -> Known {
        let online = |(user, online): (&UserId, &super::Online)| (online.profile.name().key(), user.clone());
        let names = self.users.lock().iter().map(online).collect();
        let client =
            |(id, newest): (&ClientId, &super::Newest)| (id.clone(), newest.user.clone(), newest.generation);
        let clients = self.clients.lock().iter().map(client).collect();
        let topic = |handle: &super::RoomHandle| (handle.room.clone(), handle.topic.now());
        let topics = self.rooms.lock().values().map(topic).filter(|(_, topic)| topic.at_ms > 0).collect();
        Known { session_key: self.directory.known_key(), names, clients, topics }
    }
}

#[cfg(test)]
mod tests;
