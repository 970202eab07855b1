//! Owns how fast a session may speak and how often it may err. Pure: time is passed in.

use std::collections::VecDeque;
use std::time::Duration;

use chat_protocol::limits::MISTAKES_MAX;
use tokio::time::Instant;

/// Mistakes are counted over this long.
const MISTAKES_WITHIN: Duration = Duration::from_secs(10);

/// A rate with a burst: the generic cell rate algorithm (ITU-T I.371), which needs one moment a key.
#[derive(Debug)]
pub(super) struct Rate {
    /// None: off.
    every: Option<Duration>,
    burst: Duration,
    /// When the bucket is empty again.
    empty_at: Option<Instant>,
}

impl Rate {
    /// `per_second` on average, `burst` at once; 0 a second is off.
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        let every = (per_second > 0).then(|| Duration::from_secs(1) / per_second);
        let burst = every.unwrap_or_default() * burst.saturating_sub(1);
        Self { every, burst, empty_at: None }
    }

    /// Takes one; else how long to wait for it.
    pub(super) fn take(&mut self, now: Instant) -> Option<Duration> {
        let every = self.every?;
        let empty_at = self.empty_at.map_or(now, |at| at.max(now));
        let wait = (empty_at - now).saturating_sub(self.burst);
        if !wait.is_zero() {
            return Some(wait);
        }
        self.empty_at = Some(empty_at + every);
        None
    }
}

/// The moments of the last mistakes.
#[derive(Debug, Default)]
pub(super) struct Mistakes(VecDeque<Instant>);

impl Mistakes {
    /// Counts one; true where it was one too many.
    pub(super) fn add(&mut self, now: Instant) -> bool {
        while self.0.front().is_some_and(|at| now - *at > MISTAKES_WITHIN) {
            self.0.pop_front();
        }
        self.0.push_back(now);
        self.0.len() >= MISTAKES_MAX as usize
    }
}
