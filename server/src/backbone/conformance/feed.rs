//! Owns the cases of what a node is told, and of a node that cannot be told.

use chat_protocol::Person;

use super::*;
use crate::backbone::{BackboneError, PresenceChange};

fn places(events: &[FeedEvent]) -> Vec<u64> {
    let of = |event: &FeedEvent| match event {
        FeedEvent::Entries { entries, .. } => entries.iter().map(|entry| entry.seq.0).collect(),
        _ => Vec::new(),
    };
    events.iter().flat_map(of).collect()
}

pub(in crate::backbone) async fn entries_reach_subscribers_in_order(fixture: impl Fixture) {
    let (mut a, mut b, mut c) =
        (fixture.connect("a").await, fixture.connect("b").await, fixture.connect("c").await);
    a.backbone.subscribe(&room()).await.unwrap();
    b.backbone.subscribe(&room()).await.unwrap();
    let log = Log::filled(&a, "x", 2).await;
    // What was not written is not told.
    log.put(vec![item("x", 2), item("x", 9), void("x", 3)]).await;
    log.put(vec![item("x", 4)]).await;
    for link in [&mut a, &mut b] {
        let events = told(link).await;
        assert_eq!(places(&events), [1, 2, 3]);
        let first = events.iter().find(|event| !matches!(event, FeedEvent::Ask { .. }));
        let Some(FeedEvent::Entries { epoch, entries, .. }) = first else { panic!("{events:?}") };
        assert_eq!((*epoch, entries[0].as_ref()), (log.epoch().await, log.entries().await[0].as_ref()));
    }
    assert_eq!(places(&told(&mut c).await), [0_u64; 0], "c has not subscribed");
    b.backbone.unsubscribe(&room()).await.unwrap();
    log.put(vec![item("x", 5)]).await;
    assert_eq!((places(&told(&mut a).await), places(&told(&mut b).await)), (vec![4], vec![]));
}

pub(in crate::backbone) async fn a_round_is_told_to_every_node(fixture: impl Fixture) {
    let (mut a, mut b) = (fixture.connect("a").await, fixture.connect("b").await);
    let log = Log::filled(&a, "x", 2).await;
    let run = log.run().await;
    fixture.roll_back(&log.room, Seq(1)).await;
    log.repair(run).await;
    let notice = FeedEvent::Head { room: room(), head: Some(log.head().await) };
    // Neither has subscribed: what a node keeps of a room outlives its members there.
    for link in [&mut a, &mut b] {
        assert!(told(link).await.contains(&notice));
    }
}

pub(in crate::backbone) async fn presence_is_told_in_the_room(fixture: impl Fixture) {
    let (a, mut b, mut c) =
        (fixture.connect("a").await, fixture.connect("b").await, fixture.connect("c").await);
    b.backbone.subscribe(&room()).await.unwrap();
    let alice = user("alice", "a");
    a.backbone.enter(&room(), alice.clone()).await.unwrap();
    a.backbone.exit(&room(), &alice.user_id, true).await.unwrap();
    a.backbone.exit(&room(), &alice.user_id, false).await.unwrap();
    let left = |lost| PresenceChange::Left { user: alice.user_id.clone(), node: alice.node.clone(), lost };
    let change = |change| FeedEvent::Presence { room: room(), change };
    let is_presence = |event: &FeedEvent| matches!(event, FeedEvent::Presence { .. });
    let (mut here, mut elsewhere) = (told(&mut b).await, told(&mut c).await);
    here.retain(is_presence);
    elsewhere.retain(is_presence);
    let expected = [PresenceChange::Entered(alice.clone()), left(true), left(false)].map(change);
    assert_eq!(here, expected, "also who is not there any more: others may not know it");
    assert_eq!(elsewhere, []);
}

fn typist(name: &str) -> Person {
    Person { user_id: UserId::parse(name).unwrap(), username: format!("{name}'s-name") }
}

pub(in crate::backbone) async fn typing_is_told_in_the_room_and_kept_nowhere(fixture: impl Fixture) {
    let (mut a, mut b, mut c) =
        (fixture.connect("a").await, fixture.connect("b").await, fixture.connect("c").await);
    a.backbone.subscribe(&room()).await.unwrap();
    b.backbone.subscribe(&room()).await.unwrap();
    let log = Log::filled(&a, "x", 1).await;
    let (head, present) = (log.head().await, a.backbone.present(&room()).await.unwrap());
    told(&mut b).await;
    a.backbone.whisper(&room(), typist("alice")).await.unwrap();
    a.backbone.whisper(&room(), typist("bob")).await.unwrap();
    let is_typing = |event: &FeedEvent| matches!(event, FeedEvent::Typing(..));
    let expected = ["alice", "bob"].map(|name| FeedEvent::Typing(room(), typist(name)));
    for link in [&mut a, &mut b] {
        let mut heard = told(link).await;
        heard.retain(is_typing);
        assert_eq!(heard, expected);
    }
    assert!(!told(&mut c).await.iter().any(is_typing), "c has not subscribed");
    assert_eq!((log.head().await, a.backbone.present(&room()).await.unwrap()), (head, present));
}

pub(in crate::backbone) async fn a_full_feed_drops_typing_first_and_is_not_stale_for_it<F: Fixture>(
    fixture: F,
) {
    let (a, mut b) = (fixture.connect("a").await, fixture.connect("b").await);
    b.backbone.subscribe(&room()).await.unwrap();
    let log = Log::made(&a).await;
    for _ in 0..F::TOO_MANY {
        a.backbone.whisper(&room(), typist("alice")).await.unwrap();
    }
    log.put(vec![item("x", 1)]).await;
    let events = told(&mut b).await;
    let typing = events.iter().filter(|event| matches!(event, FeedEvent::Typing(..))).count();
    assert!(typing > 0 && (typing as u64) < F::TOO_MANY, "{typing}");
    assert_eq!(places(&events), [1], "there is place for what matters");
    assert!(!events.contains(&FeedEvent::Stale));
}

pub(in crate::backbone) async fn a_full_feed_is_followed_by_stale<F: Fixture>(fixture: F) {
    let (a, mut b) = (fixture.connect("a").await, fixture.connect("b").await);
    b.backbone.subscribe(&room()).await.unwrap();
    let log = Log::made(&a).await;
    for n in 1..=F::TOO_MANY {
        log.put(vec![item("x", n)]).await;
    }
    // The loss is told with what comes next, before it.
    let (mut read, mut n) = (Vec::new(), F::TOO_MANY);
    'read: loop {
        while let Ok(event) = b.feed.try_recv() {
            if event == FeedEvent::Stale {
                break 'read;
            }
            read.push(event);
        }
        n += 1;
        assert!(n < F::TOO_MANY * 2, "a loss is told");
        log.put(vec![item("x", n)]).await;
    }
    let read = places(&read);
    let expected: Vec<u64> = (1..=read.len() as u64).collect();
    assert_eq!(read, expected, "what came before the loss came in order");
    log.put(vec![item("x", n + 1)]).await;
    let after = places(&told(&mut b).await);
    let expected: Vec<u64> = (after[0]..=n + 1).collect();
    assert_eq!(after, expected, "and so does what comes behind it");
}

pub(in crate::backbone) async fn a_partition_is_followed_by_stale(fixture: impl Fixture) {
    let (a, mut b) = (fixture.connect("a").await, fixture.connect("b").await);
    b.backbone.subscribe(&room()).await.unwrap();
    let log = Log::filled(&a, "x", 1).await;
    assert_eq!(places(&told(&mut b).await), [1]);
    fixture.set_reachable("b", false).await;
    log.put(vec![item("x", 2)]).await;
    fixture.set_reachable("b", true).await;
    assert_eq!(next(&mut b).await, FeedEvent::Stale);
    log.put(vec![item("x", 3)]).await;
    assert_eq!(places(&told(&mut b).await), [3], "the subscription outlives the partition");
}

pub(in crate::backbone) async fn a_node_that_is_cut_off_changes_nothing(fixture: impl Fixture) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    let log = Log::filled(&a, "x", 1).await;
    fixture.set_reachable("b", false).await;
    let cut_off = b.backbone.publish(&room(), None, vec![item("x", 2)]).await;
    assert!(matches!(cut_off, Err(BackboneError::Unavailable(_))), "{cut_off:?}");
    assert!(b.backbone.head(&room()).await.is_err());
    assert_eq!(log.last_n("x").await, 1);
}
