//! Owns one connection through the front-end: dial a backend, copy bytes both ways, pass on how it ended.
//! Reads nothing of what is said, except that a client without any backend is told so in its own terms.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::debug;

use super::pool::{Backend, BackendsHandle, Lease, Tried};
use crate::socket;

/// How long a backend may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a client that gets no backend may take to read that.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);
/// What is said to an HTTP client when no backend takes it.
const UNAVAILABLE_TEXT: &str = "no server can be reached: try again in a second\n";

/// Which of a backend's ports a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    /// Raw TCP.
    Tcp,
    /// HTTP and WebSocket.
    Http,
}

impl Port {
    fn of(self, backend: &Backend) -> u16 {
        match self {
            Self::Tcp => backend.tcp,
            Self::Http => backend.http,
        }
    }
}

/// Serves one accepted connection to its end.
pub(super) async fn serve(client: TcpStream, port: Port, backends: BackendsHandle) {
    if socket::tune(&client).is_err() {
        return;
    }
    match dial(port, &backends).await {
        Some((server, lease)) => splice(client, server, &lease).await,
        None => refuse(client, port).await,
    }
}

/// Connects to the best backend; one that refuses is passed over at once.
async fn dial(port: Port, backends: &BackendsHandle) -> Option<(TcpStream, Lease)> {
    let mut tried = Tried::default();
    while let Some(lease) = backends.lease(&mut tried) {
        match connect(lease.backend(), port).await {
            Ok(server) => {
                lease.accepted();
                return Some((server, lease));
            }
            Err(error) => {
                debug!(backend = %lease.backend(), %error, "backend refused");
                lease.refused();
            }
        }
    }
    None
}

async fn connect(backend: &Backend, port: Port) -> io::Result<TcpStream> {
    let connecting = TcpStream::connect((backend.host.as_str(), port.of(backend)));
    let server = timeout(CONNECT_TIMEOUT, connecting)
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no answer within a second"))??;
    socket::tune(&server)?;
    Ok(server)
}

/// Copies both ways. A half-close is passed on and the other half lives; a reset on one side resets the
/// other, so that a client whose node died notices at once and not at its next missed ping.
async fn splice(mut client: TcpStream, mut server: TcpStream, lease: &Lease) {
    if let Err(error) = copy_bidirectional(&mut client, &mut server).await {
        debug!(backend = %lease.backend(), %error, "connection broke");
        socket::reset_on_drop(&client);
        socket::reset_on_drop(&server);
    }
}

async fn refuse(client: TcpStream, port: Port) {
    debug!("no backend took the connection");
    match port {
        Port::Tcp => socket::reset_on_drop(&client),
        // Its outcome is of no interest: the client is gone, or has been told.
        Port::Http => drop(timeout(REFUSAL_TIMEOUT, say_unavailable(client)).await),
    }
}

/// Answers 503, then reads on until the client has closed: closing over an unread request would reset the
/// connection, and the client might never see the answer (RFC 9112, section 9.6).
async fn say_unavailable(mut client: TcpStream) -> io::Result<()> {
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         retry-after: 1\r\nconnection: close\r\n\r\n{UNAVAILABLE_TEXT}",
        UNAVAILABLE_TEXT.len()
    );
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await?;
    let mut discarded = [0; 1_024];
    while client.read(&mut discarded).await? > 0 {}
    Ok(())
}
