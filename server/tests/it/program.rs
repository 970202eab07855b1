//! The program `chat-server` as a person starts it: exit codes, output, signals.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use chat_testbed::{RedisOptions, RedisServer};
use serde_json::Value;
use tokio::time::Instant;

use crate::support::{DEADLINE, within};

pub(crate) fn chat_server(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command.args(arguments);
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CHAT_SERVER_"))
    {
        command.env_remove(name);
    }
    command
}

/// A node as a program of its own; killed when dropped.
pub(crate) struct Running {
    child: Child,
    /// Kept, or what the program still says would find nobody.
    log: BufReader<ChildStderr>,
    pub(crate) tcp: SocketAddr,
    http: SocketAddr,
}

impl Running {
    /// On ports of the system's choice, which its log names.
    pub(crate) fn start(env: &[(&str, &str)]) -> Self {
        let arguments = ["--node", "one", "--listen-tcp", "127.0.0.1:0", "--listen-http", "127.0.0.1:0"];
        let mut command = chat_server(&arguments);
        command.args(["--log-format", "json"]).envs(env.iter().copied());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let line = read_to(&mut log, "\"listening\"");
        let port = |name: &str| -> SocketAddr {
            let rest = &line[line.find(name).unwrap_or_else(|| panic!("{line}"))..];
            rest[rest.find("127").unwrap()..].split(')').next().unwrap().parse().unwrap()
        };
        Self { tcp: port("\"tcp\""), http: port("\"http\""), child, log }
    }

    /// The most memory it ever had, in KiB.
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn terminate(&mut self) {
        // The shell's kill is the one way to send a signal without unsafe code or a crate for it.
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// What it said behind its first line, to its end.
    fn said(&mut self) -> String {
        let mut said = String::new();
        self.log.read_to_string(&mut said).unwrap();
        said
    }

    /// A client that has said hello, and nothing else.
    fn client(&self) -> BufReader<TcpStream> {
        let mut client = TcpStream::connect(self.tcp).unwrap();
        client.write_all(b"{\"type\":\"hello\",\"v\":1}\n").unwrap();
        let mut said = BufReader::new(client);
        read_to(&mut said, "\"welcome\"");
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Reads on to a line with this part.
fn read_to(from: &mut impl BufRead, part: &str) -> String {
    let mut line = String::new();
    while !line.contains(part) {
        line.clear();
        assert!(from.read_line(&mut line).unwrap() > 0, "the end before {part}");
    }
    line
}

pub(crate) fn fails(output: &Output, expected: &str) {
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
fn nodes_without_a_cluster_says_what_to_give() {
    fails(&chat_server(&["nodes"]).output().unwrap(), "no cluster to ask: give --redis URL");
    let output = chat_server(&["nodes", "--redis", "redis://127.0.0.1:1"]).output().unwrap();
    fails(&output, "127.0.0.1:1");
}

#[tokio::test]
async fn nodes_shows_those_of_a_cluster() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let _node = Running::start(&[("CHAT_SERVER_REDIS__URL", &redis.url())]);
    let ask = |arguments: &[&str]| {
        let output = chat_server(&["nodes", "--redis", &redis.url()]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let mut again = tokio::time::interval(Duration::from_millis(50));
    let shown = within(async {
        loop {
            let shown: Value = serde_json::from_str(&ask(&["--json"])).unwrap();
            if shown[0].is_object() {
                return shown;
            }
            again.tick().await;
        }
    })
    .await;
    assert_eq!((shown.as_array().unwrap().len(), &shown[0]["node"]), (1, &"one".into()));
    assert_eq!(
        (&shown[0]["version"], &shown[0]["draining"]),
        (&env!("CARGO_PKG_VERSION").into(), &false.into())
    );
    let table = ask(&[]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("NODE ") && lines[1].starts_with("one "), "{table}");
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
fn a_node_tells_its_clients_at_sigterm_and_ends() {
    let mut server = Running::start(&[("CHAT_SERVER_TIMING__DRAIN_MS", "200")]);
    let mut client = server.client();
    let begun = Instant::now();
    server.terminate();
    let mut rest = String::new();
    client.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("\"drain\"") && rest.contains("\"shutting_down\""), "{rest}");
    drop(client);
    assert!(server.ended().success());
    assert!(begun.elapsed() < Duration::from_millis(200 + 2_500), "{:?}", begun.elapsed());
}

#[test]
fn a_node_ends_with_its_last_client() {
    let mut server = Running::start(&[("CHAT_SERVER_TIMING__DRAIN_MS", "600000")]);
    let mut client = server.client();
    server.terminate();
    read_to(&mut client, "\"drain\"");
    drop(client);
    assert!(server.ended().success());
}

/// Answers pings, so that the node does not take the client for gone, until it has hung up.
fn pong_until_the_end(mut client: BufReader<TcpStream>) {
    let mut line = String::new();
    // A reset is an end too.
    while client.read_line(&mut line).is_ok_and(|count| count > 0) {
        if line.contains("\"ping\"") {
            drop(client.get_mut().write_all(b"{\"type\":\"pong\"}\n"));
        }
        line.clear();
    }
}

#[test]
fn a_second_sigterm_insists_and_is_not_an_orderly_end() {
    let mut server = Running::start(&[("CHAT_SERVER_TIMING__DRAIN_MS", "600000")]);
    let mut client = server.client();
    server.terminate();
    read_to(&mut client, "\"drain\"");
    server.terminate();
    // The client stays as long as it is served, and the drain period is long: nothing but the signal ends the node.
    let (hung_up, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        pong_until_the_end(client);
        hung_up.send(())
    });
    end.recv_timeout(DEADLINE).expect("the second signal ends it at once");
    assert_eq!(server.ended().code(), Some(1));
    let said = server.said();
    assert!(said.contains("chat-server: ended at the second signal"), "{said}");
}

#[test]
fn a_node_names_a_port_in_use_and_the_flag_that_changes_it() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = held.local_addr().unwrap().to_string();
    for (flag, other) in [("--listen-tcp", "--listen-http"), ("--listen-http", "--listen-tcp")] {
        let output = chat_server(&[flag, &addr, other, "127.0.0.1:0"]).output().unwrap();
        let named = format!("cannot listen on {addr}: another program listens there");
        fails(&output, &named);
        fails(&output, &format!("choose another address with {flag}"));
    }
}

#[test]
fn a_load_balancer_whose_header_is_not_expected_is_named_once() {
    for is_http in [false, true] {
        let mut node = Running::start(&[]);
        for _ in 0..3 {
            let mut stream = TcpStream::connect(if is_http { node.http } else { node.tcp }).unwrap();
            stream.write_all(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0").unwrap();
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            // That it is closed over unread bytes is an end too.
            drop(stream.read_to_end(&mut Vec::new()));
        }
        node.terminate();
        let said = node.said();
        let warnings: Vec<&str> = said.lines().filter(|line| line.contains("proxy_protocol_from")).collect();
        let [warning] = warnings[..] else { panic!("{said}") };
        assert!(warning.contains("\"WARN\"") && warning.contains("\"peer\":\"127.0.0.1\""), "{warning}");
    }
}
