//! Owns the look into a room's log for the message that an edit, a delete or a reply is about: that it is there,
//! whose it is, and that it was not taken back. Changes nothing.

use std::sync::Arc;

use chat_protocol::{
    ErrorCode, ErrorMessage, Kind, MessageBody, MessageId, Outgoing, Quote, RoomName, Seq, limits,
};
use tokio::sync::oneshot;

use super::{Session, UNAVAILABLE_RETRY};
use crate::backbone::{Entry, Head, call};
use crate::hub::Command;

/// Entries looked at behind a message, for what became of it. A delete or an edit that lies further behind is not
/// seen here: the change goes into the log all the same, where a reader lets a delete win, and a reply quotes what was
/// said at first.
const LOOKED_BEHIND: u64 = 200;
/// Entries looked at before the place that was named, for a message that a rewind has moved.
const LOOKED_BEFORE: u64 = 50;

/// A message as a client names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) seq: Seq,
    pub(super) id: Option<&'a MessageId>,
    /// Who asks, by the number of the asking: its own delete, sent again, is none that stands in its way.
    pub(super) by: Option<&'a MessageId>,
}

/// A message that was found, as it reads by now.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) seq: Seq,
    pub(super) id: MessageId,
    pub(super) body: MessageBody,
}

impl Session {
    /// What a reply quotes.
    pub(super) async fn quote(
        &mut self,
        room: &RoomName,
        message: &Outgoing,
    ) -> Result<Option<Quote>, ErrorMessage> {
        let Some(seq) = message.reply else { return Ok(None) };
        let named = Named { seq, id: message.reply_id.as_ref(), by: None };
        let Target { id, body, .. } = self.target(room, named).await?;
        let line = body.content.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let text = line.trim().chars().take(limits::QUOTE_CHARS_MAX).collect();
        Ok(Some(Quote { id, sender: body.sender, sender_id: body.sender_id, text }))
    }

    /// Finds a message that somebody has said.
    pub(super) async fn target(&self, room: &RoomName, named: Named<'_>) -> Result<Target, ErrorMessage> {
        let before = Seq(named.seq.0.saturating_add(LOOKED_BEHIND + 1));
        let limit = (LOOKED_BEFORE + 1 + LOOKED_BEHIND) as usize;
        let found = match call(self.hub.backbone.history(room, Some(before), limit)).await {
            Ok(found) => found,
            Err(error) => {
                self.hub.backbone_failed();
                return Err(later(error.to_string()));
            }
        };
        match found {
            Some((head, entries)) if named.seq <= head.place.seq => judge(&head, &entries, named),
            found => Err(self.beyond(room, named.seq, found.map(|(head, _)| head)).await),
        }
    }

    /// The log does not reach that far, or there is none. Where this node knows better it has been lost, and comes
    /// back: nothing that can be repaired is refused for good.
    async fn beyond(&self, room: &RoomName, seq: Seq, head: Option<Head>) -> ErrorMessage {
        let ends = head.map_or(Seq::START, |head| head.place.seq);
        let nothing = no_message(format!("there is no message {seq} in room {room}: it ends at {ends}"));
        let Some(handle) = self.rooms.get(room) else { return nothing };
        let (reply, answer) = oneshot::channel();
        handle.send(Command::Head(reply)).await;
        match answer.await {
            Ok(Some(place)) if place.seq >= seq => {
                handle.send(Command::Stale).await;
                later("the room's log is being put back: send it again".to_owned())
            }
            _ => nothing,
        }
    }
}

fn later(reason: String) -> ErrorMessage {
    let retry_ms = Some(UNAVAILABLE_RETRY.as_millis() as u64);
    ErrorMessage { retry_ms, ..ErrorMessage::new(ErrorCode::Unavailable, reason) }
}

fn no_message(reason: String) -> ErrorMessage {
    ErrorMessage::new(ErrorCode::NoMessage, reason)
}

fn judge(head: &Head, entries: &[Arc<Entry>], named: Named<'_>) -> Result<Target, ErrorMessage> {
    let seq = named.seq;
    let is_it = |entry: &Arc<Entry>| named.id.map_or(entry.seq == seq, |id| entry.id == *id);
    let Some(at) = entries.iter().position(is_it) else {
        return Err(no_message(match named.id {
            _ if seq < head.first => {
                format!("message {seq} is no longer kept: this room begins at {}", head.first)
            }
            Some(id) => format!("message {id} is not at {seq}, nor near it: look for it in the history"),
            None => format!("there is no message {seq}: places count from 1"),
        }));
    };
    let (entry, behind) = (&entries[at], &entries[at + 1..]);
    let Some(mut body) = read(entry).filter(|body| matches!(body.kind, None | Some(Kind::Action))) else {
        return Err(no_message(format!("entry {seq} is nothing that somebody has said: name a message")));
    };
    // Read one by one only where the bytes look like it: most are messages.
    let changes = behind.iter().filter(|entry| looks_like_change(&entry.body));
    for (id, change) in changes.filter_map(|entry| Some((&entry.id, read(entry)?))) {
        let is_of_it = change.reference_id.as_ref() == Some(&entry.id) && change.sender_id == body.sender_id;
        match change.kind.filter(|_| is_of_it) {
            Some(Kind::Delete) if Some(id) != named.by => {
                return Err(no_message(format!("message {seq} was deleted")));
            }
            Some(Kind::Edit) => body.content = change.content,
            _ => {}
        }
    }
    Ok(Target { seq: entry.seq, id: entry.id.clone(), body })
}

fn read(entry: &Entry) -> Option<MessageBody> {
    serde_json::from_slice(&entry.body).ok()
}

/// A quote inside a text is escaped, so that nobody can write this.
fn looks_like_change(body: &[u8]) -> bool {
    const FIELD: &[u8] = br#""refId":""#;
    body.windows(FIELD.len()).any(|window| window == FIELD)
}

#[cfg(test)]
mod tests;
