//! Letters that terminals disagree about: the frame around them stands, and nothing of them is left behind.

use super::{Hyperlinks, Shown};
use crate::stage::Stage;

const HARD: [&str; 9] = [
    "日本語の文章は空白なしで続く、とても長い文章なので折り返しが必要になります、まだ続く、まだまだ続く",
    "family 👨‍👩‍👧‍👦 and 👨🏽‍🚀 flag 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇩🇪 end",
    "heart ❤\u{fe0f} keycap 1\u{fe0f}\u{20e3} sun ☀\u{fe0f} end",
    "e\u{301}te\u{301} a\u{308}\u{304}\u{323} z\u{334}\u{335}\u{336}\u{337}\u{338} end",
    "שלום עולם and مرحبا بالعالم end",
    "हिन्दी ไทย தமிழ் 한국어 각 end",
    "ﾊﾟﾋﾟ ﾊﾞ half and ＦＵＬＬ end",
    "👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦",
    "plain",
];

/// The columns of the panes' borders, row by row.
#[track_caller]
fn check_frame(shown: &Shown, stage: &Stage, what: &str) {
    let (rows, _) = shown.screen().size();
    let area = stage.app.areas();
    for row in 0..rows - 2 {
        let border = shown.screen().cell(row, area.rooms.x + area.rooms.width - 1).unwrap();
        assert_eq!(border.contents(), "│", "row {row} after {what}:\n{}", shown.screen().contents());
        if area.users.width > 0 {
            let border = shown.screen().cell(row, area.users.x).unwrap();
            assert_eq!(border.contents(), "│", "row {row} after {what}:\n{}", shown.screen().contents());
        }
    }
}

/// The screen without what cannot be seen of it.
fn rows(shown: &Shown) -> Vec<String> {
    shown.screen().contents().lines().map(|row| row.trim_end().to_owned()).collect()
}

#[track_caller]
fn check(width: u16, height: u16) {
    for first in HARD {
        for second in HARD {
            let mut stage = Stage::chatting(width, height);
            stage.says("general", "carol", first).says("ops", "carol", second);
            let mut shown = Shown::new(&stage, Hyperlinks::Given);
            shown.draw(&stage);
            check_frame(&shown, &stage, first);
            stage.press("Alt-2");
            shown.draw(&stage);
            check_frame(&shown, &stage, second);
            let mut fresh = Shown::new(&stage, Hyperlinks::Given);
            fresh.draw(&stage);
            assert_eq!(rows(&shown), rows(&fresh), "residue of {first} behind {second}");
        }
    }
}

#[test]
fn nothing_is_left_of_a_hard_line_at_80_columns() {
    check(80, 24);
}

#[test]
fn nor_beside_the_users() {
    check(100, 24);
}

#[test]
fn what_a_terminal_shows_of_hard_letters() {
    let mut stage = Stage::chatting(80, 30);
    for text in HARD {
        stage.says("general", "carol", text);
    }
    let mut shown = Shown::new(&stage, Hyperlinks::Given);
    shown.draw(&stage);
    insta::assert_snapshot!(rows(&shown).join("\n"));
}
