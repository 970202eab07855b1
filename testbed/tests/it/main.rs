//! Behaviour of the testbed itself: what is said to break breaks, and what is said to stay stays.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod load_balancer;
mod proxy;
mod redis;

use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;

/// Longer than anything takes; a test that waits so long has failed.
const DEADLINE: Duration = Duration::from_secs(20);

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("{what} did not come"))
}
