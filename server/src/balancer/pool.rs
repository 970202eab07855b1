//! Owns the backends: which there are, how many connections each has, which refused a moment ago. The list
//! can be replaced while the front-end runs. Knows no socket.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::pick::{Load, pick};

/// How long a backend that refused a connection is tried last.
const REFUSED_HOLD: Duration = Duration::from_secs(2);

/// A server behind the front-end: `host:tcp:http`, an IPv6 address in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// A name or an address; names are resolved at each connection.
    pub host: String,
    /// Its port for raw TCP.
    pub tcp: u16,
    /// Its port for HTTP and WebSocket.
    pub http: u16,
}

/// Text that names no backend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a backend is written HOST:TCP:HTTP, for example 10.0.0.7:12345:8000")]
pub struct BackendError;

impl FromStr for Backend {
    type Err = BackendError;

    fn from_str(text: &str) -> Result<Self, BackendError> {
        let (rest, http) = text.trim().rsplit_once(':').ok_or(BackendError)?;
        let (host, tcp) = rest.rsplit_once(':').ok_or(BackendError)?;
        let bare = match host.strip_prefix('[') {
            Some(inner) => inner.strip_suffix(']').ok_or(BackendError)?,
            None if host.contains(':') => return Err(BackendError),
            None => host,
        };
        let port = |text: &str| text.parse().ok().filter(|port| *port != 0).ok_or(BackendError);
        if bare.is_empty() || bare.contains(char::is_whitespace) {
            return Err(BackendError);
        }
        Ok(Self { host: bare.to_owned(), tcp: port(tcp)?, http: port(http)? })
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}:{}", self.host, self.tcp, self.http)
        } else {
            write!(f, "{}:{}:{}", self.host, self.tcp, self.http)
        }
    }
}

/// The backends of a running front-end; clones share them.
#[derive(Debug, Clone, Default)]
pub struct BackendsHandle {
    // One lock around the list: a choice and its count are one step, or a burst would all go to one node.
    upstreams: Arc<Mutex<Vec<Arc<Upstream>>>>,
}

impl BackendsHandle {
    pub(super) fn new(backends: Vec<Backend>) -> Self {
        let handle = Self::default();
        handle.set(backends);
        handle
    }

    /// Replaces the backends. One that was there before keeps its count; connections to one that is no
    /// longer there live on until they end by themselves.
    pub fn set(&self, backends: Vec<Backend>) {
        let mut upstreams = self.upstreams.lock();
        let known = std::mem::take(&mut *upstreams);
        *upstreams = backends
            .into_iter()
            .map(|backend| match known.iter().find(|upstream| upstream.backend == backend) {
                Some(upstream) => Arc::clone(upstream),
                None => Arc::new(Upstream::new(backend)),
            })
            .collect();
    }

    /// Adds one backend; nothing happens where it is there already.
    pub fn add(&self, backend: Backend) {
        let mut upstreams = self.upstreams.lock();
        if !upstreams.iter().any(|upstream| upstream.backend == backend) {
            upstreams.push(Arc::new(Upstream::new(backend)));
        }
    }

    /// The backends with the connections open to each.
    pub fn loads(&self) -> Vec<(Backend, usize)> {
        let upstreams = self.upstreams.lock();
        upstreams.iter().map(|upstream| (upstream.backend.clone(), upstream.load().connections)).collect()
    }

    /// Takes a place at the best backend not in `tried`, and adds it there. `None` when all were tried.
    pub(super) fn lease(&self, tried: &mut Tried) -> Option<Lease> {
        let upstreams = self.upstreams.lock();
        let loads: Vec<Load> = upstreams.iter().map(|upstream| upstream.load()).collect();
        let seen: Vec<bool> = upstreams.iter().map(|upstream| tried.holds(upstream)).collect();
        let upstream = Arc::clone(&upstreams[pick(&loads, &seen)?]);
        upstream.connections.fetch_add(1, Ordering::Relaxed);
        upstream.begin_trial();
        tried.0.push(Arc::clone(&upstream));
        Some(Lease { upstream })
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

/// A place at a backend; given back when dropped.
#[derive(Debug)]
pub(super) struct Lease {
    upstream: Arc<Upstream>,
}

impl Lease {
    pub(super) fn backend(&self) -> &Backend {
        &self.upstream.backend
    }

    /// The backend refused: it is tried last for a while.
    pub(super) fn refused(self) {
        *self.upstream.refused_until.lock() = Some(Instant::now() + REFUSED_HOLD);
    }

    /// The backend took the connection: it is as good as any other.
    pub(super) fn accepted(&self) {
        *self.upstream.refused_until.lock() = None;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.upstream.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Upstream {
    backend: Backend,
    connections: AtomicUsize,
    refused_until: Mutex<Option<Instant>>,
}

impl Upstream {
    fn new(backend: Backend) -> Self {
        Self { backend, connections: AtomicUsize::new(0), refused_until: Mutex::new(None) }
    }

    /// A backend that refused is tried again by one connection at a time: were its host gone without a word,
    /// all that come at once would wait for it.
    fn begin_trial(&self) {
        if let Some(until) = self.refused_until.lock().as_mut() {
            *until = Instant::now() + REFUSED_HOLD;
        }
    }

    fn load(&self) -> Load {
        let refused = self.refused_until.lock().is_some_and(|until| Instant::now() < until);
        Load { connections: self.connections.load(Ordering::Relaxed), refused }
    }
}

#[cfg(test)]
mod tests;
