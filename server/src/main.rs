//! The program `chat-server`: arguments, settings, log, run, exit code. Everything else is in the library.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use chat_server::balancer::Balancer;
use chat_server::cli::{Cli, Command, NodesFlags};
use chat_server::config::{Config, Loaded};
use chat_server::{descriptors, logging, shutdown};
use mimalloc::MiMalloc;

/// After a node's death hundreds come back within a tenth of a second, each with some hundred allocations: glibc grew
/// its arenas page by page meanwhile, and a return took a tenth longer (measured by `cargo xtask chaos --scenario kill`).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Whoever insists is obeyed at once, and told that it was not an orderly end.
const SECOND_SIGNAL: &str = "ended at the second signal: clients that had not moved yet were cut off";

fn main() -> ExitCode {
    let cli = Cli::from_args();
    match start(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("chat-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: &Cli) -> anyhow::Result<()> {
    let loaded = Loaded::read(&cli.sources(environment()))?;
    if let Some(Command::CheckConfig(_)) = cli.command {
        print!("{}", loaded.to_toml());
        return Ok(());
    }
    logging::init(&loaded.config.log).context("cannot start the log")?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    match &cli.command {
        Some(Command::Nodes(flags)) => runtime.block_on(nodes(&loaded.config, flags)),
        Some(Command::Balance(_)) => runtime.block_on(balance(loaded.config)),
        _ => runtime.block_on(serve(loaded.config)),
    }
}

/// The environment; what is not UTF-8 cannot be ours.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

async fn balance(config: Config) -> anyhow::Result<()> {
    let config = config.balancer;
    anyhow::ensure!(
        !config.backends.is_empty(),
        "no server to balance to: name one with --backend HOST:TCP:HTTP"
    );
    anyhow::ensure!(
        config.listen_tcp.is_some() || config.listen_http.is_some(),
        "both ports are off: give --listen-tcp or --listen-http an address"
    );
    if let Some((backend, addr)) = config.own_backend() {
        anyhow::bail!(
            "backend {backend} is this front-end itself, which listens on {addr}: name the servers, or another port"
        );
    }
    descriptors::raise();
    let balancer = Balancer::bind(config)?;
    let balanced = shutdown::run_until_signal(|shutdown| balancer.run(shutdown)).await?;
    balanced.context(SECOND_SIGNAL)
}

async fn nodes(config: &Config, flags: &NodesFlags) -> anyhow::Result<()> {
    let nodes = chat_server::cluster_nodes(config).await?;
    anyhow::ensure!(!nodes.is_empty(), "no node holds a lease there: none runs, or none reaches its Redis");
    let shown = if flags.json { chat_server::nodes::json(&nodes) } else { chat_server::nodes::table(&nodes) };
    match std::io::stdout().write_all(shown.as_bytes()) {
        // `chat-server nodes | head`: whoever reads has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write the nodes"),
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    anyhow::ensure!(
        config.listen_tcp.is_some() || config.listen_http.is_some(),
        "both ports are off: give --listen-tcp or --listen-http an address"
    );
    descriptors::raise();
    let served = shutdown::run_until_signal(|shutdown| chat_server::run(config, shutdown)).await?;
    served.context(SECOND_SIGNAL)?
}
