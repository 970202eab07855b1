//! Owns what the actions of the key table do.

use std::time::Duration;

use super::{about, choose, commands, complete};
use crate::app::composer::Reach;
use crate::app::{App, Popup, flow};
use crate::effect::{DemoCommand, Effect};
use crate::keymap::Action;
use crate::net::event::{LinkState, NetCommand};

/// Ctrl-C twice within this quits.
const INTERRUPT_HOLDS: Duration = Duration::from_secs(2);
/// Entries asked for when the oldest line is on the screen.
const PAGE_ENTRIES: usize = 100;

/// Does what a key asks for.
pub(super) fn perform(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Send => return commands::submit(app),
        Action::Complete => complete::next(app),
        Action::Newline => app.composer.insert("\n"),
        Action::Up => app.composer.up(app.composer_cells()),
        Action::Down => app.composer.down(app.composer_cells()),
        Action::Go(reach) => app.composer.go(reach),
        Action::Delete(reach) => app.composer.delete(reach),
        Action::Kill(reach) => app.composer.kill(reach),
        Action::Yank => app.composer.yank(),
        Action::YankOlder => {
            if !app.composer.yank_older() {
                app.hint("Ctrl-Y first brings back what was killed; Alt-Y goes on to what was killed before");
            }
        }
        Action::Recall => app.popup = Some(Popup::Recall { query: String::new(), chosen: 0 }),
        Action::Undo => app.composer.undo(),
        Action::PreviousRoom => step_room(app, -1),
        Action::NextRoom => step_room(app, 1),
        Action::Unread => next_unread(app),
        Action::Room(number) => room_number(app, number),
        Action::Switcher => app.popup = Some(Popup::Switcher { query: String::new(), chosen: 0 }),
        Action::Help => app.popup = Some(Popup::Help { from: 0 }),
        Action::PageUp | Action::PageDown | Action::Oldest | Action::Newest | Action::FirstUnread => {
            return scroll(app, action);
        }
        Action::Reconnect => return vec![Effect::Net(NetCommand::ReconnectNow)],
        Action::Link => return toggle_link(app),
        Action::PaneRooms => app.panes.rooms = !app.panes.rooms,
        Action::PaneUsers => app.panes.users = Some(app.areas().users.is_empty()),
        Action::Redraw => return vec![Effect::Redraw],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Interrupt => return interrupt(app),
        Action::Escape => {
            // What closes something is no beginning of an Alt-key.
            if !about::drop_about(app) {
                app.escaped = Some(app.now);
            }
        }
        Action::DeleteOrQuit if app.composer.is_empty() => return vec![Effect::Quit],
        Action::DeleteOrQuit => app.composer.delete(Reach::Right),
        Action::ChooseUp => choose::up(app),
        Action::ChooseDown => choose::down(app),
        Action::DemoKill if app.demo => return vec![Effect::Demo(DemoCommand::Kill)],
        Action::DemoKill => {}
    }
    Vec::new()
}

/// Shows another room: its draft comes into the input, the text there stays with the room left.
pub(super) fn show_room(app: &mut App, index: usize) {
    if index == app.rooms.index() || index >= app.rooms.len() {
        return;
    }
    about::drop_about(app);
    let text = app.composer.take();
    if let Some(room) = app.rooms.current_mut() {
        room.draft = text;
        room.history.news = None;
    }
    app.chosen = None;
    app.rooms.select(index);
    settle_room(app);
}

/// Makes the current room, just shown, the one written in and read.
pub(super) fn settle_room(app: &mut App) {
    let Some(room) = app.rooms.current_mut() else { return };
    let draft = std::mem::take(&mut room.draft);
    if room.history.anchor.is_none() {
        room.read();
    }
    if !draft.is_empty() {
        app.composer.set(&draft);
    }
}

pub(super) fn step_room(app: &mut App, step: isize) {
    let rooms = app.rooms.len();
    if rooms > 0 {
        let index = (app.rooms.index() + rooms).saturating_add_signed(step) % rooms;
        show_room(app, index);
    }
}

pub(super) fn next_unread(app: &mut App) {
    match app.rooms.next_unread() {
        Some(index) => show_room(app, index),
        None => app.hint("nothing unread"),
    }
}

pub(super) fn room_number(app: &mut App, number: usize) {
    match number.checked_sub(1).filter(|index| *index < app.rooms.len()) {
        Some(index) => show_room(app, index),
        None => app.hint(format!("there is no room {number}")),
    }
}

pub(super) fn toggle_link(app: &mut App) -> Vec<Effect> {
    let shown = !app.areas().link.is_empty();
    app.panes.link = Some(!shown);
    if shown { Vec::new() } else { vec![Effect::Net(NetCommand::Nodes)] }
}

fn scroll(app: &mut App, action: Action) -> Vec<Effect> {
    let columns = app.scrolled_columns();
    let page = usize::from(columns.height.saturating_sub(1)).max(1);
    let online = matches!(app.link.status.state, LinkState::Online { .. });
    let Some(room) = app.rooms.current_mut() else { return Vec::new() };
    let history = &mut room.history;
    let mut at_top = false;
    match action {
        Action::PageUp => at_top = flow::scroll_up(history, columns, page),
        Action::PageDown => flow::scroll_down(history, columns, page),
        Action::Oldest => {
            flow::show_from(history, columns, 0);
            at_top = true;
        }
        Action::FirstUnread => {
            if let Some(news) = history.news {
                let index = history.index_of(news.from);
                flow::show_from(history, columns, index);
            }
        }
        _ => history.follow(),
    }
    if history.anchor.is_none() {
        room.read();
    }
    let is_wanted = room.history.more || !room.history.begun;
    if at_top && is_wanted && !room.history.loading && online {
        room.history.loading = true;
        let (room, before) = (room.name.clone(), room.history.oldest);
        return vec![Effect::Net(NetCommand::History { room, before, limit: PAGE_ENTRIES })];
    }
    Vec::new()
}

/// Ctrl-C: clears the input (undo brings it back); twice quits.
fn interrupt(app: &mut App) -> Vec<Effect> {
    let again = app.interrupted.replace(app.now).is_some_and(|at| app.now < at + INTERRUPT_HOLDS);
    if again {
        return vec![Effect::Quit];
    }
    if !app.composer.is_empty() {
        app.composer.take();
    }
    app.hint("Ctrl-C again quits");
    Vec::new()
}
