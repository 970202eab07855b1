//! Owns what was asked on this connection and is not answered yet. A client that moves asks again on the next
//! one: whoever waits for an answer sees no loss of the link after which to ask anew.

use std::collections::VecDeque;
use std::time::Duration;

use chat_protocol::{ClientMessage, RoomName, ServerMessage};

use super::{Link, Phase};
use crate::net::event::{Moment, NetEvent};

/// What was not answered for so long was refused: an error does not say which question it is about.
const ASKED_KEPT: Duration = Duration::from_secs(10);
/// Most questions that are kept.
const ASKED_MAX: usize = 64;

/// Questions that wait for their answers, oldest first.
#[derive(Debug, Default)]
pub(super) struct Questions(VecDeque<(Moment, ClientMessage)>);

impl Questions {
    /// The oldest question that this answers waits no more.
    pub(super) fn answered(&mut self, answer: &ServerMessage) {
        if let Some(at) = self.0.iter().position(|(_, question)| answers(answer, question)) {
            self.0.remove(at);
        }
    }

    /// The room is left: what was asked of it nobody waits for, and asked again it would be taken for an answer to what
    /// is asked when the room is entered again.
    pub(super) fn forget_room(&mut self, left: &RoomName) {
        self.0.retain(|(_, question)| match question {
            ClientMessage::History { room, .. } | ClientMessage::Who { room, .. } => {
                room.as_ref() != Some(left)
            }
            _ => true,
        });
    }

    /// The link is gone, and whoever asked was told so.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

fn answers(answer: &ServerMessage, question: &ClientMessage) -> bool {
    match (answer, question) {
        (ServerMessage::History { room, .. }, ClientMessage::History { room: asked, .. })
        | (ServerMessage::Who { room, .. }, ClientMessage::Who { room: asked, .. })
        | (ServerMessage::Left { room, .. }, ClientMessage::Leave { room: asked }) => {
            asked.as_ref() == Some(room)
        }
        (ServerMessage::Rooms { .. }, ClientMessage::Rooms { .. })
        | (ServerMessage::Nodes { .. }, ClientMessage::Nodes {}) => true,
        _ => false,
    }
}

impl Link {
    /// Asks, and remembers that it did.
    pub(super) fn question(&mut self, now: Moment, message: ClientMessage) {
        debug_assert_eq!(self.phase, Phase::Up);
        self.questions.0.push_back((now, message.clone()));
        if self.questions.0.len() > ASKED_MAX {
            self.questions.0.pop_front();
        }
        self.send(message);
    }

    /// Asks the new server what the old one was asked and did not answer. A room that was left there is not
    /// entered here: it is left.
    pub(super) fn ask_again(&mut self, now: Moment) {
        let mut asked = std::mem::take(&mut self.questions.0);
        asked.retain(|(at, _)| now < *at + ASKED_KEPT);
        for (_, message) in asked {
            match message {
                ClientMessage::Leave { room: Some(room) } => {
                    if !self.rooms.get(&room).is_some_and(|known| known.wished) {
                        self.event(NetEvent::Left(room));
                    }
                }
                // The name it asked for was in the new hello.
                ClientMessage::Rename { .. } => {}
                question => self.question(now, question),
            }
        }
    }
}
