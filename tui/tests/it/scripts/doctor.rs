//! `chat-tui doctor`: against real nodes, the real front-end, and what is none of both.

use std::process::Output;

use chat_protocol::NodeId;
use chat_tui::net::event::Transport;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;

use super::{Place, Running, chat_tui, run, text};

async fn doctor(test: &str, host: &str, more: &[&str]) -> Output {
    let mut args = vec!["--host", host, "doctor"];
    args.extend(more);
    run(chat_tui(test, &args), "").await
}

/// It ends with 1, and says this.
async fn finds(test: &str, host: &str, parts: &[&str]) {
    let output = doctor(test, host, &[]).await;
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}{}", text(&output.stderr));
    for part in parts {
        assert!(said.contains(part), "no {part:?} in\n{said}");
    }
    assert!(said.contains("next: ") && said.ends_with("a chat would not work\n"), "{said}");
}

/// Whoever connects gets these bytes, and is let go.
async fn answers(bytes: &'static [u8]) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if !bytes.is_empty() {
                let mut asked = [0; 1_024];
                let _ = stream.read(&mut asked).await;
                let _ = stream.write_all(bytes).await;
            }
        }
    });
    (authority, tasks)
}

#[tokio::test]
async fn a_way_that_works_is_told_step_by_step() {
    let place = Place::start(1);
    let host = format!("{},{}", place.host(Transport::Tcp), place.host(Transport::Ws));
    let output = doctor("doctor-works", &host, &[]).await;
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in ["  dns ", "  tcp ", "  upgrade ", "  hello ", "  ping ", "  rtt ", "127.0.0.1 has 127.0.0.1"]
    {
        assert!(said.contains(part), "no {part:?} in\n{said}");
    }
    assert_eq!(said.matches("node-1, version 0.1.0, on ").count(), 2, "{said}");
    assert!(!said.contains("wrong: ") && !said.contains("note: "), "{said}");

    let output = doctor("doctor-works", &host, &["--json"]).await;
    let reports: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(reports.len(), 2);
    for (report, steps) in reports
        .iter()
        .zip([&["dns", "tcp", "hello", "ping"][..], &["dns", "tcp", "upgrade", "hello", "ping"]])
    {
        assert_eq!(report["works"], true, "{report}");
        let names: Vec<_> = report["steps"].as_array().unwrap().iter().map(|step| &step["step"]).collect();
        assert_eq!(names, steps);
        let node = &report["nodes"][0];
        assert_eq!((&node["node"], &node["version"]), (&"node-1".into(), &"0.1.0".into()));
        assert!(node["rtt"]["median_ms"].as_f64().unwrap() > 0.0, "{node}");
    }
    let ahead = reports[1]["nodes"][0]["clock_ahead_s"].as_i64();
    assert!(ahead.is_some_and(|ahead| ahead.abs() <= 2), "{}", reports[1]);
}

#[tokio::test]
async fn one_of_several_is_enough_and_the_others_are_told() {
    let place = Place::start(1);
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let host = format!("tcp://{},{}", socket.local_addr().unwrap(), place.host(Transport::Tcp));
    let output = doctor("doctor-one", &host, &[]).await;
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("wrong: connection refused") && said.contains("a chat would work: by "), "{said}");
}

#[tokio::test]
async fn nothing_listening_and_no_such_name_are_told_apart() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let host = format!("tcp://{}", socket.local_addr().unwrap());
    finds("doctor-refused", &host, &["FAILED: connection refused", "nothing listens on port"]).await;
    finds("doctor-name", "tcp://no-such-name.invalid", &["no-such-name.invalid", "resolver"]).await;
}

#[tokio::test]
async fn the_wrong_one_of_two_ports_is_told_with_the_right_address() {
    let place = Place::start(1);
    let (tcp, http) = (place.host(Transport::Tcp), place.host(Transport::Ws));
    let (tcp, http) = (tcp.trim_start_matches("tcp://"), http.trim_start_matches("ws://"));
    let right = [format!("use ws://{http}/ws"), format!("use tcp://{tcp}")];
    finds("doctor-http", &format!("tcp://{http}"), &["is the HTTP port", &right[0]]).await;
    finds("doctor-tcp", &format!("ws://{tcp}"), &["is the port for lines of TCP", &right[1]]).await;
}

#[tokio::test]
async fn what_is_no_chat_server_says_what_it_is() {
    let (web, _web) =
        answers(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    finds("doctor-web", &format!("ws://{web}"), &["HTTP 404", "an HTTP server that is no chat server"]).await;
    finds("doctor-web", &format!("tcp://{web}"), &["does not speak the chat protocol", "check the port"])
        .await;
    let (mail, _mail) = answers(b"220 mail.example.com ESMTP\r\n").await;
    finds("doctor-mail", &format!("tcp://{mail}"), &["does not speak the chat protocol"]).await;
}

#[tokio::test]
async fn a_load_balancer_without_servers_is_told_as_that() {
    let place = Place::start(0);
    finds("doctor-empty", &place.host(Transport::Tcp), &["where this is a load balancer, it has no server"])
        .await;
    finds("doctor-empty", &place.host(Transport::Ws), &["load balancer", "server"]).await;
    let (proxy, _proxy) =
        answers(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
    finds("doctor-503", &format!("ws://{proxy}"), &["HTTP 503", &format!("curl http://{proxy}/ready")]).await;
}

#[tokio::test]
async fn a_server_that_cannot_reach_the_others_is_not_ready() {
    let place = Place::start(1);
    place.cluster.set_reachable(&NodeId::parse("node-1").unwrap(), false);
    let host = place.nodes[0].endpoint().authority();
    let output = doctor("doctor-alone", &format!("tcp://{host}"), &[]).await;
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("wrong: the server is not ready: it cannot reach the others"), "{said}");
}

#[tokio::test]
async fn a_taken_name_is_told_and_neither_claimed_nor_disturbed() {
    let place = Place::start(1);
    let host = place.host(Transport::Tcp);
    let mut chat = Running::start("doctor-alice", &["--host", &host, "tail"]);
    chat.told("[general] joined").await;
    // Another home: its alice is another user.
    let output = doctor("doctor-other", &host, &[]).await;
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("note: the name alice is taken") && said.contains("--name NAME"), "{said}");
    // The same home: it is one's own.
    let said = text(&doctor("doctor-alice", &host, &[]).await.stdout);
    assert!(!said.contains("note: "), "{said}");
    // One that was asked for is free afterwards.
    let said = text(&doctor("doctor-other", &host, &["--name", "bob"]).await.stdout);
    assert!(!said.contains("note: "), "{said}");
    let mut bob = Running::start("doctor-bob", &["--host", &host, "--name", "bob", "--json", "--plain"]);
    let welcome = loop {
        let line = bob.line().await;
        if line.contains("\"type\":\"welcome\"") {
            break line;
        }
    };
    assert!(welcome.contains("\"name\":\"bob\""), "{welcome}");
    place.say("doctor-alice", "general", "still here").await;
    assert!(chat.line().await.ends_with("alice: still here"));
}
