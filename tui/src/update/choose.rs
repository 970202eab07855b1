//! Owns choosing a message, and what can be done with the one chosen.

use crossterm::event::{KeyCode, KeyEvent};

use super::{about, commands, links, older};
use crate::app::about::Deed;
use crate::app::line::Line;
use crate::app::{App, flow};
use crate::effect::Effect;
use crate::keymap::Action;

/// Chooses the message above the chosen one, at first the newest.
pub(super) fn up(app: &mut App) {
    let Some(room) = app.rooms.current() else { return };
    let below = app.chosen.map_or(room.history.len(), |id| room.history.index_of(id));
    let found = (0..below).rev().find(|index| is_speech(room.history.line(*index)));
    choose(app, found);
}

/// Chooses the message below; below the newest there is nothing, and the choosing ends.
pub(super) fn down(app: &mut App) {
    let Some(room) = app.rooms.current() else { return };
    let Some(id) = app.chosen else { return };
    let below = room.history.index_of(id) + 1;
    let found = (below..room.history.len()).find(|index| is_speech(room.history.line(*index)));
    if found.is_none() {
        app.chosen = None;
    }
    choose(app, found);
}

fn choose(app: &mut App, index: Option<usize>) {
    let Some(index) = index else { return };
    // First the hint: it takes a row.
    app.hint(hint(app));
    let columns = app.scrolled_columns();
    let Some(room) = app.rooms.current_mut() else { return };
    app.chosen = room.history.line(index).map(|line| line.id);
    flow::show(&mut room.history, columns, index);
}

/// What can be done, said while one is chosen.
fn hint(app: &App) -> String {
    let way = |code| app.settings.keymap.way(Action::Chosen(code));
    let letter = |letter| way(KeyCode::Char(letter));
    let (reply, edit, delete, copy) = (way(KeyCode::Enter), letter('e'), letter('d'), letter('c'));
    let (open, retry, command) = (letter('o'), letter('r'), letter('/'));
    format!(
        "{reply} reply, {edit} edit, {delete} delete, {copy} copy, {open} link, {retry} retry, {command} command"
    )
}

fn is_speech(line: Option<&Line>) -> bool {
    line.is_some_and(|line| line.speech().is_some())
}

/// A key while a message is chosen; none: the key is none of this file's, and the choosing is over unless it
/// moves.
pub(super) fn press(app: &mut App, key: KeyEvent) -> Option<Vec<Effect>> {
    if matches!(app.settings.keymap.action(&key), Some(Action::ChooseUp | Action::ChooseDown)) {
        return None;
    }
    let key = app.settings.keymap.chosen(&key);
    match key.code {
        KeyCode::Up => {
            up(app);
            return Some(older::load(app));
        }
        KeyCode::Down => down(app),
        KeyCode::Esc => app.chosen = None,
        KeyCode::Char('c') if key.modifiers.is_empty() => return Some(copy(app)),
        KeyCode::Char('r') if key.modifiers.is_empty() => retry(app),
        KeyCode::Char('o') if key.modifiers.is_empty() => {
            if let Some(chosen) = app.chosen.take() {
                links::ask(app, chosen);
            }
        }
        KeyCode::Char('e') if key.modifiers.is_empty() => take_up(app, Deed::Edit),
        KeyCode::Enter if key.modifiers.is_empty() => take_up(app, Deed::Reply),
        KeyCode::Char('d') if key.modifiers.is_empty() => {
            if let Some(chosen) = app.chosen.take() {
                about::ask_to_delete_chosen(app, chosen);
            }
        }
        KeyCode::Char('/') if app.composer.is_empty() => {
            take_up(app, Deed::Command);
            app.composer.insert("/");
        }
        _ => {
            app.chosen = None;
            return None;
        }
    }
    Some(Vec::new())
}

fn take_up(app: &mut App, deed: Deed) {
    if let Some(chosen) = app.chosen.take() {
        about::take_up(app, chosen, deed);
    }
}

fn copy(app: &mut App) -> Vec<Effect> {
    let chosen = app.chosen.take();
    let Some((id, room)) = chosen.zip(app.rooms.current()) else { return Vec::new() };
    let text = room.history.line_of(id).map(|line| line.words().to_owned());
    app.hint("copied, where the terminal allows it (OSC 52)");
    text.map(Effect::Copy).into_iter().collect()
}

fn retry(app: &mut App) {
    let chosen = app.chosen.take();
    commands::retry(app, chosen);
}
