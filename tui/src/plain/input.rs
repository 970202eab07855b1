//! Owns what a line of input means in plain mode: a message, a slash command, or a request of the protocol.
//! What is done about it is [`super::talk`]'s.

use chat_protocol::{ClientMessage, Kind, Outgoing, Re, RoomName, Seq, UserName, decode_request};

use crate::effect::DemoCommand;

/// What there is, for people.
pub(super) const COMMANDS: &str = "/join ROOM, /leave [ROOM], /me TEXT, /nick NAME, /who [ROOM], /rooms, /nodes, /quit; \
     in the demo /kill, /kill all, /revive, /withhold; //TEXT begins with a slash";

/// A line of input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// Say something.
    Say(Say),
    /// Enter a room, and speak there from now on.
    Join(RoomName),
    /// Leave a room; none: the current one.
    Leave(Option<RoomName>),
    /// Take another name.
    Nick(UserName),
    /// Who is in a room; none: the current one.
    Who(Option<RoomName>),
    /// The room directory.
    Rooms,
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
    /// Repeated by what is told of it.
    pub(super) re: Option<Re>,
}

impl Say {
    /// Plain speech in the current room.
    fn text(content: &str) -> Input {
        Input::Say(Self { room: None, content: content.to_owned(), kind: None, re: None })
    }
}

/// Reads a line; none for an empty one.
///
/// # Errors
/// What is wrong with it, and what is allowed.
pub(super) fn parse(line: &str) -> Result<Option<Input>, String> {
    let line = line.trim_end();
    if line.trim_start().is_empty() {
        return Ok(None);
    }
    match line.strip_prefix('/') {
        None => Ok(Some(Say::text(line))),
        Some(rest) if rest.starts_with('/') => Ok(Some(Say::text(rest))),
        Some(rest) => {
            let (word, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            command(word, argument.trim()).map(Some)
        }
    }
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
        ClientMessage::Message(Outgoing { content, room, kind, .. }) => {
            Ok(Some(Input::Say(Say { room, content, kind, re: request.re })))
        }
        ClientMessage::Join { room } => Ok(Some(Input::Join(room))),
        ClientMessage::Leave { room } => Ok(Some(Input::Leave(room))),
        ClientMessage::Rename { name } => Ok(Some(Input::Nick(name))),
        ClientMessage::Who { room } => Ok(Some(Input::Who(room))),
        ClientMessage::Rooms { .. } => Ok(Some(Input::Rooms)),
        ClientMessage::Nodes {} => Ok(Some(Input::Nodes)),
        ClientMessage::History { room, before, limit, .. } => {
            let limit = limit.unwrap_or(chat_protocol::limits::HISTORY_ENTRIES_DEFAULT);
            Ok(Some(Input::History { room, before, limit }))
        }
        _ => Err(
            "this request is the client's own to make; yours are message, join, leave, rename, who, rooms, \
                  nodes, history"
                .into(),
        ),
    }
}

fn command(word: &str, argument: &str) -> Result<Input, String> {
    let wants = |what: &str| format!("/{word} wants {what}");
    let room = || RoomName::parse(argument.trim_start_matches('#')).map_err(|error| error.to_string());
    let room_if_any = || if argument.is_empty() { Ok(None) } else { room().map(Some) };
    match word {
        "join" if argument.is_empty() => Err(wants("a room")),
        "join" => room().map(Input::Join),
        "leave" => room_if_any().map(Input::Leave),
        "me" if argument.is_empty() => Err(wants("what you do")),
        "me" => {
            let (content, kind) = (argument.to_owned(), Some(Kind::Action));
            Ok(Input::Say(Say { room: None, content, kind, re: None }))
        }
        "nick" if argument.is_empty() => Err(wants("a name")),
        "nick" => UserName::parse(argument).map(Input::Nick).map_err(|error| error.to_string()),
        "who" => room_if_any().map(Input::Who),
        "rooms" => Ok(Input::Rooms),
        "nodes" => Ok(Input::Nodes),
        "help" => Ok(Input::Help),
        "quit" => Ok(Input::Quit),
        "kill" if argument.is_empty() => Ok(Input::Demo(DemoCommand::Kill)),
        "kill" if argument == "all" => Ok(Input::Demo(DemoCommand::KillAll)),
        "kill" => Err(wants("nothing, or all")),
        "revive" => Ok(Input::Demo(DemoCommand::Revive)),
        "withhold" => Ok(Input::Demo(DemoCommand::Withhold)),
        _ => Err(format!("unknown command /{word}: {COMMANDS}")),
    }
}

#[cfg(test)]
mod tests;
