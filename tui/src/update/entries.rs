//! Owns how entries of a log become lines: what they say, whether they are unread, what they replace.

use chat_protocol::{Kind, MessageBody, RoomMessage};
use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::app::App;
use crate::app::line::{Mark, Said, Speech};
use crate::app::text::{clean, clean_line};
use crate::effect::Effect;
use crate::net::event::{Origin, OutId};

/// The next entry of a room.
pub(super) fn take(app: &mut App, message: &RoomMessage, out: Option<OutId>, origin: Origin) -> Vec<Effect> {
    if message.room.is_hidden() {
        return Vec::new();
    }
    let own = out.is_some() || app.me.id.as_ref() == Some(&message.body.sender_id);
    let (at, mut said, text) = line_of(app, &message.body);
    let now = app.now;
    let index = app.rooms.find_or_add(&message.room);
    let is_shown = index == app.rooms.index();
    let Some(room) = app.rooms.get_mut(index) else { return Vec::new() };
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
    if message.body.kind == Some(Kind::Topic) {
        room.topic = clean_line(&message.body.content);
    }
    let is_mention = matches!(&said, Said::Message(speech) if speech.mention) && !own;
    let id = room.history.push(Some(message.seq), at, said, text);
    if !own && (!is_shown || room.history.anchor.is_some()) {
        room.unread += 1;
        room.mentions += usize::from(is_mention);
        room.history.count_news(id);
    }
    if is_mention && origin == Origin::Live { vec![Effect::Bell] } else { Vec::new() }
}

/// A page of older entries.
pub(super) fn take_page(app: &mut App, messages: &[RoomMessage]) {
    let Some(name) = messages.first().map(|message| message.room.clone()) else { return };
    let page: Vec<_> = messages
        .iter()
        .map(|message| {
            let (at, said, text) = line_of(app, &message.body);
            (message.seq, at, said, text)
        })
        .collect();
    let topic = messages.iter().rfind(|message| message.body.kind == Some(Kind::Topic));
    if let Some(room) = app.rooms.by_name_mut(&name) {
        room.history.prepend(page);
        if let Some(topic) = topic.filter(|_| room.topic.is_empty()) {
            room.topic = clean_line(&topic.body.content);
        }
    }
}

fn line_of(app: &App, body: &MessageBody) -> (DateTime, Said, String) {
    let at = app.local(body.timestamp.parse::<Timestamp>().unwrap_or(app.wall));
    let name = clean_line(&body.sender);
    let text = match (&body.enc, body.kind) {
        (Some(_), _) => "(sealed: this version cannot open it)".to_owned(),
        (None, Some(Kind::Topic)) => format!("{name} set the topic: {}", clean_line(&body.content)),
        (None, Some(Kind::Delete)) => format!("{name} took a message back"),
        (None, _) => clean(&body.content),
    };
    if matches!(body.kind, Some(Kind::Topic | Kind::Delete | Kind::Notice)) {
        return (at, Said::Notice, text);
    }
    let own = app.me.id.as_ref() == Some(&body.sender_id);
    let speech = Speech {
        author: Some(body.sender_id.clone()),
        name: name.into(),
        action: body.kind == Some(Kind::Action),
        mention: !own && names(&text, &app.me.name),
        out: None,
        mark: Mark::None,
    };
    (at, Said::Message(speech), text)
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
