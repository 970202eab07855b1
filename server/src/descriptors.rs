//! Owns how many files and sockets this process may hold open: as many as the system lets it. Knows nothing of
//! what they are.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{debug, info, warn};

/// Raises the soft limit to the hard one. Login shells and service managers start programs with a soft limit of
/// 1,024, for the sake of programs that use select(2); a connection is one descriptor at a node and two at the
/// front-end.
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let shown = |limit: Option<u64>| limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string());
    match raised(current, maximum) {
        None => debug!(limit = shown(current), "file descriptors"),
        Some(limit) => match setrlimit(Resource::Nofile, Rlimit { current: limit, maximum }) {
            Ok(()) => info!(from = shown(current), limit = shown(limit), "file descriptors raised"),
            Err(error) => {
                warn!(%error, limit = shown(current), wanted = shown(limit), "file descriptors not raised");
            }
        },
    }
}

/// How many there may be; none: without limit.
pub(crate) fn limit() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// What to raise it to; none where nothing is to be done. In both arguments none means without limit.
fn raised(current: Option<u64>, maximum: Option<u64>) -> Option<Option<u64>> {
    let is_less = current.is_some_and(|current| maximum.is_none_or(|maximum| current < maximum));
    is_less.then_some(maximum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_goes_up_to_the_hard_one() {
        assert_eq!(raised(Some(1_024), Some(1_048_576)), Some(Some(1_048_576)));
        assert_eq!(raised(Some(1_024), None), Some(None));
        assert_eq!(raised(Some(1_024), Some(1_024)), None);
        assert_eq!(raised(None, Some(1_024)), None);
    }
}
