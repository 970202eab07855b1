//! Owns a talk: clients, each the program's own network side, that all say their part in one room while
//! something happens below them, and take down what they are shown. Who broke what is the test's affair.

pub(crate) mod history;

use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{NodeId, Seq, UserName};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::{LinkState, LinkStatus, NetCommand, NetEvent, OutId, OutState};
use chat_tui::net::link::LinkOptions;
use chat_tui::net::network::{Network, NetworkOptions};
use chat_tui::net::saved::SavedClient;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::fake::{room, within};
use history::{History, complaints};

/// Where it is talked.
pub(crate) const ROOM: &str = "delivery";
/// How long clients may take, once all is said, to have everything.
const SETTLE_MAX: Duration = Duration::from_secs(20);

/// What is said in a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Script {
    pub(crate) clients: usize,
    /// What each client says, its last word aside.
    pub(crate) messages: u64,
    /// The time over which it says it.
    pub(crate) lasts: Duration,
    /// What a test has others say meanwhile.
    pub(crate) others: &'static [&'static str],
}

impl Script {
    /// Everything that is said in a run, in no order.
    pub(crate) fn said(&self) -> Vec<String> {
        let of_one = |client| (1..=self.messages + 1).map(move |n| self.text(client, n));
        let others = self.others.iter().map(|&content| content.to_owned());
        (0..self.clients).flat_map(of_one).chain(others).collect()
    }

    /// The last message of each client, said when its others are acknowledged and nothing breaks any more,
    /// ends the run.
    fn text(&self, client: usize, n: u64) -> String {
        if n > self.messages { format!("{client}: end") } else { format!("{client}: {n}") }
    }
}

/// How far a talk is.
#[derive(Debug, Default)]
struct Progress {
    said: usize,
    acked: usize,
    /// By all clients together.
    shown: usize,
}

/// What a fault sees of the talk, and how it has it pause.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    progress: watch::Sender<Progress>,
    hushed: watch::Sender<bool>,
    calm: CancellationToken,
}

impl Stage {
    /// Waits until so many messages are acknowledged.
    pub(crate) async fn acked(&self, count: usize) {
        self.reached("acks", |progress| progress.acked >= count).await;
    }

    /// Waits for so many more acks.
    pub(crate) async fn acked_more(&self, count: usize) {
        let acked = self.progress.borrow().acked;
        self.acked(acked + count).await;
    }

    /// How many messages are acknowledged.
    pub(crate) fn acks(&self) -> usize {
        self.progress.borrow().acked
    }

    /// Waits until every client was shown all that was said.
    pub(crate) async fn all_shown(&self, clients: usize) {
        self.reached("all entries", |progress| progress.shown == progress.said * clients).await;
    }

    /// Has everybody be silent, and waits until all that was said is acknowledged.
    pub(crate) async fn hush(&self) {
        self.hushed.send_replace(true);
        self.reached("all acks", |progress| progress.acked == progress.said).await;
    }

    /// Lets them go on.
    pub(crate) fn go_on(&self) {
        self.hushed.send_replace(false);
    }

    async fn reached(&self, what: &str, is_reached: impl FnMut(&Progress) -> bool) {
        // The stage holds the sender.
        drop(within(what, self.progress.subscribe().wait_for(is_reached)).await);
    }

    fn told(&self, event: &NetEvent) {
        match event {
            NetEvent::Out { state: OutState::Acked, .. } => {
                self.progress.send_modify(|progress| progress.acked += 1);
            }
            NetEvent::Entry { .. } => self.progress.send_modify(|progress| progress.shown += 1),
            _ => {}
        }
    }
}

/// A client that is in the room.
pub(crate) struct Client {
    network: Network,
}

/// What a client is told when it enters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entered {
    /// Where it came in.
    pub(crate) node: NodeId,
    /// The last place of the room's log.
    pub(crate) head: Seq,
    /// How many are there, itself among them.
    pub(crate) present: usize,
}

impl Client {
    /// Starts the program's own network side.
    pub(crate) fn start(index: usize, endpoint: Endpoint) -> Self {
        let link = LinkOptions {
            endpoints: vec![endpoint],
            name: Some(UserName::parse(&format!("client-{index}")).unwrap()),
            rooms: vec![room(ROOM)],
            saved: SavedClient::default(),
            seed: index as u64,
            ..LinkOptions::default()
        };
        Self { network: Network::start(NetworkOptions::new(link)) }
    }

    /// In the room.
    pub(crate) async fn entered(&mut self) -> Entered {
        let mut at = None;
        within("the room", async {
            loop {
                match self.event().await {
                    NetEvent::Link(LinkStatus { state: LinkState::Online { node, .. }, .. }) => {
                        at = Some(node);
                    }
                    NetEvent::Joined { head, count, .. } => {
                        return Entered { node: at.expect("online first"), head, present: count };
                    }
                    _ => {}
                }
            }
        })
        .await
    }

    /// Says something and waits until it is in the log.
    pub(crate) async fn say(&mut self, out: OutId, content: &str) {
        self.send(out, content.to_owned()).await;
        within("the ack", async {
            loop {
                match self.event().await {
                    NetEvent::Out { out: acked, state: OutState::Acked, .. } if acked == out => return,
                    _ => {}
                }
            }
        })
        .await;
    }

    pub(crate) async fn stop(self) {
        within("the client's end", self.network.stop()).await.unwrap();
    }

    async fn event(&mut self) -> NetEvent {
        self.network.events.recv().await.expect("the network runs")
    }

    async fn send(&self, out: OutId, content: String) {
        let say = NetCommand::Say { out, room: room(ROOM), content, kind: None };
        self.network.commands.send(say).await.expect("the network runs");
    }

    /// Says its part and takes down what it is told, until it has seen everybody's last words or nobody
    /// should have to wait any longer.
    async fn talk(mut self, index: usize, script: Script, stage: Arc<Stage>) -> (Self, History) {
        let mut history = History { name: format!("client {index}"), ..History::default() };
        let deadline = Instant::now() + script.lasts + SETTLE_MAX;
        if timeout_at(deadline, self.talk_to_end(index, script, &stage, &mut history)).await.is_err() {
            history.mishaps.push("did not come to an end".to_owned());
        }
        (self, history)
    }

    async fn talk_to_end(&mut self, index: usize, script: Script, stage: &Stage, history: &mut History) {
        let pause = script.lasts.div_f64(script.messages as f64);
        // The clients take turns: what is measured around a fault is a part of a client's pause at best.
        let first = Instant::now() + pause.mul_f64((index + 1) as f64 / script.clients as f64);
        let mut pace = interval_at(first, pause);
        pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut hushed = stage.hushed.subscribe();
        let mut said = 0;
        while history.ends() < script.clients
            || history.acked() as u64 <= script.messages
            || history.status.queued > 0
        {
            let is_last_word =
                said == script.messages && history.acked() as u64 == said && stage.calm.is_cancelled();
            let is_hushed = *hushed.borrow_and_update();
            tokio::select! {
                _ = pace.tick(), if (said < script.messages && !is_hushed) || is_last_word => {
                    said += 1;
                    stage.progress.send_modify(|progress| progress.said += 1);
                    self.send(OutId(said), script.text(index, said)).await;
                }
                event = self.network.events.recv() => {
                    let event = event.expect("the network runs");
                    stage.told(&event);
                    history.told(event);
                }
                _ = hushed.changed() => {}
                () = stage.calm.cancelled(), if !stage.calm.is_cancelled() => {}
            }
        }
    }
}

/// What came of a talk.
pub(crate) struct Played<T> {
    pub(crate) histories: Vec<History>,
    /// The room's last place, as a newcomer is told it.
    pub(crate) head: Seq,
    pub(crate) complaints: Vec<String>,
    /// What came of the fault.
    pub(crate) fault: T,
}

/// Has one client at each endpoint talk while `fault` plays; a newcomer at the first endpoint reads the head
/// when all is over.
pub(crate) async fn play<T>(
    script: Script,
    endpoints: &[Endpoint],
    fault: impl AsyncFnOnce(&Stage) -> T,
) -> Played<T> {
    let mut clients = Vec::new();
    for (index, endpoint) in endpoints.iter().enumerate() {
        let mut client = Client::start(index, endpoint.clone());
        // All are there before the first word, so that all are to have every word.
        client.entered().await;
        clients.push(client);
    }
    let (mut talks, stage) = (JoinSet::new(), Arc::new(Stage::default()));
    for (index, client) in clients.into_iter().enumerate() {
        talks.spawn(client.talk(index, script, stage.clone()));
    }
    let fault = fault(&stage).await;
    stage.calm.cancel();
    // Nobody leaves before all are done: who leaves is seen to leave.
    let (clients, mut histories): (Vec<_>, Vec<_>) = talks.join_all().await.into_iter().unzip();
    for client in clients {
        client.stop().await;
    }
    histories.sort_by(|one, other| one.name.cmp(&other.name));
    let mut newcomer = Client::start(script.clients, endpoints[0].clone());
    let head = newcomer.entered().await.head;
    newcomer.stop().await;
    let complaints = complaints(&histories, &script.said());
    Played { histories, head, complaints, fault }
}
