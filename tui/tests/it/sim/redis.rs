//! The Redis of the virtual world: servers that are memory backbones, each on its own clock. A server that begins
//! again, or a replica that takes over, is another server with a copy of what a former one had at some moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chat_protocol::{NodeId, RoomName};
use chat_server::backbone::memory::{Clock, MemoryBackbone, Timing};
use chat_server::backbone::{Backbone, Call, Entry, Link};
use futures_util::FutureExt;

use super::Mutation;

/// The name under which calls take effect whose node is dead, or has given up their connection.
const GHOST: &str = "ghost";

/// One life of a server: whoever meets another one meets another `run_id`.
pub(super) struct Server {
    store: MemoryBackbone,
    ghost: Arc<dyn Backbone>,
    pub(super) since: Duration,
    pub(super) is_up: bool,
    offset: Duration,
}

pub(super) struct Redis {
    servers: Vec<Server>,
    /// Who serves now.
    pub(super) primary: usize,
    /// What a replica, or a file, has of a server: by the fault that will need it.
    copies: BTreeMap<usize, (usize, MemoryBackbone)>,
    time: Arc<AtomicU64>,
}

/// The memory backbone answers at once.
pub(super) fn now<T>(call: Call<T>) -> Result<T, chat_server::backbone::BackboneError> {
    call.now_or_never().expect("the memory backbone answers at once")
}

impl Redis {
    pub(super) fn new(mutation: Mutation) -> Self {
        let time = Arc::new(AtomicU64::new(0));
        let mut timing = Timing::default();
        if mutation == Mutation::NoSettling {
            timing.settle = Duration::ZERO;
        }
        let offset = Duration::from_secs(10);
        let store = MemoryBackbone::with_clock(timing, clock(&time, offset));
        let mut redis = Self { servers: Vec::new(), primary: 0, copies: BTreeMap::new(), time };
        redis.begin(store, offset, Duration::ZERO);
        redis
    }

    pub(super) fn set_time(&self, now: Duration) {
        self.time.store(now.as_nanos() as u64, Ordering::Relaxed);
    }

    fn begin(&mut self, store: MemoryBackbone, offset: Duration, since: Duration) {
        // What it hears is dropped: nobody reads it.
        let ghost = store.connect(ghost()).backbone;
        self.primary = self.servers.len();
        self.servers.push(Server { store, ghost, since, is_up: true, offset });
    }

    pub(super) fn server(&self, server: usize) -> &Server {
        &self.servers[server]
    }

    pub(super) fn is_up(&self, server: usize) -> bool {
        self.servers[server].is_up
    }

    pub(super) fn connect(&self, node: &NodeId) -> Link {
        self.servers[self.primary].store.connect(node.clone())
    }

    /// Where calls take effect of somebody who does not wait for their answers any more.
    pub(super) fn ghost(&self, server: usize) -> Option<Arc<dyn Backbone>> {
        self.is_up(server).then(|| self.servers[server].ghost.clone())
    }

    /// What the replica will have of this moment, when it takes over.
    pub(super) fn take_copy(&mut self, fault: usize) {
        let Server { store, offset, .. } = &self.servers[self.primary];
        let copy = store.copy(clock(&self.time, *offset));
        self.copies.insert(fault, (self.primary, copy));
    }

    pub(super) fn flush(&self) {
        self.servers[self.primary].store.flush();
    }

    pub(super) fn roll_back(&self, room: &RoomName, by: u64) {
        let store = &self.servers[self.primary].store;
        if let Ok(Some(head)) = now(self.servers[self.primary].ghost.head(room)) {
            store.roll_back(room, chat_protocol::Seq(head.place.seq.0.saturating_sub(by)));
        }
    }

    /// Nobody is served until another one begins.
    pub(super) fn stop(&mut self) {
        self.servers[self.primary].is_up = false;
    }

    /// A server begins with what `fault` has a copy of; where that is of a server that serves no more, with what the
    /// last one had.
    pub(super) fn begin_with_copy(&mut self, fault: usize, now: Duration, offset: Duration) {
        let copy = self.copies.remove(&fault).filter(|(of, _)| *of == self.primary);
        let from = copy.map_or_else(|| self.servers[self.primary].store.clone(), |(_, copy)| copy);
        let store = from.copy(clock(&self.time, offset));
        self.begin(store, offset, now);
    }

    pub(super) fn begin_empty(&mut self, now: Duration) {
        let Server { store, offset, .. } = &self.servers[self.primary];
        let (store, offset) = (store.copy(clock(&self.time, *offset)), *offset);
        store.flush();
        self.begin(store, offset, now);
    }

    /// The clock of the server that serves now, for one that begins on the same machine.
    pub(super) fn offset(&self) -> Duration {
        self.servers[self.primary].offset
    }

    /// What the log holds at the end.
    pub(super) fn entries(&self, room: &RoomName) -> Vec<Arc<Entry>> {
        let history = now(self.servers[self.primary].ghost.history(room, None, 10_000));
        history.ok().flatten().map(|(_, entries)| entries).unwrap_or_default()
    }
}

pub(super) fn ghost() -> NodeId {
    NodeId::parse(GHOST).expect("letters")
}

fn clock(time: &Arc<AtomicU64>, offset: Duration) -> Clock {
    let time = time.clone();
    Arc::new(move || Duration::from_nanos(time.load(Ordering::Relaxed)) + offset)
}
