//! Owns how a node goes down in order: since when, and within what time its clients move elsewhere, each at a
//! turn of its own, so that the others do not meet all of them at once.

use std::time::Duration;

use super::Hub;

/// What the move of one client may take of the window: so many come to the other nodes in a second.
const TURN: Duration = Duration::from_millis(5);
/// The shortest window: a node with a few clients is gone in a blink.
const WINDOW_MIN: Duration = Duration::from_millis(50);

impl Hub {
    /// From now on the node is not ready, and goes down. The time within which its clients are to move.
    pub(crate) fn start_drain(&self) -> Duration {
        *self.drain_window.get_or_init(|| window(self.connections(), self.config.timing.drain))
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.drain_window.get().is_some()
    }

    /// When one client is to move, counted from the beginning of the drain: at random, so that they are spread
    /// evenly over the window however many there are.
    pub(crate) fn drain_turn(&self) -> Duration {
        self.drain_window.get().copied().unwrap_or_default().mul_f64(fastrand::f64())
    }
}

/// Never beyond half of the drain period: a client whose first try fails needs time for others.
fn window(connections: usize, drain: Duration) -> Duration {
    let turns = TURN.saturating_mul(u32::try_from(connections).unwrap_or(u32::MAX));
    turns.max(WINDOW_MIN).min(drain / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(connections: usize, drain_ms: u64, expected_ms: u64) {
        assert_eq!(window(connections, Duration::from_millis(drain_ms)), Duration::from_millis(expected_ms));
    }

    #[test]
    fn the_window_grows_with_the_clients_up_to_half_of_the_drain() {
        check(0, 10_000, 50);
        check(3, 10_000, 50);
        check(100, 10_000, 500);
        check(1_000, 10_000, 5_000);
        check(50_000, 10_000, 5_000);
        check(usize::MAX, 10_000, 5_000);
        check(3, 20, 10);
        check(3, 0, 0);
    }
}
