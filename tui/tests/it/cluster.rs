//! Owns a cluster for tests: three nodes on loopback with one memory backbone behind the real front-end, and
//! the nodes' death and return. Gone with the value.

use std::net::{Ipv4Addr, SocketAddr};

use chat_protocol::NodeId;
use chat_server::balancer::{Backend, BackendsHandle, Balancer, BalancerConfig};
use chat_server::config::Config;
use chat_server::{Cluster, Killer};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::Transport;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many nodes a cluster has.
pub(crate) const NODES: usize = 3;

/// Whether the nodes limit how much a client says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RateLimit {
    AsConfigured,
    Off,
}

pub(crate) struct TestCluster {
    shared: Cluster,
    rate_limit: RateLimit,
    nodes: Vec<Node>,
    backends: BackendsHandle,
    tcp: SocketAddr,
    http: SocketAddr,
    shutdown: CancellationToken,
    // Whatever still runs when the cluster is dropped is aborted.
    tasks: JoinSet<()>,
}

struct Node {
    backend: Backend,
    killer: Killer,
}

impl TestCluster {
    /// A cluster that takes clients.
    pub(crate) fn start(rate_limit: RateLimit) -> Self {
        let any_port = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let config = BalancerConfig { listen_tcp: any_port, listen_http: any_port, backends: Vec::new() };
        let balancer = Balancer::bind(config).unwrap();
        let (tcp, http) = (balancer.tcp_addr().unwrap().unwrap(), balancer.http_addr().unwrap().unwrap());
        let mut cluster = Self {
            shared: Cluster::default(),
            rate_limit,
            nodes: Vec::new(),
            backends: balancer.backends(),
            tcp,
            http,
            shutdown: CancellationToken::new(),
            tasks: JoinSet::new(),
        };
        cluster.tasks.spawn(balancer.run(cluster.shutdown.clone()));
        for index in 0..NODES {
            let node = cluster.open(index);
            cluster.nodes.push(node);
        }
        cluster.publish();
        cluster
    }

    /// Where clients come in: the front-end.
    pub(crate) fn endpoint(&self, transport: Transport) -> Endpoint {
        let port = match transport {
            Transport::Tcp => self.tcp.port(),
            Transport::Ws => self.http.port(),
        };
        Endpoint::new("127.0.0.1", port, transport)
    }

    /// The front-end's port for lines.
    pub(crate) fn tcp(&self) -> SocketAddr {
        self.tcp
    }

    /// Kills a node as a process dies. The front-end is not told: it finds out.
    pub(crate) fn kill(&self, index: usize) {
        self.nodes[index].killer.kill();
    }

    /// The node returns under its name, on other ports.
    pub(crate) fn revive(&mut self, index: usize) {
        self.nodes[index] = self.open(index);
        self.publish();
    }

    fn open(&mut self, index: usize) -> Node {
        let name = NodeId::parse(&format!("node-{}", index + 1)).unwrap();
        let mut config = Config::loopback(name);
        if self.rate_limit == RateLimit::Off {
            config.limits.messages_per_second = 0;
        }
        let server = self.shared.bind(config).unwrap();
        let backend = Backend {
            host: Ipv4Addr::LOCALHOST.to_string(),
            tcp: server.tcp_addr().unwrap().port(),
            http: server.http_addr().unwrap().port(),
        };
        let killer = server.killer();
        self.tasks.spawn(server.run(self.shutdown.clone()));
        Node { backend, killer }
    }

    fn publish(&self) {
        self.backends.set(self.nodes.iter().map(|node| node.backend.clone()).collect());
    }
}

impl Drop for TestCluster {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.nodes.iter().for_each(|node| node.killer.kill());
    }
}
