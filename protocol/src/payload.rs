//! Owns [`Payload`]: one server message, encoded once and shared by every recipient. Knows no socket:
//! a writer on TCP sends [`Payload::line`], one on WebSocket frames [`Payload::json`].

use bytes::{BufMut, Bytes, BytesMut};

use crate::codec::encode_line;
use crate::id::{MessageId, RoomName, Seq};
use crate::message::{MessageBody, ServerMessage};

/// One encoded server message; a clone shares the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    line: Bytes,
}

impl Payload {
    /// Encodes a message.
    pub fn new(message: &ServerMessage) -> Self {
        Self { line: encode_line(message) }
    }

    /// Encodes what no [`ServerMessage`] of this version holds: words for clients of another, or a message
    /// put together from bodies that are encoded already.
    pub fn of(value: &impl serde::Serialize) -> Self {
        Self { line: encode_line(value) }
    }

    /// Puts a place in front of a body that was encoded where the message was published: the one copy a
    /// node makes of it, whatever the number of recipients.
    ///
    /// # Panics
    /// Never: `body` comes from [`encode_body`], an object with at least one field.
    pub fn message(room: &RoomName, seq: Seq, id: &MessageId, body: &[u8]) -> Self {
        let fields = body.strip_prefix(b"{").expect("a body is a JSON object");
        let mut line = BytesMut::with_capacity(body.len() + room.as_str().len() + 128);
        line.put_slice(br#"{"type":"message","room":""#);
        line.put_slice(room.as_str().as_bytes());
        line.put_slice(format!(r#"","seq":{seq},"id":"{id}","#).as_bytes());
        line.put_slice(fields);
        line.put_u8(b'\n');
        Self { line: line.freeze() }
    }

    /// The message as a line with its `\n`.
    pub fn line(&self) -> &Bytes {
        &self.line
    }

    /// The message as JSON alone.
    pub fn json(&self) -> &[u8] {
        &self.line[..self.line.len() - 1]
    }

    /// Its size, in bytes, as it stands in a queue.
    pub fn size(&self) -> usize {
        self.line.len()
    }
}

impl From<&ServerMessage> for Payload {
    fn from(message: &ServerMessage) -> Self {
        Self::new(message)
    }
}

/// Encodes what a message says, apart from its place: done once, where it is published.
///
/// # Panics
/// Never: a body has string keys and no other fallible parts.
pub fn encode_body(body: &MessageBody) -> Bytes {
    serde_json::to_vec(body).expect("bodies serialize").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::decode_server;
    use crate::id::{ClientId, NodeId, UserId};

    #[test]
    fn a_body_with_a_place_in_front_reads_as_the_message() {
        let body = MessageBody {
            sender: "älice \"the\" first".into(),
            sender_id: UserId::random(),
            content: "two\nlines \\ and \u{1f600}".into(),
            timestamp: "2026-11-21T10:00:00.000Z".into(),
            node: NodeId::parse("node-1").unwrap(),
            kind: None,
            reference: None,
            reference_id: None,
            reply: Some(Seq(3)),
            quote: None,
            enc: None,
        };
        let (room, id) = (RoomName::parse("büro").unwrap(), MessageId::new(ClientId::random(), 9));
        let payload = Payload::message(&room, Seq(12), &id, &encode_body(&body));
        let ServerMessage::Message(read) = decode_server(payload.json()).unwrap() else {
            panic!("a message")
        };
        assert_eq!((read.room, read.seq, read.id, read.body), (room, Seq(12), id, body));
        assert_eq!(payload.line().last(), Some(&b'\n'));
    }
}
