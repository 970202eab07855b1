//! What who hears the screen is told: words, one column, and nothing twice.

use super::*;
use crate::settings::Settings;

fn chat() -> Stage {
    Stage::with((80, 24), Settings { accessible: true, ..Settings::default() }).chat()
}

/// Signs that a screen reader says nothing of, or something else.
fn is_sign(letter: char) -> bool {
    matches!(letter, '\u{2190}'..='\u{21ff}' | '\u{2500}'..='\u{28ff}' | '…' | '·' | '|')
}

#[track_caller]
fn check_words(stage: &Stage, words: &str) {
    let picture = stage.picture();
    let is_said = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ").contains(words);
    assert!(picture.lines().any(is_said), "{words}:\n{picture}");
    assert!(!picture.contains(is_sign), "{picture}");
}

#[test]
fn one_column_of_words() {
    let mut stage = chat();
    stage.enters("on my way").becomes("general", OutId(1), OutState::Sent);
    insta::assert_snapshot!(stage.picture());
    assert!(!stage.picture().contains(is_sign));
}

#[test]
fn every_state_is_said_and_none_counts() {
    let mut stage = chat();
    check_words(&stage, "online node-2 tcp 1 mention, 2 unread F1 help");
    stage.enters("while away");
    stage.at(14_300).net(NetEvent::Link(down(1))).becomes("general", OutId(1), OutState::Queued);
    check_words(&stage, "trouble: OFFLINE (connection reset) try 3 [Alt-r now] queued 1");
    check_words(&stage, "while away queued");
    assert_eq!(stage.app.next_change(), None, "nothing moves by itself");
    stage.net(NetEvent::Link(dialling(DialStep::Hello, "10.0.0.7:12345 tcp")));
    check_words(&stage, "connecting: try 3 to 10.0.0.7:12345 tcp... hello... queued 2");
    assert_eq!(stage.app.next_change(), None, "nothing moves by itself");
    let mut status = online("node-3", 11);
    if let LinkState::Online { suspect, .. } = &mut status.state {
        *suspect = true;
    }
    stage.net(NetEvent::Link(status));
    check_words(&stage, "waiting for node-3 no pong");
    stage.net(NetEvent::Link(online("node-3", 14)));
    stage.becomes("general", OutId(1), OutState::Failed("too long".to_owned()));
    check_words(&stage, "while away failed: too long");
}

#[test]
fn a_long_trouble_is_told_whole() {
    let mut stage = chat();
    let words: Vec<String> = (0..60).map(|number| format!("word{number}")).collect();
    let text = words.join(" ");
    stage.net(NetEvent::Trouble { room: Some(room("general")), code: chat_protocol::ErrorCode::Other, text });
    let picture = stage.picture();
    assert!(words.iter().all(|word| picture.split_whitespace().any(|shown| shown == word)), "{picture}");
    assert_eq!(stage.count("trouble:"), 1, "the word is said once: {picture}");
}

#[test]
fn a_list_has_its_rows_for_itself() {
    let mut stage = chat();
    stage.press("Ctrl-T");
    let picture = stage.picture();
    assert!(picture.lines().any(|line| line.contains("random")), "{picture}");
    assert!(
        picture.lines().filter(|line| line.contains("random")).all(|line| !line.contains(':')),
        "{picture}"
    );
}

#[test]
fn panes_open_all_the_same() {
    let mut stage = chat();
    assert!(!stage.shows("Rooms"));
    assert!(stage.press("F7").shows("Rooms") && !stage.press("F8").picture().contains(is_sign));
}
