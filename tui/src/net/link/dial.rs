//! Owns the way to a server and away from it: when to dial, the first words, and what a lost connection
//! means for the rooms and for the next try.

use std::time::Duration;

use chat_protocol::{ClientMessage, Hello, RoomName, limits};

use super::recovery::Lost;
use super::{Link, Output, Phase};
use crate::net::backoff::delay;
use crate::net::event::{DialStep, LinkState, Moment, NetEvent, OutId, OutState, Transport};

/// How long a server has for its welcome.
pub(super) const HELLO_MAX: Duration = Duration::from_secs(10);

/// A connection that was lost sooner than this counts as a failed try.
const SHORT_LIFE: Duration = Duration::from_secs(1);

impl Link {
    pub(super) fn hang_up(&mut self, now: Moment, reason: &str) {
        self.outputs.push_back(Output::Hangup);
        self.endpoint += 1;
        self.down(now, reason.to_owned());
    }

    pub(super) fn dial(&mut self, now: Moment, attempt: u32) {
        let Some(endpoint) = self.endpoints.get(self.endpoint % self.endpoints.len().max(1)).cloned() else {
            return self.status.state = LinkState::Idle;
        };
        let down_since = match self.status.state {
            LinkState::Down { since, .. } => Some(since),
            LinkState::Dialling { down_since, .. } => down_since,
            _ => self.lost.as_ref().map(|_| now),
        };
        let (target, step) = (endpoint.to_string(), DialStep::Resolving);
        self.status.state = LinkState::Dialling { attempt, target, step, down_since };
        self.phase = Phase::Dialling;
        self.outputs.push_back(Output::Dial(endpoint));
    }

    pub(super) fn reconnect(&mut self, now: Moment) {
        if let LinkState::Down { attempt, .. } = self.status.state {
            self.dial(now, attempt);
        } else {
            self.move_now(now);
        }
    }

    pub(super) fn progress(&mut self, to_step: DialStep, to_target: String) {
        if let LinkState::Dialling { step, target, .. } = &mut self.status.state {
            (*step, *target) = (to_step, to_target);
        }
    }

    /// The connection stands: who we are, and what we have seen.
    pub(super) fn greet(&mut self, now: Moment, transport: Transport) {
        if let LinkState::Dialling { step, .. } = &mut self.status.state {
            *step = DialStep::Hello;
        }
        self.pulse.connected(now, transport);
        self.phase = Phase::Greeting { since: now };
        let hello = self.hello();
        self.begin_replays();
        self.send(ClientMessage::Hello(hello));
    }

    /// The first words of the next connection, as of this moment.
    pub(super) fn hello(&mut self) -> Hello {
        self.identity.generation += 1;
        let wished = self.rooms.iter().filter(|(_, room)| room.wished);
        let resume = wished.filter_map(|(name, room)| room.cursor.resume(name)).collect();
        Hello {
            v: limits::PROTOCOL_VERSION,
            name: self.identity.name.clone(),
            client_id: Some(self.identity.client.clone()),
            session: self.identity.session.clone(),
            token: None,
            generation: Some(self.identity.generation),
            resume,
            if_ready: false,
            client: Some(concat!("chat-tui/", env!("CARGO_PKG_VERSION")).to_owned()),
        }
    }

    /// From here on the rooms that hello named are replayed.
    pub(super) fn begin_replays(&mut self) {
        self.rooms.values_mut().filter(|room| room.wished).for_each(|room| room.cursor.begin_replay());
    }

    /// The connection is gone, or never came to be.
    pub(super) fn down(&mut self, now: Moment, reason: String) {
        let (since, attempt) = match &self.status.state {
            LinkState::Dialling { attempt, down_since, .. } => (down_since.unwrap_or(now), attempt + 1),
            LinkState::Online { node, since, heard, suspect, .. } => {
                // A server that throws us out at once is not stormed.
                let short = now.saturating_sub(*since) < SHORT_LIFE;
                self.short_lives = if short { self.short_lives.saturating_add(1) } else { 0 };
                let before = self.totals();
                // A server that was silent was lost when it fell silent.
                let at = if *suspect { *heard } else { now };
                let lost = Lost { from: node.clone(), at, before, to: None, planned: false };
                // Lost again before everything was recovered: it is one story.
                let lost = self.lost.get_or_insert(lost);
                (lost.to, lost.planned) = (None, false);
                (now, self.short_lives.max(1))
            }
            LinkState::Down { .. } | LinkState::Idle => return,
        };
        self.phase = Phase::Down;
        let beside = self.take_beside();
        self.reaches_others();
        self.questions.forget();
        self.pages.forget();
        (self.status.rtt, self.status.rtt_p99) = (None, None);
        let retry_at = now + delay(attempt, self.spread, &mut self.rng);
        self.status.state = LinkState::Down { since, reason, attempt, retry_at };
        self.interrupt_rooms();
        let waiting: Vec<(RoomName, OutId)> = (self.rooms.iter())
            .flat_map(|(name, room)| room.outbox.waiting().map(|out| (name.clone(), out)))
            .collect();
        for (room, out) in waiting {
            self.event(NetEvent::Out { out, room, state: OutState::Queued });
        }
        if let Some(beside) = beside {
            self.go_on_beside(now, beside);
        }
    }

    /// The rooms have no connection any more, or another one.
    pub(super) fn interrupt_rooms(&mut self) {
        for room in self.rooms.values_mut() {
            room.outbox.close();
            room.cursor.interrupted();
            (room.leaving, room.left_early) = (0, false);
        }
    }
}
