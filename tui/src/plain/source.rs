//! Owns reading lines of input: bounded, whatever is fed in, and cancel-safe.

use std::io;

use bytes::BytesMut;
use chat_protocol::{LineCodec, limits};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest line of input, in bytes: a request with content of the longest kind.
const LINE_BYTES_MAX: usize = limits::CLIENT_FRAME_BYTES_MAX;

pub(super) struct Source<R> {
    input: R,
    codec: LineCodec,
    buffer: BytesMut,
    ended: bool,
}

impl<R: AsyncRead + Unpin> Source<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, codec: LineCodec::new(LINE_BYTES_MAX), buffer: BytesMut::new(), ended: false }
    }

    /// The next line, the last one also without its end; none at the end. Bytes that are not UTF-8 are
    /// replaced, which shows them. Cancel-safe: what was read stays in the buffer.
    pub(super) async fn line(&mut self) -> io::Result<Option<String>> {
        loop {
            let line = match self.codec.decode(&mut self.buffer) {
                Ok(None) if self.ended => self.codec.decode_eof(&mut self.buffer),
                Ok(line) => line,
                Err(error) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, format!("input: {error}")));
                }
            };
            if let Some(line) = line {
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            if self.ended {
                return Ok(None);
            }
            self.ended = self.input.read_buf(&mut self.buffer).await? == 0;
        }
    }
}
