//! Owns how a server behind the front-end is named. Knows nothing of its state.

use std::fmt;
use std::str::FromStr;

/// A server behind the front-end: `host:tcp:http`, an IPv6 address in brackets, a port it does not have `off`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Backend {
    /// A name or an address; names are resolved at each connection.
    pub host: String,
    /// Its port for raw TCP, if it has one.
    pub tcp: Option<u16>,
    /// Its port for HTTP and WebSocket, if it has one.
    pub http: Option<u16>,
}

/// Which of a backend's ports a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Port {
    /// Raw TCP.
    Tcp,
    /// HTTP and WebSocket.
    Http,
}

/// When a backend gets clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// Always.
    Primary,
    /// While no primary is healthy.
    Backup,
}

impl Tier {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Backup => "backup",
        }
    }
}

impl Backend {
    /// Its port of a kind, if it has one.
    pub(super) fn port(&self, port: Port) -> Option<u16> {
        match port {
            Port::Tcp => self.tcp,
            Port::Http => self.http,
        }
    }
}

/// Text that names no backend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a backend is written HOST:TCP:HTTP, for example 10.0.0.7:12345:8000, a port it does not have as off"
)]
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
        let backend = Self { host: bare.to_owned(), tcp: port(tcp)?, http: port(http)? };
        let is_nowhere = backend.tcp.is_none() && backend.http.is_none();
        if is_nowhere || bare.is_empty() || bare.contains(char::is_whitespace) {
            return Err(BackendError);
        }
        Ok(backend)
    }
}

fn port(text: &str) -> Result<Option<u16>, BackendError> {
    match text {
        "off" => Ok(None),
        _ => text.parse().ok().filter(|port| *port != 0).map(Some).ok_or(BackendError),
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = |port: Option<u16>| port.map_or_else(|| "off".to_owned(), |port| port.to_string());
        let (tcp, http) = (port(self.tcp), port(self.http));
        if self.host.contains(':') {
            write!(f, "[{}]:{tcp}:{http}", self.host)
        } else {
            write!(f, "{}:{tcp}:{http}", self.host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_reads_as_it_is_written() {
        for text in
            ["node-1:12345:8000", "10.0.0.7:1:2", "[::1]:12345:8000", "node-1:off:8000", "[::1]:1:off"]
        {
            assert_eq!(text.parse::<Backend>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_names_no_backend_is_refused() {
        for text in [
            "",
            "node-1",
            "node-1:12345",
            ":1:2",
            "::1:1:2",
            "a b:1:2",
            "node-1:0:8000",
            "node-1:1:70000",
            "[::1:1:2",
            "node-1:off:off",
        ] {
            assert_eq!(text.parse::<Backend>(), Err(BackendError), "{text:?}");
        }
    }
}
