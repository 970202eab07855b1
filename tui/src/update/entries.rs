//! Owns how entries of a log become lines: what they say, whether they are unread, what they replace.

use std::time::Duration;

use chat_protocol::{Kind, MessageBody, MessageId, Quote, RoomMessage, Seq};
use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::app::App;
use crate::app::changes::{Became, Change};
use crate::app::history::{Older, OlderEntry};
use crate::app::line::{Mark, Quoted, Said, Speech};
use crate::app::text::{clean, clean_line};
use crate::effect::Effect;
use crate::net::event::{Origin, OutId};
use crate::notify::{self, Notification};

/// Notifications are at least this far apart: a busy room rings once a second, not at every line.
const NOTIFY_GAP: Duration = Duration::from_secs(1);

/// The next entry of a room.
pub(super) fn take(app: &mut App, message: &RoomMessage, out: Option<OutId>, origin: Origin) -> Vec<Effect> {
    if message.room.is_hidden() {
        return Vec::new();
    }
    let own = out.is_some() || app.me.id.as_ref() == Some(&message.body.sender_id);
    let read = read(app, message);
    let now = app.now;
    let index = app.rooms.find_or_add(&message.room);
    let is_shown = index == app.rooms.index();
    let Some(room) = app.rooms.get_mut(index) else { return Vec::new() };
    room.history.pass(message.seq);
    room.reach(message.seq);
    // What became of a message is neither a line nor news.
    let (at, mut said, text) = match read {
        OlderEntry::Line(at, said, text) => (at, said, text),
        OlderEntry::Change(of, change) => {
            room.history.change(&of, change);
            if let Some(out) = out {
                room.history.end_change(out, Mark::Acked(now));
            }
            return Vec::new();
        }
        OlderEntry::Nothing => return Vec::new(),
    };
    room.typing.stopped(&message.body.sender_id);
    if let (Some(out), Said::Message(speech)) = (out, &mut said) {
        let mark = room.history.take_pending(out);
        speech.out = Some(out);
        // In the log is in the log, whether or not the ack came first.
        speech.mark = match mark {
            Some(Mark::Acked(at)) => Mark::Acked(at),
            Some(_) => Mark::Acked(now),
            None => Mark::None,
        };
    }
    let is_topic = message.body.kind == Some(Kind::Topic);
    if is_topic {
        room.topic = clean_line(&message.body.content);
    }
    let is_named = matches!(&said, Said::Message(speech) if speech.mention) || room.with.is_some();
    let is_mention = is_named && !own && !is_topic;
    let kind = if is_mention { notify::Kind::Mention } else { notify::Kind::Other };
    let label = room.label();
    let is_new = room.marker.is_none_or(|marker| message.seq > marker);
    let is_worth = origin == Origin::Live && !own && !is_topic && !room.muted;
    let id = room.history.push(Some(message.seq), at, said, text);
    if is_new && !own && !is_topic && (!is_shown || room.history.anchor.is_some()) {
        room.unread += 1;
        room.mentions += usize::from(is_mention);
        room.history.count_news(id);
    }
    app.rooms.spoken_in(index);
    if !is_worth {
        return Vec::new();
    }
    tell(app, (&label, &message.body), (kind, is_shown)).into_iter().collect()
}

/// Tells the user of a message, unless it is in front of them, unwanted, or too soon after the last one.
fn tell(
    app: &mut App,
    (label, body): (&str, &MessageBody),
    (kind, is_shown): (notify::Kind, bool),
) -> Option<Effect> {
    let is_seen = is_shown && app.focused;
    let is_soon = app.notified.is_some_and(|at| app.now < at + NOTIFY_GAP);
    if is_seen || is_soon || !app.settings.notifications.wants(&clean_line(label), kind) {
        return None;
    }
    app.notified = Some(app.now);
    Some(Effect::Notify(Notification::new(label, &body.sender, &body.content)))
}

/// A page of older entries.
pub(super) fn take_page(app: &mut App, messages: &[RoomMessage]) {
    let Some(name) = messages.first().map(|message| message.room.clone()) else { return };
    let page = messages.iter().map(|message| Older { seq: message.seq, what: read(app, message) }).collect();
    if let Some(room) = app.rooms.by_name_mut(&name) {
        room.history.prepend(page);
    }
}

/// What an entry is on the screen.
fn read(app: &App, message: &RoomMessage) -> OlderEntry {
    let RoomMessage { seq, id, body, .. } = message;
    match (body.kind, &body.reference_id) {
        _ if app.me.ignored.contains_key(&body.sender_id) => OlderEntry::Nothing,
        (Some(Kind::Edit | Kind::Delete), Some(of)) => {
            OlderEntry::Change(of.clone(), change(app, *seq, body))
        }
        (Some(Kind::Edit | Kind::Delete), None) => OlderEntry::Nothing,
        _ => {
            let (at, said, text) = line_of(app, id, body);
            OlderEntry::Line(at, said, text)
        }
    }
}

fn change(app: &App, seq: Seq, body: &MessageBody) -> Change {
    let own = app.me.id.as_ref() == Some(&body.sender_id);
    let text = clean(&body.content);
    let became = match body.kind {
        Some(Kind::Delete) => Became::Deleted,
        _ => Became::Edited { mention: !own && is_about_us(app, &text), text: text.into() },
    };
    Change { seq, author: body.sender_id.clone(), became }
}

fn line_of(app: &App, id: &MessageId, body: &MessageBody) -> (DateTime, Said, String) {
    let at = app.local(body.timestamp.parse::<Timestamp>().unwrap_or(app.wall));
    let name = clean_line(&body.sender);
    let text = match (&body.enc, body.kind) {
        (Some(_), _) => "(sealed: this version cannot open it)".to_owned(),
        (None, Some(Kind::Topic)) if body.content.is_empty() => format!("{name} cleared the topic"),
        (None, Some(Kind::Topic)) => format!("{name} set the topic: {}", clean_line(&body.content)),
        (None, _) => clean(&body.content),
    };
    if matches!(body.kind, Some(Kind::Topic | Kind::Notice)) {
        return (at, Said::Notice, text);
    }
    let own = app.me.id.as_ref() == Some(&body.sender_id);
    let speech = Speech {
        action: body.kind == Some(Kind::Action),
        mention: !own && is_about_us(app, &text),
        id: Some(id.clone()),
        quote: body.quote.as_ref().map(|quote| Box::new(quoted(quote))),
        ..Speech::new(Some(body.sender_id.clone()), &name)
    };
    (at, Said::Message(speech), text)
}

fn quoted(quote: &Quote) -> Quoted {
    let text = format!("{}: {}", clean_line(&quote.sender), clean_line(&quote.text));
    Quoted { id: quote.id.clone(), author: quote.sender_id.clone(), text: text.into() }
}

/// True where a text names us, or holds a word that counts as our name.
fn is_about_us(app: &App, text: &str) -> bool {
    names(text, &app.me.name) || app.settings.highlight.iter().any(|word| names(text, word))
}

/// True where a text holds a name as a word of its own.
fn names(text: &str, name: &str) -> bool {
    if name.is_empty() || text.len() < name.len() {
        return false;
    }
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
    text.match_indices(&name).any(|(at, found)| {
        !is_letter(text[..at].chars().next_back()) && !is_letter(text[at + found.len()..].chars().next())
    })
}
