//! Only an acknowledgement is success; everything else has its reason.

use super::*;
use crate::exit::Exit;
use crate::net::event::LinkStatus;

/// How it ends, and which receipts were told.
async fn told(contents: &[&str], events: Vec<NetEvent>) -> (Result<(), SendError>, Vec<String>) {
    let (commands, mut said) = mpsc::channel(1);
    let (tell, told) = mpsc::channel(16);
    for event in events {
        tell.send(event).await.unwrap();
    }
    let sending = Sending {
        commands,
        events: told,
        room: RoomName::general(),
        contents: contents.iter().map(|&content| content.to_owned()).collect(),
        timeout: Duration::from_secs(10),
        receipts: Receipts::Wanted,
    };
    let mut receipts = Vec::new();
    let taken = async {
        for at in 1..=contents.len() as u64 {
            assert!(matches!(said.recv().await, Some(NetCommand::Say { out, .. }) if out == OutId(at)));
        }
        std::future::pending::<()>().await;
    };
    let outcome = tokio::select! {
        outcome = run(sending, |receipt| receipts.push(receipt.to_string())) => outcome,
        () = taken => panic!("it waits for ever"),
    };
    drop(tell);
    (outcome, receipts)
}

async fn outcome(events: Vec<NetEvent>) -> Result<(), SendError> {
    told(&["hi"], events).await.0
}

fn out(state: OutState) -> NetEvent {
    out_of(1, state)
}

fn out_of(out: u64, state: OutState) -> NetEvent {
    NetEvent::Out { out: OutId(out), room: RoomName::general(), state }
}

fn entry(out: u64, seq: u64) -> NetEvent {
    let message = crate::plain::samples::entry("general", seq, "hi");
    NetEvent::Entry { message, out: Some(OutId(out)), origin: crate::net::event::Origin::Live }
}

#[tokio::test(start_paused = true)]
async fn only_the_acknowledgement_counts() {
    assert_eq!(outcome(vec![out(OutState::Queued), out(OutState::Sent), out(OutState::Acked)]).await, Ok(()));
    let refused = outcome(vec![out(OutState::Failed("too\nlong".into()))]).await;
    assert_eq!(refused, Err(SendError::Refused("too long".into())));
}

#[tokio::test(start_paused = true)]
async fn silence_names_what_was_last_heard() {
    let (since, reason) = (Duration::ZERO, "connection refused".into());
    let state = LinkState::Down { since, reason, attempt: 2, retry_at: since };
    let down = NetEvent::Link(LinkStatus { state, ..LinkStatus::default() });
    let error = outcome(vec![out(OutState::Sent), down]).await.unwrap_err();
    assert_eq!(error.to_string(), "not acknowledged within 10s (connection refused)");
    assert_eq!(Exit::of(&error.into()).code(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_never_left_may_be_sent_again_elsewhere() {
    let error = outcome(vec![out(OutState::Queued)]).await.unwrap_err();
    assert_eq!(error.to_string(), "nothing was sent within 10s (no connection yet)");
    assert_eq!(Exit::of(&error.into()).code(), 4);
}

#[tokio::test(start_paused = true)]
async fn receipts_are_told_with_the_place_whichever_comes_first() {
    let joined = NetEvent::Joined {
        room: RoomName::general(),
        users: Vec::new(),
        count: 1,
        epoch: Epoch(1),
        head: Seq(6),
        topic: String::new(),
    };
    let acked = |at| out_of(at, OutState::Acked);
    let events = vec![joined, acked(1), entry(1, 7), entry(2, 8), acked(2)];
    let (outcome, receipts) = told(&["a", "b"], events).await;
    assert_eq!(outcome, Ok(()));
    let one = |seq| {
        format!(
            r#"{{"type":"ack","room":"general","n":{seq},"seq":{seq},"id":"c/{seq}","epoch":"0000000000000001"}}"#
        )
    };
    assert_eq!(receipts, [one(7), one(8)]);
    let receipt: chat_protocol::ServerMessage = chat_protocol::decode_server(receipts[0].as_bytes()).unwrap();
    assert!(matches!(receipt, chat_protocol::ServerMessage::Ack(_)), "{receipt:?}");
    let (outcome, receipts) = told(&["a"], vec![acked(1)]).await;
    assert_eq!((outcome, receipts), (Ok(()), vec![r#"{"type":"ack","room":"general"}"#.to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn of_several_it_says_how_many_are_known_to_be_there() {
    let events = vec![out(OutState::Sent), out_of(2, OutState::Sent), out(OutState::Acked), entry(1, 1)];
    let (error, receipts) = told(&["a", "b"], events).await;
    let error = error.unwrap_err().to_string();
    assert_eq!(error, "not acknowledged within 10s (no connection yet): 1 of 2 messages are");
    assert_eq!(receipts.len(), 1);
    let events = vec![out(OutState::Acked), out_of(2, OutState::Failed("too long".into()))];
    let error = told(&["a", "b"], events).await.0.unwrap_err().to_string();
    assert_eq!(error, "not sent: too long (1 of 2 messages are acknowledged)");
}
