//! Owns one member of the crowd: the program's own network side, which enters and leaves the room as it is ordered and
//! counts what it is told of the others.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use chat_protocol::{ServerMessage, UserName};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::{NetCommand, NetEvent};
use chat_tui::net::link::LinkOptions;
use chat_tui::net::network::{Network, NetworkOptions};
use chat_tui::net::saved::SavedClient;
use tokio::sync::SemaphorePermit;

use super::{Board, Order, room};

/// What a member was told; written by its task, read by who waits for all.
#[derive(Debug, Default)]
pub(super) struct Heard {
    is_in: AtomicBool,
    /// How many are in the room, as it was told last.
    count: AtomicUsize,
    frames: AtomicU64,
    bytes: AtomicU64,
    lists: AtomicU64,
}

impl Heard {
    /// It is where it is to be, and knows how many are there with it.
    pub(super) fn knows(&self, is_in: bool, members: usize) -> bool {
        self.is_in.load(Ordering::Relaxed) == is_in
            && (!is_in || self.count.load(Ordering::Relaxed) == members)
    }

    pub(super) fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn lists(&self) -> u64 {
        self.lists.load(Ordering::Relaxed)
    }

    /// What is told from now on is counted.
    pub(super) fn forget(&self) {
        for counted in [&self.frames, &self.bytes, &self.lists] {
            counted.store(0, Ordering::Relaxed);
        }
    }

    fn told(&self, count: usize, message: &impl serde::Serialize) {
        self.count.store(count, Ordering::Relaxed);
        self.bytes.fetch_add(size(message), Ordering::Relaxed);
    }
}

/// Bytes of its JSON.
fn size(message: &impl serde::Serialize) -> u64 {
    struct Counted(u64);
    impl Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, message).expect("plain data");
    counted.0
}

pub(super) struct Member {
    index: usize,
    board: Arc<Board>,
}

impl Member {
    pub(super) fn new(index: usize, board: Arc<Board>) -> Self {
        Self { index, board }
    }

    /// Runs until the run is over.
    pub(super) async fn run(self, endpoint: Endpoint) {
        let mut orders = self.board.order.subscribe();
        let mut dialling = self.board.dialling.acquire().await.ok();
        let mut network = self.start(endpoint);
        loop {
            tokio::select! {
                event = network.events.recv() => match event {
                    Some(event) => self.told(event, &mut dialling),
                    None => break,
                },
                changed = orders.changed() => {
                    let order = *orders.borrow_and_update();
                    if changed.is_err() || order == Order::End {
                        break;
                    }
                    self.follow(order, &network).await;
                }
            }
        }
        drop(network.stop().await);
    }

    fn start(&self, endpoint: Endpoint) -> Network {
        let name = UserName::parse(&format!("client-{}", self.index)).expect("letters and a number");
        Network::start(NetworkOptions::new(LinkOptions {
            endpoints: vec![endpoint],
            name: Some(name),
            rooms: vec![room()],
            saved: SavedClient::default(),
            seed: fastrand::u64(..),
            ..LinkOptions::default()
        }))
    }

    async fn follow(&self, order: Order, network: &Network) {
        if self.index.is_multiple_of(2) {
            return;
        }
        let command = match order {
            Order::AllIn => NetCommand::Join(room()),
            Order::HalfOut | Order::End => NetCommand::Leave(room()),
        };
        // The network side lives as long as this does.
        drop(network.commands.send(command).await);
    }

    fn told(&self, event: NetEvent, dialling: &mut Option<SemaphorePermit<'_>>) {
        let heard = &self.board.heard[self.index];
        match event {
            NetEvent::Joined { users, count, .. } => {
                dialling.take();
                heard.lists.fetch_add(1, Ordering::Relaxed);
                heard.told(count, &users);
                heard.is_in.store(true, Ordering::Relaxed);
            }
            NetEvent::Presence(presence) => {
                heard.frames.fetch_add(1, Ordering::Relaxed);
                heard.told(presence.count, &ServerMessage::Presence(presence));
            }
            NetEvent::Left(_) => heard.is_in.store(false, Ordering::Relaxed),
            _ => {}
        }
    }
}
