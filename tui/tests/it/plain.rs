//! Plain mode from input to output, over the network, against a server that does what a test tells it to.

use std::collections::VecDeque;

use chat_protocol::{ClientId, NodeId, UserName};
use chat_server::config::Config;
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::Transport;
use chat_tui::net::link::LinkOptions;
use chat_tui::net::network::{Network, NetworkOptions, NetworkTask};
use chat_tui::net::saved::SavedClient;
use chat_tui::plain::{self, Format, Plain, PlainError};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, duplex};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::fake::{Conn, DEADLINE, Fake, room, within};

struct Session {
    input: Option<DuplexStream>,
    output: Lines<BufReader<DuplexStream>>,
    plain: JoinSet<Result<(), PlainError>>,
    _network: NetworkTask,
    seen: VecDeque<String>,
}

impl Session {
    fn start(fake: &Fake, format: Format, script: Option<&str>) -> Self {
        Self::at(fake.endpoint(), format, script)
    }

    fn at(endpoint: Endpoint, format: Format, script: Option<&str>) -> Self {
        let link = LinkOptions {
            endpoints: vec![endpoint],
            name: Some(UserName::parse("alice").unwrap()),
            rooms: vec![room("general")],
            saved: SavedClient { client_id: Some(ClientId::random()), ..SavedClient::default() },
            seed: 1,
            ..LinkOptions::default()
        };
        let options = NetworkOptions { linger: DEADLINE, ..NetworkOptions::new(link) };
        let Network { commands, events, task: network } = Network::start(options);
        let (shutdown, started) = (network.shutdown.clone(), network.started);
        let rooms = vec![room("general")];
        let script = script.map(str::to_owned);
        let plain = Plain { commands, events, demo: None, rooms, format, script, started, shutdown };
        let (input, from_input) = duplex(4_096);
        let (to_output, output) = duplex(4_096);
        let mut session = JoinSet::new();
        session.spawn(plain::run(plain, from_input, to_output));
        let output = BufReader::new(output).lines();
        Self { input: Some(input), output, plain: session, _network: network, seen: VecDeque::new() }
    }

    async fn write(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads on to a line that holds `part`.
    async fn until(&mut self, part: &str) -> String {
        loop {
            let line = within(part, self.output.next_line()).await.unwrap();
            let line = line.unwrap_or_else(|| panic!("the end before {part:?}; last: {:?}", self.seen));
            if line.contains(part) {
                return line;
            }
            self.seen.push_back(line);
        }
    }

    async fn end(mut self) -> Result<(), PlainError> {
        drop(self.input.take());
        while within("the end of output", self.output.next_line()).await.unwrap().is_some() {}
        within("the end", self.plain.join_next()).await.unwrap().unwrap()
    }
}

async fn echo_one(conn: &mut Conn, id: &ClientId) -> String {
    let message = conn.message().await.unwrap();
    conn.accept_message(id, &message).await;
    message.content
}

#[tokio::test]
async fn lines_go_out_and_entries_come_in() {
    let fake = Fake::bind(Transport::Tcp).await;
    let mut session = Session::start(&fake, Format::Lines, None);
    session.write("hi there\n/fly\n").await;
    let mut conn = fake.accept().await;
    let id = conn.greet("node-1").await.client_id.unwrap();
    assert_eq!(echo_one(&mut conn, &id).await, "hi there");
    session.until("-- no command /fly").await;
    session.until("-- connected to node-1 (tcp)").await;
    assert!(session.until("alice: hi there").await.contains("[general]"));
    session.end().await.unwrap();
}

#[tokio::test]
async fn the_end_of_input_waits_for_the_outbox() {
    let fake = Fake::bind(Transport::Ws).await;
    let mut session = Session::start(&fake, Format::Json, None);
    session.write("{\"type\":\"message\",\"content\":\"last\",\"re\":\"7\"}").await;
    drop(session.input.take());
    let mut conn = fake.accept().await;
    let id = conn.greet("node-1").await.client_id.unwrap();
    assert_eq!(echo_one(&mut conn, &id).await, "last");
    let acked = session.until("\"state\":\"acked\"").await;
    assert!(acked.contains("\"re\":\"7\""), "{acked}");
    session.end().await.unwrap();
}

#[tokio::test]
async fn a_closed_output_is_a_quiet_end() {
    let fake = Fake::bind(Transport::Tcp).await;
    let Session { output, mut plain, input, _network, .. } = Session::start(&fake, Format::Lines, None);
    drop(output);
    within("the end", plain.join_next()).await.unwrap().unwrap().unwrap();
    drop(input);
}

#[tokio::test]
async fn a_shutdown_is_a_quiet_end_though_the_network_ends_too() {
    // Which of both was seen first was chance.
    for _ in 0..50 {
        let (commands, _asked) = mpsc::channel(1);
        let (_, events) = mpsc::channel(1);
        let (shutdown, started) = (CancellationToken::new(), Instant::now());
        shutdown.cancel();
        let (rooms, format) = (vec![room("general")], Format::Lines);
        let plain = Plain { commands, events, demo: None, rooms, format, script: None, started, shutdown };
        let (_input, from_input) = duplex(16);
        plain::run(plain, from_input, tokio::io::sink()).await.unwrap();
    }
}

#[tokio::test]
async fn a_script_plays_line_by_line_and_ends() {
    let fake = Fake::bind(Transport::Tcp).await;
    let mut session = Session::start(&fake, Format::Lines, Some("one\n/me two\n/quit\n"));
    let mut conn = fake.accept().await;
    let id = conn.greet("node-1").await.client_id.unwrap();
    assert_eq!(echo_one(&mut conn, &id).await, "one");
    assert_eq!(echo_one(&mut conn, &id).await, "two");
    session.until("> one").await;
    session.until("alice: one").await;
    session.until("> /me two").await;
    session.until("> /quit").await;
    session.end().await.unwrap();
}

#[tokio::test]
async fn a_script_with_a_bad_line_names_it() {
    let fake = Fake::bind(Transport::Tcp).await;
    let mut session = Session::start(&fake, Format::Lines, Some("\n/kill\n"));
    let mut conn = fake.accept().await;
    conn.greet("node-1").await;
    let served = async { while conn.message().await.is_some() {} };
    let watched = async {
        session.until("> /kill").await;
        session.until("-- that is for the demo").await;
        session.end().await
    };
    let (ended, ()) = tokio::join!(watched, served);
    let error = ended.unwrap_err().to_string();
    assert_eq!(error, "script line 2 (/kill): that is for the demo: start with --demo");
}

#[tokio::test]
async fn a_server_alone_is_told_once_and_what_was_said_waits() {
    let (cluster, name) = (chat_server::Cluster::default(), NodeId::parse("one").unwrap());
    let server = cluster.bind(Config::loopback(name.clone())).unwrap();
    let (addr, killer) = (server.tcp_addr().unwrap(), server.killer());
    let mut node = JoinSet::new();
    node.spawn(server.run(CancellationToken::new()));
    let endpoint = Endpoint::new(addr.ip().to_string(), addr.port(), Transport::Tcp);
    let mut session = Session::at(endpoint, Format::Lines, None);
    session.until("[general] joined").await;
    cluster.set_reachable(&name, false);
    assert_eq!(session.until("cannot reach").await, "-- one cannot reach the others: messages wait");
    session.write("still here?\n").await;
    cluster.set_reachable(&name, true);
    let again = session.until("again").await;
    assert!(again.starts_with("-- one reaches the others again (") && again.ends_with(" s)"), "{again}");
    if !session.seen.iter().any(|line| line.ends_with("alice: still here?")) {
        session.until("alice: still here?").await;
    }
    assert!(!session.seen.iter().any(|line| line.contains("error")), "{:?}", session.seen);
    session.end().await.unwrap();
    killer.kill();
}

#[tokio::test]
async fn what_was_said_is_found_by_people_and_programs() {
    let (cluster, name) = (chat_server::Cluster::default(), NodeId::parse("one").unwrap());
    let mut config = Config::loopback(name);
    config.limits.messages_per_second = 0;
    let server = cluster.bind(config).unwrap();
    let (addr, killer) = (server.tcp_addr().unwrap(), server.killer());
    let mut node = JoinSet::new();
    node.spawn(server.run(CancellationToken::new()));
    let endpoint = Endpoint::new(addr.ip().to_string(), addr.port(), Transport::Tcp);
    let mut session = Session::at(endpoint.clone(), Format::Lines, None);
    session.until("[general] joined").await;
    for number in 1..=30 {
        session.write(&format!("fox {number}\n")).await;
    }
    session.until("alice: fox 30").await;
    session.write("/search FOX\n").await;
    session.until("-- found 20, the newest last; /search goes on").await;
    assert!(session.until(" 20 20").await.ends_with("[general] alice: fox 11"));
    assert!(session.until("  1 20").await.ends_with("alice: fox 30"));
    session.write("/search\n").await;
    session.until("-- found 10, the newest last").await;
    assert!(session.until(" 10 20").await.ends_with("alice: fox 1"));
    session.until("alice: fox 10").await;
    session.write("/context 10\n").await;
    session.until("[general] alice: fox 1").await;
    session.until("alice: fox 6").await;
    session.write("/search from:\n").await;
    session.until("-- error: from: stands there without a value").await;
    session.end().await.unwrap();

    let mut program = Session::at(endpoint, Format::Json, None);
    program.until(r#""type":"room_users""#).await;
    program.write("{\"type\":\"search\",\"query\":\"fox from:alice\",\"limit\":3}\n").await;
    let found = program.until(r#""type":"search""#).await;
    assert!(found.contains(r#""content":"fox 30""#) && found.contains(r#""next":{"before":28"#), "{found}");
    program.write("{\"type\":\"history\",\"room\":\"general\",\"around\":15,\"limit\":3}\n").await;
    let around = program.until(r#""type":"history""#).await;
    assert_eq!(around.matches("\"content\":\"fox 1").count(), 3, "{around}");
    assert!(around.contains("fox 14") && around.contains("fox 16"), "{around}");
    program.write("{\"type\":\"who\"}\n{\"type\":\"rooms\"}\n").await;
    assert!(program.until(r#""type":"who""#).await.contains(r#""more":false"#));
    assert!(program.until(r#""type":"rooms""#).await.contains(r#""room":"general""#));
    program.end().await.unwrap();
    killer.kill();
}
