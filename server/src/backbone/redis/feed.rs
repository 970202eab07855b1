//! Owns what comes in through Redis' channels: which are wanted, what each message means, and that it reaches
//! the node in order, or that the node is told of a loss. Knows no connection.
//!
//! A message: a letter, then what it is about.
//! - `E epoch last count id-before \n packed entries`: new entries (in a room's channel)
//! - `H head`: a round is open (in a room's channel; in that of all nodes `H room head`)
//! - `P json`: a change in who is here (in a room's channel)
//! - `W user name`: somebody is typing (in a room's channel)
//! - `A room node`: a node asks what others have of a room
//! - `R room node`: a node has answered
//! - `F client generation`: a newer connection of a client
//! - `T number`: this node's own word, to see that the feed works
//!
//! A letter of a newer release means nothing here and is passed over.

use std::collections::HashMap;

use bytes::Bytes;
use chat_protocol::{ClientId, NodeId, Person, RoomName, UserId};
use parking_lot::Mutex;
use redis::{PushInfo, PushKind, Value};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use super::answers::{notice, parse_epoch};
use super::entry;
use crate::backbone::feed_sender::FeedSender;
use crate::backbone::{FeedEvent, PresenceChange};

/// The node's end of the channels.
pub(super) struct Feed {
    /// Held while one message is taken; the callback that takes them must not wait.
    sender: Mutex<FeedSender>,
    /// The rooms wanted, by channel.
    rooms: Mutex<HashMap<String, RoomName>>,
    node: NodeId,
    /// The newest of the node's own words that came back, and when.
    heard: watch::Sender<(u64, Instant)>,
}

/// A change in who is in a room, as it travels.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Presence {
    Entered(chat_protocol::User),
    Left { user: chat_protocol::UserId, node: NodeId, lost: bool },
}

/// The notice of a change in who is in a room.
pub(super) fn presence_notice(change: &PresenceChange) -> String {
    let presence = match change.clone() {
        PresenceChange::Entered(user) => Presence::Entered(user),
        PresenceChange::Left { user, node, lost } => Presence::Left { user, node, lost },
    };
    let json = serde_json::to_string(&presence).expect("ids and names are JSON");
    format!("P {json}")
}

/// The notice that a user is typing.
pub(super) fn typing_notice(who: &Person) -> String {
    format!("W {} {}", who.user_id, who.username)
}

impl Feed {
    pub(super) fn new(node: NodeId, sender: FeedSender) -> Self {
        let heard = watch::Sender::new((0, Instant::now()));
        Self { sender: Mutex::new(sender), rooms: Mutex::default(), node, heard }
    }

    pub(super) fn want(&self, channel: String, room: RoomName) {
        self.rooms.lock().insert(channel, room);
    }

    pub(super) fn unwant(&self, channel: &str) {
        self.rooms.lock().remove(channel);
    }

    /// The channels of all rooms wanted.
    pub(super) fn channels(&self) -> Vec<String> {
        self.rooms.lock().keys().cloned().collect()
    }

    /// The newest of the node's own words that came back, and when.
    pub(super) fn heard(&self) -> watch::Receiver<(u64, Instant)> {
        self.heard.subscribe()
    }

    /// Events may have been lost: the node compares all heads.
    pub(super) fn stale(&self) {
        self.sender.lock().stale();
    }

    /// Takes a push of Redis'. True: the connection it came through is gone.
    pub(super) fn take(&self, push: PushInfo) -> bool {
        match push.kind {
            PushKind::Disconnection => return true,
            PushKind::Message | PushKind::SMessage => {}
            _ => return false,
        }
        let mut data = push.data.into_iter();
        let (Some(Value::BulkString(channel)), Some(Value::BulkString(message))) = (data.next(), data.next())
        else {
            return false;
        };
        let room = std::str::from_utf8(&channel).ok().and_then(|name| self.rooms.lock().get(name).cloned());
        match self.read(room, message) {
            Some(event @ FeedEvent::Typing(..)) => self.sender.lock().whisper(event),
            Some(event) => self.sender.lock().send(event),
            None => {}
        }
        false
    }

    /// What a message means; nothing where it concerns nobody here, or cannot be read: what it should have told
    /// is found out by comparing heads.
    fn read(&self, room: Option<RoomName>, message: Vec<u8>) -> Option<FeedEvent> {
        let message = Bytes::from(message);
        let end = message.iter().position(|byte| *byte == b'\n').unwrap_or(message.len());
        let line = std::str::from_utf8(&message[..end]).ok()?;
        let (letter, words) = line.split_once(' ')?;
        match (letter, room) {
            ("E", Some(room)) => entries(room, words, message.slice(message.len().min(end + 1)..)),
            ("H", Some(room)) => Some(FeedEvent::Head { room, head: Some(notice(words)?) }),
            ("P", Some(room)) => presence(room, words),
            ("W", Some(room)) => typing(room, words),
            (_, None) => self.control(letter, words),
            _ => None,
        }
    }

    fn control(&self, letter: &str, words: &str) -> Option<FeedEvent> {
        if letter == "T" {
            self.heard.send_replace((words.parse().ok()?, Instant::now()));
            return None;
        }
        let (about, rest) = words.split_once(' ')?;
        match letter {
            "H" => Some(FeedEvent::Head { room: RoomName::parse(about).ok()?, head: Some(notice(rest)?) }),
            "A" => {
                let from = NodeId::parse(rest).ok()?;
                let room = RoomName::parse(about).ok()?;
                (from != self.node).then_some(FeedEvent::Ask { room, from })
            }
            "R" => Some(FeedEvent::Answer {
                room: RoomName::parse(about).ok()?,
                from: NodeId::parse(rest).ok()?,
            }),
            "F" => {
                let client = ClientId::parse(about).ok()?;
                Some(FeedEvent::Fence { client, generation: rest.parse().ok()? })
            }
            _ => None,
        }
    }
}

fn entries(room: RoomName, words: &str, packed: Bytes) -> Option<FeedEvent> {
    let mut words = words.split(' ');
    let epoch = parse_epoch(words.next()?)?;
    let (last, count) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let entries = entry::unpack(packed, last, count, words.next()?)?;
    Some(FeedEvent::Entries { room, epoch, entries })
}

fn typing(room: RoomName, words: &str) -> Option<FeedEvent> {
    let (user, username) = words.split_once(' ')?;
    let (user_id, username) = (UserId::parse(user).ok()?, username.to_owned());
    Some(FeedEvent::Typing(room, Person { user_id, username }))
}

fn presence(room: RoomName, json: &str) -> Option<FeedEvent> {
    let change = match serde_json::from_str(json).ok()? {
        Presence::Entered(user) => PresenceChange::Entered(user),
        Presence::Left { user, node, lost } => PresenceChange::Left { user, node, lost },
    };
    Some(FeedEvent::Presence { room, change })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_release_says_is_passed_over() {
        let (sender, mut events) = FeedSender::new(4);
        let feed = Feed::new(NodeId::parse("n").unwrap(), sender);
        feed.want("channel".into(), RoomName::general());
        let push = |words: &str| {
            let data = ["channel", words].map(|text| Value::BulkString(text.as_bytes().to_vec())).into();
            feed.take(PushInfo { kind: PushKind::Message, data })
        };
        assert!(!push("Z something new") && !push("W") && !push("W nobody"));
        assert!(events.try_recv().is_err(), "no event, and no loss of one");
        push("W u1 alice");
        let who = Person { user_id: UserId::parse("u1").unwrap(), username: "alice".into() };
        assert_eq!(events.try_recv().unwrap(), FeedEvent::Typing(RoomName::general(), who));
    }
}
