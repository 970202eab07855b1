//! Owns real load balancers for tests, HAProxy and nginx: process, ports, folder, gone when dropped. Their
//! configuration is the file that is shipped in `deploy/`, with addresses put in, so that what is tested is what is
//! shipped. It knows nothing of what passes.

mod shipped;

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::legacy::group;
use crate::program::{Folder, Process, free_port};
use shipped::Places;

/// How long one may take from its start to its first connection.
const START_MAX: Duration = Duration::from_secs(20);
/// How often a port is tried meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Ports that are tried before a start fails.
const STARTS_MAX: u32 = 20;
/// Lines of its log that an error shows.
const LOG_LINES_MAX: usize = 12;

/// Whose load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brand {
    /// HAProxy, as `deploy/haproxy/haproxy.cfg` has it.
    HaProxy,
    /// nginx, as `deploy/nginx/nginx.conf` has it.
    Nginx,
}

impl Brand {
    fn program(self) -> &'static str {
        match self {
            Self::HaProxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// The program on its shipped configuration.
    fn command(self, config: &Path, folder: &Path) -> Command {
        let mut command = Command::new(self.program());
        match self {
            // In the foreground, one process.
            Self::HaProxy => command.arg("-db").arg("-f").arg(config),
            Self::Nginx => command.args(["-e", "stderr", "-g", "daemon off;", "-c"]).arg(config),
        };
        command.current_dir(folder).stdin(Stdio::null());
        command
    }
}

/// A server behind a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backend {
    /// Its port for lines.
    pub tcp: SocketAddr,
    /// Its port for HTTP: WebSocket, health. On the same host.
    pub http: SocketAddr,
}

/// How a load balancer is started.
#[derive(Debug, Clone)]
pub struct LoadBalancerOptions {
    brand: Brand,
    backends: Vec<Backend>,
    edits: Vec<Edit>,
}

/// A change that an operator would make to the shipped file.
#[derive(Debug, Clone)]
enum Edit {
    Uncomment(String),
    Replace { from: String, to: String },
}

impl LoadBalancerOptions {
    /// As shipped, in front of these.
    pub fn new(brand: Brand, backends: impl IntoIterator<Item = Backend>) -> Self {
        Self { brand, backends: backends.into_iter().collect(), edits: Vec::new() }
    }

    /// Takes in a line that the shipped file has as a comment. A file without it does not start.
    #[must_use]
    pub fn uncomment(mut self, line: &str) -> Self {
        self.edits.push(Edit::Uncomment(line.to_owned()));
        self
    }

    /// Puts another text in the place of one in the shipped file. A file without it does not start.
    #[must_use]
    pub fn replace(mut self, from: &str, to: &str) -> Self {
        self.edits.push(Edit::Replace { from: from.to_owned(), to: to.to_owned() });
        self
    }
}

/// A running load balancer.
#[derive(Debug)]
pub struct LoadBalancer {
    options: LoadBalancerOptions,
    tcp: SocketAddr,
    http: SocketAddr,
    // Before the folder: it goes when nobody writes there any more.
    _process: Process,
    folder: Folder,
}

impl LoadBalancer {
    /// Starts one on free ports of the loopback, as whoever runs the test, and waits until it takes connections.
    ///
    /// # Errors
    /// When the program is not there or does not come up; the error shows the end of what it said.
    pub async fn start(options: LoadBalancerOptions) -> anyhow::Result<Self> {
        let folder = Folder::create()?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let [tcp, http] = free_addresses()?;
            match launch(&options, Places { tcp, http, folder: folder.path() }).await? {
                Ok(process) => return Ok(Self { options, tcp, http, _process: process, folder }),
                // Somebody else has taken a port in between.
                Err(log) if log.contains("in use") && attempt < STARTS_MAX => {}
                Err(log) => bail!("{} ended:\n{log}", options.brand.program()),
            }
        }
    }

    /// Whose it is.
    pub fn brand(&self) -> Brand {
        self.options.brand
    }

    /// Where it takes clients that speak lines.
    pub fn tcp(&self) -> SocketAddr {
        self.tcp
    }

    /// Where it takes HTTP and WebSocket clients.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        read_log(self.folder.path())
    }

    /// Waits until it has said this.
    ///
    /// # Errors
    /// When it does not in twenty seconds; the error shows the end of what it said.
    pub async fn has_said(&self, text: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_MAX;
        while !self.log().contains(text) {
            ensure!(Instant::now() < deadline, "{text:?} was not said:\n{}", end_of_log(self.folder.path()));
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Has the program judge its configuration, without starting it; gives what it says.
    ///
    /// # Errors
    /// When it finds the configuration wrong; the error is what it says.
    pub fn check(options: &LoadBalancerOptions) -> anyhow::Result<String> {
        let folder = Folder::create()?;
        let [tcp, http] = free_addresses()?;
        let config = write_config(options, Places { tcp, http, folder: folder.path() })?;
        let flag = if options.brand == Brand::HaProxy { "-c" } else { "-t" };
        let mut command = options.brand.command(&config, folder.path());
        let output = command.arg(flag).output().with_context(|| not_there(options.brand))?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        ensure!(output.status.success(), "{said}");
        Ok(said)
    }
}

fn not_there(brand: Brand) -> String {
    format!("{} cannot be started, is it installed?", brand.program())
}

fn free_addresses() -> anyhow::Result<[SocketAddr; 2]> {
    Ok([free_port()?, free_port()?].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port))))
}

fn write_config(options: &LoadBalancerOptions, places: Places<'_>) -> anyhow::Result<PathBuf> {
    let config = places.folder.join("config");
    std::fs::write(&config, shipped::config(options, places)?)?;
    Ok(config)
}

/// A start: the process, or the end of its log where it has ended.
async fn launch(
    options: &LoadBalancerOptions,
    places: Places<'_>,
) -> anyhow::Result<Result<Process, String>> {
    let config = write_config(options, places)?;
    let log = File::create(log_path(places.folder))?;
    let mut command = options.brand.command(&config, places.folder);
    command.stdout(log.try_clone()?).stderr(log).process_group(group()?);
    let child = command.spawn().with_context(|| not_there(options.brand))?;
    let mut process = match options.brand {
        Brand::HaProxy => Process::single(child),
        // Its workers would go on listening.
        Brand::Nginx => Process::with_children(child),
    };
    let deadline = Instant::now() + START_MAX;
    loop {
        // The port for lines is opened first, and nothing reaches a backend from this one without a request.
        let accepts = TcpStream::connect(places.http).await.is_ok();
        if process.ended()?.is_some() {
            return Ok(Err(end_of_log(places.folder)));
        }
        if accepts {
            return Ok(Ok(process));
        }
        let log = || end_of_log(places.folder);
        ensure!(
            Instant::now() < deadline,
            "{} does not listen after {START_MAX:?}:\n{}",
            options.brand.program(),
            log()
        );
        sleep(LOOK_EVERY).await;
    }
}

fn log_path(folder: &Path) -> PathBuf {
    folder.join("log")
}

fn read_log(folder: &Path) -> String {
    let log = std::fs::read(log_path(folder)).unwrap_or_default();
    String::from_utf8_lossy(&log).into_owned()
}

fn end_of_log(folder: &Path) -> String {
    let log = read_log(folder);
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_MAX)..].join("\n")
}
