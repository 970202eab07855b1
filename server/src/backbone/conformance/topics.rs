//! Owns the cases of what rooms are about.

use super::*;
use crate::backbone::{Known, Topic};

fn topic(at_ms: u64, text: &str) -> Topic {
    Topic { at_ms, text: text.into() }
}

async fn set(link: &Link, topic: Topic) {
    link.backbone.set_topic(&room(), topic).await.unwrap();
}

async fn kept(link: &Link) -> Topic {
    let topic = link.backbone.topics(vec![room()]).await.unwrap().remove(0);
    let glance = link.backbone.glance(&room(), &client("x")).await.unwrap();
    assert_eq!(glance.topic, topic, "one question says the same");
    topic
}

pub(in crate::backbone) async fn the_later_topic_stands_whatever_comes_last(fixture: impl Fixture) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    assert_eq!(kept(&a).await, Topic::default());
    let now = 1_763_720_000_000;
    set(&a, topic(now, "release \u{1f600} \"day\"")).await;
    set(&b, topic(now - 1, "too late")).await;
    assert_eq!(kept(&b).await, topic(now, "release \u{1f600} \"day\""));
    for text in ["zebra", "apple"] {
        set(&a, topic(now + 1, text)).await;
    }
    assert_eq!(kept(&b).await, topic(now + 1, "zebra"), "of one moment every node sees the same");
    set(&b, topic(now + 2, "")).await;
    assert_eq!(kept(&a).await, topic(now + 2, ""), "it is about nothing, and that is later");
}

pub(in crate::backbone) async fn topics_come_in_the_order_in_which_rooms_are_named(fixture: impl Fixture) {
    let a = fixture.connect("a").await;
    let (ops, none) = (RoomName::parse("ops").unwrap(), RoomName::parse("none").unwrap());
    set(&a, topic(1, "here")).await;
    a.backbone.set_topic(&ops, topic(2, "there")).await.unwrap();
    let kept = a.backbone.topics(vec![ops, none, room()]).await.unwrap();
    assert_eq!(kept, [topic(2, "there"), Topic::default(), topic(1, "here")]);
    assert_eq!(a.backbone.topics(vec![]).await.unwrap(), []);
}

pub(in crate::backbone) async fn a_flush_takes_topics_and_a_reminder_brings_them_back(fixture: impl Fixture) {
    let a = fixture.connect("a").await;
    set(&a, topic(7, "release")).await;
    fixture.flush().await;
    assert_eq!(kept(&a).await, Topic::default());
    for known in [topic(7, "release"), topic(6, "what another node knew")] {
        a.backbone.remind(Known { topics: vec![(room(), known)], ..Known::default() }).await.unwrap();
    }
    assert_eq!(kept(&a).await, topic(7, "release"));
}
