//! Owns the network side as one task: it gives the link's state machine its inputs and does what the link
//! asks. What to dial, send and tell is decided in [`link`]; what is shown, nowhere here.

pub mod backoff;
pub mod cookies;
mod cursor;
pub mod dial;
pub mod endpoint;
pub mod event;
pub mod link;
pub mod network;
mod outbox;
mod peer;
pub mod saved;
pub mod status;
mod telling;
pub mod transport;

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use dial::Dialer;
use event::{Moment, NetCommand, NetEvent};
use link::{Happening, Input, Link, LinkOptions, Output};
use peer::Peer;
use saved::SavedClient;
use telling::Telling;
use transport::Wire;

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
        dialer: Dialer::default(),
        first: Peer::None,
        beside: Peer::None,
        reads_first: true,
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
    let wires = [driver.first, driver.beside].into_iter().filter_map(Peer::into_wire);
    // What the server did not take by then is in the outbox.
    let _ = timeout(GOODBYE_MAX, join_all(wires.map(Wire::close))).await;
    driver.link.save(driver.started.elapsed())
}

struct Driver {
    link: Link,
    /// Kept over the dials: it remembers what load balancers want to be told.
    dialer: Dialer,
    /// The connection.
    first: Peer,
    /// The one that is to take its place, while there are two.
    beside: Peer,
    /// False while the first one waits for what becomes of the second.
    reads_first: bool,
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
        let takes_commands = self.quit_at.is_none() && self.first.unwritten() < UNWRITTEN_BYTES_HIGH;
        let deadline = if listens { self.link.deadline() } else { self.link.ping_due() };
        let deadline = deadline.map(|moment| self.started + moment);
        let input = tokio::select! {
            () = self.shutdown.cancelled(), if self.quit_at.is_none() => { self.begin_quit(); None }
            () = self.telling.flush(), if !listens => None,
            command = self.commands.recv(), if takes_commands => match command {
                Some(command) => Some(Input::Command(command)),
                None => { self.begin_quit(); None }
            },
            happening = self.first.next_if(listens && self.reads_first) => Some(Input::First(happening)),
            happening = self.beside.next(), if listens => Some(Input::Beside(happening)),
            () = at(deadline) => Some(if listens { Input::Tick } else { Input::PingDue }),
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
            let Some(input) = self.waiting() else { break };
            self.handle(input);
        }
        if self.link.deadline().is_some_and(|deadline| deadline <= self.now()) {
            self.handle(Input::Tick);
        }
    }

    /// What has happened already.
    fn waiting(&mut self) -> Option<Input> {
        // `next` is cancel-safe: polled once and dropped, it loses nothing.
        if let Some(happening) = self.beside.next().now_or_never() {
            return Some(Input::Beside(happening));
        }
        let first = if self.reads_first { self.first.next().now_or_never() } else { None };
        first.map(Input::First)
    }

    fn handle(&mut self, input: Input) {
        match &input {
            Input::First(happening) => log(happening, "first"),
            Input::Beside(happening) => log(happening, "beside"),
            Input::Command(_) | Input::Tick | Input::PingDue => {}
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
                    self.first = Peer::dial(self.dialer.clone(), endpoint);
                }
                Output::Hangup => self.first = Peer::None,
                Output::Send(request) => self.first.send(request),
                Output::DialBeside(endpoint) => {
                    debug!(%endpoint, "dialling beside the connection");
                    self.beside = Peer::dial(self.dialer.clone(), endpoint);
                }
                Output::SendBeside(request) => self.beside.send(request),
                Output::HoldFirst => self.reads_first = false,
                Output::Promote => {
                    (self.first, self.reads_first) = (std::mem::take(&mut self.beside), true);
                }
                Output::DropBeside => (self.beside, self.reads_first) = (Peer::None, true),
                Output::Event(event) => {
                    if matches!(event, NetEvent::Welcome { .. }) {
                        (self.on_welcome)(&self.link.save(self.started.elapsed()));
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

fn log(happening: &Happening, conn: &'static str) {
    match happening {
        Happening::Dialled { transport } => info!(conn, %transport, "connected"),
        Happening::DialFailed(error) => info!(conn, %error, "dial failed"),
        Happening::Closed(error) => info!(conn, %error, "connection closed"),
        Happening::DialProgress(..) | Happening::Frame(_) => {}
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
