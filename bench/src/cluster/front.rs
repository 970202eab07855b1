//! Owns what stands before the nodes: our own front-end as a process, HAProxy or nginx, with the shipped settings.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use chat_testbed::{Backend, Brand, LoadBalancer, LoadBalancerOptions, free_port};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::Transport;
use clap::ValueEnum;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::{Plan, log};

/// How long a front-end may take to open its ports.
const OPEN_MAX: Duration = Duration::from_secs(10);

/// What stands before the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FrontKind {
    /// `chat-server balance`
    Balance,
    /// HAProxy
    #[value(name = "haproxy")]
    HaProxy,
    /// nginx
    Nginx,
}

/// Where clients come in.
#[derive(Debug, Clone, Copy)]
pub struct Ways {
    tcp: SocketAddr,
    http: SocketAddr,
}

impl Ways {
    /// For the client's dialler.
    pub fn endpoint(&self, transport: Transport) -> Endpoint {
        let addr = match transport {
            Transport::Tcp => self.tcp,
            Transport::Ws => self.http,
        };
        Endpoint::new(addr.ip().to_string(), addr.port(), transport)
    }
}

/// A running front-end.
#[derive(Debug)]
pub(super) struct Front {
    ways: Ways,
    program: Program,
}

/// What runs; gone when dropped.
#[derive(Debug)]
enum Program {
    Ours(Child),
    Others { _running: LoadBalancer },
}

impl Front {
    pub(super) async fn start(plan: &Plan, backends: Vec<Backend>) -> anyhow::Result<Self> {
        match plan.front {
            FrontKind::Balance => Self::balance(plan, &backends).await,
            FrontKind::HaProxy => Self::others(Brand::HaProxy, backends).await,
            FrontKind::Nginx => Self::others(Brand::Nginx, backends).await,
        }
    }

    async fn others(brand: Brand, backends: Vec<Backend>) -> anyhow::Result<Self> {
        let running = LoadBalancer::start(LoadBalancerOptions::new(brand, backends)).await?;
        let ways = Ways { tcp: running.tcp(), http: running.http() };
        Ok(Self { ways, program: Program::Others { _running: running } })
    }

    async fn balance(plan: &Plan, backends: &[Backend]) -> anyhow::Result<Self> {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let ways = Ways { tcp: local(free_port()?), http: local(free_port()?) };
        let mut command = Command::new(&plan.server);
        command.arg("balance").args(["--listen-tcp", &ways.tcp.to_string()]);
        command.args(["--listen-http", &ways.http.to_string(), "--listen-admin", "off"]);
        for backend in backends {
            let Backend { tcp, http } = backend;
            command.args(["--backend", &format!("{}:{}:{}", tcp.ip(), tcp.port(), http.port())]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log(&plan.folder, "front")?);
        let child = command.process_group(chat_testbed::group()?).kill_on_drop(true).spawn();
        let child = child.with_context(|| format!("cannot start {}", plan.server.display()))?;
        open(ways.tcp, plan).await?;
        Ok(Self { ways, program: Program::Ours(child) })
    }

    pub(super) fn ways(&self) -> Ways {
        self.ways
    }

    pub(super) fn pid(&self) -> Option<u32> {
        match &self.program {
            Program::Ours(child) => child.id(),
            Program::Others { .. } => None,
        }
    }
}

async fn open(addr: SocketAddr, plan: &Plan) -> anyhow::Result<()> {
    let until = Instant::now() + OPEN_MAX;
    while TcpStream::connect(addr).await.is_err() {
        let log = plan.folder.join("front.log");
        ensure!(Instant::now() < until, "the front-end does not open {addr}: read {}", log.display());
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
