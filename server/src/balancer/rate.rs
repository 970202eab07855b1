//! Owns how fast bytes flow, recently: a running total in, bytes a second out. Takes the time from outside.

use std::time::Duration;

/// After so long a burst weighs 1/e, 37 %, of what it did.
const MEMORY: Duration = Duration::from_secs(10);

/// An exponentially decaying rate. It is brought up to date when it is read, however often that is: bytes since
/// the last time count as if they had come evenly.
#[derive(Debug, Default)]
pub(super) struct Rate {
    total: u64,
    at: Duration,
    bytes_per_second: f64,
}

impl Rate {
    /// The rate at `now`, a time on any one clock, when `total` bytes have flowed since the beginning.
    pub(super) fn read(&mut self, total: u64, now: Duration) -> u64 {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        if passed > 0.0 {
            let fresh = -(-passed / MEMORY.as_secs_f64()).exp_m1();
            let since = total.saturating_sub(self.total) as f64 / passed;
            self.bytes_per_second += (since - self.bytes_per_second) * fresh;
            (self.total, self.at) = (total, now);
        }
        self.bytes_per_second.round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn an_even_flow_has_its_rate_however_often_it_is_read() {
        for step in [10, 1_000, 60_000] {
            let mut rate = Rate::default();
            let read = (1..=600_000 / step).map(|n| rate.read(n * step * 50, at(n * step))).last();
            assert_eq!(read, Some(50_000), "read each {step} ms");
        }
    }

    #[test]
    fn a_burst_is_forgotten() {
        let mut rate = Rate::default();
        assert_eq!(rate.read(1_000_000, at(1)), 99_995, "a megabyte within a moment, over ten seconds");
        assert_eq!(rate.read(1_000_000, at(10_001)), 36_786);
        assert_eq!(rate.read(1_000_000, at(200_001)), 0);
    }

    #[test]
    fn a_second_look_at_the_same_moment_changes_nothing() {
        let mut rate = Rate::default();
        let first = rate.read(1_000, at(5));
        assert_eq!(rate.read(9_000, at(5)), first);
        assert!(rate.read(9_000, at(6)) > first, "what came meanwhile is not lost");
    }
}
