//! Owns those who talk in the demo. Each is a client like any other: the same link, a socket of its own through
//! the front-end, reconnecting like everybody. What they say of a failover are their own counted figures.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use chat_protocol::{ClientId, NodeId, RoomName, UserName};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::lines::{BOTS, GENERAL, Line, OPS, RANDOM};
use super::rooms;
use crate::net::endpoint::Endpoint;
use crate::net::event::{LinkState, Moment, NetCommand, NetEvent, OutId, OutState, Transport};
use crate::net::link::LinkOptions;
use crate::net::network::{Network, NetworkOptions};
use crate::net::saved::SavedClient;

/// Between two messages of a room, at least and at most, in milliseconds.
const PACE_MS: std::ops::Range<u64> = 700..2_000;
/// How long a node that is to die may wait for the others to say something it does not hear.
const LAST_WORD_MAX: Duration = Duration::from_millis(500);
/// Orders that may wait; a bot that takes no more is passed over.
const ORDERS_MAX: usize = 16;

/// All of them.
pub(super) struct Bots(Vec<Bot>);

/// One, as the others see it.
#[derive(Clone)]
struct Bot {
    orders: mpsc::Sender<Order>,
    /// Where it is; none while it is offline.
    node: watch::Receiver<Option<NodeId>>,
}

struct Order {
    room: RoomName,
    text: String,
    /// Told once the message is in the log.
    done: Option<oneshot::Sender<()>>,
}

impl Bots {
    /// Starts them, and the conversation in each room.
    pub(super) fn start(
        front: SocketAddr,
        tasks: &TaskTracker,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let bots = BOTS.map(|name| Bot::start(name, front, tasks, shutdown));
        let bots = bots.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        for (room, lines) in rooms().into_iter().zip([GENERAL, OPS, RANDOM]) {
            tasks.spawn(shutdown.clone().run_until_cancelled_owned(converse(bots.clone(), room, lines)));
        }
        Ok(Self(bots))
    }

    /// Somebody on another node says a word that `node` does not hear any more; waits until the log has it.
    pub(super) async fn say_where_it_is_not_heard(&self, node: &NodeId) {
        let elsewhere = |bot: &&Bot| bot.node.borrow().as_ref().is_some_and(|at| at != node);
        let Some(bot) = self.0.iter().find(elsewhere) else { return };
        let (done, in_log) = oneshot::channel();
        let text = format!("did {node} just die?");
        if bot.orders.try_send(Order { room: RoomName::general(), text, done: Some(done) }).is_ok() {
            // Nobody waits for ever: without it the failover may have nothing to recover, and that is all.
            let _late = timeout(LAST_WORD_MAX, in_log).await;
        }
    }
}

/// Says a room's lines in turn, over and over. Who is offline says theirs when back.
async fn converse(bots: Vec<Bot>, room: RoomName, lines: &'static [Line]) {
    for (who, text) in lines.iter().cycle() {
        let bot = &bots[*who];
        loop {
            sleep(Duration::from_millis(fastrand::u64(PACE_MS))).await;
            if bot.node.borrow().is_some() {
                break;
            }
        }
        let order = Order { room: room.clone(), text: (*text).to_owned(), done: None };
        if bot.orders.send(order).await.is_err() {
            return;
        }
    }
}

impl Bot {
    fn start(
        name: &str,
        front: SocketAddr,
        tasks: &TaskTracker,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let name = UserName::parse(name).context("a bot's name")?;
        let (orders, to_do) = mpsc::channel(ORDERS_MAX);
        let (at, node) = watch::channel(None);
        let network = Network::start(NetworkOptions::new(LinkOptions {
            endpoints: vec![Endpoint::new(front.ip().to_string(), front.port(), Transport::Tcp)],
            name: Some(name),
            rooms: rooms(),
            saved: SavedClient { client_id: Some(ClientId::random()), ..SavedClient::default() },
            seed: fastrand::u64(..),
            ..LinkOptions::default()
        }));
        let mut mouth = Mouth { network, node: at, waiting: Vec::new(), next_out: 0, recovered_at: None };
        let shutdown = shutdown.clone();
        tasks.spawn(async move {
            shutdown.run_until_cancelled(mouth.run(to_do)).await;
            // Nobody keeps what a bot leaves.
            drop(mouth.network.stop().await);
        });
        Ok(Self { orders, node })
    }
}

/// One bot's own side: says what it is told to, and what it went through.
struct Mouth {
    network: Network,
    node: watch::Sender<Option<NodeId>>,
    /// Messages whose place in the log somebody waits for.
    waiting: Vec<(OutId, oneshot::Sender<()>)>,
    next_out: u64,
    /// The failover it spoke of last.
    recovered_at: Option<Moment>,
}

impl Mouth {
    async fn run(&mut self, mut orders: mpsc::Receiver<Order>) {
        loop {
            // Both queues keep what is not taken.
            let order = tokio::select! {
                Some(order) = orders.recv() => Some(order),
                Some(event) = self.network.events.recv() => self.hear(event),
                else => return,
            };
            if let Some(order) = order {
                self.say(order);
            }
        }
    }

    /// A bot that the network has no room for says nothing: it must never stand still over its own words.
    fn say(&mut self, order: Order) {
        self.next_out += 1;
        let out = OutId(self.next_out);
        self.waiting.extend(order.done.map(|done| (out, done)));
        let _full = self.network.commands.try_send(NetCommand::Say {
            out,
            room: order.room,
            content: order.text,
            kind: None,
        });
    }

    fn hear(&mut self, event: NetEvent) -> Option<Order> {
        match event {
            NetEvent::Out { out, state: OutState::Acked, .. } => {
                let told = self.waiting.extract_if(.., |(waiting, _)| *waiting == out);
                // Who no longer waits need not be told.
                told.for_each(|(_, done)| _ = done.send(()));
                None
            }
            NetEvent::Link(status) => {
                let node = match &status.state {
                    LinkState::Online { node, .. } => Some(node.clone()),
                    _ => None,
                };
                self.node.send_if_modified(|known| std::mem::replace(known, node.clone()) != node);
                let recovery = status.recovery.filter(|new| self.recovered_at != Some(new.at))?;
                self.recovered_at = Some(recovery.at);
                let counted = recovery.counted;
                let text = format!(
                    "my {} died: on {} after {} ms, {} recovered, {} lost",
                    recovery.from,
                    recovery.to,
                    recovery.took.as_millis(),
                    counted.recovered,
                    counted.lost
                );
                Some(Order { room: rooms().swap_remove(1), text, done: None })
            }
            _ => None,
        }
    }
}
