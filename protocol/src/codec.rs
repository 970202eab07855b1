//! Owns how frames stand in a byte stream: newline-delimited JSON, and how a frame becomes a message.
//! Sans-IO: bytes in, frames out; the sockets are the caller's.

use bytes::{Bytes, BytesMut};
use serde::Deserialize;

use crate::error::{DecodeError, ErrorCode, FrameTooLong};
use crate::id::{Re, RoomName};
use crate::limits;
use crate::message::{ClientMessage, Request, ServerMessage};

mod direct;

/// Cuts a byte stream into lines. Remembers how far it has looked, so that a slow line is scanned once,
/// and refuses a line over the limit before it is stored.
#[derive(Debug)]
pub struct LineCodec {
    limit: usize,
    scanned: usize,
}

impl LineCodec {
    /// A codec for lines of at most `limit` bytes, the line's end not counted; 0 is off.
    pub fn new(limit: usize) -> Self {
        Self { limit, scanned: 0 }
    }

    /// The next line without its `\n` or `\r\n`; `None` until one is complete.
    ///
    /// # Errors
    /// [`FrameTooLong`] as soon as the line's beginning exceeds the limit. The stream is unusable then.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, FrameTooLong> {
        let end = input[self.scanned..].iter().position(|b| *b == b'\n').map(|at| self.scanned + at);
        let length = end.unwrap_or(input.len());
        let carriage_return = usize::from(length > 0 && input[length - 1] == b'\r');
        if self.limit > 0 && length - carriage_return > self.limit {
            return Err(FrameTooLong { limit: self.limit });
        }
        let Some(end) = end else {
            self.scanned = input.len();
            return Ok(None);
        };
        self.scanned = 0;
        let mut line = input.split_to(end + 1).freeze();
        line.truncate(end - carriage_return);
        Ok(Some(line))
    }

    /// What is left at the end of the stream: a last line that nobody ended.
    pub fn decode_eof(&mut self, input: &mut BytesMut) -> Option<Bytes> {
        self.scanned = 0;
        (!input.is_empty()).then(|| input.split().freeze())
    }
}

/// The parts of a request that its answer needs, whatever else is wrong with it.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    re: Option<serde_json::Value>,
    #[serde(default)]
    n: Option<serde_json::Value>,
    #[serde(default)]
    room: Option<serde_json::Value>,
}

impl Head {
    fn refuse(self, mut error: DecodeError) -> DecodeError {
        error.re = self.re.and_then(|re| Re::parse(re.as_str()?).ok());
        error.n = self.n.and_then(|n| n.as_u64()).filter(|n| *n <= limits::NUMBER_MAX);
        error.room = self.room.and_then(|room| RoomName::parse(room.as_str()?).ok());
        error
    }
}

/// Decodes one frame from a client and checks every text and number in it.
///
/// # Errors
/// [`DecodeError`] with `bad_json`, `unknown_type`, or the code of the first field that holds a bad value.
pub fn decode_request(frame: &[u8]) -> Result<Request, DecodeError> {
    let text = utf8(frame)?;
    match direct::request(text).and_then(checked) {
        Some(request) => Ok(request),
        None => request_of_any_kind(text),
    }
}

/// What is wrong with one is said by the long way.
fn checked(mut request: Request) -> Option<Request> {
    let checked = request.message.check_numbers().and_then(|()| request.message.check_texts());
    checked.is_ok().then_some(request)
}

fn request_of_any_kind(text: &str) -> Result<Request, DecodeError> {
    let head: Head = serde_json::from_str(text).map_err(|error| {
        DecodeError::new(ErrorCode::BadJson, format!("not a JSON object of this protocol: {error}"))
    })?;
    let Some(kind) = head.kind.as_deref() else {
        return Err(head.refuse(DecodeError::new(ErrorCode::BadJson, "the field \"type\" is missing")));
    };
    if !ClientMessage::TYPES.contains(&kind) {
        let reason = format!(
            "unknown type {:?}: see docs/protocol.md for those there are",
            crate::text::sanitize_line(kind)
        );
        return Err(head.refuse(DecodeError::new(ErrorCode::UnknownType, reason)));
    }
    let mut request: Request = match serde_json::from_str(text) {
        Ok(request) => request,
        Err(error) => return Err(head.refuse(field_error(&error))),
    };
    match request.message.check_numbers().and_then(|()| request.message.check_texts()) {
        Ok(()) => Ok(request),
        Err(error) => Err(head.refuse(error)),
    }
}

/// Decodes one frame from a server. Texts are as the server sent them: sanitize them before showing them.
///
/// # Errors
/// [`DecodeError`] for what is not a message of this protocol; a type of a newer server is
/// [`ServerMessage::Unknown`], not an error.
pub fn decode_server(frame: &[u8]) -> Result<ServerMessage, DecodeError> {
    let text = utf8(frame)?;
    match direct::server(text) {
        Some(message) => Ok(message),
        None => server_message_of_any_kind(text),
    }
}

fn server_message_of_any_kind(text: &str) -> Result<ServerMessage, DecodeError> {
    serde_json::from_str(text).map_err(|error| field_error(&error))
}

/// Encodes a message as one line with its end.
///
/// # Panics
/// Never: the messages of this crate have string keys and no other fallible parts.
pub fn encode_line(message: &impl serde::Serialize) -> Bytes {
    let mut line = serde_json::to_vec(message).expect("messages serialize");
    line.push(b'\n');
    line.into()
}

fn utf8(frame: &[u8]) -> Result<&str, DecodeError> {
    std::str::from_utf8(frame).map_err(|error| {
        DecodeError::new(
            ErrorCode::BadJson,
            format!("not UTF-8: byte {} is no character", error.valid_up_to()),
        )
    })
}

fn field_error(error: &serde_json::Error) -> DecodeError {
    let text = error.to_string();
    match ErrorCode::untag(&text) {
        Some((code, reason)) => {
            let reason = reason.rsplit_once(" at line ").map_or(reason, |(reason, _)| reason);
            DecodeError::new(code, reason)
        }
        None => DecodeError::new(ErrorCode::BadJson, text),
    }
}

#[cfg(test)]
mod tests;
