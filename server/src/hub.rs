//! Owns the rooms of a node and the users on it: finds or opens a room, hands it what the backbone's feed
//! tells. Knows no transport and no concrete backbone.
//!
//! - `actor`: the task of one room; `handle`: the way to it; `desk`: where its core's words go; `seats`: its connections
//!   as people; `people_calls`: what the others are told of them; `typing`: who of them is typing.
//! - `drain`: how the node goes down in order.
//! - `lease`: this node's place among the others, and who of them is gone.
//! - `spread`: within what time clients come back should this node die.
//! - `stopwatch`: how long messages wait for their acks.
//! - `users`: the users on this node, and what follows from what they do elsewhere; `peers`: those they write to.
//! - `topic`: what a room is about.
//! - `reach`: whether the backbone is in reach, and who is told when it is not.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chat_protocol::{ClientId, CloseReason, NodeId, NodeInfo, RoomName, UserId};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::backbone::{Backbone, FeedEvent, Link, call};
use crate::config::Config;
use crate::directory::Directory;
use crate::metrics::{Metrics, Readings, Switch};
use crate::outbox::{Memory, Outbox};
use crate::room::ConnId;

mod actor;
mod command;
mod desk;
mod drain;
mod handle;
mod joined;
mod lease;
mod names;
mod own;
mod peers;
mod people_calls;
mod reach;
mod record;
mod seats;
mod spread;
mod stopwatch;
mod topic;
mod trouble;
mod typing;
mod users;

pub(crate) use command::Command;
pub(crate) use handle::RoomHandle;
pub(crate) use joined::Joined;
use reach::Reach;
pub(crate) use seats::{Seat, Style};
use users::Online;
pub(crate) use users::{Profile, Told};

/// Commands that may wait in a room; a feed that finds it full makes the room compare heads.
const ROOM_INBOX: usize = 1_024;
/// Logs of users that are opened at the same time; further ones wait: after a node's death its clients' rooms go first.
const OWN_OPENED_AT_ONCE: usize = 4;
/// Searches of a node at the same time; further ones wait.
const SEARCHES_MAX: usize = 64;
/// Answers to other nodes' questions that may be on their way.
const ANSWERS_MAX: usize = 64;

/// The rooms and users of one node.
pub(crate) struct Hub {
    pub(crate) config: Config,
    pub(crate) backbone: Arc<dyn Backbone>,
    pub(crate) directory: Directory,
    pub(crate) memory: Arc<Memory>,
    started: Instant,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    /// Looked up at a join and for a feed event; never while a room works.
    rooms: Mutex<HashMap<RoomName, RoomHandle>>,
    users: Mutex<HashMap<UserId, Online>>,
    /// The newest connection of each client, to close it when a newer one is elsewhere.
    clients: Mutex<HashMap<ClientId, Newest>>,
    connections: AtomicUsize,
    next_conn: AtomicUsize,
    /// Within what time clients move elsewhere; set once the node drains.
    drain_window: OnceLock<Duration>,
    /// Live nodes besides this one, as of the last renewal.
    others: AtomicUsize,
    /// What is counted for whoever watches the node.
    pub(crate) metrics: Arc<Metrics>,
    /// What the lease has met; looked at four times a second and by who asks whether the node is ready.
    reach: Mutex<Reach>,
    /// What the backbone knows of the users here may be gone: it is said anew.
    lost: Notify,
    /// The lease was lost, and with it perhaps the beginnings of users' logs.
    lease_lost: AtomicBool,
    pub(crate) search_places: Semaphore,
    /// One page of a log is searched at a time: however many search, the rest of the node goes first.
    pub(crate) search_turn: Semaphore,
    /// One user at a time is looked up for what it is called by now.
    naming_turn: Semaphore,
    /// Logs of users are opened a few at a time.
    own_places: Semaphore,
}

/// A client's newest connection on this node.
pub(crate) struct Newest {
    pub(crate) user: UserId,
    pub(crate) generation: u64,
    pub(crate) conn: ConnId,
    pub(crate) style: Style,
    pub(crate) outbox: Arc<Outbox>,
}

impl Newest {
    fn overtaken(&self) {
        self.outbox.close(CloseReason::Fenced);
    }
}

impl Hub {
    /// A node's hub; the caller runs [`Hub::run`] beside it.
    pub(crate) fn new(
        config: Config,
        backbone: Arc<dyn Backbone>,
        tasks: TaskTracker,
        shutdown: CancellationToken,
    ) -> Arc<Self> {
        Arc::new(Self {
            directory: Directory::new(backbone.clone()),
            memory: Memory::new(config.limits.memory_bytes),
            config,
            backbone,
            started: Instant::now(),
            tasks,
            shutdown,
            rooms: Mutex::default(),
            users: Mutex::default(),
            clients: Mutex::default(),
            connections: AtomicUsize::new(0),
            next_conn: AtomicUsize::new(1),
            drain_window: OnceLock::new(),
            others: AtomicUsize::new(0),
            metrics: Arc::default(),
            reach: Mutex::default(),
            lost: Notify::new(),
            lease_lost: AtomicBool::new(false),
            search_places: Semaphore::new(SEARCHES_MAX),
            search_turn: Semaphore::new(1),
            naming_turn: Semaphore::new(1),
            own_places: Semaphore::new(OWN_OPENED_AT_ONCE),
        })
    }

    pub(crate) fn node(&self) -> &NodeId {
        &self.config.node
    }

    /// The time since the hub was made: the clock of its rooms.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Finds a room, or opens it.
    pub(crate) fn room(self: &Arc<Self>, name: &RoomName) -> RoomHandle {
        let mut rooms = self.rooms.lock();
        // A room whose task is gone is opened anew.
        if let Some(room) = rooms.get(name).filter(|room| !room.is_closed()) {
            return room.clone();
        }
        let (handle, inbox) = RoomHandle::new(name.clone(), ROOM_INBOX);
        rooms.insert(name.clone(), handle.clone());
        let actor = actor::Actor::new(self.clone(), name.clone(), inbox, handle.clone());
        self.tasks.spawn(actor.run(self.shutdown.clone()));
        handle
    }

    /// Closes a room that is over, unless somebody is on the way in. True where it is closed.
    fn retire(&self, name: &RoomName, inbox: &mut mpsc::Receiver<Command>) -> bool {
        let mut rooms = self.rooms.lock();
        let over = inbox.is_empty();
        if over {
            rooms.remove(name);
            inbox.close();
        }
        over
    }

    fn each_room(&self, command: impl Fn() -> Command) {
        for room in self.rooms.lock().values() {
            room.hint(command());
        }
    }

    /// Runs the feed, the lease and what watches both until the shutdown.
    pub(crate) async fn run(self: Arc<Self>, feed: mpsc::Receiver<FeedEvent>) {
        let work = async {
            tokio::join!(self.run_feed(feed), self.run_lease(), self.run_reminders(), self.run_watch());
        };
        self.shutdown.run_until_cancelled(work).await;
    }

    async fn run_feed(&self, mut feed: mpsc::Receiver<FeedEvent>) {
        let mut answers = FuturesUnordered::new();
        loop {
            let event = tokio::select! {
                event = feed.recv() => event,
                // The feed goes on while they are on their way.
                Some(()) = answers.next() => continue,
            };
            let Some(event) = event else { break };
            match event {
                FeedEvent::Fence { client, generation } => self.fenced(&client, generation),
                FeedEvent::Stale => {
                    warn!("feed lost events, comparing all rooms");
                    self.each_room(|| Command::Stale);
                    // The lease and what hangs on it may be gone too; looked at apart: the feed goes on.
                    self.lost.notify_one();
                }
                FeedEvent::Ask { room, from } => match self.rooms.lock().get(&room) {
                    Some(handle) => handle.hint(Command::Event(FeedEvent::Ask { room, from })),
                    None if answers.len() < ANSWERS_MAX => answers.push(self.has_nothing(room, from)),
                    // Who asks waits no longer than half a second.
                    None => {}
                },
                event @ (FeedEvent::Entries { .. }
                | FeedEvent::Head { .. }
                | FeedEvent::Answer { .. }
                | FeedEvent::Presence { .. }
                | FeedEvent::Typing(..)) => self.dispatch(event),
            }
        }
        // A node that has said goodbye is told nothing any more; a dead one need not complain.
        if !self.is_draining() && !self.shutdown.is_cancelled() {
            warn!("feed ended: this node is cut off");
        }
    }

    fn dispatch(&self, event: FeedEvent) {
        let (FeedEvent::Entries { room, .. }
        | FeedEvent::Head { room, .. }
        | FeedEvent::Answer { room, .. }
        | FeedEvent::Presence { room, .. }
        | FeedEvent::Typing(room, _)) = &event
        else {
            return;
        };
        let handle = self.rooms.lock().get(room).cloned();
        if let Some(handle) = handle {
            handle.tell(event);
        }
    }

    /// A node asks what this one has of a room that is not open here.
    async fn has_nothing(&self, room: RoomName, from: NodeId) {
        drop(call(self.backbone.answer(&room, &from)).await);
    }

    /// The rooms that are open here, apart from those of users alone.
    fn shown_rooms(&self) -> usize {
        self.rooms.lock().keys().filter(|room| !room.is_hidden()).count()
    }

    /// What this node says of itself.
    pub(crate) fn info(&self) -> NodeInfo {
        NodeInfo {
            node: self.node().clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: self.started.elapsed().as_secs(),
            connections: self.connections(),
            rooms: self.shown_rooms(),
            draining: self.is_draining(),
            lag_ms: self.backbone.health().lag.map(|lag| lag.as_millis() as u64),
            you: false,
        }
    }

    /// What is read off this node when its metrics are asked for.
    pub(crate) fn readings(&self) -> Readings {
        let (health, (lagging, lagged)) = (self.backbone.health(), self.memory.lagging());
        Readings {
            connections: self.connections(),
            users: self.users.lock().len(),
            rooms: self.shown_rooms(),
            ready: Switch(self.is_ready()),
            draining: Switch(self.is_draining()),
            feed_up: Switch(health.silent.is_none()),
            feed_silent: health.silent.unwrap_or_default(),
            feed_lag: health.lag,
            backbone_reconnects: health.reconnects,
            lagging,
            lagged,
            queued_bytes: self.memory.queued_bytes(),
            uptime: self.started.elapsed(),
        }
    }

    /// A call to the backbone has failed.
    pub(crate) fn backbone_failed(&self) {
        self.metrics.backbone_errors.add(1);
    }

    /// Searches on their way.
    pub(crate) fn searching(&self) -> usize {
        SEARCHES_MAX - self.search_places.available_permits()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// True while the node as a whole is not cut off.
    pub(crate) fn reaches_backbone(&self) -> bool {
        self.reach.lock().is_ready() && self.backbone.health().silent.is_none()
    }

    /// True while the node can serve: the backbone is in reach and it is not draining.
    pub(crate) fn is_ready(&self) -> bool {
        self.reach.lock().is_ready() && !self.is_draining()
    }

    /// True while nothing keeps the node from taking clients of another: it is not draining, and the backbone
    /// answers at this moment.
    pub(crate) fn is_well(&self) -> bool {
        !self.is_draining() && self.reach.lock().is_well() && self.backbone.health().silent.is_none()
    }

    /// Counts a connection as long as the guard lives.
    pub(crate) fn connected(self: &Arc<Self>) -> Connected {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Connected { id: ConnId(self.next_conn.fetch_add(1, Ordering::Relaxed) as u64), hub: self.clone() }
    }

    /// A client's connection is here; older ones are closed, wherever they are.
    pub(crate) fn client_here(&self, client: &ClientId, newest: Newest) {
        let mut clients = self.clients.lock();
        // The notice that closes older connections may come before or after this.
        match clients.get(client) {
            Some(there) if there.generation > newest.generation => return newest.overtaken(),
            Some(there) if there.generation < newest.generation => there.overtaken(),
            _ => {}
        }
        clients.insert(client.clone(), newest);
    }

    pub(crate) fn client_gone(&self, client: &ClientId, conn: ConnId) {
        let mut clients = self.clients.lock();
        if clients.get(client).is_some_and(|there| there.conn == conn) {
            clients.remove(client);
        }
    }

    fn fenced(&self, client: &ClientId, generation: u64) {
        let clients = self.clients.lock();
        if let Some(older) = clients.get(client).filter(|there| there.generation < generation) {
            older.overtaken();
        }
    }
}

/// A connection, counted while it lives.
pub(crate) struct Connected {
    pub(crate) id: ConnId,
    hub: Arc<Hub>,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.hub.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The two ends of a backbone connection, taken apart.
pub(crate) fn split(link: Link) -> (Arc<dyn Backbone>, mpsc::Receiver<FeedEvent>) {
    (link.backbone, link.feed)
}
