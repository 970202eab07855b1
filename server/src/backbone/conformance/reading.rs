//! Owns the cases of reading a log: behind a place, before a place, and what is known of a client.

use super::*;

fn seqs(page: Page) -> Vec<u64> {
    match page {
        Page::Ok { entries, .. } => entries.iter().map(|entry| entry.seq.0).collect(),
        refused => panic!("{refused:?}"),
    }
}

pub(in crate::backbone) async fn a_read_goes_on_behind_a_place(fixture: impl Fixture) {
    let log = Log::filled(&fixture.connect("a").await, "x", 5).await;
    let epoch = log.epoch().await;
    let at = |seq, there: Option<u64>| Place { epoch, seq: Seq(seq), id: there.map(|n| id("x", n)) };
    assert_eq!(seqs(log.read(Place::start(epoch), 2).await), [1, 2]);
    assert_eq!(seqs(log.read(at(2, Some(2)), 2).await), [3, 4]);
    assert_eq!(seqs(log.read(at(2, None), 99).await), [3, 4, 5]);
    let Page::Ok { head, entries } = log.read(at(5, Some(5)), 99).await else { panic!("the head is in it") };
    assert_eq!((head, entries.len()), (at(5, Some(5)), 0));
}

pub(in crate::backbone) async fn a_read_says_when_the_place_is_not_in_the_log(fixture: impl Fixture) {
    let a = fixture.connect("a").await;
    let log = Log { backbone: a.backbone.clone(), room: room() };
    assert_eq!(log.read(Place::start(Epoch(1)), 9).await, Page::Lost);
    let log = Log::filled(&a, "x", 3).await;
    let head = log.head().await;
    let epoch = head.place.epoch;
    assert_eq!(log.read(Place::start(Epoch(epoch.0 ^ 1)), 9).await, Page::Epoch(head.clone()));
    let above = Place { epoch, seq: Seq(4), id: None };
    assert_eq!(log.read(above, 9).await, Page::Behind(head.place.clone()));
    for seq in 1..=3 {
        let forked = Place { epoch, seq: Seq(seq), id: Some(id("z", 1)) };
        assert_eq!(log.read(forked, 9).await, Page::Fork(head.place.clone()), "at {seq}");
    }
}

pub(in crate::backbone) async fn a_read_below_the_first_entry_is_trimmed(fixture: impl Fixture) {
    let log = Log::made(&fixture.connect("a").await).await;
    let mut n = 0;
    while log.head().await.first == Seq(1) {
        assert!(n < 100_000, "a log is bounded");
        log.put((n + 1..=n + 1_000).map(|n| item("x", n)).collect()).await;
        n += 1_000;
    }
    let Head { place, first, .. } = log.head().await;
    assert_eq!(place.seq, Seq(n));
    let trimmed = Page::Trimmed { head: place.clone(), first };
    assert_eq!(log.read(Place::start(place.epoch), 9).await, trimmed);
    let last_gone = Place { epoch: place.epoch, seq: first.before(), id: Some(id("x", first.0 - 1)) };
    assert_eq!(seqs(log.read(last_gone.clone(), 2).await), [first.0, first.0 + 1]);
    // What stood there is gone, but the entry behind it still names it.
    let forked = Place { id: Some(id("z", 1)), ..last_gone };
    assert_eq!(log.read(forked, 2).await, Page::Fork(place));
}

pub(in crate::backbone) async fn history_ends_before_a_place(fixture: impl Fixture) {
    let a = fixture.connect("a").await;
    assert_eq!(a.backbone.history(&room(), None, 9).await.unwrap(), None);
    let log = Log::filled(&a, "x", 5).await;
    let page = async |before: Option<u64>, limit| {
        let page = log.backbone.history(&log.room, before.map(Seq), limit).await.unwrap();
        let (head, entries) = page.expect("there is a log");
        assert_eq!(head, log.head().await);
        entries.iter().map(|entry| entry.seq.0).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 2).await, [4, 5]);
    assert_eq!(page(Some(4), 2).await, [2, 3]);
    assert_eq!(page(Some(2), 9).await, [1]);
    assert_eq!(page(Some(99), 1).await, [5]);
    assert_eq!(page(Some(1), 9).await, [0_u64; 0]);
    assert_eq!(page(Some(0), 9).await, [0_u64; 0]);
}

pub(in crate::backbone) async fn the_newest_number_of_a_client_is_known(fixture: impl Fixture) {
    let a = fixture.connect("a").await;
    assert_eq!(a.backbone.last_n(&room(), &client("x")).await.unwrap(), 0);
    let log = Log::filled(&a, "x", 2).await;
    log.put(vec![void("x", 5)]).await;
    assert_eq!((log.last_n("x").await, log.last_n("y").await), (5, 0));
}
