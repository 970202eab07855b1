//! Owns how long messages wait for their acks in one room. Pure; what it forgets is a sample less.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::room::{ConnId, Moment};

/// Messages watched at once; a room's queue holds half as many.
const WATCHED_MAX: usize = 4_096;

/// When messages that wait for their acks were decoded.
#[derive(Debug, Default)]
pub(super) struct Stopwatch(BTreeMap<(ConnId, u64), Moment>);

impl Stopwatch {
    /// A message came; again is anew.
    pub(super) fn said(&mut self, conn: ConnId, n: u64, at: Moment) {
        if self.0.len() < WATCHED_MAX {
            self.0.insert((conn, n), at);
        }
    }

    /// The time a message has waited; those below it wait for nothing any more.
    pub(super) fn acked(&mut self, conn: ConnId, n: u64, now: Moment) -> Option<Duration> {
        let at = self.0.remove(&(conn, n));
        while let Some((&key, _)) = self.0.range((conn, 0)..(conn, n)).next() {
            self.0.remove(&key);
        }
        at.map(|at| now.saturating_sub(at))
    }

    /// A message was refused: those above it are not listened to.
    pub(super) fn refused(&mut self, conn: ConnId, n: u64) {
        while let Some((&key, _)) = self.0.range((conn, n)..=(conn, u64::MAX)).next() {
            self.0.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ack_ends_its_own_wait_and_those_before_it() {
        let (mut watch, conn, at) = (Stopwatch::default(), ConnId(1), Duration::from_millis);
        for n in 1..=4 {
            watch.said(conn, n, at(n));
        }
        watch.said(ConnId(2), 1, at(0));
        assert_eq!(watch.acked(conn, 2, at(10)), Some(at(8)));
        assert_eq!(watch.acked(conn, 1, at(10)), None);
        watch.refused(conn, 4);
        assert_eq!((watch.acked(conn, 3, at(10)), watch.acked(conn, 4, at(10))), (Some(at(7)), None));
        watch.refused(ConnId(2), 0);
        assert_eq!(watch.0.len(), 0);
    }

    #[test]
    fn what_is_watched_is_bounded() {
        let mut watch = Stopwatch::default();
        (0..10_000).for_each(|n| watch.said(ConnId(1), n, Duration::ZERO));
        assert_eq!(watch.0.len(), WATCHED_MAX);
    }
}
