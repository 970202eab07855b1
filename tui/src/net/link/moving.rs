//! Owns leaving a server that still answers, because it drains or cannot reach the others: make before break.
//! A second connection is dialled beside the first, which is served all the while.
//!
//! 1. *dialling*, until the second connection stands;
//! 2. *knocking*: a ping, whose answer proves that a server is at its end and not only a load balancer.
//!    Up to here nothing is lost by giving up;
//! 3. *asking*: `hello` with the places of this moment, `if_ready`. From here on the first one is not read:
//!    what it still has comes again through resume, so that nothing comes twice;
//! 4. `welcome`: the second connection is the connection. Refused: the first one goes on as if nothing had
//!    been. Neither: nobody knows which of them the servers hold for ours, and both are given up.

use std::time::Duration;

use chat_protocol::{ClientMessage, ErrorCode, Hello, RoomName, ServerMessage, Welcome, decode_server};

use super::recovery::Lost;
use super::{Happening, Link, Output, Phase};
use crate::net::backoff::SPREAD_MAX;
use crate::net::event::{DialStep, LinkState, Moment, NetCommand, NetEvent, OutState, Totals, Transport};

/// How long a server may take to answer a knock: it costs the client nothing.
const KNOCK_MAX: Duration = Duration::from_secs(2);
/// And a hello: as long the first connection is not read.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// A server that cannot reach the others is left after so long: most such troubles are over sooner.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first try falls at random within this time after that, or within the spread that the server told
/// where that is longer: all its clients were told at once.
const FIRST_TRY: Duration = Duration::from_secs(5);
/// From one try to leave a server that is cut off to the next, on average; all others may be, too.
const CUT_OFF_AGAIN: Duration = Duration::from_secs(10);
/// Where several addresses were given: from a try at one to the try at the next, shortest and longest. A place that
/// does not take this client says so at once, and says nothing of the others.
const NEXT_ADDRESS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(900));
/// From one try to leave a server that drains to the next, shortest and longest: it does not wait for long.
const DRAIN_AGAIN: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));

/// A move, as far as it is.
#[derive(Debug, Default)]
pub(super) struct Moving {
    why: Option<Why>,
    /// When to dial next; none while a try is under way.
    next: Option<Moment>,
    /// Tries of this move that have come to nothing.
    tries: usize,
    /// Which of the addresses the second connection is to.
    endpoint: usize,
    beside: Beside,
    /// A newer generation of ours was said on a second connection: being fenced may be our own doing.
    asked: bool,
    /// What the front-end wants while nobody knows which connection it is for.
    held: Vec<NetCommand>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The server goes away.
    Drain,
    /// The server cannot reach the others.
    CutOff,
}

/// The second connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Beside {
    /// There is none.
    #[default]
    None,
    /// It is being dialled: how far, and to where.
    Dialling(DialStep, String),
    /// It stands, and a ping was sent on it.
    Knocking { since: Moment, transport: Transport },
    /// Hello was sent on it.
    Asking { since: Moment, transport: Transport, before: Totals },
}

impl Moving {
    pub(super) fn is_asking(&self) -> bool {
        matches!(self.beside, Beside::Asking { .. })
    }

    /// True where this client has said hello elsewhere since the connection stands.
    pub(super) fn has_asked(&self) -> bool {
        self.asked
    }

    /// Until when the hello has to be answered.
    pub(super) fn answer_due(&self) -> Option<Moment> {
        match self.beside {
            Beside::Asking { since, .. } => Some(since + ANSWER_MAX),
            _ => None,
        }
    }

    pub(super) fn deadline(&self) -> Option<Moment> {
        match self.beside {
            Beside::None => self.next,
            // A dial has limits of its own.
            Beside::Dialling(..) => None,
            Beside::Knocking { since, .. } => Some(since + KNOCK_MAX),
            Beside::Asking { .. } => self.answer_due(),
        }
    }
}

impl Link {
    /// The server drains and says when this client is to go.
    pub(super) fn leave_drained(&mut self, now: Moment, after: Duration) {
        if self.moving.why != Some(Why::Drain) {
            self.moving.why = Some(Why::Drain);
            self.moving.next = Some(now + after);
        }
    }

    /// The server cannot reach the others since then.
    pub(super) fn leave_cut_off(&mut self, since: Moment) {
        if self.moving.why.is_none() {
            let within = FIRST_TRY.max(self.spread.min(SPREAD_MAX));
            self.moving.why = Some(Why::CutOff);
            self.moving.next = Some(since + PATIENCE + within.mul_f64(self.rng.f64()));
        }
    }

    /// The server reaches the others again: there is no reason to go, unless it drains.
    pub(super) fn stay(&mut self) {
        if self.moving.why != Some(Why::CutOff) || self.moving.is_asking() {
            return;
        }
        if self.moving.beside != Beside::None {
            self.outputs.push_back(Output::DropBeside);
        }
        self.moving = Moving { asked: self.moving.asked, ..Moving::default() };
    }

    /// The user wants to reconnect: a move that waits for its next try waits no longer.
    pub(super) fn move_now(&mut self, now: Moment) {
        if self.moving.next.is_some() {
            self.moving.next = Some(now);
            self.move_on(now);
        }
    }

    /// Something is due: a try, or the end of one.
    pub(super) fn move_on(&mut self, now: Moment) {
        if self.phase != Phase::Up || self.moving.deadline().is_none_or(|due| now < due) {
            return;
        }
        match self.moving.beside {
            Beside::None => self.dial_beside(),
            Beside::Knocking { .. } => self.try_again(now),
            Beside::Asking { .. } => self.give_up_both(now, "no answer to a move to another server"),
            Beside::Dialling(..) => {}
        }
    }

    fn dial_beside(&mut self) {
        self.moving.next = None;
        // The one that works now is tried first: there may be other servers behind it, and some addresses are only
        // guesses. Then each of the others at its turn.
        self.moving.endpoint = self.endpoint + self.moving.tries;
        let at = self.moving.endpoint % self.endpoints.len().max(1);
        let Some(endpoint) = self.endpoints.get(at).cloned() else { return };
        self.moving.beside = Beside::Dialling(DialStep::Resolving, endpoint.to_string());
        self.outputs.push_back(Output::DialBeside(endpoint));
    }

    /// Something happens on the second connection.
    pub(super) fn beside(&mut self, now: Moment, happening: Happening) {
        let is_asking = self.moving.is_asking();
        match (happening, &mut self.moving.beside) {
            (Happening::DialProgress(to_step, to_target), Beside::Dialling(step, target)) => {
                (*step, *target) = (to_step, to_target);
            }
            (Happening::Dialled { transport }, Beside::Dialling(..)) => {
                self.moving.beside = Beside::Knocking { since: now, transport };
                self.send_beside(ClientMessage::Ping { t: None });
            }
            (Happening::DialFailed(_), Beside::Dialling(..))
            | (Happening::Closed(_), Beside::Knocking { .. }) => self.try_again(now),
            (Happening::Closed(_), Beside::Asking { .. }) => {
                self.give_up_both(now, "the server to move to has hung up");
            }
            (Happening::Frame(frame), Beside::Knocking { .. } | Beside::Asking { .. }) => {
                let Ok(message) = decode_server(&frame) else { return };
                match message {
                    ServerMessage::Welcome(welcome) if is_asking => self.promote(now, &welcome),
                    // Whatever the reason, it has not taken us in: a server fences last. Where it does not know
                    // whether it has, the first connection may yet be fenced, and is then lost as any other is.
                    ServerMessage::Error(error) if error.code != ErrorCode::Fenced => self.try_again(now),
                    ServerMessage::Pong { .. } if !is_asking => self.ask_beside(now),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn send_beside(&mut self, message: ClientMessage) {
        self.outputs.push_back(Output::SendBeside(message.into()));
    }

    /// A server is at the other end: who we are, and what we have seen until now.
    fn ask_beside(&mut self, now: Moment) {
        let Beside::Knocking { transport, .. } = self.moving.beside else { return };
        let hello = Hello { if_ready: true, ..self.hello() };
        self.moving.beside = Beside::Asking { since: now, transport, before: self.totals() };
        self.moving.asked = true;
        self.outputs.push_back(Output::HoldFirst);
        self.send_beside(ClientMessage::Hello(hello));
    }

    /// This try has come to nothing, and the first connection is what it was.
    fn try_again(&mut self, now: Moment) {
        let beside = std::mem::take(&mut self.moving.beside);
        self.outputs.push_back(Output::DropBeside);
        self.moving.tries += 1;
        let tried_all = self.moving.tries.is_multiple_of(self.endpoints.len().max(1));
        let mut between =
            |(least, most): (Duration, Duration)| least + (most - least).mul_f64(self.rng.f64());
        let wait = match self.moving.why {
            Some(Why::Drain) => between(DRAIN_AGAIN),
            _ if !tried_all => between(NEXT_ADDRESS),
            // Between three and five quarters: who came together does not stay together.
            _ => CUT_OFF_AGAIN.mul_f64(0.75 + self.rng.f64() / 2.0),
        };
        self.moving.next = Some(now + wait);
        if let Beside::Asking { since, .. } = beside {
            let unread = now.saturating_sub(since);
            self.pulse.was_not_read(unread);
            self.cut_off_until = self.cut_off_until.map(|until| until + unread);
            self.take_held(now);
        }
    }

    /// Nobody knows whether the servers hold the second connection for ours by now: the first one may be
    /// closed at any time, and has been deaf for long enough.
    fn give_up_both(&mut self, now: Moment, reason: &str) {
        self.moving.beside = Beside::None;
        let held = std::mem::take(&mut self.moving.held);
        self.outputs.push_back(Output::DropBeside);
        self.hang_up(now, reason);
        held.into_iter().for_each(|command| self.command(now, command));
    }

    /// The second connection is the connection. Nothing was read since its hello was said, so that the cursors
    /// still stand where it says.
    fn promote(&mut self, now: Moment, welcome: &Welcome) {
        let Beside::Asking { since, transport, before } = std::mem::take(&mut self.moving.beside) else {
            return;
        };
        let LinkState::Online { node, .. } = &self.status.state else { return };
        let lost = Lost { from: node.clone(), at: since, before, to: None, planned: true };
        // In the middle of a recovery: it is one story.
        self.lost.get_or_insert(lost).to = None;
        self.outputs.push_back(Output::Promote);
        self.endpoint = self.moving.endpoint;
        let held = std::mem::take(&mut self.moving).held;
        self.reaches_others();
        self.interrupt_rooms();
        self.begin_replays();
        self.pulse.connected(now, transport);
        self.welcome(now, welcome);
        self.ask_again(now);
        self.moving.held = held;
        self.take_held(now);
    }

    /// The first connection is lost. What stands or is dialled beside it is all there is; the caller goes on
    /// with it.
    pub(super) fn take_beside(&mut self) -> Option<Beside> {
        let moving = std::mem::take(&mut self.moving);
        if moving.beside == Beside::None {
            return None;
        }
        self.endpoint = moving.endpoint;
        Some(moving.beside)
    }

    /// The second connection is the next try, as far as it is.
    pub(super) fn go_on_beside(&mut self, now: Moment, beside: Beside) {
        let LinkState::Down { since, attempt, .. } = self.status.state else { return };
        self.outputs.push_back(Output::Promote);
        let (step, target, stands) = match beside {
            Beside::Dialling(step, target) => (step, target, None),
            Beside::Knocking { transport, .. } => (DialStep::Hello, transport.to_string(), Some(transport)),
            // Nothing is heard of the first one then: it cannot be lost.
            Beside::None | Beside::Asking { .. } => return,
        };
        self.status.state = LinkState::Dialling { attempt, target, step, down_since: Some(since) };
        self.phase = Phase::Dialling;
        if let Some(transport) = stands {
            self.greet(now, transport);
        }
    }

    /// While nobody knows which connection it is for, what the front-end wants waits; what it says is taken,
    /// as it has to survive the end of the program. None where there is nothing to do now.
    pub(super) fn hold_while_asking(&mut self, command: NetCommand) -> Option<NetCommand> {
        if !self.moving.is_asking() {
            return Some(command);
        }
        if matches!(command, NetCommand::Typing(_)) {
            // Nobody will be typing any more when the answer is there.
            return None;
        }
        let (NetCommand::Say { room, .. } | NetCommand::SayOf { room, .. }) = &command else {
            self.moving.held.push(command);
            return None;
        };
        if self.stays_in(room) {
            return Some(command);
        }
        let held = match command.into_words() {
            Ok((out, room, words)) => {
                self.rooms.entry(room.clone()).or_default().outbox.say(out, words);
                self.event(NetEvent::Out { out, room: room.clone(), state: OutState::Queued });
                NetCommand::Join(room)
            }
            Err(command) => command,
        };
        self.moving.held.push(held);
        None
    }

    /// A room that is wished for, and not left by what waits.
    fn stays_in(&self, room: &RoomName) -> bool {
        let is_left = self.moving.held.contains(&NetCommand::Leave(room.clone()));
        !is_left && self.rooms.get(room).is_some_and(|known| known.wished)
    }

    fn take_held(&mut self, now: Moment) {
        let held = std::mem::take(&mut self.moving.held);
        held.into_iter().for_each(|command| self.command(now, command));
    }
}
