//! Owns what a room is about, as this node knows it: told by the backbone when the room is opened, and by the room's
//! log from then on. Of two words the later stands, in whatever order they come.

use std::sync::Arc;

use chat_protocol::{Kind, MessageBody};
use jiff::Timestamp;
use parking_lot::Mutex;

use crate::backbone::{Entry, Page, Topic};
use crate::room::Input;

/// What a room is about; a clone is the same. Read by who comes in, and by the hub, which says it anew where the
/// backbone may have lost it: held no longer than it takes to copy a line.
#[derive(Debug, Clone, Default)]
pub(super) struct RoomTopic(Arc<Mutex<Topic>>);

impl RoomTopic {
    pub(super) fn now(&self) -> Topic {
        self.0.lock().clone()
    }

    /// Takes a word in, unless a later one is known.
    pub(super) fn hear(&self, topic: Topic) {
        let mut known = self.0.lock();
        if topic > *known {
            *known = topic;
        }
    }

    /// Takes in what entries of the log say, live or read where they were missed.
    pub(super) fn hear_log(&self, input: &Input) {
        let (Input::Feed(_, entries) | Input::Read(Ok(Page::Ok { entries, .. }))) = input else { return };
        entries.iter().filter_map(|entry| said(entry)).for_each(|topic| self.hear(topic));
    }
}

/// The topic that an entry sets, if it sets one.
fn said(entry: &Entry) -> Option<Topic> {
    // A quote inside a text is escaped, so that nobody can write this; most entries are messages and not read.
    const KIND: &[u8] = br#""kind":"topic""#;
    if !entry.body.windows(KIND.len()).any(|window| window == KIND) {
        return None;
    }
    let body: MessageBody = serde_json::from_slice(&entry.body).ok()?;
    let said_at = body.timestamp.parse::<Timestamp>().ok().filter(|_| body.kind == Some(Kind::Topic))?;
    Some(Topic { at_ms: u64::try_from(said_at.as_millisecond()).ok()?, text: body.content })
}
