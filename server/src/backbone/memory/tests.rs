use super::*;
use crate::backbone::conformance::{self, Fixture, each_case};

/// The cluster of one process, on a clock that waits for nobody.
struct Memory {
    shared: MemoryBackbone,
}

impl Fixture for Memory {
    const LEASE: Duration = Duration::from_secs(3);
    const SETTLE: Duration = Duration::from_millis(300);
    const NAME_HOLD: Duration = Duration::from_secs(600);
    const TOO_MANY: u64 = 40_000;

    async fn connect(&self, node: &str) -> Link {
        self.shared.connect(NodeId::parse(node).unwrap())
    }

    async fn flush(&self) {
        self.shared.flush();
    }

    async fn roll_back(&self, room: &RoomName, to: Seq) {
        self.shared.roll_back(room, to);
    }

    async fn forget_records(&self, room: &RoomName) {
        self.shared.forget_records(room);
    }

    async fn set_reachable(&self, node: &str, reachable: bool) {
        self.shared.set_reachable(&NodeId::parse(node).unwrap(), reachable);
    }

    async fn wait(&self, time: Duration) {
        tokio::time::advance(time).await;
    }
}

macro_rules! on_memory {
    ($($part:ident::$case:ident;)*) => {
        $(
            #[tokio::test(start_paused = true)]
            async fn $case() {
                conformance::$part::$case(Memory { shared: MemoryBackbone::default() }).await;
            }
        )*
    };
}
each_case!(on_memory);

#[tokio::test(start_paused = true)]
async fn a_node_that_died_holds_its_lease_no_longer_than_it_lasts() {
    let shared = MemoryBackbone::default();
    let (a, b) = (NodeId::parse("a").unwrap(), NodeId::parse("b").unwrap());
    let (dying, other) = (shared.connect(a.clone()), shared.connect(b));
    let info = conformance::info("a");
    dying.backbone.renew(info.clone()).await.unwrap();
    dying.backbone.cut();
    assert!(dying.backbone.renew(info).await.is_err());
    assert_eq!(other.backbone.nodes().await.unwrap().len(), 1);
    tokio::time::advance(Timing::default().lease).await;
    assert_eq!(other.backbone.nodes().await.unwrap(), []);
}

#[tokio::test]
async fn a_second_connection_of_a_node_takes_the_first_ones_place() {
    let shared = MemoryBackbone::default();
    let node = NodeId::parse("a").unwrap();
    let (mut first, second) = (shared.connect(node.clone()), shared.connect(node));
    assert!(first.backbone.nodes().await.is_err());
    assert!(second.backbone.nodes().await.is_ok());
    assert_eq!(first.feed.recv().await, None, "its feed has ended");
}
