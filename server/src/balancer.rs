//! Owns the front-end: accepts clients on both ports and splices each to the backend with the fewest
//! connections. Knows bytes and addresses; nothing of sessions, rooms or what the servers share.

mod pick;
mod pool;
mod splice;

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

pub use pool::{Backend, BackendError, BackendsHandle};

use crate::socket::{self, BindError};
use splice::Port;

/// What a front-end needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalancerConfig {
    /// Where raw TCP clients come in; none: switched off.
    pub listen_tcp: Option<SocketAddr>,
    /// Where HTTP and WebSocket clients come in; none: switched off.
    pub listen_http: Option<SocketAddr>,
    /// The servers behind it, at the start.
    pub backends: Vec<Backend>,
}

/// A front-end whose ports are open; clients wait until [`Balancer::run`].
#[derive(Debug)]
pub struct Balancer {
    tcp: Option<TcpListener>,
    http: Option<TcpListener>,
    backends: BackendsHandle,
}

impl Balancer {
    /// Opens the ports.
    ///
    /// # Errors
    /// [`BindError`] names the address that cannot be had and what to do.
    pub fn bind(config: BalancerConfig) -> Result<Self, BindError> {
        let open =
            |addr: Option<SocketAddr>, setting| addr.map(|addr| socket::bind(addr, setting)).transpose();
        Ok(Self {
            tcp: open(config.listen_tcp, "--listen-tcp")?,
            http: open(config.listen_http, "--listen-http")?,
            backends: BackendsHandle::new(config.backends),
        })
    }

    /// Where raw TCP clients come in; none where it is switched off.
    ///
    /// # Errors
    /// The system's, which for an open port has none.
    pub fn tcp_addr(&self) -> io::Result<Option<SocketAddr>> {
        self.tcp.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Where HTTP and WebSocket clients come in; none where it is switched off.
    ///
    /// # Errors
    /// The system's, which for an open port has none.
    pub fn http_addr(&self) -> io::Result<Option<SocketAddr>> {
        self.http.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Replaces or adds backends, also while it runs.
    pub fn backends(&self) -> BackendsHandle {
        self.backends.clone()
    }

    /// Serves until `shutdown`; then ports and connections are closed, and it returns when all are.
    pub async fn run(self, shutdown: CancellationToken) {
        let connections = TaskTracker::new();
        tokio::join!(
            self.accept_loop(self.tcp.as_ref(), Port::Tcp, &connections, &shutdown),
            self.accept_loop(self.http.as_ref(), Port::Http, &connections, &shutdown),
        );
        connections.close();
        connections.wait().await;
    }

    async fn accept_loop(
        &self,
        listener: Option<&TcpListener>,
        port: Port,
        connections: &TaskTracker,
        shutdown: &CancellationToken,
    ) {
        let Some(listener) = listener else { return };
        info!(addr = listener.local_addr().ok().map(tracing::field::display), ?port, "balancing");
        while let Some((client, _)) = shutdown.run_until_cancelled(socket::accept(listener)).await {
            let serving = splice::serve(client, port, self.backends.clone());
            // Dropping a connection half-way loses nothing that was promised: clients resume elsewhere.
            connections.spawn(shutdown.clone().run_until_cancelled_owned(serving));
        }
    }
}
