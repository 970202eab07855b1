//! Owns servers for pictures: three nodes on real sockets that meet in memory, the real front-end before them, a
//! proxy before that for whoever is to have trouble on the way, and programs that talk. Gone with the value.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Stdio};

use chat_protocol::NodeId;
use chat_server::balancer::{Backend, BackendsHandle, Balancer, BalancerConfig};
use chat_server::config::Config;
use chat_server::{Cluster, Killer};
use chat_testbed::Proxy;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::album::Album;

const NODES: [&str; 3] = ["node-1", "node-2", "node-3"];

pub(crate) struct Servers {
    shared: Cluster,
    nodes: Vec<Node>,
    backends: BackendsHandle,
    front: SocketAddr,
    /// The way of the program that is in the picture.
    pub(crate) way: Proxy,
    tasks: JoinSet<()>,
}

struct Node {
    name: NodeId,
    backend: Backend,
    killer: Killer,
    drain: CancellationToken,
}

impl Servers {
    pub(crate) async fn start() -> Self {
        let balancer = Balancer::bind(BalancerConfig::loopback(Vec::new())).unwrap();
        let (front, backends) = (balancer.tcp_addr().unwrap().unwrap(), balancer.backends());
        let (way, mut tasks) = (Proxy::start(front).await.unwrap(), JoinSet::new());
        tasks.spawn(balancer.run(CancellationToken::new()));
        let mut servers = Self { shared: Cluster::default(), nodes: Vec::new(), backends, front, way, tasks };
        servers.nodes =
            NODES.iter().map(|name| NodeId::parse(name).unwrap()).map(|name| servers.run(name)).collect();
        servers.offer(|_| true);
        servers
    }

    /// The node will go, and asks its clients to go before it.
    pub(crate) fn drain(&self, name: &str) {
        self.offer(|node| node.name.as_str() != name);
        self.nodes.iter().filter(|node| node.name.as_str() == name).for_each(|node| node.drain.cancel());
    }

    /// Whether the nodes reach what they share.
    pub(crate) fn reach(&self, reachable: bool) {
        self.nodes.iter().for_each(|node| self.shared.set_reachable(&node.name, reachable));
    }

    /// All die, what they shared is gone, and new ones come.
    pub(crate) fn begin_anew(&mut self) {
        self.nodes.iter().for_each(|node| node.killer.kill());
        self.shared.flush();
        let names: Vec<NodeId> = self.nodes.drain(..).map(|node| node.name).collect();
        self.nodes = names.into_iter().map(|name| self.run(name)).collect();
        self.offer(|_| true);
    }

    /// New clients are led to these.
    fn offer(&self, wanted: impl Fn(&Node) -> bool) {
        self.backends
            .set(self.nodes.iter().filter(|node| wanted(node)).map(|node| node.backend.clone()).collect());
    }

    fn run(&mut self, name: NodeId) -> Node {
        let server = self.shared.bind(Config::loopback(name.clone())).unwrap();
        let port = |addr: Option<SocketAddr>| addr.map(|addr| addr.port());
        let (tcp, http) = (port(server.tcp_addr()), port(server.http_addr()));
        let backend = Backend { host: Ipv4Addr::LOCALHOST.to_string(), tcp, http };
        let (killer, drain) = (server.killer(), CancellationToken::new());
        self.tasks.spawn(server.run(drain.clone()));
        Node { name, backend, killer, drain }
    }

    /// A program that talks in a room, by the way that has no trouble.
    pub(crate) fn talker(&self, album: &Album, name: &str, room: &str) -> Talker {
        let host = format!("tcp://{}", self.front);
        let mut command = album.plain(name, &["--host", &host, "--name", name, "--room", room]);
        Talker(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

/// Somebody who talks.
pub(crate) struct Talker(Child);

impl Talker {
    pub(crate) fn says(&mut self, text: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{text}").unwrap();
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        // Fails only where it has ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
