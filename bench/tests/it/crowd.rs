//! A room comes and goes on real processes: everybody ends up with the right number, and is told little on the way.

use chat_bench::cluster::FrontKind;
use chat_bench::crowd::{self, Options};
use chat_bench::run::Transports;

use super::{MACHINE, server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_that_comes_and_goes_knows_how_many_it_is() {
    let _machine = MACHINE.lock().await;
    let options = Options {
        clients: 90,
        nodes: 3,
        front: FrontKind::Balance,
        transport: Transports::Mixed,
        server: server(),
        folder: std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("crowd"),
        settings: Vec::new(),
    };
    let report = crowd::run(&options).await.unwrap();
    println!("{}", crowd::table(&report));
    let members: Vec<usize> = report.movements.iter().map(|movement| movement.members).collect();
    assert_eq!(members, [90, 45, 90, 45]);
    for movement in &report.movements {
        // One at once, and one for every quarter of a second that follows; a list of its own at its entry.
        let most = 3 + movement.known_ms / 250;
        assert!(movement.frames.max <= most, "{movement:?}");
        assert!(movement.lists.max <= 1, "{movement:?}");
    }
}
