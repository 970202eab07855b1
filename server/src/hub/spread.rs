//! Owns within what time clients should come back, at random, should this node die, so that the nodes that
//! are left are not run down. Every ping tells it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Hub;

/// The shortest and longest spread a client is told.
const SPREAD: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(15));

impl Hub {
    /// As things stand now.
    pub(crate) fn spread(&self) -> Duration {
        let others = self.others.load(Ordering::Relaxed);
        spread(self.connections(), others, self.config.limits.resumes_per_second)
    }
}

/// The connections of a node divided by what the rest of the cluster takes in a second; `each` is what a node
/// takes, 0: no spread to speak of.
fn spread(connections: usize, others: usize, each: u32) -> Duration {
    if each == 0 {
        return SPREAD.0;
    }
    let taken = others.max(1) as f64 * f64::from(each);
    Duration::from_secs_f64(connections as f64 / taken).clamp(SPREAD.0, SPREAD.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check((connections, others, each): (usize, usize, u32), expected_ms: u64) {
        assert_eq!(spread(connections, others, each), Duration::from_millis(expected_ms));
    }

    #[test]
    fn the_others_take_what_they_were_measured_to_take() {
        check((10, 2, 5_000), 50);
        check((5_000, 2, 5_000), 500);
        check((5_000, 2, 1_000), 2_500);
        check((5_000, 0, 5_000), 1_000);
        check((1_000_000, 1, 5_000), 15_000);
        check((5_000, 2, 0), 50);
    }
}
