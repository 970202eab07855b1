//! The lines programs see.

use chat_protocol::{Re, Seq, decode_server};

use super::*;
use crate::net::event::{Origin, Transport};
use crate::plain::samples::{entry, node, room};

fn line(event: &NetEvent) -> String {
    Json::default().event(Moment::ZERO, event, None).unwrap()
}

#[test]
fn an_entry_reads_as_a_message_of_the_protocol_without_terminal_escapes() {
    let message = entry("ops", 7, "a\u{1b}[2J\u{9b}\nb \"c\"");
    let shown = line(&NetEvent::Entry { message, out: None, origin: Origin::Live });
    assert!(!shown.contains('\n') && !shown.contains('\u{9b}') && !shown.contains("u001b"), "{shown}");
    let ServerMessage::Message(read) = decode_server(shown.as_bytes()).unwrap() else { panic!("{shown}") };
    assert_eq!((read.seq, read.body.content.as_str()), (Seq(7), "a[2J\nb \"c\""));
}

#[test]
fn the_link_is_told_when_more_than_a_figure_changed() {
    let mut json = Json::default();
    let mut show = |suspect, rtt| {
        let (at, rtt) = (Moment::ZERO, Some(Moment::from_millis(rtt)));
        let state = LinkState::Online {
            node: node("node-1"),
            transport: Transport::Ws,
            since: at,
            heard: at,
            suspect,
        };
        json.event(at, &NetEvent::Link(LinkStatus { state, rtt, ..LinkStatus::default() }), None)
    };
    let first: Value = serde_json::from_str(&show(false, 3).unwrap()).unwrap();
    assert_eq!(
        (&first["type"], &first["state"], &first["node"]),
        (&json!("link"), &json!("online"), &json!("node-1"))
    );
    assert_eq!((&first["transport"], &first["rtt_ms"]), (&json!("ws"), &json!(3.0)));
    assert_eq!(show(false, 4), None);
    assert!(show(true, 4).unwrap().contains("suspect"));
}

#[test]
fn what_becomes_of_a_message_carries_the_requests_mark() {
    let said = Said { content: "hi".into(), re: Some(Re::parse("7").unwrap()), was_queued: false };
    let event = NetEvent::Out { out: OutId(1), room: room("ops"), state: OutState::Acked };
    assert_eq!(
        Json::default().event(Moment::ZERO, &event, Some(&said)).unwrap(),
        r#"{"out":1,"re":"7","room":"ops","state":"acked","type":"out"}"#
    );
}

#[test]
fn other_events_keep_the_servers_words() {
    assert_eq!(line(&NetEvent::Left(room("ops"))), r#"{"room":"ops","type":"left"}"#);
    let reset = NetEvent::Reset {
        room: room("ops"),
        epoch: chat_protocol::Epoch(1),
        lost_from: Seq(1),
        lost_to: None,
        reason: "epoch".into(),
    };
    assert_eq!(line(&reset), r#"{"lost_from":1,"reason":"epoch","room":"ops","type":"reset"}"#);
}

#[test]
fn who_is_typing_is_told_as_the_server_tells_it() {
    let user_id = chat_protocol::UserId::parse("u2").unwrap();
    let shown =
        line(&NetEvent::Typing { room: room("ops"), user_id: user_id.clone(), name: "b\u{1b}ob".into() });
    let read = decode_server(shown.as_bytes()).unwrap();
    assert_eq!(read, ServerMessage::Typing { room: room("ops"), user_id, username: "bob".into() });
}
