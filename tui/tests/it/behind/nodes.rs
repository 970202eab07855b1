//! Owns nodes that come back where they were: a load balancer knows them by address. Gone with the value.

use std::net::{Ipv4Addr, SocketAddr};

use chat_protocol::NodeId;
use chat_server::config::Config;
use chat_server::{Cluster, Killer};
use chat_testbed::{Backend, free_port};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::fake::within;

/// Nodes of one cluster.
pub(super) struct Nodes {
    shared: Cluster,
    change: fn(&mut Config),
    nodes: Vec<Node>,
}

struct Node {
    backend: Backend,
    killer: Killer,
    // Aborted when dropped.
    running: JoinSet<()>,
}

impl Nodes {
    /// Starts nodes with other settings than the defaults.
    pub(super) fn start(count: usize, change: fn(&mut Config)) -> Self {
        let addr = || SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().unwrap()));
        let shared = Cluster::default();
        let open = |index| run(&shared, index, Backend { tcp: addr(), http: addr() }, change);
        let nodes = (0..count).map(open).collect();
        Self { shared, change, nodes }
    }

    /// Where they are.
    pub(super) fn backends(&self) -> Vec<Backend> {
        self.nodes.iter().map(|node| node.backend).collect()
    }

    /// Kills a node as a process dies, and waits until its ports are closed.
    pub(super) async fn kill(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        node.killer.kill();
        within("a node's death", node.running.join_next()).await;
    }

    /// The node returns under its name, at its ports.
    pub(super) fn revive(&mut self, index: usize) {
        self.nodes[index] = run(&self.shared, index, self.nodes[index].backend, self.change);
    }
}

/// The name of a node.
pub(super) fn name(index: usize) -> String {
    format!("node-{}", index + 1)
}

fn run(shared: &Cluster, index: usize, backend: Backend, change: fn(&mut Config)) -> Node {
    let mut config = Config::loopback(NodeId::parse(&name(index)).unwrap());
    (config.listen_tcp, config.listen_http) = (Some(backend.tcp), Some(backend.http));
    change(&mut config);
    let server = shared.bind(config).unwrap();
    let (killer, mut running) = (server.killer(), JoinSet::new());
    running.spawn(server.run(CancellationToken::new()));
    Node { backend, killer, running }
}
