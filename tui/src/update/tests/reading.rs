use std::time::Duration;

use chat_protocol::Seq;

use super::{arrived, chat};
use crate::net::event::{LinkStatus, NetEvent};
use crate::stage::{Stage, message, room};

#[test]
fn something_turns_only_while_older_messages_load() {
    let mut stage = arrived();
    assert!(stage.shows("\u{280b} loading #general"));
    assert_eq!(stage.app.next_change(), Some(Duration::from_millis(120)));
    assert!(stage.at(120).shows("\u{2819} loading #general"));
    let page = |range: std::ops::RangeInclusive<u64>, more| {
        let messages = range.map(|seq| message("general", seq, "bob", &format!("line {seq}."))).collect();
        NetEvent::History { room: room("general"), messages, more }
    };
    stage.net(page(10..=60, true));
    let idle = Some(Duration::from_secs(60));
    assert_eq!(stage.app.next_change(), idle, "nothing turns");
    stage.press("PgUp");
    assert_eq!(stage.asked().len(), 2, "asked for before the top is on the screen");
    assert_eq!(stage.app.next_change(), idle, "and nothing turns that is not seen");
    stage.press("PgUp PgUp");
    assert!(
        stage.shows("loading older messages") && stage.app.next_change() == Some(Duration::from_millis(240))
    );
    stage.net(NetEvent::Link(LinkStatus::default()));
    assert!(!stage.shows("loading older"), "a page asked for on a lost link never comes");
    assert!(stage.app.next_change().is_none_or(|at| at > Duration::from_secs(1)));
}

#[test]
fn the_next_mention_is_gone_to_wherever_it_is() {
    let mut stage = chat();
    stage.says("ops", "bob", "you: first");
    for number in 0..50 {
        stage.says("ops", "bob", &format!("line {number}."));
    }
    stage.says("ops", "bob", "you: second");
    stage.press("Alt-a");
    assert!(stage.shows("\u{25b6}2 ops") && stage.shows("you: check the graph"), "{}", stage.picture());
    stage.press("Alt-a");
    assert!(stage.shows("you: second"), "then the one below: {}", stage.picture());
    stage.press("Alt-a");
    assert!(stage.shows("\u{25b6}3 random"), "then what is unread elsewhere");
}

#[test]
fn the_first_unread_is_jumped_to_or_there_is_none() {
    let mut stage = chat();
    assert!(stage.press("Alt-u").shows("nothing unread here"));
    for number in 0..50 {
        stage.says("random", "bob", &format!("line {number}."));
    }
    stage.press("Alt-3 Alt-u");
    assert!(
        stage.shows("51 new") && stage.shows("line 0.") && !stage.shows("line 49."),
        "{}",
        stage.picture()
    );
}

#[test]
fn a_frame_lays_out_what_it_shows_however_much_there_is() {
    // Counted in lines that were laid out, not in time.
    let laid_out = |lines: u64| {
        let mut stage = Stage::new(200, 60);
        let messages =
            (1..=lines).map(|seq| message("general", seq, "bob", "*some* words https://example.com/"));
        stage.net(NetEvent::History { room: room("general"), messages: messages.collect(), more: false });
        stage.picture();
        let history = &stage.app.rooms.current().unwrap().history;
        assert_eq!(history.line(0).and_then(|line| line.seq), Some(Seq(1)));
        history.newest_first().filter(|line| line.is_laid_out()).count()
    };
    let few = laid_out(1_000);
    assert!((50..70).contains(&few), "{few}");
    assert_eq!(laid_out(10_000), few);
}
