//! Owns what the processes of a run cost while it lasts: their share of a core, their memory, and what Redis is asked
//! in a second. Sampled; knows nothing of chat.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use chat_testbed::{RedisConnection, Usage};
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Between two samples.
const EVERY: Duration = Duration::from_millis(200);

/// The highest figures of one process in a run.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Peak {
    /// Of one core, over a fifth of a second.
    pub cpu: f64,
    /// Resident memory, in MiB.
    pub rss_mib: f64,
}

/// The highest figures of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Load {
    /// By process.
    pub processes: BTreeMap<String, Peak>,
    /// Commands that Redis carried out in a second, those inside of scripts included; over a fifth of a second.
    pub redis_commands_per_second: f64,
    /// Of one core, Redis itself.
    pub redis_cpu: f64,
}

/// Figures of one process at one moment.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    cpu_seconds: f64,
}

/// Samples until it is told to stop.
pub async fn watch(processes: Vec<(String, u32)>, redis: SocketAddr, stop: CancellationToken) -> Load {
    let mut load = Load::default();
    let (mut before, mut redis_before) = (BTreeMap::new(), None);
    let mut connection = RedisConnection::open(redis, None).await.ok();
    let mut pace = interval(EVERY);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(pace.tick()).await.is_some() {
        for (name, pid) in &processes {
            let Some((sample, rss_mib)) = sample(*pid) else { continue };
            let peak = load.processes.entry(name.clone()).or_default();
            peak.rss_mib = peak.rss_mib.max(rss_mib);
            if let Some(share) = share(before.insert(*pid, sample), sample) {
                peak.cpu = peak.cpu.max(share);
            }
        }
        let Some(redis) = &mut connection else { continue };
        match redis_sample(redis).await {
            Some((sample, commands)) => {
                let was: Option<(Sample, f64)> = redis_before.replace((sample, commands));
                // Where Redis was late to answer, the next answer comes soon: nothing can be read off a short time.
                let was = was.filter(|(was, _)| sample.at - was.at >= EVERY / 2);
                if let Some((was, commands_before)) = was {
                    let rate = (commands - commands_before) / (sample.at - was.at).as_secs_f64();
                    load.redis_commands_per_second = load.redis_commands_per_second.max(rate);
                    load.redis_cpu = share(Some(was), sample).unwrap_or_default().max(load.redis_cpu);
                }
            }
            // It was restarted, or is gone: what it did until then counts.
            None => connection = None,
        }
    }
    load
}

fn share(before: Option<Sample>, now: Sample) -> Option<f64> {
    let before = before?;
    let seconds = (now.at - before.at).as_secs_f64();
    (seconds > 0.0).then(|| (now.cpu_seconds - before.cpu_seconds) / seconds)
}

fn sample(pid: u32) -> Option<(Sample, f64)> {
    let Usage { cpu_seconds, rss_mib } = Usage::of(pid)?;
    Some((Sample { at: Instant::now(), cpu_seconds }, rss_mib))
}

/// What a process has taken until now, in seconds of a core.
pub(crate) fn cpu_seconds(pid: u32) -> Option<f64> {
    Usage::of(pid).map(|usage| usage.cpu_seconds)
}

async fn redis_sample(redis: &mut RedisConnection) -> Option<(Sample, f64)> {
    let info = redis.command(&["INFO", "cpu", "commandstats"]).await.ok()?.text()?;
    let (cpu_seconds, commands) = redis_spent(&info)?;
    Some((Sample { at: Instant::now(), cpu_seconds }, commands))
}

/// What Redis has taken until now, in seconds of a core, and the commands it has carried out: from its `INFO`.
pub(crate) fn redis_spent(info: &str) -> Option<(f64, f64)> {
    let number = |name: &str| -> Option<f64> {
        let line = info.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').trim().parse().ok()
    };
    let cpu_seconds = number("used_cpu_sys:")? + number("used_cpu_user:")?;
    let calls = info.lines().filter(|line| line.starts_with("cmdstat_"));
    let commands =
        calls.filter_map(|line| line.split("calls=").nth(1)?.split(',').next()?.parse::<f64>().ok());
    Some((cpu_seconds, commands.sum()))
}
