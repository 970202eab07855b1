//! Owns what the log of a user means to its clients: each entry becomes the word of the protocol for it.

use std::sync::Arc;

use chat_protocol::{Payload, ServerMessage, UserId};

use super::Hub;
use super::seats::Seat;
use crate::room::Frame;
use crate::user::{Deed, UserEntry};

/// Takes the next frame of a user's log for one of its connections; what that one is told of it, if something.
pub(super) fn told(hub: &Arc<Hub>, seat: &Seat, frame: Frame) -> Option<ServerMessage> {
    let user = &seat.user.user_id;
    match frame {
        Frame::Entry(seq, payload) => {
            let entry = read(&payload)?;
            hub.user_entry(user, seq, &entry);
            meaning(hub, seat, entry)
        }
        Frame::Joined { head, .. } => {
            hub.user_begun(user, head.epoch, head.seq);
            None
        }
        Frame::Reset(reset) => {
            hub.user_moved(user, reset.epoch, reset.seq);
            None
        }
        Frame::Rewind(epoch, to) => {
            hub.user_moved(user, epoch, to);
            None
        }
        Frame::Resumed(_) | Frame::Ack(_) | Frame::Error(_) | Frame::Fenced => None,
    }
}

/// An entry of a log as it is handed out; none: a newer release wrote it.
fn read(payload: &Payload) -> Option<UserEntry> {
    serde_json::from_slice(payload.json()).ok()
}

fn meaning(hub: &Arc<Hub>, seat: &Seat, entry: UserEntry) -> Option<ServerMessage> {
    let UserEntry { by, re, deed } = entry;
    let is_own = by.as_ref() == Some(&seat.client);
    // Another client's question is not this one's.
    let re = re.filter(|_| is_own);
    let user_id = seat.user.user_id.clone();
    Some(match deed {
        // Who has read knows it.
        Deed::Read { .. } if is_own => return None,
        Deed::Read { room, epoch, seq } => ServerMessage::Read { room, epoch, seq },
        Deed::Direct { room, with } => ServerMessage::Direct { room, with, re },
        Deed::Ignore { .. } => ServerMessage::Ignored { users: hub.ignored_by(&user_id), re },
        Deed::Name { name, was, .. } => {
            let (username, was, away) =
                (name.to_string(), was.map(|was| was.to_string()), away(hub, &user_id));
            ServerMessage::UserChanged { user_id, username, was, away, re }
        }
        Deed::Away { text: away } => {
            let username = hub.shown_name(&user_id)?;
            ServerMessage::UserChanged { user_id, username, was: None, away, re }
        }
        Deed::Snapshot { .. } | Deed::Unknown => return None,
    })
}

fn away(hub: &Hub, user: &UserId) -> Option<String> {
    hub.of_user(user, |state| state.away.clone()).flatten()
}
