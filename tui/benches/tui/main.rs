//! What the client costs, run by `cargo xtask bench tui`: beside weechat and irssi, each in a pseudo-terminal, in turns;
//! and alone, where they have nothing of the kind. This file prints and writes down; it knows not how things are
//! measured.

#![expect(
    clippy::unwrap_used,
    reason = "the tests' server, which is used here, says so where it cannot go on"
)]

mod beside;
#[path = "../../tests/it/fake.rs"]
#[expect(dead_code, reason = "tests use all of it")]
mod fake;
mod feed;
mod flood;
mod frames;
mod keys;
mod program;
mod report;

use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use report::{Limit, Target};

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism()?;
    let load = std::fs::read_to_string("/proc/loadavg")?;
    println!("{cores} cores, load {}\n", load.trim());
    let beside = beside::measure().await?;
    let frames = frames::measure().await?;
    let flood = flood::measure().await?;
    let (ours, slowest) = (&beside.ours, frames.iter().map(|frame| frame.p99_ms).fold(0.0, f64::max));
    // The first of them is the shortest backlog, the last the longest.
    let growth = frames.last().zip(frames.first()).map(|(long, short)| long.p50_ms / short.p50_ms);
    let targets = [
        Target::new("first paint", ours.first_paint_ms, Limit::AtMost(20.0), "ms"),
        Target::new("memory, idle", ours.idle_mib, Limit::AtMost(12.0), "MiB"),
        Target::new("memory, 10,000 messages", ours.full_mib, Limit::AtMost(20.0), "MiB"),
        Target::new("frame build p99, 200x60", slowest, Limit::AtMost(2.0), "ms"),
        // Timing of microseconds is no exacter than that on a machine with other work.
        Target::new("frame p50, 100,000 to 1,000", growth.context("frames")?, Limit::AtMost(1.5), "times"),
        Target::new("key to bytes p99", ours.key_p99_ms, Limit::AtMost(8.0), "ms"),
        Target::new("draws a second, flood", flood.draws_a_second as f64, Limit::AtMost(60.0), ""),
        Target::new("processor, idle", ours.idle_cpu * 100.0, Limit::Rounds(0.0), "%"),
        Target::new("link event to paint, worst", flood.link_worst_ms, Limit::AtMost(16.0), "ms"),
    ];
    report::print(&targets);
    write(&json!({
        "cores": cores.get(), "load": load.trim(), "beside": beside.rows, "frames": frames, "flood": flood,
        "targets": targets,
    }))
}

fn write(results: &Value) -> anyhow::Result<()> {
    let workspace =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the client lies in a workspace")?;
    let folder = workspace.join("target/bench");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("tui.json"), serde_json::to_string_pretty(results)?)?;
    println!("\nwritten to target/bench/tui.json");
    Ok(())
}
