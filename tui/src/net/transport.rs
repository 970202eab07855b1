//! Owns an established connection as the link sees it: whole frames in, requests out, the same on TCP and
//! WebSocket. How it was established is [`crate::net::dial`]'s.

mod lines;
mod messages;

use std::io;

use bytes::Bytes;
use chat_protocol::{Request, limits, text};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;

use crate::net::event::Transport;
use lines::Lines;
use messages::Messages;

pub(crate) use messages::{refusal, websocket_config};

/// Longest frame taken from a server: twice what it promises, so that a newer server's limit may grow.
const FRAME_BYTES_MAX: usize = limits::SERVER_FRAME_BYTES_MAX * 2;
/// Most bytes waiting to be written. A server that lets more pile up does not read: the connection is given
/// up, and the outbox sends again on the next one.
const UNWRITTEN_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Why a connection ended, in words a person understands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Closed(pub String);

/// A connection to a server.
#[derive(Debug)]
pub struct Wire {
    way: Way,
}

#[derive(Debug)]
enum Way {
    Tcp(Box<Lines>),
    Ws(Box<Messages>),
}

impl Wire {
    /// A connection that speaks lines.
    pub(crate) fn lines(stream: TcpStream) -> Self {
        Self { way: Way::Tcp(Box::new(Lines::new(stream))) }
    }

    /// A connection that speaks WebSocket messages.
    pub(crate) fn messages(stream: WebSocketStream<TcpStream>) -> Self {
        Self { way: Way::Ws(Box::new(Messages::new(stream))) }
    }

    /// Which way the bytes go.
    pub fn transport(&self) -> Transport {
        match self.way {
            Way::Tcp(_) => Transport::Tcp,
            Way::Ws(_) => Transport::Ws,
        }
    }

    /// Queues requests, which leave in as few writes as they fit in, driven by [`Self::recv`]. Not an
    /// `async fn`: one that waited for the socket while nobody reads would stand still together with a
    /// server that waits for us to read.
    pub fn send(&mut self, requests: &[Request]) {
        match &mut self.way {
            Way::Tcp(lines) => lines.send(requests),
            Way::Ws(messages) => messages.send(requests),
        }
    }

    /// Bytes queued and not handed to the system yet.
    pub fn unwritten(&self) -> usize {
        match &self.way {
            Way::Tcp(lines) => lines.unwritten(),
            Way::Ws(messages) => messages.unwritten(),
        }
    }

    /// Writes what is queued, until nothing is left or it cannot be written, which [`Wire::recv`] tells. Cancel-safe.
    pub async fn write(&mut self) {
        match &mut self.way {
            Way::Tcp(lines) => lines.write().await,
            Way::Ws(messages) => messages.write().await,
        }
    }

    /// Writes what is queued and gives the next frame. Cancel-safe: what was read or written in part stays
    /// in the buffers.
    ///
    /// # Errors
    /// [`Closed`] once the connection is over, after the last whole frame.
    pub async fn recv(&mut self) -> Result<Bytes, Closed> {
        match &mut self.way {
            Way::Tcp(lines) => lines.recv().await,
            Way::Ws(messages) => messages.recv().await,
        }
    }

    /// Writes what is queued and says goodbye. May wait for as long as the server does not read: give it a
    /// deadline.
    pub async fn close(self) {
        match self.way {
            Way::Tcp(lines) => lines.close().await,
            Way::Ws(messages) => messages.close().await,
        }
    }
}

/// An error of the system in words a person understands.
pub(crate) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "connection reset".into(),
        io::ErrorKind::ConnectionAborted => "connection aborted".into(),
        io::ErrorKind::HostUnreachable => "host unreachable".into(),
        io::ErrorKind::NetworkUnreachable => "network unreachable".into(),
        io::ErrorKind::NetworkDown => "network down".into(),
        io::ErrorKind::TimedOut => "timed out".into(),
        io::ErrorKind::UnexpectedEof => "closed by the server".into(),
        io::ErrorKind::AddrNotAvailable => "address not available".into(),
        io::ErrorKind::PermissionDenied => "not permitted by this system".into(),
        _ => text::sanitize_line(&error.to_string()).into_owned(),
    }
}

fn does_not_read() -> Closed {
    Closed(format!("the server does not read: {} MiB wait for it", UNWRITTEN_BYTES_MAX >> 20))
}
