//! Owns what a front-end can be told: ports, backends, how to choose and how to check. Reads no file.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::backend::Backend;
use super::pick::Policy;

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
}
