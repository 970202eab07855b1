//! Owns a proxy that passes TCP connections on and breaks them in the ways networks do: closed, silent, slow,
//! deaf in one direction; all of them or one. It knows nothing of what passes, save the first bytes.

mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use wire::Wire;
use wire::{Gate, Passage};

/// How long a test waits for a connection that has to come.
const CONNECTION_MAX: Duration = Duration::from_secs(20);

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the one who connected to the target.
    ToTarget,
    /// From the target to the one who connected.
    FromTarget,
}

/// A listening port whose connections are passed on to a target; all is gone when dropped.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Changes with every connection that comes, says something early, or goes.
    news: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    target: SocketAddr,
    /// How a new connection begins.
    gate: Gate,
    wires: Vec<Wire>,
}

impl Proxy {
    /// Listens on a free port of the loopback.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn start(target: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for a proxy")?;
        let addr = listener.local_addr()?;
        let state = State { target, gate: Gate::default(), wires: Vec::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state), news: watch::Sender::new(()) });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, shared.clone()));
        Ok(Self { addr, shared, _tasks: tasks })
    }

    /// Where to connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// New connections go elsewhere; those there are stay.
    pub fn set_target(&self, target: SocketAddr) {
        self.shared.state.lock().target = target;
    }

    /// Resets every connection, and each new one at once.
    pub fn cut(&self) {
        self.change(|gate| gate.passage = Passage::Cut);
    }

    /// Holds all bytes back without closing anything; new connections are accepted and are as mute.
    pub fn stall(&self) {
        self.change(|gate| gate.passage = Passage::Stalled);
    }

    /// Swallows what goes in this direction, on the connections there are and on new ones. A connection that
    /// has lost bytes stays deaf until it is closed: no TCP stream goes on behind a hole.
    pub fn drop_direction(&self, direction: Direction) {
        self.change(|gate| gate.swallow(direction));
    }

    /// Everything arrives so much later, with the same throughput.
    pub fn delay(&self, delay: Duration) {
        self.change(|gate| gate.delay = delay);
    }

    /// Passes on again, what was held back included.
    pub fn heal(&self) {
        self.change(|gate| *gate = Gate::default());
    }

    /// The connections there are.
    pub fn connections(&self) -> Vec<Wire> {
        self.shared.state.lock().wires.clone()
    }

    /// Waits for an open connection among whose first bytes towards the target is this text, in any case.
    ///
    /// # Errors
    /// When none comes in twenty seconds.
    pub async fn connection_that_said(&self, text: &str) -> anyhow::Result<Wire> {
        let mut news = self.shared.news.subscribe();
        let search = async {
            loop {
                news.mark_unchanged();
                if let Some(wire) = self.connections().into_iter().find(|wire| wire.has_said(text)) {
                    return wire;
                }
                // The proxy holds the sender.
                drop(news.changed().await);
            }
        };
        timeout(CONNECTION_MAX, search).await.with_context(|| format!("no connection said {text}"))
    }

    fn change(&self, change: impl Fn(&mut Gate)) {
        let mut state = self.shared.state.lock();
        change(&mut state.gate);
        state.wires.iter().for_each(|wire| wire.change(&change));
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // One that was gone before it was accepted is nobody's loss.
                let Ok((client, _)) = accepted else { continue };
                connections.spawn(serve(client, shared.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(client: TcpStream, shared: Arc<Shared>) {
    let wire = {
        let mut state = shared.state.lock();
        let wire = Wire::new(state.gate, shared.news.clone());
        state.wires.push(wire.clone());
        wire
    };
    shared.news.send_replace(());
    wire.carry(client, || shared.state.lock().target).await;
    shared.state.lock().wires.retain(|other| !other.is(&wire));
    wire.end();
    shared.news.send_replace(());
}
