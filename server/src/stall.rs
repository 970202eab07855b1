//! Owns the limit on how long a peer may take nothing of what is written to it. Knows nothing of what that is.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// What a peer of the front-end may take to read anything at all; a node's own is a setting with the same default.
pub(crate) const STALL: Duration = Duration::from_secs(30);

/// A stream whose writes fail when its peer has taken nothing for so long.
#[derive(Debug)]
pub(crate) struct Stalling<S> {
    stream: S,
    stall: Duration,
    /// Since when the peer takes nothing; none while it does.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<S> Stalling<S> {
    pub(crate) fn new(stream: S, stall: Duration) -> Self {
        Self { stream, stall, stuck: None }
    }

    pub(crate) fn into_inner(self) -> S {
        self.stream
    }

    /// What became of a write, or the end of the patience with it.
    fn judge<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(self.stall)));
        ready!(stuck.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer does not read")))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stalling<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.judge(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // Neither of these waits for the peer on a socket.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stalling<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_given_up_at_the_limit() {
        let (near, _far) = duplex(8);
        let begun = Instant::now();
        let error = Stalling::new(near, STALL).write_all(&[7; 9]).await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed().as_secs()), (io::ErrorKind::TimedOut, STALL.as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_a_byte_now_and_then_gets_everything() {
        let (near, mut far) = duplex(1);
        let mut near = Stalling::new(near, STALL);
        let reads = async {
            for _ in 0..100 {
                sleep(STALL / 2).await;
                far.read_u8().await.unwrap();
            }
        };
        tokio::join!(async { near.write_all(&[7; 100]).await.unwrap() }, reads);
    }
}
