//! What the tests of plain mode are made of.

use chat_protocol::{ClientId, MessageBody, MessageId, NodeId, RoomMessage, RoomName, Seq, UserId};

pub(super) fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

pub(super) fn node(name: &str) -> NodeId {
    NodeId::parse(name).unwrap()
}

pub(crate) fn entry(room_name: &str, seq: u64, content: &str) -> RoomMessage {
    RoomMessage {
        room: room(room_name),
        seq: Seq(seq),
        id: MessageId::new(ClientId::parse("c").unwrap(), seq),
        body: MessageBody {
            sender: "alice".into(),
            sender_id: UserId::parse("u").unwrap(),
            content: content.into(),
            timestamp: "2026-11-21T10:02:30.000Z".into(),
            node: node("node-1"),
            kind: None,
            reference: None,
            reference_id: None,
            reply: None,
            quote: None,
            enc: None,
        },
    }
}
