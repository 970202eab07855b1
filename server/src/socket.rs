//! Owns how a port is opened and how connections are taken from it: errors that name the address, an accept
//! that outlives a shortage of file descriptors. Knows nothing of what is said on a connection.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use tracing::warn;

/// Connections that may wait to be accepted; the kernel cuts it to `net.core.somaxconn`.
const BACKLOG: u32 = 4_096;
/// Bytes of the head of an HTTP request at most: cookies of two load balancers fit in many times over. It is what a
/// connection can make a server keep that has asked for nothing yet; hyper's own limit is 400 KiB.
pub(crate) const REQUEST_HEAD_BYTES: usize = 16 * 1_024;
/// First pause after a failed accept; doubles up to [`ACCEPT_PAUSE_MAX`].
const ACCEPT_PAUSE_MIN: Duration = Duration::from_millis(5);
/// Longest pause after a failed accept.
const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);
/// Silence after which the kernel asks whether the peer's host is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
/// Pause between two such questions; three without an answer end the connection.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// Questions without an answer that end a connection.
const KEEPALIVE_RETRIES: u32 = 3;

/// A port that could not be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr}: {}", advice(.source, setting))]
pub struct BindError {
    /// The address that was asked for.
    pub addr: SocketAddr,
    /// The setting it came from, as a person would write it, for example `--listen-tcp`.
    pub setting: &'static str,
    /// What the system said.
    pub source: io::Error,
}

fn advice(error: &io::Error, setting: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("another program listens there; stop it, or choose another address with {setting}")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("this machine does not have that address; choose another with {setting}")
        }
        io::ErrorKind::PermissionDenied => {
            format!("ports below 1024 need a privilege; choose a higher one with {setting}")
        }
        _ => format!("{error}; choose another address with {setting}"),
    }
}

/// Opens a port. A port that was just closed can be opened again at once.
///
/// # Errors
/// [`BindError`] names the address and what to do.
pub fn bind(addr: SocketAddr, setting: &'static str) -> Result<TcpListener, BindError> {
    let open = || {
        let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|source| BindError { addr, setting, source })
}

/// Whether this host has the address: only such a one can be bound to.
pub(crate) fn is_own(addr: IpAddr) -> bool {
    UdpSocket::bind((addr, 0)).is_ok()
}

/// The next connection. Never fails: what one connection did wrong is its own affair, and when descriptors
/// or memory run out it waits until some are free. Cancel-safe: a connection is returned or not yet taken.
pub async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut pause = ACCEPT_PAUSE_MIN;
    loop {
        match listener.accept().await {
            Ok(connection) => return connection,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                warn!(%error, pause_ms = pause.as_millis(), "accept failed");
                sleep(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE_MAX);
            }
        }
    }
}

/// Closes a port: the connections that were waiting to be accepted, which the system would reset with it. It is closed
/// when they are dropped. Asks the system itself, not the runtime, which may not have heard of the newest yet, and
/// which makes a task that takes many of them pause.
pub fn close(listener: TcpListener) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
    // Fails where the system takes the socket from the runtime's poll no more: then there is nothing to be had.
    let listener = listener.into_std().ok();
    let next = move || loop {
        match listener.as_ref()?.accept() {
            Ok(connection) => return Some(connection),
            Err(error) if is_of_one_connection(&error) => {}
            // Nobody is waiting, or descriptors have run out.
            Err(_) => return None,
        }
    };
    let for_runtime = |(stream, peer): (std::net::TcpStream, SocketAddr)| {
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, peer))
    };
    // Those who come meanwhile are taken as well, within reason.
    std::iter::from_fn(next).take(BACKLOG as usize).filter_map(for_runtime)
}

/// Sends small writes at once and notices a peer whose host is gone.
///
/// # Errors
/// The system's, as a rule because the connection is gone already.
pub fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_RETRIES);
    socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// Writes what the peer takes, at least a byte. Cancel-safe: what was written was told.
///
/// # Errors
/// `TimedOut` when the peer has taken nothing for `stall`, else the system's.
pub(crate) async fn write(stream: &TcpStream, bytes: &[u8], stall: Duration) -> io::Result<usize> {
    loop {
        let Ok(writable) = timeout(stall, stream.writable()).await else {
            // A socket is called writable when a third of its buffer is free. That of a slow reader may hold
            // megabytes: whether anything at all went out is only known by trying.
            return match socket2::SockRef::from(stream).send(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    Err(io::ErrorKind::TimedOut.into())
                }
                written => written,
            };
        };
        writable?;
        match stream.try_write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            written => return written,
        }
    }
}

/// Makes the coming drop of `stream` a reset, so that the peer notices at once, whatever is still queued.
pub fn reset_on_drop(stream: &TcpStream) {
    // Fails only where the connection is gone already, which is what was wanted.
    let _ = stream.set_zero_linger();
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_named_with_what_to_do() {
        let taken = bind("127.0.0.1:0".parse().unwrap(), "--listen-tcp").unwrap();
        let addr = taken.local_addr().unwrap();
        let error = bind(addr, "--listen-tcp").unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "cannot listen on {addr}: another program listens there; stop it, or choose another address with --listen-tcp"
            )
        );
    }

    #[tokio::test]
    async fn a_peer_that_has_read_a_little_is_no_stalled_one() {
        let listener = bind("127.0.0.1:0".parse().unwrap(), "--listen-tcp").unwrap();
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        // Left to itself the kernel may take far more than is read here.
        socket.set_recv_buffer_size(128 * 1_024).unwrap();
        let peer = socket.connect(listener.local_addr().unwrap());
        let (peer, (stream, _)) = tokio::join!(peer, accept(&listener));
        let (peer, stall, bytes) = (peer.unwrap(), Duration::from_millis(100), [7; 8 * 1_024]);
        socket2::SockRef::from(&stream).set_send_buffer_size(1 << 20).unwrap();
        let stalled = loop {
            if let Err(error) = write(&stream, &bytes, stall).await {
                break error;
            }
        };
        assert_eq!(stalled.kind(), io::ErrorKind::TimedOut);
        // A receiver opens its window again when half of it is free; that is far less than a third of what waits.
        let mut read = 0;
        while read < 512 * 1_024 {
            peer.readable().await.unwrap();
            read += peer.try_read(&mut [0; 8 * 1_024]).unwrap_or(0);
        }
        assert!(timeout(stall, stream.writable()).await.is_err(), "it does not count as writable");
        assert!(write(&stream, &bytes, stall).await.is_ok_and(|written| written > 0));
    }

    #[tokio::test]
    async fn a_port_closed_with_connections_can_be_opened_again_at_once() {
        let listener = bind("127.0.0.1:0".parse().unwrap(), "--listen-tcp").unwrap();
        let addr = listener.local_addr().unwrap();
        let (client, (accepted, _)) = tokio::join!(TcpStream::connect(addr), accept(&listener));
        drop((client.unwrap(), accepted, listener));
        bind(addr, "--listen-tcp").unwrap();
    }
}
