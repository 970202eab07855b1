//! Owns what is done about a message: editing it, taking it back, answering it. Which message that is: the chosen one, or
//! one's last.

use chat_protocol::Kind;

use super::commands;
use crate::app::about::{About, Deed};
use crate::app::line::{Line, LineId, Quoted};
use crate::app::{App, Popup};
use crate::command::retyped;
use crate::effect::Effect;
use crate::keymap::Action;
use crate::net::event::{NetCommand, Target, Words};

/// Takes a chosen message as what the text being written is about. Says why not, where it cannot be.
pub(super) fn take_up(app: &mut App, chosen: LineId, deed: Deed) {
    let found = app.rooms.current().and_then(|room| {
        let line = room.history.line_of(chosen)?;
        Some(about(app, line, deed))
    });
    match found {
        Some(Ok(about)) if deed == Deed::Edit && !about.own => app.hint(NOT_OWN),
        Some(Ok(about)) => begin(app, about),
        Some(Err(why)) => app.hint(why),
        None => {}
    }
}

/// What is said where somebody else's message is to be changed.
const NOT_OWN: &str = "that message is not yours: only its author can change it";

fn begin(app: &mut App, about: About) {
    drop_about(app);
    let hint = match about.deed {
        Deed::Edit => "Enter changes the message, Esc leaves it as it was".to_owned(),
        Deed::Reply => format!("Enter sends your reply to {}, Esc forgets whom it is to", about.name),
        Deed::Command => "/edit TEXT, /delete or /reply TEXT: of the chosen message".to_owned(),
    };
    app.hint(hint);
    let draft = if about.deed == Deed::Edit { app.composer.take() } else { String::new() };
    if about.deed == Deed::Edit {
        app.composer.set(&retyped(&about.text, false));
    }
    app.about = Some(About { draft, ..about });
}

/// What is being written is about no message any more. True: it was.
pub(super) fn drop_about(app: &mut App) -> bool {
    let Some(about) = app.about.take() else { return false };
    if about.deed == Deed::Edit {
        app.composer.take();
        app.composer.set(&about.draft);
    }
    true
}

/// A message of the log, or why nothing can be done with it.
fn about(app: &App, line: &Line, deed: Deed) -> Result<About, &'static str> {
    let Some(speech) = line.speech() else { return Err("that is no message") };
    if speech.is_deleted() {
        return Err("that message was deleted");
    }
    let (Some(id), Some(seq)) = (speech.id.clone(), line.seq) else {
        return Err(if speech.id.is_some() {
            "the log of that message is gone: it stays as it is"
        } else {
            "that message is not in the log yet: wait until it is"
        });
    };
    Ok(About {
        line: line.id,
        target: Target { seq, id: Some(id) },
        name: speech.name.to_string(),
        text: line.words().to_owned(),
        own: speech.author.is_some() && speech.author == app.me.id,
        deed,
        draft: String::new(),
    })
}

/// The message that a command is about: the chosen one, else one's last.
fn own_message(app: &mut App) -> Result<About, &'static str> {
    if let Some(about) = app.about.take() {
        return if about.own { Ok(about) } else { Err(NOT_OWN) };
    }
    let newest = app.me.id.as_ref().and_then(|me| app.rooms.current()?.history.newest_of(me));
    match newest {
        Some(line) => about(app, line, Deed::Edit),
        None => Err("nothing of yours is in the log here yet"),
    }
}

/// Gives a message another text.
pub(super) fn edit(app: &mut App, text: String) -> Vec<Effect> {
    match own_message(app) {
        Ok(about) => change(app, about, (Kind::Edit, text)),
        Err(why) => keep(app, why),
    }
}

/// Asks whether a message is to be taken back.
pub(super) fn ask_to_delete(app: &mut App) {
    match own_message(app) {
        Ok(mut about) => {
            let draft = std::mem::take(&mut about.draft);
            if !draft.is_empty() {
                app.composer.set(&draft);
            }
            app.popup = Some(Popup::ConfirmDelete(about));
        }
        Err(why) => app.hint(why),
    }
}

/// As above, of a chosen one.
pub(super) fn ask_to_delete_chosen(app: &mut App, chosen: LineId) {
    take_up(app, chosen, Deed::Command);
    if app.about.is_some() {
        ask_to_delete(app);
    }
}

/// Takes a message back: it was asked about.
pub(super) fn delete(app: &mut App, about: About) -> Vec<Effect> {
    change(app, about, (Kind::Delete, String::new()))
}

/// Answers the chosen message.
pub(super) fn reply(app: &mut App, text: String) -> Vec<Effect> {
    if app.about.is_none() {
        let key = app.settings.keymap.way(Action::ChooseUp);
        return keep(app, format!("choose the message first: {key}, then Enter; your text is kept under Up"));
    }
    commands::say(app, text, None)
}

fn keep(app: &mut App, why: impl Into<String>) -> Vec<Effect> {
    app.hint(why);
    Vec::new()
}

fn change(app: &mut App, about: About, (kind, content): (Kind, String)) -> Vec<Effect> {
    let out = app.next_out();
    let Some(room) = app.rooms.current_mut() else { return Vec::new() };
    room.history.begin_change(about.line, out);
    let words = Words { content, kind: Some(kind), of: Some(about.target) };
    let (draft, room) = (about.draft, room.name.clone());
    if !draft.is_empty() {
        app.composer.set(&draft);
    }
    vec![Effect::Net(NetCommand::SayOf { out, room, words })]
}

/// What a reply shows of the message it is to, until the log says it.
pub(super) fn quote_of(about: Option<&About>) -> Option<Quoted> {
    let About { target, name, text, .. } = about?;
    let line = text.lines().next().unwrap_or_default();
    // Nobody is looked up by this one: the entry brings the real one.
    let author = chat_protocol::UserId::parse("unknown").ok()?;
    Some(Quoted { id: target.id.clone()?, author, text: format!("{name}: {line}").into() })
}
