//! The front-end as a person starts it: its log, signals, mistakes.

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, ChildStderr, Command};

use super::{ANY_PORT, connect};
use crate::program::{chat_server, fails};
use crate::support::{get, within};

/// A front-end as a program of its own; killed when dropped.
struct Running {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    tcp: SocketAddr,
    admin: SocketAddr,
}

impl Running {
    /// On a TCP port of the system's choice, which its log names.
    async fn start(command: std::process::Command) -> Self {
        let mut child = Command::from(command).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut running = Self { child, log, tcp: ANY_PORT, admin: ANY_PORT };
        running.admin = running.port("port=Admin").await;
        running.tcp = running.port("port=Tcp").await;
        running
    }

    /// The address in a line of its log.
    async fn port(&mut self, text: &str) -> SocketAddr {
        let line = self.says(text).await;
        line.split("addr=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
    }

    /// The next line of its log that holds a text.
    async fn says(&mut self, text: &str) -> String {
        loop {
            let line = within(self.log.next_line()).await.unwrap();
            let line = line.unwrap_or_else(|| panic!("it ended without {text}"));
            if line.contains(text) {
                return line;
            }
        }
    }

    fn terminate(&self) {
        let pid = Pid::from_raw(self.child.id().unwrap() as i32).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }

    async fn ended(&mut self) -> ExitStatus {
        within(self.child.wait()).await.unwrap()
    }

    /// A client, and its server's end: the first connection that says something is no check.
    async fn client(&self, backend: &TcpListener) -> (TcpStream, TcpStream) {
        let mut client = connect(self.tcp).await;
        client.write_all(b"hello").await.unwrap();
        loop {
            let mut server = within(backend.accept()).await.unwrap().0;
            let mut heard = [0; 5];
            if within(server.read_exact(&mut heard)).await.is_ok() {
                assert_eq!(&heard, b"hello");
                return (client, server);
            }
        }
    }
}

async fn backend() -> TcpListener {
    TcpListener::bind(ANY_PORT).await.unwrap()
}

fn balance(backend: &TcpListener) -> std::process::Command {
    let port = backend.local_addr().unwrap().port();
    let mut command = chat_server(&["balance", "--listen-tcp", "127.0.0.1:0", "--listen-http", "off"]);
    command.args(["--listen-admin", "127.0.0.1:0", "--backend", &format!("127.0.0.1:{port}:off")]);
    command
}

#[tokio::test]
async fn at_sigterm_a_connection_ends_in_its_own_time_and_then_the_program_with_0() {
    let backend = backend().await;
    let mut running = Running::start(balance(&backend)).await;
    let (mut client, mut server) = running.client(&backend).await;
    running.terminate();
    assert!(running.says("draining").await.contains("connections=1"));
    let megabyte = vec![7; 1 << 20];
    let (mut heard, say) = (Vec::new(), async {
        server.write_all(&megabyte).await.unwrap();
        drop(server);
    });
    within(async { tokio::join!(say, client.read_to_end(&mut heard)) }).await.1.unwrap();
    assert_eq!(heard.len(), 1 << 20);
    drop(client);
    assert_eq!(running.ended().await.code(), Some(0));
}

#[tokio::test]
async fn the_time_for_that_is_a_setting() {
    let backend = backend().await;
    let mut command = balance(&backend);
    command.env("CHAT_SERVER_BALANCER__DRAIN_MS", "50");
    let mut running = Running::start(command).await;
    let (mut client, _server) = running.client(&backend).await;
    running.terminate();
    assert_eq!(within(client.read(&mut [0; 16])).await.unwrap(), 0);
    assert_eq!(running.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let backend = backend().await;
    let mut command = balance(&backend);
    command.env("CHAT_SERVER_BALANCER__DRAIN_MS", "86400000");
    let mut running = Running::start(command).await;
    let _both = running.client(&backend).await;
    running.terminate();
    running.says("draining").await;
    running.terminate();
    running.says("asked to end a second time").await;
    running
        .says("chat-server: ended at the second signal: clients that had not moved yet were cut off")
        .await;
    assert_eq!(running.ended().await.code(), Some(1), "not an orderly end");
}

/// A command under a limit that a shell sets.
fn limited(limit: &str, inner: &std::process::Command) -> std::process::Command {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("{limit} && exec \"$@\""), "sh"]);
    command.arg(inner.get_program()).args(inner.get_args());
    command
}

#[tokio::test]
async fn clients_leave_descriptors_for_checks_and_operators() {
    let backend = backend().await;
    let mut command = limited("ulimit -n 200", &balance(&backend));
    command.env("CHAT_SERVER_BALANCER__CHECK_MS", "10");
    let mut running = Running::start(command).await;
    let mut clients = Vec::new();
    for _ in 0..120 {
        // Who is turned away may see that while it still connects.
        clients.extend(within(TcpStream::connect(running.tcp)).await);
    }
    let warning = running.says("clients are turned away for lack of file descriptors").await;
    // (200 - 64 - 32 - 1) / 2
    assert!(warning.contains("WARN") && warning.contains("max=51"), "{warning}");
    let turned_away = || async {
        let text = get(running.admin, "/metrics").await.1;
        crate::metrics::parse(&text)["chat_balancer_turned_away_total"]
    };
    within(async { while turned_away().await < 69.0 {} }).await;
    let has = async |count: &str| get(running.admin, "/status").await.1.contains(count);
    within(async { while !has("\"connections\":51,").await {} }).await;
    // Checks go on meanwhile: clients are 51 of these. Kept, or a client's would be over.
    let mut kept = Vec::new();
    while kept.len() < 60 {
        kept.push(within(backend.accept()).await.unwrap());
    }
    let status: serde_json::Value = serde_json::from_str(&get(running.admin, "/status").await.1).unwrap();
    let server = &status["backends"][0];
    assert_eq!((&server["connections"], &status["turned_away"]), (&51.into(), &69.into()), "{status}");
    assert_eq!(
        (&server["healthy"], &server["failed_checks"], &server["why"]),
        (&true.into(), &0.into(), &().into())
    );
    assert_eq!(get(running.admin, "/ready").await.0, 200);
    // Who goes makes room.
    for client in clients.drain(..) {
        // Nobody has taken their servers' ends, which would have to close too.
        client.set_zero_linger().unwrap();
    }
    within(async { while !has("\"connections\":0,\"draining").await {} }).await;
    let (mut client, mut server) = running.client(&backend).await;
    super::talks(&mut client, &mut server).await;
}

#[tokio::test]
async fn it_takes_as_many_descriptors_as_it_may_have() {
    let backend = backend().await;
    let running = Running::start(limited("ulimit -Sn 256", &balance(&backend))).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.child.id().unwrap())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let [soft, hard] = [3, 4].map(|at| files.split_whitespace().nth(at).unwrap());
    assert!(soft == hard && soft != "256", "{files}");
}

/// It says what is wrong, and ends.
async fn refuses(command: std::process::Command, expected: &str) {
    let output = Command::from(command).kill_on_drop(true).output();
    fails(&within(output).await.unwrap(), expected);
}

#[tokio::test]
async fn a_setting_that_cannot_be_is_named_with_what_can() {
    let backend = ["balance", "--backend", "a:1:2"];
    for (arguments, expected) in [
        (
            &["--policy", "random"][..],
            "\"policy\" in [balancer] cannot be \"random\": \"least-connections\" or",
        ),
        (
            &["--backend", "a:1"],
            "\"backends\" in [balancer] cannot be \"a:1:2,a:1\": a list of HOST:TCP:HTTP",
        ),
        (
            &["--backup", "a:off:off"],
            "\"backups\" in [balancer] cannot be \"a:off:off\": a list of HOST:TCP:HTTP",
        ),
        (&["--backup", "a:1:2"], "balancer.backends and balancer.backups name a:1:2 twice"),
        (
            &["--listen-admin", "8001"],
            "\"listen_admin\" in [balancer] cannot be \"8001\": an address with a port",
        ),
        (&["--listen-tcp", "off", "--listen-http", "off"], "both ports are off"),
        (
            &["--listen-tcp", "0.0.0.0:22200", "--backend", "127.0.0.1:22200:off"],
            "backend 127.0.0.1:22200:off is this front-end itself, which listens on 0.0.0.0:22200: name the servers",
        ),
    ] {
        refuses(chat_server(&[&backend[..], arguments].concat()), expected).await;
    }
    for (name, value, expected) in [
        (
            "BACKENDS",
            "[\"a:1:2\", \"b:1:2\"]",
            "several as [\"a:1:2\", \"b:1:2\"] in the file, as a:1:2,b:1:2 in the environment",
        ),
        ("RISE", "0", "\"rise\" in [balancer] cannot be \"0\": the least is 1"),
        ("FALL", "-1", "\"fall\" in [balancer] cannot be \"-1\": a whole number"),
        ("CHECK_MS", "1s", "\"check_ms\" in [balancer] cannot be \"1s\": milliseconds from 0"),
        ("CHECK_TIMEOUT_MS", "1", "\"check_timeout_ms\" in [balancer] cannot be \"1\": the least is 10"),
        ("SEND_PROXY", "yes", "\"send_proxy\" in [balancer] cannot be \"yes\": true or false is allowed"),
    ] {
        let mut command = chat_server(if name == "BACKENDS" { &backend[..1] } else { &backend[..] });
        command.env(format!("CHAT_SERVER_BALANCER__{name}"), value);
        refuses(command, expected).await;
    }
}

#[tokio::test]
async fn a_port_for_operators_in_use_is_named_with_what_to_do() {
    let held = std::net::TcpListener::bind(ANY_PORT).unwrap();
    let addr = held.local_addr().unwrap().to_string();
    let arguments = ["balance", "--listen-tcp", "127.0.0.1:0", "--listen-http", "off", "--backend", "a:1:2"];
    let command = || chat_server(&[&arguments[..], &["--listen-admin", &addr]].concat());
    refuses(command(), &format!("cannot listen on {addr}: another program listens there")).await;
    refuses(command(), "choose another address with --listen-admin, or switch it off: --listen-admin off")
        .await;
}
