//! Owns the heartbeat: when to ping, what the round trips were, and when silence is suspect or death.

use std::collections::VecDeque;
use std::time::Duration;

use chat_protocol::ClientMessage;

use super::{Link, Phase};
use crate::net::event::{LinkState, Moment, Transport};

/// Between two pings.
const PING_EVERY: Duration = Duration::from_secs(4);
/// A ping that is not answered within this time makes the link suspect.
const SUSPECT_AFTER: Duration = Duration::from_secs(2);
/// Silence after which the peer counts as gone.
const DEAD_AFTER: Duration = Duration::from_secs(10);
/// Round trips kept for the percentile.
const ROUND_TRIPS: usize = 100;

/// The heartbeat of one connection.
#[derive(Debug)]
pub(super) struct Pulse {
    pub(super) transport: Transport,
    pub(super) heard: Moment,
    next_ping: Moment,
    /// When the ping that waits for its answer was sent.
    asked: Option<Moment>,
    /// The suspicion has been told: there is nothing more to wake up for than death.
    suspect: bool,
    round_trips: VecDeque<Duration>,
}

impl Default for Pulse {
    fn default() -> Self {
        let (heard, next_ping) = (Moment::ZERO, Moment::ZERO);
        Self {
            transport: Transport::Tcp,
            heard,
            next_ping,
            asked: None,
            suspect: false,
            round_trips: VecDeque::new(),
        }
    }
}

impl Pulse {
    pub(super) fn connected(&mut self, now: Moment, transport: Transport) {
        *self = Self { transport, heard: now, next_ping: now, ..Self::default() };
    }

    pub(super) fn deadline(&self) -> Moment {
        let suspect = self.asked.filter(|at| *at > self.heard && !self.suspect).map(|at| at + SUSPECT_AFTER);
        [Some(self.next_ping), suspect, Some(self.heard + DEAD_AFTER)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or_default()
    }

    fn is_suspect(&self, now: Moment) -> bool {
        self.asked.is_some_and(|at| at > self.heard && now >= at + SUSPECT_AFTER)
    }

    /// Nobody listened for so long: that the server was not heard is not its silence.
    pub(super) fn was_not_read(&mut self, time: Duration) {
        self.heard += time;
        self.asked = self.asked.map(|at| at + time);
    }

    fn answered(&mut self, now: Moment, sent: Moment) -> Option<(Duration, Duration)> {
        self.asked = None;
        self.round_trips.push_back(now.checked_sub(sent)?);
        if self.round_trips.len() > ROUND_TRIPS {
            self.round_trips.pop_front();
        }
        let mut sorted: Vec<_> = self.round_trips.iter().copied().collect();
        sorted.sort_unstable();
        let p99 = sorted[(sorted.len() * 99).div_ceil(100) - 1];
        Some((*self.round_trips.back()?, p99))
    }
}

impl Link {
    /// Something is due: a ping, a suspicion, a death.
    pub(super) fn beat(&mut self, now: Moment) {
        if now >= self.pulse.heard + DEAD_AFTER {
            return self.hang_up(now, "no answer for 10 s");
        }
        self.ping(now);
        let is_suspect = self.pulse.is_suspect(now);
        self.pulse.suspect = is_suspect;
        if let LinkState::Online { suspect, .. } = &mut self.status.state {
            *suspect = is_suspect;
        }
    }

    /// When the next ping is due. Where nothing is read it is all that is: the server cannot be judged, and is told all the same
    /// that this client lives.
    pub fn ping_due(&self) -> Option<Moment> {
        (self.phase == Phase::Up && !self.moving.is_asking()).then_some(self.pulse.next_ping)
    }

    /// Pings, if that is due.
    pub(super) fn ping(&mut self, now: Moment) {
        if self.ping_due().is_none_or(|due| now < due) {
            return;
        }
        self.pulse.next_ping = now + PING_EVERY;
        // A ping that was never answered by a server that spoke later tells nothing any more.
        self.pulse.asked = self.pulse.asked.filter(|at| *at > self.pulse.heard).or(Some(now));
        self.send(ClientMessage::Ping { t: Some(now.as_micros() as u64) });
    }

    /// The server was heard: it lives.
    pub(super) fn hear(&mut self, at: Moment) {
        (self.pulse.heard, self.pulse.suspect) = (at, false);
        if let LinkState::Online { suspect, heard, .. } = &mut self.status.state
            && std::mem::take(suspect)
        {
            *heard = at;
        }
    }

    pub(super) fn ponged(&mut self, now: Moment, t: Option<u64>) {
        if let Some((rtt, p99)) = t.and_then(|t| self.pulse.answered(now, Duration::from_micros(t))) {
            (self.status.rtt, self.status.rtt_p99) = (Some(rtt), Some(p99));
        }
        if let LinkState::Online { heard, .. } = &mut self.status.state {
            *heard = now;
        }
    }
}
