//! Owns what is done to rooms in the list: pinned, muted, read.

use crate::app::App;
use crate::effect::Effect;
use crate::net::event::NetCommand;

/// The room shown stands before others, or no longer.
pub(super) fn pin(app: &mut App) {
    let Some(room) = app.rooms.current_mut() else { return };
    room.pinned = !room.pinned;
    let words = if room.pinned { "is pinned" } else { "is pinned no more" };
    let words = format!("{} {words}", room.label());
    app.rooms.arrange();
    app.hint(words);
}

/// It calls nobody, or does again.
pub(super) fn mute(app: &mut App) {
    let Some(room) = app.rooms.current_mut() else { return };
    room.muted = !room.muted;
    let words = if room.muted { "is muted: nothing in it calls you" } else { "is muted no more" };
    let words = format!("{} {words}", room.label());
    app.hint(words);
}

/// Everything that is known to have been said was read, on all the user's clients.
pub(super) fn read_all(app: &mut App) -> Vec<Effect> {
    let mut told = Vec::new();
    for room in app.rooms.iter_mut().filter(|room| room.joined) {
        room.read();
        room.history.news = None;
        if let Some(newest) = room.newest.filter(|newest| room.marker.is_none_or(|marker| marker < *newest)) {
            room.marker = Some(newest);
            told.push(Effect::Net(NetCommand::Read { room: room.name.clone(), seq: newest }));
        }
    }
    app.hint("all rooms are read");
    told
}
