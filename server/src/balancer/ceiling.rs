//! Owns how many clients a front-end takes: as many as it has descriptors for, without those that its checks and
//! operators need. Knows no socket.

use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

/// Two sockets: its own and its server's.
const DESCRIPTORS_PER_CLIENT: u64 = 2;
/// Connections of operators at once; more wait.
pub(super) const ADMIN_CONNECTIONS: usize = 32;
/// For listeners, the runtime, the log, looking up names, and a client that is about to be turned away.
const RESERVED_OWN: u64 = 64;
/// From one warning that clients are turned away to the next.
const WARNING_INTERVAL: Duration = Duration::from_secs(10);

/// The most clients at once.
#[derive(Debug)]
pub(super) struct Ceiling {
    /// None: without limit.
    clients: Option<u64>,
    told: Option<Instant>,
}

impl Ceiling {
    /// Of a process that may have so many descriptors, and checks so many backends, each by one connection at a time.
    pub(super) fn of(descriptors: Option<u64>, backends: usize) -> Self {
        let reserved = RESERVED_OWN + ADMIN_CONNECTIONS as u64 + backends as u64;
        // Where there are hardly any, half of them are better than none.
        let left = |limit: u64| limit - reserved.min(limit / 2);
        let clients = descriptors.map(|limit| left(limit) / DESCRIPTORS_PER_CLIENT);
        Self { clients, told: None }
    }

    pub(super) fn clients(&self) -> Option<u64> {
        self.clients
    }

    /// Whether there is room for one more beside so many clients.
    pub(super) fn has_room(&mut self, clients: usize) -> bool {
        let Some(max) = self.clients.filter(|max| clients as u64 >= *max) else { return true };
        if self.told.is_none_or(|told| told.elapsed() >= WARNING_INTERVAL) {
            self.told = Some(Instant::now());
            warn!(
                clients,
                max,
                "clients are turned away for lack of file descriptors: raise the hard limit (LimitNOFILE=)"
            );
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn clients_get_what_the_rest_does_not_need() {
        assert_eq!(Ceiling::of(None, 3).clients(), None);
        assert_eq!(Ceiling::of(Some(1_024), 3).clients(), Some((1_024 - 99) / 2));
        assert_eq!(Ceiling::of(Some(1_048_576), 3).clients(), Some((1_048_576 - 99) / 2));
        assert_eq!(Ceiling::of(Some(100), 3).clients(), Some(25));
        let mut ceiling = Ceiling::of(Some(100), 3);
        assert_eq!([24, 25, 26].map(|clients| ceiling.has_room(clients)), [true, false, false]);
        assert!(Ceiling::of(None, 3).has_room(usize::MAX));
    }
}
