//! Owns what happens to a line of input: said, done as a command, or kept with the reason why not.

use chat_protocol::{Kind, RoomName, limits};

use super::{about, act, bare, mouse, own, rooms, search};
use crate::app::about::{About, Deed};
use crate::app::line::{LineId, Mark, Said, Speech};
use crate::app::{App, Popup, text};
use crate::command::{self, Command};
use crate::effect::{DemoCommand, Effect};
use crate::net::event::{LinkState, NetCommand, Words};

/// A paste of more lines than this is asked about before it is sent.
pub(super) const PASTE_LINES_MAX: usize = 5;

/// Enter was pressed.
pub(super) fn submit(app: &mut App) -> Vec<Effect> {
    let lines = app.composer.lines();
    if app.composer.pasted_lines > PASTE_LINES_MAX && lines > PASTE_LINES_MAX {
        app.popup = Some(Popup::ConfirmSend { lines });
        return Vec::new();
    }
    submit_now(app)
}

/// Takes the input, unless there is a reason to leave it where it is.
pub(super) fn submit_now(app: &mut App) -> Vec<Effect> {
    let line = app.composer.text().trim_end().to_owned();
    if line.trim().is_empty() {
        if is_edit(app) {
            app.hint("a message cannot be emptied: /delete takes it back, Esc leaves it as it was");
        }
        return Vec::new();
    }
    let command = match command::parse(&line, app.demo) {
        Ok(command) => command,
        Err(error) => {
            app.hint(error.to_string());
            return Vec::new();
        }
    };
    if let Some(refusal) = refusal(app, &command) {
        app.hint(refusal);
        return Vec::new();
    }
    app.composer.take();
    app.composer.recall.keep(&line);
    perform(app, command)
}

/// Why something cannot be said, known before the server would say it.
fn refusal(app: &App, command: &Command) -> Option<String> {
    if let Command::Message { to, .. } = command {
        let is_offline = !matches!(app.link.status.state, LinkState::Online { .. });
        return (is_offline && app.rooms.find_direct(to).is_none())
            .then(|| "offline: a first message waits for the link; your text is kept".to_owned());
    }
    let (Command::Say(text) | Command::Me(text) | Command::Edit(text) | Command::Reply(text)) = command
    else {
        return None;
    };
    let chars = text.chars().count();
    if chars > limits::CONTENT_CHARS_MAX {
        return Some(format!(
            "{chars} characters, {} are allowed: shorten it, or send it in parts",
            limits::CONTENT_CHARS_MAX
        ));
    }
    if text.len() > limits::CONTENT_BYTES_MAX {
        return Some(format!(
            "{} bytes, {} are allowed: shorten it, or send it in parts",
            text.len(),
            limits::CONTENT_BYTES_MAX
        ));
    }
    app.rooms
        .current()
        .is_none()
        .then(|| "you are in no room: /join ROOM first; your text is kept".to_owned())
}

fn perform(app: &mut App, command: Command) -> Vec<Effect> {
    let ask = |command| vec![Effect::Net(command)];
    match command {
        Command::Say(text) if is_edit(app) => return about::edit(app, text),
        Command::Me(text) if is_edit(app) => return about::edit(app, text),
        Command::Say(text) => return say(app, text, None),
        Command::Me(text) => return say(app, text, Some(Kind::Action)),
        Command::Edit(text) => return about::edit(app, text),
        Command::Delete => about::ask_to_delete(app),
        Command::Reply(text) => return about::reply(app, text),
        Command::Topic(text) => return topic(app, text),
        Command::Join(room) => return join(app, &room),
        Command::Leave(room) => return leave(app, room),
        Command::Nick(name) => return ask(NetCommand::Rename(name)),
        Command::Message { to, text } => return own::message(app, &to, text),
        Command::Away(text) => return answered(app, Some(NetCommand::Away(text))),
        Command::Ignore(None) => {
            let line = own::ignored_line(app);
            app.say_here(&Said::Notice, [line]);
        }
        Command::Ignore(Some(user)) => {
            return answered(app, Some(NetCommand::Ignore { user, off: false }));
        }
        Command::Unignore(user) => return answered(app, Some(NetCommand::Ignore { user, off: true })),
        Command::Who(room) => {
            let room = room.or_else(|| app.rooms.current().map(|room| room.name.clone()));
            return answered(app, room.map(NetCommand::Who));
        }
        Command::Search { query, everywhere } => {
            let asked = search::begin(app, query, everywhere);
            return only_online(app, asked);
        }
        Command::SearchOn => {
            let asked = search::go_on(app);
            return only_online(app, asked);
        }
        Command::Context(number) => {
            let asked = search::context(app, number);
            return only_online(app, asked);
        }
        Command::Rooms => return answered(app, Some(NetCommand::Rooms)),
        Command::Nodes => {
            app.nodes_asked += 1;
            return answered(app, Some(NetCommand::Nodes));
        }
        Command::Help => app.popup = Some(Popup::Help { from: 0 }),
        Command::Next => act::step_room(app, 1),
        Command::Previous => act::step_room(app, -1),
        Command::Unread => act::next_unread(app),
        Command::Go(None) => app.popup = Some(Popup::Switcher { query: String::new(), chosen: 0 }),
        Command::Go(Some(query)) => go(app, &query),
        Command::Room(number) => act::room_number(app, number),
        Command::Reconnect => return ask(NetCommand::ReconnectNow),
        Command::Link => return act::toggle_link(app),
        Command::PaneRooms => app.panes.rooms = !app.panes.rooms,
        Command::PaneUsers => app.panes.users = Some(app.areas().users.is_empty()),
        Command::Bare => bare::toggle(app),
        Command::Pin => rooms::pin(app),
        Command::Mute => rooms::mute(app),
        Command::Order(order) => app.rooms.set_order(order),
        Command::Read => return rooms::read_all(app),
        Command::Clear => {
            if let Some(room) = app.rooms.current_mut() {
                room.history.clear();
                room.read();
            }
        }
        Command::Mouse => return mouse::toggle(app),
        Command::Theme(name) => theme(app, name),
        Command::Retry => retry(app, None),
        Command::Version => app.say_here(&Said::Notice, [format!("chat-tui {}", env!("CARGO_PKG_VERSION"))]),
        Command::Quit => return vec![Effect::Quit],
        Command::Kill => return vec![Effect::Demo(DemoCommand::Kill)],
        Command::KillAll => return vec![Effect::Demo(DemoCommand::KillAll)],
        Command::Revive => return vec![Effect::Demo(DemoCommand::Revive)],
        Command::Withhold => return vec![Effect::Demo(DemoCommand::Withhold)],
    }
    Vec::new()
}

/// Asks what only a server can answer; offline that is said rather than waited for.
fn answered(app: &mut App, command: Option<NetCommand>) -> Vec<Effect> {
    only_online(app, command.map(Effect::Net).into_iter().collect())
}

fn only_online(app: &mut App, asked: Vec<Effect>) -> Vec<Effect> {
    if !asked.is_empty() && !matches!(app.link.status.state, LinkState::Online { .. }) {
        app.hint("offline: ask again when the link is back");
    }
    asked
}

/// What is being written takes a message's place.
fn is_edit(app: &App) -> bool {
    app.about.as_ref().is_some_and(|about| about.deed == Deed::Edit)
}

/// What the room is about: told, or said anew.
fn topic(app: &mut App, text: Option<String>) -> Vec<Effect> {
    let Some(room) = app.rooms.current() else { return Vec::new() };
    let (name, label, topic) = (room.name.clone(), room.label(), room.topic.clone());
    if let Some(text) = text {
        return answered(app, Some(NetCommand::Topic { room: name, text }));
    }
    let line = if topic.is_empty() { format!("{label} has no topic") } else { format!("{label}: {topic}") };
    app.say_here(&Said::Notice, [line]);
    Vec::new()
}

/// Says something; to the message that it is about, if it is about one.
pub(super) fn say(app: &mut App, content: String, kind: Option<Kind>) -> Vec<Effect> {
    if is_edit(app) {
        about::drop_about(app);
    }
    let about = app.about.take();
    let out = app.next_out();
    let at = app.local_now();
    let speech = Speech {
        action: kind == Some(Kind::Action),
        out: Some(out),
        mark: Mark::Sent,
        quote: about::quote_of(about.as_ref()).map(Box::new),
        ..Speech::new(app.me.id.clone(), &app.me.name)
    };
    let Some(room) = app.rooms.current_mut() else { return Vec::new() };
    room.history.push_pending(out, at, Said::Message(speech), text::clean(&content));
    // Who speaks has read what is there, and wants to see the own words.
    room.history.news = None;
    room.history.follow();
    room.read();
    let room = room.name.clone();
    let said = match about {
        None => NetCommand::Say { out, room, content, kind },
        Some(About { target, .. }) => {
            NetCommand::SayOf { out, room, words: Words { content, kind, of: Some(target) } }
        }
    };
    vec![Effect::Net(said)]
}

fn join(app: &mut App, room: &RoomName) -> Vec<Effect> {
    if room.is_reserved() {
        app.hint(format!("#{room} is a name of the system's: it cannot be joined"));
        return Vec::new();
    }
    let index = app.rooms.find_or_add(room);
    if let Some(room) = app.rooms.get_mut(index) {
        room.leaving = false;
    }
    act::show_room(app, index);
    vec![Effect::Net(NetCommand::Join(room.clone()))]
}

fn leave(app: &mut App, room: Option<RoomName>) -> Vec<Effect> {
    let Some(name) = room.or_else(|| app.rooms.current().map(|room| room.name.clone())) else {
        return Vec::new();
    };
    match app.rooms.by_name_mut(&name) {
        Some(room) if room.with.is_some() => {
            app.hint("a conversation is not left: /ignore NAME hides what somebody says");
            Vec::new()
        }
        Some(room) => {
            room.leaving = true;
            vec![Effect::Net(NetCommand::Leave(name))]
        }
        None => {
            app.hint(format!("you are not in #{name}"));
            Vec::new()
        }
    }
}

fn go(app: &mut App, query: &str) {
    let best = app.rooms.found(query).first().copied();
    match best {
        Some(index) => act::show_room(app, index),
        None => app.hint(format!("no room like {}: /join enters one", text::clean_line(query))),
    }
}

/// Takes another theme until the program ends.
fn theme(app: &mut App, name: Option<String>) {
    let Some(name) = name else {
        let known: Vec<&str> = app.settings.themes().collect();
        let line = format!("the theme is {}; there are {}", app.settings.theme, known.join(", "));
        return app.say_here(&Said::Notice, [line]);
    };
    match app.settings.look(&name) {
        Some(theme) => {
            app.theme = theme;
            app.hint(format!("theme {name}; the next start has it with theme = \"{name}\" in config.toml"));
            app.settings.theme = name;
        }
        None => app.hint(app.settings.no_theme(&name)),
    }
}

/// Takes a message that failed back into the input, as it was typed: the chosen one, or else the newest.
pub(super) fn retry(app: &mut App, chosen: Option<LineId>) {
    match app.rooms.current_mut().and_then(|room| room.history.take_failed(chosen)) {
        Some((text, is_action)) => {
            about::drop_about(app);
            app.composer.set(&command::retyped(&text, is_action));
        }
        None if chosen.is_some() => app.hint("that one did not fail"),
        None => app.hint("nothing failed here"),
    }
}
