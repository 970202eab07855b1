use super::*;
use crate::codec::{decode_request, decode_server, request_of_any_kind, server_message_of_any_kind};

/// The examples of docs/protocol.md.
fn documented() -> Vec<String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol.md")).unwrap();
    page.lines().filter(|line| line.starts_with("{\"type\"")).map(str::to_owned).collect()
}

/// Messages that have to go the short way, with every field there is and with none that may be missing.
const OFTEN: [&str; 10] = [
    r#"{"type":"message","room":"general","seq":42,"id":"c1/9","sender":"alice","senderId":"u1","content":"hello, \"all\"\n\u00e9","timestamp":"2026-11-21T10:00:00.000Z","node":"node-1"}"#,
    r#"{"type":"message","room":"general","seq":43,"id":"c1/10","sender":"alice","senderId":"u1","content":"x","timestamp":"t","node":"node-1","kind":"edit","ref":42,"refId":"c1/9","reply":3,"quote":{"id":"c2/1","sender":"bob","senderId":"u2","text":"so"},"enc":"sealed"}"#,
    r#"{"type":"ack","room":"general","n":9,"seq":42,"id":"c1/9","epoch":"00c0ffee00c0ffee","duplicate":true,"re":"1"}"#,
    r#"{"type":"ack","room":"general","n":8,"id":"c1/8","epoch":"00c0ffee00c0ffee"}"#,
    r#"{"type":"presence","room":"general","joined":[{"userId":"u3","username":"carol","node":"node-1","away":"lunch"}],"left":[{"userId":"u4","username":"dave","node":"node-1"}],"moved":[{"userId":"u2","username":"bob","node":"node-3","from":"node-2"}],"count":3}"#,
    r#"{"type":"presence","room":"general","count":3}"#,
    r#"{"type":"room_users","room":"general","users":[{"userId":"u1","username":"alice","node":"node-1"}],"count":2,"more":true,"topic":"release","epoch":"00c0ffee00c0ffee","seq":41,"id":"c9/3","last_n":8,"re":"1"}"#,
    r#"{"type":"room_users","room":"general","users":[],"count":0,"epoch":"00c0ffee00c0ffee","seq":0,"last_n":0}"#,
    r#"{"type":"resumed","room":"general","epoch":"00c0ffee00c0ffee","from":41,"to":78,"recovered":37,"last_n":8,"more":true}"#,
    r#"{ "type" : "ping", "t" : 1763720000000, "spread_ms" : 250 }"#,
];

const ASKED_OFTEN: [&str; 5] = [
    r#"{"type":"message","content":"hello"}"#,
    r#"{"type":"message","content":"hi","room":"Ops","n":4,"acked":{"n":3,"epoch":"00c0ffee00c0ffee","seq":7},"void":true,"kind":"action","reply":2,"enc":"sealed","re":"x"}"#,
    r#"{"type":"pong","t":1763720000000,"re":"p"}"#,
    r#"{"type":"hello"}"#,
    r#"{"type":"hello","v":1,"name":"alice","client_id":"c1","session":"s","token":"t","generation":7,"resume":[{"room":"general","epoch":"00c0ffee00c0ffee","seq":41,"id":"c9/3","tail":["c1/8","c9/3"]}],"if_ready":true,"client":"mine/0.1","re":"h"}"#,
];

/// Values that are as likely wrong as right, wherever they come to stand.
const VALUES: [&str; 20] = [
    "null",
    "true",
    "0",
    "-0",
    "-1",
    "1.0",
    "1e2",
    "1e999",
    "18446744073709551616",
    "9007199254740992",
    "\"\"",
    "\"edit\"",
    "\"nobody knows\"",
    "\"\\ud800\"",
    "\"\\u001b\"",
    "[]",
    "[\"c1/8\"]",
    "{}",
    "{\"edit\":null}",
    "{\"a\":\"\\ud800\"}",
];

const NAMES: [&str; 16] = [
    "type", "room", "n", "seq", "id", "re", "content", "kind", "ref", "quote", "users", "joined", "resume",
    "acked", "count", "confetti",
];

/// Breaks a frame somewhere, or only writes it in another way.
fn mutated(frame: &str, rng: &mut fastrand::Rng) -> String {
    let signs: Vec<usize> =
        frame.char_indices().filter(|(_, c)| "{}[]:,\"".contains(*c)).map(|(at, _)| at).collect();
    let at = signs[rng.usize(..signs.len())];
    let value = VALUES[rng.usize(..VALUES.len())];
    let field = format!("\"{}\":{value}", NAMES[rng.usize(..NAMES.len())]);
    match rng.u8(..8) {
        0 => format!("{}{}", &frame[..at], &frame[at + 1..]),
        1 => format!("{} {}", &frame[..at], &frame[at..]),
        // One more field, at the end or at the beginning of an object, known or not, there already or not.
        2 => frame[at..]
            .find('}')
            .map_or_else(String::new, |end| format!("{},{field}{}", &frame[..at + end], &frame[at + end..])),
        3 => frame[at..].find('{').map_or_else(String::new, |begin| {
            format!("{}{field},{}", &frame[..=at + begin], &frame[at + begin + 1..])
        }),
        // Another value.
        4 | 5 => match frame[at..].find(':').map(|colon| at + colon + 1) {
            Some(from) => {
                let end = frame[from..].find([',', '}']).map_or(frame.len(), |end| from + end);
                format!("{}{value}{}", &frame[..from], &frame[end..])
            }
            None => format!("{frame}{value}"),
        },
        6 => format!("{}{}", frame.replace("\"t", "\"\\u0074"), ""),
        _ => format!("{}{frame}", ["[", " ", "\u{feff}", "{"][rng.usize(..4)]),
    }
}

/// Both ways come to the same, be it a message or a mistake.
#[track_caller]
fn check(frame: &str) -> bool {
    let (short, request) = (server(frame), request(frame));
    if let Some(message) = &short {
        assert_eq!(server_message_of_any_kind(frame).as_ref(), Ok(message), "{frame}");
    }
    assert_eq!(decode_server(frame.as_bytes()), server_message_of_any_kind(frame), "{frame}");
    assert_eq!(decode_request(frame.as_bytes()), request_of_any_kind(frame), "{frame}");
    short.is_some() || request.is_some()
}

#[test]
fn what_comes_often_goes_the_short_way() {
    OFTEN.iter().for_each(|frame| assert!(check(frame) && server(frame).is_some(), "{frame}"));
    ASKED_OFTEN.iter().for_each(|frame| assert!(check(frame) && request(frame).is_some(), "{frame}"));
}

#[test]
fn what_this_crate_writes_goes_the_short_way() {
    for frame in OFTEN {
        let line = crate::codec::encode_line(&decode_server(frame.as_bytes()).unwrap());
        let line = std::str::from_utf8(&line).unwrap();
        assert!(server(line).is_some(), "{line}");
    }
    for frame in ASKED_OFTEN {
        // The mark of a request stands before its type: one with a mark goes the long way, and comes to the same.
        let request_of = Request { re: None, ..decode_request(frame.as_bytes()).unwrap() };
        let line = crate::codec::encode_line(&request_of);
        let line = std::str::from_utf8(&line).unwrap();
        assert!(request(line).is_some(), "{line}");
    }
}

#[test]
fn an_unknown_field_goes_the_long_way_whatever_it_holds() {
    for frame in [
        r#"{"type":"ping","t":1,"spread_ms":2,"news":"\ud800"}"#,
        r#"{"type":"ping","t":1,"spread_ms":2,"news":1e999}"#,
        r#"{"type":"presence","room":"a","joined":[{"userId":"u","username":"x","node":"n","news":"\ud800"}],"count":1}"#,
        r#"{"type":"message","content":"x","acked":{"n":1,"epoch":"1","seq":1,"news":1e999}}"#,
    ] {
        assert!(!check(frame), "{frame}");
    }
    let deep =
        format!(r#"{{"type":"ping","t":1,"spread_ms":2,"news":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    assert!(!check(&deep));
}

#[test]
fn both_ways_come_to_the_same() {
    let mut frames: Vec<String> = OFTEN.iter().chain(&ASKED_OFTEN).map(|frame| (*frame).to_owned()).collect();
    frames.extend(documented());
    assert!(frames.len() > 60, "the page has examples");
    let mut short = 0;
    for seed in 0..40_000 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut frame = frames[rng.usize(..frames.len())].clone();
        for _ in 0..rng.usize(..4) {
            frame = mutated(&frame, &mut rng);
            if frame.is_empty() {
                break;
            }
        }
        short += u32::from(check(&frame));
    }
    assert!(short > 4_000, "{short} frames went the short way: the rest proves nothing");
}
