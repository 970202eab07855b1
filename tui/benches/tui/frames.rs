//! Owns what a frame costs, in this process: the model drawn, compared with the frame before, and what differs written
//! as bytes for a terminal. Before each a message comes, so that every row of the backlog moves.

use chat_testbed::percentile;
use chat_tui::measure::Front;
use chat_tui::net::event::{NetEvent, Origin};
use serde::Serialize;
use tokio::time::{Duration, Instant, sleep};

use crate::fake::room;
use crate::feed::{ROOM, entry};

/// Messages that have come before the frames. A room keeps 10,000 of them.
const BACKLOGS: [u64; 3] = [1_000, 10_000, 100_000];
/// Frames of each.
const FRAMES: u64 = 2_000;
/// Between two of them. The program waits before each, too; who never waits is interrupted wherever others have work.
const GAP: Duration = Duration::from_millis(2);
/// Columns and rows.
const SIZE: (u16, u16) = (200, 60);

/// What frames cost behind one backlog.
#[derive(Debug, Serialize)]
pub(crate) struct Frame {
    messages: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    bytes_p50: f64,
}

/// Measures and prints.
pub(crate) async fn measure() -> anyhow::Result<Vec<Frame>> {
    println!("\n{:<22}{:>12}{:>12}{:>16}", "frame, 200x60", "p50", "p99", "bytes, p50");
    let mut all = Vec::new();
    for messages in BACKLOGS {
        all.push(frames(messages).await?);
    }
    Ok(all)
}

async fn frames(messages: u64) -> anyhow::Result<Frame> {
    let mut front = Front::new(room(ROOM), SIZE)?;
    let hears = |front: &mut Front, n: u64| {
        front.hears(NetEvent::Entry { message: entry(n), out: None, origin: Origin::Live });
    };
    (1..=messages).for_each(|n| hears(&mut front, n));
    front.draw()?;
    let (mut took, mut bytes) = (Vec::new(), Vec::new());
    for n in 1..=FRAMES {
        sleep(GAP).await;
        hears(&mut front, messages + n);
        let begun = Instant::now();
        let written = front.draw()?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        bytes.push(written as f64);
    }
    let [p50_ms, p99_ms] = [0.5, 0.99].map(|share| percentile(&mut took, share));
    let bytes_p50 = percentile(&mut bytes, 0.5);
    println!("{messages:<8}{:<14}{p50_ms:>9.3} ms{p99_ms:>9.3} ms{bytes_p50:>16.0}", "messages");
    Ok(Frame { messages, p50_ms, p99_ms, bytes_p50 })
}
