//! Owns the answers to questions that change nothing: history, who, rooms, nodes.

use chat_protocol::{
    Epoch, ErrorCode, ErrorMessage, Payload, Re, RoomInfo, RoomName, Seq, ServerMessage, limits,
};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::Session;
use crate::backbone::call;
use crate::backbone::{BackboneError, Entry, Head, Page, Place};
use crate::hub::Command;

/// Rooms in one answer.
const ROOMS_LISTED_MAX: usize = 500;

/// A page of history that a client wants.
pub(super) struct Wanted {
    pub(super) room: Option<RoomName>,
    /// The life of the log that the places are counted in.
    pub(super) epoch: Option<Epoch>,
    pub(super) before: Option<Seq>,
    pub(super) after: Option<Seq>,
    pub(super) around: Option<Seq>,
    pub(super) limit: Option<usize>,
}

/// A page as it was found.
struct Found {
    head: Head,
    entries: Vec<std::sync::Arc<Entry>>,
    more: bool,
    /// Where a frame is too short for all, those nearest to it stay.
    nearest: Nearest,
}

/// The end of a page that lies at the place asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nearest {
    First,
    Last,
}

impl Session {
    pub(super) fn joined_room(&mut self, room: Option<RoomName>, re: Option<&Re>) -> Option<RoomName> {
        let room = room.or_else(|| self.current.clone()).unwrap_or_else(RoomName::general);
        if self.rooms.contains(&room) {
            return Some(room);
        }
        let error =
            ErrorMessage::new(ErrorCode::NotInRoom, format!("room {room} was not joined: join it first"));
        self.refuse(ErrorMessage { room: Some(room), re: re.cloned(), ..error });
        None
    }

    pub(super) async fn history(&mut self, wanted: Wanted, re: Option<Re>) {
        let Some(room) = self.joined_room(wanted.room.clone(), re.as_ref()) else { return };
        match self.find(&room, &wanted).await {
            Ok(found) => {
                self.outbox.push(page(&room, found, re));
            }
            Err(error) => self.unavailable_in(Some(room), &error, re),
        }
    }

    async fn find(&self, room: &RoomName, wanted: &Wanted) -> Result<Option<Found>, BackboneError> {
        let backbone = &self.hub.backbone;
        let limit =
            wanted.limit.unwrap_or(limits::HISTORY_ENTRIES_DEFAULT).clamp(1, limits::HISTORY_ENTRIES_MAX);
        if let (Some(epoch), Some(head)) = (wanted.epoch, call(backbone.head(room)).await?)
            && epoch != head.place.epoch
        {
            return Ok(Some(Found { head, entries: Vec::new(), more: false, nearest: Nearest::Last }));
        }
        let around = wanted.around.map(|seq| Seq(seq.0.saturating_sub(limit as u64 / 2)));
        if let Some(after) = wanted.after.or(around) {
            let Some(head) = call(backbone.head(room)).await? else { return Ok(None) };
            let after = Place { epoch: head.place.epoch, seq: after.max(head.first.before()), id: None };
            let entries = match call(backbone.read(room, after, limit)).await? {
                Page::Ok { entries, .. } => entries,
                _ => Vec::new(),
            };
            let more = entries.last().is_some_and(|last| last.seq < head.place.seq);
            return Ok(Some(Found { head, entries, more, nearest: Nearest::First }));
        }
        let Some((head, entries)) = call(backbone.history(room, wanted.before, limit)).await? else {
            return Ok(None);
        };
        let more = entries.first().is_some_and(|first| first.seq > head.first);
        Ok(Some(Found { head, entries, more, nearest: Nearest::Last }))
    }

    pub(super) async fn list_users(&mut self, room: Option<RoomName>, re: Option<Re>) {
        let Some(room) = self.joined_room(room, re.as_ref()) else { return };
        let (reply, answer) = oneshot::channel();
        let Some(handle) = self.rooms.get(&room) else { return };
        handle.send(Command::Who(reply)).await;
        // The room ends only with the node.
        let Ok((users, count)) = answer.await else { return };
        let more = users.len() < count;
        self.outbox.say(&ServerMessage::Who { room, users, count, more, re });
    }

    pub(super) async fn directory(&mut self, limit: Option<usize>, after: Option<RoomName>, re: Option<Re>) {
        let rooms = match call(self.hub.backbone.rooms()).await {
            Ok(rooms) => rooms,
            Err(error) => return self.unavailable(&error, re),
        };
        let limit = limit.unwrap_or(ROOMS_LISTED_MAX).clamp(1, ROOMS_LISTED_MAX);
        let mut rest = rooms.into_iter().filter(|(room, _)| after.as_ref().is_none_or(|after| room > after));
        let rooms: Vec<RoomInfo> = (rest.by_ref().take(limit))
            .map(|(room, count)| RoomInfo { room, topic: String::new(), count })
            .collect();
        self.outbox.say(&ServerMessage::Rooms { rooms, more: rest.next().is_some(), re });
    }

    pub(super) async fn list_nodes(&mut self, re: Option<Re>) {
        let mut nodes = match call(self.hub.backbone.nodes()).await {
            Ok(nodes) => nodes,
            Err(error) => return self.unavailable(&error, re),
        };
        let own = self.hub.info();
        for node in nodes.iter_mut().filter(|node| node.node == own.node) {
            *node = chat_protocol::NodeInfo { you: true, ..own.clone() };
        }
        self.outbox.say(&ServerMessage::Nodes { nodes, re });
    }
}

/// A history answer, cut to a frame: the entries nearest to the place asked for stay.
fn page(room: &RoomName, found: Option<Found>, re: Option<Re>) -> Payload {
    let Some(found) = found else {
        return Payload::of(&serde_json::json!({
            "type": "history", "room": room, "epoch": "0000000000000000", "messages": [], "more": false, "re": re,
        }));
    };
    let (mut bytes, mut more, mut messages) = (0, found.more, Vec::new());
    let mut entries = found.entries;
    if found.nearest == Nearest::Last {
        entries.reverse();
    }
    for entry in &entries {
        let message = Payload::message(room, entry.seq, &entry.id, &entry.body);
        bytes += message.size();
        if bytes > limits::SERVER_FRAME_BYTES_MAX - 1_024 {
            more = true;
            break;
        }
        let json = String::from_utf8_lossy(message.json()).into_owned();
        messages.extend(RawValue::from_string(json));
    }
    if found.nearest == Nearest::Last {
        messages.reverse();
    }
    #[derive(serde::Serialize)]
    struct Answer<'a> {
        r#type: &'a str,
        room: &'a RoomName,
        epoch: chat_protocol::Epoch,
        messages: Vec<Box<RawValue>>,
        more: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        re: Option<Re>,
    }
    let epoch = found.head.place.epoch;
    Payload::of(&Answer { r#type: "history", room, epoch, messages, more, re })
}
