//! Owns the lifetime of one client's connection: its reader and writer, joined in one task, and how it
//! ends. The same for TCP and WebSocket; what differs is the [`Framing`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use chat_protocol::{CloseReason, ServerMessage};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::hub::{Hub, Joined};
use crate::outbox::Outbox;
use crate::session::Session;
use crate::socket;

mod framing;
mod preface;
mod reader;
mod writer;

pub(crate) use framing::{Dialect, Framing};
pub(crate) use preface::{SIGNATURE_V2, is_header};

/// How long a client that has ended its half still receives: what it said comes back to it.
const HALF_CLOSE: Duration = Duration::from_secs(1);
/// How long unread bytes of a client are thrown away after the last words to it, so that the system does
/// not reset the connection before the client has read them.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// And how many at most: more than is under way to it; who goes on writing does not listen.
const LAST_BYTES: usize = 8 * 1_024 * 1_024;

/// What ends connections from outside.
#[derive(Debug, Clone)]
pub(crate) struct Ends {
    /// The node goes down in order: clients are told to go elsewhere.
    pub(crate) drain: CancellationToken,
    /// The node dies: sockets are reset.
    pub(crate) kill: CancellationToken,
}

/// What reader and writer of one connection share.
struct Shared {
    hub: Arc<Hub>,
    outbox: Arc<Outbox>,
    rooms: Arc<Joined>,
    dialect: Dialect,
    opened: Instant,
    /// When the client was last heard, in milliseconds after `opened`.
    heard: AtomicU64,
    /// Bytes written since then: what a slow reader has yet to go through before it meets our pings.
    unheard: AtomicU64,
    /// The client is pinged by messages: it has said hello.
    hello: AtomicBool,
    /// The reader waits for the client: that it says nothing is not this node's doing.
    listens: AtomicBool,
    /// The node goes down in order.
    drain: CancellationToken,
}

impl Shared {
    fn hear(&self) {
        self.heard.store(self.opened.elapsed().as_millis() as u64, Ordering::Relaxed);
        self.unheard.store(0, Ordering::Relaxed);
    }

    fn silent_for(&self) -> Duration {
        self.opened.elapsed().saturating_sub(Duration::from_millis(self.heard.load(Ordering::Relaxed)))
    }
}

/// Why the reading came to an end.
enum ReadEnd {
    /// The client has ended its half.
    Eof,
    /// The client said goodbye.
    Goodbye,
    /// The connection is gone.
    Lost,
    /// The client broke the rules.
    Refused(CloseReason),
    /// It was a load balancer's header of the PROXY protocol, which is not expected here.
    ProxyHeader,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The client wanted it so.
    Over,
    /// It was lost or cut: the user may be back.
    Lost,
    /// It began with a header of the PROXY protocol, which is not expected here.
    ProxyHeader,
}

/// Serves one client until either side ends it. `input` holds bytes that were read already.
pub(crate) async fn serve(
    mut stream: TcpStream,
    input: BytesMut,
    framing: Framing,
    hub: Arc<Hub>,
    ends: Ends,
) -> Ended {
    let outbox = Outbox::new(hub.config.limits.outbox_bytes, hub.memory.clone());
    let rooms = Arc::<Joined>::default();
    let mut session = Session::new(hub.clone(), outbox.clone(), rooms.clone());
    let shared = Shared {
        hub,
        outbox,
        rooms,
        dialect: framing.dialect(),
        opened: Instant::now(),
        heard: AtomicU64::new(0),
        unheard: AtomicU64::new(0),
        hello: false.into(),
        listens: false.into(),
        drain: ends.drain.clone(),
    };
    let conversation = converse(&mut stream, input, framing, &mut session, &shared);
    let Some(ended) = ends.kill.run_until_cancelled(conversation).await else {
        socket::reset_on_drop(&stream);
        return Ended::Lost;
    };
    debug!(conn = session.conn().0, ?ended, "connection ended");
    session.end(ended == Ended::Lost).await;
    ended
}

/// Reads and writes until one of both is done.
async fn converse(
    stream: &mut TcpStream,
    input: BytesMut,
    framing: Framing,
    session: &mut Session,
    shared: &Shared,
) -> Ended {
    let (mut read_half, mut write_half) = stream.split();
    let mut writing = std::pin::pin!(writer::write(&mut write_half, shared, session.conn()));
    let mut reader = reader::Reader::new(input, framing);
    let end = tokio::select! {
        end = reader.read(&mut read_half, session, shared) => end,
        written = &mut writing => return finish(&mut read_half, written).await,
        () = drained(shared) => ReadEnd::Refused(CloseReason::Drain),
    };
    match end {
        ReadEnd::Lost => Ended::Lost,
        ReadEnd::ProxyHeader => Ended::ProxyHeader,
        ReadEnd::Eof => {
            // Its own words still come back to it, if it listens.
            drop(timeout(HALF_CLOSE, &mut writing).await);
            if shared.hello.load(Ordering::Relaxed) { Ended::Lost } else { Ended::Over }
        }
        ReadEnd::Goodbye => {
            shared.outbox.close(CloseReason::Peer);
            drop(timeout(LAST_WORDS, &mut writing).await);
            Ended::Over
        }
        ReadEnd::Refused(CloseReason::Drain) => {
            // Its time is over: the node does not wait for one that does not read.
            shared.outbox.close(CloseReason::Drain);
            match timeout(LAST_WORDS, &mut writing).await {
                Ok(written) => finish(&mut read_half, written).await,
                Err(_) => Ended::Lost,
            }
        }
        ReadEnd::Refused(reason) => {
            shared.outbox.close(reason);
            let written = writing.await;
            finish(&mut read_half, written).await
        }
    }
}

/// A client told to go elsewhere is told when, and has the drain period to do so; then it is closed. One that
/// cannot be told is closed when its turn comes: sooner or later it has to come back, and not with all others.
async fn drained(shared: &Shared) {
    shared.drain.cancelled().await;
    let (begun, turn) = (Instant::now(), shared.hub.drain_turn());
    let mut reconnect_in = turn;
    if !shared.hello.load(Ordering::Relaxed) {
        sleep_until(begun + turn).await;
        if !shared.hello.load(Ordering::Relaxed) {
            return;
        }
        // It was being taken in when the drain began: its turn is now.
        reconnect_in = Duration::ZERO;
    }
    shared.outbox.say(&ServerMessage::Drain { reconnect_in_ms: reconnect_in.as_millis() as u64 });
    sleep_until(begun + shared.hub.config.timing.drain).await;
}

/// After the last words: lets the client read them.
async fn finish(read_half: &mut ReadHalf<'_>, written: bool) -> Ended {
    if written {
        let mut scrap = [0_u8; 4_096];
        let discard = async {
            let mut left = LAST_BYTES;
            while let Ok(count @ 1..) = read_half.read(&mut scrap).await
                && count <= left
            {
                left -= count;
            }
        };
        drop(timeout(LAST_WORDS, discard).await);
    }
    Ended::Lost
}

#[cfg(test)]
mod tests;
