//! Owns the ports of a node: takes connections, finds out whose they are where a trusted load balancer says so,
//! counts them by address, hands each to its task. A node that drains takes no more clients, but tells load
//! balancers so to its end.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::BytesMut;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use crate::connection::Ends;
use crate::hub::Hub;
use crate::socket;

mod forwarded;
mod http;
mod proxy_protocol;
mod tcp;
mod unexpected;

pub(crate) use unexpected::Unexpected;

/// Which of a node's ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    /// JSON lines or plain text.
    Tcp,
    /// HTTP and WebSocket.
    Http,
}

/// What every listener of a node needs.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) hub: Arc<Hub>,
    pub(crate) ends: Ends,
    pub(crate) tasks: TaskTracker,
    pub(crate) addresses: Addresses,
    pub(crate) unexpected: Unexpected,
}

/// Connections by address.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    /// Touched when a connection comes and when it goes.
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
    /// 0: off.
    max: usize,
}

/// A connection's place in the count, given back when it is dropped.
struct Permit {
    addresses: Addresses,
    addr: IpAddr,
}

/// A connection that was let in.
struct Arrival {
    stream: TcpStream,
    /// What was read of it already.
    input: BytesMut,
    place: Place,
}

/// Whom a connection counts for.
enum Place {
    /// For this address.
    Taken(Permit),
    /// A load balancer's, for nobody until a request says whose it is.
    Open(IpAddr),
}

impl Place {
    fn addr(&self) -> IpAddr {
        match self {
            Self::Taken(permit) => permit.addr,
            Self::Open(addr) => *addr,
        }
    }
}

impl Addresses {
    pub(crate) fn new(max: usize) -> Self {
        Self { counts: Arc::default(), max }
    }

    /// A place for one more connection of an address, if it may have one.
    fn permit(&self, addr: IpAddr) -> Option<Permit> {
        if self.max > 0 {
            let mut counts = self.counts.lock();
            let count = counts.entry(addr).or_default();
            if *count >= self.max {
                return None;
            }
            *count += 1;
        }
        Some(Permit { addresses: self.clone(), addr })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.addresses.counts.lock();
        if let Some(count) = counts.get_mut(&self.addr) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.addr);
            }
        }
    }
}

impl Door {
    /// Takes connections until `closing`, and those that are waiting then: closing over them would reset them. Or
    /// until the node dies.
    pub(crate) async fn open(self, listener: TcpListener, port: Port, closing: CancellationToken) {
        let accepting = async {
            loop {
                let (stream, peer) = socket::accept(&listener).await;
                self.let_in(stream, peer, port);
            }
        };
        tokio::select! {
            () = accepting => return,
            () = self.ends.kill.cancelled() => return,
            () = closing.cancelled() => {}
        }
        for (stream, peer) in socket::close(listener) {
            self.let_in(stream, peer, port);
        }
    }

    fn let_in(&self, stream: TcpStream, peer: SocketAddr, port: Port) {
        if let Err(error) = socket::tune(&stream) {
            debug!(%peer, %error, "connection gone before it began");
            return;
        }
        let (peer, door) = (peer.ip().to_canonical(), self.clone());
        if self.hub.config.proxy_protocol_from.contains(peer) {
            self.tasks.spawn(async move {
                if let Some((addr, stream, input)) = door.behind_header(stream, peer).await
                    && let Some(arrival) = door.admit(stream, input, addr, port)
                {
                    door.serve(arrival, port).await;
                }
            });
        } else if let Some(arrival) = self.admit(stream, BytesMut::new(), peer, port) {
            self.tasks.spawn(async move { door.serve(arrival, port).await });
        }
    }

    /// Reads the header that a trusted load balancer may put in front. Its probes and plain connections have none,
    /// and count for its own address.
    async fn behind_header(
        &self,
        mut stream: TcpStream,
        peer: IpAddr,
    ) -> Option<(IpAddr, TcpStream, BytesMut)> {
        let mut input = BytesMut::new();
        // Connections that come while the node drains are still answered.
        let draining = self.ends.drain.is_cancelled();
        let read = tokio::select! {
            read = timeout(self.hub.config.timing.handshake, proxy_protocol::read(&mut stream, &mut input)) => read,
            () = self.ends.kill.cancelled() => return None,
            () = self.ends.drain.cancelled(), if !draining => return None,
        };
        match read {
            Ok(Ok(addr)) => Some((addr.unwrap_or(peer), stream, input)),
            // A silent client may be a person, also one who has only pressed the key for a new line.
            Err(_) if !proxy_protocol::has_begun(&input) => Some((peer, stream, input)),
            Ok(Err(error)) => self.refuse_header(peer, &error.to_string()),
            Err(_) => self.refuse_header(peer, "the rest of it did not come"),
        }
    }

    fn refuse_header<T>(&self, peer: IpAddr, why: &str) -> Option<T> {
        debug!(%peer, why, "bad header of the PROXY protocol");
        self.hub.metrics.proxy_headers_refused.add(1);
        None
    }

    fn admit(&self, stream: TcpStream, input: BytesMut, addr: IpAddr, port: Port) -> Option<Arrival> {
        if port == Port::Http && self.hub.config.forwarded_from.contains(addr) {
            return Some(Arrival { stream, input, place: Place::Open(addr) });
        }
        let Some(permit) = self.addresses.permit(addr) else {
            debug!(%addr, "too many connections from this address");
            socket::reset_on_drop(&stream);
            return None;
        };
        debug!(%addr, ?port, "connection came in");
        Some(Arrival { stream, input, place: Place::Taken(permit) })
    }

    async fn serve(self, arrival: Arrival, port: Port) {
        match port {
            Port::Tcp => tcp::serve(self, arrival).await,
            Port::Http => http::serve(self, arrival).await,
        }
    }
}
