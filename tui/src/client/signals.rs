//! Owns the end that a signal puts to a front.

use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a front may take to put the terminal in order after a signal.
const FRONT_END_MAX: Duration = Duration::from_secs(1);

/// Runs a front; at a signal it is told, and given a moment to end by itself.
pub(super) async fn until_signal(
    front: impl Future<Output = anyhow::Result<()>>,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let mut front = pin!(front);
    tokio::select! {
        shown = &mut front => return shown,
        signal = signal() => signal?,
    }
    shutdown.cancel();
    timeout(FRONT_END_MAX, front).await.unwrap_or(Ok(()))
}

#[cfg(unix)]
async fn signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn signal() -> anyhow::Result<()> {
    Ok(tokio::signal::ctrl_c().await?)
}
