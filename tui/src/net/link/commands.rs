//! Owns what the front-end's wishes mean while the link is up, and while it is not.

use chat_protocol::{ClientMessage, ErrorCode, RoomName};

use super::{Link, Phase};
use crate::net::event::{Moment, NetCommand, NetEvent, OutId, OutState, Window, Words};

impl Link {
    pub(super) fn command(&mut self, now: Moment, command: NetCommand) {
        let Some(command) = self.hold_while_asking(command) else { return };
        match command {
            NetCommand::Join(room) => {
                self.wish(&room);
                if self.phase == Phase::Up {
                    self.send(ClientMessage::Join { room });
                }
            }
            NetCommand::Leave(room) => self.leave(now, room),
            NetCommand::Say { out, room, content, kind } => {
                self.say(out, room, Words { content, kind, of: None });
            }
            NetCommand::SayOf { out, room, words } => self.say(out, room, words),
            NetCommand::Topic { room, text } if self.phase == Phase::Up => {
                self.send(ClientMessage::Topic { room, text });
            }
            NetCommand::Topic { room, .. } => self.offline(Some(room)),
            NetCommand::History { room, before, limit } if self.phase == Phase::Up => {
                let (room, limit) = (Some(room), Some(limit));
                let (epoch, after, around) = (None, None, None);
                let history = ClientMessage::History { room, epoch, before, after, around, limit };
                self.question(now, history);
            }
            NetCommand::History { room, .. } => {
                // Answered all the same: whoever waits for it need not wait.
                self.event(NetEvent::History { room, messages: Vec::new(), more: true });
            }
            NetCommand::Look { room, window, limit } => {
                let (after, around) = match window {
                    Window::After(seq) => (Some(seq), None),
                    Window::Around(seq) => (None, Some(seq)),
                };
                let (asked, limit) = (Some(room.clone()), Some(limit));
                let look =
                    ClientMessage::History { room: asked, epoch: None, before: None, after, around, limit };
                match self.phase {
                    Phase::Up => self.question_as(now, Some(window.mark()), look),
                    _ => self.offline(Some(room)),
                }
            }
            NetCommand::Search { query, room, from, limit } => {
                let search = ClientMessage::Search { query, room, before: None, from, limit };
                if self.phase == Phase::Up { self.search(now, search) } else { self.offline(None) }
            }
            NetCommand::Who(room) => {
                let who = ClientMessage::Who { room: Some(room.clone()), limit: None, after: None };
                if self.phase == Phase::Up { self.question(now, who) } else { self.offline(Some(room)) }
            }
            NetCommand::Rooms => self.ask(now, ClientMessage::Rooms { limit: None, after: None }),
            NetCommand::Nodes => self.ask(now, ClientMessage::Nodes {}),
            NetCommand::Rename(name) if self.phase == Phase::Up => {
                self.ask_own(now, ClientMessage::Rename { name });
            }
            NetCommand::Rename(name) => {
                let text = format!("not connected: you are {name} as soon as the link is back");
                self.user.wanted = Some(name);
                self.event(NetEvent::Trouble { room: None, code: ErrorCode::Unavailable, text });
            }
            NetCommand::Direct(to) if self.phase == Phase::Up => {
                self.ask_own(now, ClientMessage::Direct { to });
            }
            // Asked as soon as a server can be: what is to be said there waits for it.
            NetCommand::Direct(to) => self.user.openings.push(to),
            NetCommand::Away(text) if self.phase == Phase::Up => {
                self.ask_own(now, ClientMessage::Away { text });
            }
            NetCommand::Ignore { user, off } if self.phase == Phase::Up => {
                self.ask_own(now, ClientMessage::Ignore { user, off });
            }
            NetCommand::Away(_) | NetCommand::Ignore { .. } => self.offline(None),
            NetCommand::Read { room, seq } => self.mark_read(room, seq),
            NetCommand::Typing(room) => self.typing(room),
            NetCommand::ReconnectNow => self.reconnect(now),
        }
    }

    /// Takes what has to survive whatever happens until it is in the log.
    fn say(&mut self, out: OutId, room: RoomName, words: Words) {
        self.enter_to_speak(&room);
        let entry = self.rooms.entry(room.clone()).or_default();
        entry.outbox.say(out, words);
        if self.phase != Phase::Up || !entry.outbox.is_open() {
            self.event(NetEvent::Out { out, room, state: OutState::Queued });
        }
    }

    /// What is said in a room that nobody entered yet enters it.
    fn enter_to_speak(&mut self, room: &RoomName) {
        if !self.rooms.get(room).is_some_and(|room| room.wished) {
            self.wish(room);
            if self.phase == Phase::Up {
                self.send(ClientMessage::Join { room: room.clone() });
            }
        }
    }

    fn leave(&mut self, now: Moment, room: RoomName) {
        self.order.retain(|wished| *wished != room);
        self.questions.forget_room(&room);
        let is_up = self.phase == Phase::Up;
        let (mut was_in, mut is_being_left) = (false, false);
        if let Some(left) = self.rooms.get_mut(&room) {
            was_in = std::mem::take(&mut left.wished) && is_up;
            is_being_left = left.leaving > 0;
            left.leaving += u32::from(was_in);
            left.left_early |= !is_up && left.cursor.is_replaying();
            left.outbox.close();
            left.cursor.leave();
        }
        if was_in {
            self.question(now, ClientMessage::Leave { room: Some(room) });
        } else if !is_being_left {
            // Asked to leave what was not entered, a server refuses, and that would be taken for the next join's.
            self.event(NetEvent::Left(room));
        }
    }

    fn ask(&mut self, now: Moment, message: ClientMessage) {
        if self.phase == Phase::Up { self.question(now, message) } else { self.offline(None) }
    }

    fn offline(&mut self, room: Option<RoomName>) {
        let text = "not connected: ask again when the link is back".to_owned();
        self.event(NetEvent::Trouble { room, code: ErrorCode::Unavailable, text });
    }
}
