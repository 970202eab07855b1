//! Only an acknowledgement is success; everything else has its reason.

use super::*;
use crate::net::event::LinkStatus;

async fn outcome(events: Vec<NetEvent>) -> Result<(), SendError> {
    let (commands, mut said) = mpsc::channel(1);
    let (tell, told) = mpsc::channel(8);
    for event in events {
        tell.send(event).await.unwrap();
    }
    let sending = Sending {
        commands,
        events: told,
        room: RoomName::general(),
        content: "hi".into(),
        timeout: Duration::from_secs(10),
    };
    let outcome = run(sending).await;
    assert!(matches!(said.recv().await, Some(NetCommand::Say { out: OUT, .. })));
    drop(tell);
    outcome
}

fn out(state: OutState) -> NetEvent {
    NetEvent::Out { out: OUT, room: RoomName::general(), state }
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
}
