//! Owns a cluster for tests: three nodes on loopback with one memory backbone behind the real front-end, and
//! the nodes' death and return. Gone with the value.

use std::net::SocketAddr;

use chat_protocol::NodeId;
use chat_server::Cluster;
use chat_server::config::Config;
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::Transport;

use crate::front::{FrontEnd, Node};

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
    front: FrontEnd,
}

impl TestCluster {
    /// A cluster that takes clients.
    pub(crate) fn start(rate_limit: RateLimit) -> Self {
        let front = FrontEnd::start();
        let mut cluster = Self { shared: Cluster::default(), rate_limit, nodes: Vec::new(), front };
        for index in 0..NODES {
            let node = cluster.open(index);
            cluster.nodes.push(node);
        }
        cluster.front.offer(cluster.nodes.iter());
        cluster
    }

    /// Where clients come in: the front-end.
    pub(crate) fn endpoint(&self, transport: Transport) -> Endpoint {
        self.front.endpoint(transport)
    }

    /// The front-end's port for lines.
    pub(crate) fn tcp(&self) -> SocketAddr {
        self.front.tcp()
    }

    /// Takes a node down in order, and runs another in its place.
    pub(crate) async fn restart(&mut self, index: usize) {
        let others = self.nodes.iter().enumerate().filter(|(at, _)| *at != index);
        self.front.offer(others.map(|(_, node)| node));
        self.nodes[index].drain().await;
        self.revive(index);
    }

    /// The place of a node among them.
    pub(crate) fn index(&self, node: &NodeId) -> usize {
        (0..self.nodes.len()).find(|index| name(*index) == *node).unwrap()
    }

    /// Lets a node hang: it hears and says nothing any more.
    pub(crate) fn hang(&self, index: usize) {
        self.nodes[index].hang();
    }

    /// Kills a node as a process dies. The front-end is not told: it finds out.
    pub(crate) fn kill(&self, index: usize) {
        self.nodes[index].kill();
    }

    /// The node returns under its name, on other ports.
    pub(crate) fn revive(&mut self, index: usize) {
        self.nodes[index] = self.open(index);
        self.front.offer(self.nodes.iter());
    }

    fn open(&mut self, index: usize) -> Node {
        let mut config = Config::loopback(name(index));
        if self.rate_limit == RateLimit::Off {
            config.limits.messages_per_second = 0;
        }
        self.front.run(self.shared.bind(config).unwrap())
    }
}

fn name(index: usize) -> NodeId {
    NodeId::parse(&format!("node-{}", index + 1)).unwrap()
}
