//! Owns what a front-end can be told: ports, backends, how to choose and how to check. Reads no file.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::backend::Backend;
use super::pick::Policy;
use crate::socket;

/// What a front-end needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalancerConfig {
    /// Where raw TCP clients come in; none: switched off.
    pub listen_tcp: Option<SocketAddr>,
    /// Where HTTP and WebSocket clients come in; none: switched off.
    pub listen_http: Option<SocketAddr>,
    /// Where operators ask: `/status`, `/metrics`, `/ready`, `/live`; none: switched off.
    pub listen_admin: Option<SocketAddr>,
    /// The servers behind it, at the start.
    pub backends: Vec<Backend>,
    /// Those that get clients while none of `backends` is healthy.
    pub backups: Vec<Backend>,
    /// Which healthy one gets the next client.
    pub policy: Policy,
    /// Backends are told the clients' addresses by PROXY protocol, version 2.
    pub send_proxy: bool,
    /// How their health is found out.
    pub check: Check,
    /// How long connections live on after the first signal to end.
    pub drain: Duration,
}

/// How a backend's health is found out; the words are those of HAProxy's `inter`, `timeout check`, `rise`, `fall`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// From one check to the next, give or take a tenth.
    pub every: Duration,
    /// For one check.
    pub timeout: Duration,
    /// Good checks in a row that make an unhealthy backend healthy.
    pub rise: u32,
    /// Failed checks in a row that make a healthy one unhealthy.
    pub fall: u32,
}

impl Default for Check {
    fn default() -> Self {
        Self { every: Duration::from_secs(1), timeout: Duration::from_secs(1), rise: 2, fall: 3 }
    }
}

impl Default for BalancerConfig {
    fn default() -> Self {
        Self {
            listen_tcp: Some((Ipv4Addr::UNSPECIFIED, 12_345).into()),
            listen_http: Some((Ipv4Addr::UNSPECIFIED, 8_000).into()),
            listen_admin: Some((Ipv4Addr::LOCALHOST, 8_001).into()),
            backends: Vec::new(),
            backups: Vec::new(),
            policy: Policy::default(),
            send_proxy: false,
            check: Check::default(),
            drain: Duration::from_secs(10),
        }
    }
}

impl BalancerConfig {
    /// The defaults, on loopback ports of the system's choice, and gone at once when asked to end: for tests
    /// and the demo.
    pub fn loopback(backends: Vec<Backend>) -> Self {
        let any_port = Some((Ipv4Addr::LOCALHOST, 0).into());
        Self {
            listen_tcp: any_port,
            listen_http: any_port,
            listen_admin: None,
            backends,
            drain: Duration::ZERO,
            ..Self::default()
        }
    }

    /// A backend that is named twice: it would count as two.
    pub(crate) fn named_twice(&self) -> Option<&Backend> {
        let mut seen = std::collections::HashSet::new();
        self.backends.iter().chain(&self.backups).find(|backend| !seen.insert(*backend))
    }

    /// A backend that is this front-end itself, and its address: a client would go round in a circle. Names are taken
    /// for what they are everywhere, none is looked up.
    pub fn own_backend(&self) -> Option<(&Backend, SocketAddr)> {
        let listens = [self.listen_tcp, self.listen_http, self.listen_admin];
        self.backends.iter().chain(&self.backups).find_map(|backend| {
            let addresses = addresses(&backend.host);
            let leads_to = |listen: &SocketAddr| {
                [backend.tcp, backend.http].contains(&Some(listen.port()))
                    && addresses.iter().any(|addr| reaches(*addr, listen.ip()))
            };
            listens.into_iter().flatten().find(leads_to).map(|listen| (backend, listen))
        })
    }
}

/// What a host is without a look-up: an address, this host by its common name, or by its own.
fn addresses(host: &str) -> Vec<IpAddr> {
    let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    match host.parse::<IpAddr>().map(|addr| addr.to_canonical()) {
        // Who connects to no address in particular connects to this host (Linux).
        Ok(addr) if addr.is_unspecified() => {
            loopback.into_iter().filter(|own| own.is_ipv4() == addr.is_ipv4()).collect()
        }
        Ok(addr) => vec![addr],
        Err(_) if host.eq_ignore_ascii_case("localhost") => loopback.to_vec(),
        Err(_) if host.eq_ignore_ascii_case(&crate::config::hostname()) => loopback.to_vec(),
        Err(_) => Vec::new(),
    }
}

/// Whether who connects to `addr` comes to who listens on `listen`.
fn reaches(addr: IpAddr, listen: IpAddr) -> bool {
    let listen = listen.to_canonical();
    match listen {
        IpAddr::V4(all) if all.is_unspecified() => addr.is_ipv4() && socket::is_own(addr),
        // It takes both families.
        IpAddr::V6(all) if all.is_unspecified() => socket::is_own(addr),
        _ => addr == listen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_own(listen: &str, backend: &str) -> bool {
        let config = BalancerConfig {
            listen_tcp: Some(listen.parse().unwrap()),
            backends: vec!["192.0.2.1:22200:off".parse().unwrap(), backend.parse().unwrap()],
            ..BalancerConfig::loopback(Vec::new())
        };
        config.own_backend().is_some_and(|(own, addr)| {
            (own.to_string(), addr.to_string()) == (backend.to_owned(), listen.to_owned())
        })
    }

    #[test]
    fn a_backend_that_leads_back_is_found() {
        let host = crate::config::hostname();
        for (listen, backend) in [
            ("127.0.0.1:22200", "127.0.0.1:22200:22201"),
            ("127.0.0.1:22200", "127.0.0.1:22201:22200"),
            ("127.0.0.1:22200", "[::ffff:127.0.0.1]:22200:off"),
            ("127.0.0.1:22200", "0.0.0.0:22200:off"),
            ("127.0.0.1:22200", "LocalHost:22200:off"),
            ("0.0.0.0:22200", "127.0.0.1:22200:off"),
            ("0.0.0.0:22200", "127.1.2.3:22200:off"),
            ("0.0.0.0:22200", "localhost:off:22200"),
            ("0.0.0.0:22200", &format!("{host}:22200:off")),
            ("[::]:22200", "127.0.0.1:22200:off"),
            ("192.0.2.7:22200", "192.0.2.7:22200:off"),
        ] {
            assert!(is_own(listen, backend), "{listen} {backend}");
        }
    }

    #[test]
    fn any_other_backend_may_be() {
        for (listen, backend) in [
            ("127.0.0.1:22200", "127.0.0.1:22201:22202"),
            ("127.0.0.1:22200", "127.0.0.2:22200:off"),
            ("0.0.0.0:22200", "127.0.0.1:22201:off"),
            // Nobody's address (RFC 5737).
            ("0.0.0.0:22200", "192.0.2.7:22200:off"),
            ("0.0.0.0:22200", "[::1]:22200:off"),
            ("[::]:22200", "[2001:db8::1]:22200:off"),
            ("0.0.0.0:22200", "another-host.example:22200:off"),
        ] {
            assert!(!is_own(listen, backend), "{listen} {backend}");
        }
    }
}
