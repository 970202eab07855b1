//! Owns how a backend is reached: the connection, and the PROXY protocol header in front of everything else.
//! Knows nothing of which backend is chosen.
//!
//! The header is version 2 of <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use proxy_header::{ProxiedAddress, ProxyHeader};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::backend::{Backend, Port};
use crate::socket;

/// How long a backend may take to accept a client.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// What a backend is told before the first byte.
#[derive(Debug, Clone, Copy)]
pub(super) enum Preface {
    /// Nothing: it does not expect PROXY protocol.
    Nothing,
    /// This connection is the front-end's own: command LOCAL.
    Local,
    /// It is a client's, who has connected from one address to another: command PROXY.
    Client { from: SocketAddr, to: SocketAddr },
}

impl Preface {
    fn header(self) -> Vec<u8> {
        let header = match self {
            Self::Nothing => return Vec::new(),
            Self::Local => ProxyHeader::with_local(),
            // A port that takes both families shows IPv4 clients as IPv6 ones, and its own address likewise.
            Self::Client { from, to } => {
                ProxyHeader::with_address(ProxiedAddress::stream(canonical(from), canonical(to)))
            }
        };
        let mut bytes = Vec::new();
        // Fails for addresses of two families, which one connection does not have.
        header.encode_v2(&mut bytes).expect("both ends of a connection are of one family");
        bytes
    }
}

fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

/// Connects to a backend's port, its name resolved anew, and says what is to be said first.
pub(super) async fn connect(
    backend: &Backend,
    port: Port,
    preface: Preface,
    patience: Duration,
) -> io::Result<TcpStream> {
    let number = backend.port(port).ok_or(io::ErrorKind::NotFound)?;
    let connecting = async {
        let mut server = TcpStream::connect((backend.host.as_str(), number)).await?;
        socket::tune(&server)?;
        server.write_all(&preface.header()).await?;
        Ok(server)
    };
    let late =
        || io::Error::new(io::ErrorKind::TimedOut, format!("no answer in {} ms", patience.as_millis()));
    timeout(patience, connecting).await.map_err(|_| late())?
}

/// True where the fault is this machine's: no backend is to blame for a lack of descriptors, memory or ports.
pub(super) fn is_our_fault(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let ours = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::ADDRNOTAVAIL];
    Errno::from_io_error(error).is_some_and(|errno| ours.contains(&errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, to: &str, expected: &[u8]) {
        let preface = Preface::Client { from: from.parse().unwrap(), to: to.parse().unwrap() };
        assert_eq!(preface.header(), [b"\r\n\r\n\0\r\nQUIT\n", expected].concat(), "{from} {to}");
    }

    #[test]
    fn headers_are_those_of_the_specification() {
        let v4 = b"\x21\x11\0\x0c\x0a\0\0\x07\x7f\0\0\x01\xd9\x03\x30\x39";
        check("10.0.0.7:55555", "127.0.0.1:12345", v4);
        check("[::ffff:10.0.0.7]:55555", "[::ffff:127.0.0.1]:12345", v4);
        let v6 = b"\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xd9\x03\x30\x39";
        check("[2001:db8::7]:55555", "[::1]:12345", v6);
        assert_eq!(Preface::Local.header(), b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0");
        assert!(Preface::Nothing.header().is_empty());
    }

    #[test]
    fn a_lack_of_descriptors_is_nobody_elses_fault() {
        assert!(is_our_fault(&io::Error::from(rustix::io::Errno::MFILE)));
        assert!(!is_our_fault(&io::ErrorKind::ConnectionRefused.into()));
        assert!(!is_our_fault(&io::Error::from(rustix::io::Errno::CONNREFUSED)));
    }
}
