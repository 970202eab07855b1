//! Owns what waits to be written to one client: a bounded queue of shared payloads. When it is full the
//! client becomes a lagging reader and is served from the log at its own speed: never a loss. Knows no
//! socket and no room.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use chat_protocol::{CloseReason, Payload, ServerMessage};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Bytes of control frames that may wait; a client that pings faster than it reads gets fewer pongs.
const CONTROL_MAX: usize = 1_024;

/// Bytes that wait for all clients of a node together, and the ceiling over them.
#[derive(Debug)]
pub(crate) struct Memory {
    used: AtomicUsize,
    /// 0: off.
    ceiling: usize,
    /// Clients whose outbox is full, and not empty again yet.
    lagging: AtomicUsize,
    /// How often one became full.
    lagged: AtomicU64,
}

impl Memory {
    pub(crate) fn new(ceiling: usize) -> Arc<Self> {
        let (lagging, lagged) = (AtomicUsize::new(0), AtomicU64::new(0));
        Arc::new(Self { used: AtomicUsize::new(0), ceiling, lagging, lagged })
    }

    /// Bytes that wait for all clients.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Clients whose outbox is full now, and how often one became so.
    pub(crate) fn lagging(&self) -> (usize, u64) {
        (self.lagging.load(Ordering::Relaxed), self.lagged.load(Ordering::Relaxed))
    }

    fn lags(&self) {
        self.lagging.fetch_add(1, Ordering::Relaxed);
        self.lagged.fetch_add(1, Ordering::Relaxed);
    }

    fn lags_no_more(&self) {
        self.lagging.fetch_sub(1, Ordering::Relaxed);
    }

    /// More than half of it is used.
    fn is_strained(&self) -> bool {
        self.ceiling > 0 && self.used.load(Ordering::Relaxed) > self.ceiling / 2
    }

    fn is_full(&self) -> bool {
        self.ceiling > 0 && self.used.load(Ordering::Relaxed) >= self.ceiling
    }
}

/// What waits to be written to one client.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// Rooms and the session put in, the connection takes out; held for a push or a swap.
    queue: Mutex<Queue>,
    ready: Notify,
    /// Everything was taken out: the reader may go on.
    emptied: Notify,
    /// Bytes from which on no more entries are taken; 0: off.
    limit: usize,
    memory: Arc<Memory>,
}

#[derive(Debug, Default)]
struct Queue {
    payloads: VecDeque<Payload>,
    /// Frames of the transport's own, which are nobody's message.
    control: Vec<u8>,
    bytes: usize,
    /// Somebody was told that it is full, and waits to hear that it is not.
    lagging: bool,
    close: Option<CloseReason>,
}

/// What a connection has to write.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Frames of the transport's own, to be written first.
    pub(crate) control: Vec<u8>,
    /// In order.
    pub(crate) payloads: VecDeque<Payload>,
    /// Rooms wait to hear that there is room again.
    pub(crate) was_full: bool,
    /// Close after writing, with this reason.
    pub(crate) close: Option<CloseReason>,
}

impl Outbox {
    pub(crate) fn new(limit: usize, memory: Arc<Memory>) -> Arc<Self> {
        Arc::new(Self {
            queue: Mutex::default(),
            ready: Notify::new(),
            emptied: Notify::new(),
            limit,
            memory,
        })
    }

    /// Puts a payload in. False: taken, but it was the last one for now.
    pub(crate) fn push(&self, payload: Payload) -> bool {
        let size = payload.size();
        let mut queue = self.queue.lock();
        if queue.close.is_some() {
            return false;
        }
        let wake = queue.payloads.is_empty();
        queue.bytes += size;
        self.memory.used.fetch_add(size, Ordering::Relaxed);
        queue.payloads.push_back(payload);
        let full = (self.limit > 0 && queue.bytes >= self.limit) || self.memory.is_full();
        if full && !std::mem::replace(&mut queue.lagging, true) {
            self.memory.lags();
        }
        drop(queue);
        if wake {
            self.ready.notify_one();
        }
        !full
    }

    /// Puts in what need not arrive, unless much else waits. False: dropped.
    pub(crate) fn whisper(&self, payload: &Payload) -> bool {
        let is_filled = {
            let queue = self.queue.lock();
            queue.lagging || (self.limit > 0 && queue.bytes + payload.size() > self.limit / 4)
        };
        if is_filled || self.memory.is_strained() {
            return false;
        }
        self.push(payload.clone());
        true
    }

    /// Encodes and puts in.
    pub(crate) fn say(&self, message: &ServerMessage) {
        self.push(Payload::new(message));
    }

    /// Puts in frames of the transport's own.
    pub(crate) fn control(&self, bytes: &[u8]) {
        let mut queue = self.queue.lock();
        if queue.control.len() + bytes.len() <= CONTROL_MAX {
            queue.control.extend_from_slice(bytes);
        }
        drop(queue);
        self.ready.notify_one();
    }

    /// Closes after what is in it was written. The first reason stands.
    pub(crate) fn close(&self, reason: CloseReason) {
        self.queue.lock().close.get_or_insert(reason);
        self.ready.notify_one();
    }

    /// True while the client's requests are not read: their answers would find no room.
    pub(crate) fn is_full(&self) -> bool {
        let bytes = self.queue.lock().bytes;
        (self.limit > 0 && bytes >= self.limit) || (bytes > 0 && self.memory.is_full())
    }

    /// Waits until it is not full. Cancel-safe: nothing is taken. For one waiter, the connection's reader.
    pub(crate) async fn has_room(&self) {
        while self.is_full() {
            // A permit that is left over from before costs one more look.
            self.emptied.notified().await;
        }
    }

    /// Waits until there is something to write or to close. Cancel-safe: nothing is taken.
    pub(crate) async fn ready(&self) {
        loop {
            let notified = self.ready.notified();
            {
                let queue = self.queue.lock();
                if !queue.payloads.is_empty() || !queue.control.is_empty() || queue.close.is_some() {
                    return;
                }
            }
            notified.await;
        }
    }

    /// Takes everything out.
    pub(crate) fn take(&self) -> Batch {
        let mut queue = self.queue.lock();
        let bytes = std::mem::take(&mut queue.bytes);
        self.memory.used.fetch_sub(bytes, Ordering::Relaxed);
        self.emptied.notify_one();
        let was_full = std::mem::take(&mut queue.lagging);
        if was_full {
            self.memory.lags_no_more();
        }
        Batch {
            control: std::mem::take(&mut queue.control),
            payloads: std::mem::take(&mut queue.payloads),
            was_full,
            close: queue.close.clone(),
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let queue = self.queue.get_mut();
        self.memory.used.fetch_sub(queue.bytes, Ordering::Relaxed);
        if queue.lagging {
            self.memory.lags_no_more();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload() -> Payload {
        Payload::new(&ServerMessage::Ping { t: 1, spread_ms: 50 })
    }

    #[test]
    fn full_is_said_once_with_the_payload_that_filled_it_and_nothing_is_lost() {
        let size = payload().size();
        let outbox = Outbox::new(size * 2, Memory::new(0));
        assert!(outbox.push(payload()));
        assert!(!outbox.is_full());
        assert!(!outbox.push(payload()));
        assert!(outbox.is_full());
        let batch = outbox.take();
        assert_eq!((batch.payloads.len(), batch.was_full), (2, true));
        assert!(!outbox.is_full());
        assert!(!outbox.take().was_full);
    }

    #[test]
    fn a_whisper_is_dropped_where_much_else_waits() {
        let (size, memory) = (payload().size(), Memory::new(0));
        let outbox = Outbox::new(size * 8, memory.clone());
        assert!(outbox.whisper(&payload()) && outbox.whisper(&payload()));
        assert!(!outbox.whisper(&payload()), "a quarter is enough");
        outbox.take();
        (0..8).for_each(|_| {
            outbox.push(payload());
        });
        assert!(!outbox.whisper(&payload()));
        assert_eq!(
            (outbox.take().payloads.len(), memory.lagging()),
            (8, (0, 1)),
            "who lags is given nothing more"
        );
        let strained = Outbox::new(0, Memory::new(size * 2));
        assert!(
            strained.whisper(&payload()) && strained.whisper(&payload()) && !strained.whisper(&payload())
        );
    }

    #[test]
    fn who_lags_is_counted_until_it_was_emptied_or_is_gone() {
        let memory = Memory::new(0);
        let (one, other) = (Outbox::new(1, memory.clone()), Outbox::new(1, memory.clone()));
        for outbox in [&one, &one, &other] {
            outbox.push(payload());
        }
        assert_eq!(memory.lagging(), (2, 2), "full is full, however much more is put in");
        one.take();
        assert_eq!(memory.lagging(), (1, 2));
        one.push(payload());
        drop((one, other));
        assert_eq!((memory.lagging(), memory.queued_bytes()), ((0, 3), 0));
    }

    #[tokio::test]
    async fn who_waits_for_room_goes_on_when_it_was_emptied() {
        let outbox = Outbox::new(payload().size(), Memory::new(0));
        outbox.has_room().await;
        outbox.push(payload());
        let mut waiting = std::pin::pin!(outbox.has_room());
        assert!(futures_util::poll!(&mut waiting).is_pending());
        outbox.take();
        assert!(futures_util::poll!(&mut waiting).is_ready());
    }

    #[test]
    fn the_ceiling_stands_above_all_outboxes_and_is_given_back() {
        let memory = Memory::new(payload().size() * 2);
        let (one, other) = (Outbox::new(0, memory.clone()), Outbox::new(0, memory.clone()));
        assert!(one.push(payload()));
        assert!(!other.push(payload()));
        drop(one);
        other.take();
        assert_eq!(memory.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_first_reason_to_close_stands_and_nothing_follows_it() {
        let outbox = Outbox::new(0, Memory::new(0));
        outbox.close(CloseReason::Drain);
        outbox.close(CloseReason::TooBig);
        outbox.push(payload());
        let batch = outbox.take();
        assert_eq!((batch.payloads.len(), batch.close), (0, Some(CloseReason::Drain)));
    }
}
