//! Histories that have to fail, each for its own reason, and some that have not.

use chat_protocol::{Epoch, Seq};

mod conversation;

use super::{Counts, Judge, Verdict};
use crate::record::{Event, What, Words};

const LIFE: Epoch = Epoch(1);
const NEXT_LIFE: Epoch = Epoch(2);

/// Room 0, client 0 says everything, clients 0 and 1 are there from the beginning.
struct History {
    judge: Judge,
    t: u64,
}

impl History {
    fn new() -> Self {
        let mut history = Self { judge: Judge::default(), t: 0 };
        for client in [0, 1] {
            history
                .client(client, What::Started)
                .client(client, What::Entered { r: 0, life: LIFE, s: Seq(0) });
        }
        history
    }

    fn client(&mut self, client: u32, what: What) -> &mut Self {
        self.t += 1;
        self.judge.take(Event { t: self.t, c: Some(client), what });
        self
    }

    fn said(&mut self, n: u32) -> &mut Self {
        self.client(0, What::Said { r: 0, m: Words(0, n) }).client(0, What::Acked { m: Words(0, n) })
    }

    fn said_all(&mut self, count: u32) {
        for n in 1..=count {
            self.said(n);
        }
    }

    fn shown(&mut self, client: u32, places: &[(u64, u32)]) -> &mut Self {
        for (seq, n) in places {
            self.client(client, What::Shown { r: 0, s: Seq(*seq), m: Words(0, *n) });
        }
        self
    }

    fn verdict(&mut self) -> Verdict {
        for client in [0, 1] {
            self.client(client, What::Ended { lost: 0, dup: 0, queued: 0 });
        }
        std::mem::take(&mut self.judge).verdict()
    }

    /// What is wrong is exactly this.
    fn check(&mut self, expected: impl Fn(&mut Counts)) {
        let verdict = self.verdict();
        let mut counts = verdict.counts.clone();
        // What is merely counted is not what is wrong.
        (counts.said, counts.acked, counts.shown) = (0, 0, 0);
        let mut wanted = Counts::default();
        expected(&mut wanted);
        assert_eq!(counts, wanted, "{:?}", verdict.complaints);
        assert_eq!(verdict.complaints.is_empty(), verdict.counts.promise_kept(), "{:?}", verdict.complaints);
    }
}

#[test]
fn everybody_sees_everything_once_in_one_order() {
    let mut history = History::new();
    history.said_all(3);
    history.shown(0, &[(1, 1), (2, 2), (3, 3)]).shown(1, &[(1, 1), (2, 2), (3, 3)]);
    history.check(|_| {});
}

#[test]
fn an_acknowledgement_that_is_told_twice_is_one() {
    let mut history = History::new();
    history.said(1).client(0, What::Acked { m: Words(0, 1) });
    history.shown(0, &[(1, 1)]).shown(1, &[(1, 1)]);
    assert_eq!(history.verdict().counts.acked, 1);
}

#[test]
fn an_acknowledged_message_that_one_client_misses_is_lost() {
    let mut history = History::new();
    history.said_all(3);
    history.shown(0, &[(1, 1), (2, 2), (3, 3)]).shown(1, &[(1, 1), (3, 3)]);
    history.check(|counts| counts.lost = 1);
}

#[test]
fn one_that_is_missing_at_the_end_is_lost_too() {
    let mut history = History::new();
    history.said_all(2);
    history.shown(0, &[(1, 1), (2, 2)]).shown(1, &[(1, 1)]);
    history.check(|counts| counts.lost = 1);
}

#[test]
fn one_that_is_missing_at_the_beginning_is_lost_too() {
    let mut history = History::new();
    history.said_all(2);
    history.shown(0, &[(1, 1), (2, 2)]).shown(1, &[(2, 2)]);
    history.check(|counts| counts.lost = 1);
}

#[test]
fn nobody_has_to_have_everything_for_something_to_be_lost() {
    let mut history = History::new();
    history.said_all(4);
    history.shown(0, &[(1, 1), (3, 3), (4, 4)]).shown(1, &[(1, 1), (2, 2), (4, 4)]);
    history.check(|counts| counts.lost = 2);
}

#[test]
fn what_only_an_ended_program_was_shown_is_lost_for_the_others() {
    let mut history = History::new();
    history.said_all(3);
    history.shown(1, &[(1, 1), (2, 2)]).client(1, What::Started);
    history.client(1, What::Entered { r: 0, life: LIFE, s: Seq(2) });
    history.shown(0, &[(1, 1), (3, 3)]).shown(1, &[(3, 3)]);
    history.check(|counts| (counts.lost, counts.vanished) = (1, 1));
}

#[test]
fn a_place_that_nobody_was_shown_is_lost() {
    let mut history = History::new();
    history.said_all(2);
    history.shown(0, &[(1, 1), (3, 2)]).shown(1, &[(1, 1), (3, 2)]);
    history.check(|counts| counts.lost = 1);
}

#[test]
fn a_client_whose_program_dies_is_not_excused() {
    let mut history = History::new();
    history.said(1).shown(0, &[(1, 1)]).shown(1, &[(1, 1)]);
    history.client(0, What::Ended { lost: 0, dup: 0, queued: 0 });
    let counts = std::mem::take(&mut history.judge).verdict().counts;
    assert_eq!((counts.absent, counts.promise_kept()), (1, false));
}

#[test]
fn a_program_that_never_gets_in_again_is_not_excused() {
    let mut history = History::new();
    history.said(1).shown(0, &[(1, 1)]).shown(1, &[(1, 1)]);
    history.client(1, What::Started);
    history.check(|counts| counts.absent = 1);
}

#[test]
fn what_is_not_what_was_said_byte_by_byte_is_a_phantom() {
    let mut history = History::new();
    history.said(1).shown(0, &[(1, 1)]).client(1, What::Garbled { r: 0, s: Seq(1) });
    history.check(|counts| (counts.phantoms, counts.lost) = (1, 1));
}

#[test]
fn one_that_nobody_is_shown_has_vanished() {
    let mut history = History::new();
    history.said_all(2);
    history.shown(0, &[(1, 1)]).shown(1, &[(1, 1)]);
    history.check(|counts| counts.vanished = 1);
}

#[test]
fn the_same_message_twice_is_a_repeat_wherever_it_stands() {
    let mut history = History::new();
    history.said_all(2);
    history.shown(0, &[(1, 1), (2, 2), (3, 1)]).shown(1, &[(1, 1), (2, 2)]);
    let counts = history.verdict().counts;
    assert_eq!((counts.duplicated, counts.promise_kept()), (1, false));
}

#[test]
fn two_orders_are_found_though_each_is_sound_by_itself() {
    let mut history = History::new();
    history.said_all(3);
    history.shown(0, &[(1, 1), (2, 2), (3, 3)]).shown(1, &[(1, 2), (2, 1), (3, 3)]);
    history.check(|counts| counts.reordered = 2);
}

#[test]
fn one_place_holds_one_message_for_all() {
    let mut history = History::new();
    history.said_all(2);
    history.shown(0, &[(1, 1), (2, 2)]).shown(1, &[(1, 1), (3, 2)]);
    history.check(|counts| counts.reordered = 1);
}

#[test]
fn a_place_that_comes_behind_a_higher_one_is_found() {
    let mut history = History::new();
    history.said_all(3);
    history.shown(0, &[(1, 1), (3, 2), (2, 3)]).shown(1, &[(1, 1), (3, 2), (2, 3)]);
    history.check(|counts| counts.reordered = 2);
}

#[test]
fn what_nobody_said_is_a_phantom() {
    let mut history = History::new();
    history.said(1).shown(0, &[(1, 1), (2, 9)]).shown(1, &[(1, 1), (2, 9)]);
    history.check(|counts| counts.phantoms = 2);
}

#[test]
fn what_was_refused_and_comes_all_the_same_is_a_phantom() {
    let mut history = History::new();
    history.client(0, What::Said { r: 0, m: Words(0, 1) });
    history.client(0, What::Failed { m: Words(0, 1), why: "too long".to_owned() });
    history.shown(0, &[(1, 1)]).shown(1, &[(1, 1)]);
    let counts = history.verdict().counts;
    assert_eq!((counts.phantoms, counts.refused), (2, 1));
}

#[test]
fn what_was_taken_back_does_not_count_and_may_come_again() {
    let mut history = History::new();
    history.said_all(3);
    history.shown(0, &[(1, 1), (2, 2), (3, 3)]).client(0, What::Rewound { r: 0, s: Seq(1) });
    history.shown(0, &[(2, 3), (3, 2)]).shown(1, &[(1, 1), (2, 3), (3, 2)]);
    history.check(|counts| counts.rewinds = 1);
}

#[test]
fn what_was_taken_back_and_does_not_come_again_is_lost() {
    let mut history = History::new();
    history.said_all(2);
    history.shown(0, &[(1, 1), (2, 2)]).shown(1, &[(1, 1), (2, 2)]);
    history.client(1, What::Rewound { r: 0, s: Seq(1) });
    history.check(|counts| (counts.rewinds, counts.lost) = (1, 1));
}

/// Client 1 is shown these and starts anew; client 0 has everything, and has to go back to a place later.
fn ended_before_a_rewind(shown: &[(u64, u32)], rewound_to: u64) -> History {
    let mut history = History::new();
    history.said_all(4);
    history.shown(0, &[(1, 1), (2, 2), (3, 3), (4, 4)]).shown(1, shown);
    history.client(1, What::Started).client(1, What::Entered { r: 0, life: LIFE, s: Seq(4) });
    history.client(0, What::Rewound { r: 0, s: Seq(rewound_to) });
    let again: Vec<(u64, u32)> = (rewound_to + 1..=4).map(|seq| (seq, seq as u32)).collect();
    history.shown(0, &again);
    history
}

#[test]
fn a_rewind_does_not_excuse_what_an_ended_program_saw_below_it_in_another_order() {
    let mut history = ended_before_a_rewind(&[(1, 2), (2, 1)], 3);
    history.check(|counts| (counts.rewinds, counts.reordered) = (1, 2));
}

#[test]
fn a_rewind_does_not_excuse_what_an_ended_program_missed_below_it() {
    let mut history = ended_before_a_rewind(&[(1, 1), (3, 3), (4, 4)], 3);
    history.check(|counts| (counts.rewinds, counts.lost) = (1, 1));
}

#[test]
fn what_an_ended_program_saw_above_a_rewind_was_taken_back() {
    let mut history = ended_before_a_rewind(&[(1, 1), (2, 2), (3, 4)], 2);
    history.check(|counts| counts.rewinds = 1);
}

#[test]
fn what_only_ended_programs_saw_above_a_rewind_is_no_hole() {
    let mut history = ended_before_a_rewind(&[(1, 1), (2, 2), (3, 3), (4, 4)], 1);
    history.client(0, What::Started).client(0, What::Entered { r: 0, life: LIFE, s: Seq(4) });
    history.said(5).shown(0, &[(5, 5)]).shown(1, &[(5, 5)]);
    history.check(|counts| (counts.rewinds, counts.vanished) = (1, 4));
}

#[test]
fn what_a_client_is_told_is_gone_is_not_lost_and_no_more_than_that() {
    let mut history = History::new();
    history.said_all(5);
    history.shown(0, &[(1, 1), (2, 2), (3, 3), (4, 4)]).shown(1, &[(1, 1)]);
    // 4 stood above the range that client 1 is told of.
    history
        .client(1, What::Reset { r: 0, life: NEXT_LIFE, from: Seq(2), to: Some(Seq(3)) })
        .shown(1, &[(1, 5)]);
    history.client(0, What::Reset { r: 0, life: NEXT_LIFE, from: Seq(5), to: None }).shown(0, &[(1, 5)]);
    history.check(|counts| (counts.resets, counts.gone, counts.lost) = (2, 2, 1));
}

#[test]
fn what_is_told_as_gone_stands_nowhere_in_a_log_that_went_on() {
    let mut history = History::new();
    history.said_all(3);
    history.shown(0, &[(1, 1), (2, 2), (3, 3)]).shown(1, &[(1, 1)]);
    history.client(1, What::Reset { r: 0, life: NEXT_LIFE, from: Seq(2), to: Some(Seq(3)) });
    history.check(|counts| (counts.resets, counts.gone, counts.untrue) = (1, 2, 2));
}

#[test]
fn a_log_as_short_as_this_has_dropped_nothing() {
    let mut history = History::new();
    history.said_all(3);
    history.shown(0, &[(1, 1), (2, 2), (3, 3)]).shown(1, &[(1, 1)]);
    history.client(1, What::Reset { r: 0, life: LIFE, from: Seq(2), to: Some(Seq(2)) }).shown(1, &[(3, 3)]);
    history.check(|counts| (counts.resets, counts.gone, counts.untrue) = (1, 1, 1));
}

#[test]
fn what_is_above_the_range_that_was_told_is_not_untrue() {
    let mut history = History::new();
    history.said_all(3);
    history.shown(0, &[(1, 1), (2, 2), (3, 3)]).shown(1, &[(1, 1)]);
    history.client(1, What::Reset { r: 0, life: LIFE, from: Seq(4), to: None }).shown(1, &[(2, 2), (3, 3)]);
    history.check(|counts| counts.resets = 1);
}

#[test]
fn a_reset_excuses_nothing_that_comes_in_the_next_life_of_the_log() {
    let mut history = History::new();
    history.said_all(3);
    for client in [0, 1] {
        history.client(client, What::Reset { r: 0, life: NEXT_LIFE, from: Seq(1), to: None });
    }
    history.shown(0, &[(1, 1), (2, 2), (3, 3)]).shown(1, &[(1, 1), (3, 3)]);
    history.check(|counts| (counts.resets, counts.lost) = (2, 1));
}

#[test]
fn what_one_saw_before_a_reset_and_another_behind_it_is_in_no_order() {
    let mut history = History::new();
    history.said_all(3);
    // Client 1 missed 2, which its author brought into the log that was made anew, behind 3.
    history.shown(0, &[(1, 1), (2, 2)]).shown(1, &[(1, 1)]);
    history.client(0, What::Reset { r: 0, life: NEXT_LIFE, from: Seq(3), to: None }).shown(0, &[(1, 3)]);
    history
        .client(1, What::Reset { r: 0, life: NEXT_LIFE, from: Seq(2), to: None })
        .shown(1, &[(1, 3), (2, 2)]);
    history.check(|counts| counts.resets = 2);
}

#[test]
fn in_one_life_of_the_log_there_is_one_order_behind_a_reset_too() {
    let mut history = History::new();
    history.said_all(2);
    for (client, places) in [(0, [(1, 1), (2, 2)]), (1, [(1, 2), (2, 1)])] {
        history
            .client(client, What::Reset { r: 0, life: NEXT_LIFE, from: Seq(1), to: None })
            .shown(client, &places);
    }
    history.check(|counts| (counts.resets, counts.reordered) = (2, 2));
}

#[test]
fn a_program_that_starts_anew_owes_nothing_of_the_time_between() {
    let mut history = History::new();
    history.said_all(2);
    history.shown(0, &[(1, 1), (2, 2), (3, 3)]).shown(1, &[(1, 1)]);
    history.client(1, What::Started).client(1, What::Entered { r: 0, life: LIFE, s: Seq(2) });
    history.said(3).shown(1, &[(3, 3)]);
    history.check(|_| {});
}

/// Client 1 is told that 1 is gone, which nobody has; the log goes on with the rest.
fn without_its_beginning() -> History {
    let mut history = History::new();
    history.said_all(4);
    history.shown(0, &[(2, 1), (3, 2), (4, 3), (5, 4)]);
    history.client(1, What::Reset { r: 0, life: LIFE, from: Seq(1), to: Some(Seq(1)) });
    history
}

#[test]
fn who_was_told_that_a_log_lost_its_beginning_has_not_left_it() {
    let mut history = without_its_beginning();
    history.shown(1, &[(2, 1)]);
    history.client(1, What::Started).client(1, What::Entered { r: 0, life: LIFE, s: Seq(4) });
    history.shown(1, &[(5, 4)]);
    history.check(|counts| counts.resets = 1);
}

#[test]
fn what_is_told_as_gone_when_a_life_ends_is_excused_beside_its_lost_beginning() {
    let mut history = without_its_beginning();
    history.shown(1, &[(2, 1), (3, 2)]);
    for (client, from) in [(0, 6), (1, 4)] {
        history.client(client, What::Reset { r: 0, life: NEXT_LIFE, from: Seq(from), to: None });
    }
    history.check(|counts| (counts.resets, counts.gone) = (3, 2));
}

#[test]
fn a_program_that_starts_anew_gets_everything_behind_its_head() {
    let mut history = History::new();
    history.said_all(4);
    history.shown(0, &[(1, 1), (2, 2), (3, 3), (4, 4)]).shown(1, &[(1, 1)]);
    history
        .client(1, What::Started)
        .client(1, What::Entered { r: 0, life: LIFE, s: Seq(2) })
        .shown(1, &[(4, 4)]);
    history.check(|counts| counts.lost = 1);
}

#[test]
fn an_outbox_that_is_not_empty_at_the_end_is_not_kept() {
    let mut history = History::new();
    history.client(1, What::Said { r: 0, m: Words(1, 1) });
    history.client(1, What::Ended { lost: 0, dup: 0, queued: 1 });
    let counts = history.verdict().counts;
    assert_eq!((counts.stuck, counts.vanished), (1, 1));
}
