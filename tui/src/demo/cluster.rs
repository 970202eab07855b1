//! Owns the demo's servers: three nodes and the front-end before them. A node's place behind the front-end
//! refuses once it is dead, as in life. Knows nothing of who is connected. Tests run on it too.
//!
//! - `inside`: nodes in this process.

mod inside;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Context;
use chat_protocol::NodeId;
use chat_server::balancer::{Backend, BackendsHandle, Balancer, BalancerConfig};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use inside::{Inside, Task};

/// The nodes' names.
const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The servers.
pub struct Nodes {
    home: Inside,
    nodes: Vec<Node>,
    backends: BackendsHandle,
    /// Where clients come in.
    pub front: SocketAddr,
}

struct Node {
    name: NodeId,
    backend: Backend,
    life: Task,
}

impl Nodes {
    /// Starts all of them on free loopback ports; their tasks run on `tasks` until `shutdown`.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(tasks: &TaskTracker, shutdown: &CancellationToken) -> anyhow::Result<Self> {
        let home = Inside::new(tasks, shutdown);
        let start = |name: &str| Node::start(&home, NodeId::parse(name)?);
        let nodes = NODES.into_iter().map(start).collect::<anyhow::Result<Vec<_>>>()?;
        let backends = nodes.iter().map(|node| node.backend.clone()).collect();
        let config = BalancerConfig { listen_tcp: Some(ANY_PORT), listen_http: Some(ANY_PORT), backends };
        let balancer = Balancer::bind(config)?;
        let front = balancer.tcp_addr()?.context("the front-end listens on TCP")?;
        let backends = balancer.backends();
        tasks.spawn(balancer.run(shutdown.clone()));
        Ok(Self { home, nodes, backends, front })
    }

    /// Lets a node hang: it hears and says nothing any more. False where it is dead already.
    pub fn hang(&mut self, node: &NodeId) -> bool {
        let alive = self.alive(node);
        alive.map(|node| node.life.hang()).is_some()
    }

    /// Kills a node.
    pub fn kill(&mut self, node: &NodeId) {
        if let Some(node) = self.alive(node) {
            node.life.kill();
        }
    }

    /// Kills all nodes.
    pub fn kill_all(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.life.kill());
    }

    /// Starts every dead node again under its name, on new ports, and tells the front-end.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn revive(&mut self) -> anyhow::Result<()> {
        for node in self.nodes.iter_mut().filter(|node| node.life.is_dead()) {
            // The last of the old one must not happen under the new one's name.
            node.life.ended().await?;
            *node = Node::start(&self.home, node.name.clone())?;
        }
        self.backends.set(self.nodes.iter().map(|node| node.backend.clone()).collect());
        Ok(())
    }

    fn alive(&mut self, name: &NodeId) -> Option<&mut Node> {
        self.nodes.iter_mut().find(|node| node.name == *name && !node.life.is_dead())
    }
}

impl Node {
    fn start(home: &Inside, name: NodeId) -> anyhow::Result<Self> {
        let (backend, life) = home.start(name.clone())?;
        Ok(Self { name, backend, life })
    }
}
