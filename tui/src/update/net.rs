//! Owns what the network's events do to the model. Dedupe and order are the network's: each entry comes once.

use chat_protocol::{ErrorCode, NodeId, RoomName, Seq, User, UserId};

use super::{act, answers, entries, find, own, search, typing};
use crate::app::line::{Mark, Said};
use crate::app::text::clean_line;
use crate::app::{App, text};
use crate::effect::Effect;
use crate::net::event::{LinkState, LinkStatus, NetCommand, NetEvent, OutId, OutState, Recovery};

/// Entries of a room's first page.
const FIRST_PAGE_ENTRIES: usize = 100;

/// Something came from the network.
pub(super) fn take(app: &mut App, event: NetEvent) -> Vec<Effect> {
    match event {
        NetEvent::Link(status) => return link(app, status),
        NetEvent::Welcome { user_id, name, name_wanted } => welcome(app, user_id, &name, name_wanted),
        NetEvent::Joined { room, users, count, head, topic, .. } => {
            let effects = joined(app, &room, (&users, count), head);
            if let Some(room) = app.rooms.by_name_mut(&room) {
                room.topic = clean_line(&topic);
            }
            return effects;
        }
        NetEvent::Left(room) => left(app, &room),
        NetEvent::Presence(presence) => {
            if let Some(room) = app.rooms.by_name_mut(&presence.room) {
                room.change_members(&presence);
            }
        }
        NetEvent::Typing { room, user_id, name } => typing::heard(app, &room, user_id, &name),
        NetEvent::Renamed { user_id, name, was } => renamed(app, &user_id, &name, was),
        NetEvent::Entry { message, out, origin } => return entries::take(app, &message, out, origin),
        NetEvent::Out { out, room, state } => mark(app, out, &room, state),
        NetEvent::Rewound { room, to } => {
            if let Some(room) = app.rooms.by_name_mut(&room) {
                room.history.rewind(to);
                room.newest = room.newest.min(Some(to));
                room.marker = room.marker.min(Some(to));
            }
        }
        NetEvent::Reset { room, lost_from, lost_to, reason, .. } => {
            reset(app, &room, (lost_from, lost_to), &reason);
        }
        NetEvent::History { room, messages, more } => {
            entries::take_page(app, &messages);
            let me = app.me.id.clone();
            let is_shown = app.rooms.find(&room) == Some(app.rooms.index());
            if let Some(room) = app.rooms.by_name_mut(&room) {
                let is_followed = is_shown && room.history.anchor.is_none();
                room.history.loading = false;
                // An empty page with more behind it is none: it is asked for again.
                if !(more && messages.is_empty()) {
                    (room.history.more, room.history.begun) = (more, true);
                }
                // What is shown and followed is seen at once.
                if !is_followed {
                    room.count_unread(me.as_ref());
                }
            }
        }
        NetEvent::Looked { room, window, messages, .. } => search::looked(app, &room, window, &messages),
        NetEvent::Own { away, ignored, rooms } => own::take(app, away.as_ref(), &ignored, rooms),
        NetEvent::Direct { room, with, asked } => return own::direct(app, &room, &with, asked),
        NetEvent::Read { room, seq } => own::read(app, &room, seq),
        NetEvent::Ignored(users) => own::ignored(app, &users),
        NetEvent::Away(text) => own::away(app, text),
        NetEvent::Answer(message) => answers::take(app, message),
        NetEvent::Trouble { room, code, text } => trouble(app, room.as_ref(), code, &text),
    }
    Vec::new()
}

fn link(app: &mut App, status: LinkStatus) -> Vec<Effect> {
    let was_on = node(&app.link.status.state).cloned();
    let (was_online, is_online) = (was_on.is_some(), node(&status.state).is_some());
    let at = app.local_now();
    let missing = status.totals.lost.saturating_sub(app.link.status.totals.lost);
    let recovery = app.link.take(status, at);
    if missing > 0 && recovery.is_none() && app.link.lost(app.now).is_none() {
        app.link.loss = Some((app.now, format!("{missing} lost on the way")));
    }
    // A move that cost nothing is no event of the conversation.
    if let Some(recovery) = recovery.filter(|recovery| !recovery.planned || recovery.counted.lost > 0) {
        let text = failover_line(app, &recovery);
        for room in app.rooms.iter_mut() {
            room.history.push(None, at, Said::Failover, text.clone());
        }
    }
    if was_online && !is_online {
        // A page asked for on a lost link never comes.
        for room in app.rooms.iter_mut() {
            room.history.loading = false;
        }
        find::refused(app, "the link is lost: ask again when it is back");
    }
    let has_moved = was_on.as_ref() != node(&app.link.status.state);
    ask_for_panel(app, was_online && !has_moved)
}

/// The node we are on.
fn node(state: &LinkState) -> Option<&NodeId> {
    match state {
        LinkState::Online { node, .. } => Some(node),
        _ => None,
    }
}

/// The panel has come into sight, or the link under it is up: its nodes are asked for, once.
pub(super) fn ask_for_panel(app: &App, had_it: bool) -> Vec<Effect> {
    let is_online = matches!(app.link.status.state, LinkState::Online { .. });
    let wants = is_online && !had_it && !app.areas().link.is_empty();
    if wants { vec![Effect::Net(NetCommand::Nodes)] } else { Vec::new() }
}

fn failover_line(app: &App, recovery: &Recovery) -> String {
    let (to, dot) = (app.glyphs.to, app.glyphs.dot);
    let counted = recovery.counted;
    let dup = if counted.dup > 0 { format!(" {dot} {} dup", counted.dup) } else { String::new() };
    format!(
        "~~ {} {to} {} {dot} {} {dot} {} recovered {dot} {} lost{dup}",
        recovery.from,
        recovery.to,
        text::seconds(recovery.took),
        counted.recovered,
        counted.lost,
    )
}

fn welcome(app: &mut App, user_id: UserId, name: &str, wanted: Option<String>) {
    app.me.id = Some(user_id);
    app.me.name = clean_line(name);
    if let Some(wanted) = wanted {
        app.hint(format!("{} is taken: you are {}", clean_line(&wanted), app.me.name));
    }
}

fn joined(app: &mut App, name: &RoomName, (users, count): (&[User], usize), head: Seq) -> Vec<Effect> {
    if name.is_hidden() {
        return Vec::new();
    }
    let index = app.rooms.find_or_add(name);
    let Some(room) = app.rooms.get_mut(index) else { return Vec::new() };
    room.joined = true;
    room.reach(head);
    // Who came back does not know who has stopped meanwhile.
    room.typing.forget();
    room.set_members(users, count);
    let history = &mut room.history;
    if head == Seq::START {
        history.begun = true;
    }
    if history.begun || history.loading {
        return Vec::new();
    }
    history.loading = true;
    // Live entries come by themselves: what is asked for ends where they begin.
    let before = Some(history.oldest.unwrap_or(head.next()));
    vec![Effect::Net(NetCommand::History { room: name.clone(), before, limit: FIRST_PAGE_ENTRIES })]
}

fn left(app: &mut App, name: &RoomName) {
    let Some(index) = app.rooms.find(name) else { return };
    let was_shown = index == app.rooms.index();
    let at = app.local_now();
    match app.rooms.get_mut(index) {
        Some(room) if room.leaving => {
            if was_shown {
                act::leave_place(app);
                // What was being written there is not the next room's.
                let text = app.composer.take();
                app.composer.recall.keep(&text);
            }
            app.rooms.remove(name);
            if was_shown {
                act::settle_room(app);
            }
        }
        Some(room) => {
            room.joined = false;
            room.members.clear();
            room.count = 0;
            room.typing.forget();
            room.history.push(None, at, Said::Notice, format!("you are no longer in #{name}"));
        }
        None => {}
    }
}

fn renamed(app: &mut App, id: &UserId, name: &str, was: Option<String>) {
    let at = app.local_now();
    let name = clean_line(name);
    let is_me = app.me.id.as_ref() == Some(id);
    if is_me {
        app.me.name.clone_from(&name);
    }
    let who = was.map(|was| clean_line(&was));
    for room in app.rooms.iter_mut() {
        let is_here = room.rename(id, &name);
        if let Some(who) = who.as_ref().filter(|who| (is_here || is_me) && **who != name) {
            room.history.push(None, at, Said::Notice, format!("{who} is now {name}"));
        }
    }
}

fn mark(app: &mut App, out: OutId, room: &RoomName, state: OutState) {
    let now = app.now;
    let mark = match state {
        OutState::Queued => Mark::Queued,
        OutState::Sent => Mark::Sent,
        OutState::Acked => Mark::Acked(now),
        OutState::Failed(reason) => {
            let reason = clean_line(&reason);
            if change_failed(app, out, room, &reason) {
                return;
            }
            app.hint(format!("not sent to {}: {reason} (/retry takes it back)", app.rooms.label(room)));
            Mark::Failed(reason.into())
        }
    };
    if let Some(room) = app.rooms.by_name_mut(room) {
        room.history.mark(out, mark);
    }
}

/// The message stays as it was, and its author is told. False: it was no change.
fn change_failed(app: &mut App, out: OutId, room: &RoomName, reason: &str) -> bool {
    let at = app.local_now();
    let Some(room) = app.rooms.by_name_mut(room) else { return false };
    let is_change = room.history.end_change(out, Mark::None);
    if is_change {
        room.history.push(None, at, Said::Trouble, format!("not changed: {reason}"));
    }
    is_change
}

fn reset(app: &mut App, name: &RoomName, (from, to): (Seq, Option<Seq>), reason: &str) {
    let reason = match reason {
        "trimmed" => "history trimmed".to_owned(),
        "epoch" => "history begun anew".to_owned(),
        other => clean_line(other),
    };
    let text = match to {
        Some(to) if to < from => None,
        Some(to) if to == from => Some(format!("message {from} is gone ({reason})")),
        Some(to) => Some(format!("messages {from}-{to} are gone ({reason})")),
        None => Some(format!("messages from {from} on are gone ({reason})")),
    };
    let at = app.local_now();
    if let Some(text) = &text {
        app.link.loss = Some((app.now, format!("{}: {text}", app.rooms.label(name))));
    }
    if let Some(room) = app.rooms.by_name_mut(name) {
        room.history.forget_places();
        (room.marker, room.newest) = (None, None);
        let said = if text.is_some() { Said::Trouble } else { Said::Notice };
        room.history.push(None, at, said, text.unwrap_or(reason));
    }
}

fn trouble(app: &mut App, room: Option<&RoomName>, code: ErrorCode, text: &str) {
    let at = app.local_now();
    if matches!(code, ErrorCode::NoUser | ErrorCode::Forbidden | ErrorCode::Unavailable) {
        own::not_opened(app);
    }
    let text = format!("{} ({})", clean_line(text), code.as_str());
    if let Some(room) = room.and_then(|room| app.rooms.by_name_mut(room)) {
        // It may be the answer to a page that was asked for: that one does not come, another may be asked for.
        room.history.loading = false;
    }
    let is_of_a_search =
        matches!(code, ErrorCode::BadQuery | ErrorCode::RateLimited | ErrorCode::Unavailable);
    if is_of_a_search && find::refused(app, &text) {
        return;
    }
    match room.and_then(|room| app.rooms.by_name_mut(room)) {
        Some(room) => {
            room.history.push(None, at, Said::Trouble, text);
        }
        None => app.say_here(&Said::Trouble, [text]),
    }
}
