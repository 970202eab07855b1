//! Owns the way through a log from its newest entry back: what is found, what has taken the place of its text, and when
//! an answer is full. An edit stands behind what it changes, so on this way it is met first.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use chat_protocol::{Kind, MessageBody, Payload, RoomName, Seq, encode_body, limits};
use jiff::Timestamp;
use serde::Deserialize;

use super::Query;
use crate::backbone::Entry;

/// Edited and deleted messages that a search knows at a time; what was changed longer ago than the newest so many is
/// found as it was first said.
const EDITS_MAX: usize = 1_024;
/// Bytes of the newest texts of messages that are to be found.
const EDITED_BYTES_MAX: usize = 64 * 1_024;
/// Bytes of an answer besides its messages.
const ANSWER_BYTES: usize = 1_024;

/// What a search has to know of an entry.
#[derive(Deserialize)]
struct Looked<'a> {
    #[serde(borrow)]
    sender: Cow<'a, str>,
    #[serde(borrow, rename = "senderId")]
    sender_id: Cow<'a, str>,
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(default)]
    kind: Option<Kind>,
    #[serde(borrow, default, rename = "refId")]
    reference_id: Option<Cow<'a, str>>,
}

/// What became of messages after they were said, as far as their room was looked at.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    newest: HashMap<Box<str>, Newest>,
    bytes: usize,
}

#[derive(Debug)]
enum Newest {
    /// Taken back, or no longer what is searched for.
    Unfound,
    /// It says this now, which is what is searched for.
    Text(Box<str>),
}

impl Edits {
    /// An edit is met, the newest of a message first. Its text is worth keeping only where it is searched for.
    fn meet(&mut self, target: &str, text: Option<&str>) {
        if self.newest.contains_key(target) || self.newest.len() >= EDITS_MAX {
            return;
        }
        let newest = match text {
            Some(text) if self.bytes + text.len() <= EDITED_BYTES_MAX => {
                self.bytes += text.len();
                Newest::Text(text.into())
            }
            // It would be found without its newest text; found as it was said first is what is left.
            Some(_) => return,
            None => Newest::Unfound,
        };
        self.newest.insert(target.into(), newest);
    }

    /// Messages that are known to have been changed, and bytes of their texts.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        (self.newest.len(), self.bytes)
    }

    /// Whatever was met of it before: what is taken back stays so.
    fn take_back(&mut self, target: &str) {
        if self.newest.len() < EDITS_MAX || self.newest.contains_key(target) {
            self.newest.insert(target.into(), Newest::Unfound);
        }
    }
}

/// What became of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// Looked through: on with the one before it.
    Through,
    /// All of it is older than what is searched for, and so is what stands before it.
    Past,
    /// The answer is full. From this place on everything was looked at.
    Full(Seq),
}

/// A search on its way.
#[derive(Debug)]
pub(crate) struct Scan {
    query: Query,
    edits: Edits,
    /// Messages that fit the answer.
    limit: usize,
    looked: usize,
    bytes: usize,
    pub(super) found: Vec<Payload>,
}

impl Scan {
    /// A search for at most `limit` messages, that goes on with what it knows of edits.
    pub(crate) fn new(query: Query, limit: usize, edits: Edits) -> Self {
        let (limit, bytes) = (limit.clamp(1, limits::SEARCH_FOUND_MAX), ANSWER_BYTES);
        Self { query, edits, limit, looked: 0, bytes, found: Vec::new() }
    }

    /// Entries that may still be looked at.
    pub(crate) fn entries_left(&self) -> usize {
        limits::SEARCH_ENTRIES_MAX.saturating_sub(self.looked)
    }

    /// Another room: what was edited in the one before is not met again.
    pub(crate) fn next_room(&mut self) {
        self.edits = Edits::default();
    }

    /// What was searched for, what is known of edits, and what was found, the newest first.
    pub(crate) fn done(self) -> (Query, Edits, Vec<Payload>) {
        (self.query, self.edits, self.found)
    }

    /// Looks through a page of a room's log, the oldest first as it was read.
    pub(crate) fn page(&mut self, room: &RoomName, entries: &[Arc<Entry>]) -> Stopped {
        let mut is_past = !entries.is_empty();
        for entry in entries.iter().rev() {
            self.looked += 1;
            // What another version has written in a form of its own is not ours to find.
            let Ok(looked) = serde_json::from_slice::<Looked<'_>>(&entry.body) else { continue };
            let Ok(at) = looked.timestamp.parse::<Timestamp>() else { continue };
            is_past &= self.query.is_past(at);
            let Some(body) = self.found_body(entry, &looked, at) else { continue };
            let message = Payload::message(room, entry.seq, &entry.id, &body);
            let bytes = self.bytes + message.size() + 1;
            if bytes > limits::SERVER_FRAME_BYTES_MAX && !self.found.is_empty() {
                self.looked -= 1;
                return Stopped::Full(entry.seq.next());
            }
            self.bytes = bytes;
            self.found.push(message);
            if self.found.len() >= self.limit {
                return Stopped::Full(entry.seq);
            }
        }
        if is_past { Stopped::Past } else { Stopped::Through }
    }

    /// What an entry that is searched for says now.
    fn found_body<'a>(
        &mut self,
        entry: &'a Entry,
        looked: &Looked<'_>,
        at: Timestamp,
    ) -> Option<Cow<'a, [u8]>> {
        match (looked.kind, looked.reference_id.as_deref()) {
            (Some(Kind::Edit), Some(target)) => {
                let text = looked.content.as_ref();
                self.edits.meet(target, self.query.is_in(text).then_some(text));
                return None;
            }
            (Some(Kind::Delete), Some(target)) => {
                self.edits.take_back(target);
                return None;
            }
            (None | Some(Kind::Action), _) => {}
            _ => return None,
        }
        if !self.query.admits_time(at) || !self.query.admits_author(&looked.sender, &looked.sender_id) {
            return None;
        }
        let newest = match self.edits.newest.is_empty() {
            true => None,
            false => self.edits.newest.get(entry.id.to_string().as_str()),
        };
        match newest {
            Some(Newest::Unfound) => None,
            Some(Newest::Text(text)) => {
                let mut body: MessageBody = serde_json::from_slice(&entry.body).ok()?;
                body.content = text.to_string();
                Some(Cow::Owned(encode_body(&body).to_vec()))
            }
            None => self.query.is_in(&looked.content).then(|| Cow::Borrowed(entry.body.as_ref())),
        }
    }
}
