use super::TimeFormat;

fn shown(pattern: &str) -> (String, u16) {
    let format = TimeFormat::parse(pattern).unwrap();
    (format.show(jiff::civil::date(2025, 8, 12).at(15, 4, 5, 0)), format.cells())
}

#[test]
fn a_time_is_written_as_wished() {
    assert_eq!(shown("24h"), ("15:04".to_owned(), 5));
    assert_eq!(shown("12h"), (" 3:04pm".to_owned(), 7));
    assert_eq!(shown("%H.%M.%S"), ("15.04.05".to_owned(), 8));
    assert_eq!(shown("%a %H:%M"), ("Tue 15:04".to_owned(), 9));
    assert_eq!(TimeFormat::parse("24h"), Ok(TimeFormat::default()));
}

#[test]
fn what_is_no_time_says_why() {
    let refused = |pattern: &str| TimeFormat::parse(pattern).unwrap_err();
    assert!(refused("24").contains("24h, 12h or a strftime pattern"));
    assert!(refused("%Q!").contains("no strftime pattern"));
    assert!(refused("%A, %B %H:%M").contains("12 are allowed"));
    assert!(refused("%H\u{1b}[2J").contains("control"));
    assert!(refused("%H:%M %Z").contains("no strftime pattern"), "a message has no zone");
}
