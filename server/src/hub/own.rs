//! Owns what the log of a user means to its clients: each entry becomes the word of the protocol for it.

use std::sync::Arc;

use chat_protocol::{Payload, RoomName, Seq, ServerMessage, UserId};

use super::Hub;
use super::seats::Seat;
use super::users::News;
use crate::outbox::Outbox;
use crate::room::Frame;
use crate::user::{Deed, Marker, UserEntry, UserState};

/// Takes the next frame of a user's log for one of its connections; what that one is told of it.
pub(super) fn told(hub: &Arc<Hub>, seat: &Seat, frame: Frame) -> Vec<ServerMessage> {
    let user = &seat.user.user_id;
    match frame {
        Frame::Entry(seq, payload) => {
            let Some(entry) = read(&payload) else { return Vec::new() };
            let is_news = hub.user_entry(user, seq, &entry);
            return meaning(hub, seat, entry, is_news);
        }
        Frame::Joined { head, .. } => {
            if hub.user_begun(user, head.epoch, head.seq) && head.seq > Seq::START {
                // Somebody was quicker than the hello, which has found no log.
                catch_up(hub.clone(), user.clone(), seat.outbox.clone());
            }
        }
        Frame::Reset(reset) => hub.user_moved(user, reset.epoch, reset.seq),
        Frame::Rewind(epoch, to) => hub.user_moved(user, epoch, to),
        Frame::Resumed(_) | Frame::Ack(_) | Frame::Error(_) | Frame::Fenced => {}
    }
    Vec::new()
}

/// Tells a connection what stood in the log before it came to it.
fn catch_up(hub: Arc<Hub>, user: UserId, outbox: Arc<Outbox>) {
    hub.clone().aside(async move {
        // A failure leaves it to the next hello.
        let Ok(told) = hub.read_user(&user).await else { return };
        let state = told.state;
        hub.user_known(&user, state.clone());
        all(state).iter().for_each(|message| outbox.say(message));
    });
}

/// A whole state in the words for its parts.
fn all(state: UserState) -> Vec<ServerMessage> {
    let ignored = Some(state.ignored()).filter(|users| !users.is_empty());
    let ignored = ignored.map(|users| ServerMessage::Ignored { users, re: None });
    let direct = |(room, with)| ServerMessage::Direct { room, with, re: None };
    let read = |(room, Marker { epoch, seq })| ServerMessage::Read { room, epoch, seq };
    let (directs, markers) = (state.direct.into_iter().map(direct), state.read.into_iter().map(read));
    directs.chain(markers).chain(ignored).collect()
}

/// An entry of a log as it is handed out; none: a newer release wrote it.
fn read(payload: &Payload) -> Option<UserEntry> {
    serde_json::from_slice(payload.json()).ok()
}

fn meaning(hub: &Arc<Hub>, seat: &Seat, entry: UserEntry, is_news: News) -> Vec<ServerMessage> {
    if let Deed::Snapshot { state, .. } = entry.deed {
        // As a rule all of it is known; after a loss it may not be.
        return if is_news == News::Yes { all(state) } else { Vec::new() };
    }
    one(hub, seat, entry).into_iter().collect()
}

fn one(hub: &Arc<Hub>, seat: &Seat, entry: UserEntry) -> Option<ServerMessage> {
    let UserEntry { by, re, deed } = entry;
    let is_own = by.as_ref() == Some(&seat.client);
    // Another client's question is not this one's.
    let re = re.filter(|_| is_own);
    let user_id = seat.user.user_id.clone();
    Some(match deed {
        // Who has read knows it.
        Deed::Read { .. } if is_own => return None,
        // Two clients have marked at once: the lower one is passed over.
        Deed::Read { room, epoch, seq } if is_behind(hub, &user_id, &room, Marker { epoch, seq }) => {
            return None;
        }
        Deed::Read { room, epoch, seq } => ServerMessage::Read { room, epoch, seq },
        Deed::Direct { room, with } => ServerMessage::Direct { room, with, re },
        Deed::Ignore { .. } => ServerMessage::Ignored { users: hub.ignored_by(&user_id), re },
        // What a new user is called was said in the welcome.
        Deed::Name { was: None, .. } => return None,
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

/// True where the user is known to have read further.
fn is_behind(hub: &Hub, user: &UserId, room: &RoomName, marker: Marker) -> bool {
    let known = hub.of_user(user, |state| state.read.get(room).copied()).flatten();
    known.is_some_and(|known| known.epoch == marker.epoch && known.seq > marker.seq)
}
