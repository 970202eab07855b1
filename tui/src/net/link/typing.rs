//! Owns the word that a user is typing, on its way to the server and from it. It is worth nothing later: what cannot be
//! told at once is not told, and no answer to it is shown.

use chat_protocol::{ClientMessage, ErrorCode, ErrorMessage, Re, Request, RoomName};

use super::{Link, Output, Phase};

/// Marks it, so that its refusal is nobody else's.
const MARK: &str = "typing";

impl Link {
    pub(super) fn typing(&mut self, room: RoomName) {
        let is_in = self.rooms.get(&room).is_some_and(|known| known.wished && known.outbox.is_open());
        if self.phase == Phase::Up && is_in && !self.typing_refused {
            let message = ClientMessage::Typing { room };
            self.outputs.push_back(Output::Send(Request { re: Re::parse(MARK).ok(), message }));
        }
    }

    /// True for the answer to such a word: a server of a former release does not know it, or the room was left meanwhile.
    pub(super) fn is_typing_refused(&mut self, error: &ErrorMessage) -> bool {
        let is_answer = error.re.as_ref().is_some_and(|re| re.as_str() == MARK);
        self.typing_refused |=
            is_answer && matches!(error.code, ErrorCode::Unsupported | ErrorCode::UnknownType);
        is_answer
    }
}
