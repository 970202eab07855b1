//! Owns what typing does: of others to what is shown, of the user to what the others are told. A command is nobody
//! else's affair.

use chat_protocol::{RoomName, UserId};

use crate::app::App;
use crate::app::text::clean_line;
use crate::effect::Effect;
use crate::net::event::{LinkState, NetCommand};

/// Somebody is.
pub(super) fn heard(app: &mut App, room: &RoomName, user: UserId, name: &str) {
    let now = app.now;
    if app.me.id.as_ref() != Some(&user)
        && !app.me.ignored.contains_key(&user)
        && let Some(room) = app.rooms.by_name_mut(room).filter(|room| room.joined)
    {
        room.typing.heard(now, user, clean_line(name));
    }
}

/// The input was changed by a key or a paste.
pub(super) fn wrote(app: &mut App) -> Vec<Effect> {
    let text = app.composer.text();
    let is_speech = !text.trim().is_empty() && (!text.starts_with('/') || text.starts_with("//"));
    let is_online = matches!(app.link.status.state, LinkState::Online { .. });
    let now = app.now;
    if !is_speech || !is_online {
        return Vec::new();
    }
    let Some(room) = app.rooms.current_mut().filter(|room| room.joined) else { return Vec::new() };
    if !room.typing.is_to_be_told(now) {
        return Vec::new();
    }
    vec![Effect::Net(NetCommand::Typing(room.name.clone()))]
}
