//! What lines mean.

use super::*;

fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

fn check(line: &str, expected: Input) {
    assert_eq!(parse(line), Ok(Some(expected)), "{line}");
}

fn refused(line: &str, why: &str) {
    let error = parse_json(line).expect_err(line);
    assert!(error.contains(why), "{line}: {error}");
}

#[test]
fn lines_are_messages_or_commands() {
    check("hi there ", Say::text("hi there"));
    check("  indented", Say::text("  indented"));
    check("//etc", Say::text("/etc"));
    check("/join #Ops", Input::Join(room("ops")));
    check("/leave", Input::Leave(None));
    check("/who general", Input::Who(Some(room("general"))));
    check("/nick bob", Input::Nick(UserName::parse("bob").unwrap()));
    check("/kill", Input::Demo(DemoCommand::Kill));
    check("/kill  all", Input::Demo(DemoCommand::KillAll));
    check("/revive", Input::Demo(DemoCommand::Revive));
    check("/quit", Input::Quit);
    let kind = Some(Kind::Action);
    check("/me waves", Input::Say(Say { room: None, content: "waves".into(), kind, re: None }));
    assert_eq!((parse(""), parse(" \r")), (Ok(None), Ok(None)));
}

#[test]
fn bad_lines_say_what_is_allowed() {
    refused("/join", "usage: /join ROOM");
    refused("/join a/b", "use letters");
    refused("/nick", "usage: /nick NAME");
    refused("/nick a b", "without spaces");
    refused("/kill node-1", "usage: /kill [all]");
    refused("/fly", "no command /fly");
    refused("/next", "for the full screen");
    refused("{\"type\":\"message\"", "JSON");
    refused("{\"type\":\"pong\",\"t\":1}", "the client's own");
    refused("{\"type\":\"message\",\"content\":\"\\u0007\"}", "U+0007");
}

#[test]
fn requests_of_the_protocol_are_taken_where_json_is_spoken() {
    let line = r#"{"type":"message","room":"ops","content":"hi","re":"7"}"#;
    let say =
        Say { room: Some(room("ops")), content: "hi".into(), kind: None, re: Some(Re::parse("7").unwrap()) };
    assert_eq!(parse_json(line), Ok(Some(Input::Say(say))));
    assert_eq!(parse(line), Ok(Some(Say::text(line))));
    assert_eq!(parse_json("hi"), Ok(Some(Say::text("hi"))));
    assert_eq!(parse_json(r#"{"type":"join","room":"Ops"}"#), Ok(Some(Input::Join(room("ops")))));
}
