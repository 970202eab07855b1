//! Owns what a key press costs the one who presses it: from the write into the terminal to the first byte that comes
//! back.

use anyhow::Context;
use chat_testbed::Terminal;
use tokio::time::{Duration, Instant};

use crate::program::{DEADLINE, rests};

/// Keys that are counted.
const KEYS: usize = 500;
/// Between two keys at the least, and what chance adds: a key held down repeats 30 times a second, people are slower.
const GAP: Duration = Duration::from_millis(33);
const GAP_MORE: Duration = Duration::from_millis(17);

/// Presses them, a letter and its deletion in turns; what each took, in milliseconds.
pub(crate) async fn press(terminal: &mut Terminal) -> anyhow::Result<Vec<f64>> {
    let mut took = Vec::with_capacity(KEYS);
    for key in ["x", "\x7f"].into_iter().cycle().take(KEYS) {
        let pressed = Instant::now();
        terminal.press(key);
        let output = terminal.next(pressed + DEADLINE).await.context("a key shows nothing")?;
        took.push((output.at - pressed).as_secs_f64() * 1e3);
        rests(terminal, GAP + GAP_MORE.mul_f64(fastrand::f64())).await;
    }
    Ok(took)
}
