//! Owns the backends: which there are, what each has to carry and how it does. The list can be replaced while
//! the front-end runs. Knows no socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::backend::{Backend, Port, Tier};
use super::health::{Change, Found, Health};
use super::pick::{Load, Policy, Standing, pick};
use super::rate::Rate;
use super::settings::Check;
use crate::metrics::Count;

/// The backends of a running front-end; clones share them.
#[derive(Debug, Clone)]
pub struct BackendsHandle {
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    policy: Policy,
    // One lock around the list: a choice and its count are one step, or a burst would all go to one node.
    list: Mutex<List>,
    /// Somebody new is in the list.
    grown: Notify,
}

#[derive(Debug, Default)]
struct List {
    upstreams: Vec<Arc<Upstream>>,
    /// Those of them that nobody checks yet.
    unchecked: Vec<Arc<Upstream>>,
}

impl BackendsHandle {
    pub(super) fn new(policy: Policy, backends: Vec<Backend>, backups: Vec<Backend>) -> Self {
        let list = Mutex::new(List::default());
        let handle = Self { pool: Arc::new(Pool { policy, list, grown: Notify::new() }) };
        handle.replace(Tier::Primary, backends);
        handle.replace(Tier::Backup, backups);
        handle
    }

    /// Replaces the backends, backups aside. One that was there before keeps its count and its health;
    /// connections to one that is no longer there live on until they end by themselves.
    pub fn set(&self, backends: Vec<Backend>) {
        self.replace(Tier::Primary, backends);
    }

    /// Replaces the backups, as [`Self::set`] does the others.
    pub fn set_backups(&self, backups: Vec<Backend>) {
        self.replace(Tier::Backup, backups);
    }

    /// Adds one backend; nothing happens where it is there already.
    pub fn add(&self, backend: Backend) {
        let mut list = self.pool.list.lock();
        if !list.upstreams.iter().any(|upstream| upstream.backend == backend) {
            let upstream = list.newcomer(backend, Tier::Primary);
            list.upstreams.push(upstream);
            self.pool.grown.notify_one();
        }
    }

    fn replace(&self, tier: Tier, backends: Vec<Backend>) {
        let mut list = self.pool.list.lock();
        let (mut known, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut list.upstreams).into_iter().partition(|upstream| upstream.tier == tier);
        list.upstreams = others;
        for backend in backends {
            let upstream = match known.iter().position(|upstream| upstream.backend == backend) {
                Some(at) => known.swap_remove(at),
                None => list.newcomer(backend, tier),
            };
            list.upstreams.push(upstream);
        }
        known.iter().for_each(|gone| gone.retired.cancel());
        list.unchecked.retain(|upstream| !upstream.retired.is_cancelled());
        self.pool.grown.notify_one();
    }

    /// The backends with the connections open to each.
    pub fn loads(&self) -> Vec<(Backend, usize)> {
        self.all().iter().map(|upstream| (upstream.backend.clone(), upstream.connections())).collect()
    }

    /// How many backends are healthy.
    pub fn healthy(&self) -> usize {
        self.all().iter().filter(|upstream| upstream.standing() == Standing::Healthy).count()
    }

    pub(super) fn all(&self) -> Vec<Arc<Upstream>> {
        self.pool.list.lock().upstreams.clone()
    }

    /// Those that came since the last call; waits until there are some. Cancel-safe: they are taken at the end.
    pub(super) async fn unchecked(&self) -> Vec<Arc<Upstream>> {
        loop {
            let grown = self.pool.grown.notified();
            let unchecked = std::mem::take(&mut self.pool.list.lock().unchecked);
            if !unchecked.is_empty() {
                return unchecked;
            }
            grown.await;
        }
    }

    /// Takes a place at the best backend that has this port and is not in `tried`, and adds it there. `None` when
    /// all were tried.
    pub(super) fn lease(&self, port: Port, tried: &mut Tried) -> Option<Lease> {
        let list = self.pool.list.lock();
        let loads: Vec<Load> = list.upstreams.iter().map(|upstream| upstream.load()).collect();
        let is_out = |upstream| tried.holds(upstream) || upstream.backend.port(port).is_none();
        let out: Vec<bool> = list.upstreams.iter().map(is_out).collect();
        let upstream = Arc::clone(&list.upstreams[pick(self.pool.policy, &loads, &out)?]);
        upstream.connections.fetch_add(1, Ordering::Relaxed);
        upstream.tally.picks.add(1);
        tried.0.push(Arc::clone(&upstream));
        Some(Lease { upstream, held: true.into() })
    }
}

impl List {
    fn newcomer(&mut self, backend: Backend, tier: Tier) -> Arc<Upstream> {
        let upstream = Arc::new(Upstream::new(backend, tier));
        self.unchecked.push(Arc::clone(&upstream));
        upstream
    }
}

/// The backends that one connection has tried.
#[derive(Debug, Default)]
pub(super) struct Tried(Vec<Arc<Upstream>>);

impl Tried {
    fn holds(&self, upstream: &Arc<Upstream>) -> bool {
        self.0.iter().any(|tried| Arc::ptr_eq(tried, upstream))
    }
}

/// A place at a backend; given back when dropped at the latest.
#[derive(Debug)]
pub(super) struct Lease {
    upstream: Arc<Upstream>,
    held: AtomicBool,
}

impl Lease {
    /// The backend has ended its side: what the client still does is no load of its.
    pub(super) fn give_back(&self) {
        if self.held.swap(false, Ordering::Relaxed) {
            self.upstream.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl std::ops::Deref for Lease {
    type Target = Upstream;

    fn deref(&self) -> &Upstream {
        &self.upstream
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// What is counted of a backend.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Times it was chosen for a client.
    pub(super) picks: Count,
    /// Clients that it refused.
    pub(super) refusals: Count,
    pub(super) failed_checks: Count,
    /// Times it stopped being healthy.
    pub(super) ejections: Count,
    /// Bytes from clients to it.
    pub(super) to_backend: Count,
    /// Bytes from it to clients.
    pub(super) to_clients: Count,
}

/// A backend, and all that is known of it.
#[derive(Debug)]
pub(super) struct Upstream {
    pub(super) backend: Backend,
    pub(super) tier: Tier,
    pub(super) tally: Tally,
    /// Cancelled when it leaves the list.
    pub(super) retired: CancellationToken,
    connections: AtomicUsize,
    health: Mutex<Health>,
    /// With the moment on which its clock stands.
    rate: Mutex<(Rate, Instant)>,
}

impl Upstream {
    fn new(backend: Backend, tier: Tier) -> Self {
        Self {
            backend,
            tier,
            tally: Tally::default(),
            retired: CancellationToken::new(),
            connections: AtomicUsize::new(0),
            health: Mutex::new(Health::on_trust()),
            rate: Mutex::new((Rate::default(), Instant::now())),
        }
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(super) fn standing(&self) -> Standing {
        self.health.lock().standing()
    }

    /// Why it is not healthy, or what was the matter with the last check.
    pub(super) fn why(&self) -> Option<String> {
        self.health.lock().why().map(str::to_owned)
    }

    /// Bytes a second both ways, recently.
    pub(super) fn bytes_per_second(&self) -> u64 {
        let total = self.tally.to_backend.sum() + self.tally.to_clients.sum();
        let mut rate = self.rate.lock();
        let passed: Duration = rate.1.elapsed();
        rate.0.read(total, passed)
    }

    /// A check has found something.
    pub(super) fn checked(&self, found: Found, check: &Check) {
        if matches!(found, Found::NotReady(_) | Found::Failed(_)) {
            self.tally.failed_checks.add(1);
        }
        let change = self.health.lock().checked(found, check);
        self.tell(change);
    }

    /// It refused a client: it gets none until checks find it well.
    pub(super) fn refused(&self, error: &std::io::Error) {
        self.tally.refusals.add(1);
        let change = self.health.lock().refused(format!("refused a client: {error}"));
        self.tell(change);
    }

    /// It took a client.
    pub(super) fn accepted(&self) {
        self.health.lock().accepted();
    }

    fn tell(&self, change: Option<Change>) {
        match change {
            None => {}
            Some(Change::Up) => info!(backend = %self.backend, "backend healthy"),
            Some(Change::Down) => {
                self.tally.ejections.add(1);
                let why = self.why().unwrap_or_default();
                warn!(backend = %self.backend, why, connections = self.connections(), "backend gets no new clients");
            }
        }
    }

    fn load(&self) -> Load {
        Load {
            standing: self.standing(),
            tier: self.tier,
            connections: self.connections(),
            rate: self.bytes_per_second(),
        }
    }
}

#[cfg(test)]
mod tests;
