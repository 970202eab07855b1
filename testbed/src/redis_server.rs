//! Owns a real `redis-server` for tests: its process, port and folder, gone when dropped. It knows nothing
//! of what is stored there.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use parking_lot::Mutex;
use rustix::process::Signal;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::legacy::group;
use crate::program::{Folder, Process, free_port};
use crate::redis_connection::{RedisConnection, Reply};

/// How long a Redis may take from its start to its first answer.
const START_MAX: Duration = Duration::from_secs(20);
/// Ports that are tried before a start fails.
const STARTS_MAX: u32 = 20;
/// Lines of the server's log that are kept for error messages.
const LOG_LINES_MAX: usize = 12;

/// How a Redis is started. The default: no password, a primary, keeps nothing over a restart.
#[derive(Debug, Clone, Default)]
pub struct RedisOptions {
    password: Option<String>,
    append_only: bool,
    primary: Option<Primary>,
    arguments: Vec<String>,
}

#[derive(Debug, Clone)]
struct Primary {
    addr: SocketAddr,
    password: Option<String>,
}

impl RedisOptions {
    /// Clients have to say this password.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Every acknowledged write is on disk, and there again after a restart.
    #[must_use]
    pub fn append_only(mut self) -> Self {
        self.append_only = true;
        self
    }

    /// A replica of this primary.
    #[must_use]
    pub fn replica_of(self, primary: &RedisServer) -> Self {
        let addr = primary.addr();
        self.replica_through(primary, addr)
    }

    /// A replica of this primary that reaches it at another address: through a proxy.
    #[must_use]
    pub fn replica_through(mut self, primary: &RedisServer, addr: SocketAddr) -> Self {
        self.primary = Some(Primary { addr, password: primary.options.password.clone() });
        self
    }

    /// Writes are refused when so much memory is in use, instead of old keys being thrown out.
    #[must_use]
    pub fn max_memory(self, bytes: u64) -> Self {
        self.argument("maxmemory", &bytes.to_string()).argument("maxmemory-policy", "noeviction")
    }

    /// Any other setting of redis.conf, without the dashes.
    #[must_use]
    pub fn argument(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([format!("--{name}"), value.to_owned()]);
        self
    }

    fn command_line(&self, port: u16, folder: &Path) -> Vec<String> {
        let port = port.to_string();
        let folder = folder.to_string_lossy();
        let append_only = if self.append_only { "yes" } else { "no" };
        let fixed = [
            ["--bind", "127.0.0.1"],
            ["--port", &port],
            ["--dir", &folder],
            ["--save", ""],
            ["--appendonly", append_only],
            ["--appendfsync", "always"],
            // A replica does not wait for others that might come, and a lost one is noticed soon.
            ["--repl-diskless-sync-delay", "0"],
            ["--repl-ping-replica-period", "1"],
        ];
        let mut line: Vec<String> = fixed.concat().into_iter().map(str::to_owned).collect();
        if let Some(password) = &self.password {
            line.extend(["--requirepass".to_owned(), password.clone()]);
        }
        if let Some(Primary { addr, password }) = &self.primary {
            line.extend(["--replicaof".to_owned(), addr.ip().to_string(), addr.port().to_string()]);
            line.extend(password.iter().flat_map(|password| ["--masterauth".to_owned(), password.clone()]));
        }
        line.extend_from_slice(&self.arguments);
        line
    }
}

/// A running Redis.
#[derive(Debug)]
pub struct RedisServer {
    options: RedisOptions,
    port: u16,
    process: Process,
    // Behind the process: it goes when nobody writes there any more.
    folder: Folder,
}

impl RedisServer {
    /// Starts a Redis on a free port of the loopback and waits until it answers; a replica also until it has
    /// what its primary has.
    ///
    /// # Errors
    /// When there is no `redis-server`, or it does not come up; the error shows the end of its log.
    pub async fn start(options: RedisOptions) -> anyhow::Result<Self> {
        let folder = Folder::create()?;
        let mut attempt = 0;
        let (port, process) = loop {
            attempt += 1;
            let port = free_port()?;
            match launch(&options, port, folder.path()).await? {
                Launched::Ready(process) => break (port, process),
                // Somebody else has taken the port in between.
                Launched::Ended(log) if log.contains("in use") && attempt < STARTS_MAX => {}
                Launched::Ended(log) => bail!("redis-server ended:\n{log}"),
            }
        };
        let server = Self { options, port, process, folder };
        server.answers().await?;
        Ok(server)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address as a URL, with the password.
    pub fn url(&self) -> String {
        self.url_through(self.addr())
    }

    /// The same with the number of a database.
    pub fn url_of_db(&self, db: u32) -> String {
        format!("{}/{db}", self.url())
    }

    /// The URL for whoever reaches it at another address: through a proxy.
    pub fn url_through(&self, addr: SocketAddr) -> String {
        let password = self.options.password.as_ref().map(|password| format!(":{password}@"));
        format!("redis://{}{addr}", password.unwrap_or_default())
    }

    /// Opens a connection to it.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn connect(&self) -> anyhow::Result<RedisConnection> {
        RedisConnection::open(self.addr(), self.options.password.as_deref()).await
    }

    /// Has a command carried out, over a connection of its own.
    ///
    /// # Errors
    /// When the server is not there, or silent for ten seconds. What Redis refuses is a [`Reply::Error`].
    pub async fn command<A: AsRef<[u8]>>(&self, arguments: &[A]) -> anyhow::Result<Reply> {
        self.connect().await?.command(arguments).await
    }

    /// Waits as long as is said by Redis' own clock: what it was to forget by then is forgotten.
    ///
    /// # Errors
    /// When the server is not there.
    pub async fn wait_for_clock(&self, time: Duration) -> anyhow::Result<()> {
        let seconds = time.as_secs_f64().to_string();
        let key = format!("chat-testbed:nothing:{}", std::process::id());
        let mut connection = self.connect().await?;
        let reply = connection.command_within(&["BLPOP", &key, &seconds], time + START_MAX).await?;
        ensure!(reply == Reply::Array(Vec::new()), "BLPOP: {reply:?}");
        Ok(())
    }

    /// Makes a replica a primary.
    ///
    /// # Errors
    /// When the server is not there or refuses.
    pub async fn promote(&mut self) -> anyhow::Result<()> {
        let reply = self.command(&["REPLICAOF", "NO", "ONE"]).await?;
        ensure!(matches!(reply, Reply::Simple(_)), "REPLICAOF NO ONE: {reply:?}");
        // It is one over a restart, too.
        self.options.primary = None;
        Ok(())
    }

    /// Kills it as the machine's death does (SIGKILL); [`Self::restart`] brings it back.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port, killing it first where it still runs. What it kept it has again.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.kill();
        match launch(&self.options, self.port, self.folder.path()).await? {
            Launched::Ready(process) => self.process = process,
            Launched::Ended(log) => bail!("redis-server ended at its restart:\n{log}"),
        }
        self.answers().await
    }

    /// Stops the process where it is (SIGSTOP): its sockets stay open, nothing is answered.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        self.process.signal(signal).context("redis-server")
    }

    async fn answers(&self) -> anyhow::Result<()> {
        let reply = self.command(&["PING"]).await?;
        ensure!(reply == Reply::Simple("PONG".into()), "PING: {reply:?}");
        if let Some(Primary { addr, password }) = &self.options.primary {
            let mut primary = RedisConnection::open(*addr, password.as_deref()).await?;
            let patience = START_MAX.as_millis().to_string();
            let reply = primary.command_within(&["WAIT", "1", &patience], START_MAX * 2).await?;
            ensure!(matches!(reply, Reply::Int(1..)), "the primary has no replica: WAIT: {reply:?}");
        }
        Ok(())
    }
}

/// How a start went.
enum Launched {
    /// It accepts connections.
    Ready(Process),
    /// The process has ended; the end of its log.
    Ended(String),
}

async fn launch(options: &RedisOptions, port: u16, folder: &Path) -> anyhow::Result<Launched> {
    let mut command = Command::new("redis-server");
    command.args(options.command_line(port, folder)).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.process_group(group()?);
    let process = command.spawn().context("redis-server cannot be started, is it installed?")?;
    let mut process = Process::single(process);
    let stdout = process.child.stdout.take().expect("it was piped");
    let (ready, is_ready) = oneshot::channel();
    let log = Arc::new(Mutex::new(VecDeque::new()));
    let kept = log.clone();
    // Ends with the process, when its output ends.
    thread::spawn(move || read_log(stdout, ready, &kept));
    match timeout(START_MAX, is_ready).await {
        Ok(Ok(())) => Ok(Launched::Ready(process)),
        outcome => {
            process.kill();
            let log: Vec<String> = log.lock().iter().cloned().collect();
            ensure!(outcome.is_ok(), "redis-server is not ready after {START_MAX:?}:\n{}", log.join("\n"));
            Ok(Launched::Ended(log.join("\n")))
        }
    }
}

/// Reads the server's log to its end, so that it never has to wait for a reader, and tells when it is ready.
fn read_log(stdout: ChildStdout, ready: oneshot::Sender<()>, kept: &Mutex<VecDeque<String>>) {
    let mut ready = Some(ready);
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        if line.contains("Ready to accept connections") {
            // Nobody listens when the start was given up.
            ready.take().map(|ready| ready.send(()));
        }
        let mut kept = kept.lock();
        kept.push_back(line);
        if kept.len() > LOG_LINES_MAX {
            kept.pop_front();
        }
    }
}
