//! Owns how long to wait before a dial, so that a cluster that lost a node is not run down by those who
//! were on it. Pure: the random numbers come in.

use std::time::Duration;

/// Shortest spread of the first try: what a small cluster tells.
pub const SPREAD_MIN: Duration = Duration::from_millis(50);
/// Longest spread of the first try, whatever the server says.
pub const SPREAD_MAX: Duration = Duration::from_secs(15);
/// Longest wait before the second try.
const SECOND_TRY_MAX: Duration = Duration::from_millis(500);
/// Longest wait before any later try.
const LATER_TRY_MAX: Duration = Duration::from_secs(10);

/// How long to wait before try `attempt` (from 1) since the link was lost: the first one falls at random
/// within the spread that the lost server told, later ones within a maximum that doubles to ten seconds.
/// Full jitter: AWS Architecture Blog, "Exponential Backoff And Jitter", 2015.
pub fn delay(attempt: u32, spread: Duration, rng: &mut fastrand::Rng) -> Duration {
    longest(attempt, spread).mul_f64(rng.f64())
}

/// The end of the interval in which try `attempt` falls.
fn longest(attempt: u32, spread: Duration) -> Duration {
    match attempt {
        0 | 1 => spread.clamp(SPREAD_MIN, SPREAD_MAX),
        later => {
            let doublings = (later - 2).min(16);
            (SECOND_TRY_MAX * 2_u32.pow(doublings)).min(LATER_TRY_MAX)
        }
    }
}

#[cfg(test)]
mod tests;
