//! Owns the network side as a front has it: set up, running, ended, with the queues between both. What is asked
//! and told over them is the front's affair, what is done about it `run`'s.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::event::{NetCommand, NetEvent};
use super::link::LinkOptions;
use super::saved::SavedClient;
use super::{Net, run};

/// Commands that wait for the network side; a person's typing never fills it.
const COMMANDS_MAX: usize = 64;
/// Events that wait for the front; full, the network side reads no more until there is room.
const EVENTS_MAX: usize = 256;

/// What a network side is started with.
pub struct NetworkOptions {
    /// What its link starts with.
    pub link: LinkOptions,
    /// Both ends of the queue in which it is asked: it can be asked before it runs.
    pub commands: (mpsc::Sender<NetCommand>, mpsc::Receiver<NetCommand>),
    /// How long its outbox may take to empty at the end.
    pub linger: Duration,
    /// Called at each welcome, as [`Net::on_welcome`] is.
    pub on_welcome: Box<dyn FnMut(&SavedClient) + Send>,
}

/// A network side that runs, and the front's ends of its queues. Dropped, it is aborted.
#[derive(Debug)]
pub struct Network {
    /// What it is asked. When all senders are gone, it ends.
    pub commands: mpsc::Sender<NetCommand>,
    /// What it tells; none when it has ended.
    pub events: mpsc::Receiver<NetEvent>,
    /// Itself, for a front that takes the queues away.
    pub task: NetworkTask,
}

/// The task of a network side. Dropped, it is aborted.
#[derive(Debug)]
pub struct NetworkTask {
    /// The zero of every [`Moment`](super::event::Moment) that it tells.
    pub started: Instant,
    /// Cancelled: it ends, once its outbox is empty or the time for that is over.
    pub shutdown: CancellationToken,
    running: JoinSet<SavedClient>,
}

impl NetworkOptions {
    /// A network side that ends at once when it is to end, and writes no session through.
    pub fn new(link: LinkOptions) -> Self {
        Self { link, commands: Self::queue(), linger: Duration::ZERO, on_welcome: Box::new(|_| {}) }
    }

    /// Both ends of a queue in which a network side is asked.
    pub fn queue() -> (mpsc::Sender<NetCommand>, mpsc::Receiver<NetCommand>) {
        mpsc::channel(COMMANDS_MAX)
    }
}

impl Network {
    /// Starts it.
    pub fn start(options: NetworkOptions) -> Self {
        let NetworkOptions { link, commands: (commands, asked), linger, on_welcome } = options;
        let (to_front, events) = mpsc::channel(EVENTS_MAX);
        let (shutdown, started) = (CancellationToken::new(), Instant::now());
        let mut running = JoinSet::new();
        running.spawn(run(Net {
            options: link,
            commands: asked,
            events: to_front,
            shutdown: shutdown.clone(),
            linger,
            started,
            on_welcome,
        }));
        Self { commands, events, task: NetworkTask { started, shutdown, running } }
    }

    /// Ends it; gives what the next run is to start with. What it still has to tell is told into the void, as when
    /// a program ends.
    ///
    /// # Errors
    /// When it has panicked.
    pub async fn stop(self) -> Result<SavedClient, JoinError> {
        let Self { commands, events, task } = self;
        drop((commands, events));
        task.stop().await
    }
}

impl NetworkTask {
    /// Ends it; gives what the next run is to start with.
    ///
    /// # Errors
    /// When it has panicked.
    pub async fn stop(mut self) -> Result<SavedClient, JoinError> {
        self.shutdown.cancel();
        self.running.join_next().await.expect("it was started")
    }
}
