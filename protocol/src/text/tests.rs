use super::*;

#[test]
fn controls_are_refused_newline_and_tab_are_not() {
    assert_eq!(check("two\nlines\tand a tab").unwrap(), "two\nlines\tand a tab");
    assert_eq!(check("dos\r\nline").unwrap(), "dos\nline");
    for bad in ["\u{1b}[2J", "bell\u{7}", "nul\0", "del\u{7f}", "c1\u{9b}31m", "lone\rreturn"] {
        assert!(matches!(check(bad), Err(TextError::Control(_))), "{bad:?}");
    }
    assert_eq!(check("\u{1b}[2J").unwrap_err().to_string(), "holds the control character U+001B: remove it");
}

#[test]
fn sanitize_takes_out_what_could_move_a_cursor() {
    assert_eq!(sanitize("\u{1b}[31mred\u{7}"), "[31mred");
    assert_eq!(sanitize("abc\u{202e}cba"), "abccba");
    assert_eq!(
        sanitize("family 👨\u{200d}👩\u{200d}👧"),
        "family 👨\u{200d}👩\u{200d}👧",
        "joiners stay in content"
    );
    assert_eq!(sanitize_line("a\nb\tc"), "a b c");
}

#[test]
fn lengths_are_counted_in_what_they_say() {
    assert!(check_length(&"ä".repeat(4_000), 4_000, 16_384).is_ok());
    assert_eq!(
        check_length(&"a".repeat(4_001), 4_000, 0),
        Err(TextError::TooManyChars { chars: 4_001, max: 4_000 })
    );
    assert_eq!(check_length("ääää", 0, 7), Err(TextError::TooManyBytes { bytes: 8, max: 7 }));
    assert!(check_length(&"a".repeat(100_000), 0, 0).is_ok(), "0 is off");
    assert_eq!(graphemes("e\u{301}👨\u{200d}👩\u{200d}👧"), 2);
}

#[test]
fn look_alikes_fold_together() {
    for (one, other) in [("Alice", "aLICE"), ("straße", "STRASSE"), ("ﬁ", "fi"), ("Å", "A\u{30a}")] {
        assert_eq!(fold(one), fold(other), "{one} {other}");
    }
    assert_ne!(fold("alice"), fold("al1ce"));
    let plain: String = (0..128_u8).map(char::from).filter(|c| !c.is_ascii_uppercase()).collect();
    let the_long_way: String = plain.nfkc().collect::<String>().to_uppercase().to_lowercase();
    assert_eq!(fold(&plain), the_long_way);
}

#[test]
fn every_control_is_found_however_little_stands_beside_it() {
    for c in (0..0x300).filter_map(char::from_u32) {
        for text in [c.to_string(), format!("plain {c}"), format!("{c}ü")] {
            assert_eq!(check(&text).is_err(), is_forbidden_control(c), "{:04X}", u32::from(c));
        }
    }
    assert_eq!(check("a\r\nb\tc").unwrap(), "a\nb\tc");
}
