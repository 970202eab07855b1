use chat_protocol::ClientId;

use super::*;

const EPOCH: Epoch = Epoch(7);

fn id(n: u64) -> MessageId {
    MessageId::new(ClientId::parse("c1").unwrap(), n)
}

fn room() -> RoomName {
    RoomName::general()
}

/// A cursor at a place of a log in which each entry's id is its place.
fn at(seq: u64) -> Cursor {
    let mut cursor = Cursor::default();
    cursor.enter(EPOCH, Seq(seq), Some(id(seq)));
    cursor
}

fn see(cursor: &mut Cursor, seqs: impl IntoIterator<Item = u64>) -> Vec<Seen> {
    seqs.into_iter().map(|seq| cursor.entry(Seq(seq), &id(seq))).collect()
}

fn resumed(from: u64, to: u64, more: bool) -> Resumed {
    let (from, to) = (Seq(from), Seq(to));
    Resumed { room: room(), epoch: EPOCH, from, to, recovered: 0, last_n: 0, more }
}

/// Where it stands, as it would be said to another node.
fn place(cursor: &Cursor) -> Option<(Epoch, Seq, MessageId)> {
    let Resume { epoch, seq, id, .. } = cursor.resume(&room())?;
    Some((epoch, seq, id?))
}

#[track_caller]
fn check(cursor: &Cursor, recovered: u64, lost: u64, dup: u64) {
    assert_eq!(cursor.totals, Totals { recovered, lost, dup });
}

#[test]
fn entries_in_sequence_are_new_and_live() {
    let mut cursor = at(4);
    assert_eq!(see(&mut cursor, [5, 6]), [Seen::New(Origin::Live), Seen::New(Origin::Live)]);
    assert_eq!(place(&cursor), Some((EPOCH, Seq(6), id(6))));
    check(&cursor, 0, 0, 0);
}

#[test]
fn a_repeat_is_dropped_and_counted_by_its_place_and_by_its_id() {
    let mut cursor = at(4);
    see(&mut cursor, [5]);
    assert_eq!(see(&mut cursor, [5, 3]), [Seen::Repeat, Seen::Repeat]);
    assert_eq!(cursor.entry(Seq(6), &id(5)), Seen::Repeat, "the same message at another place");
    assert_eq!(place(&cursor), Some((EPOCH, Seq(6), id(5))), "its place is used up all the same");
    check(&cursor, 0, 0, 3);
}

#[test]
fn a_message_withheld_is_counted_lost() {
    let mut cursor = at(4);
    see(&mut cursor, [5, 7]);
    check(&cursor, 0, 1, 0);
    see(&mut cursor, [8]);
    check(&cursor, 0, 1, 0);
}

#[test]
fn a_message_withheld_from_a_replay_is_counted_lost() {
    let mut cursor = at(4);
    cursor.begin_replay();
    see(&mut cursor, [5, 7, 8]);
    cursor.resumed(&resumed(4, 8, false));
    check(&cursor, 3, 1, 0);
}

#[test]
fn a_message_withheld_from_the_end_of_a_replay_is_counted_lost() {
    let mut cursor = at(4);
    cursor.begin_replay();
    see(&mut cursor, [5, 6]);
    cursor.resumed(&resumed(4, 7, false));
    check(&cursor, 2, 1, 0);
    assert_eq!(see(&mut cursor, [8]), [Seen::New(Origin::Live)]);
    check(&cursor, 2, 1, 0);
}

#[test]
fn a_replay_counts_what_it_recovers() {
    let mut cursor = at(4);
    cursor.begin_replay();
    assert!(cursor.is_replaying());
    assert_eq!(see(&mut cursor, [5]), [Seen::New(Origin::Replayed)]);
    cursor.resumed(&resumed(4, 5, false));
    assert_eq!(see(&mut cursor, [6]), [Seen::New(Origin::Live)]);
    check(&cursor, 1, 0, 0);
}

#[test]
fn what_a_replay_passes_over_is_not_lost_where_history_has_it() {
    let mut cursor = at(4);
    cursor.begin_replay();
    see(&mut cursor, [1_005, 1_006]);
    cursor.resumed(&resumed(1_004, 1_006, true));
    check(&cursor, 2, 0, 0);
}

#[test]
fn what_a_replay_passes_over_is_lost_where_history_does_not_have_it() {
    let mut cursor = at(4);
    cursor.begin_replay();
    see(&mut cursor, [8, 9]);
    cursor.resumed(&resumed(4, 9, false));
    check(&cursor, 2, 3, 0);
}

#[test]
fn what_a_replay_passes_over_beyond_what_it_says_is_lost() {
    let mut cursor = at(4);
    cursor.begin_replay();
    see(&mut cursor, [1_006]);
    cursor.resumed(&resumed(1_004, 1_006, true));
    check(&cursor, 1, 1, 0);
}

#[test]
fn a_replay_that_breaks_off_has_lost_what_it_passed_over_for_no_reason() {
    let mut cursor = at(4);
    cursor.begin_replay();
    cursor.enter(EPOCH, Seq(9), Some(id(9)));
    see(&mut cursor, [8]);
    cursor.interrupted();
    check(&cursor, 1, 3, 0);
}

#[test]
fn a_replay_of_the_newest_alone_that_breaks_off_has_lost_nothing() {
    let mut cursor = at(4);
    cursor.begin_replay();
    cursor.enter(EPOCH, Seq(11_000), Some(id(11_000)));
    see(&mut cursor, [1_001, 1_002]);
    cursor.interrupted();
    check(&cursor, 2, 0, 0);
    assert_eq!(cursor.resume(&room()).unwrap().seq, Seq(1_002));
}

#[test]
fn a_reset_counts_the_range_that_is_gone() {
    let mut cursor = at(4);
    cursor.begin_replay();
    let (lost_from, lost_to) = (Seq(5), Some(Seq(9)));
    let reset = Reset {
        room: room(),
        reason: "trimmed".to_owned(),
        epoch: EPOCH,
        seq: Seq(9),
        id: None,
        lost_from,
        lost_to,
        last_n: 0,
    };
    cursor.reset(&reset);
    assert!(cursor.is_replaying(), "what is left is replayed");
    // The newest of it: what lies between is to be had.
    assert_eq!(see(&mut cursor, [20]), [Seen::New(Origin::Replayed)]);
    let (room, from, to) = (room(), Seq(19), Seq(20));
    let resumed = Resumed { room, epoch: EPOCH, from, to, recovered: 1, last_n: 0, more: true };
    assert_eq!(cursor.resumed(&resumed), 10);
    check(&cursor, 1, 5, 0);
    let all_gone = Reset { epoch: Epoch(8), seq: Seq(0), lost_from: Seq(21), lost_to: None, ..reset };
    cursor.reset(&all_gone);
    assert!(!cursor.is_replaying());
    assert_eq!(cursor.entry(Seq(1), &id(11)), Seen::New(Origin::Live));
    assert_eq!(cursor.entry(Seq(2), &id(20)), Seen::Repeat, "put back into the new log, but shown before");
    check(&cursor, 1, 5, 1);
}

#[test]
fn what_was_rewound_may_come_again() {
    let mut cursor = at(4);
    see(&mut cursor, [5, 6, 7]);
    cursor.rewind(EPOCH, Seq(5));
    assert_eq!(place(&cursor), Some((EPOCH, Seq(5), id(5))));
    assert_eq!(cursor.entry(Seq(6), &id(7)), Seen::New(Origin::Live));
    assert_eq!(cursor.entry(Seq(7), &id(6)), Seen::New(Origin::Live));
    check(&cursor, 0, 0, 0);
}

#[test]
fn a_rewind_in_a_replay_opens_no_hole() {
    let mut cursor = at(4);
    see(&mut cursor, [5, 6]);
    cursor.begin_replay();
    cursor.rewind(EPOCH, Seq(5));
    assert_eq!(cursor.entry(Seq(6), &id(60)), Seen::New(Origin::Replayed));
    cursor.resumed(&resumed(5, 6, false));
    check(&cursor, 1, 0, 0);
}

#[test]
fn a_resume_brings_the_place_and_the_newest_ids() {
    let mut cursor = at(4);
    see(&mut cursor, 5..=50);
    let resume = cursor.resume(&room()).unwrap();
    assert_eq!((resume.epoch, resume.seq, resume.id), (EPOCH, Seq(50), Some(id(50))));
    assert_eq!(resume.tail, (19..=50).map(id).collect::<Vec<_>>());
}

/// One message may land at its place again in another history, behind other ones.
#[test]
fn history_below_the_place_proves_it_too() {
    let page = |cursor: &mut Cursor, epoch: Epoch, seqs: std::ops::Range<u64>| {
        let page: Vec<_> = seqs.map(|seq| (Seq(seq), id(seq))).collect();
        cursor.older(epoch, page.iter().map(|(seq, id)| (*seq, id)));
    };
    let tail = |cursor: &Cursor| cursor.resume(&room()).unwrap().tail;
    let mut cursor = at(4);
    page(&mut cursor, Epoch(8), 1..4);
    page(&mut cursor, EPOCH, 1..3);
    assert_eq!(tail(&cursor), [id(4)], "another epoch, and a page that lies deeper");
    page(&mut cursor, EPOCH, 2..5);
    see(&mut cursor, [5]);
    assert_eq!(tail(&cursor), [2, 3, 4, 5].map(id));
    let mut cursor = at(100);
    page(&mut cursor, EPOCH, 1..100);
    assert_eq!(tail(&cursor), (69..=100).map(id).collect::<Vec<_>>());
}

#[test]
fn another_message_at_a_place_is_known_for_one() {
    let mut cursor = at(4);
    see(&mut cursor, [5, 6]);
    let contradicted = |epoch, seq: u64, n| cursor.contradicts(epoch, Seq(seq), &id(n));
    assert!(contradicted(EPOCH, 4, 9) && contradicted(EPOCH, 6, 9));
    for (seq, n) in [(4, 4), (6, 6), (3, 9), (7, 9)] {
        assert!(!contradicted(EPOCH, seq, n), "{seq}");
    }
    assert!(!contradicted(Epoch(8), 5, 9), "another epoch");
}

#[test]
fn a_room_that_was_never_entered_has_nothing_to_resume() {
    assert!(Cursor::default().resume(&room()).is_none());
}

#[test]
fn a_tail_holds_no_hole() {
    let mut cursor = at(4);
    see(&mut cursor, [5, 7]);
    assert_eq!(cursor.resume(&room()).unwrap().tail, [id(7)]);
}

#[test]
fn history_shows_what_was_not_shown() {
    let mut cursor = at(4);
    see(&mut cursor, [5]);
    assert!(!cursor.know(EPOCH, Seq(5), &id(5)));
    assert!(cursor.know(EPOCH, Seq(3), &id(3)));
    check(&cursor, 0, 0, 0);
}
