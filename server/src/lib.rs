//! The server: a library that tests and the demo start in their own process, and the program `chat-server`.
//!
//! A message's way: `listener` takes the connection, `connection` cuts it into frames, `session` decides
//! what they mean, `hub` finds the room, `room` orders and keeps what the `backbone` says, `outbox` holds
//! what is to be written, and `connection` writes it. This file does the wiring, and is the only place
//! that names a concrete backbone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

pub mod backbone;
pub mod balancer;
pub mod cli;
pub mod config;
mod connection;
pub mod descriptors;
mod directory;
mod hub;
mod listener;
pub mod logging;
mod metrics;
pub mod nodes;
mod outbox;
mod presence;
mod response;
pub mod room;
mod search;
mod session;
pub mod shutdown;
pub mod socket;
mod stall;
mod user;

use backbone::memory::{MemoryBackbone, Timing};
use backbone::{Backbone, Link, redis};
use config::{Config, RedisUrl};
use connection::Ends;
use hub::Hub;
use listener::{Addresses, Door, Port, Unexpected};

/// What the nodes of one process share: tests and the demo run a whole cluster in theirs.
#[derive(Clone, Default)]
pub struct Cluster(MemoryBackbone);

impl Cluster {
    /// Opens the ports of a node of this cluster.
    ///
    /// # Errors
    /// When an address cannot be had; the error names it and what to do.
    pub fn bind(&self, config: Config) -> anyhow::Result<Server> {
        let (ports, link) = (Ports::bind(&config)?, self.0.connect(config.node.clone()));
        Ok(Server::with(config, ports, link))
    }

    /// Forgets everything that was kept, as a backbone emptied by mistake does. For tests.
    pub fn flush(&self) {
        self.0.flush();
    }

    /// Forgets a room's newest entries above a place, as a backbone that fails over may. For tests.
    pub fn roll_back(&self, room: &chat_protocol::RoomName, to: chat_protocol::Seq) {
        self.0.roll_back(room, to);
    }

    /// Cuts a node off from the backbone, or lets it back. For tests.
    pub fn set_reachable(&self, node: &chat_protocol::NodeId, reachable: bool) {
        self.0.set_reachable(node, reachable);
    }

    /// Cuts a node off from the backbone after so many more of its calls. For tests.
    pub fn cut_off_after(&self, node: &chat_protocol::NodeId, calls: usize) {
        self.0.cut_off_after(node, calls);
    }
}

/// One node, bound to its ports.
pub struct Server {
    config: Config,
    tcp: Option<TcpListener>,
    http: Option<TcpListener>,
    link: Link,
    kill: CancellationToken,
}

/// What clients come in through.
struct Ports {
    tcp: Option<TcpListener>,
    http: Option<TcpListener>,
}

impl Ports {
    fn bind(config: &Config) -> anyhow::Result<Self> {
        let tcp = config.listen_tcp.map(|addr| socket::bind(addr, "--listen-tcp")).transpose()?;
        let http = config.listen_http.map(|addr| socket::bind(addr, "--listen-http")).transpose()?;
        Ok(Self { tcp, http })
    }
}

fn options(config: &Config, url: &RedisUrl) -> redis::Options {
    let config::Timing { lease, settle, .. } = config.timing;
    let config::Redis { wait, ack, .. } = config.redis;
    redis::Options { wait, ack, lease, settle, ..redis::Options::new(url.clone(), config.node.clone()) }
}

/// The live nodes of the cluster a configuration names.
///
/// # Errors
/// When it names none, or the backbone cannot be used.
pub async fn cluster_nodes(config: &Config) -> anyhow::Result<Vec<chat_protocol::NodeInfo>> {
    let none = "no cluster to ask: give --redis URL, or ask this node alone at http://HOST:8000/health";
    redis::nodes(config.redis.url.as_ref().context(none)?).await
}

/// Kills a node as abruptly as a process dies.
#[derive(Clone)]
pub struct Killer {
    backbone: Arc<dyn Backbone>,
    kill: CancellationToken,
}

impl Killer {
    /// Cuts the node's backbone handle: from now on it hears nothing and nothing it does reaches the others,
    /// as if its process hung.
    pub fn hang(&self) {
        self.backbone.cut();
    }

    /// Cuts the node's backbone handle first, so that nothing it does from now on is a polite farewell;
    /// then resets its sockets and drops its tasks.
    pub fn kill(&self) {
        self.hang();
        self.kill.cancel();
    }
}

impl Server {
    /// Opens the ports of a node, and its connection to the others where it has any.
    ///
    /// # Errors
    /// When an address cannot be had, or the backbone not be used; the error names it and what to do.
    pub async fn bind(config: Config) -> anyhow::Result<Self> {
        let ports = Ports::bind(&config)?;
        let link = match &config.redis.url {
            Some(url) => redis::connect(options(&config, url)).await?,
            None => {
                let config::Timing { lease, settle, .. } = config.timing;
                MemoryBackbone::new(Timing { lease, settle, ..Timing::default() })
                    .connect(config.node.clone())
            }
        };
        Ok(Self::with(config, ports, link))
    }

    fn with(config: Config, ports: Ports, link: Link) -> Self {
        let Ports { tcp, http } = ports;
        Self { config, tcp, http, link, kill: CancellationToken::new() }
    }

    /// Where raw TCP clients come in.
    pub fn tcp_addr(&self) -> Option<SocketAddr> {
        self.tcp.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Where HTTP and WebSocket clients come in.
    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// A way to kill the node while it runs.
    pub fn killer(&self) -> Killer {
        Killer { backbone: self.link.backbone.clone(), kill: self.kill.clone() }
    }

    /// Serves until the shutdown, then drains: clients are told to go elsewhere and have
    /// [`config::Timing::drain`] to do so.
    pub async fn run(self, shutdown: CancellationToken) {
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let (backbone, feed) = hub::split(self.link);
        let hub = Hub::new(self.config, backbone, tasks.clone(), stop.clone());
        // What is cut at the end of a drain is not the whole node: that still has to say goodbye.
        let ends = Ends { drain: CancellationToken::new(), kill: self.kill.child_token() };
        let addresses = Addresses::new(hub.config.limits.connections_per_address);
        let door = Door {
            hub: hub.clone(),
            ends,
            tasks: TaskTracker::new(),
            addresses,
            unexpected: Unexpected::default(),
        };
        info!(node = %hub.node(), tcp = ?addr(self.tcp.as_ref()), http = ?addr(self.http.as_ref()), "listening");
        hub.announce().await;
        tasks.spawn(hub.clone().run(feed));
        if let Some(listener) = self.tcp {
            // Among the clients: until it has closed its port, more of them may be waiting there.
            door.tasks.spawn(door.clone().open(listener, Port::Tcp, shutdown.clone()));
        }
        if let Some(listener) = self.http {
            tasks.spawn(door.clone().open(listener, Port::Http, stop.clone()));
        }
        tokio::select! {
            () = self.kill.cancelled() => {}
            () = drain(&hub, &door, &shutdown) => {}
        }
        stop.cancel();
        door.tasks.close();
        tasks.close();
        // The HTTP port is closed with them, and who waited there still gets an answer.
        tasks.wait().await;
        if timeout(DRAIN_OVERTIME, door.tasks.wait()).await.is_err() {
            door.ends.kill.cancel();
            door.tasks.wait().await;
        }
        info!(node = %hub.node(), "stopped");
    }
}

/// How long last words may take behind the drain period: to be written, and to be read.
const DRAIN_OVERTIME: Duration = Duration::from_secs(2);

/// Waits for the shutdown, then for the clients to go.
async fn drain(hub: &Hub, door: &Door, shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    let window = hub.start_drain();
    info!(node = %hub.node(), connections = hub.connections(), window_ms = window.as_millis(), "draining");
    // Not before the node is unready: whom it sends away must not come back.
    door.ends.drain.cancel();
    door.tasks.close();
    let deadline = hub.config.timing.drain + DRAIN_OVERTIME;
    if timeout(deadline, door.tasks.wait()).await.is_err() {
        warn!(node = %hub.node(), connections = hub.connections(), "drain is over its time: connections are cut");
        door.ends.kill.cancel();
    }
    // The node says goodbye: its lease is given back, others need not wait for it to run out.
    drop(backbone::call(hub.backbone.depart()).await);
}

fn addr(listener: Option<&TcpListener>) -> Option<SocketAddr> {
    listener.and_then(|listener| listener.local_addr().ok())
}

/// Serves as one node until `shutdown`.
///
/// # Errors
/// When an address cannot be had, or the backbone not be used.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    // Who waits for a backbone may be asked to end, too.
    let Some(server) = shutdown.run_until_cancelled(Server::bind(config)).await else { return Ok(()) };
    server.context("cannot start")?.run(shutdown.clone()).await;
    Ok(())
}
