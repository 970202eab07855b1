//! Owns what the front-end's wishes mean while the link is up, and while it is not.

use chat_protocol::{ClientMessage, ErrorCode, RoomName};

use super::{Link, Phase};
use crate::net::event::{Moment, NetCommand, NetEvent, OutState};

impl Link {
    pub(super) fn command(&mut self, now: Moment, command: NetCommand) {
        match command {
            NetCommand::Join(room) => {
                self.wish(&room);
                self.ask(&room, ClientMessage::Join { room: room.clone() });
            }
            NetCommand::Leave(room) => self.leave(room),
            NetCommand::Say { out, room, content, kind } => {
                self.say(&room);
                let entry = self.rooms.entry(room.clone()).or_default();
                entry.outbox.say(out, content, kind);
                let state = if self.phase == Phase::Up && entry.outbox.is_open() {
                    OutState::Sent
                } else {
                    OutState::Queued
                };
                if state == OutState::Queued {
                    self.event(NetEvent::Out { out, room, state });
                }
            }
            NetCommand::History { room, before, limit } if self.phase == Phase::Up => {
                let (room, limit) = (Some(room), Some(limit));
                self.send(ClientMessage::History {
                    room,
                    epoch: None,
                    before,
                    after: None,
                    around: None,
                    limit,
                });
            }
            NetCommand::History { room, .. } => {
                // Answered all the same: whoever waits for it need not wait.
                self.event(NetEvent::History { room, messages: Vec::new(), more: true });
            }
            NetCommand::Who(room) => self.ask(&room.clone(), ClientMessage::Who { room: Some(room) }),
            NetCommand::Rooms => self.ask_anywhere(ClientMessage::Rooms { limit: None, after: None }),
            NetCommand::Nodes => self.ask_anywhere(ClientMessage::Nodes {}),
            NetCommand::Rename(name) => {
                self.identity.name = Some(name.clone());
                self.ask_anywhere(ClientMessage::Rename { name });
            }
            NetCommand::ReconnectNow => self.reconnect(now),
        }
    }

    /// What is said in a room that nobody entered yet enters it.
    fn say(&mut self, room: &RoomName) {
        if !self.rooms.get(room).is_some_and(|room| room.wished) {
            self.wish(room);
            if self.phase == Phase::Up {
                self.send(ClientMessage::Join { room: room.clone() });
            }
        }
    }

    fn leave(&mut self, room: RoomName) {
        self.order.retain(|wished| *wished != room);
        if let Some(left) = self.rooms.get_mut(&room) {
            left.wished = false;
            left.leaving = self.phase == Phase::Up;
            left.outbox.close();
            left.cursor.leave();
        }
        if self.phase == Phase::Up {
            self.send(ClientMessage::Leave { room: Some(room) });
        } else {
            self.event(NetEvent::Left(room));
        }
    }

    /// A question about a room, or a join: later where the link is down.
    fn ask(&mut self, room: &RoomName, message: ClientMessage) {
        let is_join = matches!(message, ClientMessage::Join { .. });
        if self.phase == Phase::Up {
            self.send(message);
        } else if !is_join {
            self.offline(Some(room.clone()));
        }
    }

    fn ask_anywhere(&mut self, message: ClientMessage) {
        if self.phase == Phase::Up { self.send(message) } else { self.offline(None) }
    }

    fn offline(&mut self, room: Option<RoomName>) {
        let text = "not connected: ask again when the link is back".to_owned();
        self.event(NetEvent::Trouble { room, code: ErrorCode::Unavailable, text });
    }
}
