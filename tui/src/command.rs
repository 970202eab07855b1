//! Owns what a line that begins with a slash means. An unknown command is never sent as text; `//text` is text that
//! begins with a slash. Knows nothing of how commands are done.

use chat_protocol::{RoomName, UserName};

use crate::app::rooms::Order;
use crate::app::text::clean_line;
use crate::nearest::nearest;

/// A line of input, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Not a command: said as it is.
    Say(String),
    Me(String),
    /// Another text for the chosen message, or one's last.
    Edit(String),
    /// Takes it back.
    Delete,
    /// Answers the chosen message.
    Reply(String),
    /// Tells what the room is about, or says it anew.
    Topic(Option<String>),
    Join(RoomName),
    Leave(Option<RoomName>),
    Nick(UserName),
    /// Writes to a user; without a text the conversation is shown.
    Message {
        to: String,
        text: Option<String>,
    },
    /// Away for a reason; without one: back.
    Away(String),
    /// Hides what a user says; without one: who is ignored.
    Ignore(Option<String>),
    Unignore(String),
    Who(Option<RoomName>),
    Rooms,
    /// In the room shown, or in all that were entered.
    Search {
        query: String,
        everywhere: bool,
    },
    /// On with the last search.
    SearchOn,
    /// What was said around the found message of this number.
    Context(usize),
    Nodes,
    Help,
    Next,
    Previous,
    Unread,
    /// The quick switcher, or a room at once.
    Go(Option<String>),
    /// The room of this number, from 1.
    Room(usize),
    Reconnect,
    Link,
    PaneRooms,
    PaneUsers,
    Bare,
    /// The room shown stands before others, or no longer.
    Pin,
    /// It calls nobody, or does again.
    Mute,
    Order(Order),
    /// Everything in all rooms was read.
    Read,
    Clear,
    Mouse,
    /// Another theme; without a name: which there are.
    Theme(Option<String>),
    Retry,
    Version,
    Quit,
    Kill,
    KillAll,
    Revive,
    Withhold,
}

/// What help says of a command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static str,
    pub(crate) what: &'static str,
    /// Only in the demo.
    pub(crate) demo: bool,
}

const fn entry(name: &'static str, arguments: &'static str, what: &'static str) -> Entry {
    Entry { name, arguments, what, demo: false }
}

const fn demo(name: &'static str, arguments: &'static str, what: &'static str) -> Entry {
    Entry { name, arguments, what, demo: true }
}

/// Every command there is.
pub(crate) const COMMANDS: &[Entry] = &[
    entry("join", "ROOM", "enter a room"),
    entry("leave", "[ROOM]", "leave it"),
    entry("me", "TEXT", "say what you do"),
    entry("edit", "TEXT", "change your last message, or the chosen one"),
    entry("delete", "", "take it back"),
    entry("reply", "TEXT", "answer the chosen message"),
    entry("topic", "[TEXT]", "what the room is about; - for nothing"),
    entry("nick", "NAME", "take another name"),
    entry("msg", "NAME [TEXT]", "write to somebody alone"),
    entry("away", "[TEXT]", "be away; alone: be back"),
    entry("ignore", "[NAME]", "hide what somebody says; alone: who is ignored"),
    entry("unignore", "NAME", "show it again"),
    entry("who", "[ROOM]", "who is here, and on which node"),
    entry("rooms", "", "all rooms"),
    entry("search", "[-a] [WORDS]", "find words (-a everywhere); alone: goes on"),
    entry("context", "NUMBER", "what was said around a found message"),
    entry("nodes", "", "the cluster's nodes"),
    entry("next", "", "next room"),
    entry("prev", "", "previous room"),
    entry("unread", "", "next mention or unread room"),
    entry("go", "[ROOM]", "switch quickly; /1 to /9 by number"),
    entry("read", "", "mark all rooms read"),
    entry("pin", "", "list the room first (+); again: no longer"),
    entry("mute", "", "it calls no more (-); again: it does"),
    entry("order", "joined|name|activity", "of the rooms"),
    entry("reconnect", "", "dial now"),
    entry("link", "", "the link panel"),
    entry("pane", "rooms|users", "show or hide a pane"),
    entry("bare", "", "only the messages, for copying"),
    entry("retry", "", "take a failed message back into the input"),
    entry("clear", "", "empty this screen; nothing else is lost"),
    entry("theme", "[NAME]", "other colours; alone: which there are"),
    entry("mouse", "", "the mouse scrolls, or is the terminal's"),
    entry("version", "", "what this is"),
    entry("help", "", "this"),
    entry("quit", "", "leave the program"),
    demo("kill", "[all]", "demo: kill your node, or all"),
    demo("revive", "", "demo: bring dead nodes back"),
    demo("withhold", "", "demo: withhold a message: counted as lost"),
];

/// The line that says a text again: the other way round.
pub(crate) fn retyped(text: &str, is_action: bool) -> String {
    match is_action {
        true => format!("/me {text}"),
        false if text.starts_with('/') => format!("/{text}"),
        false => text.to_owned(),
    }
}

/// Commands of later versions: said to be missing rather than unknown.
const LATER: &[&str] = &["invite", "kick", "ban", "todo"];

/// Why a line is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CommandError {
    /// There is none of that name; perhaps this one was meant.
    Unknown { name: String, nearest: Option<&'static str> },
    /// It comes with a later version.
    Later(String),
    /// It is used differently.
    Usage(String),
}

impl std::fmt::Display for CommandError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown { name, nearest: Some(nearest) } => {
                write!(f, "no command /{name}: did you mean /{nearest}? (//{name} sends it as text)")
            }
            Self::Unknown { name, nearest: None } => {
                write!(f, "no command /{name}: F1 lists them (//{name} sends it as text)")
            }
            Self::Later(name) => write!(f, "this version does not have /{name} yet; your text is kept"),
            Self::Usage(text) => f.write_str(text),
        }
    }
}

/// Understands a line.
///
/// # Errors
/// [`CommandError`] says what to do instead.
pub(crate) fn parse(line: &str, has_demo: bool) -> Result<Command, CommandError> {
    let Some(command) = line.strip_prefix('/') else { return Ok(Command::Say(line.to_owned())) };
    if command.starts_with('/') {
        return Ok(Command::Say(command.to_owned()));
    }
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let (name, rest) = (name.to_lowercase(), rest.trim());
    if let Ok(number @ 1..) = name.parse() {
        return Ok(Command::Room(number));
    }
    let known = COMMANDS.iter().find(|entry| entry.name == name && (has_demo || !entry.demo));
    match known {
        Some(entry) => arguments(entry, rest),
        None if LATER.contains(&name.as_str()) => Err(CommandError::Later(name)),
        None => Err(unknown(&name, has_demo)),
    }
}

fn arguments(entry: &Entry, rest: &str) -> Result<Command, CommandError> {
    let usage = || CommandError::Usage(format!("usage: /{} {}", entry.name, entry.arguments));
    let optional = || (!rest.is_empty()).then(|| room(rest)).transpose();
    Ok(match entry.name {
        "join" if rest.is_empty() => return Err(usage()),
        "join" => Command::Join(room(rest)?),
        "leave" => Command::Leave(optional()?),
        "me" if rest.is_empty() => return Err(usage()),
        "me" => Command::Me(rest.to_owned()),
        "edit" | "reply" if rest.is_empty() => return Err(usage()),
        "edit" => Command::Edit(rest.to_owned()),
        "reply" => Command::Reply(rest.to_owned()),
        "topic" => Command::Topic(topic(rest)),
        "msg" | "unignore" if rest.is_empty() => return Err(usage()),
        "msg" => {
            let (to, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            let text = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            Command::Message { to: to.trim_start_matches('@').to_owned(), text }
        }
        "away" => Command::Away(rest.to_owned()),
        "ignore" => Command::Ignore((!rest.is_empty()).then(|| rest.trim_start_matches('@').to_owned())),
        "unignore" => Command::Unignore(rest.trim_start_matches('@').to_owned()),
        "nick" if rest.is_empty() => return Err(usage()),
        "nick" => Command::Nick(UserName::parse(rest).map_err(|e| CommandError::Usage(e.to_string()))?),
        "who" => Command::Who(optional()?),
        "search" => search(rest).ok_or_else(usage)?,
        "context" => Command::Context(rest.parse().ok().filter(|number| *number > 0).ok_or_else(usage)?),
        "theme" => Command::Theme((!rest.is_empty()).then(|| rest.to_owned())),
        "go" => Command::Go((!rest.is_empty()).then(|| rest.trim_start_matches('#').to_owned())),
        "pane" => match rest {
            "rooms" => Command::PaneRooms,
            "users" => Command::PaneUsers,
            "link" => Command::Link,
            _ => return Err(usage()),
        },
        "order" => Command::Order(match rest {
            "joined" => Order::Joined,
            "name" => Order::Name,
            "activity" => Order::Activity,
            _ => return Err(usage()),
        }),
        "kill" => match rest {
            "" => Command::Kill,
            "all" => Command::KillAll,
            _ => return Err(usage()),
        },
        name => plain(name).ok_or_else(usage)?,
    })
}

/// None where there is an option without words.
fn search(rest: &str) -> Option<Command> {
    let everywhere =
        rest.strip_prefix("-a").filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    let query = everywhere.unwrap_or(rest).trim();
    match (query.is_empty(), everywhere.is_some()) {
        (true, true) => None,
        (true, false) => Some(Command::SearchOn),
        (false, everywhere) => Some(Command::Search { query: query.to_owned(), everywhere }),
    }
}

fn plain(name: &str) -> Option<Command> {
    Some(match name {
        "delete" => Command::Delete,
        "rooms" => Command::Rooms,
        "nodes" => Command::Nodes,
        "next" => Command::Next,
        "prev" => Command::Previous,
        "unread" => Command::Unread,
        "read" => Command::Read,
        "pin" => Command::Pin,
        "mute" => Command::Mute,
        "reconnect" => Command::Reconnect,
        "link" => Command::Link,
        "mouse" => Command::Mouse,
        "retry" => Command::Retry,
        "bare" => Command::Bare,
        "clear" => Command::Clear,
        "version" => Command::Version,
        "help" => Command::Help,
        "quit" => Command::Quit,
        "revive" => Command::Revive,
        "withhold" => Command::Withhold,
        _ => return None,
    })
}

/// None: it is asked for. A dash is how a line says nothing.
fn topic(text: &str) -> Option<String> {
    match text {
        "" => None,
        "-" => Some(String::new()),
        text => Some(text.to_owned()),
    }
}

fn room(text: &str) -> Result<RoomName, CommandError> {
    let name = RoomName::parse(text.trim_start_matches('#'));
    name.map_err(|error| CommandError::Usage(error.to_string()))
}

fn unknown(name: &str, has_demo: bool) -> CommandError {
    let known = COMMANDS.iter().filter(|entry| has_demo || !entry.demo).map(|entry| entry.name);
    CommandError::Unknown { name: clean_line(name), nearest: nearest(name, known) }
}

#[cfg(test)]
mod tests;
