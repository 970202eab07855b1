//! Owns what a person may write after `--host`, and the ordered list of places to dial that it means.
//! Knows no socket and no name lookup.

use std::net::Ipv6Addr;

use crate::net::event::Transport;

/// Where a server listens for lines on TCP.
pub const TCP_PORT: u16 = 12345;
/// Where a server listens for HTTP and WebSocket.
pub const HTTP_PORT: u16 = 8000;
/// Where a `ws://` address without a port points (RFC 6455, section 3).
const WS_URL_PORT: u16 = 80;
/// The path of the WebSocket on a server.
const WS_PATH: &str = "/ws";
/// Longest host name (RFC 1035, section 2.3.4).
const HOST_BYTES_MAX: usize = 253;

/// One place to dial, one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A host name or an address, IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Which way the bytes go.
    pub transport: Transport,
    /// The path of the WebSocket; unused on TCP.
    pub path: String,
}

impl Endpoint {
    /// A place with the usual path.
    pub fn new(host: impl Into<String>, port: u16, transport: Transport) -> Self {
        Self { host: host.into(), port, transport, path: WS_PATH.into() }
    }

    /// Host and port as they stand in a URL.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.authority(), self.transport)
    }
}

/// What `--transport` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TransportChoice {
    /// What scheme or port says, else TCP, then WebSocket.
    #[default]
    Auto,
    /// TCP alone.
    Tcp,
    /// WebSocket alone.
    Ws,
}

impl TransportChoice {
    fn fixed(self) -> Option<Transport> {
        match self {
            Self::Auto => None,
            Self::Tcp => Some(Transport::Tcp),
            Self::Ws => Some(Transport::Ws),
        }
    }
}

/// Why an address was refused, and what is allowed instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no server address: {why}. Allowed: HOST, HOST:PORT, [IPV6]:PORT, tcp://HOST:PORT, ws://HOST:PORT/PATH"
)]
pub struct EndpointError {
    text: String,
    why: String,
}

/// The places to dial, in the order in which they were written, each once. An entry may itself be a list
/// separated by commas.
///
/// # Errors
/// [`EndpointError`] names the first bad entry.
pub fn parse<S: AsRef<str>>(hosts: &[S], choice: TransportChoice) -> Result<Vec<Endpoint>, EndpointError> {
    let mut endpoints = Vec::new();
    let written = hosts.iter().flat_map(|list| list.as_ref().split(',')).map(str::trim);
    for text in written.filter(|text| !text.is_empty()) {
        let error = |why: String| EndpointError { text: text.to_owned(), why };
        for endpoint in parse_one(text, choice).map_err(error)? {
            if !endpoints.contains(&endpoint) {
                endpoints.push(endpoint);
            }
        }
    }
    if endpoints.is_empty() {
        return Err(EndpointError { text: String::new(), why: "it is empty".into() });
    }
    Ok(endpoints)
}

/// An address taken apart, before it is decided which way to go.
struct Written<'a> {
    scheme: Option<Transport>,
    host: &'a str,
    port: Option<u16>,
    path: &'a str,
}

fn parse_one(text: &str, choice: TransportChoice) -> Result<Vec<Endpoint>, String> {
    let written = take_apart(text)?;
    check_host(written.host)?;
    if let (Some(scheme), Some(fixed)) = (written.scheme, choice.fixed())
        && scheme != fixed
    {
        return Err(format!("it says {scheme}, --transport says {fixed}: drop one of them"));
    }
    let places = match (choice.fixed().or(written.scheme), written.port) {
        (Some(transport), Some(port)) => vec![(port, transport)],
        (Some(Transport::Tcp), None) => vec![(TCP_PORT, Transport::Tcp)],
        (Some(Transport::Ws), None) if written.scheme.is_some() => vec![(WS_URL_PORT, Transport::Ws)],
        (Some(Transport::Ws), None) => vec![(HTTP_PORT, Transport::Ws)],
        (None, Some(port @ TCP_PORT)) => vec![(port, Transport::Tcp)],
        (None, Some(port @ (HTTP_PORT | WS_URL_PORT))) => vec![(port, Transport::Ws)],
        (None, Some(port)) => vec![(port, Transport::Tcp), (port, Transport::Ws)],
        (None, None) => vec![(TCP_PORT, Transport::Tcp), (HTTP_PORT, Transport::Ws)],
    };
    let path = if written.path.is_empty() { WS_PATH } else { written.path };
    let endpoint = |(port, transport)| Endpoint {
        path: path.to_owned(),
        ..Endpoint::new(written.host.to_ascii_lowercase(), port, transport)
    };
    Ok(places.into_iter().map(endpoint).collect())
}

fn take_apart(text: &str) -> Result<Written<'_>, String> {
    let (scheme, rest) = match text.split_once("://") {
        None => (None, text),
        Some((scheme, rest)) => (Some(scheme_transport(scheme)?), rest),
    };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    if !path.is_empty() && path != "/" && scheme != Some(Transport::Ws) {
        return Err("only ws:// addresses have a path".into());
    }
    if path.chars().any(|c| !c.is_ascii_graphic()) {
        return Err("its path holds a space or a character that is not ASCII".into());
    }
    let (host, port) = split_port(authority)?;
    let port = port.map(parse_port).transpose()?;
    Ok(Written { scheme, host, port, path: if path == "/" { "" } else { path } })
}

fn scheme_transport(scheme: &str) -> Result<Transport, String> {
    match scheme.to_ascii_lowercase().as_str() {
        "tcp" => Ok(Transport::Tcp),
        "ws" => Ok(Transport::Ws),
        "tls" | "wss" => Err(format!(
            "{scheme}:// needs TLS, which comes with a later version; use tcp:// or ws:// for now"
        )),
        other => Err(format!("the scheme {other}:// is unknown")),
    }
}

/// Host and port; an IPv6 address needs brackets only in front of a port.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, behind) = rest.split_once(']').ok_or("the closing ']' is missing")?;
        host.parse::<Ipv6Addr>().map_err(|_| "between [ and ] must stand an IPv6 address")?;
        return match behind.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if behind.is_empty() => Ok((host, None)),
            None => Err("only :PORT may follow ']'".into()),
        };
    }
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Ok((authority, None));
    }
    Ok(authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))))
}

fn parse_port(port: &str) -> Result<u16, String> {
    match port.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("the port {port:?} is not a number from 1 to 65535")),
    }
}

fn check_host(host: &str) -> Result<(), String> {
    if host.is_empty() {
        return Err("the host is missing".into());
    }
    if host.len() > HOST_BYTES_MAX {
        return Err(format!("the host is longer than {HOST_BYTES_MAX} bytes"));
    }
    if host.parse::<Ipv6Addr>().is_ok() {
        return Ok(());
    }
    match host.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))) {
        Some(c) => Err(format!("the host holds {c:?}; use letters, digits, '.', '-'")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
