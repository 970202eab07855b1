//! Owns what was asked on this connection and is not answered yet. A client that moves asks again on the next
//! one: whoever waits for an answer sees no loss of the link after which to ask anew.

use std::collections::VecDeque;
use std::time::Duration;

use chat_protocol::{ClientMessage, Re, Request, RoomName, ServerMessage};

use super::pages::re_of;
use super::{Link, Output, Phase};
use crate::net::event::{Moment, NetEvent};

/// What was not answered for so long was refused: an error does not say which question it is about.
const ASKED_KEPT: Duration = Duration::from_secs(10);
/// Most questions that are kept.
const ASKED_MAX: usize = 64;

/// Questions that wait for their answers, oldest first.
#[derive(Debug, Default)]
pub(super) struct Questions(VecDeque<(Moment, Request)>);

impl Questions {
    /// The oldest question that this answers waits no more: which it was.
    pub(super) fn answered(&mut self, answer: &ServerMessage) -> Option<ClientMessage> {
        let re = re_of(answer);
        let is_asked =
            |(_, asked): &(Moment, Request)| asked.re.as_ref() == re && answers(answer, &asked.message);
        let at = self.0.iter().position(is_asked)?;
        self.0.remove(at).map(|(_, asked)| asked.message)
    }

    /// What was asked under this mark is not answered any more.
    pub(super) fn refused(&mut self, re: &Re) {
        self.0.retain(|(_, asked)| asked.re.as_ref() != Some(re));
    }

    /// The room is left: what was asked of it nobody waits for, and asked again it would be taken for an answer to what
    /// is asked when the room is entered again.
    pub(super) fn forget_room(&mut self, left: &RoomName) {
        self.0.retain(|(_, asked)| match &asked.message {
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
        (ServerMessage::Search { room, .. }, ClientMessage::Search { room: asked, .. }) => asked == room,
        (ServerMessage::Rooms { .. }, ClientMessage::Rooms { .. })
        | (ServerMessage::UserChanged { .. }, ClientMessage::Rename { .. } | ClientMessage::Away { .. })
        | (ServerMessage::Ignored { .. }, ClientMessage::Ignore { .. })
        | (ServerMessage::Direct { .. }, ClientMessage::Direct { .. })
        | (ServerMessage::Nodes { .. }, ClientMessage::Nodes {}) => true,
        _ => false,
    }
}

impl Link {
    /// Asks, and remembers that it did.
    pub(super) fn question(&mut self, now: Moment, message: ClientMessage) {
        self.question_as(now, None, message);
    }

    /// The same under a mark that the answer repeats.
    pub(super) fn question_as(&mut self, now: Moment, re: Option<Re>, message: ClientMessage) {
        debug_assert_eq!(self.phase, Phase::Up);
        let asked = Request { re, message };
        self.questions.0.push_back((now, asked.clone()));
        if self.questions.0.len() > ASKED_MAX {
            self.questions.0.pop_front();
        }
        self.outputs.push_back(Output::Send(asked));
    }

    /// Asks the new server what the old one was asked and did not answer. A room that was left there is not
    /// entered here: it is left.
    pub(super) fn ask_again(&mut self, now: Moment) {
        let mut asked = std::mem::take(&mut self.questions.0);
        asked.retain(|(at, _)| now < *at + ASKED_KEPT);
        for (_, Request { re, message }) in asked {
            match message {
                ClientMessage::Leave { room: Some(room) } => {
                    if !self.rooms.get(&room).is_some_and(|known| known.wished) {
                        self.event(NetEvent::Left(room));
                    }
                }
                question => self.question_as(now, re, question),
            }
        }
    }
}
