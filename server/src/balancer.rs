//! Owns the front-end: accepts clients on both ports and splices each to a backend that takes it. Knows bytes
//! and addresses; nothing of sessions, rooms or what the servers share.
//!
//! - `backend`, `settings`: what it can be told.
//! - `pick`, `health`, `rate`: the choice, without clock or socket.
//! - `pool`: the backends with all that is known of them.
//! - `ceiling`: how many clients there may be.
//! - `check`: asks them how they are. `dial`, `copy`, `splice`: a client's connection.
//! - `admin`, `report`: what it tells of itself.

mod admin;
mod backend;
mod ceiling;
mod check;
mod copy;
mod dial;
mod health;
mod pick;
mod pool;
mod rate;
mod report;
mod settings;
mod splice;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

pub use backend::{Backend, BackendError};
pub use pick::Policy;
pub use pool::BackendsHandle;
pub use settings::{BalancerConfig, Check};

use crate::descriptors;
use crate::socket::{self, BindError};
use backend::Port;
use ceiling::Ceiling;
use dial::Preface;

/// A front-end whose ports are open; clients wait until [`Balancer::run`].
#[derive(Debug)]
pub struct Balancer {
    tcp: Option<TcpListener>,
    http: Option<TcpListener>,
    admin: Option<TcpListener>,
    check: Check,
    drain: Duration,
    front: Front,
}

/// What all parts of a running front-end share.
#[derive(Debug)]
struct Front {
    backends: BackendsHandle,
    policy: Policy,
    send_proxy: bool,
    begun: Instant,
    tally: Arc<report::Tally>,
    /// Cancelled when it has been asked to end.
    draining: CancellationToken,
}

impl Front {
    fn is_draining(&self) -> bool {
        self.draining.is_cancelled()
    }

    /// Why other load balancers had better send clients elsewhere.
    fn unready(&self) -> Option<&'static str> {
        if self.is_draining() {
            return Some("it drains");
        }
        (self.backends.healthy() == 0).then_some("no backend is healthy")
    }
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
            admin: open(config.listen_admin, "--listen-admin, or switch it off: --listen-admin off")?,
            check: config.check,
            drain: config.drain,
            front: Front {
                backends: BackendsHandle::new(config.policy, config.backends, config.backups),
                policy: config.policy,
                send_proxy: config.send_proxy,
                begun: Instant::now(),
                tally: Arc::default(),
                draining: CancellationToken::new(),
            },
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

    /// Where operators ask; none where it is switched off.
    ///
    /// # Errors
    /// The system's, which for an open port has none.
    pub fn admin_addr(&self) -> io::Result<Option<SocketAddr>> {
        self.admin.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Replaces or adds backends, also while it runs.
    pub fn backends(&self) -> BackendsHandle {
        self.front.backends.clone()
    }

    /// Serves until `shutdown`, then drains: no new clients, and those that are there have
    /// [`BalancerConfig::drain`] to go.
    pub async fn run(self, shutdown: CancellationToken) {
        let front = Arc::new(Front { draining: shutdown.clone(), ..self.front });
        let mut services = JoinSet::new();
        let preface = if front.send_proxy { Preface::Local } else { Preface::Nothing };
        services.spawn(check::run(front.backends.clone(), self.check, preface));
        if let Some(listener) = self.admin {
            info!(addr = shown(&listener), port = %"Admin", "balancing");
            services.spawn(admin::run(listener, Arc::clone(&front)));
        }
        let ceiling = Ceiling::of(descriptors::limit(), front.backends.loads().len());
        info!(clients = ceiling.clients(), "most clients at once, by file descriptors");
        let ceiling = Mutex::new(ceiling);
        let clients = Clients { front, tasks: TaskTracker::new(), ceiling, cut: CancellationToken::new() };
        tokio::join!(
            clients.let_in(self.tcp, Port::Tcp, &shutdown),
            clients.let_in(self.http, Port::Http, &shutdown),
            // Both ports may be off, and then it still serves operators.
            shutdown.cancelled(),
        );
        clients.drain(self.drain).await;
        services.shutdown().await;
    }
}

/// The connections of clients.
struct Clients {
    front: Arc<Front>,
    tasks: TaskTracker,
    // Locked for each client that comes, by the one task that accepts.
    ceiling: Mutex<Ceiling>,
    /// Ends them all.
    cut: CancellationToken,
}

impl Clients {
    /// Takes connections until `closing`, and those that are waiting to be accepted then: closing over them would
    /// reset them.
    async fn let_in(&self, listener: Option<TcpListener>, port: Port, closing: &CancellationToken) {
        let Some(listener) = listener else { return };
        info!(addr = shown(&listener), ?port, "balancing");
        while let Some(client) = closing.run_until_cancelled(socket::accept(&listener)).await {
            self.serve(client, port);
        }
        for client in socket::close(listener) {
            self.serve(client, port);
        }
    }

    fn serve(&self, (client, from): (TcpStream, SocketAddr), port: Port) {
        self.front.tally.accepted.add(1);
        if !self.ceiling.lock().has_room(self.tasks.len()) {
            self.front.tally.turned_away.add(1);
            return socket::reset_on_drop(&client);
        }
        let serving = splice::serve(client, from, port, Arc::clone(&self.front));
        // Dropping a connection half-way loses nothing that was promised: clients resume elsewhere.
        self.tasks.spawn(self.cut.clone().run_until_cancelled_owned(serving));
    }

    async fn drain(self, patience: Duration) {
        self.tasks.close();
        info!(connections = self.tasks.len(), drain_ms = patience.as_millis(), "draining");
        if timeout(patience, self.tasks.wait()).await.is_err() {
            info!(connections = self.tasks.len(), "closing the connections that are left");
            self.cut.cancel();
            self.tasks.wait().await;
        }
    }
}

fn shown(listener: &TcpListener) -> Option<tracing::field::DisplayValue<SocketAddr>> {
    listener.local_addr().ok().map(tracing::field::display)
}
