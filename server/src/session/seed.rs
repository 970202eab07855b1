//! Owns clients that never say hello: those of the systems this one replaces, and people at a plain
//! terminal (`nc`, `telnet`). They are guests, in one room at a time, and what they type is a message.

use chat_protocol::{
    ErrorCode, ErrorMessage, Kind, Outgoing, Payload, RoomMessage, RoomName, Seq, ServerMessage, UserName,
    decode_server,
    text::{check, sanitize, sanitize_line},
};
use serde_json::Value;

use super::Session;
use crate::backbone::call;

/// Messages a guest who just arrives is shown.
const GREETING_MESSAGES: usize = 10;

/// What people at a plain terminal can type.
const HELP: &str = "commands: /join ROOM, /leave, /me TEXT, /topic [TEXT], /nick NAME, /search WORDS, /who, /rooms, /nodes, /quit; anything else is said";

impl Session {
    /// Puts a guest that has said nothing into `general` and shows it the last messages.
    pub(crate) async fn welcome_guest(&mut self) {
        if self.who.registered {
            return;
        }
        let room = RoomName::general();
        self.join(room.clone(), None).await;
        self.who.silent = true;
        // A guest may do without: what follows comes all the same.
        if let Ok(Some((_, entries))) = call(self.hub.backbone.history(&room, None, GREETING_MESSAGES)).await
        {
            for entry in entries {
                self.outbox.push(Payload::message(&room, entry.seq, &entry.id, &entry.body));
            }
        }
    }

    /// Text that is no JSON object is a message.
    pub(super) async fn plain_text(&mut self, text: &[u8]) {
        let Ok(text) = std::str::from_utf8(text) else {
            let reason = "not UTF-8: send text as UTF-8";
            return self.refuse(ErrorMessage::new(ErrorCode::BadText, reason));
        };
        match check(text) {
            Ok(content) => self.say(content.trim_end_matches('\n'), None).await,
            Err(error) => self.refuse(ErrorMessage::new(ErrorCode::BadText, format!("text {error}"))),
        }
    }

    async fn say(&mut self, content: &str, kind: Option<Kind>) {
        if !content.is_empty() {
            let message = Outgoing { content: content.to_owned(), kind, ..Outgoing::default() };
            self.message(message, None).await;
        }
    }

    /// Without a text a room's topic is told, not cleared: who asks does not know it.
    async fn typed_topic(&mut self, text: &str) {
        let room = self.current.clone().unwrap_or_else(RoomName::general);
        if !text.is_empty() {
            // A dash is how a line says nothing.
            let text = if text == "-" { "" } else { text };
            return match check(text) {
                Ok(text) => self.topic(room, &text, None).await,
                Err(error) => self.refuse(ErrorMessage::new(ErrorCode::BadText, format!("topic {error}"))),
            };
        }
        match self.topic_of(&room).await {
            Ok(topic) if topic.is_empty() => {
                self.refuse(ErrorMessage::new(ErrorCode::Other, format!("[{room}] has no topic")));
            }
            Ok(topic) => {
                let reason = format!("the topic of [{room}]: {topic}");
                self.refuse(ErrorMessage::new(ErrorCode::Other, reason));
            }
            Err(error) => self.unavailable(&error, None),
        }
    }

    /// A line typed at a plain terminal. False: the person wants to go.
    pub(crate) async fn typed(&mut self, line: &[u8]) -> bool {
        let text = String::from_utf8_lossy(line);
        let (command, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let rest = rest.trim();
        match command {
            "/join" => match RoomName::parse(rest) {
                Ok(room) => self.join(room, None).await,
                Err(error) => self.refuse(ErrorMessage::new(error.code, error.reason)),
            },
            "/leave" => self.leave(RoomName::parse(rest).ok(), None).await,
            "/nick" => match UserName::parse(rest) {
                Ok(name) => {
                    self.register_guest().await;
                    self.rename(&name, None).await;
                }
                Err(error) => self.refuse(ErrorMessage::new(error.code, error.reason)),
            },
            "/me" => self.say(rest, Some(Kind::Action)).await,
            "/topic" => self.typed_topic(rest).await,
            "/search" => self.search_typed(rest).await,
            "/who" => self.list_users(RoomName::parse(rest).ok(), (None, None), None).await,
            "/rooms" => self.directory(None, None, None).await,
            "/nodes" => self.list_nodes(None).await,
            "/quit" => return false,
            "/help" => self.refuse(ErrorMessage::new(ErrorCode::Other, HELP)),
            command if command.starts_with('/') && !command.starts_with("//") => {
                let reason = format!("unknown command {}: {HELP}", sanitize_line(command));
                self.refuse(ErrorMessage::new(ErrorCode::UnknownType, reason));
            }
            _ => {
                self.plain_text(line.strip_prefix(b"/").filter(|_| line.starts_with(b"//")).unwrap_or(line))
                    .await;
            }
        }
        true
    }
}

/// An entry of a log, as a person at a plain terminal reads it.
fn entry_as_text(message: &RoomMessage) -> String {
    let RoomMessage { room, body, .. } = message;
    let sender = sanitize_line(&body.sender);
    let content = sanitize(&body.content).replace('\n', "\n    ");
    let quote = body
        .quote
        .as_ref()
        .map(|quote| format!(" (to {}: {})", sanitize_line(&quote.sender), sanitize_line(&quote.text)));
    let quote = quote.unwrap_or_default();
    match body.kind {
        Some(Kind::Action) => format!("[{room}] * {sender}{quote} {content}"),
        Some(Kind::Edit) => format!("[{room}] {sender} (edited): {content}"),
        Some(Kind::Delete) => format!("-- {sender} deleted a message in [{room}]"),
        Some(Kind::Topic) if body.content.is_empty() => format!("-- {sender} cleared the topic of [{room}]"),
        Some(Kind::Topic) => {
            format!("-- {sender} set the topic of [{room}]: {}", sanitize_line(&body.content))
        }
        _ => format!("[{room}] {sender}{quote}: {content}"),
    }
}

/// A server's message as a person at a plain terminal reads it; none for what is of no interest there.
pub(crate) fn as_text(payload: &Payload) -> Option<String> {
    let value: Value = serde_json::from_slice(payload.json()).ok()?;
    if value["type"] == "room_users" {
        let names: Vec<&str> = value["users"].as_array()?.iter().filter_map(Value::as_str).collect();
        let topic = value["topic"].as_str().map(|topic| format!(": {}", sanitize_line(topic)));
        return Some(format!(
            "-- you are in [{}]{} with {}",
            value["room"].as_str()?,
            topic.unwrap_or_default(),
            sanitize_line(&names.join(", "))
        ));
    }
    let text = match decode_server(payload.json()).ok()? {
        ServerMessage::Message(message) => entry_as_text(&message),
        ServerMessage::UserJoined { room, username, .. } => {
            format!("-- {} joined [{room}]", sanitize_line(&username))
        }
        ServerMessage::UserLeft { room, username, .. } => {
            format!("-- {} left [{room}]", sanitize_line(&username))
        }
        ServerMessage::UserChanged { username, .. } => format!("-- you are {} now", sanitize_line(&username)),
        ServerMessage::Left { room, .. } => format!("-- you left [{room}]"),
        ServerMessage::Error(error) => format!("-- {}", sanitize_line(&error.message)),
        ServerMessage::Who { room, users, count, .. } => {
            let names: Vec<String> =
                users.iter().map(|user| format!("{} ({})", user.username, user.node)).collect();
            format!("-- {count} in [{room}]: {}", sanitize_line(&names.join(", ")))
        }
        ServerMessage::Rooms { rooms, .. } => {
            let rooms: Vec<String> =
                rooms.iter().map(|room| format!("{} ({})", room.room, room.count)).collect();
            format!("-- rooms: {}", rooms.join(", "))
        }
        ServerMessage::Search { messages, more, .. } => found_text(&messages, more),
        ServerMessage::Nodes { nodes, .. } => {
            let nodes: Vec<String> = nodes
                .iter()
                .map(|node| {
                    format!(
                        "{} ({} connections{})",
                        node.node,
                        node.connections,
                        if node.you { ", you" } else { "" }
                    )
                })
                .collect();
            format!("-- nodes: {}", nodes.join(", "))
        }
        ServerMessage::Reset(reset) => {
            let to = reset.lost_to.unwrap_or(Seq::START);
            format!("-- history of [{}] is gone: {} to {}", reset.room, reset.lost_from, to)
        }
        ServerMessage::Drain { .. } => "-- this server is going away: connect again".to_owned(),
        _ => return None,
    };
    Some(text)
}

/// What was found, the newest last, as it stands in a conversation.
fn found_text(messages: &[RoomMessage], more: bool) -> String {
    let goes_on = if more { "; /search goes on" } else { "" };
    if messages.is_empty() {
        return format!("-- nothing found{goes_on}");
    }
    let mut text = format!("-- {} found, the newest last{goes_on}", messages.len());
    for message in messages.iter().rev() {
        let at = message.body.timestamp.get(..16).unwrap_or_default().replace('T', " ");
        let (sender, content) = (sanitize_line(&message.body.sender), sanitize(&message.body.content));
        let content = content.replace('\n', "\n    ");
        text.push_str(&format!("\n   {} [{}] {sender}: {content}", sanitize_line(&at), message.room));
    }
    text
}
