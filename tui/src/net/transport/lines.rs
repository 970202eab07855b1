//! Owns the TCP way: newline-delimited JSON, both directions driven by one call.

use std::io;

use bytes::{Bytes, BytesMut};
use chat_protocol::{LineCodec, Request, encode_line};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Closed, FRAME_BYTES_MAX, UNWRITTEN_BYTES_MAX, does_not_read, words};

/// Room made for one read: a burst of chat lines, and little enough to keep while idle.
const READ_BYTES: usize = 8 * 1024;

#[derive(Debug)]
pub(super) struct Lines {
    stream: TcpStream,
    codec: LineCodec,
    input: BytesMut,
    output: BytesMut,
    /// Why nothing can be written any more. Reading goes on: the server's last words may say why.
    write_error: Option<io::Error>,
    overflow: bool,
    heard: Heard,
}

/// What came so far: a text greeting may stand before the first JSON line.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    Other,
    Json,
}

impl Lines {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            codec: LineCodec::new(FRAME_BYTES_MAX),
            input: BytesMut::new(),
            output: BytesMut::new(),
            write_error: None,
            overflow: false,
            heard: Heard::Nothing,
        }
    }

    pub(super) fn send(&mut self, requests: &[Request]) {
        if self.write_error.is_some() {
            return;
        }
        for request in requests {
            self.output.extend_from_slice(&encode_line(request));
        }
        self.overflow |= self.output.len() > UNWRITTEN_BYTES_MAX;
    }

    pub(super) fn unwritten(&self) -> usize {
        self.output.len()
    }

    pub(super) async fn recv(&mut self) -> Result<Bytes, Closed> {
        loop {
            if self.overflow {
                return Err(does_not_read());
            }
            if let Some(frame) = self.next_frame()? {
                return Ok(frame);
            }
            self.input.reserve(READ_BYTES);
            let (mut reader, mut writer) = self.stream.split();
            tokio::select! {
                read = reader.read_buf(&mut self.input) => match read {
                    Ok(0) => return Err(self.end()),
                    Ok(_) => {}
                    Err(error) => return Err(Closed(words(&error))),
                },
                written = writer.write_buf(&mut self.output), if !self.output.is_empty() => {
                    written.map_or_else(|error| self.cannot_write(error), drop);
                }
            }
        }
    }

    pub(super) async fn write(&mut self) {
        while !self.output.is_empty() {
            let written = self.stream.write_buf(&mut self.output).await;
            written.map_or_else(|error| self.cannot_write(error), drop);
        }
    }

    /// What the peer said before is read to its end.
    fn cannot_write(&mut self, error: io::Error) {
        self.output.clear();
        self.write_error = Some(error);
    }

    pub(super) async fn close(mut self) {
        // Nobody is left to tell of an error: what was not acknowledged is in the outbox.
        let _ = self.stream.write_all_buf(&mut self.output).await;
        let _ = self.stream.shutdown().await;
    }

    fn next_frame(&mut self) -> Result<Option<Bytes>, Closed> {
        loop {
            let line = self
                .codec
                .decode(&mut self.input)
                .map_err(|error| Closed(format!("not a chat server, or a broken one: {error}")))?;
            let Some(line) = line else { return Ok(None) };
            let json = line.trim_ascii_start().starts_with(b"{");
            match self.heard {
                _ if json => self.heard = Heard::Json,
                Heard::Json => {}
                Heard::Nothing | Heard::Other => {
                    self.heard = Heard::Other;
                    continue;
                }
            }
            if !line.is_empty() {
                return Ok(Some(line));
            }
        }
    }

    fn end(&self) -> Closed {
        match (&self.heard, &self.write_error) {
            (Heard::Other, _) => {
                Closed("closed by the server, which does not speak the chat protocol here".into())
            }
            (_, Some(error)) => Closed(words(error)),
            (_, None) => Closed("closed by the server".into()),
        }
    }
}
