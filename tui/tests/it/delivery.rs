//! The promise, through real sockets: three clients talk in one room through the front-end while nodes are
//! killed in turn; every client shows every message once, in one order. The same run with a part of the
//! delivery taken away must be found out, or the check proves nothing.

mod middleman;

use std::time::Duration;

use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::Transport;
use tokio::time::{Instant, interval_at};

use crate::cluster::{NODES, RateLimit, TestCluster};
use crate::talk::history::disturbances;
use crate::talk::{Played, Script, play};
use middleman::{Middleman, Spoil};

const CLIENTS: usize = 3;

/// How a run goes.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// How long nodes are killed and messages said.
    lasts: Duration,
    /// From one kill to the next.
    kill_every: Duration,
    /// From a kill to the node's return.
    revive_after: Duration,
    /// What each client says.
    messages: u64,
    rate_limit: RateLimit,
}

impl Plan {
    /// What is proved: nodes die every two seconds for half a minute.
    const FULL: Self = Self {
        lasts: Duration::from_secs(30),
        kill_every: Duration::from_secs(2),
        revive_after: Duration::from_secs(1),
        messages: 200,
        rate_limit: RateLimit::AsConfigured,
    };
    /// Shorter and denser, so that each kill meets messages on their way.
    const SHORT: Self = Self {
        lasts: Duration::from_secs(4),
        kill_every: Duration::from_millis(800),
        revive_after: Duration::from_millis(400),
        messages: 400,
        rate_limit: RateLimit::Off,
    };

    /// It is talked until after the last return: no kill falls into a silence that is the plan's own.
    fn script(&self) -> Script {
        let lasts = self.lasts + self.revive_after;
        Script { clients: CLIENTS, messages: self.messages, lasts, others: &[] }
    }
}

/// What came of a run; the fault tells when nodes were killed.
type Outcome = Played<Vec<Instant>>;

/// Kills the nodes in turn; tells when.
async fn kill_in_turn(cluster: &mut TestCluster, plan: Plan) -> Vec<Instant> {
    let begin = Instant::now();
    let mut kills = Vec::new();
    let mut schedule = interval_at(begin + plan.kill_every, plan.kill_every);
    let mut returns = interval_at(begin + plan.kill_every + plan.revive_after, plan.kill_every);
    for index in (0..NODES).cycle() {
        let due = schedule.tick().await;
        if due > begin + plan.lasts {
            return kills;
        }
        kills.push(Instant::now());
        cluster.kill(index);
        returns.tick().await;
        cluster.revive(index);
    }
    kills
}

async fn play_killing(plan: Plan, endpoints: [Endpoint; CLIENTS], mut cluster: TestCluster) -> Outcome {
    let mut outcome = play(plan.script(), &endpoints, async |_| kill_in_turn(&mut cluster, plan).await).await;
    outcome.complaints.extend(disturbances(&outcome.histories));
    outcome
}

async fn play_spoiled(spoil: Spoil) -> Outcome {
    let cluster = TestCluster::start(RateLimit::Off);
    let middleman = Middleman::start(cluster.tcp(), spoil).await;
    let endpoint = Endpoint::new("127.0.0.1", middleman.addr.port(), Transport::Tcp);
    let outcome = play_killing(Plan::SHORT, [endpoint.clone(), endpoint.clone(), endpoint], cluster).await;
    report(&format!("{spoil:?} spoiled"), &outcome);
    outcome
}

fn recovered(outcome: &Outcome) -> u64 {
    outcome.histories.iter().map(|history| history.status.totals.recovered).sum()
}

fn failovers(outcome: &Outcome) -> u32 {
    outcome.histories.iter().map(|history| history.status.failovers).sum()
}

/// Some client has this to complain of.
fn finds(outcome: &Outcome, what: &str) -> bool {
    outcome.complaints.iter().any(|complaint| complaint.ends_with(what))
}

fn report(run: &str, outcome: &Outcome) {
    let Played { histories, fault: kills, head, complaints } = outcome;
    println!(
        "{run}: {} kills, {} failovers, {} recovered, head {}",
        kills.len(),
        failovers(outcome),
        recovered(outcome),
        head.0
    );
    for history in histories {
        let (totals, took) = (history.status.totals, spread(history.took.clone()));
        println!(
            "  {}: {} shown, {} acked, {} recovered, {} lost, {} dup, {} failovers (took {took}), silence {}",
            history.name,
            history.shown.len(),
            history.acked(),
            totals.recovered,
            totals.lost,
            totals.dup,
            history.status.failovers,
            spread(history.silences(kills)),
        );
    }
    complaints.iter().take(12).for_each(|complaint| println!("  - {complaint}"));
}

/// Median and maximum in words.
fn spread(mut durations: Vec<Duration>) -> String {
    durations.sort_unstable();
    match (durations.get(durations.len() / 2), durations.last()) {
        (Some(median), Some(max)) => format!("p50 {} ms max {} ms", median.as_millis(), max.as_millis()),
        _ => "none".to_owned(),
    }
}

fn check_nothing_wrong(outcome: &Outcome, plan: Plan) {
    assert_eq!(outcome.complaints, Vec::<String>::new());
    // The log holds what was said and nothing else, also nothing that came after the clients had gone.
    assert_eq!(outcome.head.0, CLIENTS as u64 * (plan.messages + 1));
    assert!(recovered(outcome) >= 1, "nothing had to be recovered: the run proves nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_reaches_everybody_once_while_nodes_are_killed_in_turn() {
    let cluster = TestCluster::start(Plan::FULL.rate_limit);
    let endpoints = [Transport::Tcp, Transport::Tcp, Transport::Ws].map(|via| cluster.endpoint(via));
    let outcome = play_killing(Plan::FULL, endpoints, cluster).await;
    report("nodes killed in turn", &outcome);
    check_nothing_wrong(&outcome, Plan::FULL);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_middleman_that_only_passes_on_spoils_nothing() {
    let outcome = play_spoiled(Spoil::None).await;
    check_nothing_wrong(&outcome, Plan::SHORT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_resume_messages_are_found_missing() {
    let outcome = play_spoiled(Spoil::Resume).await;
    assert!(finds(&outcome, "missing"), "{:?}", outcome.complaints);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_dedupe_messages_are_found_twice() {
    let outcome = play_spoiled(Spoil::Dedupe).await;
    assert!(finds(&outcome, "shown again"), "{:?}", outcome.complaints);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_is_withheld_is_found_and_counted_by_the_client_itself() {
    let outcome = play_spoiled(Spoil::OneEntry).await;
    assert!(finds(&outcome, ": 1 missing"), "{:?}", outcome.complaints);
    assert!(finds(&outcome, ": 1 counted lost"), "{:?}", outcome.complaints);
}
