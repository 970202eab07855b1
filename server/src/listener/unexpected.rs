//! Owns what the operator is told of headers of the PROXY protocol that nobody expects: a warning that says what
//! to do, once in a while, since such a load balancer sends one with each client and each check.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use tracing::{debug, warn};

/// From one warning to the next.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// When the operator was told last; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unexpected {
    told: Arc<Mutex<Option<Instant>>>,
}

impl Unexpected {
    /// A connection from this address began with a header, and is closed for that.
    pub(super) fn came_from(&self, peer: IpAddr) {
        if self.is_due() {
            warn!(
                %peer,
                "a header of the PROXY protocol came from an address that sends none as far as this node knows, and the \
                 connection was closed: name the load balancer in [server] proxy_protocol_from, or let it send none"
            );
        } else {
            debug!(%peer, "unexpected header of the PROXY protocol");
        }
    }

    fn is_due(&self) -> bool {
        let mut told = self.told.lock();
        let is_due = told.is_none_or(|told| told.elapsed() >= WARNING_INTERVAL);
        if is_due {
            *told = Some(Instant::now());
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_operator_is_told_once_in_a_while() {
        let unexpected = Unexpected::default();
        assert!(unexpected.is_due());
        assert!(!unexpected.clone().is_due());
        tokio::time::advance(WARNING_INTERVAL - Duration::from_millis(1)).await;
        assert!(!unexpected.is_due());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(unexpected.is_due());
    }
}
