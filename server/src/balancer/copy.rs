//! Owns how bytes go both ways between two sockets, and how an end on one side becomes one on the other. Knows
//! nobody by name.
//!
//! A connection at rest has no buffer: bytes are read when they are there, into the stack of the thread that
//! moves them, and written at once. Only what the other side does not take waits on the heap, at most
//! [`STEP_BYTES`] each way; no more is read until it is gone.

use std::future::{pending, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWriteExt, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::timeout;

use crate::metrics::Count;
use crate::socket;
use crate::stall::STALL;

/// Bytes that are moved at once.
const STEP_BYTES: usize = 8 * 1024;
/// How long the second half of a connection may rest when the first has ended: a peer that is gone does not say so.
const HALF_CLOSED_IDLE: Duration = Duration::from_secs(60);
/// How long a client may still talk to a server that has ended its half: a server that closes for good has nobody
/// there to hear it, and one that does not gives its last words no longer either.
const SERVER_GONE: Duration = Duration::from_secs(1);
/// How long a side that still talks after the other has gone may take to notice.
const LINGER: Duration = Duration::from_secs(2);

/// Where bytes are counted: those of one way and those of the other.
pub(super) struct Counts<'a> {
    pub(super) up: &'a Count,
    pub(super) down: &'a Count,
}

/// Copies both ways until both sides have ended. A half-close is passed on and the other half lives: that of a client
/// as long as its answer comes, that of a server for [`SERVER_GONE`]. `server_ended` is called as soon as the server has
/// ended its half, also where a slow client has not taken all of it yet.
///
/// # Errors
/// When a side broke before the other had ended, or takes nothing for [`STALL`]: what broke on one side has to break
/// on the other.
pub(super) async fn both_ways(
    client: &mut TcpStream,
    server: &mut TcpStream,
    counts: Counts<'_>,
    server_ended: &(dyn Fn() + Sync),
) -> io::Result<()> {
    let moved = AtomicU64::new(0);
    let (client_reads, client_writes) = client.split();
    let (server_reads, server_writes) = server.split();
    let mut up =
        Way { from: client_reads, to: server_writes, count: counts.up, moved: &moved, ended: &|| {} };
    let mut down =
        Way { from: server_reads, to: client_writes, count: counts.down, moved: &moved, ended: server_ended };
    let (up_was_first, first, rest) = {
        let (mut going_up, mut going_down) = (pin!(up.pump()), pin!(down.pump()));
        // Neither future is dropped with the select: the one that lost goes on below.
        let (up_was_first, first) = tokio::select! {
            first = &mut going_up => (true, first),
            first = &mut going_down => (false, first),
        };
        if let Err(Broken::Reading(error) | Broken::Stuck(error)) = first {
            return Err(error);
        }
        let rest = if up_was_first {
            finish(going_down, &moved).await
        } else {
            timeout(SERVER_GONE, going_up).await.unwrap_or_else(|_| Err(Broken::Reading(timed_out())))
        };
        (up_was_first, first, rest)
    };
    let up_talks_on = match (first, rest) {
        (Ok(()), Ok(())) => return Ok(()),
        (_, Err(Broken::Stuck(error))) | (Err(_), Err(Broken::Reading(error) | Broken::Writing(error))) => {
            return Err(error);
        }
        // Otherwise one side has ended in order, and all it said was passed on: a reset could take from the other
        // what it has not read yet. That it still talks to nobody is what broke.
        (Err(_), Ok(())) => up_was_first,
        (Ok(()), Err(_)) => !up_was_first,
    };
    let talks_on = if up_talks_on { &mut up } else { &mut down };
    // Its end, an error or the end of the time: in each case there is nothing left to do.
    drop(timeout(LINGER, talks_on.discard()).await);
    Ok(())
}

fn timed_out() -> io::Error {
    io::ErrorKind::TimedOut.into()
}

/// The second half, as long as it makes progress.
async fn finish(
    mut rest: Pin<&mut impl Future<Output = Result<(), Broken>>>,
    moved: &AtomicU64,
) -> Result<(), Broken> {
    loop {
        let before = moved.load(Ordering::Relaxed);
        match timeout(HALF_CLOSED_IDLE, &mut rest).await {
            Ok(ended) => return ended,
            Err(_) if moved.load(Ordering::Relaxed) == before => {
                return Err(Broken::Reading(timed_out()));
            }
            Err(_) => {}
        }
    }
}

/// One of both ways.
struct Way<'a> {
    from: ReadHalf<'a>,
    to: WriteHalf<'a>,
    count: &'a Count,
    /// Bytes of both ways of this connection.
    moved: &'a AtomicU64,
    /// Told when the near side has ended.
    ended: &'a (dyn Fn() + Sync),
}

/// Why a way came to its end before its near side had ended.
#[derive(Debug)]
enum Broken {
    /// The near side broke.
    Reading(io::Error),
    /// The far side takes nothing any more; it may have ended in order long ago.
    Writing(io::Error),
    /// What was read cannot be handed on: the far side does not read, and the time is up or the near side broke.
    Stuck(io::Error),
}

/// What a step came to.
enum Step {
    Moved,
    /// The far side did not take these yet.
    Left(Vec<u8>),
    Ended,
}

impl Way<'_> {
    /// Until the near side ends, which the far side is told.
    async fn pump(&mut self) -> Result<(), Broken> {
        loop {
            match poll_fn(|context| self.poll_step(context)).await? {
                Step::Moved => {}
                Step::Left(rest) => self.hand_on(&rest).await?,
                Step::Ended => {
                    (self.ended)();
                    return self.to.shutdown().await.map_err(Broken::Writing);
                }
            }
        }
    }

    /// Waits for the far side to take what it did not take at once, as long as it takes something.
    async fn hand_on(&self, mut rest: &[u8]) -> Result<(), Broken> {
        while !rest.is_empty() {
            let taken = tokio::select! {
                taken = socket::write(self.to.as_ref(), rest, STALL) => taken,
                error = self.near_reset() => return Err(Broken::Stuck(error)),
                never = self.near_ended() => match never {},
            };
            let taken = taken.map_err(|error| match error.kind() {
                io::ErrorKind::TimedOut => Broken::Stuck(error),
                _ => Broken::Writing(error),
            })?;
            self.moved.fetch_add(taken as u64, Ordering::Relaxed);
            rest = &rest[taken..];
        }
        Ok(())
    }

    /// Until the near side is reset, which nobody would notice who does not read. Not where it had ended in order
    /// before: then what it said is still to be handed on.
    async fn near_reset(&self) -> io::Error {
        if let Err(error) = self.from.ready(Interest::ERROR).await {
            return error;
        }
        match self.from.as_ref().take_error() {
            // Linux says so of a reset behind an end.
            Ok(Some(error)) if error.kind() != io::ErrorKind::BrokenPipe => error,
            // Or the other way has met the error first: what is left has its time all the same.
            _ => pending().await,
        }
    }

    /// Tells when the near side has ended behind what is left; then there is nothing to wait for.
    async fn near_ended(&self) -> std::convert::Infallible {
        // The one interest whose readiness is an end and not bytes as well; only Linux has it.
        #[cfg(target_os = "linux")]
        if self.from.ready(Interest::PRIORITY).await.is_ok_and(|ready| ready.is_read_closed()) {
            (self.ended)();
        }
        pending().await
    }

    /// Moves what is there, once there is something. Polled and not asked for readiness first: tokio knows of a read that
    /// did not fill the buffer that nothing is left, and saves the one that would say so.
    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Result<Step, Broken>> {
        let mut buffer = [MaybeUninit::uninit(); STEP_BYTES];
        let mut buffer = ReadBuf::uninit(&mut buffer);
        ready!(Pin::new(&mut self.from).poll_read(context, &mut buffer)).map_err(Broken::Reading)?;
        let read = buffer.filled();
        if read.is_empty() {
            return Poll::Ready(Ok(Step::Ended));
        }
        self.count.add(read.len() as u64);
        self.moved.fetch_add(read.len() as u64, Ordering::Relaxed);
        let written = match self.to.try_write(read) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            written => written.map_err(Broken::Writing)?,
        };
        let rest = &read[written..];
        Poll::Ready(Ok(if rest.is_empty() { Step::Moved } else { Step::Left(rest.to_vec()) }))
    }

    /// Reads on without use until the end: closing over unread bytes would be a reset.
    async fn discard(&self) -> io::Result<()> {
        let mut buffer = [0; 256];
        loop {
            self.from.readable().await?;
            match self.from.try_read(&mut buffer) {
                Ok(0) => return Ok(()),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
