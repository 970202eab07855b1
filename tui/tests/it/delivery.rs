//! The promise, through real sockets: three clients talk in one room through the front-end while nodes are
//! killed in turn; every client shows every message once, in one order. The same run with a part of the
//! delivery taken away must be found out, or the check proves nothing.

mod history;
mod middleman;

use std::time::Duration;

use chat_protocol::{Seq, UserName};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::{NetCommand, NetEvent, OutId, Transport};
use chat_tui::net::link::LinkOptions;
use chat_tui::net::saved::SavedClient;
use chat_tui::net::{Net, run};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::cluster::{NODES, RateLimit, TestCluster};
use crate::fake::{room, within};
use history::{History, complaints};
use middleman::{Middleman, Spoil};

const CLIENTS: usize = 3;
/// How long clients may take, once all is said, to have everything.
const SETTLE_MAX: Duration = Duration::from_secs(20);

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

    /// Everything that is said in a run, in no order.
    fn said(&self) -> Vec<String> {
        let of_one = |client| (1..=self.messages + 1).map(move |n| self.text(client, n));
        (0..CLIENTS).flat_map(of_one).collect()
    }

    /// The last message of each client, said when its others are acknowledged and no node dies any more,
    /// ends the run.
    fn text(&self, client: usize, n: u64) -> String {
        if n > self.messages { format!("{client}: end") } else { format!("{client}: {n}") }
    }
}

/// What came of a run.
struct Outcome {
    histories: Vec<History>,
    kills: Vec<Instant>,
    /// The room's last place, as a newcomer is told it.
    head: Seq,
    complaints: Vec<String>,
}

struct Client {
    commands: mpsc::Sender<NetCommand>,
    events: mpsc::Receiver<NetEvent>,
    shutdown: CancellationToken,
    net: JoinSet<SavedClient>,
}

impl Client {
    /// The program's own network side.
    fn start(index: usize, endpoint: Endpoint) -> Self {
        let (commands, from_front) = mpsc::channel(64);
        let (to_front, events) = mpsc::channel(1_024);
        let shutdown = CancellationToken::new();
        let options = LinkOptions {
            endpoints: vec![endpoint],
            name: Some(UserName::parse(&format!("client-{index}")).unwrap()),
            rooms: vec![room("delivery")],
            saved: SavedClient::default(),
            seed: index as u64,
        };
        let net = Net {
            options,
            commands: from_front,
            events: to_front,
            shutdown: shutdown.clone(),
            linger: Duration::ZERO,
            started: Instant::now(),
            on_welcome: Box::new(|_| {}),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(run(net));
        Self { commands, events, shutdown, net: tasks }
    }

    /// In the room, with the head of its log.
    async fn entered(&mut self) -> Seq {
        within("the room", async {
            loop {
                if let NetEvent::Joined { head, .. } = self.events.recv().await.expect("the network runs") {
                    return head;
                }
            }
        })
        .await
    }

    async fn stop(mut self) {
        self.shutdown.cancel();
        within("the client's end", self.net.join_next()).await.unwrap().unwrap();
    }

    /// Says its part and takes down what it is told, until it has seen everybody's last words or nobody
    /// should have to wait any longer.
    async fn talk(mut self, index: usize, plan: Plan, calm: CancellationToken) -> History {
        let mut history = History { name: format!("client {index}"), ..History::default() };
        let deadline = Instant::now() + plan.lasts + SETTLE_MAX;
        if timeout_at(deadline, self.talk_to_end(index, plan, &calm, &mut history)).await.is_err() {
            history.mishaps.push("did not come to an end".to_owned());
        }
        self.stop().await;
        history
    }

    async fn talk_to_end(
        &mut self,
        index: usize,
        plan: Plan,
        calm: &CancellationToken,
        history: &mut History,
    ) {
        // Until after the last return: no kill falls into a silence that is the plan's own.
        let pause = (plan.lasts + plan.revive_after).div_f64(plan.messages as f64);
        // The clients take turns: what is measured around a kill is a third of a client's pause at best.
        let first = Instant::now() + pause.mul_f64((index + 1) as f64 / CLIENTS as f64);
        let mut pace = interval_at(first, pause);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut said = 0;
        while history.ends() < CLIENTS || history.acked() as u64 <= plan.messages || history.status.queued > 0
        {
            let is_last_word = said == plan.messages && history.acked() as u64 == said && calm.is_cancelled();
            tokio::select! {
                _ = pace.tick(), if said < plan.messages || is_last_word => {
                    said += 1;
                    let say = NetCommand::Say {
                        out: OutId(said),
                        room: room("delivery"),
                        content: plan.text(index, said),
                        kind: None,
                    };
                    self.commands.send(say).await.expect("the network runs");
                }
                event = self.events.recv() => {
                    history.told(event.expect("the network runs"));
                }
                () = calm.cancelled(), if !calm.is_cancelled() => {}
            }
        }
    }
}

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

async fn play(plan: Plan, endpoints: [Endpoint; CLIENTS], mut cluster: TestCluster) -> Outcome {
    let mut clients = Vec::new();
    for (index, endpoint) in endpoints.into_iter().enumerate() {
        let mut client = Client::start(index, endpoint);
        // All are there before the first word, so that all are to have every word.
        client.entered().await;
        clients.push(client);
    }
    let (mut talks, calm) = (JoinSet::new(), CancellationToken::new());
    for (index, client) in clients.into_iter().enumerate() {
        talks.spawn(client.talk(index, plan, calm.clone()));
    }
    let kills = kill_in_turn(&mut cluster, plan).await;
    calm.cancel();
    let mut histories = talks.join_all().await;
    histories.sort_by(|one, other| one.name.cmp(&other.name));
    let mut newcomer = Client::start(CLIENTS, cluster.endpoint(Transport::Tcp));
    let head = newcomer.entered().await;
    newcomer.stop().await;
    let complaints = complaints(&histories, &plan.said());
    Outcome { histories, kills, head, complaints }
}

async fn play_spoiled(spoil: Spoil) -> Outcome {
    let cluster = TestCluster::start(RateLimit::Off);
    let middleman = Middleman::start(cluster.tcp(), spoil).await;
    let endpoint = Endpoint::new("127.0.0.1", middleman.addr.port(), Transport::Tcp);
    let outcome = play(Plan::SHORT, [endpoint.clone(), endpoint.clone(), endpoint], cluster).await;
    report(&format!("{spoil:?} spoiled"), &outcome);
    outcome
}

impl Outcome {
    fn recovered(&self) -> u64 {
        self.histories.iter().map(|history| history.status.totals.recovered).sum()
    }

    fn failovers(&self) -> u32 {
        self.histories.iter().map(|history| history.status.failovers).sum()
    }

    /// Some client has this to complain of.
    fn finds(&self, what: &str) -> bool {
        self.complaints.iter().any(|complaint| complaint.ends_with(what))
    }
}

fn report(run: &str, outcome: &Outcome) {
    let Outcome { histories, kills, head, complaints } = outcome;
    println!(
        "{run}: {} kills, {} failovers, {} recovered, head {}",
        kills.len(),
        outcome.failovers(),
        outcome.recovered(),
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
    assert!(outcome.recovered() >= 1, "nothing had to be recovered: the run proves nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_reaches_everybody_once_while_nodes_are_killed_in_turn() {
    let cluster = TestCluster::start(Plan::FULL.rate_limit);
    let endpoints = [Transport::Tcp, Transport::Tcp, Transport::Ws].map(|via| cluster.endpoint(via));
    let outcome = play(Plan::FULL, endpoints, cluster).await;
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
    assert!(outcome.finds("missing"), "{:?}", outcome.complaints);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_dedupe_messages_are_found_twice() {
    let outcome = play_spoiled(Spoil::Dedupe).await;
    assert!(outcome.finds("shown again"), "{:?}", outcome.complaints);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_is_withheld_is_found_and_counted_by_the_client_itself() {
    let outcome = play_spoiled(Spoil::OneEntry).await;
    assert!(outcome.finds(": 1 missing"), "{:?}", outcome.complaints);
    assert!(outcome.finds(": 1 counted lost"), "{:?}", outcome.complaints);
}
