//! Owns what the client does while much comes in, and how soon it shows that its server has died.

use anyhow::Context;
use chat_testbed::{Terminal, Usage, most_in_a_second, percentile};
use serde::Serialize;
use tokio::time::{Duration, Instant, MissedTickBehavior, interval};

use crate::program::{DEADLINE, Program, Running, online, rests};

/// Messages that come in.
const ALL: u64 = 50_000;
/// Messages that come at once, and how often: 5,000 a second.
const AT_ONCE: u64 = 25;
const EVERY: Duration = Duration::from_millis(5);
/// How a frame begins (synchronized update, mode 2026).
const DRAW: &[u8] = b"\x1b[?2026h";
/// Times that the server dies.
const DEATHS: usize = 20;

/// What was seen.
#[derive(Debug, Serialize)]
pub(crate) struct Flood {
    messages_a_second: f64,
    /// In the second with most of them.
    pub(crate) draws_a_second: usize,
    /// Of one core.
    cpu: f64,
    link_p50_ms: f64,
    pub(crate) link_worst_ms: f64,
}

/// Measures and prints.
pub(crate) async fn measure() -> anyhow::Result<Flood> {
    let (messages_a_second, draws, cpu) = flood().await?;
    let lasted = ALL as f64 / messages_a_second;
    let mut deaths = deaths().await?;
    let flood = Flood {
        messages_a_second,
        draws_a_second: most_in_a_second(&draws),
        cpu,
        link_p50_ms: percentile(&mut deaths, 0.5),
        link_worst_ms: percentile(&mut deaths, 1.0),
    };
    println!(
        "\n{:.0} messages a second in: {:.1} draws a second ({} at most), {:.0} % of a core",
        flood.messages_a_second,
        draws.len() as f64 / lasted,
        flood.draws_a_second,
        flood.cpu * 100.0
    );
    println!(
        "link event to paint: p50 {:.1} ms, worst of {DEATHS} {:.1} ms",
        flood.link_p50_ms, flood.link_worst_ms
    );
    Ok(flood)
}

/// Messages a second until all were shown, when frames were drawn, and the share of a core.
async fn flood() -> anyhow::Result<(f64, Vec<f64>, f64)> {
    let Running { mut terminal, server } = Program::Ours.start_idle().await?;
    let (_feed, mut client) = server.context("ours has a server")?;
    rests(&mut terminal, Duration::from_secs(1)).await;
    let pid = terminal.process_id().context("it runs")?;
    let before = Usage::of(pid).context("it runs")?;
    let begun = Instant::now();
    let talks = async {
        let mut pace = interval(EVERY);
        // What was late comes at once: as many a second, whatever the machine does.
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for _ in 0..ALL / AT_ONCE {
            pace.tick().await;
            client.says(AT_ONCE).await;
        }
    };
    let ((), draws) = tokio::join!(talks, draws(&mut terminal, begun));
    let (seconds, after) = (begun.elapsed().as_secs_f64(), Usage::of(pid).context("it runs")?);
    Ok((ALL as f64 / seconds, draws?, (after.cpu_seconds - before.cpu_seconds) / seconds))
}

/// When frames were drawn, in seconds, until the last message is shown.
async fn draws(terminal: &mut Terminal, begun: Instant) -> anyhow::Result<Vec<f64>> {
    let (last, deadline) = (format!("{ALL:06} "), begun + DEADLINE);
    let (mut draws, mut unread) = (Vec::new(), Vec::new());
    while !terminal.contents().contains(&last) {
        let output = terminal.next(deadline).await.context("the last message is not shown")?;
        unread.extend_from_slice(&output.bytes);
        let begins = unread.windows(DRAW.len()).filter(|window| *window == DRAW).count();
        draws.extend(std::iter::repeat_n((output.at - begun).as_secs_f64(), begins));
        // One that was read in two pieces counts with the second.
        unread.drain(..unread.len().saturating_sub(DRAW.len() - 1));
    }
    Ok(draws)
}

/// From a server's death to the first byte of what is shown of it, in milliseconds.
async fn deaths() -> anyhow::Result<Vec<f64>> {
    let Running { mut terminal, server } = Program::Ours.start_idle().await?;
    let (feed, mut client) = server.context("ours has a server")?;
    let mut took = Vec::with_capacity(DEATHS);
    for _ in 0..DEATHS {
        rests(&mut terminal, Duration::from_millis(200)).await;
        let died = client.dies().await;
        loop {
            let output = terminal.next(died + DEADLINE).await.context("a death is not shown")?;
            if !terminal.status().starts_with(" ●") {
                took.push((output.at - died).as_secs_f64() * 1e3);
                break;
            }
        }
        client = feed.accept().await;
        online(&mut terminal).await;
    }
    Ok(took)
}
