//! Owns the choice of a backend: pure, figures in, an index out. Knows no socket and no clock.

use super::backend::Tier;

/// Which of the healthy backends gets the next client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Policy {
    /// The one with the fewest connections.
    ///
    /// Chat connections live for hours: taking turns would leave a node that came back empty until its
    /// neighbours' clients go home.
    #[default]
    LeastConnections,
    /// The one with the least load: its share of all connections plus its share of all recent bytes, each
    /// between 0 and 1 and of equal weight.
    ///
    /// Two nodes with as many clients, of which one has nine tenths of the bytes: the other gets the next
    /// clients until it has so many more of them, or so many more bytes, that both sums are the same. Below
    /// [`BYTES_FLOOR`] for all backends together the bytes weigh less, in proportion: a few pings are no load.
    LeastLoad,
}

impl Policy {
    /// As it is written in the settings.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::LeastConnections => "least-connections",
            Self::LeastLoad => "least-load",
        }
    }
}

/// Bytes a second, over all backends, from which on bytes weigh as much as connections do.
const BYTES_FLOOR: u64 = 64 * 1024;

/// How good it is to send a client there; the better, the less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// As far as is known it takes clients.
    Healthy,
    /// Checks say that it does not, or it says so itself; no client has been refused since.
    Doubtful,
    /// It refused the last client.
    Refusing,
}

/// What is known of a backend at the moment of the choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) standing: Standing,
    pub(super) tier: Tier,
    /// Connections open to it through this front-end, those being opened included.
    pub(super) connections: usize,
    /// Bytes a second both ways, recently.
    pub(super) rate: u64,
}

/// The backend to try next of those not `tried` yet; among equals the first. `None` when all were tried.
///
/// Healthy ones come before others, whatever the load; of those primaries before backups. Where nothing
/// healthy is left the others are tried all the same, best first: checks can be wrong for a whole cluster,
/// and a client that is refused has lost nothing.
pub(super) fn pick(policy: Policy, loads: &[Load], tried: &[bool]) -> Option<usize> {
    let total = Total::of(loads);
    let untried = loads.iter().enumerate().filter(|(index, _)| !tried.get(*index).copied().unwrap_or(false));
    let best = untried.min_by_key(|(_, load)| (load.standing, load.tier, total.weight(policy, load)));
    best.map(|(index, _)| index)
}

/// All backends' figures together.
struct Total {
    connections: u128,
    rate: u128,
}

impl Total {
    fn of(loads: &[Load]) -> Self {
        let connections = loads.iter().map(|load| load.connections as u128).sum();
        let rate = loads.iter().map(|load| u128::from(load.rate)).sum();
        Self { connections, rate }
    }

    /// The sum of both shares over their common denominator: whole numbers, so that equals are equal. Neither
    /// product overflows: a process has fewer than 2^32 connections, and rates are 64 bits wide.
    fn weight(&self, policy: Policy, load: &Load) -> u128 {
        let connections = load.connections as u128;
        match policy {
            Policy::LeastConnections => connections,
            Policy::LeastLoad => {
                let bytes_weigh = self.rate.max(BYTES_FLOOR.into());
                connections * bytes_weigh + u128::from(load.rate) * self.connections.max(1)
            }
        }
    }
}

#[cfg(test)]
mod tests;
