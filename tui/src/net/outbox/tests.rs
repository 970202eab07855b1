use chat_protocol::{ClientId, Kind, MessageId, Outgoing};

use super::*;
use crate::net::event::Target;

const EPOCH: Epoch = Epoch(7);
const NOW: Moment = Moment::from_secs(100);

fn room() -> RoomName {
    RoomName::general()
}

/// An outbox that is open, with so many messages said; message n says "n".
fn said(messages: u64) -> Outbox {
    let mut outbox = Outbox::default();
    say(&mut outbox, messages);
    assert!(open(&mut outbox, 0).0);
    outbox
}

/// As [`said`], all of them sent and the first two acknowledged.
fn two_acknowledged_of(messages: u64) -> Outbox {
    let mut outbox = said(messages);
    sent(&mut outbox);
    (1..=2).for_each(|n| drop(outbox.acknowledged(NOW, &ack(n, n))));
    outbox
}

fn say(outbox: &mut Outbox, messages: u64) {
    for _ in 0..messages {
        let n = outbox.next_n();
        outbox.say(OutId(n), Words { content: n.to_string(), kind: None, of: None });
    }
}

fn open(outbox: &mut Outbox, last_n: u64) -> (bool, Vec<Outcome>) {
    let mut outcomes = Vec::new();
    (outbox.open(NOW, last_n, &mut outcomes), outcomes)
}

fn reopen(outbox: &mut Outbox, last_n: u64) -> Vec<Outcome> {
    outbox.close();
    open(outbox, last_n).1
}

fn ack(n: u64, seq: u64) -> Ack {
    let id = MessageId::new(ClientId::parse("c1").unwrap(), n);
    Ack { room: room(), n, seq: Some(Seq(seq)), id, epoch: EPOCH, duplicate: false, re: None }
}

fn error(code: ErrorCode, n: u64) -> ErrorMessage {
    ErrorMessage { n: Some(n), ..ErrorMessage::new(code, "refused") }
}

/// What is sent now: numbers, a void one with a minus.
fn sent_at(outbox: &mut Outbox, now: Moment) -> Vec<i64> {
    let sent = outbox.send(now, &room()).into_iter();
    sent.map(|(_, sent)| {
        let outgoing = message(sent);
        let n = i64::try_from(outgoing.n.unwrap()).unwrap();
        if outgoing.void { -n } else { n }
    })
    .collect()
}

fn sent(outbox: &mut Outbox) -> Vec<i64> {
    sent_at(outbox, NOW)
}

/// The evidence that goes with each number.
fn evidence(outbox: &mut Outbox) -> Vec<Option<u64>> {
    let sent = outbox.send(NOW, &room()).into_iter();
    sent.map(|(_, sent)| message(sent).acked.map(|acked| acked.n)).collect()
}

fn message(sent: ClientMessage) -> Outgoing {
    match sent {
        ClientMessage::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

fn messages(outbox: &mut Outbox) -> Vec<(Option<OutId>, Outgoing)> {
    outbox.send(NOW, &room()).into_iter().map(|(out, sent)| (out, message(sent))).collect()
}

/// Message 3 of a user.
fn third() -> Target {
    Target { seq: Seq(33), id: Some(ack(3, 33).id) }
}

fn change(content: &str, kind: Kind) -> Words {
    Words { content: content.to_owned(), kind: Some(kind), of: Some(third()) }
}

#[test]
fn changes_are_numbered_among_messages_and_go_again_as_they_were() {
    let mut outbox = said(1);
    outbox.say(OutId(2), change("better", Kind::Edit));
    outbox.say(OutId(3), change("", Kind::Delete));
    outbox.say(OutId(4), Words { content: "yes".to_owned(), kind: None, of: Some(third()) });
    let sent = outbox.send(NOW, &room());
    reopen(&mut outbox, 0);
    assert_eq!(outbox.send(NOW, &room()), sent, "the same again after a loss");
    let Target { seq, id } = third();
    let (edit, delete, reply) = (sent[1].1.clone(), sent[2].1.clone(), message(sent[3].1.clone()));
    let (room, acked, content) = (room(), None, "better".to_owned());
    assert_eq!(edit, ClientMessage::Edit { room: room.clone(), seq, id: id.clone(), content, n: 2, acked });
    assert_eq!(delete, ClientMessage::Delete { room, seq, id: id.clone(), n: 3, acked });
    assert_eq!((reply.n, reply.reply, reply.reply_id, reply.kind), (Some(4), Some(seq), id, None));
}

#[test]
fn a_change_that_is_refused_for_good_uses_its_number_up() {
    let mut outbox = said(0);
    outbox.say(OutId(1), change("hers", Kind::Edit));
    say(&mut outbox, 1);
    outbox.send(NOW, &room());
    let failed = outbox.refused(NOW, &error(ErrorCode::Forbidden, 1));
    assert_eq!(failed, Some(Outcome::Failed(OutId(1), "refused".to_owned())));
    assert_eq!(sent(&mut outbox), [-1, 2]);
}

#[test]
fn changes_outlive_the_program_and_what_an_older_one_left_is_read() {
    let mut outbox = said(0);
    outbox.say(OutId(1), change("better", Kind::Edit));
    outbox.say(OutId(2), change("", Kind::Delete));
    let sent = outbox.send(NOW, &room());
    outbox.acknowledged(NOW, &ack(1, 11));
    let saved = SavedRoom {
        room: room(),
        next_n: outbox.next_n(),
        acked: None,
        unsent: outbox.unsent(),
        acknowledged: outbox.held(NOW),
    };
    let text = serde_json::to_string(&saved).unwrap();
    let mut again = restored(serde_json::from_str(&text).unwrap());
    open(&mut again, 0);
    let again: Vec<_> = again.send(NOW, &room()).into_iter().map(|(_, sent)| sent).collect();
    assert_eq!(again[0], sent[0].1);
    let ClientMessage::Delete { n: 2, acked: Some(_), .. } = again[1] else { panic!("{again:?}") };
    let older = r#"{"room":"general","next_n":3,"unsent":[{"n":2,"content":"x"}]}"#;
    let mut older = restored(serde_json::from_str(older).unwrap());
    open(&mut older, 1);
    assert_eq!(sent_at(&mut older, NOW), [2]);
}

#[test]
fn messages_are_numbered_and_sent_once_in_order() {
    let mut outbox = said(3);
    assert_eq!(sent(&mut outbox), [1, 2, 3]);
    assert!(sent(&mut outbox).is_empty());
    say(&mut outbox, 1);
    assert_eq!(sent(&mut outbox), [4]);
}

#[test]
fn nothing_is_sent_until_the_room_is_entered() {
    let mut outbox = Outbox::default();
    say(&mut outbox, 1);
    assert!(sent(&mut outbox).is_empty());
    assert_eq!(open(&mut outbox, 0), (true, Vec::new()));
    assert_eq!(sent(&mut outbox), [1]);
}

#[test]
fn an_ack_tells_its_author_once() {
    let mut outbox = said(2);
    sent(&mut outbox);
    assert_eq!(outbox.acknowledged(NOW, &ack(1, 10)), Some(Outcome::Acked(OutId(1))));
    assert_eq!(outbox.acknowledged(NOW, &ack(1, 10)), None);
    assert_eq!((outbox.pending(), outbox.waiting().collect::<Vec<_>>()), (1, vec![OutId(2)]));
}

#[test]
fn what_comes_back_in_the_log_is_acknowledged_by_it() {
    let mut outbox = said(1);
    sent(&mut outbox);
    assert_eq!(outbox.came(NOW, 1, EPOCH, Seq(10)), Some(Outcome::Acked(OutId(1))));
    assert_eq!(outbox.acknowledged(NOW, &ack(1, 10)), None);
    assert_eq!(outbox.acked(), Some(Acked { n: 1, epoch: EPOCH, seq: Seq(10) }));
}

#[test]
fn after_a_reconnect_only_what_the_log_does_not_have_is_sent_again() {
    let mut outbox = said(4);
    sent(&mut outbox);
    outbox.acknowledged(NOW, &ack(1, 10));
    let outcomes = reopen(&mut outbox, 2);
    assert_eq!(outcomes, [Outcome::Acked(OutId(2))], "in the log, though its ack was lost");
    assert_eq!(sent(&mut outbox), [3, 4]);
}

#[test]
fn what_was_acknowledged_and_is_not_in_the_log_is_sent_again() {
    let mut outbox = said(3);
    sent(&mut outbox);
    (1..=3).for_each(|n| drop(outbox.acknowledged(NOW, &ack(n, n + 10))));
    assert!(reopen(&mut outbox, 1).is_empty());
    let again = messages(&mut outbox);
    assert_eq!(again.iter().map(|(out, _)| *out).collect::<Vec<_>>(), [None, None], "its author knows");
    assert_eq!(again.iter().map(|(_, sent)| sent.content.as_str()).collect::<Vec<_>>(), ["2", "3"]);
}

#[test]
fn a_log_that_knows_more_than_was_said_is_another_clients() {
    let mut outbox = said(2);
    outbox.close();
    assert_eq!(open(&mut outbox, 3), (false, Vec::new()));
    assert!(!outbox.is_open());
}

#[test]
fn out_of_order_goes_back_to_the_number_that_is_expected() {
    let mut outbox = said(3);
    sent(&mut outbox);
    let refused = ErrorMessage { expect_n: Some(2), ..error(ErrorCode::OutOfOrder, 3) };
    assert_eq!(outbox.refused(NOW, &refused), None);
    assert_eq!(sent(&mut outbox), [2, 3]);
}

#[test]
fn what_is_refused_for_good_is_voided_and_what_follows_is_sent_again() {
    let mut outbox = said(3);
    sent(&mut outbox);
    let failed = outbox.refused(NOW, &error(ErrorCode::TooLong, 2));
    assert_eq!(failed, Some(Outcome::Failed(OutId(2), "refused".to_owned())));
    assert_eq!(sent(&mut outbox), [-2, 3]);
    assert_eq!(outbox.acknowledged(NOW, &Ack { seq: None, ..ack(2, 0) }), None);
    assert_eq!(reopen(&mut outbox, 2), [Outcome::Acked(OutId(1))]);
    assert_eq!(sent(&mut outbox), [3]);
}

#[test]
fn a_void_survives_a_reconnect_until_it_is_in_the_log() {
    let mut outbox = said(2);
    sent(&mut outbox);
    outbox.refused(NOW, &error(ErrorCode::BadText, 1));
    reopen(&mut outbox, 0);
    assert_eq!(sent(&mut outbox), [-1, 2]);
}

#[test]
fn a_number_taken_by_other_content_fails_its_message_and_uses_up_nothing() {
    let mut outbox = said(2);
    sent(&mut outbox);
    let failed = outbox.refused(NOW, &error(ErrorCode::NReused, 1));
    assert_eq!(failed, Some(Outcome::Failed(OutId(1), "refused".to_owned())));
    assert!(sent(&mut outbox).is_empty());
    assert_eq!(outbox.pending(), 1);
}

#[test]
fn a_refusal_for_now_waits_as_long_as_it_is_told() {
    let mut outbox = said(3);
    sent(&mut outbox);
    let refused = ErrorMessage { retry_ms: Some(700), ..error(ErrorCode::RateLimited, 2) };
    assert_eq!(outbox.refused(NOW, &refused), None);
    let due = NOW + Duration::from_millis(700);
    assert_eq!(outbox.deadline(), Some(due));
    assert!(sent_at(&mut outbox, due - Duration::from_millis(1)).is_empty());
    assert_eq!(sent_at(&mut outbox, due), [2, 3]);
    assert_eq!(outbox.deadline(), None);
}

#[test]
fn a_refusal_for_now_is_never_for_no_time() {
    let mut outbox = said(1);
    sent(&mut outbox);
    outbox.refused(NOW, &ErrorMessage { retry_ms: Some(0), ..error(ErrorCode::RateLimited, 1) });
    assert_eq!(outbox.deadline(), Some(NOW + RETRY_MIN));
}

#[test]
fn a_refusal_for_now_without_a_time_waits_half_a_second() {
    let mut outbox = said(1);
    sent(&mut outbox);
    outbox.refused(NOW, &error(ErrorCode::Unavailable, 1));
    assert_eq!(outbox.deadline(), Some(NOW + RETRY));
}

#[test]
fn a_new_connection_waits_for_nothing_that_the_old_one_said() {
    let mut outbox = said(1);
    sent(&mut outbox);
    outbox.refused(NOW, &ErrorMessage { retry_ms: Some(60_000), ..error(ErrorCode::RateLimited, 1) });
    reopen(&mut outbox, 0);
    assert_eq!(sent(&mut outbox), [1]);
}

#[test]
fn what_is_no_longer_held_is_voided() {
    let mut outbox = said(3);
    sent(&mut outbox);
    (1..=3).for_each(|n| drop(outbox.acknowledged(NOW, &ack(n, n + 10))));
    say(&mut outbox, 1);
    let late = NOW + ACKED_KEPT;
    assert_eq!(sent_at(&mut outbox, late), [4], "and the acknowledged ones are forgotten");
    reopen(&mut outbox, 1);
    assert_eq!(sent_at(&mut outbox, late), [4], "the log may have lost sight of them only");
    outbox.refused(late, &ErrorMessage { expect_n: Some(2), ..error(ErrorCode::OutOfOrder, 4) });
    assert_eq!(sent_at(&mut outbox, late), [-3, 4]);
}

#[test]
fn with_nothing_held_at_all_the_numbers_that_are_missing_are_voided() {
    let mut outbox = restored(SavedRoom { next_n: 5, ..saved_room() });
    assert!(open(&mut outbox, 2).0);
    assert!(sent(&mut outbox).is_empty());
    say(&mut outbox, 1);
    assert_eq!(sent(&mut outbox), [5]);
    outbox.refused(NOW, &ErrorMessage { expect_n: Some(3), ..error(ErrorCode::OutOfOrder, 5) });
    assert_eq!(sent(&mut outbox), [-4, 5]);
}

#[test]
fn each_number_brings_the_newest_acknowledged_one_below_it() {
    let mut outbox = said(2);
    assert_eq!(evidence(&mut outbox), [None, None]);
    outbox.acknowledged(NOW, &ack(1, 10));
    outbox.acknowledged(NOW, &ack(2, 11));
    say(&mut outbox, 1);
    assert_eq!(evidence(&mut outbox), [Some(2)]);
    reopen(&mut outbox, 0);
    assert_eq!(evidence(&mut outbox), [None, Some(1), Some(2)]);
}

#[test]
fn the_evidence_of_a_former_run_counts() {
    let acked = Some(Acked { n: 4, epoch: EPOCH, seq: Seq(20) });
    let unsent = vec![SavedOut { n: 5, content: "5".to_owned(), kind: None, of: None }];
    let mut outbox = restored(SavedRoom { next_n: 6, acked, unsent, ..saved_room() });
    open(&mut outbox, 4);
    assert_eq!(evidence(&mut outbox), [Some(4)]);
}

fn saved_room() -> SavedRoom {
    let (unsent, acknowledged) = (Vec::new(), Vec::new());
    SavedRoom { room: room(), next_n: 1, acked: None, unsent, acknowledged }
}

fn restored(saved: SavedRoom) -> Outbox {
    Outbox::restore(NOW, saved, || OutId(9))
}

/// Otherwise a program that begins again uses up the numbers of what a log lost while it was away.
#[test]
fn what_was_just_acknowledged_outlives_the_program() {
    let mut outbox = said(3);
    sent(&mut outbox);
    (1..=2).for_each(|n| drop(outbox.acknowledged(NOW, &ack(n, n + 10))));
    let (unsent, acknowledged) = (outbox.unsent(), outbox.held(NOW));
    assert_eq!(acknowledged.iter().map(|saved| saved.out.n).collect::<Vec<_>>(), [1, 2]);
    let saved = SavedRoom { next_n: 4, acked: outbox.acked(), unsent, acknowledged, ..saved_room() };
    let mut again = restored(saved.clone());
    assert_eq!((again.pending(), open(&mut again, 2)), (1, (true, Vec::new())));
    assert_eq!(sent(&mut again), [3], "the log has the others");
    let mut emptied = restored(saved);
    open(&mut emptied, 0);
    assert_eq!(sent(&mut emptied), [1, 2, 3]);
    assert!(outbox.held(NOW + ACKED_KEPT).is_empty());
}

/// Otherwise who begins again every minute holds everything for ever.
#[test]
fn a_restart_does_not_lengthen_how_long_it_is_held() {
    let mut outbox = said(1);
    sent(&mut outbox);
    outbox.acknowledged(NOW, &ack(1, 11));
    let acknowledged = outbox.held(NOW + ACKED_KEPT / 2);
    let again = restored(SavedRoom { next_n: 2, acknowledged, ..saved_room() });
    assert_eq!(again.held(NOW + ACKED_KEPT / 2 - Duration::from_millis(1)).len(), 1);
    assert!(again.held(NOW + ACKED_KEPT / 2).is_empty());
}

#[test]
fn own_entries_that_were_rewound_are_sent_again_with_the_evidence_that_is_left() {
    let mut outbox = said(3);
    sent(&mut outbox);
    (1..=3).for_each(|n| drop(outbox.acknowledged(NOW, &ack(n, n + 10))));
    outbox.rewound(EPOCH, Seq(11));
    assert_eq!(outbox.acked().map(|acked| acked.n), Some(1));
    assert_eq!(evidence(&mut outbox), [Some(1), Some(1)], "what was rewound proves nothing");
}

/// Otherwise a program that ends before they are sent again leaves its numbers without their messages.
#[test]
fn what_the_log_holds_no_more_is_saved_until_it_is_acknowledged_again() {
    let saved = |outbox: &Outbox| outbox.unsent().iter().map(|saved| saved.n).collect::<Vec<_>>();
    let mut outbox = said(3);
    sent(&mut outbox);
    (1..=3).for_each(|n| drop(outbox.acknowledged(NOW, &ack(n, n + 10))));
    assert!(saved(&outbox).is_empty());
    outbox.rewound(EPOCH, Seq(12));
    assert_eq!((saved(&outbox), outbox.pending()), (vec![3], 0));
    outbox.close();
    open(&mut outbox, 1);
    assert_eq!(saved(&outbox), [2, 3], "nor what a log does not know that was entered again");
    assert_eq!(outbox.acknowledged(NOW, &ack(2, 12)), None, "the author knows already");
    assert_eq!(saved(&outbox), [3]);
}

#[test]
fn under_another_id_what_is_not_in_the_log_is_numbered_anew() {
    let mut outbox = said(4);
    sent(&mut outbox);
    outbox.acknowledged(NOW, &ack(1, 10));
    outbox.refused(NOW, &error(ErrorCode::BadText, 2));
    outbox.renumber();
    assert!(!outbox.is_open());
    assert_eq!(outbox.next_n(), 3);
    assert!(open(&mut outbox, 0).0);
    let again = messages(&mut outbox);
    let again: Vec<_> = again.iter().map(|(_, sent)| (sent.n.unwrap(), sent.content.as_str())).collect();
    assert_eq!(again, [(1, "3"), (2, "4")]);
    assert_eq!(outbox.acked(), None);
}

#[test]
fn what_is_acknowledged_again_is_held_no_longer() {
    let mut outbox = said(1);
    sent(&mut outbox);
    outbox.acknowledged(NOW, &ack(1, 10));
    // A log that was lost is told of it again, and once more, each time before its time is up.
    for minute in 1..4 {
        let now = NOW + Duration::from_secs(60 * minute);
        reopen(&mut outbox, 0);
        outbox.send(now, &room());
        outbox.acknowledged(now, &ack(1, 1));
        outbox.came(now, 1, EPOCH, Seq(1));
        assert_eq!(outbox.held(now).len(), usize::from(now < NOW + ACKED_KEPT), "after {minute} min");
    }
    reopen(&mut outbox, 1);
    assert!(outbox.send(NOW + ACKED_KEPT, &room()).is_empty());
}

#[test]
fn what_a_lost_log_has_not_taken_again_is_held_beyond_its_time() {
    let mut outbox = two_acknowledged_of(2);
    let late = NOW + ACKED_KEPT;
    assert!(reopen(&mut outbox, 0).is_empty());
    assert_eq!(sent_at(&mut outbox, late), [1, 2]);
    outbox.acknowledged(late, &ack(1, 1));
    assert!(sent_at(&mut outbox, late).is_empty());
    outbox.refused(late, &error(ErrorCode::RateLimited, 2));
    assert_eq!(sent_at(&mut outbox, late + RETRY), [2], "the server waits for it");
}

#[test]
fn a_number_that_is_refused_for_now_and_held_no_more_is_used_up() {
    let mut outbox = two_acknowledged_of(3);
    let late = NOW + ACKED_KEPT;
    assert!(sent_at(&mut outbox, late).is_empty());
    outbox.refused(late, &error(ErrorCode::RateLimited, 2));
    assert_eq!(sent_at(&mut outbox, late + RETRY), [-2, 3], "or the server waited for it for good");
}

/// An edit, say, whose message was lost with the log that had taken both.
#[test]
fn what_another_log_refuses_for_good_uses_its_number_up_though_it_was_acknowledged() {
    let mut outbox = two_acknowledged_of(3);
    reopen(&mut outbox, 0);
    assert_eq!(sent(&mut outbox), [1, 2, 3]);
    let outcome = outbox.refused(NOW, &error(ErrorCode::NoMessage, 2));
    assert_eq!(outcome, Some(Outcome::Failed(OutId(2), "refused".to_owned())));
    assert_eq!(sent(&mut outbox), [-2, 3]);
    outbox.refused(NOW, &error(ErrorCode::Forbidden, 2));
    assert!(sent(&mut outbox).is_empty(), "a server that refuses nothing at all is not asked at once");
}

#[test]
fn what_is_refused_for_good_and_held_no_more_uses_its_number_up() {
    let mut outbox = two_acknowledged_of(3);
    let late = NOW + ACKED_KEPT;
    assert!(sent_at(&mut outbox, late).is_empty());
    assert_eq!(outbox.refused(late, &error(ErrorCode::Forbidden, 2)), None);
    assert_eq!(sent_at(&mut outbox, late), [-2, 3]);
}
