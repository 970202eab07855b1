//! Owns the clients: hundreds of the program's own network side, each of which enters rooms, says its part and writes
//! down what it is told. What happens to the cluster below them is not known here.

mod cast;
mod client;
mod line;
mod outs;
mod partner;
mod stage;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail, ensure};
use chat_protocol::RoomName;
use chat_tui::net::endpoint::Endpoint;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::record::Recorder;
pub use client::Deed;
use client::{Client, Part};
use partner::Partner;
use stage::Stage;

/// How long everybody may take to get in.
const ENTER_MAX: Duration = Duration::from_secs(60);
/// Clients that dial at the same time while the fleet comes in: the measure is what happens later.
const ENTERING_MAX: usize = 64;
/// How long everybody may take, once nothing is broken any more, to have everything.
const CALM_MAX: Duration = Duration::from_secs(60);

/// What the clients do.
#[derive(Debug, Clone, Copy)]
pub struct Talk {
    /// How many clients.
    pub clients: usize,
    /// In how many rooms; each client is in one.
    pub rooms: usize,
    /// Messages a second, all clients together.
    pub rate: f64,
    /// Bytes of a message.
    pub bytes: usize,
    /// Whether they do more than saying messages.
    pub manner: Manner,
    /// How many of them, from the last on, are in every room, say nothing, and read only so many bytes a second.
    pub slow: Slow,
}

/// What clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// They say messages.
    Speech,
    /// They change and answer them, open rooms of two and mark what they have read; some users have two clients.
    Conversation,
}

/// Clients that read slowly.
#[derive(Debug, Clone, Copy, Default)]
pub struct Slow {
    /// How many.
    pub clients: usize,
    /// Bytes of content a second.
    pub bytes_per_second: u32,
}

/// Where a client is, for whoever waits for all of them.
#[derive(Debug, Clone, Default)]
struct State {
    entered: bool,
    /// It is in all rooms that it is to be in by the end.
    inside: bool,
    online: bool,
    /// It has lost its node and has not got everything again.
    away: bool,
    queued: usize,
    /// It has seen the last words in all of its rooms.
    done: bool,
}

impl State {
    /// It has a connection, and all that it missed while it had none.
    fn is_back(&self) -> bool {
        self.online && !self.away
    }
}

/// What all clients are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Enter your rooms.
    Enter,
    /// Say your part.
    Talk,
    /// Say nothing more.
    Hush,
    /// The first of each room: say the last words.
    End,
}

/// What clients share.
#[derive(Debug)]
struct Board {
    record: Arc<Recorder>,
    states: Mutex<Vec<State>>,
    news: Notify,
    phase: watch::Sender<Phase>,
}

impl Board {
    fn change(&self, client: usize, change: impl FnOnce(&mut State)) {
        change(&mut self.states.lock()[client]);
        self.news.notify_waiters();
    }

    /// Waits until `is_so` for every client; how many it is not so for, when the time is over.
    async fn all(&self, until: Instant, is_so: impl Fn(&State) -> bool) -> Result<(), usize> {
        loop {
            let news = self.news.notified();
            let waiting = self.states.lock().iter().filter(|state| !is_so(state)).count();
            if waiting == 0 {
                return Ok(());
            }
            if timeout_at(until, news).await.is_err() {
                return Err(waiting);
            }
        }
    }
}

/// The clients of a run.
#[derive(Debug)]
pub struct Fleet {
    board: Arc<Board>,
    deeds: Vec<mpsc::Sender<Deed>>,
    tasks: JoinSet<()>,
    endpoints: Vec<Endpoint>,
    /// Of a conversation.
    stage: Option<Arc<Stage>>,
}

impl Fleet {
    /// Starts the clients, at these endpoints in turns, and waits until all are in their rooms.
    ///
    /// # Errors
    /// When they do not get in.
    pub async fn start(talk: Talk, endpoints: &[Endpoint], record: Arc<Recorder>) -> anyhow::Result<Self> {
        let stage = (talk.manner == Manner::Conversation).then(|| Arc::new(Stage::set(&talk, &record)));
        let states = Mutex::new(vec![State::default(); talk.clients]);
        let (news, phase) = (Notify::new(), watch::Sender::new(Phase::Enter));
        let board = Arc::new(Board { record, states, news, phase });
        let (deeds, tasks, endpoints) = (Vec::new(), JoinSet::new(), endpoints.to_vec());
        let mut fleet = Self { board, deeds, tasks, endpoints, stage };
        for index in 0..talk.clients {
            fleet.begin(index, talk);
            if index >= ENTERING_MAX {
                fleet.entered(index - ENTERING_MAX).await?;
            }
        }
        fleet.entered(talk.clients - 1).await?;
        let entered = fleet.board.all(Instant::now() + ENTER_MAX, |state| state.entered).await;
        entered.ok().context("not all clients got into their rooms")?;
        Ok(fleet)
    }

    fn begin(&mut self, index: usize, talk: Talk) {
        if let Some(stage) = self.stage.clone() {
            return self.begin_partner(index as u32, stage);
        }
        let (deed, deeds) = mpsc::channel(4);
        let endpoint = self.endpoints[index % self.endpoints.len()].clone();
        let client = Client::new(Part::of(index, talk), endpoint, self.board.clone());
        self.tasks.spawn(client.run(deeds));
        self.deeds.push(deed);
    }

    fn begin_partner(&mut self, index: u32, stage: Arc<Stage>) {
        let (deed, deeds) = mpsc::channel(4);
        let endpoint = self.endpoints[index as usize % self.endpoints.len()].clone();
        let partner = Partner::new(index, stage, endpoint, self.board.clone());
        self.tasks.spawn(partner.run(deeds));
        self.deeds.push(deed);
    }

    /// Each user of a conversation comes once more, as on a new machine: with nothing but its session.
    async fn new_machines(&mut self, until: Instant) {
        let Some(stage) = self.stage.clone() else { return };
        for user in 0..stage.cast.users() {
            self.board.states.lock().push(State::default());
            self.begin_partner(stage.cast.late(user), stage.clone());
            if user % ENTERING_MAX as u32 == 0 {
                // Who has not come by then is waited for with all the others.
                let _ = self.board.all(until, |state| state.entered).await;
            }
        }
    }

    async fn entered(&self, client: usize) -> anyhow::Result<()> {
        let until = Instant::now() + ENTER_MAX;
        loop {
            let news = self.board.news.notified();
            if self.board.states.lock()[client].entered {
                return Ok(());
            }
            if timeout_at(until, news).await.is_err() {
                bail!("client {client} does not get into its room: read the logs of the nodes");
            }
        }
    }

    /// Everybody begins to say their part.
    pub fn talk(&self) {
        self.board.phase.send_replace(Phase::Talk);
    }

    /// Has a client do something of its own will.
    pub async fn order(&self, client: usize, deed: Deed) {
        // One that is busy with a former deed does it afterwards.
        let _ = self.deeds[client].send(deed).await;
    }

    /// How many clients there are.
    pub fn len(&self) -> usize {
        self.deeds.len()
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.deeds.is_empty()
    }

    /// Waits until every client has a connection again, and everything that it missed.
    ///
    /// # Errors
    /// When some have not in time.
    pub async fn all_back(&self, within: Duration) -> anyhow::Result<()> {
        match self.board.all(Instant::now() + within, State::is_back).await {
            Ok(()) => Ok(()),
            Err(count) => bail!("{count} clients are not back after {within:?}"),
        }
    }

    /// Nobody says anything more; waits until all that was said is in the logs, has a last word said in every room, and
    /// waits until everybody has seen it. Ends all clients.
    ///
    /// # Errors
    /// When somebody has not seen everything in time, or a client's program died. What that cost shows in the record.
    pub async fn finish(mut self) -> anyhow::Result<()> {
        self.board.phase.send_replace(Phase::Hush);
        self.board.record.calm();
        let until = Instant::now() + CALM_MAX;
        // Who still waits then says its last words all the same: they come behind what waits.
        let _ = self.board.all(until, |state| state.is_back() && state.inside && state.queued == 0).await;
        self.board.phase.send_replace(Phase::End);
        let _ = self.board.all(until, |state| state.done && state.queued == 0).await;
        self.new_machines(until).await;
        let seen = self.board.all(until, |state| state.done && state.queued == 0).await;
        for client in &self.deeds {
            let _ = client.send(Deed::End).await;
        }
        let mut died = 0;
        while let Some(ended) = self.tasks.join_next().await {
            died += usize::from(ended.is_err());
        }
        ensure!(died == 0, "{died} clients died: a mistake of theirs");
        seen.map_err(|count| {
            anyhow!("{count} clients have not seen everything {CALM_MAX:?} after the last fault")
        })
    }
}

/// The room of a number.
fn room(number: u32) -> RoomName {
    RoomName::parse(&format!("room-{number}")).expect("letters and a number make a name")
}
