//! Owns the answers to questions that change nothing: history, who, rooms, nodes.

use chat_protocol::{
    Epoch, ErrorCode, ErrorMessage, Payload, Re, RoomInfo, RoomName, Seq, ServerMessage, UserId, limits,
};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::Session;
use crate::backbone::call;
use crate::backbone::{BackboneError, Entry, Head, Page, Place};
use crate::hub::Command;

/// Bytes of an answer besides what it lists.
const ANSWER_BYTES: usize = 1_024;
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
    /// Or in the middle of it, at this place.
    Around(Seq),
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
        // As many before the place as behind it.
        let around = wanted.around.map(|seq| Seq(seq.0.saturating_sub(limit as u64 / 2)).before());
        if let Some(after) = wanted.after.or(around) {
            let nearest = match (wanted.after, wanted.around) {
                (None, Some(seq)) => Nearest::Around(seq),
                _ => Nearest::First,
            };
            let Some(head) = call(backbone.head(room)).await? else { return Ok(None) };
            let after = Place { epoch: head.place.epoch, seq: after.max(head.first.before()), id: None };
            let entries = match call(backbone.read(room, after, limit)).await? {
                Page::Ok { entries, .. } => entries,
                _ => Vec::new(),
            };
            let more = entries.last().is_some_and(|last| last.seq < head.place.seq);
            return Ok(Some(Found { head, entries, more, nearest }));
        }
        let Some((head, entries)) = call(backbone.history(room, wanted.before, limit)).await? else {
            return Ok(None);
        };
        let more = entries.first().is_some_and(|first| first.seq > head.first);
        Ok(Some(Found { head, entries, more, nearest: Nearest::Last }))
    }

    /// Users of a room: behind the one named, at most so many.
    pub(super) async fn list_users(
        &mut self,
        room: Option<RoomName>,
        (after, limit): (Option<UserId>, Option<usize>),
        re: Option<Re>,
    ) {
        let Some(room) = self.joined_room(room, re.as_ref()) else { return };
        let (reply, answer) = oneshot::channel();
        let Some(handle) = self.rooms.get(&room) else { return };
        let limit = limit.unwrap_or(limits::USERS_LISTED_MAX).clamp(1, limits::USERS_LISTED_MAX);
        // One more shows whether there are more.
        handle.send(Command::Who { after, limit: limit + 1, reply }).await;
        // The room ends only with the node.
        let Ok((users, count)) = answer.await else { return };
        let (users, more) = fitting(users, limit);
        self.outbox.say(&ServerMessage::Who { room, users, count, more, re });
    }

    pub(super) async fn directory(&mut self, limit: Option<usize>, after: Option<RoomName>, re: Option<Re>) {
        if let Some(error) = self.too_fast() {
            return self.refuse(ErrorMessage { re, ..error });
        }
        let limit = limit.unwrap_or(ROOMS_LISTED_MAX).clamp(1, ROOMS_LISTED_MAX);
        // One more shows whether there are more.
        let rooms = match call(self.hub.backbone.rooms(after.as_ref(), limit + 1)).await {
            Ok(rooms) => rooms,
            Err(error) => return self.unavailable(&error, re),
        };
        let names: Vec<RoomName> = rooms.iter().map(|(room, _)| room.clone()).collect();
        let topics = match self.topics_of(&names).await {
            Ok(topics) => topics,
            Err(error) => return self.unavailable(&error, re),
        };
        let rooms = rooms.into_iter().zip(topics);
        let rooms = rooms.map(|((room, count), topic)| RoomInfo { room, topic: topic.text, count });
        let (rooms, more) = fitting(rooms.collect(), limit);
        self.outbox.say(&ServerMessage::Rooms { rooms, more, re });
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

/// The first of a list, as many as are wanted and fit a frame; and whether there are more.
pub(super) fn fitting<T: serde::Serialize>(mut list: Vec<T>, limit: usize) -> (Vec<T>, bool) {
    let mut bytes = ANSWER_BYTES;
    let mut fits = |item: &T| {
        bytes += serde_json::to_vec(item).map_or(0, |json| json.len() + 1);
        bytes <= limits::SERVER_FRAME_BYTES_MAX
    };
    let fitting = list.iter().take(limit).take_while(|item| fits(item)).count();
    let more = fitting < list.len();
    list.truncate(fitting);
    (list, more)
}

/// A history answer, cut to a frame: the entries nearest to the place asked for stay.
fn page(room: &RoomName, found: Option<Found>, re: Option<Re>) -> Payload {
    let Some(found) = found else {
        return Payload::of(&serde_json::json!({
            "type": "history", "room": room, "epoch": "0000000000000000", "messages": [], "more": false, "re": re,
        }));
    };
    let (mut bytes, mut more, mut messages) = (ANSWER_BYTES, found.more, Vec::new());
    let mut entries = found.entries;
    match found.nearest {
        Nearest::First => {}
        Nearest::Last => entries.reverse(),
        Nearest::Around(seq) => entries.sort_by_key(|entry| entry.seq.0.abs_diff(seq.0)),
    }
    for entry in &entries {
        let message = Payload::message(room, entry.seq, &entry.id, &entry.body);
        bytes += message.size();
        if bytes > limits::SERVER_FRAME_BYTES_MAX {
            more = true;
            break;
        }
        let json = String::from_utf8_lossy(message.json()).into_owned();
        messages.extend(RawValue::from_string(json).map(|json| (entry.seq, json)));
    }
    messages.sort_by_key(|(seq, _)| *seq);
    let messages = messages.into_iter().map(|(_, json)| json).collect();
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
