//! Owns the seam between the demo's cluster and the place where its nodes live. What living and dying are
//! there, each place knows.

use std::path::PathBuf;

use chat_protocol::NodeId;
use chat_server::balancer::Backend;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::apart::{Apart, Process};
use super::inside::{Inside, Task};

/// Where nodes live.
pub(crate) struct Home(Place);

enum Place {
    Inside(Inside),
    Apart(Apart),
}

/// A node, wherever it lives.
pub(super) enum Life {
    Task(Task),
    Process(Process),
}

impl Home {
    /// In this process; they meet in memory.
    pub(crate) fn inside(tasks: &TaskTracker, shutdown: &CancellationToken) -> Self {
        Self(Place::Inside(Inside::new(tasks, shutdown)))
    }

    /// Each in a process of its own; they meet in a Redis. What they log goes to `log_file`, or nowhere.
    ///
    /// # Errors
    /// When the URL is none, or this program does not know where it lies.
    pub(crate) fn apart(
        redis: &str,
        log_file: Option<PathBuf>,
        tasks: &TaskTracker,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<Self> {
        Ok(Self(Place::Apart(Apart::new(redis, log_file, tasks, shutdown)?)))
    }

    /// Starts a node on free loopback ports.
    pub(super) async fn start(&self, name: NodeId) -> anyhow::Result<(Backend, Life)> {
        match &self.0 {
            Place::Inside(inside) => inside.start(name).map(|(backend, task)| (backend, Life::Task(task))),
            Place::Apart(apart) => {
                let (backend, process) = apart.start(name).await?;
                Ok((backend, Life::Process(process)))
            }
        }
    }

    /// What runs, for people. `nodes` are those that were started here.
    pub(super) fn describe<'a>(&self, nodes: impl Iterator<Item = &'a Life>) -> String {
        match &self.0 {
            Place::Inside(_) => "three nodes run in this program; all talk on real sockets".into(),
            Place::Apart(apart) => {
                let pid = |node: &Life| match node {
                    Life::Process(process) => process.pid(),
                    Life::Task(_) => None,
                };
                let pids: Vec<_> = nodes.filter_map(pid).map(|pid| pid.to_string()).collect();
                let (redis, pids) = (apart.redis(), pids.join(", "));
                format!("three nodes run as processes of their own on {redis} (pids {pids})")
            }
        }
    }
}

impl Life {
    pub(super) fn is_dead(&mut self) -> bool {
        match self {
            Self::Task(task) => task.is_dead(),
            Self::Process(process) => process.is_dead(),
        }
    }

    /// It hears and says nothing any more.
    pub(super) fn hang(&self) {
        match self {
            Self::Task(task) => task.hang(),
            Self::Process(process) => process.hang(),
        }
    }

    /// Kills it; a process is gone when this returns.
    pub(super) async fn kill(&mut self) {
        match self {
            Self::Task(task) => task.kill(),
            Self::Process(process) => process.kill().await,
        }
    }

    /// Waits until nothing of a dead one is left.
    pub(super) async fn ended(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Task(task) => task.ended().await,
            // Nothing is left of a process that is dead.
            Self::Process(_) => Ok(()),
        }
    }

    /// Ends it with the demo.
    pub(super) async fn stop(&mut self) {
        match self {
            // Its task was given the demo's shutdown.
            Self::Task(_) => {}
            Self::Process(process) => process.stop().await,
        }
    }
}
