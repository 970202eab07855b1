//! A minute of chaos on real processes, and the two faults that nobody may notice more than a pause of, in every test run. The server is the one that was built with these tests:
//! `cargo test --workspace` builds it.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod crowd;
mod ended;
mod started;

use std::path::PathBuf;
use std::time::Duration;

use chat_bench::cluster::FrontKind;
use chat_bench::report;
use chat_bench::run::{Options, Transports, run};
use chat_bench::scenario::Scenario;
use tokio::sync::Mutex;

/// The test programs lie one folder below the programs.
fn server() -> PathBuf {
    let own = std::env::current_exe().expect("this program lies somewhere");
    let server = own.parent().expect("in a folder").with_file_name("chat-server");
    assert!(server.is_file(), "{} is not built: cargo build --package chat-server", server.display());
    server
}

fn options(scenario: Scenario, lasts: Duration) -> Options {
    Options {
        scenario,
        lasts,
        seed: 4,
        nodes: 3,
        clients: 100,
        rooms: 5,
        rate: 60.0,
        front: FrontKind::Balance,
        transport: Transports::Mixed,
        server: server(),
        folder: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(scenario.name()),
        settings: Vec::new(),
    }
}

/// One cluster at a time: each is to have the machine.
static MACHINE: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minute_of_everything_breaks_no_promise() {
    let _machine = MACHINE.lock().await;
    let report = run(options(Scenario::Chaos, Duration::from_secs(60))).await.unwrap();
    println!("{}\n{}\n{}", report::HEAD, report::row(&report), report::load(&report.load));
    assert_eq!(report.violations, Vec::<String>::new());
    assert!(report.faults >= 5, "{} faults: the run proves little", report.faults);
}

/// A fault of which nobody may see more than a pause: nothing is taken back, nothing told as gone.
async fn check_unnoticed(scenario: Scenario) {
    let _machine = MACHINE.lock().await;
    let report = run(options(scenario, Duration::from_secs(10))).await.expect("the cluster comes up");
    println!("{}\n{}\n{}", report::HEAD, report::row(&report), report::load(&report.load));
    assert_eq!(report.violations, Vec::<String>::new());
    assert!(report.counts.disconnected + report.counts.moved > 0, "nobody was hit: the run proves nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_are_killed_cost_a_pause_and_nothing_else() {
    check_unnoticed(Scenario::Kill).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_goes_on_while_nodes_are_killed() {
    let _machine = MACHINE.lock().await;
    let calm = options(Scenario::Conversation, Duration::from_secs(10));
    let report = run(Options { clients: 60, rooms: 3, ..calm }).await.unwrap();
    println!("{}\n{}\n{}", report::HEAD, report::row(&report), report::load(&report.load));
    assert_eq!(report.violations, Vec::<String>::new());
    assert!(report.counts.disconnected > 0, "nobody was hit: the run proves nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_costs_nobody_a_connection() {
    check_unnoticed(Scenario::Rolling).await;
}
