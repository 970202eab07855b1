//! The demo: three servers with one backbone behind a front-end, on real sockets, some bots that talk, and the
//! commands that break and mend it. All in this process, or with a Redis the servers in processes of their own.
//! Owns which of them there are and what each command does; the only part of the client that knows a server.
//!
//! - `cluster`: nodes, wherever they live, and front-end.
//! - `node`: a process that is one node.
//! - `bots`, `lines`: who talks, and what about.
//! - `withhold`: the wire to the demo's client, which can keep a message back.

mod bots;
mod cluster;
mod lines;
pub(crate) mod node;
mod withhold;

use std::net::SocketAddr;
use std::path::PathBuf;

use chat_protocol::RoomName;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::effect::DemoCommand;
use crate::net::endpoint::Endpoint;
use crate::net::event::{NetCommand, Transport};
use bots::Bots;
use cluster::{Home, Nodes};
use withhold::Wire;

/// Commands that wait; a person's typing never fills it.
const COMMANDS_MAX: usize = 16;

/// What a person should know at the start, behind what runs.
const NOTICES: [&str; 2] = [
    "/kill or F9: your node dies; /kill all, /revive; F1: help",
    "/withhold keeps one message from you: losses are counted",
];

/// What the demo is given.
#[derive(Debug)]
pub(crate) struct Setup {
    /// Where the nodes meet, as typed; none: in this process, where they run then.
    pub(crate) redis: Option<String>,
    /// Where nodes in other processes log to.
    pub(crate) log_file: Option<PathBuf>,
    /// The demo's client: it need not wait for its countdown when nodes are back.
    pub(crate) client: mpsc::WeakSender<NetCommand>,
}

/// The demo while it runs.
pub(crate) struct Demo {
    /// Where the client is to dial.
    pub(crate) endpoint: Endpoint,
    /// Breaks and mends it.
    pub(crate) commands: mpsc::Sender<DemoCommand>,
    /// What a person should know at the start.
    pub(crate) notices: Vec<String>,
    tasks: TaskTracker,
    ending: DropGuard,
}

/// The rooms of the demo.
pub(crate) fn rooms() -> Vec<RoomName> {
    let parse = |name| RoomName::parse(name).expect("a name of letters alone is one");
    ["general", "ops", "random"].map(parse).into()
}

/// Starts everything; ends when dropped.
///
/// # Errors
/// When no port can be had on loopback, or a node does not start.
pub(crate) async fn start(setup: Setup) -> anyhow::Result<Demo> {
    let Setup { redis, log_file, client } = setup;
    let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
    let guard = shutdown.clone().drop_guard();
    let home = match redis {
        Some(redis) => Home::apart(&redis, log_file, &tasks, &shutdown)?,
        None => Home::inside(&tasks, &shutdown),
    };
    let nodes = Nodes::start(home, &tasks, &shutdown).await?;
    let bots = Bots::start(nodes.front, &tasks, &shutdown)?;
    let (wire, addr) = Wire::start(nodes.front, &tasks, &shutdown)?;
    let notices = std::iter::once(nodes.describe()).chain(NOTICES.map(str::to_owned)).collect();
    let (commands, asked) = mpsc::channel(COMMANDS_MAX);
    let hand = Hand { nodes, bots, wire, client, _shutdown: guard };
    let ending = CancellationToken::new();
    tasks.spawn(hand.run(asked, ending.clone()));
    Ok(Demo { endpoint: endpoint(addr), commands, notices, tasks, ending: ending.drop_guard() })
}

fn endpoint(addr: SocketAddr) -> Endpoint {
    Endpoint::new(addr.ip().to_string(), addr.port(), Transport::Tcp)
}

impl Demo {
    /// Ends it.
    pub(crate) async fn stop(self) {
        drop(self.ending);
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// What breaks and mends.
struct Hand {
    nodes: Nodes,
    bots: Bots,
    wire: Wire,
    client: mpsc::WeakSender<NetCommand>,
    /// Everything ends with the hand, behind the nodes: those that are processes close their connections while
    /// somebody is there at the other end, and need not wait for an answer.
    _shutdown: DropGuard,
}

impl Hand {
    async fn run(mut self, mut asked: mpsc::Receiver<DemoCommand>, ending: CancellationToken) {
        let serving = async {
            while let Some(command) = asked.recv().await {
                self.perform(command).await;
            }
        };
        // A command dropped half-way has nothing to break or mend any more.
        ending.run_until_cancelled(serving).await;
        self.nodes.stop().await;
    }

    async fn perform(&mut self, command: DemoCommand) {
        match command {
            DemoCommand::Kill => self.kill().await,
            DemoCommand::KillAll => self.nodes.kill_all().await,
            DemoCommand::Revive => self.revive().await,
            DemoCommand::Withhold => self.wire.withhold_one(),
        }
    }

    /// Kills the client's node. A client is back within some milliseconds, so that often nobody would have said
    /// anything meanwhile: the node hangs until one message was said elsewhere, and then dies.
    async fn kill(&mut self) {
        let Some(node) = self.wire.node() else { return };
        if !self.nodes.hang(&node) {
            return;
        }
        self.bots.say_where_it_is_not_heard(&node).await;
        self.nodes.kill(&node).await;
    }

    /// Brings the dead back, and the client to them: it knows nothing of them until it dials.
    async fn revive(&mut self) {
        if let Err(error) = self.nodes.revive().await {
            warn!(error = %format!("{error:#}"), "a node could not be started");
            return;
        }
        if let Some(client) = self.client.upgrade() {
            // A client that is gone dials no more.
            let _gone = client.send(NetCommand::ReconnectNow).await;
        }
    }
}

#[cfg(test)]
mod tests;
