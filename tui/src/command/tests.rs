use super::{COMMANDS, Command, CommandError, parse};

#[track_caller]
fn check(line: &str, expected: &str) {
    let told = match parse(line, false) {
        Ok(command) => format!("{command:?}"),
        Err(error) => error.to_string(),
    };
    assert_eq!(told, expected, "{line}");
}

#[test]
fn lines_are_understood() {
    check("hello", r#"Say("hello")"#);
    check("//etc/passwd", r#"Say("/etc/passwd")"#);
    check("/join #Ops", r#"Join("ops")"#);
    check("/JOIN ops", r#"Join("ops")"#);
    check("/leave", "Leave(None)");
    check("/me  waves ", r#"Me("waves")"#);
    check("/3", "Room(3)");
    check("/go gen", r#"Go(Some("gen"))"#);
    check("/pane users", "PaneUsers");
    check("/search  release day ", r#"Search { query: "release day", everywhere: false }"#);
    check("/search -a \"release day\"", r#"Search { query: "\"release day\"", everywhere: true }"#);
    check("/search -apple", r#"Search { query: "-apple", everywhere: false }"#);
    check("/search", "SearchOn");
    check("/context 3", "Context(3)");
}

#[test]
fn mistakes_say_what_to_do() {
    check("/jion ops", "no command /jion: did you mean /join? (//jion sends it as text)");
    check("/xyzzy", "no command /xyzzy: F1 lists them (//xyzzy sends it as text)");
    // As far from any as other names may be: one measure for all of them.
    check("/test", "no command /test: F1 lists them (//test sends it as text)");
    check("/todo water", "this version does not have /todo yet; your text is kept");
    check("/join", "usage: /join ROOM");
    check("/search -a ", "usage: /search [-a] [WORDS]");
    check("/context 0", "usage: /context NUMBER");
    check("/join a b", "room name holds the character U+0020: use letters, digits, '-', '_', '.'");
    check("/", "no command /: F1 lists them (// sends it as text)");
    check("/\x1b[2J", "no command /[2j: F1 lists them (//[2j sends it as text)");
}

#[test]
fn the_demo_commands_exist_only_there() {
    assert!(matches!(parse("/kill", false), Err(CommandError::Unknown { .. })));
    assert_eq!(parse("/kill", true), Ok(Command::Kill));
    assert_eq!(parse("/kill all", true), Ok(Command::KillAll));
}

#[test]
fn every_listed_command_parses() {
    for entry in COMMANDS {
        let argument = entry.arguments.trim_matches(['[', ']']).split('|').next().unwrap_or_default();
        let line = format!("/{} {}", entry.name, argument).replace("NUMBER", "1");
        assert!(parse(&line, true).is_ok(), "{line}: {:?}", parse(&line, true));
    }
}
