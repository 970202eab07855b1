//! Owns the keys of the search over everything that was said, and what a server's answer adds to it.

use chat_protocol::{RoomMessage, SearchFrom};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;

use super::{act, search};
use crate::app::finder::{Finder, Hit, Needle, Place, Scope, Server};
use crate::app::rooms::Room;
use crate::app::text::clean_line;
use crate::app::{App, Popup};
use crate::effect::Effect;
use crate::keymap::Action;
use crate::net::event::LinkState;

/// Opens it.
pub(super) fn open(app: &mut App) {
    app.chosen = None;
    app.popup = Some(Popup::Find(Finder::new()));
}

/// A key while it is open.
pub(super) fn press(app: &mut App, mut finder: Finder, key: KeyEvent) -> Vec<Effect> {
    let is_held = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    let last = finder.rows() - 1;
    if app.settings.keymap.action(&key) == Some(Action::Find) {
        return ask(app, finder);
    }
    match key.code {
        KeyCode::Enter => return chosen(app, finder),
        KeyCode::Up => finder.chosen = finder.chosen.saturating_sub(1),
        KeyCode::Down => finder.chosen = (finder.chosen + 1).min(last),
        KeyCode::Char('p') if is_held => finder.chosen = finder.chosen.saturating_sub(1),
        KeyCode::Char('n') if is_held => finder.chosen = (finder.chosen + 1).min(last),
        KeyCode::PageUp => finder.chosen = finder.chosen.saturating_sub(10),
        KeyCode::PageDown => finder.chosen = (finder.chosen + 10).min(last),
        KeyCode::Tab => {
            finder.scope = if finder.scope == Scope::Room { Scope::Everywhere } else { Scope::Room };
            look(app, &mut finder);
        }
        KeyCode::Char('u') if is_held => {
            finder.query.clear();
            look(app, &mut finder);
        }
        KeyCode::Char(letter) if !is_held => {
            finder.query.push(letter);
            look(app, &mut finder);
        }
        KeyCode::Backspace => {
            finder.query.pop();
            look(app, &mut finder);
        }
        _ => {}
    }
    app.popup = Some(Popup::Find(finder));
    Vec::new()
}

/// Text pasted into it is typed into it.
pub(super) fn paste(app: &mut App, pasted: &str) {
    if let Some(Popup::Find(mut finder)) = app.popup.take() {
        finder.query.push_str(&clean_line(pasted));
        look(app, &mut finder);
        app.popup = Some(Popup::Find(finder));
    }
}

/// Looks anew through what is at hand.
fn look(app: &App, finder: &mut Finder) {
    (finder.hits, finder.chosen, finder.server) = (Vec::new(), 0, Server::NotAsked);
    let Some(needle) = Needle::of(&finder.query) else { return };
    let index = app.rooms.index();
    let is_looked_in = |at: usize| finder.scope == Scope::Everywhere || at == index;
    let rooms = app.rooms.iter().enumerate().filter(|(at, _)| is_looked_in(*at));
    let hits = rooms.flat_map(|(_, room)| needle.found_in(room)).collect();
    finder.add(hits);
    finder.chosen = 0;
}

/// Goes to the chosen message, or on to the server.
fn chosen(app: &mut App, finder: Finder) -> Vec<Effect> {
    let Some(hit) = finder.hits.get(finder.chosen) else { return ask(app, finder) };
    let Some(index) = app.rooms.find(&hit.room) else { return Vec::new() };
    match &hit.place {
        Place::Here(line) => {
            act::show_room(app, index);
            let found = app.rooms.current().map(|room| room.history.index_of(*line));
            if let Some(index) = found {
                act::show_line(app, index);
            }
            let Some(room) = app.rooms.current() else { return Vec::new() };
            app.chosen = room.history.line_of(*line).map(|line| line.id);
            Vec::new()
        }
        // What is so far above is shown as what stands around it: nothing between would be known.
        Place::There(seq, _) => search::around(hit.room.clone(), *seq),
    }
}

/// Asks the server for what is not at hand, or for more of it.
fn ask(app: &mut App, mut finder: Finder) -> Vec<Effect> {
    let is_online = matches!(app.link.status.state, LinkState::Online { .. });
    let room = app.rooms.current().map(|room| room.name.clone()).filter(|_| finder.scope == Scope::Room);
    let asked = match finder.server {
        Server::Asked | Server::Done => Vec::new(),
        _ if finder.query.trim().is_empty() => Vec::new(),
        _ if !is_online => {
            finder.server = Server::Refused("offline: this is what is at hand".to_owned());
            Vec::new()
        }
        Server::GoesOn => search::go_on(app),
        Server::NotAsked | Server::Refused(_) => search::begin_in(app, finder.query.clone(), room),
    };
    if !asked.is_empty() {
        finder.server = Server::Asked;
    }
    app.popup = Some(Popup::Find(finder));
    asked
}

/// A server's answer. False: nobody waits for it here.
pub(super) fn found(app: &mut App, messages: &[RoomMessage], next: Option<&SearchFrom>) -> bool {
    let Some(Popup::Find(mut finder)) = app.popup.take_if(|popup| is_asked(popup)) else { return false };
    app.search.take(messages, next.cloned());
    let hits = messages.iter().filter(|message| !app.me.ignored.contains_key(&message.body.sender_id));
    let hits = hits.map(|message| hit(app, message));
    let new = hits.filter(|hit| {
        !finder.hits.iter().any(|known| (&known.room, &known.place) == (&hit.room, &hit.place))
    });
    let new = new.collect();
    finder.add(new);
    finder.server = if next.is_some() { Server::GoesOn } else { Server::Done };
    app.popup = Some(Popup::Find(finder));
    true
}

/// The server did not look. False: nobody waits for it here.
pub(super) fn refused(app: &mut App, why: &str) -> bool {
    app.search.expect_all();
    match &mut app.popup {
        Some(Popup::Find(finder)) if finder.server == Server::Asked => {
            finder.server = Server::Refused(why.to_owned());
            true
        }
        _ => false,
    }
}

/// An answer is waited for.
pub(super) fn is_waiting(app: &App) -> bool {
    app.popup.as_ref().is_some_and(is_asked)
}

fn is_asked(popup: &Popup) -> bool {
    matches!(popup, Popup::Find(finder) if finder.server == Server::Asked)
}

/// A message of the log, which may be at hand all the same.
fn hit(app: &App, message: &RoomMessage) -> Hit {
    let RoomMessage { room, seq, id, body } = message;
    let known = app.rooms.find(room).and_then(|index| app.rooms.iter().nth(index));
    let here = known.and_then(|room: &Room| room.history.line_with(id)).map(|line| line.id);
    Hit {
        room: room.clone(),
        at: app.local(body.timestamp.parse::<Timestamp>().unwrap_or(app.wall)),
        name: clean_line(&body.sender),
        text: clean_line(&body.content),
        place: here.map_or_else(|| Place::There(*seq, id.clone()), Place::Here),
    }
}
