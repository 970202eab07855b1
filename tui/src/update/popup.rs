//! Owns the keys of what lies over the screen: help, the quick switcher, the questions before a long paste is sent,
//! before a message is taken back, and before a link is opened. Esc closes each and destroys nothing.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{about, act, commands, find, links};
use crate::app::{App, Popup, text};
use crate::effect::Effect;
use crate::keymap::{self, Action};

/// Rows of help's frame.
const HELP_FRAME_ROWS: u16 = 2;
/// Rows that a page key moves help.
const HELP_PAGE: usize = 10;

/// A key while something is open.
pub(super) fn press(app: &mut App, key: KeyEvent) -> Vec<Effect> {
    still_asked(app, |app| pressed(app, key))
}

/// Does something, and lets go of a search that nobody waits for behind it.
fn still_asked<T>(app: &mut App, done: impl FnOnce(&mut App) -> T) -> T {
    let was_waiting = find::is_waiting(app);
    let result = done(app);
    if was_waiting && !find::is_waiting(app) {
        app.search.abandon();
    }
    result
}

fn pressed(app: &mut App, key: KeyEvent) -> Vec<Effect> {
    let is_interrupt =
        key.modifiers.contains(KeyModifiers::CONTROL) && matches!(key.code, KeyCode::Char('c' | 'C'));
    if key.code == KeyCode::Esc || is_interrupt {
        app.popup = None;
        return Vec::new();
    }
    let closes = app.settings.keymap.action(&key) == Some(Action::Help);
    match app.popup.take() {
        Some(Popup::Help { .. }) if closes => {}
        Some(Popup::Help { from }) => help(app, from, key.code),
        Some(Popup::Switcher { query, chosen }) => switcher(app, query, chosen, key),
        Some(Popup::Recall { query, chosen }) => recall(app, query, chosen, key),
        Some(Popup::ConfirmSend { lines }) => match key.code {
            KeyCode::Enter | KeyCode::Char('y' | 'Y') => return commands::submit_now(app),
            KeyCode::Char('n' | 'N') => {}
            _ => app.popup = Some(Popup::ConfirmSend { lines }),
        },
        Some(Popup::ConfirmDelete(message)) => match key.code {
            KeyCode::Enter | KeyCode::Char('y' | 'Y') => return about::delete(app, message),
            KeyCode::Char('n' | 'N') => {}
            _ => app.popup = Some(Popup::ConfirmDelete(message)),
        },
        Some(Popup::Links { addresses, chosen }) => return links::press(app, (addresses, chosen), key),
        Some(Popup::Find(finder)) => return find::press(app, finder, key),
        None => {}
    }
    Vec::new()
}

fn help(app: &mut App, from: usize, code: KeyCode) {
    let last = help_last(app);
    let from = match code {
        KeyCode::Up | KeyCode::Char('k') => from.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => from + 1,
        KeyCode::PageUp => from.saturating_sub(HELP_PAGE),
        KeyCode::PageDown | KeyCode::Char(' ') => from + HELP_PAGE,
        KeyCode::Home => 0,
        KeyCode::End => last,
        KeyCode::Char('q' | '?') | KeyCode::Enter => return,
        _ => from,
    };
    app.popup = Some(Popup::Help { from: from.min(last) });
}

/// The first row of help's last page.
pub(super) fn help_last(app: &App) -> usize {
    let shown = usize::from(app.size.1.saturating_sub(HELP_FRAME_ROWS));
    keymap::help_rows(&app.settings.keymap, app.demo).len().saturating_sub(shown)
}

fn switcher(app: &mut App, mut query: String, chosen: usize, key: KeyEvent) {
    let found = app.rooms.found(&query);
    if key.code == KeyCode::Enter {
        if let Some(index) = found.get(chosen.min(found.len().saturating_sub(1))) {
            act::show_room(app, *index);
        }
        return;
    }
    let chosen = choose(&mut query, (chosen, found.len()), key);
    app.popup = Some(Popup::Switcher { query, chosen });
}

/// The text chosen takes the place of what is being written, which undo brings back.
fn recall(app: &mut App, mut query: String, chosen: usize, key: KeyEvent) {
    let found = app.composer.recall.found(&query);
    let found_len = found.len();
    if key.code == KeyCode::Enter {
        let text = found.get(chosen.min(found_len.saturating_sub(1))).map(|text| (*text).to_owned());
        text.into_iter().for_each(|text| app.composer.set(&text));
        return;
    }
    let is_again = app.settings.keymap.action(&key) == Some(Action::Recall);
    let chosen = match is_again {
        true => (chosen + 1).min(found_len.saturating_sub(1)),
        false => choose(&mut query, (chosen, found_len), key),
    };
    app.popup = Some(Popup::Recall { query, chosen });
}

/// A key in a list that is narrowed by typing; the place of the line chosen then.
fn choose(query: &mut String, (chosen, lines): (usize, usize), key: KeyEvent) -> usize {
    let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let is_held = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    let last = lines.saturating_sub(1);
    match key.code {
        KeyCode::Up => chosen.saturating_sub(1),
        KeyCode::Down | KeyCode::Tab => (chosen + 1).min(last),
        KeyCode::Char('p') if is_ctrl => chosen.saturating_sub(1),
        KeyCode::Char('n') if is_ctrl => (chosen + 1).min(last),
        KeyCode::Char('u') if is_ctrl => {
            query.clear();
            0
        }
        KeyCode::Char(letter) if !is_held => {
            query.push(letter);
            0
        }
        KeyCode::Backspace => {
            query.pop();
            0
        }
        _ => chosen,
    }
}

/// Text pasted into a list is typed into it.
pub(super) fn paste(app: &mut App, pasted: &str) {
    match &mut app.popup {
        Some(Popup::Switcher { query, chosen } | Popup::Recall { query, chosen }) => {
            query.push_str(&text::clean_line(pasted));
            *chosen = 0;
        }
        Some(Popup::Find(_)) => still_asked(app, |app| find::paste(app, pasted)),
        _ => {}
    }
}
