//! Owns answers that come in pages: the users of a large room, the room directory, what was found by a search. Pages are
//! asked for one after another, up to a bound, and told as one answer; what is left then is said by its `more`.

use std::collections::BTreeMap;

use chat_protocol::{
    ClientMessage, ErrorCode, ErrorMessage, Re, RoomInfo, RoomMessage, RoomName, SearchFrom, ServerMessage,
    User,
};

use super::Link;
use crate::net::event::{Moment, NetEvent};

/// Pages of one answer: the users of a room of 5,000.
const PAGES_MAX: usize = 10;
/// Answers to one search: a server lets so many come at once, which is all that a log keeps.
const SEARCHES_MAX: usize = 5;
/// Answers that are being put together.
const GATHERED_MAX: usize = 16;

/// Answers that are being put together, by the mark of the pages that are to come.
#[derive(Debug, Default)]
pub(super) struct Pages {
    gathered: BTreeMap<Re, Gathered>,
    last: u64,
}

#[derive(Debug)]
struct Gathered {
    pages: usize,
    so_far: SoFar,
}

#[derive(Debug)]
enum SoFar {
    Users(RoomName, Vec<User>, usize),
    Rooms(Vec<RoomInfo>),
    Found {
        query: String,
        room: Option<RoomName>,
        limit: Option<usize>,
        found: Vec<RoomMessage>,
        next: Option<SearchFrom>,
    },
}

/// What a page leads to.
enum Step {
    Whole(ServerMessage),
    Next(Re, ClientMessage),
}

impl Pages {
    /// The link is gone, and with it whoever would answer.
    pub(super) fn forget(&mut self) {
        self.gathered.clear();
    }

    /// A mark of its own for a question.
    pub(super) fn mark(&mut self) -> Re {
        self.last += 1;
        Re::parse(&format!("page-{}", self.last)).expect("letters and digits")
    }

    fn take(&mut self, answer: ServerMessage, question: Option<ClientMessage>) -> Step {
        let before = re_of(&answer).and_then(|re| self.gathered.remove(re));
        let pages = before.as_ref().map_or(1, |before| before.pages + 1);
        let more = is_cut(&answer);
        let so_far = match before {
            Some(before) => before.so_far.and(answer),
            None => SoFar::of(answer, question),
        };
        match so_far.question().filter(|_| more && pages < so_far.pages_max()) {
            Some(next) => {
                let re = self.mark();
                self.gathered.insert(re.clone(), Gathered { pages, so_far });
                if self.gathered.len() > GATHERED_MAX {
                    self.gathered.pop_first();
                }
                Step::Next(re, next)
            }
            None => Step::Whole(so_far.whole(more)),
        }
    }

    /// A page was refused: what came before it, where that is worth something by itself.
    fn refused(&mut self, error: &ErrorMessage) -> Option<ServerMessage> {
        let gathered = self.gathered.remove(error.re.as_ref()?)?;
        let is_found = matches!(gathered.so_far, SoFar::Found { .. }) && error.code == ErrorCode::RateLimited;
        is_found.then(|| gathered.so_far.whole(true))
    }
}

impl SoFar {
    /// The first page; of a search only the question says what was searched for.
    fn of(answer: ServerMessage, question: Option<ClientMessage>) -> Self {
        let start = match (&answer, question) {
            (ServerMessage::Who { room, .. }, _) => Self::Users(room.clone(), Vec::new(), 0),
            (ServerMessage::Search { .. }, Some(ClientMessage::Search { query, room, limit, .. })) => {
                Self::Found { query, room, limit, found: Vec::new(), next: None }
            }
            (ServerMessage::Search { .. }, _) => {
                // Nobody has asked for it: nothing to go on with.
                Self::Found {
                    query: String::new(),
                    room: None,
                    limit: Some(0),
                    found: Vec::new(),
                    next: None,
                }
            }
            _ => Self::Rooms(Vec::new()),
        };
        start.and(answer)
    }

    fn and(self, answer: ServerMessage) -> Self {
        match (self, answer) {
            (Self::Users(room, mut so_far, _), ServerMessage::Who { users, count, .. }) => {
                so_far.extend(users);
                Self::Users(room, so_far, count)
            }
            (Self::Rooms(mut so_far), ServerMessage::Rooms { rooms, .. }) => {
                so_far.extend(rooms);
                Self::Rooms(so_far)
            }
            (
                Self::Found { query, room, limit, mut found, .. },
                ServerMessage::Search { messages, next, .. },
            ) => {
                found.extend(messages);
                Self::Found { query, room, limit, found, next }
            }
            (so_far, _) => so_far,
        }
    }

    fn pages_max(&self) -> usize {
        if matches!(self, Self::Found { .. }) { SEARCHES_MAX } else { PAGES_MAX }
    }

    /// What asks for the next page; none where there is nothing to go on behind, or enough was found.
    fn question(&self) -> Option<ClientMessage> {
        match self {
            Self::Users(room, so_far, _) => {
                let after = Some(so_far.last()?.user_id.clone());
                Some(ClientMessage::Who { room: Some(room.clone()), limit: None, after })
            }
            Self::Rooms(so_far) => {
                let after = Some(so_far.last()?.room.clone());
                Some(ClientMessage::Rooms { limit: None, after })
            }
            Self::Found { query, room, limit, found, next: Some(from) } => {
                let left = limit.unwrap_or(1).saturating_sub(found.len());
                let (query, room, from) = (query.clone(), room.clone(), Some(from.clone()));
                let limit = limit.map(|_| left);
                (left > 0).then_some(ClientMessage::Search { query, room, before: None, from, limit })
            }
            Self::Found { next: None, .. } => None,
        }
    }

    fn whole(self, more: bool) -> ServerMessage {
        match self {
            Self::Users(room, users, count) => ServerMessage::Who { room, users, count, more, re: None },
            Self::Rooms(rooms) => ServerMessage::Rooms { rooms, more, re: None },
            Self::Found { room, found, next, .. } => {
                ServerMessage::Search { room, epoch: None, messages: found, more, next, re: None }
            }
        }
    }
}

fn is_cut(answer: &ServerMessage) -> bool {
    matches!(
        answer,
        ServerMessage::Who { more: true, .. }
            | ServerMessage::Rooms { more: true, .. }
            | ServerMessage::Search { more: true, .. }
    )
}

/// The mark that an answer repeats.
pub(super) fn re_of(answer: &ServerMessage) -> Option<&Re> {
    match answer {
        ServerMessage::Who { re, .. }
        | ServerMessage::Rooms { re, .. }
        | ServerMessage::Search { re, .. }
        | ServerMessage::History { re, .. }
        | ServerMessage::Left { re, .. }
        | ServerMessage::Direct { re, .. }
        | ServerMessage::UserChanged { re, .. }
        | ServerMessage::Ignored { re, .. }
        | ServerMessage::Nodes { re, .. } => re.as_ref(),
        _ => None,
    }
}

impl Link {
    /// Asks for the first page of a search. Marked from the beginning: one that was refused must not be taken for the one
    /// that is answered.
    pub(super) fn search(&mut self, now: Moment, search: ClientMessage) {
        let re = self.pages.mark();
        self.question_as(now, Some(re), search);
    }

    /// A page came, perhaps the only one.
    pub(super) fn paged(&mut self, now: Moment, answer: ServerMessage, question: Option<ClientMessage>) {
        match self.pages.take(answer, question) {
            Step::Whole(answer) => self.event(NetEvent::Answer(answer)),
            Step::Next(re, question) => self.question_as(now, Some(re), question),
        }
    }

    /// True where the error is about a page, and what came before it is told instead.
    pub(super) fn page_refused(&mut self, error: &ErrorMessage) -> bool {
        if let Some(re) = &error.re {
            self.questions.refused(re);
        }
        let so_far = self.pages.refused(error);
        so_far.map(|answer| self.event(NetEvent::Answer(answer))).is_some()
    }
}
