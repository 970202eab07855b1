//! Owns searching as the user sees it: what was asked, what was found as lines in the room shown, and on from there.

use chat_protocol::{Kind, RoomMessage, RoomName, SearchFrom, Seq};
use jiff::Timestamp;

use super::find;
use crate::app::App;
use crate::app::changes::Became;
use crate::app::line::Said;
use crate::app::search::Found;
use crate::app::text::{clean_line, ellipsis};
use crate::effect::Effect;
use crate::net::event::{NetCommand, Window};

/// Messages found that are shown at once.
const FOUND_SHOWN: usize = 20;
/// Messages shown around one.
const CONTEXT_SHOWN: usize = 11;
/// Cells of a message that are shown of it: it is to be recognised.
const CELLS_SHOWN: usize = 300;

/// A search begins.
pub(super) fn begin(app: &mut App, query: String, everywhere: bool) -> Vec<Effect> {
    let room = app.rooms.current().map(|room| room.name.clone()).filter(|_| !everywhere);
    if room.is_none() && !everywhere {
        app.hint("you are in no room: /search -a searches in all that you enter");
        return Vec::new();
    }
    begin_in(app, query, room)
}

/// The same in a room, or in all.
pub(super) fn begin_in(app: &mut App, query: String, room: Option<RoomName>) -> Vec<Effect> {
    app.search.begin(query.clone(), room.clone());
    ask(query, room, None)
}

/// The last search goes on.
pub(super) fn go_on(app: &mut App) -> Vec<Effect> {
    match app.search.go_on() {
        Some((query, room, from)) => ask(query, room, Some(from)),
        None => {
            app.hint("no search to go on with: /search WORDS begins one; from:NAME after:2026-11-21 has:link \"a phrase\"");
            Vec::new()
        }
    }
}

fn ask(query: String, room: Option<RoomName>, from: Option<SearchFrom>) -> Vec<Effect> {
    vec![Effect::Net(NetCommand::Search { query, room, from, limit: Some(FOUND_SHOWN) })]
}

/// What was said around a found message.
pub(super) fn context(app: &mut App, number: usize) -> Vec<Effect> {
    match app.search.found(number) {
        Some(Found { room, seq, .. }) => around(room.clone(), *seq),
        None => {
            app.hint(format!("no message {number} was found: /search WORDS first"));
            Vec::new()
        }
    }
}

/// Asks for what stands around a place.
pub(super) fn around(room: RoomName, seq: Seq) -> Vec<Effect> {
    vec![Effect::Net(NetCommand::Look { room, window: Window::Around(seq), limit: CONTEXT_SHOWN })]
}

/// What was found, the newest first as it came, is shown with the newest last; numbers count from the newest.
pub(super) fn found(app: &mut App, messages: &[RoomMessage], next: Option<SearchFrom>) {
    if app.search.is_unwanted() || find::found(app, messages, next.as_ref()) {
        return;
    }
    let before = app.search.take(messages, next);
    let goes_on = if app.search.can_go_on() { "; /search goes on" } else { "" };
    let what = app.search.what();
    let head = match (messages.len(), before) {
        (0, 0) => format!("nothing found for {what}{goes_on}"),
        (0, _) => format!("nothing more found for {what}{goes_on}"),
        (count, _) => format!("found {count} for {what}, newest last{goes_on}"),
    };
    if !messages.is_empty() {
        app.hint("/context NUMBER shows what was said around a message");
    }
    let is_ignored = |message: &RoomMessage| app.me.ignored.contains_key(&message.body.sender_id);
    let lines = messages.iter().enumerate().rev().filter(|(_, message)| !is_ignored(message)).map(
        |(index, message)| {
            format!("{:>3} {} {}", before + index + 1, app.rooms.label(&message.room), line(app, message))
        },
    );
    let lines: Vec<String> = std::iter::once(head).chain(lines).collect();
    app.say_here(&Said::Notice, lines);
}

/// What was asked to be seen of a log.
pub(super) fn looked(app: &mut App, room: &RoomName, at: Window, messages: &[RoomMessage]) {
    let Window::Around(seq) = at else { return };
    let sought = app.search.id_at(room, seq);
    let is_it = |message: &RoomMessage| Some(&message.id) == sought;
    let room = app.rooms.label(room);
    let head = match messages.iter().any(is_it) {
        true => format!("around that in {room}:"),
        false => format!("{room} does not have that any more; where it was:"),
    };
    let shown: Vec<RoomMessage> =
        messages.iter().filter_map(|message| as_it_is(app, messages, message)).collect();
    let lines = shown.iter().map(|message| {
        let mark = if is_it(message) { '>' } else { ' ' };
        format!("{mark} {}", line(app, message))
    });
    let lines: Vec<String> = std::iter::once(head).chain(lines).collect();
    app.say_here(&Said::Notice, lines);
}

/// A message as it reads by now, as far as its room and what stands behind it here tell; none for what is no message, or is not to be seen.
fn as_it_is(app: &App, messages: &[RoomMessage], message: &RoomMessage) -> Option<RoomMessage> {
    let RoomMessage { room, id, body, .. } = message;
    let is_change = matches!(body.kind, Some(Kind::Edit | Kind::Delete));
    if is_change || app.me.ignored.contains_key(&body.sender_id) {
        return None;
    }
    let mut shown = message.clone();
    let history =
        app.rooms.find(room).and_then(|index| app.rooms.iter().nth(index)).map(|room| &room.history);
    match history.and_then(|history| history.became(id, &body.sender_id)) {
        Some(Became::Deleted) => shown.body.content = "(deleted)".to_owned(),
        Some(Became::Edited { text, .. }) => shown.body.content = format!("{text} (edited)"),
        None => {
            let is_of = |change: &&RoomMessage| {
                change.body.reference_id.as_ref() == Some(id) && change.body.sender_id == body.sender_id
            };
            match messages.iter().rfind(is_of) {
                Some(change) if change.body.kind == Some(Kind::Delete) => {
                    shown.body.content = "(deleted)".to_owned();
                }
                Some(change) => shown.body.content = format!("{} (edited)", change.body.content),
                None => {}
            }
        }
    }
    Some(shown)
}

fn line(app: &App, message: &RoomMessage) -> String {
    let body = &message.body;
    let at = app.local(body.timestamp.parse::<Timestamp>().unwrap_or(app.wall));
    let text = ellipsis(&clean_line(&body.content), CELLS_SHOWN, app.glyphs.more);
    format!("{} {}: {text}", at.strftime("%Y-%m-%d %H:%M"), clean_line(&body.sender))
}
