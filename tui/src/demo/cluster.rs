//! Owns the demo's servers: three nodes and the front-end before them. A node's place behind the front-end
//! refuses once it is dead, as in life. Knows nothing of who is connected.
//!
//! - `home`: where nodes live.
//! - `inside`: in this process.
//! - `apart`: in processes of their own.

mod apart;
mod home;
mod inside;

use std::net::SocketAddr;

use anyhow::Context;
use chat_protocol::NodeId;
use chat_server::balancer::{Backend, BackendsHandle, Balancer, BalancerConfig};
use futures_util::future::{join_all, try_join_all};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(super) use home::Home;
use home::Life;

/// The nodes' names.
const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];

/// The servers.
pub(super) struct Nodes {
    home: Home,
    nodes: Vec<Node>,
    backends: BackendsHandle,
    /// Where clients come in.
    pub(super) front: SocketAddr,
}

struct Node {
    name: NodeId,
    backend: Backend,
    life: Life,
}

impl Nodes {
    /// Starts all of them on free loopback ports; the front-end's task runs on `tasks` until `shutdown`.
    ///
    /// # Errors
    /// When no port can be had, or a node does not start.
    pub(super) async fn start(
        home: Home,
        tasks: &TaskTracker,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let names = NODES.iter().map(|name| NodeId::parse(name)).collect::<Result<Vec<_>, _>>()?;
        let nodes = try_join_all(names.into_iter().map(|name| Node::start(&home, name))).await?;
        let backends = nodes.iter().map(|node| node.backend.clone()).collect();
        let balancer = Balancer::bind(BalancerConfig::loopback(backends))?;
        let front = balancer.tcp_addr()?.context("the front-end listens on TCP")?;
        let backends = balancer.backends();
        tasks.spawn(balancer.run(shutdown.clone()));
        Ok(Self { home, nodes, backends, front })
    }

    /// Lets a node hang: it hears and says nothing any more. False where it is dead already.
    pub(super) fn hang(&mut self, node: &NodeId) -> bool {
        let alive = self.alive(node);
        alive.map(|node| node.life.hang()).is_some()
    }

    /// Kills a node.
    pub(super) async fn kill(&mut self, node: &NodeId) {
        if let Some(node) = self.alive(node) {
            node.life.kill().await;
        }
    }

    /// Kills all nodes.
    pub(super) async fn kill_all(&mut self) {
        join_all(self.nodes.iter_mut().map(|node| node.life.kill())).await;
    }

    /// Starts every dead node again under its name, on new ports, and tells the front-end.
    ///
    /// # Errors
    /// When no port can be had, or a node does not start; then none of them did.
    pub(super) async fn revive(&mut self) -> anyhow::Result<()> {
        let mut dead: Vec<_> = self.nodes.iter_mut().filter_map(Node::if_dead).collect();
        for node in &mut dead {
            // The last of the old one must not happen under the new one's name.
            node.life.ended().await?;
        }
        let names = dead.iter().map(|node| node.name.clone());
        let started = try_join_all(names.map(|name| Node::start(&self.home, name))).await?;
        for (node, new) in dead.into_iter().zip(started) {
            *node = new;
        }
        self.backends.set(self.nodes.iter().map(|node| node.backend.clone()).collect());
        Ok(())
    }

    /// What runs, for people.
    pub(super) fn describe(&self) -> String {
        self.home.describe(self.nodes.iter().map(|node| &node.life))
    }

    /// Ends those nodes that do not end with the shutdown.
    pub(super) async fn stop(mut self) {
        join_all(self.nodes.iter_mut().map(|node| node.life.stop())).await;
    }

    fn alive(&mut self, name: &NodeId) -> Option<&mut Node> {
        let node = self.nodes.iter_mut().find(|node| node.name == *name)?;
        (!node.life.is_dead()).then_some(node)
    }
}

impl Node {
    async fn start(home: &Home, name: NodeId) -> anyhow::Result<Self> {
        let (backend, life) = home.start(name.clone()).await?;
        Ok(Self { name, backend, life })
    }

    fn if_dead(&mut self) -> Option<&mut Self> {
        self.life.is_dead().then_some(self)
    }
}
