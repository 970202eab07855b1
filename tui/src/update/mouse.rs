//! Owns what the mouse does, where the user wants it: the wheel scrolls, a click enters a room.

use super::{act, popup};
use crate::app::{App, Popup};
use crate::effect::Effect;
use crate::event::Mouse;
use crate::keymap::Action;

/// Something was done with the mouse.
pub(super) fn take(app: &mut App, mouse: Mouse) -> Vec<Effect> {
    let help_last = popup::help_last(app);
    match (&mut app.popup, mouse) {
        (Some(Popup::Help { from }), Mouse::WheelUp) => *from = from.saturating_sub(act::WHEEL_ROWS),
        (Some(Popup::Help { from }), Mouse::WheelDown) => *from = (*from + act::WHEEL_ROWS).min(help_last),
        (Some(_), _) => {}
        (None, Mouse::WheelUp) => return act::perform(app, Action::RowsUp),
        (None, Mouse::WheelDown) => return act::perform(app, Action::RowsDown),
        // The bare view has no list to click on.
        (None, Mouse::Click { .. }) if app.bare.is_some() => {}
        (None, Mouse::Click { x, y }) => {
            if let Some(index) = app.room_at(x, y) {
                act::show_room(app, index);
            }
        }
    }
    Vec::new()
}

/// Takes the mouse, or gives it back to the terminal.
pub(super) fn toggle(app: &mut App) -> Vec<Effect> {
    app.settings.mouse = !app.settings.mouse;
    let words = if app.settings.mouse {
        "the mouse scrolls and enters rooms; Shift selects text"
    } else {
        "the mouse is the terminal's"
    };
    app.hint(words);
    vec![Effect::Mouse(app.settings.mouse)]
}
