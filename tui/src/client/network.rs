//! Owns the network task while a front runs on it, and its end.

use std::pin::pin;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::net::event::{NetCommand, NetEvent};
use crate::net::link::LinkOptions;
use crate::net::saved::SavedClient;
use crate::net::{self, Net};

/// Commands that wait for the network task; a person's typing never fills it.
const COMMANDS_MAX: usize = 64;
/// Events that wait for the front; full, the network reads no more until there is room.
const EVENTS_MAX: usize = 256;
/// How long a front may take to put the terminal in order after a signal.
const FRONT_END_MAX: Duration = Duration::from_secs(1);

/// The network task.
pub(super) struct Network {
    pub(super) shutdown: CancellationToken,
    pub(super) started: Instant,
    task: JoinSet<SavedClient>,
}

impl Network {
    /// Both ends of the queue in which it is asked.
    pub(super) fn queue() -> (mpsc::Sender<NetCommand>, mpsc::Receiver<NetCommand>) {
        mpsc::channel(COMMANDS_MAX)
    }

    /// Starts it; gives the front's end of the queue in which it tells.
    pub(super) fn start(
        options: LinkOptions,
        commands: mpsc::Receiver<NetCommand>,
        on_welcome: Box<dyn FnMut(&SavedClient) + Send>,
        linger: Duration,
    ) -> (Self, mpsc::Receiver<NetEvent>) {
        let (to_front, events) = mpsc::channel(EVENTS_MAX);
        let (shutdown, started) = (CancellationToken::new(), Instant::now());
        let mut task = JoinSet::new();
        task.spawn(net::run(Net {
            options,
            commands,
            events: to_front,
            shutdown: shutdown.clone(),
            linger,
            started,
            on_welcome,
        }));
        (Self { shutdown, started, task }, events)
    }

    /// Ends it; gives what the next run is to start with.
    pub(super) async fn stop(mut self) -> anyhow::Result<SavedClient> {
        self.shutdown.cancel();
        let ended = self.task.join_next().await.context("the network task was started")?;
        ended.context("the network task failed")
    }
}

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
