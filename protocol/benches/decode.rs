//! What decoding costs a client and a server: the short way for what comes all the time beside the long way that
//! everything else goes. Both in turns in one process, so that a busy machine disturbs both alike; the median of the
//! rounds. A frame goes the long way when its type does not stand first, and is the same message.
//!
//! `cargo bench --package chat-protocol`

#![expect(clippy::disallowed_methods, reason = "a measurement without a runtime reads the clock itself")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use chat_protocol::{decode_request, decode_server};

/// Rounds, each of both ways.
const ROUNDS: usize = 15;
/// How long one way is gone in a round.
const ROUND: Duration = Duration::from_millis(20);
/// Frames between two looks at the clock.
const FRAMES_AT_ONCE: u32 = 64;

/// Decodes a frame; false where it is none.
type Decode = fn(&[u8]) -> bool;

fn server(frame: &[u8]) -> bool {
    decode_server(black_box(frame))
        .is_ok_and(|message| !matches!(message, chat_protocol::ServerMessage::Unknown))
}

fn request(frame: &[u8]) -> bool {
    decode_request(black_box(frame)).is_ok()
}

fn users(count: usize) -> String {
    let user =
        |number| format!(r#"{{"userId":"{number:032x}","username":"client-{number}","node":"node-1"}}"#);
    (0..count).map(user).collect::<Vec<_>>().join(",")
}

/// What comes all the time: a name, its type, its other fields.
fn frames() -> Vec<(&'static str, Decode, &'static str, String)> {
    let content = "x".repeat(220);
    let epoch = "00c0ffee00c0ffee";
    let id = "0123456789abcdef0123456789abcdef/17";
    vec![
        (
            "message",
            server,
            "message",
            format!(
                r#""room":"general","seq":4711,"id":"{id}","sender":"alice","senderId":"0123456789abcdef0123456789abcdef","content":"{content}","timestamp":"2026-11-21T10:00:00.000Z","node":"node-1""#
            ),
        ),
        (
            "ack",
            server,
            "ack",
            format!(r#""room":"general","n":17,"seq":4711,"id":"{id}","epoch":"{epoch}""#),
        ),
        (
            "presence, 50 users",
            server,
            "presence",
            format!(r#""room":"general","joined":[{}],"count":5000"#, users(50)),
        ),
        (
            "room_users, 500 users",
            server,
            "room_users",
            format!(
                r#""room":"general","users":[{}],"count":5000,"more":true,"epoch":"{epoch}","seq":4711,"id":"{id}","last_n":17"#,
                users(500)
            ),
        ),
        ("ping", server, "ping", r#""t":1763720000000,"spread_ms":250"#.to_owned()),
        (
            "message, to a server",
            request,
            "message",
            format!(
                r#""content":"{content}","room":"general","n":18,"acked":{{"n":17,"epoch":"{epoch}","seq":4711}}"#
            ),
        ),
        ("pong, to a server", request, "pong", r#""t":1763720000000"#.to_owned()),
    ]
}

/// Nanoseconds a frame.
fn cost(decode: Decode, frame: &[u8]) -> f64 {
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < ROUND {
        for _ in 0..FRAMES_AT_ONCE {
            assert!(decode(frame), "{}", String::from_utf8_lossy(frame));
        }
        count += FRAMES_AT_ONCE;
    }
    begun.elapsed().as_nanos() as f64 / f64::from(count)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    println!("{:<24} {:>8} {:>12} {:>12} {:>8}", "frame", "bytes", "long, ns", "short, ns", "ratio");
    for (name, decode, kind, fields) in frames() {
        let first = format!(r#"{{"type":"{kind}",{fields}}}"#);
        let last = format!(r#"{{{fields},"type":"{kind}"}}"#);
        let (mut long, mut short) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            long.push(cost(decode, last.as_bytes()));
            short.push(cost(decode, first.as_bytes()));
        }
        let (long, short) = (median(long), median(short));
        println!("{name:<24} {:>8} {long:>12.0} {short:>12.0} {:>8.2}", first.len(), long / short);
    }
}
