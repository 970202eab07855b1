//! Owns what is our user's on all its clients: how far we have read, rooms of two, being away, whom we ignore.

use chat_protocol::{Person, RoomName, Seq, WelcomeRoom};

use chat_protocol::limits::ROOMS_PER_CONNECTION_MAX;

use super::{act, commands};
use crate::app::line::Said;
use crate::app::rooms::With;
use crate::app::text::clean_line;
use crate::app::{App, Opening};
use crate::effect::Effect;
use crate::net::event::NetCommand;

/// What the servers know of us.
pub(super) fn take(app: &mut App, away: Option<&String>, ignored: &[Person], rooms: Vec<WelcomeRoom>) {
    app.me.away = away.map(|text| clean_line(text));
    ignore(app, ignored);
    for (place, room) in rooms.into_iter().filter(|room| !room.room.is_hidden()).enumerate() {
        let index = app.rooms.find_or_add(&room.room);
        if let Some(known) = app.rooms.get_mut(index).filter(|known| !known.joined) {
            // More than a connection may enter: each when it is looked at.
            known.listed = place >= ROOMS_PER_CONNECTION_MAX;
        }
        if let (Some(with), Some(known)) = (&room.with, app.rooms.get_mut(index)) {
            known.with = Some(With::from(with));
        }
        // What nobody has marked is new with the first look at it; after that we know better what was shown.
        // So is a room that was entered in this run, before any welcome told of it.
        let is_known = (app.rooms.by_name_mut(&room.room))
            .is_some_and(|known| known.marker.is_some() || known.newest.is_some());
        if !(room.unmarked && is_known) {
            read(app, &room.room, room.read);
        }
    }
    // Once, not for each: a conversation's name is known only now.
    app.rooms.arrange();
}

/// Whom we ignore, from now on.
pub(super) fn ignore(app: &mut App, users: &[Person]) {
    app.me.ignored = users.iter().map(|user| (user.user_id.clone(), clean_line(&user.username))).collect();
}

/// The list has changed.
pub(super) fn ignored(app: &mut App, users: &[Person]) {
    ignore(app, users);
    let line = ignored_line(app);
    app.say_here(&Said::Notice, [line]);
}

/// Whom we ignore, in words.
pub(super) fn ignored_line(app: &App) -> String {
    let names: Vec<&str> = app.me.ignored.values().map(String::as_str).collect();
    if names.is_empty() {
        return "nobody is ignored: /ignore NAME hides what somebody says from now on".to_owned();
    }
    format!("ignored on all your clients: {} (/unignore NAME ends it)", names.join(", "))
}

/// We are away, or are not.
pub(super) fn away(app: &mut App, text: Option<String>) {
    let text = text.map(|text| clean_line(&text));
    if text == app.me.away {
        return;
    }
    let line = match &text {
        Some(text) => format!("you are away: {text} (/away ends it)"),
        None => "you are back".to_owned(),
    };
    app.me.away = text;
    app.say_here(&Said::Notice, [line]);
}

/// A room was read up to a place, here or by another client of ours.
pub(super) fn read(app: &mut App, name: &RoomName, seq: Seq) {
    let me = app.me.id.clone();
    if let Some(room) = app.rooms.by_name_mut(name) {
        room.read_to(seq, me.as_ref());
    }
}

/// A room of two is open.
pub(super) fn direct(app: &mut App, room: &RoomName, with: &Person, asked: bool) -> Vec<Effect> {
    let index = app.rooms.find_or_add(room);
    let mut is_new = true;
    if let Some(room) = app.rooms.get_mut(index) {
        is_new = room.with.replace(With::from(with)).is_none();
        // Nothing of it was read; what stands there when it is entered is news.
        room.marker = room.marker.or(Some(Seq::START));
    }
    app.rooms.arrange();
    let index = app.rooms.find(room).unwrap_or(index);
    let opening = app.opening.take_if(|_| asked);
    if !asked && app.me.ignored.contains_key(&with.user_id) {
        return Vec::new();
    }
    if !asked && !is_new {
        // The other one has another name.
        return Vec::new();
    }
    if !asked {
        app.hint(format!("a conversation with {} is open", clean_line(&with.username)));
        return Vec::new();
    }
    act::show_room(app, index);
    let text = opening.and_then(|opening| opening.text);
    text.map(|text| commands::say(app, text, None)).unwrap_or_default()
}

/// Writes to a user: in the room there is, or in one that is asked for.
pub(super) fn message(app: &mut App, to: &str, text: Option<String>) -> Vec<Effect> {
    if let Some(index) = app.rooms.find_direct(to) {
        act::show_room(app, index);
        return text.map(|text| commands::say(app, text, None)).unwrap_or_default();
    }
    app.opening = Some(Opening { to: to.to_owned(), text });
    vec![Effect::Net(NetCommand::Direct(to.to_owned()))]
}

/// The user that was to be written to cannot be: the text comes back.
pub(super) fn not_opened(app: &mut App) {
    let Some(Opening { to, text: Some(text) }) = app.opening.take() else { return };
    if app.composer.is_empty() {
        app.composer.set(&format!("/msg {to} {text}"));
    }
}

/// What of the room shown was seen by now.
pub(super) fn seen(app: &mut App) -> Option<Effect> {
    let room = app.rooms.current_mut()?;
    if std::mem::take(&mut room.listed) {
        return Some(Effect::Net(NetCommand::Join(room.name.clone())));
    }
    let newest =
        room.newest.filter(|_| room.joined && room.history.begun && room.history.anchor.is_none())?;
    if room.marker.is_some_and(|marker| marker >= newest) {
        return None;
    }
    room.marker = Some(newest);
    Some(Effect::Net(NetCommand::Read { room: room.name.clone(), seq: newest }))
}
