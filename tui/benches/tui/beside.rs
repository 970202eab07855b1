//! Owns the comparison with the programs people use: first paint, memory, keys, and the processor time of doing nothing.
//! All in one run and in turns, so that a busy machine disturbs all alike.

use anyhow::Context;
use chat_testbed::{Usage, percentile};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::keys;
use crate::program::{Program, Running, rests, until};

/// Times that each program is started for its first paint; one more comes before, and is not counted.
const PAINTS: usize = 11;
/// Times that memory is read.
const ROUNDS: usize = 3;
/// How long nothing is done.
const IDLE: Duration = Duration::from_secs(10);

/// Of all programs.
pub(crate) struct Beside {
    pub(crate) ours: Measured,
    pub(crate) rows: Value,
}

/// Of one program: medians, but for what is named otherwise.
#[derive(Debug, Default, Clone)]
pub(crate) struct Measured {
    pub(crate) first_paint_ms: f64,
    pub(crate) idle_mib: f64,
    pub(crate) full_mib: f64,
    pub(crate) key_p50_ms: f64,
    pub(crate) key_p99_ms: f64,
    /// Of one core.
    pub(crate) idle_cpu: f64,
}

/// Measures and prints.
pub(crate) async fn measure() -> anyhow::Result<Beside> {
    let mut all = Program::ALL.map(|program| (program, Measured::default()));
    first_paints(&mut all).await?;
    memory(&mut all).await?;
    at_rest(&mut all).await?;
    print(&all);
    let rows = all.iter().map(|(program, measured)| (program.name().to_owned(), json(measured)));
    let rows = Value::Object(rows.collect());
    let [(_, ours), ..] = all;
    Ok(Beside { ours, rows })
}

type All = [(Program, Measured); Program::ALL.len()];

/// From the start of the process to the first letter on the screen.
async fn first_paints(all: &mut All) -> anyhow::Result<()> {
    let mut took: [Vec<f64>; Program::ALL.len()] = Default::default();
    for round in 0..=PAINTS {
        for (index, (program, _)) in all.iter().enumerate() {
            let begun = Instant::now();
            let mut terminal = program.start_alone()?;
            let at = until(&mut terminal, |terminal| !terminal.contents().trim().is_empty()).await?;
            if round > 0 {
                took[index].push((at - begun).as_secs_f64() * 1e3);
            }
            // One that is ended while it still starts may leave its home half written.
            rests(&mut terminal, Duration::from_millis(300)).await;
        }
    }
    for ((_, measured), took) in all.iter_mut().zip(&mut took) {
        measured.first_paint_ms = percentile(took, 0.5);
    }
    Ok(())
}

async fn memory(all: &mut All) -> anyhow::Result<()> {
    for (program, measured) in all {
        let (mut idle, mut full) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            idle.push(settled(program.start_idle().await?).await?);
            full.push(settled(program.start_full().await?).await?);
        }
        (measured.idle_mib, measured.full_mib) = (percentile(&mut idle, 0.5), percentile(&mut full, 0.5));
    }
    Ok(())
}

async fn settled(mut running: Running) -> anyhow::Result<f64> {
    running.settles().await;
    Ok(usage(&running)?.rss_mib)
}

/// Keys first, then nothing: all are at rest at the same time.
async fn at_rest(all: &mut All) -> anyhow::Result<()> {
    let mut running = Vec::new();
    for (program, measured) in all.iter_mut() {
        let mut one = program.start_idle().await?;
        one.settles().await;
        let mut took = keys::press(&mut one.terminal).await?;
        (measured.key_p50_ms, measured.key_p99_ms) =
            (percentile(&mut took, 0.5), percentile(&mut took, 0.99));
        one.settles().await;
        running.push(one);
    }
    let before: Vec<Usage> = running.iter().map(usage).collect::<anyhow::Result<_>>()?;
    let begun = Instant::now();
    for one in &mut running {
        // The first one's rest is everybody's: what the others write meanwhile is read behind it.
        rests(&mut one.terminal, IDLE.saturating_sub(begun.elapsed())).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    for (((_, measured), one), before) in all.iter_mut().zip(&running).zip(before) {
        measured.idle_cpu = (usage(one)?.cpu_seconds - before.cpu_seconds) / seconds;
    }
    Ok(())
}

fn usage(running: &Running) -> anyhow::Result<Usage> {
    running.terminal.process_id().and_then(Usage::of).context("the program has ended")
}

fn print(all: &All) {
    println!(
        "{:<10}{:>14}{:>12}{:>18}{:>12}{:>12}{:>12}",
        "", "first paint", "idle", "10,000 messages", "key p50", "key p99", "idle"
    );
    let [(_, ours), ..] = all;
    for (program, measured) in all {
        let Measured { first_paint_ms, idle_mib, full_mib, key_p50_ms, key_p99_ms, idle_cpu } = measured;
        println!(
            "{:<10}{first_paint_ms:>11.1} ms{idle_mib:>8.1} MiB{full_mib:>14.1} MiB{key_p50_ms:>9.2} ms{key_p99_ms:>9.2} ms{:>10.1} %",
            program.name(),
            idle_cpu * 100.0
        );
    }
    for (program, measured) in &all[1..] {
        println!(
            "ours beside {}: first paint {:.2} times, idle {:.2}, full {:.2}, key p50 {:.2}, p99 {:.2}",
            program.name(),
            ours.first_paint_ms / measured.first_paint_ms,
            ours.idle_mib / measured.idle_mib,
            ours.full_mib / measured.full_mib,
            ours.key_p50_ms / measured.key_p50_ms,
            ours.key_p99_ms / measured.key_p99_ms,
        );
    }
}

fn json(measured: &Measured) -> Value {
    let Measured { first_paint_ms, idle_mib, full_mib, key_p50_ms, key_p99_ms, idle_cpu } = measured;
    json!({"first_paint_ms": first_paint_ms, "idle_mib": idle_mib, "full_mib": full_mib,
        "key_ms_p50": key_p50_ms, "key_ms_p99": key_p99_ms, "idle_cpu": idle_cpu})
}
