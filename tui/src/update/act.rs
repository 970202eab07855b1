//! Owns what the actions of the key table do.

use std::time::Duration;

use super::{about, bare, choose, commands, complete, find, mouse, older};
use crate::app::composer::Reach;
use crate::app::rooms::Room;
use crate::app::{App, Popup, flow};
use crate::effect::{DemoCommand, Effect};
use crate::keymap::Action;
use crate::net::event::NetCommand;

/// Ctrl-C twice within this quits.
const INTERRUPT_HOLDS: Duration = Duration::from_secs(2);
/// Rows that a step of the wheel is worth.
pub(super) const WHEEL_ROWS: usize = 3;

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
        Action::Mouse => return mouse::toggle(app),
        Action::PageUp
        | Action::PageDown
        | Action::RowsUp
        | Action::RowsDown
        | Action::Oldest
        | Action::Newest
        | Action::FirstUnread => {
            return scroll(app, action);
        }
        Action::Reconnect => return vec![Effect::Net(NetCommand::ReconnectNow)],
        Action::Link => return toggle_link(app),
        Action::PaneRooms => app.panes.rooms = !app.panes.rooms,
        Action::PaneUsers => app.panes.users = Some(app.areas().users.is_empty()),
        Action::Bare => bare::toggle(app),
        Action::Find => find::open(app),
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
        Action::ChooseUp => {
            choose::up(app);
            return older::load(app);
        }
        Action::ChooseDown => choose::down(app),
        Action::DemoKill if app.demo => return vec![Effect::Demo(DemoCommand::Kill)],
        // Keys of a chosen message are asked for while one is chosen.
        Action::DemoKill | Action::Chosen(_) => {}
    }
    Vec::new()
}

/// Shows another room: its draft comes into the input, the text there stays with the room left.
pub(super) fn show_room(app: &mut App, index: usize) {
    if index == app.rooms.index() || index >= app.rooms.len() {
        return;
    }
    leave_place(app);
    let text = app.composer.take();
    if let Some(room) = app.rooms.current_mut() {
        room.draft = text;
        room.history.news = None;
    }
    app.rooms.select(index);
    settle_room(app);
}

/// Lets go of all that is about the room shown, which is going to be another one.
pub(super) fn leave_place(app: &mut App) {
    about::drop_about(app);
    (app.chosen, app.completion) = (None, None);
    if app.bare.is_some() {
        bare::toggle(app);
    }
    app.popup.take_if(|popup| popup.is_of_room());
}

/// Makes the current room, just shown, the one written in and read.
pub(super) fn settle_room(app: &mut App) {
    let Some(room) = app.rooms.current_mut() else { return };
    let draft = std::mem::take(&mut room.draft);
    app.composer.begin_anew();
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

/// The next message that names us: below the screen, else in the next room where there is one; else what is unread.
pub(super) fn next_unread(app: &mut App) {
    if let Some(index) = app.rooms.current().and_then(mention_below) {
        return show_line(app, index);
    }
    let Some(index) = app.rooms.next_unread() else { return app.hint("nothing unread") };
    let is_named = app.rooms.iter().nth(index).is_some_and(|room| room.mentions > 0);
    show_room(app, index);
    let first = app.rooms.current().and_then(|room| {
        let news = room.history.index_of(room.history.news?.from);
        room.history.mention_from(news).or(Some(news))
    });
    if let Some(first) = first.filter(|_| is_named) {
        show_line(app, first);
    }
}

/// The next mention that came while the reader was elsewhere in the backlog.
fn mention_below(room: &Room) -> Option<usize> {
    let below = room.history.index_of(room.history.anchor?.line) + 1;
    let news = room.history.index_of(room.history.news?.from);
    room.history.mention_from(below.max(news))
}

/// Shows a line, moving as little as that takes.
pub(super) fn show_line(app: &mut App, index: usize) {
    let columns = app.scrolled_columns();
    let Some(room) = app.rooms.current_mut() else { return };
    flow::show(&mut room.history, columns, index);
    if room.history.anchor.is_none() {
        room.read();
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
    let Some(room) = app.rooms.current_mut() else { return Vec::new() };
    let history = &mut room.history;
    match action {
        Action::PageUp => {
            flow::scroll_up(history, columns, page);
        }
        Action::RowsUp => {
            flow::scroll_up(history, columns, WHEEL_ROWS);
        }
        Action::PageDown => flow::scroll_down(history, columns, page),
        Action::RowsDown => flow::scroll_down(history, columns, WHEEL_ROWS),
        Action::Oldest => flow::show_from(history, columns, 0),
        Action::FirstUnread => match history.news {
            Some(news) => {
                let index = history.index_of(news.from);
                flow::show_from(history, columns, index);
            }
            None => app.hint("nothing unread here"),
        },
        _ => history.follow(),
    }
    if let Some(room) = app.rooms.current_mut().filter(|room| room.history.anchor.is_none()) {
        room.read();
    }
    match action {
        Action::PageUp | Action::RowsUp | Action::Oldest | Action::FirstUnread => older::load(app),
        _ => Vec::new(),
    }
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
    app.hint(format!("{} again quits", app.settings.keymap.way(Action::Interrupt)));
    Vec::new()
}
