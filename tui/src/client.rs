//! Owns the wiring of the program: the state file, the network task, and one of the fronts on top. What any
//! of them does is theirs.

mod doctor;
mod kept;
mod once;
mod output;
mod signals;
mod tail;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
#[cfg(not(feature = "demo"))]
use anyhow::bail;
use chat_protocol::{NodeId, RoomName};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli::{Cli, Command, Mode, Target};
#[cfg(feature = "demo")]
use crate::demo::Setup;
use crate::effect::DemoCommand;
use crate::exit::Exit;
use crate::manual;
use crate::net::endpoint::Endpoint;
use crate::net::event::{NetCommand, NetEvent};
use crate::net::link::LinkOptions;
use crate::net::network::{Network, NetworkOptions};
use crate::plain::{self, Format, Plain};
use crate::state::front::SavedFront;
use kept::{Kept, KeptFile};
pub use output::print;
use signals::until_signal;

/// How long the network may go on emptying the outbox when the front has gone; then it is saved.
const LINGER: Duration = Duration::from_secs(1);
/// What to say of a network side that has panicked.
const NETWORK_FAILED: &str = "the network side failed";

/// What a front is given, whichever it is.
struct Parts {
    /// To the network.
    commands: mpsc::Sender<NetCommand>,
    /// From the network.
    events: mpsc::Receiver<NetEvent>,
    /// To the demo's cluster, where there is one.
    demo: Option<mpsc::Sender<DemoCommand>>,
    /// The rooms that were asked for.
    rooms: Vec<RoomName>,
    /// What a person should know at the start.
    notices: Vec<String>,
    /// What the front starts with, and where it is kept.
    front: (SavedFront, KeptFile),
    /// The zero of [`crate::net::event::Moment`].
    started: Instant,
    /// Cancelled by a signal: put the terminal in order and end.
    shutdown: CancellationToken,
}

/// Does what the command line says.
///
/// # Errors
/// Whatever did not go as asked; the exit code must say so.
pub async fn run(cli: &Cli) -> anyhow::Result<Exit> {
    let shown = match (cli.target()?, &cli.command) {
        (Target::Hosts(endpoints), Some(Command::Send(args))) => once::send(cli, args, endpoints).await,
        (Target::Hosts(endpoints), Some(Command::Tail(args))) => {
            return tail::tail(cli, args, endpoints).await;
        }
        (Target::Hosts(endpoints), Some(Command::Doctor(args))) => {
            return doctor::examine(cli, args, endpoints).await;
        }
        (Target::Hosts(endpoints), _) => {
            let kept = Kept::take_up(&endpoints);
            let commands = NetworkOptions::queue();
            chat(cli, Place { endpoints, commands, demo: None, kept, rooms: cli.rooms() }).await
        }
        (Target::Demo, _) => show_demo(cli).await,
        (Target::Itself, Some(Command::Completions(args))) => Ok(print(&manual::completions(args.shell))?),
        (Target::Itself, _) => Ok(print(&manual::page()?)?),
        (Target::Node { name, redis }, _) => be_node(name, &redis).await,
    };
    shown.map(|()| Exit::Done)
}

/// The demo's cluster lives as long as the chat on it.
#[cfg(feature = "demo")]
async fn show_demo(cli: &Cli) -> anyhow::Result<()> {
    let commands = NetworkOptions::queue();
    let (redis, log_file) = (cli.redis.clone(), cli.server.log_file.clone());
    let demo = crate::demo::start(Setup { redis, log_file, client: commands.0.downgrade() }).await?;
    let rooms = if cli.rooms.is_empty() { crate::demo::rooms() } else { cli.rooms() };
    let (endpoints, breaks) = (vec![demo.endpoint.clone()], Some(demo.commands.clone()));
    let kept = Kept { notices: demo.notices.clone(), ..Kept::default() };
    let shown = chat(cli, Place { endpoints, commands, demo: breaks, kept, rooms }).await;
    demo.stop().await;
    shown
}

#[cfg(feature = "demo")]
async fn be_node(name: NodeId, redis: &str) -> anyhow::Result<()> {
    crate::demo::node::run(name, redis).await
}

#[cfg(not(feature = "demo"))]
async fn show_demo(_: &Cli) -> anyhow::Result<()> {
    bail!("{WITHOUT_DEMO}")
}

#[cfg(not(feature = "demo"))]
async fn be_node(_: NodeId, _: &str) -> anyhow::Result<()> {
    bail!("{WITHOUT_DEMO}")
}

#[cfg(not(feature = "demo"))]
const WITHOUT_DEMO: &str = "this chat-tui was built without the demo: build it with --features demo";

async fn show_screen(cli: &Cli, parts: Parts) -> anyhow::Result<()> {
    let Parts { commands, events, demo, rooms, notices, front: (saved, file), started, .. } = parts;
    let options = crate::run::FrontOptions {
        name: cli.server.name.as_ref().map(ToString::to_string),
        rooms,
        settings: cli.settings.clone(),
        notices,
        saved,
    };
    let (keep, kept) = oneshot::channel();
    let front = crate::run::run(crate::run::Front { events, commands, demo, started, options }, keep);
    // At once when it is told: the front may still be handing over what it owes to the network when a signal cuts it off.
    let keeping = async {
        // Nothing is told by a front that never stood.
        if let Ok(saved) = kept.await {
            file.keep_front(&saved);
        }
    };
    tokio::join!(front, keeping).0
}

/// Where the chat is, with what that needs.
struct Place {
    endpoints: Vec<Endpoint>,
    /// Both ends of the queue in which the network is asked.
    commands: (mpsc::Sender<NetCommand>, mpsc::Receiver<NetCommand>),
    /// Breaks and mends the demo's cluster, where it is there.
    demo: Option<mpsc::Sender<DemoCommand>>,
    kept: Kept,
    rooms: Vec<RoomName>,
}

/// A chat from start to end, with any front.
async fn chat(cli: &Cli, place: Place) -> anyhow::Result<()> {
    let script = cli.script.as_ref().map(read_script).transpose()?;
    let Place { endpoints, commands, demo, kept, rooms } = place;
    let Kept { file, saved, front, notices } = kept;
    let link = LinkOptions {
        endpoints,
        name: cli.server.name.clone().or_else(|| saved.name.clone()).or_else(|| cli.server.login_name()),
        rename: cli.server.name.clone(),
        follows: cli.mode() == Mode::Screen,
        rooms: rooms.clone(),
        saved,
        seed: fastrand::u64(..),
    };
    let shared = file.clone();
    let on_welcome = Box::new(move |saved: &_| shared.keep_session(saved));
    let network = Network::start(NetworkOptions { link, commands, linger: LINGER, on_welcome });
    let Network { commands, events, task } = network;
    let parts = Parts {
        commands,
        events,
        demo,
        rooms,
        notices,
        front: (front, file.clone()),
        started: task.started,
        shutdown: task.shutdown.clone(),
    };
    let shown = until_signal(show(cli, parts, script), &task.shutdown).await;
    let unsent = file.close(task.stop().await.context(NETWORK_FAILED)?)?;
    if unsent > 0 {
        tell(&format!("messages kept in the outbox, to be sent at the next start: {unsent}"));
    }
    // Stopped by a signal, a chat has ended as people end it.
    shown.map(|_| ())
}

async fn show(cli: &Cli, parts: Parts, script: Option<String>) -> anyhow::Result<()> {
    let format = match cli.mode() {
        Mode::Screen => return show_screen(cli, parts).await,
        Mode::Plain => Format::Lines,
        Mode::Json => Format::Json,
    };
    parts.notices.iter().for_each(|notice| tell(notice));
    let Parts { commands, events, demo, rooms, started, shutdown, .. } = parts;
    let plain = Plain { commands, events, demo, rooms, format, script, started, shutdown };
    Ok(plain::run(plain, tokio::io::stdin(), tokio::io::stdout()).await?)
}

fn read_script(path: &PathBuf) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read the script {}", path.display()))
}

/// For people, beside whatever standard output is for. Nobody is left to tell where that is closed too.
fn tell(notice: &str) {
    let _ = writeln!(std::io::stderr(), "chat-tui: {notice}");
}
