//! Owns the other direction: what is in the outbox, encoded behind each other, in as few writes as the
//! client takes. Also the heartbeat, and the judgement on who no longer reads or answers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chat_protocol::{CloseReason, ServerMessage};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::WriteHalf;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tracing::debug;

use super::Shared;
use crate::hub::Command;
use crate::room::ConnId;

/// Pings without any sign of life after which the client is taken for gone.
const PINGS_MISSED: u32 = 3;
/// Between two control pings on a WebSocket whose client never said hello; below every common idle timeout: 60 s on
/// AWS' ALB and in nginx, 350 s on NLB.
const CONTROL_PING: Duration = Duration::from_secs(20);
/// Or so many pings of the other kind, where those are set to come sooner.
const CONTROL_PING_PINGS: u32 = 5;
/// Bytes between a client and our newest ping from which on its silence may be slowness.
const SLOW_FROM: u64 = 64 * 1_024;
/// A write buffer larger than this is given back when it is empty.
const BUFFER_KEPT: usize = 16 * 1_024;

/// Writes until the outbox is closed (true: its last words were written) or the client is gone.
pub(super) async fn write(half: &mut WriteHalf<'_>, shared: &Shared, conn: ConnId) -> bool {
    let ping_every = shared.hub.config.timing.ping;
    let mut ping = interval(ping_every);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut buffer = Vec::new();
    let mut control_at = shared.opened + control_every(ping_every);
    loop {
        tokio::select! {
            biased;
            // First: there may always be something to write.
            _ = ping.tick() => {
                if shared.is_gone(ping_every * PINGS_MISSED) {
                    shared.outbox.close(CloseReason::Policy("no pong in three pings"));
                    continue;
                }
                heartbeat(shared, &mut control_at, &mut buffer);
            }
            () = shared.outbox.ready() => {}
        }
        let batch = shared.outbox.take();
        buffer.extend_from_slice(&batch.control);
        for payload in &batch.payloads {
            shared.dialect.put(payload, &mut buffer);
        }
        if let Some(reason) = &batch.close {
            shared.dialect.put_close(reason, &mut buffer);
        }
        shared.unheard.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        match write_all(half, &buffer, shared.hub.config.timing.stall).await {
            Written::All => {}
            Written::Gone => {
                debug!(conn = conn.0, "client is gone");
                return false;
            }
            Written::Stalled => {
                debug!(conn = conn.0, "client does not read");
                shared.hub.metrics.slow_closed.add(1);
                return false;
            }
        }
        if batch.close.is_some() {
            // That the client is gone already changes nothing.
            drop(half.shutdown().await);
            return true;
        }
        buffer.clear();
        if buffer.capacity() > BUFFER_KEPT {
            buffer = Vec::new();
        }
        if batch.was_full {
            shared.drained(conn).await;
        }
    }
}

fn heartbeat(shared: &Shared, control_at: &mut Instant, buffer: &mut Vec<u8>) {
    if shared.hello.load(Ordering::Relaxed) {
        let t = shared.opened.elapsed().as_millis() as u64;
        let spread_ms = shared.hub.spread().as_millis() as u64;
        shared.outbox.say(&ServerMessage::Ping { t, spread_ms });
    } else if shared.dialect.is_web_socket() && Instant::now() >= *control_at {
        *control_at = Instant::now() + control_every(shared.hub.config.timing.ping);
        shared.dialect.put_control_ping(buffer);
    }
}

fn control_every(ping_every: Duration) -> Duration {
    CONTROL_PING.min(ping_every * CONTROL_PING_PINGS)
}

/// What became of bytes on their way to a client.
enum Written {
    All,
    /// The client is gone.
    Gone,
    /// The client took nothing for too long.
    Stalled,
}

/// Writes everything, as long as the client takes something within `stall`.
async fn write_all(half: &mut WriteHalf<'_>, mut bytes: &[u8], stall: Duration) -> Written {
    while !bytes.is_empty() {
        match timeout(stall, half.write(bytes)).await {
            Ok(Ok(count)) if count > 0 => bytes = &bytes[count..],
            Ok(_) => return Written::Gone,
            Err(_) => return Written::Stalled,
        }
    }
    Written::All
}

impl Shared {
    /// A client that says nothing to three pings is gone, unless it has first to read a long way to them: that one is a
    /// slow reader, and is judged by its progress, though not for ever: where nothing of what a client says arrives, it
    /// may hear everything.
    pub(super) fn is_gone(&self, patience: Duration) -> bool {
        if !self.hello.load(Ordering::Relaxed) || !self.listens.load(Ordering::Relaxed) {
            return false;
        }
        let may_be_slow = self.unheard.load(Ordering::Relaxed) >= SLOW_FROM;
        let patience = if may_be_slow { patience.max(self.hub.config.timing.stall) } else { patience };
        self.silent_for() > patience
    }

    /// Rooms that found the outbox full may go on.
    async fn drained(&self, conn: ConnId) {
        for room in self.rooms.each() {
            room.send(Command::Drained(conn)).await;
        }
    }
}
