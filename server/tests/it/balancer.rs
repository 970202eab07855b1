//! The front-end between real clients and backends that are plain sockets.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chat_server::balancer::{Backend, BackendsHandle, Balancer, BalancerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const DEADLINE: Duration = Duration::from_secs(10);
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A front-end in this process; stopped when dropped.
struct Front {
    tcp: SocketAddr,
    http: SocketAddr,
    backends: BackendsHandle,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl Front {
    fn start(backends: Vec<Backend>) -> Self {
        let config = BalancerConfig { listen_tcp: Some(ANY_PORT), listen_http: Some(ANY_PORT), backends };
        let balancer = Balancer::bind(config).unwrap();
        let shutdown = CancellationToken::new();
        Self {
            tcp: balancer.tcp_addr().unwrap().unwrap(),
            http: balancer.http_addr().unwrap().unwrap(),
            backends: balancer.backends(),
            running: TaskTracker::new().spawn(balancer.run(shutdown.clone())),
            shutdown,
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// A backend that the test plays by hand.
struct Node {
    listener: TcpListener,
    backend: Backend,
}

impl Node {
    async fn start() -> Self {
        let listener = TcpListener::bind(ANY_PORT).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self { listener, backend: Backend { host: "127.0.0.1".into(), tcp: port, http: port } }
    }

    async fn accept(&self) -> TcpStream {
        within(self.listener.accept()).await.unwrap().0
    }
}

/// A backend that refuses: its port is held, so that no other test gets it, but nobody listens there.
struct Dead {
    backend: Backend,
    _held: TcpSocket,
}

impl Dead {
    fn start() -> Self {
        let held = TcpSocket::new_v4().unwrap();
        held.bind(ANY_PORT).unwrap();
        let port = held.local_addr().unwrap().port();
        Self { backend: Backend { host: "127.0.0.1".into(), tcp: port, http: port }, _held: held }
    }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(DEADLINE, work).await.expect("happens before the deadline")
}

async fn connect(addr: SocketAddr) -> TcpStream {
    within(TcpStream::connect(addr)).await.unwrap()
}

async fn read_exactly(stream: &mut TcpStream, expected: &[u8]) {
    let mut read = vec![0; expected.len()];
    within(stream.read_exact(&mut read)).await.unwrap();
    assert_eq!(read, expected);
}

async fn assert_reset(stream: &mut TcpStream) {
    let error = within(stream.read(&mut [0; 16])).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn bytes_go_both_ways_on_both_ports() {
    let node = Node::start().await;
    let front = Front::start(vec![node.backend.clone()]);
    for addr in [front.tcp, front.http] {
        let mut client = connect(addr).await;
        let mut server = node.accept().await;
        client.write_all(b"there").await.unwrap();
        read_exactly(&mut server, b"there").await;
        server.write_all(b"and back").await.unwrap();
        read_exactly(&mut client, b"and back").await;
    }
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
    within(async {
        while front.backends.loads()[0].1 != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let _fifth = (connect(front.tcp).await, a.accept().await);
    assert_eq!(front.backends.loads(), [(a.backend.clone(), 2), (b.backend.clone(), 2)]);
}

#[tokio::test]
async fn a_backend_that_refuses_is_passed_over_at_once() {
    let (dead, node) = (Dead::start(), Node::start().await);
    let front = Front::start(vec![dead.backend.clone(), node.backend.clone()]);
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push((connect(front.tcp).await, node.accept().await));
    }
    assert_eq!(front.backends.loads()[1].1, 4);
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
async fn without_a_backend_tcp_is_reset_and_http_is_told() {
    let dead = [Dead::start(), Dead::start()];
    for backends in [vec![], dead.iter().map(|dead| dead.backend.clone()).collect()] {
        let front = Front::start(backends);
        assert_reset(&mut connect(front.tcp).await).await;

        let mut client = connect(front.http).await;
        client.write_all(b"GET /ws HTTP/1.1\r\nhost: chat\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        within(client.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nno server can be reached: try again in a second\n"), "{answer}");
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
async fn a_shutdown_closes_every_connection_and_returns() {
    let node = Node::start().await;
    let mut front = Front::start(vec![node.backend.clone()]);
    let mut client = connect(front.tcp).await;
    let _server = node.accept().await;
    front.shutdown.cancel();
    within(&mut front.running).await.unwrap();
    assert_eq!(within(client.read(&mut [0; 16])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let held = TcpListener::bind(ANY_PORT).await.unwrap();
    let taken = held.local_addr().unwrap();
    let config = BalancerConfig { listen_tcp: None, listen_http: Some(taken), backends: vec![] };
    let error = Balancer::bind(config).unwrap_err().to_string();
    assert!(error.contains(&taken.to_string()) && error.contains("--listen-http"), "{error}");
}
