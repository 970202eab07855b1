//! Owns the real front-end before the nodes of a test, and runs them. Gone with the value.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chat_server::balancer::{Backend, BackendsHandle, Balancer, BalancerConfig};
use chat_server::{Killer, Server};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::Transport;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use crate::fake::within;

pub(crate) struct FrontEnd {
    backends: BackendsHandle,
    tcp: SocketAddr,
    http: SocketAddr,
    shutdown: CancellationToken,
    // Whatever still runs when the front-end is dropped is aborted.
    tasks: JoinSet<()>,
}

/// A node that runs; killed when dropped.
pub(crate) struct Node {
    backend: Backend,
    killer: Killer,
    shutdown: CancellationToken,
    ended: CancellationToken,
}

impl FrontEnd {
    /// A front-end that takes clients and has no node yet.
    pub(crate) fn start() -> Self {
        let balancer = Balancer::bind(BalancerConfig::loopback(Vec::new())).unwrap();
        let (tcp, http) = (balancer.tcp_addr().unwrap().unwrap(), balancer.http_addr().unwrap().unwrap());
        let (backends, shutdown) = (balancer.backends(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        tasks.spawn(balancer.run(shutdown.clone()));
        Self { backends, tcp, http, shutdown, tasks }
    }

    /// Where clients come in.
    pub(crate) fn endpoint(&self, transport: Transport) -> Endpoint {
        let port = match transport {
            Transport::Tcp => self.tcp.port(),
            Transport::Ws => self.http.port(),
        };
        Endpoint::new("127.0.0.1", port, transport)
    }

    /// The port for lines.
    pub(crate) fn tcp(&self) -> SocketAddr {
        self.tcp
    }

    /// Runs a node, which gets clients once it is offered.
    pub(crate) fn run(&mut self, server: Server) -> Node {
        let backend = Backend {
            host: Ipv4Addr::LOCALHOST.to_string(),
            tcp: server.tcp_addr().map(|addr| addr.port()),
            http: server.http_addr().map(|addr| addr.port()),
        };
        let (killer, shutdown, ended) =
            (server.killer(), self.shutdown.child_token(), CancellationToken::new());
        let (running, over) = (server.run(shutdown.clone()), ended.clone().drop_guard());
        self.tasks.spawn(async move {
            running.await;
            drop(over);
        });
        Node { backend, killer, shutdown, ended }
    }

    /// New clients are led to these nodes.
    pub(crate) fn offer<'a>(&self, nodes: impl Iterator<Item = &'a Node>) {
        self.backends.set(nodes.map(|node| node.backend.clone()).collect());
    }
}

impl Drop for FrontEnd {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Node {
    /// Kills it as a process dies. The front-end is not told: it finds out.
    pub(crate) fn kill(&self) {
        self.killer.kill();
    }

    /// Lets it hang: it hears and says nothing any more, and its connections stay.
    pub(crate) fn hang(&self) {
        self.killer.hang();
    }

    /// Takes it down in order; returns once it has ended.
    pub(crate) async fn drain(&self) {
        self.shutdown.cancel();
        within("the node's end", self.ended.cancelled()).await;
    }

    /// Waits until a load balancer that asks would send no more clients here.
    pub(crate) async fn unready(&self) {
        let mut again = interval(Duration::from_millis(20));
        within("an unready node", async {
            while !self.answer("/ready").await.starts_with("HTTP/1.1 503") {
                again.tick().await;
            }
        })
        .await;
    }

    async fn answer(&self, path: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.backend.http.unwrap())).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Where clients come in that pass the front-end by.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::new("127.0.0.1", self.backend.tcp.unwrap(), Transport::Tcp)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
