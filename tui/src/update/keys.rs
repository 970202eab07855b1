//! Owns the way of a key: what is open takes it first, then the key table, then it is a letter.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{act, bare, choose, popup};
use crate::app::App;
use crate::effect::Effect;
use crate::keymap::Action;

/// A key this soon after Esc is an Alt-key.
const ESCAPE_HOLDS: Duration = Duration::from_secs(1);

/// A key was pressed.
pub(super) fn press(app: &mut App, mut key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    if app.popup.is_some() {
        return popup::press(app, key);
    }
    if app.bare.is_some() {
        return bare::press(app, key);
    }
    if app.chosen.is_some()
        && let Some(effects) = choose::press(app, key)
    {
        return effects;
    }
    let escaped = app.escaped.take().is_some_and(|at| app.now < at + ESCAPE_HOLDS);
    if escaped && key.code != KeyCode::Esc {
        key.modifiers |= KeyModifiers::ALT;
    }
    let action = app.settings.keymap.action(&key);
    if action != Some(Action::Complete) {
        app.completion = None;
    }
    match action {
        Some(action) => act::perform(app, action),
        None => letter(app, key),
    }
}

fn letter(app: &mut App, key: KeyEvent) -> Vec<Effect> {
    let is_text = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Char('?') if is_text && app.composer.is_empty() => act::perform(app, Action::Help),
        KeyCode::Char(letter) if is_text => {
            app.composer.insert(letter.encode_utf8(&mut [0; 4]));
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Text was pasted: it is put into the input, never sent by itself.
pub(super) fn paste(app: &mut App, text: &str) -> Vec<Effect> {
    match &app.popup {
        Some(_) => popup::paste(app, text),
        None if app.bare.is_some() => {}
        None => app.composer.paste(text),
    }
    Vec::new()
}
