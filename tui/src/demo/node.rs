//! Owns a process that is one of the demo's nodes: says where it listens, serves, and ends with the demo, however
//! that ends. Knows nothing of the other nodes and of who started it.

use std::io::Write as _;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use anyhow::Context;
use chat_protocol::NodeId;
use chat_server::Server;
use chat_server::config::{Config, RedisUrl};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long connections and Redis may take to part.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// Where a node listens on loopback: the one line it says on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ports {
    pub(super) tcp: u16,
    pub(super) http: u16,
}

/// Serves as `name` on the Redis until standard input closes.
///
/// # Errors
/// When the node cannot start; the last line says why.
pub(crate) async fn run(name: NodeId, redis: &str) -> anyhow::Result<()> {
    wake_when_the_demo_dies()?;
    let mut demo_ends = pin!(standard_input_closes());
    let mut config = Config::loopback(name);
    config.redis.url = Some(url(redis)?);
    // Nobody of the demo's is left to find another node in peace.
    config.timing.drain = Duration::ZERO;
    let server = tokio::select! {
        server = Server::bind(config) => server?,
        () = &mut demo_ends => return Ok(()),
    };
    say(ports(&server)?).context("cannot say where it listens")?;
    let shutdown = CancellationToken::new();
    let mut serving = pin!(server.run(shutdown.clone()));
    tokio::select! {
        () = &mut serving => anyhow::bail!("it stopped serving"),
        () = &mut demo_ends => {}
    }
    shutdown.cancel();
    // A lease that is given back lets the next demo's node of this name start at once. Without, it waits.
    let _late = timeout(GOODBYE_MAX, serving).await;
    Ok(())
}

/// A Redis by the name a person gave it.
///
/// # Errors
/// Says what is allowed, and nothing of what was given: a password may be in it.
pub(super) fn url(text: &str) -> anyhow::Result<RedisUrl> {
    RedisUrl::parse(text).map_err(|allowed| anyhow::anyhow!("--redis cannot be that: {allowed}"))
}

fn ports(server: &Server) -> anyhow::Result<Ports> {
    let port =
        |addr: Option<SocketAddr>| addr.map(|addr| addr.port()).context("a node listens on both ports");
    Ok(Ports { tcp: port(server.tcp_addr())?, http: port(server.http_addr())? })
}

fn say(ports: Ports) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}", serde_json::to_string(&ports)?)?;
    Ok(output.flush()?)
}

/// The demo holds the other end and never writes: it closes when the demo ends, whatever ends it.
async fn standard_input_closes() {
    let (mut input, mut ignored) = (tokio::io::stdin(), [0; 64]);
    while matches!(input.read(&mut ignored).await, Ok(1..)) {}
}

/// A node that hangs (SIGSTOP) when the demo is killed would never see its standard input close.
fn wake_when_the_demo_dies() -> anyhow::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::CONT))
        .context("cannot ask for a signal at the demo's death")?;
    Ok(())
}
