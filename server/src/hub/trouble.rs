//! Owns what is said of a room that the backbone refuses while the rest of it works: data that is not ours under one of
//! its keys, a permission that is missing, no replica to confirm. Pure: time is passed in.

use std::time::Duration;

use crate::room::Moment;

/// What passes within this time is not worth a word.
const TOLD_AFTER: Duration = Duration::from_secs(2);
/// How often it is said again.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// Whether the calls of a room fail.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    since: Option<Moment>,
    told: Option<Moment>,
}

impl Trouble {
    /// A call has failed. True where that has to be said now.
    pub(super) fn failed(&mut self, now: Moment) -> bool {
        let since = *self.since.get_or_insert(now);
        let again = self.told.map_or(Duration::ZERO, |told| told + TOLD_EVERY);
        let due = again.max(since + TOLD_AFTER);
        if now >= due {
            self.told = Some(now);
        }
        now >= due
    }

    /// A call was answered.
    pub(super) fn over(&mut self) {
        // What comes and goes is not told more often for that.
        self.since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Moment {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn what_lasts_is_told_and_told_again() {
        let mut trouble = Trouble::default();
        let told: Vec<bool> = [0.0, 1.9, 2.1, 2.2, 11.0, 12.2, 12.3].map(|s| trouble.failed(at(s))).into();
        assert_eq!(told, [false, false, true, false, false, true, false]);
        trouble.over();
        assert!(
            !trouble.failed(at(13.0)) && !trouble.failed(at(15.1)),
            "another trouble, but told not long ago"
        );
        assert!(trouble.failed(at(22.3)));
    }
}
