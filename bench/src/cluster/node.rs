//! Owns one server process: its ports, which stay its own over every restart, its way to the store, and what can be
//! done to it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use chat_testbed::{Backend, Proxy, free_port};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::{Plan, log};

/// How long a node may take from its start until it takes clients.
const READY_MAX: Duration = Duration::from_secs(20);
/// Between two looks at whether it does.
const READY_EVERY: Duration = Duration::from_millis(20);
/// How long a node may take to end once it was asked to.
const END_MAX: Duration = Duration::from_secs(20);

/// A server process.
#[derive(Debug)]
pub struct Node {
    name: String,
    tcp: SocketAddr,
    http: SocketAddr,
    to_store: Proxy,
    url: String,
    wires: Option<Wires>,
    program: PathBuf,
    folder: PathBuf,
    settings: Vec<(String, String)>,
    child: Option<Child>,
}

/// The proxies between the front-end and a node.
#[derive(Debug)]
struct Wires {
    tcp: Proxy,
    http: Proxy,
}

impl Node {
    pub(super) async fn start(
        plan: &Plan,
        number: usize,
        to_store: Proxy,
        url: String,
    ) -> anyhow::Result<Self> {
        let (tcp, http) = (local(free_port()?), local(free_port()?));
        let wires = if plan.wired {
            Some(Wires { tcp: Proxy::start(tcp).await?, http: Proxy::start(http).await? })
        } else {
            None
        };
        let mut node = Self {
            name: format!("node-{number}"),
            tcp,
            http,
            to_store,
            url,
            wires,
            program: plan.server.clone(),
            folder: plan.folder.clone(),
            settings: plan.settings.clone(),
            child: None,
        };
        node.launch()?;
        Ok(node)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process, while it lives.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Its way to the store.
    pub fn to_store(&self) -> &Proxy {
        &self.to_store
    }

    /// The ways from the front-end to it, where they can be broken.
    pub fn from_front(&self) -> impl Iterator<Item = &Proxy> {
        self.wires.iter().flat_map(|wires| [&wires.tcp, &wires.http])
    }

    pub(super) fn backend(&self) -> Backend {
        let wires = self.wires.as_ref();
        let through = |proxy: Option<&Proxy>, addr| proxy.map_or(addr, Proxy::addr);
        Backend {
            tcp: through(wires.map(|wires| &wires.tcp), self.tcp),
            http: through(wires.map(|wires| &wires.http), self.http),
        }
    }

    fn launch(&mut self) -> anyhow::Result<()> {
        let mut command = Command::new(&self.program);
        command
            .args(["--node", &self.name, "--listen-tcp", &self.tcp.to_string()])
            .args(["--listen-http", &self.http.to_string(), "--redis", &self.url, "--redis-wait", "20"])
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log(&self.folder, &self.name)?)
            .process_group(chat_testbed::group()?)
            .kill_on_drop(true);
        let child = command.spawn();
        self.child = Some(child.with_context(|| format!("cannot start {}", self.program.display()))?);
        Ok(())
    }

    /// Starts it again, after it was killed or has ended, and waits until it takes clients.
    ///
    /// # Errors
    /// When it does not come up; its log says why.
    pub async fn revive(&mut self) -> anyhow::Result<()> {
        self.launch()?;
        self.ready().await
    }

    /// Waits until it takes clients.
    ///
    /// # Errors
    /// When it does not come up; its log says why.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + READY_MAX;
        while !self.is_ready().await {
            let ended = self.child.as_mut().map(Child::try_wait).transpose()?.flatten();
            let log = self.folder.join(format!("{}.log", self.name));
            if let Some(status) = ended {
                bail!("{} ended with {status}: read {}", self.name, log.display());
            }
            ensure!(Instant::now() < until, "{} is not ready: read {}", self.name, log.display());
            sleep(READY_EVERY).await;
        }
        Ok(())
    }

    async fn is_ready(&self) -> bool {
        self.get("/ready").await.is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// A figure that it tells of itself; none where it does not answer or has no such figure.
    pub async fn metric(&self, name: &str) -> Option<u64> {
        let page = self.get("/metrics").await?;
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.trim().parse().ok()
    }

    async fn get(&self, path: &str) -> Option<String> {
        let ask = async {
            let mut stream = TcpStream::connect(self.http).await.ok()?;
            let question = format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
            stream.write_all(question.as_bytes()).await.ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.ok()?;
            Some(answer)
        };
        timeout(Duration::from_secs(1), ask).await.ok()?
    }

    /// Kills it (SIGKILL): it says goodbye to nobody.
    ///
    /// # Errors
    /// When it is dead already.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().with_context(|| format!("{} is dead already", self.name))?;
        child.start_kill()?;
        child.wait().await?;
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits until it has; how it ended, and how long it took.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn terminate(&mut self) -> anyhow::Result<(ExitStatus, Duration)> {
        self.signal(Signal::TERM)?;
        let begun = Instant::now();
        let mut child = self.child.take().with_context(|| format!("{} is dead already", self.name))?;
        let status = timeout(END_MAX, child.wait()).await;
        let status = status.with_context(|| format!("{} did not end in {END_MAX:?}", self.name))??;
        Ok((status, begun.elapsed()))
    }

    /// Stops it where it is (SIGSTOP): its sockets stay open, nothing is answered.
    ///
    /// # Errors
    /// When it is dead.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// When it is dead.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = self.pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        let pid = pid.with_context(|| format!("{} is dead", self.name))?;
        kill_process(pid, signal).with_context(|| format!("{} cannot be signalled", self.name))
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}
