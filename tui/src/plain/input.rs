//! Owns what a line of input means in plain mode: a message, a slash command, or a request of the protocol.
//! What is done about it is [`super::talk`]'s.

use chat_protocol::{
    ClientMessage, Kind, Outgoing, Re, RoomName, SearchFrom, Seq, UserName, decode_request, limits,
};

use crate::command::{self, Command};
use crate::effect::DemoCommand;
use crate::net::event::{Target, Window};

/// What there is, for people.
pub(super) const COMMANDS: &str = "/join ROOM, /leave [ROOM], /me TEXT, /reply TEXT, /edit TEXT, /delete, /topic [TEXT], /nick NAME, \
     /msg NAME [TEXT], /away [TEXT], /ignore NAME, /unignore NAME, \
     /who [ROOM], /rooms, /search [-a] [WORDS], /context NUMBER, /nodes, /quit; \
     in the demo /kill, /kill all, /revive, /withhold; //TEXT begins with a slash";

/// A line of input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// Say something.
    Say(Say),
    /// Change one's own message, or take it back.
    Change {
        /// Where; none: the current room.
        room: Option<RoomName>,
        /// Which; none: one's last there.
        of: Option<Target>,
        /// Its text from now on; none: it is taken back.
        content: Option<String>,
        /// Repeated by what is told of it.
        re: Option<Re>,
    },
    /// Say something to the last message of somebody else.
    Reply(String),
    /// What a room is about; none: it is asked for.
    Topic {
        /// Which; none: the current one.
        room: Option<RoomName>,
        /// Empty: about nothing in particular.
        text: Option<String>,
    },
    /// Enter a room, and speak there from now on.
    Join(RoomName),
    /// Leave a room; none: the current one.
    Leave(Option<RoomName>),
    /// Take another name.
    Nick(UserName),
    /// Write to a user; without a text the room is entered, and spoken in from now on.
    Message { to: String, text: Option<String>, re: Option<Re> },
    /// Away for a reason; empty: back.
    Away(String),
    /// Hide what a user says, or show it again.
    Ignore { user: String, off: bool },
    /// A room was read up to a place.
    Read { room: RoomName, seq: Seq },
    /// Who is in a room; none: the current one.
    Who(Option<RoomName>),
    /// The room directory.
    Rooms,
    /// Words in the current room, or in all rooms.
    Search { query: String, everywhere: bool },
    /// A search as a program asks for it; no room: in all.
    Find { query: String, room: Option<RoomName>, from: Option<SearchFrom>, limit: usize },
    /// On with the last search.
    SearchOn,
    /// What was said around the found message of this number.
    Context(usize),
    /// A part of a log.
    Look {
        /// Where; none: the current room.
        room: Option<RoomName>,
        /// Which part.
        window: Window,
        /// At most so many.
        limit: usize,
    },
    /// The cluster's nodes.
    Nodes,
    /// Older entries.
    History {
        /// Where; none: the current room.
        room: Option<RoomName>,
        /// Before this place; none: the newest.
        before: Option<Seq>,
        /// At most so many.
        limit: usize,
    },
    /// Break or mend the demo's cluster.
    Demo(DemoCommand),
    /// What there is.
    Help,
    /// End, when the outbox is empty.
    Quit,
}

/// Something to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Say {
    /// Where; none: the current room.
    pub(super) room: Option<RoomName>,
    /// What.
    pub(super) content: String,
    /// [`Kind::Action`] for `/me`.
    pub(super) kind: Option<Kind>,
    /// What it replies to.
    pub(super) of: Option<Target>,
    /// Repeated by what is told of it.
    pub(super) re: Option<Re>,
}

impl Say {
    /// Plain speech in the current room.
    fn text(content: &str) -> Input {
        Input::Say(Self { room: None, content: content.to_owned(), kind: None, of: None, re: None })
    }
}

/// Reads a line, by the same words as on the full screen; none for an empty one.
///
/// # Errors
/// What is wrong with it, and what is allowed.
pub(super) fn parse(line: &str) -> Result<Option<Input>, String> {
    let line = line.trim_end();
    if line.trim_start().is_empty() {
        return Ok(None);
    }
    // Whether there is a demo to break, the one who does it knows.
    let command = command::parse(line, true).map_err(|error| format!("{error}; there are {COMMANDS}"))?;
    Ok(Some(match command {
        Command::Say(text) => Say::text(&text),
        Command::Me(content) => {
            Input::Say(Say { room: None, content, kind: Some(Kind::Action), of: None, re: None })
        }
        Command::Edit(text) => Input::Change { room: None, of: None, content: Some(text), re: None },
        Command::Delete => Input::Change { room: None, of: None, content: None, re: None },
        Command::Reply(text) => Input::Reply(text),
        Command::Topic(text) => Input::Topic { room: None, text },
        Command::Join(room) => Input::Join(room),
        Command::Leave(room) => Input::Leave(room),
        Command::Nick(name) => Input::Nick(name),
        Command::Message { to, text } => Input::Message { to, text, re: None },
        Command::Away(text) => Input::Away(text),
        Command::Ignore(Some(user)) => Input::Ignore { user, off: false },
        Command::Ignore(None) => return Err("/ignore NAME hides what somebody says".into()),
        Command::Unignore(user) => Input::Ignore { user, off: true },
        Command::Who(room) => Input::Who(room),
        Command::Rooms => Input::Rooms,
        Command::Search { query, everywhere } => Input::Search { query, everywhere },
        Command::SearchOn => Input::SearchOn,
        Command::Context(number) => Input::Context(number),
        Command::Nodes => Input::Nodes,
        Command::Help => Input::Help,
        Command::Quit => Input::Quit,
        Command::Kill => Input::Demo(DemoCommand::Kill),
        Command::KillAll => Input::Demo(DemoCommand::KillAll),
        Command::Revive => Input::Demo(DemoCommand::Revive),
        Command::Withhold => Input::Demo(DemoCommand::Withhold),
        Command::Next
        | Command::Previous
        | Command::Unread
        | Command::Go(_)
        | Command::Room(_)
        | Command::Reconnect
        | Command::Link
        | Command::PaneRooms
        | Command::PaneUsers
        | Command::Bare
        | Command::Pin
        | Command::Mute
        | Command::Order(_)
        | Command::Read
        | Command::Clear
        | Command::Mouse
        | Command::Theme(_)
        | Command::Retry
        | Command::Version => {
            return Err(format!("that is for the full screen; without one there are {COMMANDS}"));
        }
    }))
}

/// Reads a line that may also be a request of the protocol, as one JSON object.
///
/// # Errors
/// What is wrong with it, and what is allowed.
pub(super) fn parse_json(line: &str) -> Result<Option<Input>, String> {
    if !line.trim_start().starts_with('{') {
        return parse(line);
    }
    let request = decode_request(line.trim().as_bytes()).map_err(|error| error.to_string())?;
    match request.message {
        ClientMessage::Message(Outgoing { content, room, kind, reply, reply_id, .. }) => {
            let of = reply.map(|seq| Target { seq, id: reply_id });
            Ok(Some(Input::Say(Say { room, content, kind, of, re: request.re })))
        }
        // The numbers are the client's own, whatever stands there.
        ClientMessage::Edit { room, seq, id, content, .. } => {
            let (room, of, re) = (Some(room), Some(Target { seq, id }), request.re);
            Ok(Some(Input::Change { room, of, content: Some(content), re }))
        }
        ClientMessage::Delete { room, seq, id, .. } => {
            let (room, of, re) = (Some(room), Some(Target { seq, id }), request.re);
            Ok(Some(Input::Change { room, of, content: None, re }))
        }
        ClientMessage::Topic { room, text } => Ok(Some(Input::Topic { room: Some(room), text: Some(text) })),
        ClientMessage::Join { room } => Ok(Some(Input::Join(room))),
        ClientMessage::Leave { room } => Ok(Some(Input::Leave(room))),
        ClientMessage::Rename { name } => Ok(Some(Input::Nick(name))),
        ClientMessage::Direct { to } => Ok(Some(Input::Message { to, text: None, re: request.re })),
        ClientMessage::Away { text } => Ok(Some(Input::Away(text))),
        ClientMessage::Ignore { user, off } => Ok(Some(Input::Ignore { user, off })),
        ClientMessage::Read { room, seq, .. } => Ok(Some(Input::Read { room, seq })),
        ClientMessage::Who { room, .. } => Ok(Some(Input::Who(room))),
        ClientMessage::Rooms { .. } => Ok(Some(Input::Rooms)),
        ClientMessage::Nodes {} => Ok(Some(Input::Nodes)),
        ClientMessage::History { room, before, after, around, limit, .. } => {
            let limit = limit.unwrap_or(limits::HISTORY_ENTRIES_DEFAULT);
            let window = after.map(Window::After).or(around.map(Window::Around));
            Ok(Some(match window.filter(|_| before.is_none()) {
                Some(window) => Input::Look { room, window, limit },
                None => Input::History { room, before, limit },
            }))
        }
        ClientMessage::Search { query, room, before, from, limit } => {
            let place = room.clone().zip(before).map(|(room, before)| SearchFrom { room, before });
            let limit = limit.unwrap_or(limits::SEARCH_FOUND_MAX);
            Ok(Some(Input::Find { query, room, from: from.or(place), limit }))
        }
        _ => Err(
            "this request is the client's own to make; yours are message, edit, delete, topic, join, leave, \
                  rename, direct, away, ignore, read, who, rooms, nodes, history, search"
                .into(),
        ),
    }
}

#[cfg(test)]
mod tests;
