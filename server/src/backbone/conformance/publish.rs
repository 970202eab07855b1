//! Owns the cases of a message's way into the log: order, dedupe, evidence, fencing, and when nothing is
//! written.

use super::*;

pub(in crate::backbone) async fn places_are_contiguous_and_each_entry_names_the_one_before(
    fixture: impl Fixture,
) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    let (log, other) = (Log::made(&a).await, Log::made(&b).await);
    assert_eq!(
        log.put(vec![item("x", 1), item("y", 1)]).await,
        [placed(1, None), placed(2, Some(id("x", 1)))]
    );
    assert_eq!(other.put(vec![item("y", 2)]).await, [placed(3, Some(id("y", 1)))]);
    let entries = log.entries().await;
    let chain: Vec<_> =
        entries.iter().map(|entry| (entry.seq.0, entry.id.clone(), entry.prev.clone())).collect();
    let expected =
        [(1, id("x", 1), None), (2, id("y", 1), Some(id("x", 1))), (3, id("y", 2), Some(id("y", 1)))];
    assert_eq!(chain, expected);
    assert_eq!(entries[0].body, item("x", 1).body.unwrap());
    let place = Place { epoch: log.epoch().await, seq: Seq(3), id: Some(id("y", 2)) };
    assert_eq!(log.head().await, Head { place, first: Seq(1), before: None });
}

pub(in crate::backbone) async fn numbers_count_for_each_client_and_room_alone(fixture: impl Fixture) {
    let a = fixture.connect("a").await;
    let log = Log::filled(&a, "x", 2).await;
    let other = Log { backbone: a.backbone.clone(), room: RoomName::parse("other").unwrap() };
    make(&*other.backbone, &other.room, None).await;
    assert_eq!(other.put(vec![item("x", 1)]).await, [placed(1, None)]);
    assert_eq!(log.put(vec![item("y", 1)]).await, [placed(3, Some(id("x", 2)))]);
    assert_ne!(log.epoch().await, other.epoch().await);
}

pub(in crate::backbone) async fn a_batch_is_judged_item_by_item(fixture: impl Fixture) {
    let log = Log::filled(&fixture.connect("a").await, "x", 1).await;
    let batch = vec![item("x", 1), item("x", 3), item("x", 2), item("y", 1), item("x", 2)];
    let expected = [
        ItemAnswer::Duplicate(Some(Seq(1))),
        ItemAnswer::Gap(1),
        placed(2, Some(id("x", 1))),
        placed(3, Some(id("x", 2))),
        ItemAnswer::Duplicate(Some(Seq(2))),
    ];
    assert_eq!(log.put(batch).await, expected);
    assert_eq!(log.ids().await, [id("x", 1), id("x", 2), id("y", 1)]);
}

pub(in crate::backbone) async fn a_repeat_is_told_its_place_where_it_is_the_newest(fixture: impl Fixture) {
    let log = Log::filled(&fixture.connect("a").await, "x", 2).await;
    let answers = log.put(vec![item("x", 2), item("x", 1)]).await;
    assert_eq!(answers, [ItemAnswer::Duplicate(Some(Seq(2))), ItemAnswer::Duplicate(None)]);
    assert_eq!(log.entries().await.len(), 2);
}

pub(in crate::backbone) async fn other_content_under_a_taken_number_is_refused(fixture: impl Fixture) {
    let log = Log::filled(&fixture.connect("a").await, "x", 1).await;
    assert_eq!(log.put(vec![Item { digest: 99, ..item("x", 1) }]).await, [ItemAnswer::Reused]);
    assert_eq!(log.put(vec![item("x", 2)]).await, [placed(2, Some(id("x", 1)))]);
}

pub(in crate::backbone) async fn a_skipped_number_is_a_gap(fixture: impl Fixture) {
    let log = Log::made(&fixture.connect("a").await).await;
    assert_eq!(log.put(vec![item("x", 2)]).await, [ItemAnswer::Gap(0)]);
    assert_eq!(log.put(vec![item("x", 1), item("x", 3)]).await, [placed(1, None), ItemAnswer::Gap(1)]);
    assert_eq!(log.last_n("x").await, 1);
}

pub(in crate::backbone) async fn acknowledged_numbers_that_were_lost_are_gone_back_to(fixture: impl Fixture) {
    let log = Log::filled(&fixture.connect("a").await, "x", 3).await;
    let epoch = log.epoch().await;
    fixture.roll_back(&log.room, Seq(1)).await;
    let fourth = acked(item("x", 4), 3, epoch, 3);
    assert_eq!(log.put(vec![fourth.clone()]).await, [ItemAnswer::Back(1)]);
    // Not even its record is left: the client begins with all that it still has.
    fixture.roll_back(&log.room, Seq(0)).await;
    assert_eq!(log.put(vec![fourth.clone()]).await, [ItemAnswer::Back(0)]);
    let again = vec![item("x", 1), item("x", 2), item("x", 3), fourth];
    let expected = [
        placed(1, None),
        placed(2, Some(id("x", 1))),
        placed(3, Some(id("x", 2))),
        placed(4, Some(id("x", 3))),
    ];
    assert_eq!(log.put(again).await, expected);
}

pub(in crate::backbone) async fn the_acknowledged_message_stands_in_for_a_lost_record(fixture: impl Fixture) {
    let log = Log::filled(&fixture.connect("a").await, "x", 3).await;
    let epoch = log.epoch().await;
    fixture.forget_records(&log.room).await;
    // Above the acknowledged one there is no proof, and another place is none.
    assert_eq!(log.put(vec![acked(item("x", 5), 3, epoch, 3)]).await, [ItemAnswer::Gap(3)]);
    assert_eq!(log.put(vec![acked(item("x", 4), 3, epoch, 2)]).await, [ItemAnswer::Back(0)]);
    let fourth = acked(item("x", 4), 3, epoch, 3);
    assert_eq!(log.put(vec![fourth]).await, [placed(4, Some(id("x", 3)))]);
}

pub(in crate::backbone) async fn an_acknowledged_message_of_another_life_proves_nothing(
    fixture: impl Fixture,
) {
    let log = Log::filled(&fixture.connect("a").await, "x", 3).await;
    let epoch = log.epoch().await;
    fixture.flush().await;
    make(&*log.backbone, &log.room, None).await;
    assert_eq!(log.put(vec![acked(item("x", 4), 3, epoch, 3)]).await, [ItemAnswer::Back(0)]);
    assert_eq!(log.put(vec![item("x", 1)]).await, [placed(1, None)]);
}

pub(in crate::backbone) async fn void_uses_numbers_up_without_an_entry(fixture: impl Fixture) {
    let log = Log::filled(&fixture.connect("a").await, "x", 1).await;
    assert_eq!(log.put(vec![void("x", 4)]).await, [ItemAnswer::Voided]);
    assert_eq!((log.last_n("x").await, log.head().await.place.seq), (4, Seq(1)));
    let repeats = vec![void("x", 4), item("x", 4), item("x", 3)];
    let again = ItemAnswer::Duplicate(None);
    assert_eq!(log.put(repeats).await, [again.clone(), again.clone(), again]);
    assert_eq!(log.put(vec![item("x", 5)]).await, [placed(2, Some(id("x", 1)))]);
    // A number that was taken stays taken.
    assert_eq!(log.put(vec![void("x", 5)]).await, [ItemAnswer::Duplicate(None)]);
    assert_eq!(log.ids().await, [id("x", 1), id("x", 5)]);
}

pub(in crate::backbone) async fn a_lower_generation_is_fenced(fixture: impl Fixture) {
    let log = Log::made(&fixture.connect("a").await).await;
    let of = |generation, n| Item { generation, ..item("x", n) };
    log.put(vec![of(2, 1)]).await;
    let answers = log.put(vec![of(1, 1), of(1, 2), of(3, 2), of(2, 3)]).await;
    let fenced = ItemAnswer::Fenced;
    assert_eq!(answers, [fenced.clone(), fenced.clone(), placed(2, Some(id("x", 1))), fenced]);
}

pub(in crate::backbone) async fn nothing_is_written_without_a_log(fixture: impl Fixture) {
    let log = Log { backbone: fixture.connect("a").await.backbone, room: room() };
    assert_eq!(log.publish(None, vec![item("x", 1)]).await, Published::None);
    let known = Place { epoch: Epoch(1), seq: Seq(1), id: None };
    assert_eq!(log.publish(Some(known), vec![item("x", 1)]).await, Published::Lost);
    assert_eq!((log.try_head().await, log.last_n("x").await), (None, 0));
}

pub(in crate::backbone) async fn nothing_is_written_for_a_caller_that_knows_another_log(
    fixture: impl Fixture,
) {
    let log = Log::filled(&fixture.connect("a").await, "x", 2).await;
    let place = log.head().await.place;
    let batch = || vec![item("x", 3), item("y", 1)];
    let other_life = Place { epoch: Epoch(place.epoch.0 ^ 1), ..place.clone() };
    assert_eq!(log.publish(Some(other_life), batch()).await, Published::Epoch(place.clone()));
    let above = Place { seq: Seq(3), id: Some(id("z", 1)), ..place.clone() };
    assert_eq!(log.publish(Some(above), batch()).await, Published::Behind(place.clone()));
    for (seq, there) in [(2, id("z", 1)), (1, id("x", 2))] {
        let forked = Place { epoch: place.epoch, seq: Seq(seq), id: Some(there) };
        assert_eq!(log.publish(Some(forked), batch()).await, Published::Fork(place.clone()));
    }
    assert_eq!(log.head().await.place, place);
    assert_eq!((log.last_n("x").await, log.last_n("y").await), (2, 0));
}

pub(in crate::backbone) async fn a_caller_that_knows_less_may_publish(fixture: impl Fixture) {
    let log = Log::filled(&fixture.connect("a").await, "x", 2).await;
    let epoch = log.epoch().await;
    let lower = [
        Place::start(epoch),
        Place { epoch, seq: Seq(1), id: Some(id("x", 1)) },
        Place { epoch, seq: Seq(2), id: None },
    ];
    for (known, n) in lower.into_iter().zip(3..) {
        let Published::Ok { head, items } = log.publish(Some(known), vec![item("x", n)]).await else {
            panic!("it must be judged")
        };
        assert_eq!((head, items), (log.head().await.place, vec![placed(n, Some(id("x", n - 1)))]));
    }
}
