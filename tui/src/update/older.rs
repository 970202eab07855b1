//! Owns asking for older messages: as the reader comes near the oldest there are, so that scrolling need not wait for them.

use crate::app::{App, flow};
use crate::effect::Effect;
use crate::net::event::{LinkState, NetCommand};

/// Entries asked for at once.
const PAGE_ENTRIES: usize = 100;

/// Asks for a page, where less than a screen stands above the screen and the log has more.
pub(super) fn load(app: &mut App) -> Vec<Effect> {
    let columns = app.scrolled_columns();
    let is_online = matches!(app.link.status.state, LinkState::Online { .. });
    let Some(room) = app.rooms.current_mut() else { return Vec::new() };
    let screen = usize::from(columns.height);
    let is_wanted = room.history.more || !room.history.begun;
    if !is_wanted || room.history.loading || !is_online {
        return Vec::new();
    }
    if flow::rows_above(&room.history, columns, screen) >= screen {
        return Vec::new();
    }
    room.history.loading = true;
    let (room, before) = (room.name.clone(), room.history.oldest);
    vec![Effect::Net(NetCommand::History { room, before, limit: PAGE_ENTRIES })]
}
