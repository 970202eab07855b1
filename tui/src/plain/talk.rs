//! Owns the state of a plain session: the current room, what was said and not acknowledged, the link as it
//! is. Pure: input lines and network events in, commands out. How it looks is not known here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chat_protocol::{
    ErrorCode, Kind, Person, Re, RoomName, SearchFrom, Seq, ServerMessage, text::sanitize_line,
};

use super::input::{COMMANDS, Input, Say};
use super::recent::Recent;
use crate::effect::DemoCommand;
use crate::net::event::{
    LinkState, LinkStatus, NetCommand, NetEvent, OutId, OutState, Target, Window, Words,
};

/// Messages found that are shown at once.
const FOUND_SHOWN: usize = 20;
/// Messages shown around one.
const CONTEXT_SHOWN: usize = 11;

/// What a line of input leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// For the network.
    Net(NetCommand),
    /// For the demo's cluster.
    Demo(DemoCommand),
    /// For the person who wrote it.
    Print(String),
    /// The line makes no sense.
    Refuse(String),
    /// End, when the outbox is empty.
    Quit,
}

/// A message written here and not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) content: String,
    pub(super) re: Option<Re>,
    /// It was shown as queued, so its delivery is shown too.
    pub(super) was_queued: bool,
}

/// The last search, for going on.
#[derive(Debug, Default)]
struct Search {
    query: String,
    room: Option<RoomName>,
    next: Option<SearchFrom>,
    /// Where what was found last stands, the newest first.
    found: Vec<(RoomName, Seq)>,
}

#[derive(Debug)]
pub(super) struct Talk {
    room: RoomName,
    joined: BTreeSet<RoomName>,
    said: BTreeMap<OutId, Said>,
    recent: Recent,
    /// As they came: not sanitized.
    topics: BTreeMap<RoomName, String>,
    /// Rooms of two, by the name of the other one in small letters.
    direct: BTreeMap<String, RoomName>,
    /// What is to be said in rooms of two that were asked for, in order.
    openings: VecDeque<Option<(String, Option<Re>)>>,
    /// What an event has led to.
    due: Vec<NetCommand>,
    next_out: u64,
    asked: usize,
    search: Search,
    status: LinkStatus,
    has_demo: bool,
}

/// Whether there is a cluster to break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cluster {
    Demo,
    Remote,
}

impl Talk {
    pub(super) fn new(room: RoomName, cluster: Cluster) -> Self {
        Self {
            room,
            joined: BTreeSet::new(),
            said: BTreeMap::new(),
            recent: Recent::default(),
            topics: BTreeMap::new(),
            direct: BTreeMap::new(),
            openings: VecDeque::new(),
            due: Vec::new(),
            next_out: 0,
            asked: 0,
            search: Search::default(),
            status: LinkStatus::default(),
            has_demo: cluster == Cluster::Demo,
        }
    }

    pub(super) fn is_joined(&self, room: &RoomName) -> bool {
        self.joined.contains(room)
    }

    pub(super) fn status(&self) -> &LinkStatus {
        &self.status
    }

    pub(super) fn is_online(&self) -> bool {
        matches!(self.status.state, LinkState::Online { .. })
    }

    /// Messages that are not acknowledged, those of an earlier run included.
    pub(super) fn undelivered(&self) -> usize {
        self.said.len().max(self.status.queued)
    }

    /// True when nothing that was written here waits for anything.
    pub(super) fn is_settled(&self) -> bool {
        self.undelivered() == 0 && self.asked == 0 && self.openings.is_empty()
    }

    pub(super) fn input(&mut self, input: Input) -> Effect {
        match input {
            Input::Say(say) => self.say(say),
            Input::Change { room, of, content, re } => {
                let room = self.or_current(room);
                match of.or_else(|| self.recent.own(&room)) {
                    Some(of) => self.change((room, of), content, re),
                    None => Effect::Refuse(format!("nothing of yours was said in {room} since you are here")),
                }
            }
            Input::Reply(content) => match self.recent.others(&self.room) {
                Some(of) => self.say(Say { room: None, content, kind: None, of: Some(of), re: None }),
                None => Effect::Refuse("nobody else has said anything here since you came".into()),
            },
            Input::Topic { room, text: Some(text) } => {
                Effect::Net(NetCommand::Topic { room: self.or_current(room), text })
            }
            Input::Topic { room, text: None } => {
                let room = self.or_current(room);
                let topic = self.topics.get(&room).filter(|topic| !topic.is_empty());
                Effect::Print(match topic {
                    Some(topic) => format!("[{room}] {}", sanitize_line(topic)),
                    None => format!("[{room}] has no topic"),
                })
            }
            Input::Join(room) => {
                self.room = room.clone();
                Effect::Net(NetCommand::Join(room))
            }
            Input::Leave(room) => Effect::Net(NetCommand::Leave(self.or_current(room))),
            Input::Nick(name) => Effect::Net(NetCommand::Rename(name)),
            Input::Message { to, text, re } => self.message(to, text, re),
            Input::Away(text) => Effect::Net(NetCommand::Away(text)),
            Input::Ignore { user, off } => Effect::Net(NetCommand::Ignore { user, off }),
            Input::Read { room, seq } => Effect::Net(NetCommand::Read { room, seq }),
            Input::Who(room) => self.ask(NetCommand::Who(self.or_current(room))),
            Input::Rooms => self.ask(NetCommand::Rooms),
            Input::Nodes => self.ask(NetCommand::Nodes),
            Input::Search { query, everywhere } => {
                let room = (!everywhere).then(|| self.room.clone());
                self.find((query, room), None, FOUND_SHOWN)
            }
            Input::Find { query, room, from, limit } => self.find((query, room), from, limit),
            Input::SearchOn => self.search_on(),
            Input::Context(number) => self.context(number),
            Input::Look { room, window, limit } => {
                self.ask(NetCommand::Look { room: self.or_current(room), window, limit })
            }
            Input::History { room, before, limit } => {
                self.ask(NetCommand::History { room: self.or_current(room), before, limit })
            }
            Input::Demo(command) if self.has_demo => Effect::Demo(command),
            Input::Demo(_) => Effect::Refuse("that is for the demo: start with --demo".into()),
            Input::Help => Effect::Print(COMMANDS.into()),
            Input::Quit => Effect::Quit,
        }
    }

    /// Takes an event in. Gives the message it is about, where it was written here; one that is settled by
    /// it is forgotten.
    pub(super) fn event(&mut self, event: &NetEvent) -> Option<Said> {
        self.recent.event(event);
        match event {
            NetEvent::Link(status) => self.status = status.clone(),
            NetEvent::Direct { room, with, asked } => self.opened(room, with, *asked),
            NetEvent::Own { rooms, .. } => {
                let known = rooms.iter().filter_map(|room| Some((room.with.as_ref()?, &room.room)));
                self.direct.extend(known.map(|(with, room)| (with.username.to_lowercase(), room.clone())));
            }
            NetEvent::Joined { room, topic, .. } => {
                self.joined.insert(room.clone());
                self.topics.insert(room.clone(), topic.clone());
            }
            NetEvent::Entry { message, .. } if message.body.kind == Some(Kind::Topic) => {
                self.topics.insert(message.room.clone(), message.body.content.clone());
            }
            NetEvent::Left(room) => self.left(room),
            NetEvent::Answer(answer) => {
                self.asked = self.asked.saturating_sub(1);
                if let ServerMessage::Search { messages, next, .. } = answer {
                    let places = messages.iter().map(|message| (message.room.clone(), message.seq));
                    self.search.found = places.collect();
                    self.search.next.clone_from(next);
                }
            }
            NetEvent::History { .. }
            | NetEvent::Looked { .. }
            | NetEvent::Trouble { code: ErrorCode::BadQuery, .. } => {
                self.asked = self.asked.saturating_sub(1);
            }
            // A link that is lost forgets what was asked.
            NetEvent::Trouble { room: None, .. } => drop(self.openings.pop_front()),
            NetEvent::Out { out, state, .. } => return self.out(*out, state),
            _ => {}
        }
        None
    }

    fn say(&mut self, Say { room, content, kind, of, re }: Say) -> Effect {
        let (out, room) = (self.remember(&content, re), self.or_current(room));
        Effect::Net(match of {
            None => NetCommand::Say { out, room, content, kind },
            Some(_) => NetCommand::SayOf { out, room, words: Words { content, kind, of } },
        })
    }

    fn change(&mut self, (room, of): (RoomName, Target), content: Option<String>, re: Option<Re>) -> Effect {
        let kind = Some(if content.is_some() { Kind::Edit } else { Kind::Delete });
        let words = Words { content: content.unwrap_or_default(), kind, of: Some(of) };
        let shown = if words.content.is_empty() { "deleting a message" } else { &words.content };
        Effect::Net(NetCommand::SayOf { out: self.remember(shown, re), room, words })
    }

    fn find(&mut self, what: (String, Option<RoomName>), from: Option<SearchFrom>, limit: usize) -> Effect {
        let (query, room) = what;
        self.search = Search { query: query.clone(), room: room.clone(), ..Search::default() };
        self.ask(NetCommand::Search { query, room, from, limit: Some(limit) })
    }

    fn search_on(&mut self) -> Effect {
        let Some(from) = self.search.next.take() else {
            return Effect::Refuse("no search to go on with: /search WORDS begins one".into());
        };
        let (query, room) = (self.search.query.clone(), self.search.room.clone());
        self.ask(NetCommand::Search { query, room, from: Some(from), limit: Some(FOUND_SHOWN) })
    }

    fn context(&mut self, number: usize) -> Effect {
        match number.checked_sub(1).and_then(|index| self.search.found.get(index)).cloned() {
            Some((room, seq)) => {
                self.ask(NetCommand::Look { room, window: Window::Around(seq), limit: CONTEXT_SHOWN })
            }
            None => Effect::Refuse(format!("no message {number} was found: /search WORDS first")),
        }
    }

    /// What was written here and is to be answered for.
    fn remember(&mut self, content: &str, re: Option<Re>) -> OutId {
        self.next_out += 1;
        let out = OutId(self.next_out);
        self.said.insert(out, Said { content: content.to_owned(), re, was_queued: false });
        out
    }

    fn ask(&mut self, command: NetCommand) -> Effect {
        self.asked += 1;
        Effect::Net(command)
    }

    /// Writes to a user: in the room there is, or in one that is asked for.
    fn message(&mut self, to: String, text: Option<String>, re: Option<Re>) -> Effect {
        match (self.direct.get(&to.to_lowercase()).cloned(), text) {
            (Some(room), Some(content)) => {
                self.say(Say { room: Some(room), content, kind: None, of: None, re })
            }
            (Some(room), None) => {
                self.room = room.clone();
                Effect::Net(NetCommand::Join(room))
            }
            (None, text) => {
                self.openings.push_back(text.map(|text| (text, re)));
                Effect::Net(NetCommand::Direct(to))
            }
        }
    }

    /// A room of two is open.
    fn opened(&mut self, room: &RoomName, with: &Person, asked: bool) {
        // Where the room is known, the other one has another name now.
        self.direct.retain(|_, known| known != room);
        self.direct.insert(with.username.to_lowercase(), room.clone());
        if !asked {
            return;
        }
        match self.openings.pop_front().flatten() {
            None => self.room = room.clone(),
            Some((content, re)) => {
                let say = Say { room: Some(room.clone()), content, kind: None, of: None, re };
                if let Effect::Net(command) = self.say(say) {
                    self.due.push(command);
                }
            }
        }
    }

    /// What an event has led to, for the network.
    pub(super) fn take_due(&mut self) -> Vec<NetCommand> {
        std::mem::take(&mut self.due)
    }

    fn or_current(&self, room: Option<RoomName>) -> RoomName {
        room.unwrap_or_else(|| self.room.clone())
    }

    fn left(&mut self, room: &RoomName) {
        self.joined.remove(room);
        if let (true, Some(other)) = (self.room == *room, self.joined.first()) {
            self.room = other.clone();
        }
    }

    fn out(&mut self, out: OutId, state: &OutState) -> Option<Said> {
        match state {
            OutState::Acked | OutState::Failed(_) => self.said.remove(&out),
            OutState::Queued | OutState::Sent => {
                let said = self.said.get_mut(&out)?;
                let before = said.clone();
                said.was_queued |= *state == OutState::Queued;
                Some(before)
            }
        }
    }
}

#[cfg(test)]
mod tests;
