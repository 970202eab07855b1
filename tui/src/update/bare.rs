//! Owns the keys of the bare view: what scrolls, scrolls; the key that showed it, or Esc, goes back; the rest would change
//! what is not seen.

use crossterm::event::KeyEvent;

use super::act;
use crate::app::App;
use crate::app::bare::Bare;
use crate::effect::Effect;
use crate::keymap::Action;

/// Shows the room without frames, or goes back.
pub(super) fn toggle(app: &mut App) {
    let shown = app.bare.take();
    let Some(room) = app.rooms.current_mut() else {
        app.hint("you are in no room: /join ROOM enters one");
        return;
    };
    match shown {
        Some(bare) => {
            bare.end(&mut room.history);
            if room.history.anchor.is_none() {
                room.read();
            }
        }
        None => {
            app.bare = Some(Bare::begin(&mut room.history));
            app.chosen = None;
        }
    }
}

/// A key while it is shown.
pub(super) fn press(app: &mut App, key: KeyEvent) -> Vec<Effect> {
    match app.settings.keymap.action(&key) {
        Some(Action::Bare | Action::Escape | Action::Interrupt) => toggle(app),
        Some(
            action @ (Action::PageUp
            | Action::PageDown
            | Action::RowsUp
            | Action::RowsDown
            | Action::Oldest
            | Action::Newest
            | Action::FirstUnread
            | Action::Redraw
            | Action::Suspend),
        ) => return act::perform(app, action),
        _ => {}
    }
    Vec::new()
}
