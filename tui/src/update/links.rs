//! Owns opening the links of a message: which there are, which one, and that its reader has seen where it leads.

use crossterm::event::{KeyCode, KeyEvent};

use crate::app::line::LineId;
use crate::app::markup;
use crate::app::{App, Popup};
use crate::effect::Effect;

/// Shows where the links of a message lead.
pub(super) fn ask(app: &mut App, chosen: LineId) {
    let line = app.rooms.current().and_then(|room| room.history.line_of(chosen));
    let addresses = line.map(|line| markup::addresses(line.words())).unwrap_or_default();
    if addresses.is_empty() {
        app.hint("no link in that message");
        return;
    }
    app.popup = Some(Popup::Links { addresses, chosen: 0 });
}

/// A key while they are shown.
pub(super) fn press(app: &mut App, (addresses, chosen): (Vec<String>, usize), key: KeyEvent) -> Vec<Effect> {
    let last = addresses.len().saturating_sub(1);
    let address = addresses.get(chosen).cloned();
    let chosen = match key.code {
        // Not the key that shows them: pressed twice, or held, it would open one unseen.
        KeyCode::Enter | KeyCode::Char('y') => {
            app.hint("opening it; nothing comes? c copies the link instead");
            return address.map(Effect::Open).into_iter().collect();
        }
        KeyCode::Char('c') => {
            app.hint("copied, where the terminal allows it (OSC 52)");
            return address.map(Effect::Copy).into_iter().collect();
        }
        KeyCode::Char('n') => return Vec::new(),
        KeyCode::Up => chosen.saturating_sub(1),
        KeyCode::Down | KeyCode::Tab => (chosen + 1).min(last),
        _ => chosen,
    };
    app.popup = Some(Popup::Links { addresses, chosen });
    Vec::new()
}
