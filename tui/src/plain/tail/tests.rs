//! What of a long past a tail shows, and what it tells of the rest.

use chat_protocol::{Epoch, Seq};

use super::*;
use crate::plain::samples::{entry, room};

#[tokio::test]
async fn a_past_that_is_too_long_is_cut_and_that_is_told() {
    const SAID: u64 = 100_005;
    let (commands, mut asked) = mpsc::channel(8);
    let (network, events) = mpsc::channel(8);
    let tail = Tail {
        commands,
        events,
        rooms: vec![room("ops")],
        format: Format::Json,
        since: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        started: Instant::now(),
        shutdown: CancellationToken::new(),
    };
    let (users, topic) = (Vec::new(), String::new());
    let joined =
        NetEvent::Joined { room: room("ops"), users, count: 1, epoch: Epoch(1), head: Seq(SAID), topic };
    network.send(joined).await.unwrap();
    let messages = (1..=SAID).map(|seq| entry("ops", seq, "x")).collect();
    network.send(NetEvent::History { room: room("ops"), messages, more: true }).await.unwrap();
    drop(network);
    let (mut output, mut notices) = (Vec::new(), Vec::new());
    let ended = run(tail, &mut output, &mut notices).await;
    assert!(matches!(ended, Err(TailError::Stopped)), "{ended:?}");
    assert_eq!(output.iter().filter(|byte| **byte == b'\n').count(), 100_000);
    let told = String::from_utf8(notices).unwrap();
    let expected = "-- older messages are left out (5 that had come): a tail begins with 100000 at most; \
                    begin later with --since\n";
    assert!(told.ends_with(expected), "{told}");
    assert!(asked.recv().await.is_some() && asked.recv().await.is_none(), "no older page is asked for");
}
