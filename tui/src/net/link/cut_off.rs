//! Owns what is known of a server that cannot reach the others: since when it says so, and when its word
//! holds no more. A state of the link, not an answer to anything.

use std::time::Duration;

use chat_protocol::ErrorMessage;

use super::{Link, Phase};
use crate::net::event::Moment;

/// Why a link is given up for a server that reaches the others.
pub(super) const CUT_OFF: &str = "the server cannot reach the others";
/// How often a server repeats it that does not say how often.
const REPEATED_EVERY: Duration = Duration::from_secs(2);
/// And at most: what a server says of time is not believed beyond that.
const REPEATED_MAX: Duration = Duration::from_secs(60);
/// How late a repeat may be after it was left out once.
const REPEAT_LATE: Duration = Duration::from_secs(1);

impl Link {
    /// The server says `unavailable`. True where that is about no message and no room, and taken care of.
    pub(super) fn cut_off(&mut self, now: Moment, error: &ErrorMessage) -> bool {
        let is_about_link = error.n.is_none() && error.room.is_none();
        if is_about_link && self.phase == Phase::Up {
            self.cannot_reach_others(now, error.retry_ms.map(Duration::from_millis));
        } else if is_about_link && matches!(self.phase, Phase::Greeting { .. }) {
            // It takes nobody in now: another may.
            self.hang_up(now, CUT_OFF);
        }
        is_about_link
    }

    /// What the server cannot do holds until it is due to say so again, and a little longer.
    pub(super) fn cannot_reach_others(&mut self, now: Moment, retry: Option<Duration>) {
        let until = now + retry.unwrap_or(REPEATED_EVERY).min(REPEATED_MAX) * 2 + REPEAT_LATE;
        self.cut_off_until = self.cut_off_until.max(Some(until));
        let since = *self.status.cut_off.get_or_insert(now);
        self.leave_cut_off(since);
    }

    /// The server has done something that takes the others, or is not ours any more.
    pub(super) fn reaches_others(&mut self) {
        (self.cut_off_until, self.status.cut_off) = (None, None);
        self.stay();
    }
}
