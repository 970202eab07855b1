//! Owns the cases of a log that was lost or rolled back: rounds, questions, answers, logs made anew, repair.

use super::*;

fn part(run: &Run, from: u64, to: u64) -> Run {
    let within = |entry: &&Arc<Entry>| (from..=to).contains(&entry.seq.0);
    Run { entries: run.entries.iter().filter(within).cloned().collect(), ..run.clone() }
}

/// A run of another history: the same places, other messages from `from` on.
fn other_history(run: &Run, from: u64, name: &str) -> Run {
    let mut other = run.clone();
    let mut prev = None;
    for entry in &mut other.entries {
        let entry = Arc::make_mut(entry);
        if entry.seq.0 >= from {
            entry.id = id(name, entry.seq.0 - from + 1);
        }
        if entry.seq.0 > from {
            entry.prev = prev;
        }
        prev = Some(entry.id.clone());
    }
    other
}

async fn settled(log: &Log) -> bool {
    !matches!(log.publish(None, Vec::new()).await, Published::Settling(_))
}

pub(in crate::backbone) async fn a_round_closes_the_room_until_it_ends<F: Fixture>(fixture: F) {
    let log = Log::filled(&fixture.connect("a").await, "x", 1).await;
    log.backbone.ask(&log.room).await.unwrap();
    let Published::Settling(left) = log.publish(None, vec![item("x", 2)]).await else { panic!("settling") };
    assert!(left > Duration::ZERO && left <= F::SETTLE, "{left:?}");
    assert_eq!(log.last_n("x").await, 1);
    fixture.wait(left).await;
    assert_eq!(log.put(vec![item("x", 2)]).await, [placed(2, Some(id("x", 1)))]);
}

pub(in crate::backbone) async fn one_question_a_round<F: Fixture>(fixture: F) {
    let log = Log::filled(&fixture.connect("a").await, "x", 1).await;
    log.backbone.ask(&log.room).await.unwrap();
    fixture.wait(F::SETTLE / 2).await;
    log.backbone.ask(&log.room).await.unwrap();
    fixture.wait(F::SETTLE / 2).await;
    assert!(settled(&log).await, "a second question must not keep the room closed");
}

pub(in crate::backbone) async fn asking_reaches_every_other_node(fixture: impl Fixture) {
    let (mut a, mut b, mut c) =
        (fixture.connect("a").await, fixture.connect("b").await, fixture.connect("c").await);
    b.backbone.subscribe(&room()).await.unwrap();
    let mut asked = a.backbone.ask(&room()).await.unwrap().nodes;
    asked.sort();
    assert_eq!(asked, ["b", "c"].map(|node| NodeId::parse(node).unwrap()));
    let ask = FeedEvent::Ask { room: room(), from: NodeId::parse("a").unwrap() };
    for link in [&mut b, &mut c] {
        assert_eq!(told(link).await, std::slice::from_ref(&ask));
    }
    assert!(!told(&mut a).await.contains(&ask), "a node does not ask itself");
}

pub(in crate::backbone) async fn an_answer_reaches_the_asker_alone(fixture: impl Fixture) {
    let (mut a, b, mut c) =
        (fixture.connect("a").await, fixture.connect("b").await, fixture.connect("c").await);
    b.backbone.answer(&room(), &NodeId::parse("a").unwrap()).await.unwrap();
    let answer = FeedEvent::Answer { room: room(), from: NodeId::parse("b").unwrap() };
    assert_eq!(told(&mut a).await, [answer]);
    assert_eq!(told(&mut c).await, []);
}

pub(in crate::backbone) async fn create_never_overwrites_and_remembers_what_was_before(
    fixture: impl Fixture,
) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    let before = Place { epoch: Epoch(7), seq: Seq(41), id: None };
    let made = make(&*a.backbone, &room(), Some(before)).await;
    assert_eq!((made.place.seq, made.first, made.before), (Seq(0), Seq(1), Some((Epoch(7), Seq(41)))));
    let log = Log::filled(&b, "x", 1).await;
    let other = Place { epoch: Epoch(8), seq: Seq(1), id: None };
    let again = b.backbone.create(&room(), 0, Some(other)).await.unwrap().expect("there is one");
    assert_eq!((again.place.epoch, again.place.seq), (made.place.epoch, Seq(1)));
    assert_eq!((&again.before, &again), (&made.before, &log.head().await));
}

pub(in crate::backbone) async fn a_log_is_made_only_in_the_round_in_which_all_were_asked<F: Fixture>(
    fixture: F,
) {
    let (a, b) = (fixture.connect("a").await, fixture.connect("b").await);
    assert_eq!(a.backbone.create(&room(), 0, None).await.unwrap(), None, "nobody was asked");
    let early = b.backbone.ask(&room()).await.unwrap().round;
    Log::filled(&a, "x", 1).await;
    fixture.flush().await;
    // The others answered b before there was something to lose.
    assert_eq!(b.backbone.create(&room(), early, None).await.unwrap(), None);
    assert_eq!(b.backbone.head(&room()).await.unwrap(), None);
    let (one, other) = (a.backbone.ask(&room()).await.unwrap(), b.backbone.ask(&room()).await.unwrap());
    assert_eq!(one.round, other.round, "one round for all who ask");
    assert!(b.backbone.create(&room(), other.round, None).await.unwrap().is_some());
}

pub(in crate::backbone) async fn a_log_in_which_nothing_was_written_goes_on<F: Fixture>(fixture: F) {
    let log = Log::made(&fixture.connect("a").await).await;
    let head = log.head().await;
    fixture.flush().await;
    let run = Run { epoch: head.place.epoch, entries: Vec::new(), records: Vec::new() };
    assert_eq!(log.repair(run).await, Repaired::Ok { head: head.place.clone(), restored: 0 });
    assert_eq!(log.head().await, head);
    fixture.flush().await;
    assert_eq!(make(&*log.backbone, &log.room, Some(head.place.clone())).await, head);
}

pub(in crate::backbone) async fn making_a_log_ends_the_round_before_it(fixture: impl Fixture) {
    let a = fixture.connect("a").await;
    a.backbone.ask(&room()).await.unwrap();
    let log = Log::made(&a).await;
    assert!(settled(&log).await, "nobody can bring anything of a log that was just made");
}

pub(in crate::backbone) async fn repair_extends_a_rolled_back_log<F: Fixture>(fixture: F) {
    let mut a = fixture.connect("a").await;
    let log = Log::filled(&a, "x", 4).await;
    let (run, head) = (log.run().await, log.head().await);
    fixture.roll_back(&log.room, Seq(1)).await;
    assert_eq!((log.head().await.place.seq, log.last_n("x").await), (Seq(1), 1));
    let repaired = log.repair(part(&run, 2, 4)).await;
    assert_eq!(repaired, Repaired::Ok { head: head.place.clone(), restored: 3 });
    assert_eq!((log.head().await, log.entries().await), (head.clone(), run.entries));
    assert_eq!(told(&mut a).await, [FeedEvent::Head { room: room(), head: Some(head) }]);
    assert!(!settled(&log).await, "others may have more");
    fixture.wait(F::SETTLE).await;
    assert_eq!(log.put(vec![item("x", 4)]).await, [ItemAnswer::Duplicate(Some(Seq(4)))]);
}

pub(in crate::backbone) async fn repair_of_what_is_there_changes_nothing(fixture: impl Fixture) {
    let mut a = fixture.connect("a").await;
    let log = Log::filled(&a, "x", 3).await;
    let (run, head) = (log.run().await, log.head().await);
    assert_eq!(log.repair(part(&run, 2, 3)).await, Repaired::Ok { head: head.place.clone(), restored: 0 });
    assert_eq!((log.head().await, told(&mut a).await), (head, vec![]));
    assert!(settled(&log).await);
}

pub(in crate::backbone) async fn repair_brings_a_flushed_log_back_with_its_records<F: Fixture>(fixture: F) {
    let log = Log::filled(&fixture.connect("a").await, "x", 3).await;
    let (run, head) = (log.run().await, log.head().await);
    fixture.flush().await;
    assert_eq!((log.try_head().await, log.last_n("x").await), (None, 0));
    assert_eq!(log.repair(run.clone()).await, Repaired::Ok { head: head.place.clone(), restored: 3 });
    assert_eq!((log.head().await, log.entries().await, log.last_n("x").await), (head, run.entries, 3));
    fixture.wait(F::SETTLE).await;
    let other = Item { digest: 99, ..item("x", 3) };
    let low = Item { generation: 0, ..item("x", 4) };
    let answers = log.put(vec![other, low, item("x", 4)]).await;
    assert_eq!(answers, [ItemAnswer::Reused, ItemAnswer::Fenced, placed(4, Some(id("x", 3)))]);
}

pub(in crate::backbone) async fn records_from_below_the_run_come_back_with_it<F: Fixture>(fixture: F) {
    let log = Log::filled(&fixture.connect("a").await, "y", 1).await;
    log.put(vec![item("x", 1), item("x", 2)]).await;
    let record = super::super::Record { generation: 1, n: 1, seq: Seq(1), digest: 1 };
    let above = super::super::Record { generation: 9, n: 9, seq: Seq(9), digest: 9 };
    let records = vec![(client("y"), record), (client("z"), above)];
    let run = Run { records, ..part(&log.run().await, 2, 3) };
    fixture.flush().await;
    log.repair(run).await;
    assert_eq!((log.head().await.first, log.last_n("y").await, log.last_n("x").await), (Seq(2), 1, 2));
    assert_eq!(log.last_n("z").await, 0, "a record whose entry is nowhere proves nothing");
    fixture.wait(F::SETTLE).await;
    assert_eq!(log.put(vec![item("y", 1)]).await, [ItemAnswer::Duplicate(Some(Seq(1)))]);
}

pub(in crate::backbone) async fn the_front_goes_back_in_a_round<F: Fixture>(fixture: F) {
    let log = Log::filled(&fixture.connect("a").await, "y", 2).await;
    log.put(vec![item("x", 1), item("x", 2)]).await;
    let (run, head) = (log.run().await, log.head().await);
    fixture.flush().await;
    log.repair(part(&run, 3, 4)).await;
    assert_eq!(log.repair(run.clone()).await, Repaired::Ok { head: head.place.clone(), restored: 2 });
    assert_eq!((log.head().await, log.entries().await, log.last_n("y").await), (head, run.entries, 2));
}

pub(in crate::backbone) async fn the_front_goes_back_also_when_its_round_is_over<F: Fixture>(fixture: F) {
    let log = Log::filled(&fixture.connect("a").await, "x", 4).await;
    let (run, head) = (log.run().await, log.head().await);
    fixture.flush().await;
    log.repair(part(&run, 3, 4)).await;
    fixture.wait(F::SETTLE).await;
    // The node with the longer history may be the slower one.
    assert_eq!(log.repair(run.clone()).await, Repaired::Ok { head: head.place, restored: 2 });
    assert_eq!(log.entries().await, run.entries);
}

pub(in crate::backbone) async fn a_run_with_another_message_is_a_fork(fixture: impl Fixture) {
    let log = Log::filled(&fixture.connect("a").await, "x", 3).await;
    let (run, head) = (log.run().await, log.head().await);
    for from in 1..=3 {
        assert_eq!(log.repair(other_history(&run, from, "z")).await, Repaired::Fork(head.place.clone()));
    }
    // It begins right above the head, but behind another message.
    fixture.roll_back(&log.room, Seq(2)).await;
    let behind_another = part(&other_history(&run, 2, "z"), 3, 3);
    assert_eq!(log.repair(behind_another).await, Repaired::Fork(log.head().await.place));
    assert_eq!(log.ids().await, [id("x", 1), id("x", 2)]);
    assert_eq!(log.last_n("z").await, 0);
}

pub(in crate::backbone) async fn a_run_with_a_message_that_stands_elsewhere_is_a_fork(fixture: impl Fixture) {
    let log = Log::filled(&fixture.connect("a").await, "y", 1).await;
    log.put(vec![item("x", 1)]).await;
    let run = log.run().await;
    fixture.roll_back(&log.room, Seq(1)).await;
    log.put(vec![item("z", 1)]).await;
    log.put(vec![item("x", 1)]).await;
    fixture.roll_back(&log.room, Seq(3)).await;
    // x/1 stands at 3 now; the run has it at 2, and a run above the head that repeats it at 4.
    assert_eq!(log.repair(run).await, Repaired::Fork(log.head().await.place));
    let mut above = log.run().await;
    let again = Entry { seq: Seq(4), prev: Some(id("x", 1)), ..(*above.entries[2]).clone() };
    above.entries.push(Arc::new(again));
    assert_eq!(log.repair(above).await, Repaired::Fork(log.head().await.place));
    assert_eq!(log.ids().await, [id("y", 1), id("z", 1), id("x", 1)]);
}

pub(in crate::backbone) async fn a_run_above_the_head_is_a_hole_and_opens_a_round(fixture: impl Fixture) {
    let mut a = fixture.connect("a").await;
    let log = Log::filled(&a, "x", 4).await;
    let run = log.run().await;
    fixture.roll_back(&log.room, Seq(1)).await;
    let head = log.head().await;
    assert_eq!(log.repair(part(&run, 3, 4)).await, Repaired::Hole(head.place.clone()));
    assert_eq!(log.head().await, head);
    assert_eq!(told(&mut a).await, [FeedEvent::Head { room: room(), head: Some(head) }]);
    assert!(!settled(&log).await, "another node may fill the hole");
    // It does, and the first one tries again.
    assert!(matches!(log.repair(part(&run, 2, 2)).await, Repaired::Ok { restored: 1, .. }));
    assert!(matches!(log.repair(part(&run, 3, 4)).await, Repaired::Ok { restored: 2, .. }));
    assert_eq!(log.entries().await, run.entries);
}

pub(in crate::backbone) async fn a_run_of_another_life_is_told_of_this_one(fixture: impl Fixture) {
    let log = Log::filled(&fixture.connect("a").await, "x", 3).await;
    let run = log.run().await;
    fixture.flush().await;
    let before = run.entries.last().map(|entry| Place { epoch: run.epoch, seq: entry.seq, id: None });
    let head = make(&*log.backbone, &log.room, before).await;
    assert_eq!(log.repair(run.clone()).await, Repaired::Epoch(head.clone()));
    assert_eq!(head.before, Some((run.epoch, Seq(3))));
    assert_eq!(log.head().await, head);
}

pub(in crate::backbone) async fn a_run_that_is_not_contiguous_is_bad(fixture: impl Fixture) {
    let log = Log::filled(&fixture.connect("a").await, "x", 3).await;
    let run = log.run().await;
    fixture.flush().await;
    let mut holed = run.clone();
    holed.entries.remove(1);
    let mut unchained = run.clone();
    Arc::make_mut(&mut unchained.entries[1]).prev = Some(id("z", 1));
    for bad in [holed, unchained] {
        assert_eq!(log.repair(bad).await, Repaired::Bad);
    }
    assert_eq!(log.try_head().await, None);
}
