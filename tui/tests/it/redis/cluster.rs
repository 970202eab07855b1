//! Owns two nodes that meet in one real Redis, each through a proxy of its own, behind the real front-end.
//! Gone with the value.

use std::net::SocketAddr;
use std::time::Duration;

use chat_protocol::NodeId;
use chat_server::Server;
use chat_server::config::{Config, RedisUrl};
use chat_testbed::{Proxy, RedisServer};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::Transport;

use crate::front::{FrontEnd, Node};

pub(crate) struct RedisCluster {
    nodes: Vec<Node>,
    front: FrontEnd,
    // Behind the nodes: what they still say to Redis when they end goes somewhere.
    proxies: Vec<Proxy>,
}

impl RedisCluster {
    /// Two nodes that take clients.
    pub(crate) async fn start(redis: &RedisServer) -> Self {
        let mut cluster = Self { nodes: Vec::new(), front: FrontEnd::start(), proxies: Vec::new() };
        cluster.revive(redis).await;
        cluster
    }

    /// Another node, which the front-end does not know; where clients come in.
    pub(crate) async fn add(&mut self, redis: &RedisServer) -> Endpoint {
        let proxy = Proxy::start(redis.addr()).await.unwrap();
        let name = format!("node-{}", self.nodes.len() + 1);
        let mut config = Config::loopback(NodeId::parse(&name).unwrap());
        config.limits.messages_per_second = 0;
        // Whoever is taken for dead is seen to leave before the talk is over.
        config.timing.leave_hold = Duration::from_secs(1);
        config.redis.url = Some(RedisUrl::parse(&redis.url_through(proxy.addr())).unwrap());
        let server = Server::bind(config).await.unwrap();
        let node = self.front.run(server);
        let endpoint = node.endpoint();
        self.nodes.push(node);
        self.proxies.push(proxy);
        endpoint
    }

    /// Kills a node, as a process dies. The front-end is not told: it finds out.
    pub(crate) fn kill(&self, node: &NodeId) {
        let index = node.as_str().rsplit('-').next().and_then(|number| number.parse::<usize>().ok());
        self.nodes[index.unwrap() - 1].kill();
    }

    /// Kills all nodes, as processes die.
    pub(crate) fn kill_all(&mut self) {
        self.nodes.clear();
        self.front.offer(self.nodes.iter());
    }

    /// Two nodes in the place of those that were killed.
    pub(crate) async fn revive(&mut self, redis: &RedisServer) {
        for _ in 0..2 {
            self.add(redis).await;
        }
        self.front.offer(self.nodes.iter());
    }

    /// Has the front-end lead clients past a node once that says it is not ready, as one does that asks.
    pub(crate) async fn lead_past(&self, index: usize) {
        self.nodes[index].unready().await;
        let others = self.nodes.iter().enumerate().filter(|(at, _)| *at != index);
        self.front.offer(others.map(|(_, node)| node));
    }

    /// Where clients come in: the front-end.
    pub(crate) fn endpoint(&self, transport: Transport) -> Endpoint {
        self.front.endpoint(transport)
    }

    /// The front-end's port for lines.
    pub(crate) fn tcp(&self) -> SocketAddr {
        self.front.tcp()
    }

    /// The ways of the nodes to Redis.
    pub(crate) fn proxies(&self) -> &[Proxy] {
        &self.proxies
    }
}
