use crate::stage::Stage;

fn talked(lines: usize) -> Stage {
    let mut stage = Stage::chatting(60, 12);
    for number in 0..lines {
        stage.says("general", "alice", &format!("line {number}"));
    }
    stage
}

#[test]
fn only_what_was_said_is_shown_as_it_was_said() {
    let mut stage = Stage::chatting(60, 12);
    stage.says(
        "general",
        "carol",
        "see *this*: https://example.com/a/path/that/is/longer/than/the/row/it/stands/in",
    );
    stage.says("general", "carol", "```\n  code\n```");
    stage.types("half a li").press("Alt-l");
    insta::assert_snapshot!(stage.picture());
    stage.types("no input").press("Enter Ctrl-T");
    assert!(stage.app.popup.is_none(), "nothing happens that is not seen");
    stage.press("Alt-l");
    assert!(stage.shows("[you] half a li"), "what was being written is still there");
    stage.press("F10 Esc");
    assert!(stage.shows("half a li"));
    stage.press("Ctrl-C").enters("/bare");
    assert!(!stage.shows("general"));
    stage.press("Esc");
    assert!(stage.shows("general"));
}

#[test]
fn what_is_being_copied_does_not_move() {
    let mut stage = talked(40);
    stage.press("F10");
    let before = stage.picture();
    assert_eq!(before.lines().count(), 12, "{before}");
    assert_eq!(before.lines().last(), Some("line 39"));
    stage.says("general", "bob", "something new").says("general", "bob", "and more");
    assert_eq!(stage.picture(), before);
    stage.press("Esc");
    assert!(stage.shows("and more"), "who followed the newest line follows it again");
}

#[test]
fn it_scrolls_to_every_line() {
    let mut stage = talked(40);
    stage.says("general", "bob", &"a long message ".repeat(90));
    stage.press("F10");
    let mut seen = stage.picture();
    for _ in 0..40 {
        seen += &stage.press("PgUp").picture();
    }
    for number in 0..40 {
        assert!(seen.contains(&format!("line {number}\n")), "line {number}");
    }
    assert!(seen.lines().any(|line| line.starts_with("a long message")), "its beginning too");
    assert!(stage.shows("rolling node-2 in five"), "the oldest");
    stage.press("Alt-End");
    assert!(stage.shows("message"));
    stage.press("PgUp PgUp Esc");
    assert!(stage.shows("newer below"), "who scrolled stays there");
}

#[test]
fn older_messages_are_loaded_in_it_too() {
    let mut stage = talked(3);
    stage.app.rooms.current_mut().unwrap().history.more = true;
    stage.press("F10 PgUp");
    assert_eq!(stage.asked().len(), 1);
}
