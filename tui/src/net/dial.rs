//! Owns the way from an address to a connection: name lookup, TCP, upgrade, each with its timeout. What is
//! said on the connection is not known here.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::header::{COOKIE, DATE, HeaderMap, HeaderValue, SET_COOKIE};

use crate::net::cookies::CookieJar;
use crate::net::endpoint::Endpoint;
use crate::net::event::{DialStep, Transport};
use crate::net::transport::{Wire, refusal, websocket_config, words};

/// How long after one address the next is tried beside it (RFC 8305, section 5).
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);
/// Most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 16;
/// A connection silent for so long is probed, so that routers on the way do not forget it.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
/// And so often, until an answer comes.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// How far a dial is: the step, and what it is about. Only the newest matters to whoever watches.
pub type Progress = watch::Sender<(DialStep, String)>;

/// How long each step of a dial may take, and what load balancers want to be told on the next one.
#[derive(Debug, Clone)]
pub struct Dialer {
    /// Name to addresses.
    pub resolve: Duration,
    /// TCP, for each address.
    pub connect: Duration,
    /// HTTP to WebSocket.
    pub upgrade: Duration,
    /// Kept over the dials of all its clones.
    pub cookies: CookieJar,
}

impl Default for Dialer {
    fn default() -> Self {
        Self {
            resolve: Duration::from_secs(5),
            connect: Duration::from_secs(3),
            upgrade: Duration::from_secs(5),
            cookies: CookieJar::default(),
        }
    }
}

/// Why a dial failed, in words a person understands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct DialError {
    /// What it was.
    pub cause: Cause,
    words: String,
}

/// What a dial failed of, as far as something else is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The name has no address.
    Lookup,
    /// Nobody listens there.
    Refused,
    /// No answer in time to a connection.
    Silent,
    /// No answer in time to an upgrade.
    NoAnswer,
    /// An HTTP server that refuses the upgrade, with this status.
    Http(u16),
    /// An answer, or an end, that is no HTTP.
    NotHttp,
    /// Cut off as soon as it was there.
    Reset,
    /// The network, or this system.
    Other,
}

/// A connection on which `hello` can be said.
#[derive(Debug)]
pub struct Established {
    /// The connection.
    pub wire: Wire,
    /// The time it is where the upgrade was answered, as the answer says it.
    pub date: Option<String>,
}

impl DialError {
    fn new(cause: Cause, words: impl Into<String>) -> Self {
        Self { cause, words: words.into() }
    }

    fn io(error: &io::Error) -> Self {
        let cause = match error.kind() {
            io::ErrorKind::ConnectionRefused => Cause::Refused,
            io::ErrorKind::TimedOut => Cause::Silent,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Cause::Reset,
            _ => Cause::Other,
        };
        Self::new(cause, words(error))
    }

    fn upgrade(error: &Error) -> Self {
        let cause = match error {
            Error::Http(answer) => Cause::Http(answer.status().as_u16()),
            Error::Io(error) => return Self::io(error),
            Error::Protocol(_) | Error::HttpFormat(_) => Cause::NotHttp,
            _ => Cause::Other,
        };
        Self::new(cause, refusal(error))
    }
}

impl Dialer {
    /// Goes all the way to a connection on which `hello` can be said. Dropping it gives up.
    ///
    /// # Errors
    /// [`DialError`] of the step that failed; with several addresses, of the first that did.
    pub async fn dial(&self, endpoint: &Endpoint, progress: &Progress) -> Result<Wire, DialError> {
        progress.send_replace((DialStep::Resolving, endpoint.host.clone()));
        let addresses = self.resolve(endpoint).await?;
        let stream = self.connect_any(addresses, endpoint.transport, progress).await?;
        if endpoint.transport == Transport::Ws {
            let target = stream.peer_addr().map_or_else(|_| endpoint.authority(), |peer| peer.to_string());
            progress.send_replace((DialStep::Upgrading, format!("{target} ws")));
        }
        Ok(self.establish(endpoint, stream).await?.wire)
    }

    /// The last step: from a connection to one on which `hello` can be said.
    ///
    /// # Errors
    /// [`DialError`] where the upgrade is refused.
    pub async fn establish(&self, endpoint: &Endpoint, stream: TcpStream) -> Result<Established, DialError> {
        set_options(&stream).map_err(|error| DialError::io(&error))?;
        match endpoint.transport {
            Transport::Tcp => Ok(Established { wire: Wire::lines(stream), date: None }),
            Transport::Ws => self.upgrade(endpoint, stream).await,
        }
    }

    /// The first step: the addresses of a name, in the order in which they are tried.
    ///
    /// # Errors
    /// [`DialError`] where there is none.
    pub async fn resolve(&self, endpoint: &Endpoint) -> Result<VecDeque<SocketAddr>, DialError> {
        let lookup = timeout(self.resolve, lookup_host((endpoint.host.as_str(), endpoint.port)));
        match lookup.await {
            Ok(Ok(found)) => {
                let addresses = alternate(found.take(ADDRESSES_MAX));
                if addresses.is_empty() {
                    return Err(DialError::new(Cause::Lookup, format!("{} has no address", endpoint.host)));
                }
                Ok(addresses)
            }
            Ok(Err(error)) => {
                Err(DialError::new(Cause::Lookup, lookup_words(&endpoint.host, &error.to_string())))
            }
            Err(_) => Err(DialError::new(Cause::Lookup, format!("looking up {} timed out", endpoint.host))),
        }
    }

    /// The first address that answers wins; the next one joins when the last has failed or is slow.
    async fn connect_any(
        &self,
        mut addresses: VecDeque<SocketAddr>,
        transport: Transport,
        progress: &Progress,
    ) -> Result<TcpStream, DialError> {
        let mut tries = FuturesUnordered::new();
        let mut failure = None;
        loop {
            if let Some(address) = addresses.pop_front() {
                progress.send_replace((DialStep::Connecting, format!("{address} {transport}")));
                tries.push(self.connect(address));
            }
            tokio::select! {
                Some(tried) = tries.next() => match tried {
                    Ok(stream) => return Ok(stream),
                    Err(error) => { failure.get_or_insert(error); }
                },
                () = sleep(NEXT_ADDRESS_AFTER), if !addresses.is_empty() => {}
            }
            if tries.is_empty() && addresses.is_empty() {
                return Err(failure.unwrap_or_else(|| DialError::new(Cause::Lookup, "no address")));
            }
        }
    }

    /// The second step: a connection to one of the addresses.
    ///
    /// # Errors
    /// [`DialError`] where nobody answers there.
    pub async fn connect(&self, address: SocketAddr) -> Result<TcpStream, DialError> {
        match timeout(self.connect, TcpStream::connect(address)).await {
            Ok(connected) => connected.map_err(|error| DialError::io(&error)),
            Err(_) => Err(DialError::new(Cause::Silent, "connecting timed out")),
        }
    }

    async fn upgrade(&self, endpoint: &Endpoint, stream: TcpStream) -> Result<Established, DialError> {
        let url = format!("ws://{}{}", endpoint.authority(), endpoint.path);
        let mut request = url.into_client_request().map_err(|error| DialError::upgrade(&error))?;
        let line = self.cookies.lock().line(endpoint, Timestamp::now());
        if let Some(line) = line.and_then(|line| HeaderValue::from_str(&line).ok()) {
            request.headers_mut().insert(COOKIE, line);
        }
        let handshake = client_async_with_config(request, stream, Some(websocket_config()));
        match timeout(self.upgrade, handshake).await {
            Ok(Ok((stream, answer))) => {
                self.keep_cookies(endpoint, answer.headers());
                let date = answer.headers().get(DATE).and_then(|date| Some(date.to_str().ok()?.to_owned()));
                Ok(Established { wire: Wire::messages(stream), date })
            }
            Ok(Err(error)) => {
                // A refusal may take a cookie back.
                if let Error::Http(answer) = &error {
                    self.keep_cookies(endpoint, answer.headers());
                }
                Err(DialError::upgrade(&error))
            }
            Err(_) => Err(DialError::new(Cause::NoAnswer, "no answer to the WebSocket upgrade")),
        }
    }

    fn keep_cookies(&self, endpoint: &Endpoint, headers: &HeaderMap) {
        let lines = headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        self.cookies.lock().take(endpoint, lines, Timestamp::now());
    }
}

fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// Families in turn, beginning with the one the system prefers (RFC 8305, section 4).
fn alternate(found: impl Iterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let mut found: VecDeque<SocketAddr> = found.collect();
    let mut ordered = VecDeque::with_capacity(found.len());
    let mut wanted = found.front().is_some_and(SocketAddr::is_ipv6);
    while !found.is_empty() {
        let at = found.iter().position(|address| address.is_ipv6() == wanted).unwrap_or(0);
        ordered.extend(found.remove(at));
        wanted = !wanted;
    }
    ordered
}

/// The resolver gives no kinds, only texts (glibc, musl and macOS among them).
fn lookup_words(host: &str, error: &str) -> String {
    let unknown = ["not known", "No address", "does not resolve", "nodename nor servname", "No such host"];
    if unknown.iter().any(|text| error.contains(text)) {
        return format!("no such host: {host}");
    }
    if error.contains("Temporary failure") || error.contains("Try again") {
        return format!("cannot look up {host}: the name server does not answer");
    }
    format!("cannot look up {host}: {error}")
}

#[cfg(test)]
mod tests;
