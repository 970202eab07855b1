//! The program `chat-server` as a person starts it: exit codes, output, signals.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

fn chat_server(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command.args(arguments);
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CHAT_SERVER_"))
    {
        command.env_remove(name);
    }
    command
}

fn fails(output: &Output, expected: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(expected), "{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
}

#[test]
fn check_config_shows_values_and_origins() {
    let mut command = chat_server(&["check-config", "--node", "a"]);
    let output = command.env("CHAT_SERVER_LIMITS__MESSAGES_PER_SECOND", "0").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let shows = |value: &str, origin: &str| {
        said.lines().any(|line| line.starts_with(value) && line.ends_with(&format!("# {origin}")))
    };
    assert!(shows("node = \"a\"", "--node"), "{said}");
    assert!(shows("messages_per_second = 0", "CHAT_SERVER_LIMITS__MESSAGES_PER_SECOND"), "{said}");
    assert!(shows("ping_ms = 4000", "default"), "{said}");
}

#[test]
fn check_config_names_what_is_wrong() {
    let output = chat_server(&["check-config"]).env("CHAT_SERVER_SERVER__NOD", "a").output().unwrap();
    fails(
        &output,
        "chat-server: unknown environment variable CHAT_SERVER_SERVER__NOD: did you mean CHAT_SERVER_SERVER__NODE?",
    );
}

#[test]
fn a_front_end_without_servers_says_what_to_name() {
    fails(&chat_server(&["balance"]).output().unwrap(), "name one with --backend HOST:TCP:HTTP");
}

#[test]
fn a_port_in_use_is_named() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = held.local_addr().unwrap().to_string();
    let balance = ["balance", "--listen-tcp", &addr, "--listen-http", "off", "--backend", "127.0.0.1:1:1"];
    fails(
        &chat_server(&balance).output().unwrap(),
        &format!("cannot listen on {addr}: another program listens there"),
    );
}

#[test]
fn a_front_end_ends_at_sigterm() {
    let balance =
        ["balance", "--listen-tcp", "127.0.0.1:0", "--listen-http", "off", "--backend", "127.0.0.1:1:1"];
    let mut running = chat_server(&balance).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(running.stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    assert!(line.contains("balancing"), "{line}");
    // The shell's kill is the one way to send a signal without unsafe code or a crate for it.
    let sent = Command::new("sh").args(["-c", &format!("kill -TERM {}", running.id())]).status().unwrap();
    assert!(sent.success());
    assert!(running.wait().unwrap().success());
}
