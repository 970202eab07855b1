//! What a client must not do, each with what it is told and that nobody else notices.

use std::io::{Read, Write};

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::program::Running;
use crate::support::{BOTH, Terminal, TestClient, TestNode, Way, message, within};

/// A client that has said hello, and one that must not notice anything, both in `general`.
async fn culprit(node: &TestNode, way: Way) -> TestClient {
    let (mut client, _) = TestClient::hello(node, way, json!({})).await;
    client.join("general").await;
    client
}

/// The client is still served, and what it says next is all that others got of it.
async fn still_serves(client: &mut TestClient, n: u64, witness: &mut TestClient) {
    client.send(n, "after it").await;
    assert_eq!(witness.contents(1).await, ["after it"]);
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let node = TestNode::start();
    let (mut client, _) = TestClient::hello(&node, Way::Tcp, json!({"name": "alice", "shoe_size": 42})).await;
    client.say(json!({"type": "join", "room": "general", "colour": {"r": [1, 2]}})).await;
    client.wait("room_users").await;
    client.say(json!({"type": "message", "room": "general", "n": 1, "content": "hi", "x": null})).await;
    assert_eq!(client.wait("ack").await["n"], 1);
}

#[tokio::test]
async fn an_unknown_type_is_named_and_costs_nothing_else() {
    let node = TestNode::start();
    let mut witness = TestClient::joined(&node, "witness").await;
    for way in BOTH {
        let mut client = culprit(&node, way).await;
        client.say(json!({"type": "dance\u{1b}[2J", "re": "d"})).await;
        let error = client.wait("error").await;
        assert_eq!((&error["code"], &error["re"]), (&json!("unknown_type"), &json!("d")));
        let words = error["message"].as_str().unwrap();
        assert!(words.contains("dance") && !words.contains('\u{1b}'), "{words:?}");
        still_serves(&mut client, 1, &mut witness).await;
    }
}

#[tokio::test]
async fn broken_json_is_an_error_and_costs_nothing_else() {
    let node = TestNode::start();
    let mut witness = TestClient::joined(&node, "witness").await;
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let broken = [
        "{",
        "}",
        "{\"type\":",
        "{\"type\":\"join\"",
        "[]",
        "null",
        "42",
        "\"text\"",
        "{}",
        "plain words",
        "{\"type\":7}",
        "{\"type\":\"join\"}",
        "{\"type\":\"join\",\"room\":7}",
        "{\"type\":\"message\",\"n\":-1}",
        "{\"type\":\"message\",\"n\":\"1\"}",
        "{\"type\":\"message\",\"n\":99999999999999999999999}",
        &deep,
    ];
    for way in BOTH {
        let mut client = culprit(&node, way).await;
        for broken in broken {
            client.text(broken).await;
            assert_eq!(client.error().await, "bad_json", "{broken:.40}");
        }
        still_serves(&mut client, 1, &mut witness).await;
    }
}

#[tokio::test]
async fn what_is_not_utf_8_is_refused() {
    let node = TestNode::start();
    let mut witness = TestClient::joined(&node, "witness").await;
    let mut client = culprit(&node, Way::Tcp).await;
    client.raw(b"{\"type\":\"message\",\"room\":\"general\",\"n\":1,\"content\":\"\xff\xfe\"}\n").await;
    let error = client.wait("error").await;
    assert_eq!(error["code"], "bad_json");
    assert!(error["message"].as_str().unwrap().starts_with("not UTF-8"), "{error}");
    still_serves(&mut client, 1, &mut witness).await;
    let mut socket = culprit(&node, Way::WebSocket).await;
    // A text frame, masked with zeroes, of one byte that is no character.
    socket.raw(&[0x81, 0x81, 0, 0, 0, 0, 0xff]).await;
    let closed = socket.closed().await;
    assert_eq!((closed.code, closed.reason.as_str()), (Some(1008), "a text message was not UTF-8"));
}

#[test]
fn a_line_of_a_gigabyte_is_cut_off_at_the_limit_and_memory_stays_flat() {
    const CHUNK: usize = 1 << 20;
    let server = Running::start(&[]);
    let before = server.peak_memory();
    for beginning in [&b"{\"type\":\"message\",\"content\":\""[..], b"words "] {
        let mut socket = std::net::TcpStream::connect(server.tcp).unwrap();
        socket.write_all(beginning).unwrap();
        let chunk = vec![b'x'; CHUNK];
        // Written until the node hangs up.
        let written = (0..1_024).take_while(|_| socket.write_all(&chunk).is_ok()).count();
        assert!(written < 1_024, "the node took it all");
    }
    let mut socket = std::net::TcpStream::connect(server.tcp).unwrap();
    socket.write_all(b"{\"padding\":\"").unwrap();
    socket.write_all(&vec![b'x'; 2 * CHUNK]).unwrap();
    let mut said = String::new();
    drop(socket.read_to_string(&mut said));
    assert!(said.contains("\"too_long\""), "{said}");
    let grown = server.peak_memory() - before;
    assert!(grown < 16 * 1_024, "grew by {grown} KiB");
}

#[tokio::test]
async fn names_that_cannot_be_are_refused_with_what_is_allowed() {
    let node = TestNode::start();
    let long = "x".repeat(33);
    let heavy = format!("x{}", "\u{301}".repeat(200));
    let bad = [
        "",
        &long,
        &heavy,
        "a b",
        "a\tb",
        "a\u{7}b",
        "a\u{1b}[31m",
        "a\u{9b}b",
        "a\u{200b}b",
        "a\u{202e}b",
        "\u{feff}",
    ];
    for way in BOTH {
        let mut client = TestClient::connect(&node, way).await;
        for name in bad {
            client.say(json!({"type": "hello", "v": 1, "name": name, "re": "h"})).await;
            let error = client.wait("error").await;
            assert_eq!((&error["code"], &error["re"]), (&json!("bad_name"), &json!("h")), "{name:?}");
        }
        client.say(json!({"type": "hello", "v": 1, "name": "x".repeat(32)})).await;
        assert_eq!(client.wait("welcome").await["name"].as_str().map(str::len), Some(32));
        for name in bad {
            client.say(json!({"type": "rename", "name": name})).await;
            assert_eq!(client.error().await, "bad_name", "{name:?}");
        }
    }
}

#[tokio::test]
async fn rooms_that_cannot_be_are_refused() {
    let node = TestNode::start();
    let long = "x".repeat(65);
    for way in BOTH {
        let (mut client, _) = TestClient::hello(&node, way, json!({})).await;
        for room in ["", "   ", &long, "a b", "a/b", "a\u{0}b", "a\u{1b}b", "a\u{200b}", "#room", "~", "{x}"]
        {
            client.say(json!({"type": "join", "room": room, "re": "j"})).await;
            let error = client.wait("error").await;
            assert_eq!((&error["code"], &error["re"]), (&json!("bad_room"), &json!("j")), "{room:?}");
        }
        for room in ["~u.alice", "~n.one", "dm-0123"] {
            client.say(json!({"type": "join", "room": room})).await;
            assert_eq!(client.error().await, "forbidden", "{room}");
        }
        client.join(&"x".repeat(64)).await;
        client.join("büro_1.2-3").await;
    }
}

/// Every request with a text in it, `TEXT` in the place of the text.
fn texts() -> Vec<Value> {
    vec![
        json!({"type": "message", "room": "general", "n": 1, "content": "TEXT"}),
        json!({"type": "message", "room": "general", "n": 1, "content": "x", "enc": "TEXT"}),
        json!({"type": "message", "room": "TEXT", "n": 1, "content": "x"}),
        json!({"type": "ping", "re": "TEXT"}),
        json!({"type": "join", "room": "TEXT"}),
        json!({"type": "leave", "room": "TEXT"}),
        json!({"type": "history", "room": "TEXT"}),
        json!({"type": "who", "room": "TEXT"}),
        json!({"type": "rooms", "after": "TEXT"}),
        json!({"type": "rename", "name": "TEXT"}),
        json!({"type": "edit", "room": "general", "seq": 1, "n": 1, "content": "TEXT"}),
        json!({"type": "search", "query": "TEXT"}),
        json!({"type": "direct", "to": "TEXT"}),
        json!({"type": "away", "text": "TEXT"}),
        json!({"type": "topic", "room": "general", "text": "TEXT"}),
        json!({"type": "invite", "room": "general", "user": "TEXT"}),
        json!({"type": "kick", "room": "general", "user": "TEXT"}),
        json!({"type": "kick", "room": "general", "user": "x", "reason": "TEXT"}),
        json!({"type": "ban", "room": "general", "user": "x", "until": "TEXT"}),
        json!({"type": "mute", "room": "general", "user": "x", "reason": "TEXT"}),
        json!({"type": "auth", "token": "TEXT"}),
        json!({"type": "todo", "op": "add", "n": 1, "text": "TEXT"}),
        json!({"type": "todo", "op": "add", "n": 1, "list": "TEXT"}),
        json!({"type": "todo", "op": "add", "n": 1, "id": "TEXT"}),
    ]
}

#[tokio::test]
async fn controls_are_refused_in_every_text() {
    let node = TestNode::start();
    let mut witness = TestClient::joined(&node, "witness").await;
    for control in ["\u{0}", "\u{7}", "\u{1b}[2J", "\u{7f}", "\u{9b}31m", "\r"] {
        let mut client = culprit(&node, Way::Tcp).await;
        for request in texts() {
            let text = format!("a{control}b");
            let escaped = serde_json::to_string(&text).unwrap();
            client.text(&request.to_string().replace("\"TEXT\"", &escaped)).await;
            let error = client.wait("error").await;
            let code = error["code"].as_str().unwrap();
            assert!(["bad_text", "bad_room", "bad_name", "bad_json"].contains(&code), "{request} {error}");
            let words = error["message"].as_str().unwrap();
            assert!(!words.contains(char::is_control), "{words:?}");
            if code == "bad_text" {
                let named = format!("U+{:04X}", u32::from(control.chars().next().unwrap()));
                assert!(words.contains(&named), "{words}");
            }
        }
        still_serves(&mut client, 1, &mut witness).await;
        let mut newcomer = TestClient::connect(&node, Way::Tcp).await;
        for field in ["name", "client", "client_id", "session", "token"] {
            let mut hello = json!({"type": "hello", "v": 1});
            hello[field] = json!(format!("a{control}b"));
            newcomer.say(hello).await;
            let code = newcomer.error().await;
            assert!(["bad_text", "bad_name", "bad_json"].contains(&code.as_str()), "{field} {code}");
        }
    }
}

#[tokio::test]
async fn lines_and_tabs_may_be_said_and_line_ends_are_folded() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    alice.send(1, "a\r\nb\tc\u{1f600}").await;
    assert_eq!(alice.contents(1).await, ["a\nb\tc\u{1f600}"]);
    // The same message in the other spelling is the same message.
    assert_eq!(alice.send(1, "a\nb\tc\u{1f600}").await["duplicate"], true);
}

#[tokio::test]
async fn nothing_is_no_message() {
    let node = TestNode::start();
    let mut witness = TestClient::joined(&node, "witness").await;
    let mut alice = TestClient::joined(&node, "alice").await;
    for nothing in ["", "  ", "\n\t"] {
        alice.say(message(1, nothing)).await;
        let error = alice.wait("error").await;
        assert_eq!((&error["code"], &error["n"]), (&json!("bad_text"), &json!(1)));
    }
    alice.say(json!({"type": "message", "room": "general", "n": 1})).await;
    assert_eq!(alice.error().await, "bad_text");
    alice.say(json!({"type": "message", "room": "general", "n": 1, "content": "x", "kind": "topic"})).await;
    assert_eq!(alice.error().await, "forbidden");
    still_serves(&mut alice, 1, &mut witness).await;
}

#[tokio::test]
async fn numbers_out_of_order_are_told_once_and_gone_back_to() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    for n in [3, 4, 5] {
        alice.say(message(n, &n.to_string())).await;
    }
    let error = alice.wait("error").await;
    assert_eq!(
        (&error["code"], &error["expect_n"], &error["n"]),
        (&json!("out_of_order"), &json!(1), &json!(3))
    );
    for n in 1..=5 {
        alice.send(n, &n.to_string()).await;
    }
    assert_eq!(alice.contents(5).await, ["1", "2", "3", "4", "5"]);
    let rest = alice.until_now(6).await;
    assert!(rest.iter().all(|frame| frame["type"] != "error"), "told once: {rest:?}");
    alice.say(message(0, "zero")).await;
    assert_eq!(alice.error().await, "bad_json");
    alice.send(7, "7").await;
}

#[tokio::test]
async fn the_sixty_fifth_room_is_one_too_many() {
    let node = TestNode::start();
    for way in BOTH {
        let (mut client, _) = TestClient::hello(&node, way, json!({})).await;
        for room in 1..=64 {
            client.join(&format!("room-{room}")).await;
        }
        client.say(json!({"type": "join", "room": "room-65", "re": "j"})).await;
        let error = client.wait("error").await;
        assert_eq!(
            (&error["code"], &error["re"], &error["room"]),
            (&json!("too_many_rooms"), &json!("j"), &json!("room-65"))
        );
        client.join("room-64").await;
        client.say(json!({"type": "leave", "room": "room-1"})).await;
        client.wait("left").await;
        client.join("room-65").await;
        let resume: Vec<_> = (1..=65)
            .map(|room| json!({"room": format!("r{room}"), "epoch": "0000000000000001", "seq": 0}))
            .collect();
        let mut other = TestClient::connect(&node, way).await;
        other.say(json!({"type": "hello", "v": 1, "resume": resume})).await;
        assert_eq!(other.error().await, "too_many_rooms");
    }
}

#[tokio::test]
async fn hello_comes_once() {
    let node = TestNode::start();
    let (mut client, _) = TestClient::hello(&node, Way::Tcp, json!({"name": "alice"})).await;
    client.say(json!({"type": "hello", "v": 1, "name": "bob"})).await;
    assert_eq!(client.error().await, "bad_json");
    let mut seed = TestClient::connect(&node, Way::Tcp).await;
    seed.say(json!({"type": "join", "room": "general"})).await;
    seed.wait("room_users").await;
    seed.say(json!({"type": "hello", "v": 1, "name": "bob"})).await;
    assert_eq!(seed.error().await, "bad_json");
}

#[tokio::test]
async fn who_connects_and_says_nothing_harms_nobody() {
    let node = TestNode::start();
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(Terminal::connect(&node).await);
    }
    let mut alice = TestClient::joined(&node, "alice").await;
    alice.send(1, "hi").await;
    // They are greeted as guests and see what is said.
    for person in &mut silent {
        person.sees("[general] alice: hi").await;
    }
    drop(silent);
    alice.send(2, "bye").await;
}

#[tokio::test]
async fn half_a_web_socket_frame_waits_for_its_rest_and_dies_with_the_connection() {
    let node = TestNode::start();
    let mut witness = TestClient::joined(&node, "witness").await;
    let mut client = culprit(&node, Way::WebSocket).await;
    let words = message(1, "in two halves").to_string();
    let mut frame = vec![0x81, 0x80 | u8::try_from(words.len()).unwrap(), 0, 0, 0, 0];
    frame.extend_from_slice(words.as_bytes());
    let (first, second) = frame.split_at(frame.len() / 2);
    client.raw(first).await;
    witness.send(1, "meanwhile").await;
    client.raw(second).await;
    assert_eq!(witness.contents(2).await, ["meanwhile", "in two halves"]);
    client.raw(first).await;
    client.stream().shutdown().await.unwrap();
    client.closed().await;
    witness.send(2, "after it").await;
    assert_eq!(witness.contents(1).await, ["after it"]);
}

#[tokio::test]
async fn what_is_no_web_socket_frame_closes() {
    let node = TestNode::start();
    let mut witness = TestClient::joined(&node, "witness").await;
    // Not masked; a reserved opcode; a continuation of nothing; a control frame that is too long.
    for bytes in [
        &[0x81, 0x01, b'x'][..],
        &[0x83, 0x80, 0, 0, 0, 0],
        &[0x80, 0x80, 0, 0, 0, 0],
        &[&[0x89, 0xfe, 0, 200][..], &[0; 204]].concat(),
    ] {
        let mut client = culprit(&node, Way::WebSocket).await;
        client.raw(bytes).await;
        assert_eq!(client.closed().await.code, Some(1008), "{bytes:?}");
    }
    witness.send(1, "fine").await;
}

#[tokio::test]
async fn an_http_request_to_the_tcp_port_is_told_so_and_said_to_nobody() {
    let node = TestNode::start();
    let mut witness = TestClient::joined(&node, "witness").await;
    for request in
        ["GET /health HTTP/1.1\r\nHost: x\r\n\r\n", "POST /chat HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"]
    {
        let mut browser = Terminal::connect(&node).await;
        browser.type_in(request).await;
        let said = browser.rest().await;
        assert!(said.starts_with("HTTP/1.1 400 ") && said.contains("HTTP port"), "{said}");
    }
    // A person may well say such a thing.
    let mut person = Terminal::connect(&node).await;
    person.type_in("hi\nGET / HTTP/1.1\n").await;
    assert_eq!(witness.contents(2).await, ["hi", "GET / HTTP/1.1"]);
}

#[tokio::test]
async fn thirty_mistakes_close_the_connection() {
    let node = TestNode::start();
    for way in BOTH {
        let mut client = culprit(&node, way).await;
        // What is no mistake is not counted.
        client.say(message(9, "out of order")).await;
        client.wait("error").await;
        for _ in 0..29 {
            client.text("{}").await;
            assert_eq!(client.error().await, "bad_json");
        }
        client.text("{}").await;
        let closed = client.closed().await;
        match way {
            Way::Tcp => assert_eq!(closed.reason, "forbidden"),
            Way::WebSocket => {
                assert_eq!((closed.code, closed.reason.as_str()), (Some(1008), "too many mistakes"));
            }
        }
    }
}

#[tokio::test]
async fn mistakes_with_a_number_count_too() {
    let node = TestNode::start();
    let mut client = culprit(&node, Way::Tcp).await;
    for _ in 0..30 {
        client.raw(format!("{}\n", message(1, "bell \u{7}")).as_bytes()).await;
    }
    assert_eq!(within(client.closed()).await.reason, "forbidden");
}
