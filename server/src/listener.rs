//! Owns the ports of a node: takes connections, counts them by address, hands each to its task. A node that
//! drains takes no more clients, but tells load balancers so to its end.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use crate::connection::Ends;
use crate::hub::Hub;
use crate::socket;

pub(crate) mod http;
pub(crate) mod tcp;

/// What every listener of a node needs.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) hub: Arc<Hub>,
    pub(crate) ends: Ends,
    pub(crate) tasks: TaskTracker,
    pub(crate) addresses: Addresses,
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
pub(crate) struct Permit {
    addresses: Addresses,
    addr: IpAddr,
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
    /// Takes connections until `closing`, or until the node dies.
    pub(crate) async fn open<F>(
        self,
        listener: TcpListener,
        closing: CancellationToken,
        serve: impl Fn(Door, TcpStream, Permit) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let accepting = async {
            loop {
                let (stream, peer) = socket::accept(&listener).await;
                self.let_in(stream, peer, &serve);
            }
        };
        tokio::select! {
            () = accepting => {}
            () = closing.cancelled() => {}
            () = self.ends.kill.cancelled() => {}
        }
    }

    fn let_in<F>(&self, stream: TcpStream, peer: SocketAddr, serve: impl Fn(Door, TcpStream, Permit) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(permit) = self.addresses.permit(peer.ip()) else {
            debug!(%peer, "too many connections from this address");
            return socket::reset_on_drop(&stream);
        };
        if let Err(error) = socket::tune(&stream) {
            debug!(%peer, %error, "connection gone before it began");
            return;
        }
        self.tasks.spawn(serve(self.clone(), stream, permit));
    }
}
