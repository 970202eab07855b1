//! Owns the network side as one task: it gives the link's state machine its inputs and does what the link
//! asks. What to dial, send and tell is decided in [`link`]; what is shown, nowhere here.

pub mod backoff;
pub mod cookies;
mod cursor;
pub mod dial;
pub mod endpoint;
pub mod event;
pub mod link;
mod outbox;
mod peer;
pub mod saved;
mod telling;
pub mod transport;

use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use dial::Dialer;
use event::{Moment, NetCommand, NetEvent};
use link::{Input, Link, LinkOptions, Output};
use peer::Peer;
use saved::SavedClient;
use telling::Telling;

/// How many frames are handled before commands and timers get their turn.
const FRAMES_PER_TURN: usize = 256;
/// With so much waiting to be written, commands wait too: the front-end's queue fills and stops it.
const UNWRITTEN_BYTES_HIGH: usize = 256 * 1024;
/// How long the last bytes may take at the end.
const GOODBYE_MAX: Duration = Duration::from_millis(500);

/// What the network side is given.
pub struct Net {
    /// What the link starts with.
    pub options: LinkOptions,
    /// From the front-end. When all its senders are gone, so is the front-end.
    pub commands: mpsc::Receiver<NetCommand>,
    /// To the front-end. Full: frames wait in the socket, commands are still taken.
    pub events: mpsc::Sender<NetEvent>,
    /// Ends it, after `linger`.
    pub shutdown: CancellationToken,
    /// How long the outbox may take to empty at the end.
    pub linger: Duration,
    /// The zero of [`Moment`].
    pub started: Instant,
    /// Called at each welcome, so that the session survives a crash. Must be quick: the network waits.
    pub on_welcome: Box<dyn FnMut(&SavedClient) + Send>,
}

/// Runs until told to stop, or until the front-end is gone, and then until the outbox is empty or `linger`
/// is over. Returns what the next run is to start with.
pub async fn run(net: Net) -> SavedClient {
    let link = Link::new(net.options, net.started.elapsed());
    let mut driver = Driver {
        link,
        peer: Peer::None,
        dialer: Dialer::default(),
        commands: net.commands,
        telling: Telling::new(net.events),
        shutdown: net.shutdown,
        linger: net.linger,
        started: net.started,
        quit_at: None,
        on_welcome: net.on_welcome,
    };
    driver.pump();
    while !driver.is_done() {
        driver.turn().await;
    }
    if let Peer::Up(wire) = std::mem::take(&mut driver.peer) {
        // What the server did not take by then is in the outbox.
        let _ = timeout(GOODBYE_MAX, wire.close()).await;
    }
    driver.link.save()
}

struct Driver {
    link: Link,
    peer: Peer,
    /// Kept over the dials: it remembers what load balancers want to be told.
    dialer: Dialer,
    commands: mpsc::Receiver<NetCommand>,
    telling: Telling,
    shutdown: CancellationToken,
    linger: Duration,
    started: Instant,
    /// Set when the end has begun: when to stop waiting for the outbox.
    quit_at: Option<Instant>,
    on_welcome: Box<dyn FnMut(&SavedClient) + Send>,
}

impl Driver {
    fn is_done(&self) -> bool {
        self.quit_at.is_some_and(|at| self.link.unsent() == 0 || Instant::now() >= at)
    }

    /// Waits for whatever happens first, then catches up with what happened meanwhile.
    async fn turn(&mut self) {
        let listens = self.telling.is_clear();
        let takes_commands = self.quit_at.is_none() && self.peer.unwritten() < UNWRITTEN_BYTES_HIGH;
        let deadline = self.link.deadline().filter(|_| listens).map(|moment| self.started + moment);
        let input = tokio::select! {
            () = self.shutdown.cancelled(), if self.quit_at.is_none() => { self.begin_quit(); None }
            () = self.telling.flush(), if !listens => None,
            command = self.commands.recv(), if takes_commands => match command {
                Some(command) => Some(Input::Command(command)),
                None => { self.begin_quit(); None }
            },
            input = self.peer.next(), if listens => Some(input),
            () = at(deadline) => Some(Input::Tick),
            () = at(self.quit_at) => None,
        };
        if let Some(input) = input {
            self.handle(input);
        }
        self.catch_up();
        if self.telling.is_over() && self.quit_at.is_none() {
            self.begin_quit();
        }
    }

    /// Frames that are here already, and a deadline that they delayed.
    fn catch_up(&mut self) {
        for _ in 0..FRAMES_PER_TURN {
            if !self.telling.is_clear() {
                return;
            }
            // `next` is cancel-safe: polled once and dropped, it loses nothing.
            let Some(input) = self.peer.next().now_or_never() else { break };
            self.handle(input);
        }
        if self.link.deadline().is_some_and(|deadline| deadline <= self.now()) {
            self.handle(Input::Tick);
        }
    }

    fn handle(&mut self, input: Input) {
        match &input {
            Input::Dialled { transport } => info!(%transport, "connected"),
            Input::DialFailed(error) => info!(%error, "dial failed"),
            Input::Closed(error) => info!(%error, "connection closed"),
            _ => {}
        }
        let now = self.now();
        self.link.handle(now, input);
        self.pump();
    }

    /// Does what the link asks. Waits for nothing: sends and events are queued.
    fn pump(&mut self) {
        while let Some(output) = self.link.poll_output() {
            match output {
                Output::Dial(endpoint) => {
                    debug!(%endpoint, "dialling");
                    self.peer = Peer::dial(self.dialer.clone(), endpoint);
                }
                Output::Hangup => self.peer = Peer::None,
                Output::Send(request) => match &mut self.peer {
                    Peer::Up(wire) => wire.send(&[request]),
                    Peer::None | Peer::Dialling(_) => debug!("dropped a request: not connected"),
                },
                Output::Event(event) => {
                    if matches!(event, NetEvent::Welcome { .. }) {
                        (self.on_welcome)(&self.link.save());
                    }
                    self.telling.push(event);
                }
            }
        }
    }

    fn begin_quit(&mut self) {
        self.quit_at = Some(Instant::now() + self.linger);
        self.telling.no_longer_wait();
        // What the front-end said before it told us to stop still counts.
        while let Ok(command) = self.commands.try_recv() {
            self.handle(Input::Command(command));
        }
    }

    fn now(&self) -> Moment {
        self.started.elapsed()
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
