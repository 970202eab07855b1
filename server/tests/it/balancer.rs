//! The front-end between real clients and backends that are plain sockets.
//!
//! - `health`: who gets clients. `proxy`: what a backend is told of them.
//! - `admin`: what the front-end tells of itself. `drain`: how it ends. `program`: all of that by the command line.

mod admin;
mod drain;
mod health;
mod program;
mod proxy;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use chat_server::balancer::{Backend, BackendsHandle, Balancer, BalancerConfig};
use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{get, within};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Between two checks, where a test waits for one.
const SOON: Duration = Duration::from_millis(20);
/// Between two checks, where a test wants none but the first.
const NEVER: Duration = Duration::from_secs(3_600);

/// A front-end in this process; gone when dropped.
struct Front {
    tcp: SocketAddr,
    http: SocketAddr,
    admin: SocketAddr,
    backends: BackendsHandle,
    shutdown: CancellationToken,
    running: JoinSet<()>,
}

impl Front {
    fn start(backends: Vec<Backend>) -> Self {
        Self::with(backends, |_| {})
    }

    /// With other settings.
    fn with(backends: Vec<Backend>, change: impl FnOnce(&mut BalancerConfig)) -> Self {
        let mut config = BalancerConfig::loopback(backends);
        config.listen_admin = Some(ANY_PORT);
        config.check.every = SOON;
        change(&mut config);
        let balancer = Balancer::bind(config).unwrap();
        let (shutdown, mut running) = (CancellationToken::new(), JoinSet::new());
        let [tcp, http, admin] = [balancer.tcp_addr(), balancer.http_addr(), balancer.admin_addr()];
        let backends = balancer.backends();
        running.spawn(balancer.run(shutdown.clone()));
        let addr = |addr: std::io::Result<Option<SocketAddr>>| addr.unwrap().unwrap();
        Self { tcp: addr(tcp), http: addr(http), admin: addr(admin), backends, shutdown, running }
    }

    /// Waits until so many backends are healthy.
    async fn has_healthy(&self, count: usize) {
        until(|| self.backends.healthy() == count).await;
    }

    /// Waits until it has returned.
    async fn ended(&mut self) {
        within(self.running.join_next()).await.unwrap().unwrap();
    }
}

/// A backend that the test plays by hand; it answers checks by itself.
struct Node {
    listener: TcpListener,
    /// Connections to the HTTP port that are no checks.
    clients: mpsc::UnboundedReceiver<TcpStream>,
    backend: Backend,
    answers: Arc<Answers>,
    _tasks: JoinSet<()>,
}

/// How a node answers checks.
struct Answers {
    status: AtomicU16,
    given: AtomicUsize,
}

impl Node {
    async fn start() -> Self {
        let listener = TcpListener::bind(ANY_PORT).await.unwrap();
        let (backend, http) = Self::with_http(listener.local_addr().unwrap().port()).await;
        let (found, clients) = mpsc::unbounded_channel();
        let answers = Arc::new(Answers { status: AtomicU16::new(200), given: AtomicUsize::new(0) });
        let mut tasks = JoinSet::new();
        tasks.spawn(answer_checks(http, answers.clone(), found));
        Self { listener, clients, backend, answers, _tasks: tasks }
    }

    async fn with_http(tcp: u16) -> (Backend, TcpListener) {
        let http = TcpListener::bind(ANY_PORT).await.unwrap();
        let port = http.local_addr().unwrap().port();
        (Backend { host: "127.0.0.1".into(), tcp: Some(tcp), http: Some(port) }, http)
    }

    /// The next client of the TCP port.
    async fn accept(&self) -> TcpStream {
        accept_client(&self.listener).await
    }

    /// A client of the HTTP port that has said something.
    async fn accept_http(&mut self) -> TcpStream {
        within(self.clients.recv()).await.unwrap()
    }

    /// From now on checks are answered so.
    fn answer(&self, status: u16) {
        self.answers.status.store(status, Ordering::SeqCst);
    }

    fn checks(&self) -> usize {
        self.answers.given.load(Ordering::SeqCst)
    }
}

async fn answer_checks(
    listener: TcpListener,
    answers: Arc<Answers>,
    found: mpsc::UnboundedSender<TcpStream>,
) {
    let mut tasks = JoinSet::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (answers, found) = (answers.clone(), found.clone());
        tasks.spawn(async move {
            let mut begin = [0; 10];
            let seen = stream.peek(&mut begin).await.unwrap_or_default();
            if &begin[..seen] != b"GET /ready" {
                // The test that wants it is over, or is going to take it.
                return drop(found.send(stream));
            }
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0);
            }
            let status = answers.status.load(Ordering::SeqCst);
            let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n");
            drop(stream.write_all(answer.as_bytes()).await);
            answers.given.fetch_add(1, Ordering::SeqCst);
        });
    }
}

/// A port that refuses: it is held, so that no other test gets it, but nobody listens there.
struct Dead {
    port: u16,
    held: TcpSocket,
}

impl Dead {
    fn start() -> Self {
        let held = TcpSocket::new_v4().unwrap();
        held.set_reuseaddr(true).unwrap();
        held.bind(ANY_PORT).unwrap();
        Self { port: held.local_addr().unwrap().port(), held }
    }

    fn backend(&self) -> Backend {
        Backend { host: "127.0.0.1".into(), tcp: Some(self.port), http: Some(self.port) }
    }

    /// Somebody listens there until this is dropped; then it refuses again.
    fn open(&self) -> TcpListener {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(SocketAddr::new(ANY_PORT.ip(), self.port)).unwrap();
        socket.listen(64).unwrap()
    }

    /// From now on somebody listens there.
    fn listen(self) -> TcpListener {
        self.held.listen(8).unwrap()
    }
}

/// The next connection that is no check.
async fn accept_client(listener: &TcpListener) -> TcpStream {
    loop {
        let stream = within(listener.accept()).await.unwrap().0;
        if !is_check(&stream).await {
            return stream;
        }
    }
}

/// Checks of a TCP port are closed as soon as they stand.
async fn is_check(stream: &TcpStream) -> bool {
    // The front-end runs on this thread: what it does at once it has done when all others have had their turn.
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
    matches!(stream.peek(&mut [0]).now_or_never(), Some(Ok(0)))
}

async fn until(mut happened: impl FnMut() -> bool) {
    within(async {
        while !happened() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn connect(addr: SocketAddr) -> TcpStream {
    within(TcpStream::connect(addr)).await.unwrap()
}

async fn read_exactly(stream: &mut TcpStream, expected: &[u8]) {
    let mut read = vec![0; expected.len()];
    within(stream.read_exact(&mut read)).await.unwrap();
    assert_eq!(read, expected);
}

/// Bytes go both ways.
async fn talks(client: &mut TcpStream, server: &mut TcpStream) {
    client.write_all(b"there").await.unwrap();
    read_exactly(server, b"there").await;
    server.write_all(b"and back").await.unwrap();
    read_exactly(client, b"and back").await;
}

async fn assert_reset(stream: &mut TcpStream) {
    let error = within(stream.read(&mut [0; 16])).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn bytes_go_both_ways_on_both_ports() {
    let mut node = Node::start().await;
    let front = Front::start(vec![node.backend.clone()]);
    let mut client = connect(front.tcp).await;
    talks(&mut client, &mut node.accept().await).await;
    let mut client = connect(front.http).await;
    client.write_all(b"GET /ws").await.unwrap();
    let mut server = node.accept_http().await;
    read_exactly(&mut server, b"GET /ws").await;
    talks(&mut client, &mut server).await;
}

#[tokio::test]
async fn connections_go_where_the_fewest_are() {
    let (a, b) = (Node::start().await, Node::start().await);
    let front = Front::start(vec![a.backend.clone(), b.backend.clone()]);
    let first = (connect(front.tcp).await, a.accept().await);
    let _second = (connect(front.tcp).await, b.accept().await);
    let _third = (connect(front.tcp).await, a.accept().await);
    let _fourth = (connect(front.tcp).await, b.accept().await);
    drop(first);
    until(|| front.backends.loads()[0].1 == 1).await;
    let _fifth = (connect(front.tcp).await, a.accept().await);
    assert_eq!(front.backends.loads(), [(a.backend.clone(), 2), (b.backend.clone(), 2)]);
}

#[tokio::test]
async fn a_reset_by_the_server_resets_the_client() {
    let node = Node::start().await;
    let front = Front::start(vec![node.backend.clone()]);
    let mut client = connect(front.tcp).await;
    let server = node.accept().await;
    server.set_zero_linger().unwrap();
    drop(server);
    assert_reset(&mut client).await;
}

#[tokio::test]
async fn a_reset_by_the_client_resets_the_server() {
    let node = Node::start().await;
    let front = Front::start(vec![node.backend.clone()]);
    let client = connect(front.tcp).await;
    let mut server = node.accept().await;
    client.set_zero_linger().unwrap();
    drop(client);
    assert_reset(&mut server).await;
}

#[tokio::test]
async fn a_half_close_is_passed_on_and_the_answer_still_arrives() {
    let node = Node::start().await;
    let front = Front::start(vec![node.backend.clone()]);
    let mut client = connect(front.tcp).await;
    let mut server = node.accept().await;
    client.write_all(b"last words").await.unwrap();
    client.shutdown().await.unwrap();
    let mut heard = Vec::new();
    within(server.read_to_end(&mut heard)).await.unwrap();
    assert_eq!(heard, b"last words");
    server.write_all(b"the answer").await.unwrap();
    drop(server);
    let mut answer = Vec::new();
    within(client.read_to_end(&mut answer)).await.unwrap();
    assert_eq!(answer, b"the answer");
}

#[tokio::test]
async fn a_server_that_is_gone_has_no_connections_though_its_clients_stay() {
    let node = Node::start().await;
    let front = Front::start(vec![node.backend.clone()]);
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(connect(front.tcp).await);
        let mut server = node.accept().await;
        server.write_all(b"last words").await.unwrap();
    }
    // No client closes; what it would be given by then has long been there.
    tokio::time::timeout(Duration::from_secs(1), until(|| front.backends.loads()[0].1 == 0))
        .await
        .expect("it looks full");
    for client in &mut clients {
        read_exactly(client, b"last words").await;
        assert_eq!(within(client.read(&mut [0; 16])).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn without_a_backend_tcp_is_reset_and_http_is_told() {
    let dead = [Dead::start(), Dead::start()];
    for backends in [vec![], dead.iter().map(Dead::backend).collect()] {
        let front = Front::start(backends);
        assert_reset(&mut connect(front.tcp).await).await;
        let told = get(front.http, "/ws").await;
        assert_eq!(told, (503, "no server can be reached: try again in a second\n".to_owned()));
    }
}

#[tokio::test]
async fn backends_can_be_replaced_while_it_runs() {
    let (old, new) = (Node::start().await, Node::start().await);
    let front = Front::start(vec![old.backend.clone()]);
    let mut before = connect(front.tcp).await;
    let mut old_server = old.accept().await;
    front.backends.set(vec![new.backend.clone()]);
    let _after = (connect(front.tcp).await, new.accept().await);
    old_server.write_all(b"still here").await.unwrap();
    read_exactly(&mut before, b"still here").await;
}

#[tokio::test]
async fn much_goes_both_ways_at_once() {
    const BYTES: usize = 20_000_000;
    let node = Node::start().await;
    let front = Front::start(vec![node.backend.clone()]);
    let (client, server) = (connect(front.tcp).await, node.accept().await);
    let pattern: Vec<u8> = (0..BYTES).map(|n| (n / 251 + n) as u8).collect();
    let one = |stream: TcpStream| {
        let pattern = &pattern;
        async move {
            let (mut from, mut to) = stream.into_split();
            let (mut read, send) = (Vec::new(), async {
                to.write_all(pattern).await.unwrap();
                to.shutdown().await.unwrap();
            });
            let ((), count) = tokio::join!(send, from.read_to_end(&mut read));
            assert_eq!(count.unwrap(), BYTES);
            assert!(read == *pattern, "other bytes came out than went in");
        }
    };
    within(async { tokio::join!(one(client), one(server)) }).await;
    until(|| front.backends.loads()[0].1 == 0).await;
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let held = TcpListener::bind(ANY_PORT).await.unwrap();
    let taken = held.local_addr().ok();
    let free = || BalancerConfig::loopback(vec![]);
    for (config, advice) in [
        (BalancerConfig { listen_http: taken, ..free() }, "with --listen-http"),
        (BalancerConfig { listen_admin: taken, ..free() }, "or switch it off: --listen-admin off"),
    ] {
        let error = Balancer::bind(config).unwrap_err().to_string();
        assert!(error.contains(&taken.unwrap().to_string()) && error.contains(advice), "{error}");
    }
}
