use super::{Composer, Reach};

fn with(text: &str) -> Composer {
    let mut composer = Composer::default();
    composer.insert(text);
    composer
}

#[test]
fn a_family_is_one_letter() {
    let mut composer = with("a👨‍👩‍👧‍👦b");
    composer.go(Reach::Left);
    composer.delete(Reach::Left);
    assert_eq!(composer.text(), "ab");
    assert_eq!(composer.cursor_cell(20), (0, 1));
}

#[test]
fn a_cursor_counts_cells_not_bytes() {
    assert_eq!(with("日本e\u{301}").cursor_cell(20), (0, 5));
    let mut joined = with("👨");
    joined.insert("\u{200d}");
    joined.insert("👩");
    assert_eq!(joined.cursor_cell(20), (0, 2), "typed piece by piece it is one cluster");
    joined.delete(Reach::Left);
    assert_eq!(joined.text(), "");
}

#[test]
fn readline_words_kill_and_yank() {
    let mut composer = with("roll node-2 now");
    composer.kill(Reach::WordLeft);
    assert_eq!(composer.text(), "roll node-2 ");
    composer.go(Reach::LineStart);
    composer.yank();
    assert_eq!(composer.text(), "nowroll node-2 ");
    composer.kill(Reach::LineEnd);
    assert_eq!(composer.text(), "now");
    composer.undo();
    assert_eq!(composer.text(), "nowroll node-2 ");
    composer.go(Reach::WordRight);
    composer.delete(Reach::Right);
    assert_eq!(composer.text(), "nowroll node2 ".replacen(' ', "", 1).replacen("node2", "node-2", 1));
}

#[test]
fn rows_are_walked_before_history() {
    let mut composer = Composer::default();
    composer.recall.keep("older");
    composer.recall.keep("newer");
    composer.insert("first\nsecond");
    composer.up(20);
    assert_eq!(composer.text(), "first\nsecond");
    composer.up(20);
    assert_eq!(composer.text(), "newer");
    composer.up(20);
    composer.up(20);
    assert_eq!(composer.text(), "older", "the oldest stays");
    composer.down(20);
    composer.down(20);
    assert_eq!(composer.text(), "first\nsecond", "the text being written comes back");
}

#[test]
fn nothing_harmful_gets_in() {
    assert_eq!(with("a\x1b[31mb\r\nc\rd\u{202e}").text(), "a[31mb\nc\nd");
}

#[test]
fn long_text_takes_rows() {
    let composer = with("日本語日本語");
    assert_eq!(composer.rows(4).len(), 3);
    assert_eq!(composer.cursor_cell(4), (2, 4));
}

#[test]
fn kills_that_follow_each_other_are_one_and_older_ones_come_back_too() {
    let mut composer = with("one two three four");
    composer.kill(Reach::WordLeft);
    composer.kill(Reach::WordLeft);
    composer.go(Reach::LineStart);
    composer.kill(Reach::WordRight);
    assert_eq!(composer.text(), " two ");
    assert!(!composer.yank_older(), "nothing was just put in");
    composer.yank();
    assert_eq!(composer.text(), "one two ");
    assert!(composer.yank_older());
    assert_eq!(composer.text(), "three four two ");
    assert!(composer.yank_older());
    assert_eq!(composer.text(), "one two ", "after the oldest the newest");
    composer.go(Reach::LineEnd);
    assert!(!composer.yank_older());
}

#[test]
fn what_was_written_is_found_by_its_words_newest_first_and_once() {
    let mut composer = Composer::default();
    ["roll node-1", "Roll node-2", "roll node-1", "hello"].iter().for_each(|text| composer.recall.keep(text));
    assert_eq!(composer.recall.found("ROLL"), ["roll node-1", "Roll node-2"]);
    assert_eq!(composer.recall.found("").len(), 3);
}
