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
    check("/me waves", Input::Say(Say { room: None, content: "waves".into(), kind, of: None, re: None }));
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
    let say = Say {
        room: Some(room("ops")),
        content: "hi".into(),
        kind: None,
        of: None,
        re: Some(Re::parse("7").unwrap()),
    };
    assert_eq!(parse_json(line), Ok(Some(Input::Say(say))));
    assert_eq!(parse(line), Ok(Some(Say::text(line))));
    assert_eq!(parse_json("hi"), Ok(Some(Say::text("hi"))));
    assert_eq!(parse_json(r#"{"type":"join","room":"Ops"}"#), Ok(Some(Input::Join(room("ops")))));
}

#[test]
fn changes_and_topics_are_asked_for_by_line_and_by_request() {
    let change = |room: Option<RoomName>, of, content: Option<&str>, re| Input::Change {
        room,
        of,
        content: content.map(Into::into),
        re,
    };
    check("/edit better", change(None, None, Some("better"), None));
    check("/delete", change(None, None, None, None));
    check("/reply yes", Input::Reply("yes".into()));
    check("/topic", Input::Topic { room: None, text: None });
    check("/topic release day", Input::Topic { room: None, text: Some("release day".into()) });
    check("/topic -", Input::Topic { room: None, text: Some(String::new()) });
    let ops = || Some(room("ops"));
    let of = || Some(Target { seq: Seq(4), id: None });
    let json = |line: &str| parse_json(line).unwrap().unwrap();
    assert_eq!(
        json(r#"{"type":"edit","room":"ops","seq":4,"content":"x","n":0,"re":"7"}"#),
        change(ops(), of(), Some("x"), Some(Re::parse("7").unwrap()))
    );
    assert_eq!(json(r#"{"type":"delete","room":"ops","seq":4,"n":0}"#), change(ops(), of(), None, None));
    assert_eq!(
        json(r#"{"type":"topic","room":"ops","text":""}"#),
        Input::Topic { room: ops(), text: Some(String::new()) }
    );
    let Input::Say(say) = json(r#"{"type":"message","content":"x","reply":4}"#) else { panic!("speech") };
    assert_eq!(say.of, of());
}

#[test]
fn programs_search_and_read_any_part_of_a_log() {
    let ops = || Some(room("ops"));
    let place = |before| Some(SearchFrom { room: room("ops"), before: Seq(before) });
    let find = |room, from, limit| Ok(Some(Input::Find { query: "a fox".into(), room, from, limit }));
    assert_eq!(parse_json(r#"{"type":"search","query":"a fox"}"#), find(None, None, 50));
    let on = r#"{"type":"search","query":"a fox","from":{"room":"ops","before":7},"limit":5}"#;
    assert_eq!(parse_json(on), find(None, place(7), 5));
    let before = r#"{"type":"search","query":"a fox","room":"ops","before":7}"#;
    assert_eq!(parse_json(before), find(ops(), place(7), 50));
    let look = |window| Ok(Some(Input::Look { room: ops(), window, limit: 50 }));
    assert_eq!(parse_json(r#"{"type":"history","room":"ops","around":7}"#), look(Window::Around(Seq(7))));
    assert_eq!(parse_json(r#"{"type":"history","room":"ops","after":7}"#), look(Window::After(Seq(7))));
    let history = Input::History { room: ops(), before: Some(Seq(7)), limit: 50 };
    assert_eq!(parse_json(r#"{"type":"history","room":"ops","before":7}"#), Ok(Some(history)));
}
