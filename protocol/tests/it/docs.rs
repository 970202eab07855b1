//! Holds docs/protocol.md against the code: each example is a message of its direction, keeps every field on
//! its way through the types, and no type or error code is without its place.

use std::collections::BTreeSet;

use chat_protocol::{ClientMessage, ErrorCode, ServerMessage, decode_request, decode_server};
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Client,
    Server,
}

/// A line of a block fenced with `json client` or `json server`.
struct Example {
    line: usize,
    direction: Direction,
    text: String,
}

fn page() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol.md")).unwrap()
}

fn examples() -> Vec<Example> {
    let mut direction = None;
    let mut found = Vec::new();
    for (index, text) in page().lines().enumerate() {
        match text {
            "```json client" => direction = Some(Direction::Client),
            "```json server" => direction = Some(Direction::Server),
            "```" => direction = None,
            _ if text.starts_with("```") => panic!("line {}: a block without a direction", index + 1),
            _ => found.extend(direction.map(|direction| Example {
                line: index + 1,
                direction,
                text: text.to_owned(),
            })),
        }
    }
    found
}

fn of(direction: Direction) -> impl Iterator<Item = Example> {
    examples().into_iter().filter(move |example| example.direction == direction)
}

/// The `type` of a server's message. A new message does not compile without a line here and in [`SERVER_TYPES`].
fn type_of(message: &ServerMessage) -> &'static str {
    match message {
        ServerMessage::Connection(_) => "connection",
        ServerMessage::Welcome(_) => "welcome",
        ServerMessage::RoomUsers(_) => "room_users",
        ServerMessage::Presence(_) => "presence",
        ServerMessage::UserJoined { .. } => "user_joined",
        ServerMessage::UserLeft { .. } => "user_left",
        ServerMessage::Message(_) => "message",
        ServerMessage::Ack(_) => "ack",
        ServerMessage::Resumed(_) => "resumed",
        ServerMessage::Reset(_) => "reset",
        ServerMessage::Rewind { .. } => "rewind",
        ServerMessage::History { .. } => "history",
        ServerMessage::Search { .. } => "search",
        ServerMessage::Typing { .. } => "typing",
        ServerMessage::Read { .. } => "read",
        ServerMessage::Ignored { .. } => "ignored",
        ServerMessage::UserChanged { .. } => "user_changed",
        ServerMessage::Left { .. } => "left",
        ServerMessage::Direct { .. } => "direct",
        ServerMessage::Rooms { .. } => "rooms",
        ServerMessage::Who { .. } => "who",
        ServerMessage::Nodes { .. } => "nodes",
        ServerMessage::Todos { .. } => "todos",
        ServerMessage::Invited { .. } => "invited",
        ServerMessage::Kicked { .. } => "kicked",
        ServerMessage::Drain { .. } => "drain",
        ServerMessage::Error(_) => "error",
        ServerMessage::Ping { .. } => "ping",
        ServerMessage::Pong { .. } => "pong",
        ServerMessage::Unknown => "unknown",
    }
}

const SERVER_TYPES: [&str; 29] = [
    "connection",
    "welcome",
    "room_users",
    "presence",
    "user_joined",
    "user_left",
    "message",
    "ack",
    "resumed",
    "reset",
    "rewind",
    "history",
    "search",
    "typing",
    "read",
    "ignored",
    "user_changed",
    "left",
    "direct",
    "rooms",
    "who",
    "nodes",
    "todos",
    "invited",
    "kicked",
    "drain",
    "error",
    "ping",
    "pong",
];

const ERROR_CODES: [ErrorCode; 18] = [
    ErrorCode::BadJson,
    ErrorCode::UnknownType,
    ErrorCode::BadName,
    ErrorCode::BadRoom,
    ErrorCode::BadText,
    ErrorCode::TooLong,
    ErrorCode::Forbidden,
    ErrorCode::NotInRoom,
    ErrorCode::NReused,
    ErrorCode::RateLimited,
    ErrorCode::Unavailable,
    ErrorCode::OutOfOrder,
    ErrorCode::Unauthorized,
    ErrorCode::TooManyRooms,
    ErrorCode::ShuttingDown,
    ErrorCode::Fenced,
    ErrorCode::Unsupported,
    ErrorCode::Other,
];

/// Every field of `example` is in `encoded`, with the same value: a misspelled one would have been ignored.
fn assert_kept(example: &Value, encoded: &Value, place: &str) {
    match (example, encoded) {
        (Value::Object(fields), Value::Object(kept)) => {
            for (name, value) in fields {
                let kept =
                    kept.get(name).unwrap_or_else(|| panic!("{place}: the field {name:?} is not known"));
                assert_kept(value, kept, place);
            }
        }
        (Value::Array(items), Value::Array(kept)) => {
            assert_eq!(items.len(), kept.len(), "{place}");
            items.iter().zip(kept).for_each(|(item, kept)| assert_kept(item, kept, place));
        }
        _ => assert_eq!(example, encoded, "{place}"),
    }
}

#[test]
fn a_clients_examples_are_requests_and_keep_their_fields() {
    for example in of(Direction::Client) {
        let place = format!("docs/protocol.md:{}", example.line);
        let sent: Value = serde_json::from_str(&example.text).unwrap();
        let request = match decode_request(example.text.as_bytes()) {
            Ok(request) => request,
            // One walk-through shows a refusal on purpose.
            Err(error) if example.text.contains("\\u0007") => {
                assert_eq!(error.code, ErrorCode::BadText, "{place}");
                continue;
            }
            Err(error) => panic!("{place}: {error}"),
        };
        let encoded = serde_json::to_value(&request).unwrap();
        assert_kept(&sent, &encoded, &place);
        assert_eq!(decode_request(encoded.to_string().as_bytes()).unwrap(), request, "{place}");
    }
}

#[test]
fn a_servers_examples_are_messages_and_keep_their_fields() {
    for example in of(Direction::Server) {
        let place = format!("docs/protocol.md:{}", example.line);
        let sent: Value = serde_json::from_str(&example.text).unwrap();
        let message =
            decode_server(example.text.as_bytes()).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert_eq!(Some(type_of(&message)), sent["type"].as_str(), "{place}");
        let encoded = serde_json::to_value(&message).unwrap();
        assert_kept(&sent, &encoded, &place);
        assert_eq!(decode_server(encoded.to_string().as_bytes()).unwrap(), message, "{place}");
    }
}

#[test]
fn every_type_has_an_example() {
    let shown = |direction| -> BTreeSet<String> {
        let types = of(direction).map(|example| serde_json::from_str::<Value>(&example.text).unwrap());
        types.map(|value| value["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(shown(Direction::Client), ClientMessage::TYPES.map(str::to_owned).into());
    assert_eq!(shown(Direction::Server), SERVER_TYPES.map(str::to_owned).into());
}

#[test]
fn every_error_code_says_what_to_do() {
    let page = page();
    let errors = page.split_once("\n## Errors\n").unwrap().1;
    let (_, no_mistakes) = errors.split_once("The codes").unwrap();
    let (no_mistakes, _) = no_mistakes.split_once("are no mistakes").unwrap();
    for code in ERROR_CODES {
        let row = errors.lines().find(|line| line.starts_with('|') && line.contains(&format!("`{code}`")));
        let row = row.unwrap_or_else(|| panic!("{code} has no row"));
        assert_eq!(no_mistakes.contains(&format!("`{code}`")), !code.is_mistake(), "{code}");
        assert!(code.is_mistake() || !row.contains("final"), "sending again repairs it: {row}");
    }
}

#[test]
fn the_limits_are_those_of_the_code() {
    use chat_protocol::limits::*;
    let page = page();
    let limits = page.split_once("\n## Limits\n").unwrap().1.split_once("\n## ").unwrap().0.replace(',', "");
    let figures = [
        CONTENT_CHARS_MAX,
        CONTENT_BYTES_MAX,
        SEALED_BYTES_MAX,
        CLIENT_FRAME_BYTES_MAX,
        SERVER_FRAME_BYTES_MAX,
        ROOMS_PER_CONNECTION_MAX,
        ROOM_NAME_CHARS_MAX,
        USER_NAME_GRAPHEMES_MAX,
        USER_NAME_BYTES_MAX,
        RE_CHARS_MAX,
        ID_CHARS_MAX,
        SHORT_TEXT_CHARS_MAX,
        RESUME_TAIL_IDS_MAX,
        HISTORY_ENTRIES_MAX,
        USERS_LISTED_MAX,
        usize::try_from(REPLAY_ENTRIES_MAX).unwrap(),
        usize::try_from(NUMBER_MAX).unwrap(),
    ];
    for figure in figures {
        let is_there = limits.split(|c: char| !c.is_ascii_digit()).any(|number| number == figure.to_string());
        assert!(is_there, "{figure} is not on the page");
    }
}
