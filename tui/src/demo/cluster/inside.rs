//! Owns the nodes that live in this process and meet in memory. One dies as abruptly as a process does. Knows
//! neither the front-end nor who is connected.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use chat_protocol::NodeId;
use chat_server::balancer::Backend;
use chat_server::config::Config;
use chat_server::{Cluster, Killer};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Starts them.
pub(super) struct Inside {
    cluster: Cluster,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

/// One of them.
pub(super) struct Task {
    killer: Killer,
    is_killed: bool,
    running: JoinHandle<()>,
}

impl Inside {
    /// A cluster without nodes yet; their tasks will run on `tasks` until `shutdown`.
    pub(super) fn new(tasks: &TaskTracker, shutdown: &CancellationToken) -> Self {
        Self { cluster: Cluster::default(), tasks: tasks.clone(), shutdown: shutdown.clone() }
    }

    /// Starts a node on free loopback ports.
    pub(super) fn start(&self, name: NodeId) -> anyhow::Result<(Backend, Task)> {
        let server = self.cluster.bind(Config::loopback(name))?;
        let port =
            |addr: Option<SocketAddr>| addr.map(|addr| addr.port()).context("a node listens on both ports");
        let (tcp, http) = (port(server.tcp_addr())?, port(server.http_addr())?);
        let backend = Backend { host: Ipv4Addr::LOCALHOST.to_string(), tcp: Some(tcp), http: Some(http) };
        let killer = server.killer();
        // At the end of the demo nobody is left to be told to go elsewhere: the nodes end like the program.
        let (ending, shutdown) = (killer.clone(), self.shutdown.clone());
        let running = self.tasks.spawn(async move {
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
        Ok((backend, Task { killer, is_killed: false, running }))
    }
}

impl Task {
    pub(super) fn is_dead(&self) -> bool {
        self.is_killed
    }

    /// It hears and says nothing any more.
    pub(super) fn hang(&self) {
        self.killer.hang();
    }

    pub(super) fn kill(&mut self) {
        self.killer.kill();
        self.is_killed = true;
    }

    /// Waits until nothing of it is left.
    pub(super) async fn ended(&mut self) -> anyhow::Result<()> {
        // Asked a second time where its successor could not be started.
        if self.running.is_finished() {
            return Ok(());
        }
        (&mut self.running).await.context("a node failed")
    }
}
