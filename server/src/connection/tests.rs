//! When a client of a node that drains is told, and when it is closed; and when one that says nothing is gone.

use chat_protocol::NodeId;
use tokio_util::task::TaskTracker;

use super::*;
use crate::backbone::memory::MemoryBackbone;
use crate::config::Config;

/// A connection to a node whose drain has begun.
fn draining() -> Shared {
    let config = Config::loopback(NodeId::parse("one").unwrap());
    let backbone = MemoryBackbone::default().connect(config.node.clone()).backbone;
    let hub = Hub::new(config, backbone, TaskTracker::new(), CancellationToken::new());
    let drain = CancellationToken::new();
    hub.start_drain();
    drain.cancel();
    Shared {
        outbox: Outbox::new(usize::MAX, hub.memory.clone()),
        hub,
        rooms: Arc::default(),
        dialect: Framing::tcp(1_024).dialect(),
        opened: Instant::now(),
        heard: AtomicU64::new(0),
        unheard: AtomicU64::new(0),
        hello: false.into(),
        listens: false.into(),
        drain,
    }
}

/// How often the client was told to go.
fn told(shared: &Shared) -> usize {
    shared.outbox.take().payloads.len()
}

#[tokio::test(start_paused = true)]
async fn who_is_welcomed_while_the_drain_begins_is_told_and_not_cut() {
    let shared = draining();
    let mut end = std::pin::pin!(drained(&shared));
    // The hello was on its way: the welcome comes behind the first look.
    assert!(timeout(Duration::ZERO, &mut end).await.is_err());
    assert_eq!(told(&shared), 0);
    shared.hello.store(true, Ordering::Relaxed);
    let period = shared.hub.config.timing.drain;
    assert!(timeout(period - Duration::from_millis(1), &mut end).await.is_err(), "it has the drain period");
    assert_eq!(told(&shared), 1);
    end.await;
    assert_eq!(shared.opened.elapsed().as_secs(), period.as_secs(), "and no longer");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_told_is_closed_at_its_turn() {
    let shared = draining();
    drained(&shared).await;
    assert_eq!(told(&shared), 0);
    assert!(shared.opened.elapsed() <= Duration::from_millis(60), "{:?}", shared.opened.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_gone_unless_it_has_much_to_read_or_this_node_does_not_listen() {
    let shared = draining();
    let (patience, stall) = (Duration::from_secs(12), shared.hub.config.timing.stall);
    let gone = |shared: &Shared, after| shared.silent_for() >= after && shared.is_gone(patience);
    shared.hello.store(true, Ordering::Relaxed);
    shared.listens.store(true, Ordering::Relaxed);
    tokio::time::advance(patience).await;
    assert!(!gone(&shared, patience));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(gone(&shared, patience));
    shared.unheard.store(1_000_000, Ordering::Relaxed);
    assert!(!gone(&shared, patience), "it may read for long");
    tokio::time::advance(stall - patience).await;
    assert!(gone(&shared, stall), "but not for ever");
    shared.listens.store(false, Ordering::Relaxed);
    assert!(!gone(&shared, stall), "what it says waits here");
}
