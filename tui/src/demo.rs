//! The demo: three servers with one backbone behind a front-end, all in this process and on real sockets, some
//! bots that talk, and the commands that break and mend it. Owns which of them there are and what each command
//! does; the only part of the client that knows a server.
//!
//! - `cluster`: nodes and front-end.
//! - `bots`, `lines`: who talks, and what about.
//! - `withhold`: the wire to the demo's client, which can keep a message back.

mod bots;
pub mod cluster;
mod lines;
mod withhold;

use std::net::SocketAddr;

use chat_protocol::RoomName;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::effect::DemoCommand;
use crate::net::endpoint::Endpoint;
use crate::net::event::Transport;
use bots::Bots;
use cluster::Nodes;
use withhold::Wire;

/// Commands that wait; a person's typing never fills it.
const COMMANDS_MAX: usize = 16;

/// What a person should know at the start.
pub(crate) const NOTICES: [&str; 3] = [
    "three nodes run in this program; all talk on real sockets",
    "/kill or F9: your node dies; /kill all, /revive; F1: help",
    "/withhold keeps one message from you: losses are counted",
];

/// The demo while it runs.
pub(crate) struct Demo {
    /// Where the client is to dial.
    pub(crate) endpoint: Endpoint,
    /// Breaks and mends it.
    pub(crate) commands: mpsc::Sender<DemoCommand>,
    tasks: TaskTracker,
    shutdown: DropGuard,
}

/// The rooms of the demo.
pub(crate) fn rooms() -> Vec<RoomName> {
    let parse = |name| RoomName::parse(name).expect("a name of letters alone is one");
    ["general", "ops", "random"].map(parse).into()
}

/// Starts everything; ends when dropped.
///
/// # Errors
/// When no port can be had on loopback.
pub(crate) fn start() -> anyhow::Result<Demo> {
    let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
    let guard = shutdown.clone().drop_guard();
    let nodes = Nodes::start(&tasks, &shutdown)?;
    let bots = Bots::start(nodes.front, &tasks, &shutdown)?;
    let (wire, addr) = Wire::start(nodes.front, &tasks, &shutdown)?;
    let (commands, asked) = mpsc::channel(COMMANDS_MAX);
    let hand = Hand { nodes, bots, wire };
    tasks.spawn(shutdown.run_until_cancelled_owned(hand.run(asked)));
    Ok(Demo { endpoint: endpoint(addr), commands, tasks, shutdown: guard })
}

fn endpoint(addr: SocketAddr) -> Endpoint {
    Endpoint::new(addr.ip().to_string(), addr.port(), Transport::Tcp)
}

impl Demo {
    /// Ends it.
    pub(crate) async fn stop(self) {
        drop(self.shutdown);
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// What breaks and mends.
struct Hand {
    nodes: Nodes,
    bots: Bots,
    wire: Wire,
}

impl Hand {
    async fn run(mut self, mut asked: mpsc::Receiver<DemoCommand>) {
        while let Some(command) = asked.recv().await {
            match command {
                DemoCommand::Kill => self.kill().await,
                DemoCommand::KillAll => self.nodes.kill_all(),
                DemoCommand::Revive => {
                    if let Err(error) = self.nodes.revive().await {
                        warn!(%error, "a node could not be started");
                    }
                }
                DemoCommand::Withhold => self.wire.withhold_one(),
            }
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
        self.nodes.kill(&node);
    }
}
