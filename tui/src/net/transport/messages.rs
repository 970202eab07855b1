//! Owns the WebSocket way: one JSON object a message, both directions driven by one call.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use chat_protocol::{Request, encode_line, text};
use futures_util::{Sink, Stream};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes, error::ProtocolError};

use super::{Closed, FRAME_BYTES_MAX, UNWRITTEN_BYTES_MAX, does_not_read, words};

/// Kept by each connection; the library's default of 128 KiB is more than the rest of the client.
const READ_BUFFER_BYTES: usize = 8 * 1024;

#[derive(Debug)]
pub(super) struct Messages {
    stream: WebSocketStream<TcpStream>,
    /// Queued since all was last written; an upper bound, as the library does not tell its buffer.
    unwritten: usize,
    /// Why nothing can be written any more. Reading goes on: the server's last words may say why.
    write_error: Option<Error>,
}

impl Messages {
    pub(super) fn new(stream: WebSocketStream<TcpStream>) -> Self {
        Self { stream, unwritten: 0, write_error: None }
    }

    pub(super) fn send(&mut self, requests: &[Request]) {
        for request in requests {
            if self.write_error.is_some() {
                return;
            }
            let json = encode_line(request);
            self.unwritten += json.len();
            let json = json.slice(..json.len() - 1);
            let text = Utf8Bytes::try_from(json).expect("JSON is UTF-8");
            // The library takes a message at any time and only buffers it; `recv` drives the write.
            if let Err(error) = Pin::new(&mut self.stream).start_send(Message::Text(text)) {
                self.write_error = Some(error);
            }
        }
    }

    pub(super) fn unwritten(&self) -> usize {
        self.unwritten
    }

    pub(super) async fn recv(&mut self) -> Result<Bytes, Closed> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    pub(super) async fn write(&mut self) {
        std::future::poll_fn(|cx| {
            self.poll_write(cx);
            if self.unwritten == 0 || self.write_error.is_some() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    pub(super) async fn close(mut self) {
        // Nobody is left to tell of an error: what was not acknowledged is in the outbox.
        let _ = self.stream.close(None).await;
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Closed>> {
        loop {
            if let Some(Error::WriteBufferFull(_)) = self.write_error {
                return Poll::Ready(Err(does_not_read()));
            }
            self.poll_write(cx);
            let message = match ready!(Pin::new(&mut self.stream).poll_next(cx)) {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Poll::Ready(Err(Closed(error_words(&error)))),
                None => return Poll::Ready(Err(self.end())),
            };
            match message {
                Message::Text(text) => return Poll::Ready(Ok(text.into())),
                Message::Binary(bytes) => return Poll::Ready(Ok(bytes)),
                Message::Close(frame) => return Poll::Ready(Err(Closed(close_words(frame.as_ref())))),
                // The library has answered the ping; the next turn writes that.
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) {
        if self.write_error.is_some() {
            return;
        }
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(Ok(())) => self.unwritten = 0,
            Poll::Ready(Err(error)) => self.write_error = Some(error),
            Poll::Pending => {}
        }
    }

    fn end(&self) -> Closed {
        Closed(self.write_error.as_ref().map_or_else(|| "closed by the server".into(), error_words))
    }
}

/// What one connection may hold.
pub(crate) fn websocket_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX))
        .max_write_buffer_size(UNWRITTEN_BYTES_MAX)
}

/// Why an upgrade was refused, in words.
pub(crate) fn refusal(error: &Error) -> String {
    match error {
        Error::Http(answer) => format!("no WebSocket there: HTTP {}", answer.status()),
        Error::HttpFormat(_) => "no WebSocket address".into(),
        Error::Protocol(ProtocolError::HandshakeIncomplete) => "closed by the server".into(),
        Error::Protocol(_) => format!("no WebSocket there: {}", error_words(error)),
        other => error_words(other),
    }
}

fn error_words(error: &Error) -> String {
    match error {
        Error::Io(error) => words(error),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        | Error::ConnectionClosed
        | Error::AlreadyClosed => "closed by the server".into(),
        other => text::sanitize_line(&other.to_string()).into_owned(),
    }
}

fn close_words(frame: Option<&CloseFrame>) -> String {
    match frame {
        Some(frame) if !frame.reason.is_empty() => {
            format!("closed by the server: {}", text::sanitize_line(&frame.reason))
        }
        Some(frame) => format!("closed by the server: code {}", u16::from(frame.code)),
        None => "closed by the server".into(),
    }
}
