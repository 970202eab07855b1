//! Owns how frames stand in the bytes of a connection: JSON lines, lines typed at a plain terminal, or
//! WebSocket messages. Sans-IO. On TCP the first byte received decides, whenever it comes: `{` is JSON,
//! anything else a person.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::{Buf, Bytes, BytesMut};
use chat_protocol::{CloseReason, ErrorCode, ErrorMessage, LineCodec, Payload, ServerMessage};
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message};

use crate::session::as_text;

/// Bytes a WebSocket's parser reads at once; what a connection keeps while idle is counted in bytes.
const WS_READ_BUFFER: usize = 4 * 1_024;

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inbound {
    /// A frame of the protocol, or text in its place.
    Frame(Bytes),
    /// A line typed at a plain terminal.
    Typed(Bytes),
    /// The client said goodbye.
    Goodbye,
}

/// How the writer puts payloads; decided by the reader on TCP.
#[derive(Debug, Clone)]
pub(crate) struct Dialect(Arc<AtomicU8>);

const UNDECIDED: u8 = 0;
const JSON: u8 = 1;
const TEXT: u8 = 2;
const WEB_SOCKET: u8 = 3;

impl Dialect {
    fn new(dialect: u8) -> Self {
        Self(Arc::new(AtomicU8::new(dialect)))
    }

    fn is(&self, dialect: u8) -> bool {
        self.0.load(Ordering::Relaxed) == dialect
    }

    pub(super) fn is_undecided(&self) -> bool {
        self.is(UNDECIDED)
    }

    pub(super) fn is_text(&self) -> bool {
        self.is(TEXT)
    }

    pub(super) fn is_web_socket(&self) -> bool {
        self.is(WEB_SOCKET)
    }

    /// Puts one payload behind what is there already.
    pub(super) fn put(&self, payload: &Payload, out: &mut Vec<u8>) {
        match self.0.load(Ordering::Relaxed) {
            JSON => out.extend_from_slice(payload.line()),
            WEB_SOCKET => put_frame(OpCode::Data(Data::Text), payload.json(), out),
            _ => {
                if let Some(text) = as_text(payload) {
                    out.extend_from_slice(text.as_bytes());
                    out.push(b'\n');
                }
            }
        }
    }

    /// Puts a ping that every WebSocket answers by itself.
    pub(super) fn put_control_ping(&self, out: &mut Vec<u8>) {
        put_frame(OpCode::Control(Control::Ping), &[], out);
    }

    /// Puts the last words.
    pub(super) fn put_close(&self, reason: &CloseReason, out: &mut Vec<u8>) {
        if *reason == CloseReason::Peer {
            return;
        }
        let code = match reason {
            CloseReason::TooBig => ErrorCode::TooLong,
            CloseReason::Drain => ErrorCode::ShuttingDown,
            CloseReason::Fenced => ErrorCode::Fenced,
            CloseReason::TryAgainLater(_) => ErrorCode::Unavailable,
            CloseReason::Policy(_) | CloseReason::Peer => ErrorCode::Forbidden,
        };
        self.put(&Payload::new(&ServerMessage::Error(ErrorMessage::new(code, reason.text()))), out);
        if self.is_web_socket() {
            let mut payload = reason.code().to_be_bytes().to_vec();
            payload.extend_from_slice(reason.text().as_bytes());
            put_frame(OpCode::Control(Control::Close), &payload, out);
        }
    }
}

/// A server's frames are not masked, so each is the same for every client (RFC 6455, section 5.1).
fn put_frame(opcode: OpCode, payload: &[u8], out: &mut Vec<u8>) {
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    header.format(payload.len() as u64, out).expect("a vector takes every byte");
    out.extend_from_slice(payload);
}

/// Cuts the bytes that come in into frames.
pub(crate) enum Framing {
    /// Lines on TCP.
    Lines(LineCodec, Dialect),
    /// Messages on WebSocket.
    WebSocket(Box<WebSocketContext>, Dialect),
}

impl Framing {
    /// For a TCP connection; lines are at most `limit` bytes long.
    pub(crate) fn tcp(limit: usize) -> Self {
        Self::Lines(LineCodec::new(limit), Dialect::new(UNDECIDED))
    }

    /// For a connection that was upgraded to WebSocket; messages are at most `limit` bytes long, 0 is off.
    pub(crate) fn web_socket(limit: usize) -> Self {
        let limit = (limit > 0).then_some(limit);
        let config = WebSocketConfig::default()
            .read_buffer_size(WS_READ_BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(WS_READ_BUFFER)
            .max_message_size(limit)
            .max_frame_size(limit);
        Self::WebSocket(Box::new(WebSocketContext::new(Role::Server, Some(config))), Dialect::new(WEB_SOCKET))
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Lines(_, dialect) | Self::WebSocket(_, dialect) => dialect.clone(),
        }
    }

    /// The next frame in `input`; what has to be answered by the framing itself goes to `reply`.
    pub(super) fn next(
        &mut self,
        input: &mut BytesMut,
        reply: &mut Vec<u8>,
    ) -> Result<Option<Inbound>, CloseReason> {
        match self {
            Self::Lines(codec, dialect) => {
                decide(dialect, input);
                let line = codec.decode(input).map_err(|_| CloseReason::TooBig)?;
                Ok(line
                    .map(|line| if dialect.is_text() { Inbound::Typed(line) } else { Inbound::Frame(line) }))
            }
            Self::WebSocket(context, _) => next_message(context, input, reply),
        }
    }

    /// What a person typed without ending the line, after a silence or at the end of the stream.
    pub(super) fn rest(&mut self, input: &mut BytesMut) -> Option<Inbound> {
        match self {
            Self::Lines(codec, dialect) if dialect.is_text() => codec.decode_eof(input).map(Inbound::Typed),
            Self::Lines(codec, _) => codec.decode_eof(input).map(Inbound::Frame),
            Self::WebSocket(..) => None,
        }
    }
}

fn decide(dialect: &Dialect, input: &[u8]) {
    if let (true, Some(first)) = (dialect.is_undecided(), input.first()) {
        dialect.0.store(if *first == b'{' { JSON } else { TEXT }, Ordering::Relaxed);
    }
}

fn next_message(
    context: &mut WebSocketContext,
    input: &mut BytesMut,
    reply: &mut Vec<u8>,
) -> Result<Option<Inbound>, CloseReason> {
    loop {
        let mut pipe = Pipe { input, output: reply };
        match context.read(&mut pipe) {
            Ok(Message::Text(text)) => {
                return Ok(Some(Inbound::Frame(Bytes::copy_from_slice(text.as_bytes()))));
            }
            Ok(Message::Binary(bytes)) => return Ok(Some(Inbound::Frame(Bytes::copy_from_slice(&bytes)))),
            Ok(Message::Close(_)) => {
                // The answer to a goodbye is the same goodbye; that it cannot be queued changes nothing.
                drop(context.flush(&mut pipe));
                return Ok(Some(Inbound::Goodbye));
            }
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => drop(context.flush(&mut pipe)),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => return Ok(Some(Inbound::Goodbye)),
            Err(Error::Capacity(_)) => return Err(CloseReason::TooBig),
            Err(Error::Utf8(_)) => return Err(CloseReason::Policy("a text message was not UTF-8")),
            Err(_) => return Err(CloseReason::Policy("not a WebSocket frame")),
        }
    }
}

/// The parser's stream: what has come in so far, and what it wants to say.
struct Pipe<'a> {
    input: &'a mut BytesMut,
    output: &'a mut Vec<u8>,
}

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = buffer.len().min(self.input.len());
        self.input.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

impl Write for Pipe<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
