use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Action, Key, Keymap, actions, help_rows, named, read, usual};

fn press(keymap: &Keymap, code: KeyCode, held: KeyModifiers) -> Option<Action> {
    keymap.action(&KeyEvent::new(code, held))
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

#[test]
fn the_table_has_each_key_and_each_name_once() {
    assert_eq!(Keymap::default().clash(), None);
    let names: Vec<&str> = actions().map(|(_, name, _)| *name).collect();
    for (index, row) in actions().enumerate() {
        assert!(!names[..index].contains(&row.1), "{} twice", row.1);
        assert!(actions().filter(|other| other.0 == row.0).count() == 1, "{:?} twice", row.0);
        let shown: Vec<String> = usual(row).iter().map(Key::to_string).collect();
        assert_eq!(shown.join(" "), row.2, "keys are written as they are shown");
    }
}

#[test]
fn keys_find_their_actions() {
    let keymap = Keymap::default();
    assert_eq!(press(&keymap, KeyCode::Char('p'), KeyModifiers::CONTROL), Some(Action::PreviousRoom));
    assert_eq!(press(&keymap, KeyCode::Char('P'), KeyModifiers::CONTROL), Some(Action::PreviousRoom));
    assert_eq!(press(&keymap, KeyCode::Char('3'), KeyModifiers::ALT), Some(Action::Room(3)));
    assert_eq!(press(&keymap, KeyCode::Char('j'), KeyModifiers::CONTROL), Some(Action::Newline));
    assert_eq!(press(&keymap, KeyCode::Enter, KeyModifiers::SHIFT), Some(Action::Newline));
    assert_eq!(press(&keymap, KeyCode::Char('x'), KeyModifiers::NONE), None);
}

#[test]
fn an_action_takes_other_keys_and_loses_its_own() {
    let mut keymap = Keymap::default();
    keymap.bind(Action::Switcher, &[key("ctrl-g"), key("ALT-K")]);
    assert_eq!(press(&keymap, KeyCode::Char('g'), KeyModifiers::CONTROL), Some(Action::Switcher));
    assert_eq!(
        press(&keymap, KeyCode::Char('K'), KeyModifiers::ALT | KeyModifiers::SHIFT),
        Some(Action::Switcher)
    );
    assert_eq!(press(&keymap, KeyCode::Char('t'), KeyModifiers::CONTROL), None);
    assert_eq!(keymap.way(Action::Switcher), "Ctrl-G");
    keymap.bind(Action::Reconnect, &[]);
    assert_eq!(keymap.way(Action::Reconnect), "/reconnect");
    let help = help_rows(&keymap, false);
    assert!(help.contains(&("Ctrl-G Alt-K /go".to_owned(), "switch quickly")), "{help:?}");
    assert!(help.contains(&("/reconnect".to_owned(), "reconnect now")));
    keymap.bind(Action::Redraw, &[]);
    assert!(help_rows(&keymap, false).contains(&("(no key)".to_owned(), "redraw")));
}

#[test]
fn a_key_that_two_actions_have_is_found() {
    let mut keymap = Keymap::default();
    keymap.bind(Action::PageUp, &[key("ctrl-t")]);
    let clash = keymap.clash().unwrap();
    assert_eq!((clash.key, clash.actions), (key("Ctrl-T"), [Action::Switcher, Action::PageUp]));
    keymap.bind(Action::Switcher, &[key("alt-k"), key("alt-k")]);
    assert_eq!(keymap.clash(), None, "one action may name a key twice");
}

#[track_caller]
fn check(text: &str, expected: Result<&str, &str>) {
    match (Key::beside_text(text), expected) {
        (Ok(key), Ok(shown)) => assert_eq!(key.to_string(), shown, "{text}"),
        (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
        (key, expected) => panic!("{text}: {key:?}, not {expected:?}"),
    }
}

#[test]
fn a_chosen_message_has_keys_of_its_own() {
    let mut keymap = Keymap::default();
    let letter = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
    assert_eq!(keymap.chosen(&letter('e')), letter('e'));
    keymap
        .bind(Action::Chosen(KeyCode::Char('e')), &[read(Action::Chosen(KeyCode::Char('e')), "x").unwrap()]);
    keymap.bind(Action::Chosen(KeyCode::Enter), &[key("alt-a")]);
    assert_eq!(keymap.clash(), None, "elsewhere Alt-a may do something else");
    assert_eq!(keymap.chosen(&letter('x')), letter('e'));
    assert_eq!(keymap.chosen(&letter('e')).code, KeyCode::Null);
    assert_eq!(keymap.chosen(&letter('z')), letter('z'));
    assert_eq!(keymap.chosen(&KeyEvent::new(KeyCode::Char('a'), KeyModifiers::ALT)).code, KeyCode::Enter);
    assert_eq!(press(&keymap, KeyCode::Char('a'), KeyModifiers::ALT), Some(Action::Unread));
    keymap.bind(Action::Chosen(KeyCode::Char('d')), &[key("x")]);
    assert!(keymap.clash().is_some());
}

#[test]
fn keys_have_names() {
    check("ctrl-t", Ok("Ctrl-T"));
    check("CTRL-T", Ok("Ctrl-T"));
    check("alt-k", Ok("Alt-k"));
    check("alt-K", Ok("Alt-K"));
    check("alt--", Ok("Alt--"));
    check("shift-alt-enter", Ok("Alt-Shift-Enter"));
    check("f12", Ok("F12"));
    check("pgup", Ok("PgUp"));
    check("ctrl-space", Ok("Ctrl-Space"));
    check("ctrl-pageup", Err("did you mean \"ctrl-PgUp\"?"));
    check("entre", Err("did you mean \"Enter\"?"));
    check("f99", Err("keys are as Ctrl-t"));
    check("k", Err("hold Ctrl- or Alt-"));
    check("shift-k", Err("hold Ctrl- or Alt-"));
    check("", Err("is no key"));
}

#[test]
fn keys_are_what_terminals_send() {
    let sent = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
    assert_eq!(Key::of(&sent), key("Shift-Tab"));
    for (text, same) in [("Ctrl-i", "Tab"), ("Ctrl-M", "Enter")] {
        let error = Key::beside_text(text).unwrap_err().to_string();
        assert!(error.contains(same), "{error}");
    }
}

#[test]
fn an_unknown_action_has_a_nearest() {
    assert_eq!(named("page-up"), Ok(Action::PageUp));
    assert_eq!(named("pageup"), Err(Some("page-up")));
    assert_eq!(named("xyz"), Err(None));
}
