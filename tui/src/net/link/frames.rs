//! Owns what the server's messages mean: for the identity, for each room's cursor and outbox, and for the
//! front-end. What a server of another version says is passed over.

use std::time::Duration;

use chat_protocol::{
    Ack, ClientId, ClientMessage, Epoch, ErrorCode, ErrorMessage, Reset, Resumed, RoomMessage, RoomName,
    RoomUsers, ServerMessage, Welcome, decode_server,
};

use super::cut_off::CUT_OFF;
use super::{Link, Phase};
use crate::net::cursor::Seen;
use crate::net::event::{LinkState, Moment, NetEvent, OutState, Window};

/// Why a link is given up for a server that stays.
pub(super) const GOING_AWAY: &str = "the server is going away";

impl Link {
    pub(super) fn frame(&mut self, now: Moment, frame: &[u8]) {
        self.hear(now);
        // The server is not trusted: what is no message of the protocol is as if it were not said.
        let Ok(message) = decode_server(frame) else { return };
        if self.is_of_left_room(&message) {
            return;
        }
        if matches!(message, ServerMessage::UserChanged { .. } | ServerMessage::Ignored { .. }) {
            self.questions.answered(&message);
        }
        match message {
            ServerMessage::Welcome(welcome) => self.welcome(now, &welcome),
            ServerMessage::RoomUsers(users) => self.entered(now, users),
            ServerMessage::Message(message) => self.entry(now, message),
            ServerMessage::Ack(ack) => self.acked(now, &ack),
            ServerMessage::Resumed(resumed) => self.resumed(now, &resumed),
            ServerMessage::Reset(reset) => self.reset(now, reset),
            ServerMessage::Rewind { room, epoch, to } => {
                if let Some(known) = self.rooms.get_mut(&room) {
                    known.cursor.rewind(epoch, to);
                    known.outbox.rewound(epoch, to);
                    self.event(NetEvent::Rewound { room, to });
                }
            }
            ServerMessage::Ping { t, spread_ms } => {
                self.spread = Duration::from_millis(spread_ms);
                self.send(ClientMessage::Pong { t });
            }
            ServerMessage::Pong { t, .. } => self.ponged(now, t),
            ServerMessage::Error(error) => self.error(now, error),
            ServerMessage::Drain { reconnect_in_ms } => {
                self.leave_drained(now, Duration::from_millis(reconnect_in_ms));
            }
            ServerMessage::Typing { room, user_id, username } => {
                self.event(NetEvent::Typing { room, user_id, name: username });
            }
            ServerMessage::Presence(presence) => self.event(NetEvent::Presence(presence)),
            ServerMessage::UserChanged { .. } => self.user_changed(message),
            ServerMessage::Read { room, epoch, seq } => self.read_elsewhere(room, epoch, seq),
            ServerMessage::Ignored { users, .. } => self.event(NetEvent::Ignored(users)),
            answer => self.answer(now, answer),
        }
    }

    /// The answer to something that was asked.
    fn answer(&mut self, now: Moment, answer: ServerMessage) {
        let question = self.questions.answered(&answer);
        match answer {
            ServerMessage::Left { room, .. } => self.left(room),
            ServerMessage::History { room, epoch, messages, more, re } => {
                match re.as_ref().and_then(Window::of) {
                    Some(window) => self.event(NetEvent::Looked { room, window, epoch, messages, more }),
                    None => self.history(room, epoch, messages, more),
                }
            }
            ServerMessage::Nodes { .. } => self.event(NetEvent::Answer(answer)),
            ServerMessage::Direct { room, with, re } => self.direct(room, with, re.is_some()),
            ServerMessage::Who { .. } | ServerMessage::Rooms { .. } | ServerMessage::Search { .. } => {
                self.paged(now, answer, question);
            }
            _ => {}
        }
    }

    /// What was on its way when a room was left: it would look as if the room had been entered.
    fn is_of_left_room(&self, message: &ServerMessage) -> bool {
        let room = match message {
            ServerMessage::RoomUsers(users) => &users.room,
            ServerMessage::Message(message) => &message.room,
            ServerMessage::Resumed(resumed) => &resumed.room,
            ServerMessage::Reset(reset) => &reset.room,
            ServerMessage::Rewind { room, .. } | ServerMessage::History { room, .. } => room,
            ServerMessage::Typing { room, .. } => room,
            _ => return false,
        };
        self.rooms.get(room).is_some_and(|known| known.leaving > 0 || !known.wished)
    }

    /// What came before this word belongs to a stay that is over, also where the room is entered again behind it.
    fn left(&mut self, room: RoomName) {
        if let Some(known) = self.rooms.get_mut(&room) {
            known.outbox.close();
            known.cursor.leave();
            known.leaving = known.leaving.saturating_sub(1);
        }
        self.event(NetEvent::Left(room));
    }

    pub(super) fn welcome(&mut self, now: Moment, welcome: &Welcome) {
        (self.phase, self.typing_refused) = (Phase::Up, false);
        self.identity.session = Some(welcome.session.clone());
        if welcome.client_id != self.identity.client {
            self.become_client(welcome.client_id.clone());
        }
        let transport = self.pulse.transport;
        self.status.state = LinkState::Online {
            node: welcome.node.clone(),
            transport,
            since: now,
            heard: now,
            suspect: false,
        };
        if !welcome.ready {
            self.cannot_reach_others(now, None);
        }
        if let Some(lost) = &mut self.lost {
            lost.to = Some(welcome.node.clone());
        }
        let (user_id, name, name_wanted) =
            (welcome.user_id.clone(), welcome.name.clone(), welcome.name_wanted.clone());
        self.event(NetEvent::Welcome { user_id, name, name_wanted });
        self.welcome_user(now, welcome);
        for room in self.left_early() {
            self.question(now, ClientMessage::Leave { room: Some(room) });
        }
        for room in self.order.clone() {
            // Rooms with a place are entered by their resume entries.
            if self.rooms.get(&room).is_some_and(|known| known.wished && !known.cursor.is_replaying()) {
                self.send(ClientMessage::Join { room });
            }
        }
        self.beat(now);
    }

    /// The rooms that hello named and that were left since.
    fn left_early(&mut self) -> Vec<RoomName> {
        let left = self.rooms.iter_mut().filter_map(|(name, room)| {
            let is_left = std::mem::take(&mut room.left_early);
            room.leaving += u32::from(is_left);
            is_left.then(|| name.clone())
        });
        left.collect()
    }

    /// This client goes on under another id: its numbers begin anew, with what is not in the logs.
    fn become_client(&mut self, client: ClientId) {
        self.identity.client = client;
        self.rooms.values_mut().for_each(|room| room.outbox.renumber());
    }

    fn entered(&mut self, now: Moment, users: RoomUsers) {
        let RoomUsers { room, users, count, epoch, seq, id, last_n, topic, .. } = users;
        let Some(known) = self.rooms.get_mut(&room) else { return };
        known.cursor.enter(epoch, seq, id);
        let is_open = known.outbox.is_open();
        self.event(NetEvent::Joined { room: room.clone(), users, count, epoch, head: seq, topic });
        // While the replay runs the outbox may go: what is accepted comes behind it. Told again who is here, what was
        // sent meanwhile has its answers on the way.
        if !is_open {
            self.open(now, &room, last_n);
        }
    }

    /// The server takes messages in this room, and the log knows ours up to `last_n`.
    fn open(&mut self, now: Moment, room: &RoomName, last_n: u64) {
        let Some(known) = self.rooms.get_mut(room) else { return };
        let mut outcomes = Vec::new();
        if known.outbox.open(now, last_n, &mut outcomes) {
            for outcome in outcomes {
                self.outcome(room, outcome);
            }
            return;
        }
        // The log knows numbers that this client never gave: it never guesses, it becomes another.
        self.become_client(ClientId::random());
        self.hang_up(now, "this client's counter was lost: reconnecting as a new one");
    }

    fn entry(&mut self, now: Moment, message: RoomMessage) {
        self.reaches_others();
        let own = message.id.client == self.identity.client;
        let Some(known) = self.rooms.get_mut(&message.room) else { return };
        let seen = known.cursor.entry(message.seq, &message.id);
        let out = if own { known.outbox.out(message.id.n) } else { None };
        let epoch = known.cursor.epoch();
        let outcome =
            epoch.filter(|_| own).and_then(|epoch| known.outbox.came(now, message.id.n, epoch, message.seq));
        let room = message.room.clone();
        if let Some(outcome) = outcome {
            self.outcome(&room, outcome);
        }
        if let Seen::New(origin) = seen {
            self.event(NetEvent::Entry { message, out, origin });
        }
    }

    fn acked(&mut self, now: Moment, ack: &Ack) {
        self.reaches_others();
        let Some(known) = self.rooms.get_mut(&ack.room) else { return };
        if ack.id.client == self.identity.client
            && let Some(outcome) = known.outbox.acknowledged(now, ack)
        {
            self.outcome(&ack.room, outcome);
        }
    }

    fn resumed(&mut self, now: Moment, resumed: &Resumed) {
        let Some(known) = self.rooms.get_mut(&resumed.room) else { return };
        let passed = known.cursor.resumed(resumed);
        // The log may know less of ours than when the room was entered: never guess, send again.
        if !known.outbox.is_open() {
            self.open(now, &resumed.room, resumed.last_n);
        }
        if passed > 0 {
            let (room, code) = (Some(resumed.room.clone()), ErrorCode::Other);
            let text =
                format!("{passed} older messages of that time were not replayed: the server keeps them");
            self.event(NetEvent::Trouble { room, code, text });
        }
    }

    fn reset(&mut self, now: Moment, reset: Reset) {
        let Some(known) = self.rooms.get_mut(&reset.room) else { return };
        known.cursor.reset(&reset);
        let Reset { room, lost_from, lost_to, reason, last_n, .. } = reset;
        self.event(NetEvent::Reset { room: room.clone(), epoch: reset.epoch, lost_from, lost_to, reason });
        self.open(now, &room, last_n);
    }

    /// Older entries; what was shown already is not shown again.
    fn history(&mut self, room: RoomName, epoch: Epoch, mut messages: Vec<RoomMessage>, more: bool) {
        let Some(known) = self.rooms.get_mut(&room) else { return };
        if messages.iter().any(|message| known.cursor.contradicts(epoch, message.seq, &message.id)) {
            // Of a history that has lost, or of one that this client is about to be told of: it may be asked for again.
            return self.event(NetEvent::History { room, messages: Vec::new(), more: true });
        }
        known.cursor.older(epoch, messages.iter().map(|message| (message.seq, &message.id)));
        messages.retain(|message| known.cursor.know(epoch, message.seq, &message.id));
        self.event(NetEvent::History { room, messages, more });
    }

    fn error(&mut self, now: Moment, error: ErrorMessage) {
        if let Some(re) = &error.re {
            self.questions.refused(re);
        }
        if self.page_refused(&error) || self.is_typing_refused(&error) || self.is_marker_refused(&error) {
            return;
        }
        if error.code == ErrorCode::Unavailable && self.cut_off(now, &error) {
            return;
        }
        if error.code == ErrorCode::Fenced && self.moving.has_asked() {
            // By a newer connection of our own that came to nothing: the id is still ours alone.
            return self.hang_up(now, "a move to another server was broken off");
        }
        if error.code == ErrorCode::Fenced {
            // Another program uses this client's id: two cannot count with one counter.
            self.become_client(ClientId::random());
        }
        let room = error.room.clone();
        if error.code == ErrorCode::ShuttingDown && error.n.is_none() && room.is_none() {
            // Its last words, or it takes nobody in any more: another does.
            return self.hang_up(now, GOING_AWAY);
        }
        if error.code == ErrorCode::Forbidden
            && self.phase == Phase::Up
            && error.n.is_none()
            && error.re.is_none()
            && room.is_none()
        {
            // Its last words: another connection is better than this one.
            return self.hang_up(now, &error.message);
        }
        if error.n.is_some()
            && let Some(known) = room.as_ref().and_then(|room| self.rooms.get_mut(room))
        {
            let outcome = known.outbox.refused(now, &error);
            if let (Some(outcome), Some(room)) = (outcome, &room) {
                self.outcome(room, outcome);
            }
            return;
        }
        if let (ErrorCode::NotInRoom, Some(room)) = (error.code, &room)
            && self.rooms.get(room).is_some_and(|known| known.leaving > 0)
        {
            // It had not been entered when it was left.
            return self.left(room.clone());
        }
        if is_passing(error.code) && room.as_ref().is_some_and(|room| self.waits_for(room)) {
            // Not for long: another node may do it, or this one a little later.
            return self.hang_up(now, CUT_OFF);
        }
        self.refused_room(room.as_ref());
        self.event(NetEvent::Trouble { room, code: error.code, text: error.message });
    }

    /// A room that is wished for and not entered yet.
    fn waits_for(&self, room: &RoomName) -> bool {
        self.rooms.get(room).is_some_and(|known| known.wished && !known.outbox.is_open())
    }

    /// A room that cannot be entered is no longer wished for; what was written for it is shown as failed.
    fn refused_room(&mut self, room: Option<&RoomName>) {
        let Some((name, known)) = room.and_then(|room| self.rooms.get_mut(room).map(|known| (room, known)))
        else {
            return;
        };
        known.cursor.give_up();
        if known.outbox.is_open() {
            return;
        }
        known.wished = false;
        let waiting = known.outbox.give_up();
        let state = OutState::Failed("the room could not be entered".to_owned());
        for out in waiting {
            self.event(NetEvent::Out { out, room: name.clone(), state: state.clone() });
        }
        let name = name.clone();
        self.order.retain(|wished| *wished != name);
    }
}

/// True for what a server may do a moment later.
fn is_passing(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::Unavailable | ErrorCode::RateLimited | ErrorCode::ShuttingDown)
}
