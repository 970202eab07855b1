use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Action, BINDINGS, action};

#[test]
fn no_key_has_two_meanings() {
    let keys: Vec<_> = BINDINGS.iter().flat_map(|binding| binding.keys).collect();
    for (index, (key, _)) in keys.iter().enumerate() {
        assert!(keys[..index].iter().all(|(other, _)| other != key), "{key} is bound twice");
    }
}

#[test]
fn keys_find_their_actions() {
    let press = |code, held| action(&KeyEvent::new(code, held));
    assert_eq!(press(KeyCode::Char('p'), KeyModifiers::CONTROL), Some(Action::PreviousRoom));
    assert_eq!(press(KeyCode::Char('P'), KeyModifiers::CONTROL), Some(Action::PreviousRoom));
    assert_eq!(press(KeyCode::Char('3'), KeyModifiers::ALT), Some(Action::Room(3)));
    assert_eq!(press(KeyCode::Char('j'), KeyModifiers::CONTROL), Some(Action::Newline));
    assert_eq!(press(KeyCode::Char('x'), KeyModifiers::NONE), None);
}
