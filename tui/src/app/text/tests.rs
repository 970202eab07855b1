use super::{Row, chop, clean, clean_line, ellipsis, width, wrap_line};

fn wrap(text: &str, cells: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        wrap_line(text, start..start + line.len(), cells, &mut rows);
        start += line.len() + 1;
    }
    rows
}

#[track_caller]
fn check_wrap(text: &str, cells: usize, expected: &[&str]) {
    let rows: Vec<&str> = wrap(text, cells).into_iter().map(|row| text[row].trim_end()).collect();
    assert_eq!(rows, expected);
}

#[test]
fn words_stay_whole_where_they_fit() {
    check_wrap("the quick brown fox", 9, &["the quick", "brown fox"]);
    check_wrap("the quick brown fox", 10, &["the quick", "brown fox"]);
    check_wrap("a supercalifragilistic b", 8, &["a", "supercal", "ifragili", "stic b"]);
    check_wrap("", 8, &[""]);
    check_wrap("one\n\ntwo", 8, &["one", "", "two"]);
}

#[test]
fn nothing_is_wider_than_the_row() {
    for text in [
        "日本語の文章は空白なしで続く",
        "👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦",
        "e\u{301}e\u{301}e\u{301}e\u{301}",
        "mixed 日本 text and more",
    ] {
        for cells in 2..12 {
            for row in wrap(text, cells).into_iter().chain(chop(text, cells)) {
                assert!(width(text[row.clone()].trim_end()) <= cells, "{:?} at {cells}", &text[row]);
            }
        }
    }
}

#[test]
fn every_cluster_is_in_exactly_one_row() {
    let text = "mixed 日本語 words,  two spaces and 👨‍👩‍👧‍👦 family\nsecond line";
    for cells in 1..30 {
        let joined: String = wrap(text, cells).into_iter().map(|row| text[row].to_owned()).collect();
        assert_eq!(joined.replace([' ', '\n'], ""), text.replace([' ', '\n'], ""), "at {cells}");
    }
}

#[test]
fn what_could_move_a_cursor_is_gone() {
    assert_eq!(clean("a\x1b[2Jb\u{9b}31mc\x07d\x7f"), "a[2Jb31mcd");
    assert_eq!(clean("safe\u{202e}exe.txt\u{2066}\u{200b}\u{feff}\u{ad}"), "safeexe.txt");
    assert_eq!(clean("a\tb\nc"), "a    b\nc");
    assert_eq!(
        clean("x\u{fff9}\u{fffa}\u{fffb}end \u{600}1\u{6dd}2"),
        "xend 12",
        "what terminals place each in its own way"
    );
    assert_eq!(clean_line("two\nlines\u{2028}"), "two lines");
}

#[test]
fn joined_emoji_stay_whole_and_piles_of_marks_do_not() {
    assert_eq!(clean("👨‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿"), "👨‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿");
    let zalgo = format!("a{}", "\u{301}".repeat(5_000));
    assert_eq!(clean(&zalgo).chars().count(), 16);
}

#[test]
fn a_cut_shows_that_it_cut() {
    assert_eq!(ellipsis("alexandra", 6, "…"), "alexa…");
    assert_eq!(ellipsis("日本語", 4, "…"), "日…");
    assert_eq!(ellipsis("bob", 6, "…"), "bob");
    assert_eq!(ellipsis("bob", 0, "…"), "");
}
