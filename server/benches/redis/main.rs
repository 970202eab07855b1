//! What a cluster costs on Redis, run by `cargo xtask bench redis`: publishing beside plain XADD and the script that was
//! tried before, a message's way from node to node beside a raw hop, and what an idle node asks. Everything that is
//! compared is measured in one run, in turns. This file prints and writes down; it knows not how things are measured.

mod idle;
mod latency;
mod replicated;
mod throughput;

use std::path::Path;

use anyhow::Context;
use chat_testbed::{RedisConnection, RedisOptions, RedisServer};
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let server = RedisServer::start(RedisOptions::default()).await?;
    let cores = std::thread::available_parallelism()?;
    let version = info(&mut server.connect().await?, "server", "redis_version").await?;
    println!("redis {version}, {cores} cores\n");
    let throughput = throughput::measure(&server).await?;
    let latency = latency::measure(&server).await?;
    let replicated = replicated::measure().await?;
    let idle = idle::measure().await?;
    write(&json!({
        "redis": version, "cores": cores.get(), "throughput": throughput, "latency": latency, "replicated": replicated,
        "idle": idle,
    }))
}

fn write(results: &Value) -> anyhow::Result<()> {
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the server lies in a workspace")?;
    let folder = workspace.join("target/bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("redis.json"), serde_json::to_string_pretty(results)?)?;
    println!("written to target/bench/redis.json");
    Ok(())
}

/// A figure of Redis' INFO.
async fn info(connection: &mut RedisConnection, section: &str, name: &str) -> anyhow::Result<String> {
    let text = connection.command(&["INFO", section]).await?.text().context("INFO is text")?;
    let figure = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    figure.map(str::to_owned).with_context(|| format!("INFO {section} names no {name}"))
}
