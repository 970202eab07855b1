//! Owns how a backbone is called: what a call is, why it fails, how long it may take.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::timeout;

/// Why a backbone could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackboneError {
    /// It cannot be reached; whether the call took effect is unknown.
    #[error("the backbone cannot be reached: {0}")]
    Unavailable(String),
}

/// A call's future.
pub type Call<T> = BoxFuture<'static, Result<T, BackboneError>>;

/// Longest a call may take.
const CALL_MAX: Duration = Duration::from_secs(5);

/// Bounds a call to the backbone in time.
pub(crate) async fn call<T>(call: Call<T>) -> Result<T, BackboneError> {
    match timeout(CALL_MAX, call).await {
        Ok(answer) => answer,
        Err(_) => Err(BackboneError::Unavailable(format!("no answer in {} s", CALL_MAX.as_secs()))),
    }
}
