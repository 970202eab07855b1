//! Owns the life of the connections to one primary: proves each second that the feed works, dials anew when it
//! does not, and holds publishing back for a moment where the data may be another's.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tracing::{info, warn};

use super::keys::Channels;
use super::link::{Primary, Wires};
use super::people::People;
use super::start::Server;

/// How often the feed is proved.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// A word that Redis took has to come back through the feed within this time: with the wait for the next word, a
/// dead feed is found within two seconds.
const PROBE_MAX: Duration = Duration::from_secs(1);
/// Redis may be slow for so long before another connection is tried.
const SLOW_MAX: Duration = Duration::from_secs(7);
/// The first pause between two tries to connect; doubles to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(50);
/// The longest such pause: everybody is back well before [`GATE_MAX`].
const BACKOFF_MAX: Duration = Duration::from_millis(400);
/// How long publishing waits at most for the other nodes after another server took over, and how often it looks.
const GATE_MAX: Duration = Duration::from_secs(1);
/// How often that is looked at.
const GATE_EVERY: Duration = Duration::from_millis(50);

/// Publishing waits until the nodes that may know more than the log have brought it.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<Option<Instant>>);

impl Gate {
    /// How long publishing has to wait still.
    pub(super) fn left(&self) -> Option<Duration> {
        let until = (*self.0.lock())?;
        Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    /// Closed where another server answers than before, or one that has nothing yet.
    pub(super) fn meet(&self, server: &Server, before: Option<&Server>) {
        let young = GATE_MAX.saturating_sub(server.age);
        let wait = if before.is_some_and(|before| before.run_id != server.run_id) { GATE_MAX } else { young };
        *self.0.lock() = Some(Instant::now() + wait);
    }

    /// Opens within `after`, never later than it would by itself.
    fn open(&self, after: Duration) {
        let mut until = self.0.lock();
        *until = until.map(|until| until.min(Instant::now() + after));
    }
}

/// What is needed to look after one primary.
pub(super) struct Supervisor {
    pub(super) primary: Arc<Primary>,
    pub(super) channels: Channels,
    pub(super) people: Arc<People>,
    pub(super) gate: Arc<Gate>,
    /// How long a recovery round keeps a room closed.
    pub(super) settle: Duration,
}

impl Supervisor {
    /// Looks after it until the node is cut off.
    pub(super) async fn run(self, mut wires: Wires) {
        let cut = self.primary.is_cut().clone();
        // Never the same word twice: an old one that was heard proves nothing of a new connection.
        let mut word = 0;
        let work = async {
            loop {
                let since = Instant::now();
                let why = tokio::select! {
                    () = wires.gone.cancelled() => "connection lost".to_owned(),
                    why = self.probe(&mut word) => why,
                    never = self.open_gate() => never,
                };
                let lost = Instant::now();
                self.primary.drop_wires();
                warn!(error = why, "redis out of reach");
                let server = wires.server;
                if !self.primary.is_proved_since(since) {
                    // It was no good from the beginning: another one is hardly better.
                    sleep(BACKOFF_MAX).await;
                }
                wires = self.dial().await;
                self.gate.meet(&wires.server, Some(&server));
                self.primary.use_wires(wires.clone());
                self.primary.count_reconnect();
                info!(elapsed_ms = lost.elapsed().as_millis() as u64, "redis is back");
                // The lease first: the others wait for it.
                if let Err(error) = self.people.renew_again().await {
                    warn!(%error, "lease not renewed yet");
                }
                self.primary.feed.stale();
            }
        };
        cut.run_until_cancelled(work).await;
    }

    /// Says a word to this node itself each second; returns when that does not come back any more.
    async fn probe(&self, word: &mut u64) -> String {
        let channel = self.channels.node(self.people.node());
        let mut heard = self.primary.feed.heard();
        loop {
            *word += 1;
            let said = Instant::now();
            let mut publish = redis::cmd("PUBLISH");
            publish.arg(&channel).arg(format!("T {word}"));
            match timeout(SLOW_MAX, self.primary.query(&publish)).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return error.to_string(),
                Err(_) => return format!("no answer in {} s", SLOW_MAX.as_secs()),
            }
            let due = Instant::now() + PROBE_MAX;
            match timeout_at(due, heard.wait_for(|(newest, _)| newest == word)).await {
                Ok(Ok(heard)) => self.primary.prove(heard.1.saturating_duration_since(said)),
                _ => return format!("the feed is silent for {} s", PROBE_MAX.as_secs()),
            }
            sleep_until(said + PROBE_EVERY).await;
        }
    }

    async fn dial(&self) -> Wires {
        let (mut backoff, mut told) = (BACKOFF_MIN, None);
        loop {
            match self.primary.dial().await {
                Ok(wires) => return wires,
                Err(error) => {
                    let error = error.to_string();
                    if told.as_ref() != Some(&error) {
                        warn!(%error, "redis still out of reach");
                        told = Some(error);
                    }
                }
            }
            sleep(backoff.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }

    /// Lets publishing go on as soon as every node that was there before is there again and had the time of a
    /// round to bring what it has. Does not return.
    async fn open_gate(&self) -> String {
        let peers = self.people.peers();
        let mut since = None;
        // Who knows nobody cannot know that everybody is back.
        while !peers.is_empty() && self.gate.left().is_some() {
            if self.people.are_back(&peers, &mut since).await == Ok(true) {
                self.gate.open(self.settle);
                break;
            }
            sleep(GATE_EVERY).await;
        }
        std::future::pending().await
    }
}
