//! Owns the wiring of the program: the state file, the network task, and one of the fronts on top. What any
//! of them does is theirs.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, bail};
use chat_protocol::{RoomName, limits};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::cli::{Cli, Command, Mode, SendArgs, Target};
use crate::effect::DemoCommand;
use crate::net::endpoint::Endpoint;
use crate::net::event::{NetCommand, NetEvent};
use crate::net::link::LinkOptions;
use crate::net::saved::SavedClient;
use crate::net::{self, Net};
use crate::plain::{self, Format, Plain, PlainError};
use crate::send::{self, Sending};
use crate::state::{self, StateFile};

/// Commands that wait for the network task; a person's typing never fills it.
const COMMANDS_MAX: usize = 64;
/// Events that wait for the front; full, the network reads no more until there is room.
const EVENTS_MAX: usize = 256;
/// How long the network may go on emptying the outbox when the front has gone; then it is saved.
const LINGER: Duration = Duration::from_secs(1);
/// How long a front may take to put the terminal in order after a signal.
const FRONT_END_MAX: Duration = Duration::from_secs(1);

/// What a front is given, whichever it is.
pub struct Front {
    /// To the network.
    pub commands: mpsc::Sender<NetCommand>,
    /// From the network.
    pub events: mpsc::Receiver<NetEvent>,
    /// To the demo's cluster, where there is one.
    pub demo: Option<mpsc::Sender<DemoCommand>>,
    /// The rooms that were asked for.
    pub rooms: Vec<RoomName>,
    /// What a person should know at the start.
    pub notices: Vec<String>,
    /// The zero of [`crate::net::event::Moment`].
    pub started: Instant,
    /// Cancelled by a signal: put the terminal in order and end.
    pub shutdown: CancellationToken,
}

/// The demo's cluster, as the client sees it.
struct Cluster {
    endpoints: Vec<Endpoint>,
    commands: mpsc::Sender<DemoCommand>,
}

/// Does what the command line says.
///
/// # Errors
/// Whatever did not go as asked; the exit code must say so.
pub async fn run(cli: &Cli) -> anyhow::Result<()> {
    match (cli.target()?, &cli.command) {
        (Target::Hosts(endpoints), Some(Command::Send(args))) => send(cli, args, endpoints).await,
        (Target::Hosts(endpoints), None) => chat(cli, Place::Hosts(endpoints)).await,
        (Target::Demo, _) => chat(cli, Place::Demo(start_demo().await?)).await,
    }
}

/// CALL SITE: starts the demo's cluster (`crate::demo`). The returned commands are those of the front; the
/// cluster must live until they are dropped.
#[expect(clippy::unused_async, reason = "the demo starts nodes here")]
async fn start_demo() -> anyhow::Result<Cluster> {
    bail!("the demo is not built in yet")
}

/// CALL SITE: opens the full screen (`crate::run`).
#[expect(clippy::unused_async, reason = "the screen runs here")]
async fn show_screen(_cli: &Cli, front: Front) -> anyhow::Result<()> {
    drop(front);
    bail!("the full screen is not built in yet: use --plain")
}

/// Where the chat is, with what that needs.
enum Place {
    Hosts(Vec<Endpoint>),
    Demo(Cluster),
}

/// A chat from start to end, with any front.
async fn chat(cli: &Cli, place: Place) -> anyhow::Result<()> {
    let script = cli.script.as_ref().map(read_script).transpose()?;
    let (endpoints, demo, kept) = match place {
        Place::Hosts(endpoints) => {
            let kept = take_up_state(&endpoints);
            (endpoints, None, kept)
        }
        Place::Demo(cluster) => (cluster.endpoints, Some(cluster.commands), Kept::default()),
    };
    let Kept { mut file, saved, notices } = kept;
    let shared = file.take().map(|file| std::sync::Arc::new(std::sync::Mutex::new(Some(file))));
    let options = LinkOptions {
        endpoints,
        name: cli.server.name.clone().or_else(|| saved.name.clone()).or_else(|| cli.server.login_name()),
        rooms: cli.rooms(),
        saved,
        seed: fastrand::u64(..),
    };
    let keep = shared.clone();
    let on_welcome = Box::new(move |saved: &SavedClient| keep_session(keep.as_deref(), saved));
    let mut network = Network::start(options, on_welcome, LINGER);
    let front = Front {
        commands: network.commands.take().context("the network has just started")?,
        events: network.events.take().context("the network has just started")?,
        demo,
        rooms: cli.rooms(),
        notices,
        started: network.started,
        shutdown: network.shutdown.clone(),
    };
    let shown = until_signal(show(cli, front, script), &network.shutdown).await;
    let saved = network.stop().await?;
    let file = shared.and_then(|shared| shared.lock().ok()?.take());
    let unsent: usize = saved.rooms.iter().map(|room| room.unsent.len()).sum();
    if let Some(file) = file {
        file.close(saved).context("cannot save the state")?;
        if unsent > 0 {
            tell(&format!("{unsent} messages wait in the outbox and go with the next start"));
        }
    }
    shown
}

async fn show(cli: &Cli, front: Front, script: Option<String>) -> anyhow::Result<()> {
    let format = match cli.mode() {
        Mode::Screen => return show_screen(cli, front).await,
        Mode::Plain => Format::Lines,
        Mode::Json => Format::Json,
    };
    front.notices.iter().for_each(|notice| tell(notice));
    let Front { commands, events, demo, rooms, started, shutdown, .. } = front;
    let plain = Plain { commands, events, demo, rooms, format, script, started, shutdown };
    match plain::run(plain, tokio::io::stdin(), tokio::io::stdout()).await {
        Err(PlainError::Undelivered(count)) => bail!("{count} messages are not delivered"),
        ended => Ok(ended?),
    }
}

/// `chat-tui send`: a client of its own, so that a failure leaves nothing behind that is sent later.
async fn send(cli: &Cli, args: &SendArgs, endpoints: Vec<Endpoint>) -> anyhow::Result<()> {
    let content = content(args)?;
    let room = args.room.clone().or_else(|| cli.rooms.first().cloned()).unwrap_or_else(RoomName::general);
    let file = state::directory().map(|directory| (directory, state::key(&endpoints)));
    let saved = file.as_ref().map(|(directory, key)| state::peek(directory, key)).unwrap_or_default();
    let options = LinkOptions {
        endpoints,
        name: cli.server.name.clone().or_else(|| saved.name.clone()).or_else(|| cli.server.login_name()),
        rooms: vec![room.clone()],
        saved: SavedClient { client_id: Some(chat_protocol::ClientId::random()), ..saved },
        seed: fastrand::u64(..),
    };
    let mut network = Network::start(options, Box::new(|_| {}), Duration::ZERO);
    let sending = Sending {
        commands: network.commands.take().context("the network has just started")?,
        events: network.events.take().context("the network has just started")?,
        room,
        content,
        timeout: args.timeout,
    };
    let sent = send::run(sending).await;
    let saved = network.stop().await?;
    if let Some((directory, key)) = file
        && let Err(error) = state::remember(&directory, &key, &saved)
    {
        warn!(%error, "cannot save the session");
    }
    Ok(sent?)
}

fn content(args: &SendArgs) -> anyhow::Result<String> {
    let mut content = args.text.join(" ");
    if content == "-" {
        content.clear();
        let most = limits::CLIENT_FRAME_BYTES_MAX as u64;
        std::io::stdin().take(most + 1).read_to_string(&mut content).context("cannot read standard input")?;
    }
    let content = content.trim_end_matches(['\n', '\r']);
    if content.trim().is_empty() {
        bail!("there is nothing to send");
    }
    let content = chat_protocol::text::check(content).map_err(|error| anyhow::anyhow!("the text {error}"))?;
    Ok(content.into_owned())
}

fn read_script(path: &PathBuf) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read the script {}", path.display()))
}

/// The network task and the ways to it.
struct Network {
    commands: Option<mpsc::Sender<NetCommand>>,
    events: Option<mpsc::Receiver<NetEvent>>,
    shutdown: CancellationToken,
    started: Instant,
    task: JoinSet<SavedClient>,
}

impl Network {
    fn start(
        options: LinkOptions,
        on_welcome: Box<dyn FnMut(&SavedClient) + Send>,
        linger: Duration,
    ) -> Self {
        let (commands, from_front) = mpsc::channel(COMMANDS_MAX);
        let (to_front, events) = mpsc::channel(EVENTS_MAX);
        let (shutdown, started) = (CancellationToken::new(), Instant::now());
        let mut task = JoinSet::new();
        task.spawn(net::run(Net {
            options,
            commands: from_front,
            events: to_front,
            shutdown: shutdown.clone(),
            linger,
            started,
            on_welcome,
        }));
        Self { commands: Some(commands), events: Some(events), shutdown, started, task }
    }

    async fn stop(mut self) -> anyhow::Result<SavedClient> {
        self.shutdown.cancel();
        let ended = self.task.join_next().await.context("the network task was started")?;
        ended.context("the network task failed")
    }
}

/// What the last run left, as far as it can be had.
#[derive(Default)]
struct Kept {
    file: Option<StateFile>,
    saved: SavedClient,
    notices: Vec<String>,
}

fn take_up_state(endpoints: &[Endpoint]) -> Kept {
    let Some(directory) = state::directory() else { return Kept::default() };
    match state::open(&directory, &state::key(endpoints)) {
        Ok((file, saved, note)) => {
            let notices = note.iter().map(ToString::to_string).collect();
            Kept { file: Some(file), saved, notices }
        }
        Err(error) => {
            let notice = format!("no state is kept: {}: {error}", directory.display());
            Kept { notices: vec![notice], ..Kept::default() }
        }
    }
}

type SharedFile = std::sync::Mutex<Option<StateFile>>;

fn keep_session(file: Option<&SharedFile>, saved: &SavedClient) {
    let Some(Ok(mut file)) = file.map(SharedFile::lock) else { return };
    if let Some(Err(error)) = file.as_mut().map(|file| file.keep_session(saved)) {
        warn!(%error, "cannot save the session");
    }
}

/// Runs a front; at a signal it is told, and given a moment to end by itself.
async fn until_signal(
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

/// For people, beside whatever standard output is for. Nobody is left to tell where that is closed too.
fn tell(notice: &str) {
    let _ = writeln!(std::io::stderr(), "chat-tui: {notice}");
}
