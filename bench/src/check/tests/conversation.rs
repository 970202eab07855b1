//! Conversations that have to fail, each for its own reason, and some that have not. User 0 has clients 0 and 1, user 1
//! has client 2, user 2 client 3; room 0 is for all, room 7 of users 0 and 1 alone.

use super::*;
use crate::record::How;

const PAIR: u32 = 7;

struct Talk(History);

impl Talk {
    fn new() -> Self {
        let mut history = History { judge: Judge::default(), t: 0 };
        history.judge.take(Event { t: 0, c: None, what: What::Pair { r: PAIR, u: 0, v: 1 } });
        for (client, user) in [(0, 0), (1, 0), (2, 1), (3, 2)] {
            history.client(client, What::Is { u: user }).client(client, What::Started);
            history.client(client, What::Entered { r: 0, life: LIFE, s: Seq(0) });
        }
        Self(history)
    }

    fn with(&mut self, client: u32, what: What) -> &mut Self {
        self.0.client(client, what);
        self
    }

    fn said(&mut self, r: u32, m: Words) -> &mut Self {
        self.with(m.0, What::Said { r, m }).with(m.0, What::Acked { m })
    }

    /// A message of room 0 that all are shown.
    fn heard(&mut self, m: Words, s: u64) -> &mut Self {
        self.said(0, m);
        for client in 0..4 {
            self.with(client, What::Shown { r: 0, s: Seq(s), m });
        }
        self
    }

    /// One that is about another one, shown as about `shown`, at a place.
    fn about(&mut self, (m, how): (Words, How), of: Words, (shown, s): (Option<Words>, u64)) -> &mut Self {
        self.said(0, m).with(m.0, What::About { m, of, how });
        for client in 0..4 {
            self.with(client, What::Shown { r: 0, s: Seq(2), m });
            self.with(client, What::Refers { r: 0, m, of: shown, s: Seq(s) });
        }
        self
    }

    /// The room of two, with what is said there.
    fn direct(&mut self, clients: &[u32]) -> &mut Self {
        let m = Words(0, 1);
        for client in clients {
            self.with(*client, What::Entered { r: PAIR, life: LIFE, s: Seq(0) });
        }
        self.said(PAIR, m);
        for client in clients {
            self.with(*client, What::Shown { r: PAIR, s: Seq(1), m });
        }
        self
    }

    fn marks(&mut self, client: u32, s: u64) -> &mut Self {
        self.with(client, What::Marks { r: 0, life: LIFE, s: Seq(s) })
    }

    fn read(&mut self, client: u32, s: u64) -> &mut Self {
        self.with(client, What::Read { r: 0, life: LIFE, s: Seq(s) })
    }

    fn knows(&mut self, client: u32, s: u64) -> &mut Self {
        self.with(client, What::Knows { r: 0, life: LIFE, s: Seq(s) })
    }

    /// What is wrong is exactly this.
    fn check(&mut self, expected: impl Fn(&mut Counts)) {
        for client in 0..4 {
            self.with(client, What::Ended { lost: 0, dup: 0, queued: 0 });
        }
        let verdict = std::mem::take(&mut self.0.judge).verdict();
        let mut wanted = verdict.counts.clone();
        (wanted.leaked, wanted.astray, wanted.marks_back, wanted.marks_apart) = (0, 0, 0, 0);
        (wanted.lost, wanted.absent, wanted.vanished, wanted.duplicated, wanted.phantoms) = (0, 0, 0, 0, 0);
        expected(&mut wanted);
        assert_eq!(verdict.counts, wanted, "{:?}", verdict.complaints);
        assert_eq!(verdict.complaints.is_empty(), verdict.counts.promise_kept(), "{:?}", verdict.complaints);
    }
}

#[test]
fn a_room_of_two_is_shown_to_all_clients_of_both() {
    Talk::new().direct(&[0, 1, 2]).check(|counts| assert_eq!(counts.direct, 1));
}

#[test]
fn an_entry_of_a_room_of_two_before_anybody_else_s_eyes_is_a_leak() {
    // The way in, and what is shown there.
    Talk::new().direct(&[0, 1, 2, 3]).check(|counts| counts.leaked = 2);
}

#[test]
fn a_page_of_a_room_of_two_for_anybody_else_is_a_leak() {
    let mut talk = Talk::new();
    talk.direct(&[0, 1, 2]).with(3, What::Page { r: PAIR, entries: 0 });
    talk.with(2, What::Page { r: PAIR, entries: 1 });
    talk.with(3, What::Page { r: PAIR, entries: 5 }).check(|counts| counts.leaked = 5);
}

#[test]
fn a_client_that_never_gets_into_its_user_s_room_of_two_is_absent() {
    Talk::new().direct(&[0, 2]).check(|counts| counts.absent = 1);
}

#[test]
fn a_direct_message_that_one_client_of_a_user_misses_is_lost() {
    let mut talk = Talk::new();
    talk.direct(&[0, 1, 2]).said(PAIR, Words(2, 1));
    for client in [0, 2] {
        talk.with(client, What::Shown { r: PAIR, s: Seq(2), m: Words(2, 1) });
    }
    talk.check(|counts| counts.lost = 1);
}

#[test]
fn changes_of_one_s_own_and_answers_to_anybody_are_as_they_were_said() {
    for how in [How::Edit, How::Delete] {
        let (own, of) = (Words(0, 2), Words(0, 1));
        Talk::new().heard(of, 1).about((own, how), of, (Some(of), 1)).check(|_| {});
        // Of another client of the same user.
        let other = Words(1, 1);
        Talk::new().heard(of, 1).about((other, how), of, (Some(of), 1)).check(|_| {});
    }
    let (answer, of) = (Words(2, 1), Words(0, 1));
    Talk::new().heard(of, 1).about((answer, How::Reply), of, (Some(of), 1)).check(|_| {});
}

#[test]
fn a_change_that_is_shown_at_another_message_is_astray() {
    let (edit, of) = (Words(0, 3), Words(0, 1));
    for shown in [None, Some(Words(0, 9))] {
        Talk::new().heard(of, 1).about((edit, How::Edit), of, (shown, 1)).check(|counts| counts.astray = 4);
    }
}

#[test]
fn a_change_of_another_s_message_is_astray() {
    let (edit, of) = (Words(2, 1), Words(0, 1));
    for how in [How::Edit, How::Delete] {
        Talk::new().heard(of, 1).about((edit, how), of, (Some(of), 1)).check(|counts| counts.astray = 4);
    }
}

#[test]
fn a_place_at_which_the_message_does_not_stand_is_astray() {
    let (reply, of) = (Words(2, 1), Words(0, 1));
    Talk::new().heard(of, 1).about((reply, How::Reply), of, (Some(of), 9)).check(|counts| counts.astray = 4);
}

#[test]
fn a_delete_that_nobody_is_shown_has_vanished_and_one_that_comes_twice_is_a_repeat() {
    let (delete, of) = (Words(0, 2), Words(0, 1));
    Talk::new().heard(of, 1).said(0, delete).check(|counts| counts.vanished = 1);
    let mut talk = Talk::new();
    talk.heard(of, 1).about((delete, How::Delete), of, (Some(of), 1));
    talk.with(3, What::Shown { r: 0, s: Seq(3), m: delete });
    let verdict = std::mem::take(&mut talk.0.judge).verdict();
    assert_eq!(verdict.counts.duplicated, 1);
}

#[test]
fn a_topic_may_vanish_but_not_come_twice() {
    let topic = Words(0, 1);
    let mut talk = Talk::new();
    talk.with(0, What::Said { r: 0, m: topic }).with(0, What::Fleeting { m: topic }).check(|_| {});
    let mut talk = Talk::new();
    talk.with(0, What::Said { r: 0, m: topic }).with(0, What::Fleeting { m: topic });
    for (client, s) in [(0, 1), (1, 1), (2, 1), (3, 1), (3, 2)] {
        talk.with(client, What::Shown { r: 0, s: Seq(s), m: topic });
    }
    let verdict = std::mem::take(&mut talk.0.judge).verdict();
    assert_eq!(verdict.counts.duplicated, 1);
}

#[test]
fn a_marker_goes_forward_for_all_clients_of_its_user() {
    let mut talk = Talk::new();
    talk.marks(0, 3).read(1, 3).marks(1, 5).read(0, 5).knows(0, 5).check(|counts| {
        assert_eq!((counts.marked, counts.marks_shown), (2, 2));
    });
}

#[test]
fn a_marker_below_one_that_was_shown_goes_back() {
    Talk::new().marks(0, 5).read(1, 5).read(1, 4).check(|counts| counts.marks_back = 1);
}

#[test]
fn a_marker_below_one_s_own_goes_back_where_it_is_shown_live() {
    Talk::new().marks(0, 3).marks(1, 5).read(1, 3).read(0, 5).check(|counts| counts.marks_back = 1);
}

#[test]
fn a_welcome_that_knows_less_than_was_heard_goes_back() {
    Talk::new().marks(0, 5).read(1, 5).knows(1, 4).check(|counts| counts.marks_back = 1);
}

#[test]
fn a_welcome_that_does_not_know_what_only_was_told_does_not_go_back() {
    // It may have died with its node; it is told again.
    Talk::new().marks(0, 5).knows(0, 0).read(1, 5).check(|_| {});
}

#[test]
fn another_life_of_the_log_begins_at_the_beginning() {
    let mut talk = Talk::new();
    talk.marks(0, 5).read(1, 5);
    for client in 0..4 {
        talk.with(client, What::Reset { r: 0, life: NEXT_LIFE, from: Seq(1), to: None });
    }
    talk.with(1, What::Knows { r: 0, life: NEXT_LIFE, s: Seq(0) }).check(|_| {});
}

#[test]
fn a_marker_that_the_other_client_is_never_told_stands_apart_at_the_end() {
    Talk::new().marks(0, 5).check(|counts| counts.marks_apart = 1);
    Talk::new().marks(0, 3).read(1, 3).marks(0, 5).check(|counts| counts.marks_apart = 1);
}

#[test]
fn a_marker_that_no_client_of_the_user_has_told_stands_apart() {
    // Of nobody, and of another user's client.
    Talk::new().read(0, 4).read(1, 4).check(|counts| counts.marks_apart = 2);
    Talk::new().marks(2, 4).knows(3, 4).check(|counts| counts.marks_apart = 1);
}
