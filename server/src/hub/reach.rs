//! Owns whether this node reaches the backbone: lease calls that are not answered and a feed that is silent
//! come to one judgement, which makes the node unready, is logged when it changes and told to clients.
//! Pure where it judges: time is passed in.

use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{ErrorCode, ErrorMessage, Payload, ServerMessage};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use super::{Hub, Style};
use crate::backbone::BackboneError;
use crate::outbox::Outbox;
use crate::room::Moment;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Trouble that is over sooner is nobody's concern.
const CUT_OFF_AFTER: Duration = Duration::from_secs(1);
/// The node is not ready after the backbone was out of reach for this long.
const UNREADY_AFTER: Duration = Duration::from_secs(5);
/// How often clients are told while it lasts.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// What a client is told that hears nothing of the others.
const CUT_OFF: &str = "this server cannot reach the others: your messages wait and are sent when it can";

/// How the node stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// It reaches the backbone.
    #[default]
    Well,
    /// It does not, and its clients are told.
    CutOff,
    /// For so long that load balancers had better send clients elsewhere.
    Unready,
}

/// What lease and feed have met.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// When the first lease call was made that was not answered; none since one was.
    unanswered: Option<Moment>,
    /// What the last one failed with.
    error: Option<BackboneError>,
    standing: Standing,
    /// When the trouble began.
    since: Moment,
    /// When clients were told last.
    told: Option<Moment>,
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// It stands otherwise than at the last look; the trouble has lasted, or did last, for so long.
    change: Option<(Standing, Duration)>,
    /// Clients are to be told.
    tell: bool,
}

impl Reach {
    /// A lease call is made: a call that hangs is trouble from its beginning.
    pub(super) fn asked(&mut self, now: Moment) {
        self.unanswered.get_or_insert(now);
    }

    pub(super) fn answered(&mut self) {
        (self.unanswered, self.error) = (None, None);
    }

    pub(super) fn failed(&mut self, error: BackboneError) {
        self.error = Some(error);
    }

    /// No trouble is known.
    pub(super) fn is_well(&self) -> bool {
        self.standing == Standing::Well
    }

    pub(super) fn is_ready(&self) -> bool {
        self.standing < Standing::Unready
    }

    /// Judges; `silent` is how long the feed has not proved itself.
    pub(super) fn look(&mut self, now: Moment, silent: Option<Duration>) -> Look {
        let unanswered = self.unanswered.map(|since| now.saturating_sub(since));
        let trouble = unanswered.max(silent).unwrap_or_default();
        let standing = match trouble {
            trouble if trouble >= UNREADY_AFTER => Standing::Unready,
            trouble if trouble > CUT_OFF_AFTER => Standing::CutOff,
            _ => Standing::Well,
        };
        // It gets better only by being over: a feed that is back does not make up for a lease that is not.
        let standing = if standing == Standing::Well { standing } else { standing.max(self.standing) };
        let was = std::mem::replace(&mut self.standing, standing);
        if standing != Standing::Well {
            // Lease and feed do not fail at the same moment: the trouble began with the first of them.
            let since = now.saturating_sub(trouble);
            self.since = if was == Standing::Well { since } else { self.since.min(since) };
        }
        let change = (standing != was).then(|| (standing, now.saturating_sub(self.since)));
        if standing == Standing::Well {
            self.told = None;
            return Look { change, tell: false };
        }
        let tell = self.told.is_none_or(|told| now >= told + TELL_EVERY);
        if tell {
            self.told = Some(now);
        }
        Look { change, tell }
    }
}

impl Hub {
    /// Looks at lease and feed, and says what has changed.
    pub(super) async fn run_watch(&self) {
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tick.tick().await;
            let silent = self.backbone.health().silent;
            let (look, error) = {
                let mut reach = self.reach.lock();
                (reach.look(self.now(), silent), reach.error.clone())
            };
            if let Some((standing, lasted)) = look.change {
                log(standing, lasted, error.as_ref());
            }
            if look.tell {
                self.tell_cut_off();
            }
        }
    }

    /// Tells every client that has said hello; one that does not read what it has is left out.
    fn tell_cut_off(&self) {
        let retry_ms = Some(TELL_EVERY.as_millis() as u64);
        let error = ErrorMessage { retry_ms, ..ErrorMessage::new(ErrorCode::Unavailable, CUT_OFF) };
        let payload = Payload::new(&ServerMessage::Error(error));
        let outboxes: Vec<Arc<Outbox>> = (self.clients.lock().values())
            .filter(|newest| newest.style == Style::Hello)
            .map(|newest| newest.outbox.clone())
            .collect();
        for outbox in outboxes.iter().filter(|outbox| !outbox.is_full()) {
            outbox.push(payload.clone());
        }
    }
}

fn log(standing: Standing, lasted: Duration, error: Option<&BackboneError>) {
    let elapsed_ms = lasted.as_millis() as u64;
    let error = error.map_or_else(|| "it does not answer".to_owned(), ToString::to_string);
    match standing {
        Standing::Well => info!(elapsed_ms, "backbone reached again"),
        Standing::CutOff => warn!(elapsed_ms, error, "backbone out of reach, clients are told"),
        Standing::Unready => warn!(elapsed_ms, error, "backbone out of reach, not ready"),
    }
}

#[cfg(test)]
mod tests;
