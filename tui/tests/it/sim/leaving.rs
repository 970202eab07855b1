//! Why clients leave a node that still answers: it drains, or it is cut off from Redis and says so.

use std::time::Duration;

use chat_protocol::{ErrorCode, ErrorMessage, ServerMessage};
use chat_server::room::ConnId;

use super::world::{Event, World};

/// How often a node looks at its standing.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Trouble that is over sooner is nobody's concern.
const CUT_OFF_AFTER: Duration = Duration::from_secs(1);
/// And from then on the node is not ready.
const UNREADY_AFTER: Duration = Duration::from_secs(5);
/// How often clients are told while it lasts.
const TELL_EVERY: Duration = Duration::from_secs(2);
/// What the move of one client may take of the time in which they go, and the shortest such time.
const TURN: Duration = Duration::from_millis(5);
const WINDOW_MIN: Duration = Duration::from_millis(50);
/// How long a node is there behind its drain period, for those who did not go.
pub(super) const OVERTIME: Duration = Duration::from_secs(2);
/// Until the next node stands in its place.
const RESTART: Duration = Duration::from_millis(200);

/// What a node makes of not reaching Redis.
#[derive(Default)]
pub(super) struct Standing {
    /// Since when it does not.
    trouble: Option<Duration>,
    told: Option<Duration>,
}

impl Standing {
    fn is_cut_off(&self, now: Duration) -> bool {
        self.trouble.is_some_and(|since| now > since + CUT_OFF_AFTER)
    }

    pub(super) fn is_ready(&self, now: Duration) -> bool {
        self.trouble.is_none_or(|since| now < since + UNREADY_AFTER)
    }
}

impl World {
    /// A node goes down in order.
    pub(super) fn drain(&mut self, key: u64, long: Duration) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(&key).filter(|node| node.draining.is_none()) else { return };
        node.draining = Some(now);
        let conns = self.conns_of(key);
        let window = (TURN * conns.len() as u32).max(WINDOW_MIN).min(long / 2);
        for conn in conns {
            let turn = window.mul_f64(self.rng.f64());
            if self.nodes[&key].knows(conn) {
                let reconnect_in_ms = turn.as_millis() as u64;
                self.say_to(conn, &ServerMessage::Drain { reconnect_in_ms });
            } else {
                self.after(turn, Event::Refused(conn));
            }
        }
        self.after(long + OVERTIME, Event::DrainOver(key));
        self.end_when_empty(key);
    }

    /// The connections that a node has.
    fn conns_of(&self, key: u64) -> Vec<ConnId> {
        let its = self.conns.iter().filter(|(_, conn)| conn.node == key && !conn.is_gone);
        its.map(|(id, _)| *id).collect()
    }

    /// One that has not said who it is cannot be told when to go.
    pub(super) fn refused(&mut self, conn: ConnId) {
        let Some(key) = self.conns.get(&conn).map(|conn| conn.node) else { return };
        if self.nodes.get(&key).is_some_and(|node| !node.knows(conn)) {
            self.break_up(conn);
        }
    }

    /// A node that drains ends with its last client.
    pub(super) fn end_when_empty(&mut self, key: u64) {
        let drains = self.nodes.get(&key).is_some_and(|node| node.draining.is_some());
        if drains && self.conns_of(key).is_empty() {
            self.drain_over(key);
        }
    }

    /// It says goodbye to the others, if it reaches them.
    pub(super) fn drain_over(&mut self, key: u64) {
        let Some(place) = self.places.iter().position(|there| *there == Some(key)) else { return };
        if self.nodes[&key].wire.link.is_some() {
            self.nodes.values_mut().for_each(|node| node.wire.forget_peer(key));
        }
        self.crash(key, place, RESTART);
    }

    /// Why a node takes nobody in, or nobody who has another connection to go on with.
    pub(super) fn cannot_take(&self, key: u64, if_ready: bool) -> Option<ErrorCode> {
        let node = self.nodes.get(&key)?;
        if node.draining.is_some() {
            return Some(ErrorCode::ShuttingDown);
        }
        let is_well = !node.standing.is_cut_off(self.now) && node.wire.link.is_some();
        (if_ready && !is_well).then_some(ErrorCode::Unavailable)
    }

    pub(super) fn refuse(&mut self, conn: ConnId, code: ErrorCode) {
        self.say_to(conn, &ServerMessage::Error(ErrorMessage::new(code, "not here")));
        self.break_up(conn);
    }

    /// Redis does not answer this node.
    pub(super) fn in_trouble(&mut self, key: u64) {
        let now = self.now;
        if let Some(node) = self.nodes.get_mut(&key).filter(|node| node.standing.trouble.is_none()) {
            node.standing.trouble = Some(now);
            self.after(LOOK_EVERY, Event::Look(key));
        }
    }

    pub(super) fn look(&mut self, key: u64) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(&key) else { return };
        if node.wire.reaches_redis(now) {
            node.standing = Standing::default();
            return;
        }
        let tell =
            node.standing.is_cut_off(now) && node.standing.told.is_none_or(|told| now >= told + TELL_EVERY);
        if tell {
            node.standing.told = Some(now);
            self.tell_cut_off(key);
        }
        self.after(LOOK_EVERY, Event::Look(key));
    }

    fn tell_cut_off(&mut self, key: u64) {
        let retry_ms = Some(TELL_EVERY.as_millis() as u64);
        let error = ErrorMessage { retry_ms, ..ErrorMessage::new(ErrorCode::Unavailable, "cut off") };
        for conn in self.nodes[&key].known() {
            self.say_to(conn, &ServerMessage::Error(error.clone()));
        }
    }
}
