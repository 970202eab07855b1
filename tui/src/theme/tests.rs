use ratatui::style::{Color, Modifier, Style};

use super::color::{contrast, rgb};
use super::{Depth, ROLES, Role, Theme, builtin};

/// Text and what is behind it, as the terminal shows them.
fn pair(style: Style, ground: Style) -> ([u8; 3], [u8; 3]) {
    let behind = style.bg.or(ground.bg).and_then(rgb);
    (
        style.fg.or(ground.fg).and_then(rgb).expect("a text has a colour"),
        behind.expect("a built-in theme has a ground"),
    )
}

#[test]
fn every_role_of_every_theme_can_be_read_on_its_ground() {
    for (name, palette) in builtin() {
        let least = if name == "high-contrast" { 7.0 } else { 4.5 };
        for depth in [Depth::Sixteen, Depth::Many, Depth::True] {
            let theme = Theme::new(&palette, depth);
            let authors = (0..theme.authors.len()).map(Role::Author);
            let mut lowest = f64::MAX;
            for role in ROLES.map(|(role, ..)| role).into_iter().chain(authors) {
                let style = theme.style(role);
                let (text, behind) = pair(style, theme.ground());
                let ratio = contrast(text, behind);
                assert!(ratio >= least, "{name} {depth:?} {role:?}: {ratio:.2} {text:?} on {behind:?}");
                // A faint text has another colour than the one that was computed with.
                assert!(!style.add_modifier.contains(Modifier::DIM), "{name} {role:?}");
                lowest = lowest.min(ratio);
            }
            println!("{name:14} {depth:?}: lowest contrast {lowest:.2}");
        }
    }
}

#[test]
fn contrast_is_as_the_standard_computes_it() {
    let near = |a: f64, b: f64| (a - b).abs() < 0.005;
    assert!(near(contrast([0, 0, 0], [255, 255, 255]), 21.0));
    assert!(near(contrast([118, 118, 118], [255, 255, 255]), 4.54), "the grey that just passes on white");
    assert!(contrast([119, 119, 119], [255, 255, 255]) < 4.5, "the one that just does not");
}

#[test]
fn without_colours_there_are_none() {
    for (name, palette) in builtin() {
        let theme = Theme::new(&palette, Depth::None);
        for role in ROLES.map(|(role, ..)| role).into_iter().chain([Role::Author(3)]) {
            let style = theme.style(role);
            assert!(style.fg.is_none() && style.bg.is_none(), "{name} {role:?}");
        }
        assert_eq!(theme.ground(), Style::new());
        assert!(theme.style(Role::StatusBad).add_modifier.contains(Modifier::REVERSED));
    }
}

#[track_caller]
fn check_depth(variables: &[(&str, &str)], expected: Depth) {
    let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned());
    assert_eq!(Depth::of(find), expected, "{variables:?}");
}

#[test]
fn the_environment_says_how_many_colours_there_are() {
    check_depth(&[("TERM", "linux")], Depth::Sixteen);
    check_depth(&[], Depth::Sixteen);
    check_depth(&[("TERM", "screen-256color")], Depth::Many);
    check_depth(&[("TERM", "xterm-kitty"), ("COLORTERM", "")], Depth::Many);
    check_depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], Depth::True);
    check_depth(&[("COLORTERM", "24bit"), ("NO_COLOR", "")], Depth::True);
    check_depth(&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")], Depth::None);
}

#[track_caller]
fn check_shown(depth: Depth, written: &str, expected: Color) {
    let mut palette = builtin().remove(0).1;
    palette.set("trouble", written).unwrap();
    assert_eq!(Theme::new(&palette, depth).style(Role::Trouble).fg, Some(expected), "{written}");
}

#[test]
fn colours_become_the_nearest_that_the_terminal_has() {
    check_shown(Depth::True, "#fe0102", Color::Rgb(254, 1, 2));
    check_shown(Depth::Many, "#fe0102", Color::Indexed(196));
    check_shown(Depth::Many, "#eeeeef", Color::Indexed(255));
    check_shown(Depth::Sixteen, "#fe0102", Color::Indexed(9));
    check_shown(Depth::Sixteen, "196", Color::Indexed(9));
    check_shown(Depth::Many, "red", Color::Red);
    // On black a dark blue is lost.
    check_shown(Depth::Many, "#000080", Color::Indexed(18));
    check_shown(Depth::Sixteen, "#000080", Color::White);
}

#[test]
fn a_style_is_words() {
    let mut palette = builtin().remove(0).1;
    palette.set("mention", "black on #ffcc00 bold italic").unwrap();
    let style = Theme::new(&palette, Depth::True).style(Role::Mention);
    let expected = Style::new().fg(Color::Black).bg(Color::Rgb(255, 204, 0));
    assert_eq!(style, expected.add_modifier(Modifier::BOLD | Modifier::ITALIC));
    let error = palette.set("mention", "yelow bold").unwrap_err().unwrap().to_string();
    assert!(error.contains("did you mean \"yellow\"?") && error.contains("#rrggbb"), "{error}");
    let error = palette.set("mention", "red on").unwrap_err().unwrap().to_string();
    assert!(error.contains("needs a colour"), "{error}");
    assert_eq!(palette.set("mentoin", "red"), Err(None));
}

#[test]
fn a_ground_of_the_terminals_own_is_not_painted() {
    let mut palette = builtin().remove(0).1;
    palette.set("ground", "default").unwrap();
    assert_eq!(Theme::new(&palette, Depth::Sixteen).ground().bg, Some(Color::Reset));
}

#[test]
fn a_theme_may_have_its_own_authors() {
    let mut palette = builtin().remove(0).1;
    palette.set_authors(["red", "blue bold"].into_iter()).unwrap();
    let theme = Theme::new(&palette, Depth::True);
    assert_eq!(theme.style(Role::Author(2)).fg, Some(Color::Red));
    palette.set_authors([].into_iter()).unwrap();
    assert_eq!(Theme::new(&palette, Depth::True), theme, "an empty list changes nothing");
}
