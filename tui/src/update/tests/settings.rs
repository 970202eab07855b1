//! What the settings change: keys, themes, times, panes, and what is told.

use super::told;
use crate::app::panes::Panes;
use crate::effect::Effect;
use crate::event::{Event, Mouse};
use crate::keymap::{Action, Keymap};
use crate::notify::{Level, Notifications, Way};
use crate::settings::{Settings, TimeFormat};
use crate::stage::Stage;
use crate::theme::{Depth, Role, Theme};

fn with(settings: Settings) -> Stage {
    Stage::with((80, 24), settings).chat()
}

fn keys(bound: &[(Action, &[&str])]) -> Settings {
    let mut keymap = Keymap::default();
    for (action, keys) in bound {
        keymap.bind(
            *action,
            &keys.iter().map(|key| crate::keymap::read(*action, key).unwrap()).collect::<Vec<_>>(),
        );
    }
    assert_eq!(keymap.clash(), None);
    Settings { keymap, ..Settings::default() }
}

#[test]
fn keys_do_what_they_are_bound_to_and_are_named_so() {
    let mut stage = with(keys(&[
        (Action::Help, &["F12"]),
        (Action::Newest, &["Ctrl-g"]),
        (Action::NextRoom, &["F1"]),
        (Action::ChooseUp, &["Alt-Up"]),
        (Action::PreviousRoom, &["Ctrl-p"]),
        (Action::Interrupt, &["Ctrl-q"]),
        (Action::Reconnect, &[]),
    ]));
    assert!(stage.shows("F12 help"), "{}", stage.picture());
    assert!(stage.press("F1").shows("▶2 ops") && stage.press("Ctrl-P").shows("▶1 general"));
    stage.press("F12");
    insta::assert_snapshot!("help_of_other_keys", stage.picture());
    assert!(!stage.press("F12").shows("Esc closes"), "the key that opens help closes it");
    for number in 0..60 {
        stage.says("general", "bob", &format!("line {number}"));
    }
    assert!(stage.press("PgUp").shows("newer below: Ctrl-G"));
    assert!(!stage.press("Ctrl-G").shows("newer below"));
    assert!(stage.press("Ctrl-Q").shows("Ctrl-Q again quits"));
    assert!(stage.press("Ctrl-C").shows("Ctrl-Q again quits"), "it does nothing now");
    stage.press("Alt-Up Alt-Up");
    assert!(stage.shows("▶bob") || stage.count("▶") == 2, "{}", stage.picture());
    stage.press("Esc").enters("/reply no");
    assert!(stage.shows("choose the message first: Alt-Up"), "{}", stage.picture());
}

#[test]
fn a_chosen_message_is_done_with_as_bound() {
    let mut stage = with(keys(&[(Action::Chosen(crossterm::event::KeyCode::Char('c')), &["Alt-c"])]));
    assert!(stage.press("Ctrl-Up").shows("Alt-c copy"), "{}", stage.picture());
    assert!(!stage.types("c").shows("copied") && stage.shows("[you] c"), "{}", stage.picture());
    assert!(stage.press("Ctrl-Up Alt-c").shows("copied"));
}

#[test]
fn the_mouse_scrolls_and_enters_rooms() {
    let mut stage = with(Settings { mouse: true, ..Settings::default() });
    for number in 0..60 {
        stage.says("general", "bob", &format!("line {number}"));
    }
    stage.play(Event::Mouse(Mouse::WheelUp));
    assert!(!stage.shows("line 59") && stage.shows("line 55"), "{}", stage.picture());
    stage.play(Event::Mouse(Mouse::WheelDown));
    assert!(stage.shows("line 59") && !stage.shows("newer below"));
    stage.play(Event::Mouse(Mouse::Click { x: 3, y: 3 }));
    assert!(stage.shows("▶3 random"), "{}", stage.picture());
    stage.play(Event::Mouse(Mouse::Click { x: 3, y: 9 })).play(Event::Mouse(Mouse::Click { x: 40, y: 1 }));
    assert!(stage.shows("▶3 random"), "there is no room");
    stage.effects.clear();
    assert!(stage.press("Alt-m").shows("the mouse is the terminal's"));
    stage.enters("/mouse").press("F1").play(Event::Mouse(Mouse::WheelDown));
    assert_eq!(stage.effects, [Effect::Mouse(false), Effect::Mouse(true)]);
    assert!(stage.shows("unread") && !stage.shows("Alt-Up"), "help scrolls: {}", stage.picture());
}

#[test]
fn a_link_that_is_down_names_the_way_that_is_there() {
    let mut stage = with(keys(&[(Action::Reconnect, &[])]));
    let state = crate::net::event::LinkState::Down {
        since: crate::net::event::Moment::ZERO,
        reason: "gone".to_owned(),
        attempt: 1,
        retry_at: crate::net::event::Moment::from_secs(5),
    };
    let status = crate::net::event::LinkStatus { state, ..Default::default() };
    stage.net(crate::net::event::NetEvent::Link(status));
    assert!(stage.shows("[/reconnect now]"), "{}", stage.picture());
}

#[test]
fn themes_change_while_it_runs() {
    let mut stage = with(Settings { depth: Depth::Many, ..Settings::default() });
    let dark = stage.app.theme.clone();
    assert!(stage.enters("/theme").shows("the theme is dark; there are dark, light, 16-colour"));
    assert!(
        stage.enters("/theme lihgt").shows("no theme \"lihgt\": did you mean light? there are dark, light")
    );
    assert_eq!(stage.app.theme, dark);
    stage.types("/theme hi").press("Tab");
    assert!(stage.shows("/theme high-contrast"));
    assert!(stage.press("Enter").shows("theme high-contrast; the next start has it with"));
    assert_ne!(stage.app.theme.style(Role::Trouble), dark.style(Role::Trouble));
    assert!(stage.enters("/theme").shows("the theme is high-contrast"));
}

#[test]
fn every_cell_stands_on_the_grounds_of_the_theme() {
    let mut stage = with(Settings { depth: Depth::Many, ..Settings::default() });
    stage.press("F8 F1");
    let ground = Theme::new(&crate::theme::builtin()[0].1, Depth::Many).ground();
    let buffer = stage.buffer();
    for cell in buffer.content() {
        assert_eq!(Some(cell.bg), ground.bg, "{cell:?}");
    }
}

#[test]
fn times_are_written_as_set() {
    let settings = Settings { time: TimeFormat::parse("12h").unwrap(), ..Settings::default() };
    insta::assert_snapshot!("times_of_12_hours", with(settings).picture());
}

#[test]
fn panes_begin_as_set() {
    let panes = Panes { rooms: false, users: Some(true), link: None };
    let mut stage = with(Settings { panes, ..Settings::default() });
    assert!(!stage.shows("Rooms") && stage.shows("3 users"), "{}", stage.picture());
    assert!(stage.press("F7").shows("Rooms"), "and change as ever");
}

#[test]
fn what_is_in_front_is_not_told_and_what_nobody_looks_at_is() {
    let mut stage = with(Settings::default());
    stage.says("general", "bob", "you: in front");
    assert_eq!(told(&stage), [""; 0]);
    stage.play(Event::Focus(false)).at(2_000).says("general", "bob", "you: behind");
    assert_eq!(told(&stage), ["#general: bob: you: behind"]);
    stage.play(Event::Focus(true)).at(4_000).says("general", "bob", "you: in front again");
    stage.says("general", "bob", "nothing for anybody").at(6_000).says("ops", "bob", "neither");
    assert_eq!(told(&stage).len(), 1);
    stage.at(8_000).says("ops", "bob", "you: elsewhere");
    assert_eq!(told(&stage)[1..], ["#ops: bob: you: elsewhere"]);
}

#[test]
fn rooms_are_told_of_as_set_and_no_more_than_once_a_second() {
    let rooms = [("ops", Level::All), ("random", Level::None)];
    let rooms = rooms.map(|(room, level)| (room.to_owned(), level)).into();
    let notifications = Notifications { rooms, level: Level::Mentions, ways: vec![Way::Osc9] };
    let mut stage = with(Settings { notifications, ..Settings::default() });
    stage.at(1_000).says("random", "bob", "you: quiet here");
    stage
        .says("ops", "bob", "one")
        .at(1_999)
        .says("ops", "bob", "too soon")
        .at(2_000)
        .says("ops", "bob", "two");
    assert_eq!(told(&stage), ["#ops: bob: one", "#ops: bob: two"]);
    assert!(stage.shows("@1"), "it counts all the same: {}", stage.picture());
}
