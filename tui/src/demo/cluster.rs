//! Owns the demo's servers: three nodes that share one backbone, and the front-end before them. A node dies as
//! abruptly as a process does, and its place behind the front-end refuses from then on, as in life. Knows
//! nothing of who is connected. Tests run on it too.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use chat_protocol::NodeId;
use chat_server::balancer::{Backend, BackendsHandle, Balancer, BalancerConfig};
use chat_server::config::Config;
use chat_server::{Cluster, Killer};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The nodes' names.
const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The servers.
pub struct Nodes {
    cluster: Cluster,
    nodes: Vec<Node>,
    backends: BackendsHandle,
    /// Where clients come in.
    pub front: SocketAddr,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

struct Node {
    name: NodeId,
    backend: Backend,
    /// None once it is dead.
    killer: Option<Killer>,
    running: JoinHandle<()>,
}

impl Nodes {
    /// Starts all of them on free loopback ports; their tasks run on `tasks` until `shutdown`.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(tasks: &TaskTracker, shutdown: &CancellationToken) -> anyhow::Result<Self> {
        let cluster = Cluster::default();
        let start = |name: &str| start_node(&cluster, NodeId::parse(name)?, tasks, shutdown);
        let nodes = NODES.into_iter().map(start).collect::<anyhow::Result<Vec<_>>>()?;
        let backends = nodes.iter().map(|node| node.backend.clone()).collect();
        let config = BalancerConfig { listen_tcp: Some(ANY_PORT), listen_http: Some(ANY_PORT), backends };
        let balancer = Balancer::bind(config)?;
        let front = balancer.tcp_addr()?.context("the front-end listens on TCP")?;
        let backends = balancer.backends();
        tasks.spawn(balancer.run(shutdown.clone()));
        let (tasks, shutdown) = (tasks.clone(), shutdown.clone());
        Ok(Self { cluster, nodes, backends, front, tasks, shutdown })
    }

    /// The switch of a living node, to be used: from now on it counts as dead.
    pub fn killer(&mut self, node: &NodeId) -> Option<Killer> {
        self.nodes.iter_mut().find(|known| known.name == *node)?.killer.take()
    }

    /// The switches of all living nodes, to be used.
    pub fn killers(&mut self) -> Vec<Killer> {
        self.nodes.iter_mut().filter_map(|node| node.killer.take()).collect()
    }

    /// Starts every dead node again under its name, on new ports, and tells the front-end.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn revive(&mut self) -> anyhow::Result<()> {
        for node in self.nodes.iter_mut().filter(|node| node.killer.is_none()) {
            // The last of the old one must not happen under the new one's name.
            (&mut node.running).await.context("a node failed")?;
            *node = start_node(&self.cluster, node.name.clone(), &self.tasks, &self.shutdown)?;
        }
        self.backends.set(self.nodes.iter().map(|node| node.backend.clone()).collect());
        Ok(())
    }
}

fn start_node(
    cluster: &Cluster,
    name: NodeId,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) -> anyhow::Result<Node> {
    let server = cluster.bind(Config::loopback(name.clone()))?;
    let port =
        |addr: Option<SocketAddr>| addr.map(|addr| addr.port()).context("a node listens on both ports");
    let (tcp, http) = (port(server.tcp_addr())?, port(server.http_addr())?);
    let backend = Backend { host: Ipv4Addr::LOCALHOST.to_string(), tcp, http };
    let killer = server.killer();
    // At the end of the demo nobody is left to be told to go elsewhere: the nodes end like the program.
    let (ending, shutdown) = (killer.clone(), shutdown.clone());
    let running = tasks.spawn(async move {
        let serving = server.run(CancellationToken::new());
        tokio::pin!(serving);
        tokio::select! {
            () = &mut serving => {}
            () = shutdown.cancelled() => {
                ending.kill();
                serving.await;
            }
        }
    });
    Ok(Node { name, backend, killer: Some(killer), running })
}
