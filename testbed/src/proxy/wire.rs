//! Owns one connection through the proxy: what its gate lets pass, when, and how it ends. It does not know
//! the other connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::Direction;

/// How much of what a connection says first is kept.
const FIRST_BYTES_MAX: usize = 16 * 1024;
/// Bytes read at once.
const CHUNK_BYTES: usize = 16 * 1024;
/// Chunks on their way while there is a delay.
const CHUNKS_MAX: usize = 256;

/// What a connection lets pass.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Gate {
    pub(super) passage: Passage,
    pub(super) delay: Duration,
    swallows_to_target: bool,
    swallows_from_target: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Passage {
    #[default]
    Open,
    /// Nothing moves; nothing is lost.
    Stalled,
    /// Reset.
    Cut,
}

impl Gate {
    pub(super) fn swallow(&mut self, direction: Direction) {
        match direction {
            Direction::ToTarget => self.swallows_to_target = true,
            Direction::FromTarget => self.swallows_from_target = true,
        }
    }

    fn swallows(&self, direction: Direction) -> bool {
        match direction {
            Direction::ToTarget => self.swallows_to_target,
            Direction::FromTarget => self.swallows_from_target,
        }
    }
}

/// A connection through the proxy, as a test holds it: what breaks it breaks it alone.
#[derive(Debug, Clone)]
pub struct Wire(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    gate: watch::Sender<Gate>,
    first_bytes: Mutex<Vec<u8>>,
    news: watch::Sender<()>,
    /// What a test puts between the chunks to the target.
    slipped_in: Mutex<Vec<u8>>,
    slip: Notify,
    has_ended: watch::Sender<bool>,
}

impl Wire {
    pub(super) fn new(gate: Gate, news: watch::Sender<()>) -> Self {
        Self(Arc::new(Inner {
            gate: watch::Sender::new(gate),
            first_bytes: Mutex::default(),
            news,
            slipped_in: Mutex::default(),
            slip: Notify::new(),
            has_ended: watch::Sender::new(false),
        }))
    }

    /// This text is among the first bytes that came from the one who connected, in any case.
    pub fn has_said(&self, text: &str) -> bool {
        let first_bytes = self.0.first_bytes.lock();
        first_bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
    }

    /// Resets it.
    pub fn cut(&self) {
        self.change(|gate| gate.passage = Passage::Cut);
    }

    /// Holds its bytes back.
    pub fn stall(&self) {
        self.change(|gate| gate.passage = Passage::Stalled);
    }

    /// Swallows what goes in this direction; it stays deaf until it is closed.
    pub fn drop_direction(&self, direction: Direction) {
        self.change(|gate| gate.swallow(direction));
    }

    /// Says this to the target as if it came from the one who connected, between two of its writes.
    pub fn slip_in(&self, bytes: &[u8]) {
        self.0.slipped_in.lock().extend_from_slice(bytes);
        self.0.slip.notify_one();
    }

    /// Waits until the connection has ended, on both sides.
    pub async fn ended(&self) {
        // The sender lives as long as the wire.
        drop(self.0.has_ended.subscribe().wait_for(|has_ended| *has_ended).await);
    }

    pub(super) fn end(&self) {
        self.0.has_ended.send_replace(true);
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Gate)) {
        self.0.gate.send_modify(change);
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Passes on to the target until both directions have ended, or one is broken: then both sides are reset.
    pub(super) async fn carry(&self, mut client: TcpStream, target: impl Fn() -> SocketAddr) {
        let mut server = None;
        let ended = tokio::select! {
            ended = async {
                self.opened().await;
                let server = server.insert(TcpStream::connect(target()).await?);
                self.copy_both(&mut client, server).await
            } => ended,
            () = self.is_cut() => Err(io::ErrorKind::ConnectionReset.into()),
        };
        if ended.is_err() {
            for stream in std::iter::once(&client).chain(&server) {
                // Dropped without a farewell: whoever is at the other end sees a reset. A socket that is
                // closed already needs none.
                drop(stream.set_zero_linger());
            }
        }
    }

    async fn copy_both(&self, client: &mut TcpStream, server: &mut TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        tokio::try_join!(
            self.copy(from_client, to_server, Direction::ToTarget),
            self.copy(from_server, to_client, Direction::FromTarget),
        )?;
        Ok(())
    }

    /// Chunks are stamped when they come in and written when they are due, so that a delay costs no throughput.
    async fn copy(&self, from: ReadHalf<'_>, to: WriteHalf<'_>, direction: Direction) -> io::Result<()> {
        let (queue, queued) = mpsc::channel(CHUNKS_MAX);
        tokio::try_join!(self.read(from, queue, direction), self.write(queued, to, direction))?;
        Ok(())
    }

    async fn read(
        &self,
        mut from: ReadHalf<'_>,
        queue: mpsc::Sender<(Instant, Vec<u8>)>,
        direction: Direction,
    ) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            let chunk = &buffer[..length];
            if direction == Direction::ToTarget {
                self.remember(chunk);
            }
            let due = Instant::now() + self.0.gate.borrow().delay;
            if queue.send((due, chunk.to_vec())).await.is_err() {
                return Ok(());
            }
        }
    }

    async fn write(
        &self,
        mut queued: mpsc::Receiver<(Instant, Vec<u8>)>,
        mut to: WriteHalf<'_>,
        direction: Direction,
    ) -> io::Result<()> {
        let mut is_deaf = false;
        loop {
            let (due, chunk) = tokio::select! {
                chunk = queued.recv() => match chunk {
                    Some(chunk) => chunk,
                    None => break,
                },
                () = self.0.slip.notified(), if direction == Direction::ToTarget => {
                    (Instant::now(), std::mem::take(&mut *self.0.slipped_in.lock()))
                }
            };
            sleep_until(due).await;
            self.opened().await;
            is_deaf |= self.0.gate.borrow().swallows(direction);
            if !is_deaf {
                to.write_all(&chunk).await?;
            }
        }
        // The end of the stream does not arrive either where nothing does.
        self.opened().await;
        is_deaf |= self.0.gate.borrow().swallows(direction);
        if is_deaf { Ok(()) } else { to.shutdown().await }
    }

    fn remember(&self, chunk: &[u8]) {
        let mut first_bytes = self.0.first_bytes.lock();
        let room = FIRST_BYTES_MAX - first_bytes.len();
        if room > 0 {
            first_bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            self.0.news.send_replace(());
        }
    }

    async fn opened(&self) {
        // The sender lives as long as the wire.
        drop(self.0.gate.subscribe().wait_for(|gate| gate.passage == Passage::Open).await);
    }

    async fn is_cut(&self) {
        drop(self.0.gate.subscribe().wait_for(|gate| gate.passage == Passage::Cut).await);
    }
}
