//! Owns the nodes that are processes of their own and meet in a Redis: this very program, started again as
//! `chat-tui demo-node`. Hanging is SIGSTOP, dying SIGKILL. Knows neither the front-end nor who is connected.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use chat_protocol::NodeId;
use chat_server::balancer::Backend;
use chat_server::config::RedisUrl;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::demo::node::{self, Ports};

/// How long a node may take to say where it listens.
const START_MAX: Duration = Duration::from_secs(15);
/// How long a node may take to end when asked to; then it is killed.
const END_MAX: Duration = Duration::from_secs(3);

/// Starts them.
pub(super) struct Apart {
    program: PathBuf,
    redis: RedisUrl,
    log_file: Option<PathBuf>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

/// One of them.
pub(super) struct Process {
    /// Its end closes the node's standard input, and so ends the node.
    child: Child,
}

impl Apart {
    /// Processes on this Redis; what they log goes to `log_file`, or nowhere.
    pub(super) fn new(
        redis: &str,
        log_file: Option<PathBuf>,
        tasks: &TaskTracker,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program to start nodes with")?;
        let (tasks, shutdown) = (tasks.clone(), shutdown.clone());
        Ok(Self { program, redis: node::url(redis)?, log_file, tasks, shutdown })
    }

    /// The Redis; shown without its password.
    pub(super) fn redis(&self) -> &RedisUrl {
        &self.redis
    }

    /// Starts a node on free loopback ports.
    pub(super) async fn start(&self, name: NodeId) -> anyhow::Result<(Backend, Process)> {
        let started = timeout(START_MAX, self.spawn(&name)).await;
        let late = || anyhow!("it said nothing for {} s", START_MAX.as_secs());
        started.map_err(|_| late()).flatten().with_context(|| format!("the demo's {name} did not start"))
    }

    async fn spawn(&self, name: &NodeId) -> anyhow::Result<(Backend, Process)> {
        let mut child = self.command(name).spawn().context("cannot start this program again")?;
        let mut said = lines(child.stdout.take().context("its output is a pipe")?);
        let mut errors = lines(child.stderr.take().context("its errors are a pipe")?);
        let Some(line) = said.next_line().await? else {
            bail!("{}", last_words(&mut errors).await);
        };
        let Ports { tcp, http } = serde_json::from_str(&line).context("it did not say where it listens")?;
        let (name, shutdown) = (name.clone(), self.shutdown.clone());
        self.tasks.spawn(shutdown.run_until_cancelled_owned(async move {
            while let Ok(Some(line)) = errors.next_line().await {
                warn!(node = %name, line, "a node complains");
            }
        }));
        Ok((
            Backend { host: Ipv4Addr::LOCALHOST.to_string(), tcp: Some(tcp), http: Some(http) },
            Process { child },
        ))
    }

    fn command(&self, name: &NodeId) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["demo-node", "--node", name.as_str(), "--redis", self.redis.as_str()]);
        if let Some(path) = &self.log_file {
            command.arg("--log-file").arg(path);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A signal that the terminal sends is for the demo; the demo ends its nodes.
        command.process_group(0).kill_on_drop(true);
        command
    }
}

fn lines<R: AsyncRead>(output: R) -> Lines<BufReader<R>> {
    BufReader::new(output).lines()
}

/// Why a node did not start: the last line of its error, without the program's name.
async fn last_words(errors: &mut Lines<BufReader<ChildStderr>>) -> String {
    let mut last = "it ended without a word".to_owned();
    while let Ok(Some(line)) = errors.next_line().await {
        if !line.trim().is_empty() {
            last = line;
        }
    }
    last.strip_prefix("chat-tui: ").unwrap_or(&last).to_owned()
}

impl Process {
    /// None once it is dead.
    pub(super) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Also true where somebody else killed it.
    pub(super) fn is_dead(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// It hears and says nothing any more.
    pub(super) fn hang(&self) {
        let pid = self.pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        if let Some(Err(error)) = pid.map(|pid| kill_process(pid, Signal::STOP)) {
            warn!(%error, "a node could not be stopped");
        }
    }

    /// Kills it, whatever it does just now. It is gone when this returns.
    pub(super) async fn kill(&mut self) {
        if let Err(error) = self.child.kill().await {
            warn!(%error, "a node could not be killed");
        }
    }

    /// Asks it to end, and waits until it has.
    pub(super) async fn stop(&mut self) {
        // The wait begins with closing its standard input.
        if timeout(END_MAX, self.child.wait()).await.is_err() {
            self.kill().await;
        }
    }
}
