//! Owns how a program is told to end: the first SIGTERM or SIGINT asks, a second one insists. Knows nothing
//! of what has to end.

use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Runs `work` with a token that the first signal cancels; a second signal drops the work where it stands,
/// and `None` is returned.
///
/// # Errors
/// When the system takes no signal handler.
pub async fn run_until_signal<T, W>(work: impl FnOnce(CancellationToken) -> W) -> io::Result<Option<T>>
where
    W: Future<Output = T>,
{
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = CancellationToken::new();
    let mut work = std::pin::pin!(work(shutdown.clone()));
    tokio::select! {
        done = &mut work => return Ok(Some(done)),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    info!("asked to end");
    shutdown.cancel();
    tokio::select! {
        done = &mut work => return Ok(Some(done)),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    warn!("asked to end a second time: not waiting any longer");
    Ok(None)
}
