//! Owns the end that a signal puts to a front.

use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::exit::Exit;

/// How long a front may take to put the terminal in order after a signal.
const FRONT_END_MAX: Duration = Duration::from_secs(1);

/// Runs a front; at a signal it is told, and given a moment to end by itself. Gives which of both was the end.
pub(super) async fn until_signal(
    front: impl Future<Output = anyhow::Result<()>>,
    shutdown: &CancellationToken,
) -> anyhow::Result<Exit> {
    let mut front = pin!(front);
    let number = tokio::select! {
        shown = &mut front => return shown.map(|()| Exit::Done),
        signal = signal() => signal?,
    };
    shutdown.cancel();
    timeout(FRONT_END_MAX, front).await.unwrap_or(Ok(()))?;
    Ok(Exit::Signal(number))
}

/// The number of an interrupt, the same on all systems.
const INTERRUPTED: u8 = 2;

#[cfg(unix)]
async fn signal() -> anyhow::Result<u8> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let number = tokio::select! {
        interrupted = tokio::signal::ctrl_c() => { interrupted?; SignalKind::interrupt() }
        _ = terminate.recv() => SignalKind::terminate(),
        _ = hangup.recv() => SignalKind::hangup(),
    };
    Ok(u8::try_from(number.as_raw_value()).unwrap_or(INTERRUPTED))
}

#[cfg(not(unix))]
async fn signal() -> anyhow::Result<u8> {
    tokio::signal::ctrl_c().await?;
    Ok(INTERRUPTED)
}
