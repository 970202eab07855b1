//! Owns what each event does to the model. Pure: no IO, no clock (time comes with the event), nothing drawn; what
//! is to be done in the world is returned.

mod about;
mod act;
mod answers;
mod bare;
mod choose;
mod commands;
mod complete;
mod entries;
mod find;
mod keys;
mod links;
mod mouse;
mod net;
mod older;
mod own;
mod popup;
mod rooms;
mod search;
mod typing;

use crate::app::App;
use crate::effect::Effect;
use crate::event::{Event, Now};
use crate::net::event::NetCommand;

/// What is to be done first: the rooms the model starts with are entered.
pub(crate) fn start(app: &App) -> Vec<Effect> {
    app.rooms.iter().map(|room| Effect::Net(NetCommand::Join(room.name.clone()))).collect()
}

/// Changes the model by one event.
pub(crate) fn update(app: &mut App, event: Event, now: Now) -> Vec<Effect> {
    (app.now, app.wall) = (now.moment, now.wall);
    let mut effects = happened(app, event);
    effects.extend(own::seen(app));
    effects
}

fn happened(app: &mut App, event: Event) -> Vec<Effect> {
    match event {
        Event::Key(key) => writing(app, |app| keys::press(app, key)),
        Event::Paste(text) => writing(app, |app| keys::paste(app, &text)),
        Event::Resize { width, height } => {
            let had_panel = !app.areas().link.is_empty();
            app.size = (width, height);
            net::ask_for_panel(app, had_panel)
        }
        Event::Mouse(mouse) => mouse::take(app, mouse),
        Event::Focus(has_it) => {
            app.focused = has_it;
            Vec::new()
        }
        Event::Tick => Vec::new(),
        Event::Net(event) => net::take(app, *event),
    }
}

/// What may change the text being written: who reads the room is told of it.
fn writing(app: &mut App, event: impl FnOnce(&mut App) -> Vec<Effect>) -> Vec<Effect> {
    let before = (app.rooms.index(), app.composer.changes());
    let mut effects = event(app);
    let (room, changes) = (app.rooms.index(), app.composer.changes());
    // A draft that comes back with its room was written before.
    if room == before.0 && changes != before.1 {
        effects.extend(typing::wrote(app));
    }
    effects
}

#[cfg(test)]
mod tests;
