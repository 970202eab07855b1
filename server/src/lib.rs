//! The server: a library that tests and the demo start in their own process, and the program `chat-server`.

pub mod backbone;
pub mod balancer;
pub mod cli;
pub mod config;
pub mod logging;
pub mod room;
pub mod shutdown;
pub mod socket;

/// Serves as one node until `shutdown`.
///
/// # Errors
/// Always: the node is not part of this build yet.
pub async fn run(
    config: config::Config,
    shutdown: tokio_util::sync::CancellationToken,
) -> anyhow::Result<()> {
    drop(shutdown);
    anyhow::bail!("node {} cannot serve: the node is not part of this build yet", config.node)
}
