use super::*;

fn lines(chunks: &[&[u8]], limit: usize) -> Result<Vec<String>, FrameTooLong> {
    let (mut codec, mut input, mut out) = (LineCodec::new(limit), BytesMut::new(), Vec::new());
    for chunk in chunks {
        input.extend_from_slice(chunk);
        while let Some(line) = codec.decode(&mut input)? {
            out.push(String::from_utf8_lossy(&line).into_owned());
        }
    }
    out.extend(codec.decode_eof(&mut input).map(|line| String::from_utf8_lossy(&line).into_owned()));
    Ok(out)
}

fn refused(frame: &str) -> (ErrorCode, String) {
    let error = decode_request(frame.as_bytes()).unwrap_err();
    (error.code, error.reason)
}

#[test]
fn lines_come_out_whole_however_they_are_cut() {
    let expected = vec!["{\"a\":1}".to_owned(), "b".to_owned(), String::new(), "tail".to_owned()];
    let bytes = b"{\"a\":1}\r\nb\n\ntail";
    assert_eq!(lines(&[bytes], 64).unwrap(), expected);
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(lines(&single, 64).unwrap(), expected);
}

#[test]
fn a_line_over_the_limit_is_refused_before_its_end() {
    assert_eq!(lines(&[b"12345678\n"], 8).unwrap(), ["12345678"]);
    assert_eq!(lines(&[b"12345678\r\n"], 8).unwrap(), ["12345678"]);
    assert_eq!(lines(&[b"12345", b"6789"], 8), Err(FrameTooLong { limit: 8 }));
    assert_eq!(lines(&[b"123456789\n"], 8), Err(FrameTooLong { limit: 8 }));
}

#[test]
fn unknown_fields_are_ignored_unknown_types_are_told() {
    let request = decode_request(br#"{"type":"join","room":"Ops","colour":"red","re":"7"}"#).unwrap();
    assert_eq!(request.re.unwrap().as_str(), "7");
    assert_eq!(request.message, ClientMessage::Join { room: RoomName::parse("ops").unwrap() });
    assert_eq!(refused(r#"{"type":"dance"}"#).0, ErrorCode::UnknownType);
    assert_eq!(refused(r#"{"room":"ops"}"#), (ErrorCode::BadJson, "the field \"type\" is missing".into()));
    for broken in ["{", "[]", "\"hello\"", "17", "{\"type\":17}", r#"{"type":"join"}"#, ""] {
        assert_eq!(refused(broken).0, ErrorCode::BadJson, "{broken}");
    }
    assert_eq!(decode_request(b"{\"type\":\"\xff\"}").unwrap_err().code, ErrorCode::BadJson);
}

#[test]
fn a_bad_value_is_named_with_its_code_and_the_request_it_came_in() {
    assert_eq!(
        refused(r#"{"type":"join","room":"a b"}"#),
        (
            ErrorCode::BadRoom,
            "room name holds the character U+0020: use letters, digits, '-', '_', '.'".into()
        )
    );
    assert_eq!(refused(r#"{"type":"hello","name":""}"#).0, ErrorCode::BadName);
    let frame = r#"{"type":"message","room":"ops","content":"a\u001b[2Jb","n":4,"re":"x"}"#;
    let error = decode_request(frame.as_bytes()).unwrap_err();
    assert_eq!(error.code, ErrorCode::BadText);
    assert_eq!(error.reason, "content holds the control character U+001B: remove it");
    assert_eq!((error.n, error.re.unwrap().as_str(), error.room.unwrap().as_str()), (Some(4), "x", "ops"));
}

#[test]
fn every_text_field_refuses_escapes() {
    let bad = r#""a\u001b[31m""#;
    for frame in [
        r#"{"type":"hello","name":BAD}"#,
        r#"{"type":"hello","client":BAD}"#,
        r#"{"type":"hello","token":BAD}"#,
        r#"{"type":"hello","session":BAD}"#,
        r#"{"type":"auth","token":BAD}"#,
        r#"{"type":"join","room":BAD}"#,
        r#"{"type":"message","content":BAD}"#,
        r#"{"type":"message","content":"","enc":BAD}"#,
        r#"{"type":"edit","room":"a","seq":1,"content":BAD,"n":1}"#,
        r#"{"type":"search","query":BAD}"#,
        r#"{"type":"direct","to":BAD}"#,
        r#"{"type":"rename","name":BAD}"#,
        r#"{"type":"away","text":BAD}"#,
        r#"{"type":"topic","room":"a","text":BAD}"#,
        r#"{"type":"rooms","after":BAD}"#,
        r#"{"type":"kick","room":"a","user":BAD}"#,
        r#"{"type":"ban","room":"a","user":"b","reason":BAD}"#,
        r#"{"type":"mute","room":"a","user":"b","until":BAD}"#,
        r#"{"type":"todo","op":"add","n":1,"text":BAD}"#,
        r#"{"type":"todo","op":"add","n":1,"list":BAD}"#,
        r#"{"type":"todo","op":"add","n":1,"id":BAD}"#,
    ] {
        let error = decode_request(frame.replace("BAD", bad).as_bytes()).unwrap_err();
        assert!(
            matches!(error.code, ErrorCode::BadText | ErrorCode::BadName | ErrorCode::BadRoom),
            "{frame}: {error:?}"
        );
        assert!(error.reason.contains("U+001B"), "{frame}: {error}");
    }
}

#[test]
fn numbers_that_not_every_reader_holds_are_refused_by_name() {
    let epoch = r#""epoch":"00c0ffee00c0ffee""#;
    for (field, frame) in [
        ("generation", r#"{"type":"hello","generation":NUMBER}"#),
        ("resume.seq", r#"{"type":"hello","resume":[{"room":"a",EPOCH,"seq":NUMBER}]}"#),
        ("n", r#"{"type":"message","content":"x","n":NUMBER}"#),
        ("acked.n", r#"{"type":"message","content":"x","n":1,"acked":{"n":NUMBER,EPOCH,"seq":1}}"#),
        ("acked.seq", r#"{"type":"message","content":"x","n":1,"acked":{"n":1,EPOCH,"seq":NUMBER}}"#),
        ("reply", r#"{"type":"message","content":"x","reply":NUMBER}"#),
        ("n", r#"{"type":"edit","room":"a","seq":1,"content":"x","n":NUMBER}"#),
        ("seq", r#"{"type":"edit","room":"a","seq":NUMBER,"content":"x","n":1}"#),
        ("n", r#"{"type":"delete","room":"a","seq":1,"n":NUMBER}"#),
        ("seq", r#"{"type":"delete","room":"a","seq":NUMBER,"n":1}"#),
        ("before", r#"{"type":"history","before":NUMBER}"#),
        ("after", r#"{"type":"history","after":NUMBER}"#),
        ("around", r#"{"type":"history","around":NUMBER}"#),
        ("before", r#"{"type":"search","query":"x","before":NUMBER}"#),
        ("seq", r#"{"type":"read","room":"a",EPOCH,"seq":NUMBER}"#),
        ("n", r#"{"type":"todo","op":"add","text":"x","n":NUMBER}"#),
    ] {
        let with = |number: u64| frame.replace("EPOCH", epoch).replace("NUMBER", &number.to_string());
        assert!(decode_request(with(limits::NUMBER_MAX).as_bytes()).is_ok(), "{frame}");
        for number in [limits::NUMBER_MAX + 1, u64::MAX] {
            let error = decode_request(with(number).as_bytes()).unwrap_err();
            let expected = (ErrorCode::BadJson, format!("{field} must be at most 9007199254740991"));
            assert_eq!((error.code, error.reason), expected, "{frame}");
            assert!(error.n.is_none_or(|n| n == 1), "{frame}: an answer carries no such number either");
        }
    }
}

#[test]
fn a_newer_servers_type_is_unknown_not_an_error() {
    assert_eq!(decode_server(br#"{"type":"confetti","n":1}"#).unwrap(), ServerMessage::Unknown);
    assert!(decode_server(b"{").is_err());
}
