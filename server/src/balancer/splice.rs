//! Owns one client's connection through the front-end: find a backend that takes it, let bytes go both ways.
//! Reads nothing of what is said, except that a client without any backend is told so in its own terms.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tracing::debug;

use super::Front;
use super::backend::Port;
use super::copy::{self, Counts};
use super::dial::{self, CONNECT_TIMEOUT, Preface};
use super::pool::{Lease, Tried};
use crate::socket;

/// How long a client that gets no backend may take to read that.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);
/// What is said to an HTTP client when no backend takes it.
const UNAVAILABLE_TEXT: &str = "no server can be reached: try again in a second\n";

/// Serves one accepted connection to its end.
pub(super) async fn serve(mut client: TcpStream, from: SocketAddr, port: Port, front: Arc<Front>) {
    let Ok(to) = socket::tune(&client).and_then(|()| client.local_addr()) else { return };
    let preface = if front.send_proxy { Preface::Client { from, to } } else { Preface::Nothing };
    let Some((mut server, lease)) = dial(port, preface, &front).await else {
        front.tally.refused.add(1);
        return refuse(client, port).await;
    };
    let counts = Counts { up: &lease.tally.to_backend, down: &lease.tally.to_clients };
    if let Err(error) = copy::both_ways(&mut client, &mut server, counts, &|| lease.give_back()).await {
        // A client whose node died notices at once, and not at its next missed ping.
        debug!(backend = %lease.backend, %error, "connection broke");
        socket::reset_on_drop(&client);
        socket::reset_on_drop(&server);
    }
}

/// Connects to the best backend; one that refuses is passed over at once.
async fn dial(port: Port, preface: Preface, front: &Front) -> Option<(TcpStream, Lease)> {
    let mut tried = Tried::default();
    while let Some(lease) = front.backends.lease(port, &mut tried) {
        let begun = Instant::now();
        match dial::connect(&lease.backend, port, preface, CONNECT_TIMEOUT).await {
            Ok(server) => {
                front.tally.connect.observe(begun.elapsed());
                lease.accepted();
                return Some((server, lease));
            }
            Err(error) => {
                debug!(backend = %lease.backend, %error, "backend refused");
                if !dial::is_our_fault(&error) {
                    lease.refused(&error);
                }
            }
        }
    }
    None
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
