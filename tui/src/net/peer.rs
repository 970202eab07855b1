//! Owns one connection of the client through its life: none, being dialled, up. Turns what happens on
//! it into what the link takes.

use std::pin::Pin;

use chat_protocol::Request;
use tokio::sync::watch;
use tracing::debug;

use crate::net::dial::{DialError, Dialer};
use crate::net::endpoint::Endpoint;
use crate::net::event::DialStep;
use crate::net::link::Happening;
use crate::net::transport::{Closed, Wire};

#[derive(Default)]
pub(super) enum Peer {
    #[default]
    None,
    Dialling(Dialling),
    Up(Wire),
}

pub(super) struct Dialling {
    dial: Pin<Box<dyn Future<Output = Result<Wire, DialError>> + Send>>,
    progress: watch::Receiver<(DialStep, String)>,
}

impl Peer {
    /// Begins a dial; dropping it gives it up.
    pub(super) fn dial(dialer: Dialer, endpoint: Endpoint) -> Self {
        let (sender, progress) = watch::channel((DialStep::Resolving, endpoint.host.clone()));
        let dial = Box::pin(async move { dialer.dial(&endpoint, &sender).await });
        Self::Dialling(Dialling { dial, progress })
    }

    /// Bytes queued and not handed to the system yet.
    pub(super) fn unwritten(&self) -> usize {
        match self {
            Self::Up(wire) => wire.unwritten(),
            Self::None | Self::Dialling(_) => 0,
        }
    }

    /// The connection, where there is one.
    pub(super) fn into_wire(self) -> Option<Wire> {
        match self {
            Self::Up(wire) => Some(wire),
            Self::None | Self::Dialling(_) => None,
        }
    }

    /// Queues a request; where there is no connection it is nobody's any more.
    pub(super) fn send(&mut self, request: Request) {
        match self {
            Self::Up(wire) => wire.send(&[request]),
            Self::None | Self::Dialling(_) => debug!("dropped a request: not connected"),
        }
    }

    /// As [`Peer::next`]; where nothing is to be read now, what is queued is written all the same, and this never ends.
    pub(super) async fn next_if(&mut self, reads: bool) -> Happening {
        match self {
            peer if reads => return peer.next().await,
            Self::Up(wire) => wire.write().await,
            Self::None | Self::Dialling(_) => {}
        }
        std::future::pending().await
    }

    /// The next thing that happens; never, where there is no connection. Cancel-safe: a dial goes on where
    /// it was, and the wire keeps what it has in part.
    pub(super) async fn next(&mut self) -> Happening {
        match self {
            Self::None => std::future::pending().await,
            Self::Dialling(dialling) => {
                let dialled = tokio::select! {
                    biased;
                    Ok(()) = dialling.progress.changed() => {
                        let (step, target) = dialling.progress.borrow_and_update().clone();
                        return Happening::DialProgress(step, target);
                    }
                    dialled = &mut dialling.dial => dialled,
                };
                self.dialled(dialled)
            }
            Self::Up(wire) => match wire.recv().await {
                Ok(frame) => Happening::Frame(frame),
                Err(Closed(reason)) => {
                    *self = Self::None;
                    Happening::Closed(reason)
                }
            },
        }
    }

    fn dialled(&mut self, dialled: Result<Wire, DialError>) -> Happening {
        match dialled {
            Ok(wire) => {
                let transport = wire.transport();
                *self = Self::Up(wire);
                Happening::Dialled { transport }
            }
            Err(error) => {
                *self = Self::None;
                Happening::DialFailed(error.to_string())
            }
        }
    }
}
