//! Plans that failed once, as small as they could be made. `CHAT_SIM_TELL=1` tells the story of each.

use super::mutation::Mutation;
use super::plan::Fault::{
    Crash, Cut, Deaf, Disconnect, Drain, Flush, Leave, MuteAnswers, MuteCalls, MuteFeed, Promote, Reboot,
    Restart, RollBack, Slow, Wipe,
};
use super::plan::Plan;
use super::{play, variable};

fn holds(plan: Plan) {
    assert_eq!(play(plan, Mutation::None, variable("CHAT_SIM_TELL").is_some()), Ok(()));
}

/// The beginning of an emptied log was held only by a node that came back after the others had brought the rest.
#[test]
fn the_front_of_a_log_comes_back_with_the_node_that_has_it() {
    holds(Plan {
        seed: 1,
        nodes: 3,
        clients: 2,
        rooms: 2,
        delay: 75,
        full_one_in: 0,
        lost_answer_one_in: 0,
        says: vec![(3500, 1, 1), (4700, 0, 1)],
        faults: vec![(5200, Wipe { down: 221 }), (500, Cut { node: 1, long: 3223 })],
    });
}

/// A node that was in the room before anything was said put the log back as it knew it: empty.
#[test]
fn who_knows_an_empty_log_asks_before_it_makes_one() {
    holds(Plan {
        seed: 0,
        nodes: 2,
        clients: 1,
        rooms: 1,
        delay: 1,
        full_one_in: 0,
        lost_answer_one_in: 0,
        says: vec![(500, 0, 0)],
        faults: vec![(1000, Flush), (1400, Restart { client: 0, down: 520 })],
    });
}

/// An author that held its messages no longer used up their numbers before the node that held them was asked.
#[test]
fn numbers_are_not_used_up_while_a_node_has_their_messages() {
    holds(Plan {
        seed: 2,
        nodes: 2,
        clients: 4,
        rooms: 1,
        delay: 60,
        full_one_in: 10,
        lost_answer_one_in: 0,
        says: vec![(600, 3, 0)],
        faults: vec![(1900, RollBack { room: 0, by: 5 }), (1773, Restart { client: 3, down: 14 })],
    });
}

/// Sent back to number 1, the author used up 1 and 2 by a void 2, which the room did not listen to: it waited for 1.
#[test]
fn a_void_number_is_listened_to_above_the_one_that_is_waited_for() {
    holds(Plan {
        seed: 2,
        nodes: 3,
        clients: 4,
        rooms: 1,
        delay: 60,
        full_one_in: 10,
        lost_answer_one_in: 0,
        says: vec![(800, 3, 0), (900, 3, 0), (2000, 3, 0)],
        faults: vec![
            (1900, RollBack { room: 0, by: 5 }),
            (1700, MuteAnswers { node: 2, long: 2576 }),
            (1700, Restart { client: 3, down: 117 }),
            (600, MuteAnswers { node: 1, long: 4220 }),
        ],
    });
}

/// What was on its way when a room was left was shown, and hidden when the room was entered again.
#[test]
fn what_was_on_its_way_to_a_room_that_was_left_is_history() {
    holds(Plan {
        seed: 0,
        nodes: 1,
        clients: 2,
        rooms: 1,
        delay: 75,
        full_one_in: 0,
        lost_answer_one_in: 0,
        says: vec![(1300, 1, 0)],
        faults: vec![(1400, Leave { client: 0, room: 0, away: 419 })],
    });
}

/// The answer to a join came when the room was left again, and counted as the answer to the next join.
#[test]
fn a_late_answer_to_a_join_does_not_enter_a_room_that_was_left() {
    holds(Plan {
        seed: 5,
        nodes: 1,
        clients: 4,
        rooms: 1,
        delay: 150,
        full_one_in: 0,
        lost_answer_one_in: 0,
        says: vec![(3700, 3, 0), (3900, 3, 0)],
        faults: vec![(500, Slow { client: 0, long: 2434 }), (2800, Leave { client: 0, room: 0, away: 1171 })],
    });
}

/// A replay that was on its way when the room was left and entered again counted as repeats.
#[test]
fn a_stay_that_is_over_has_no_part_in_the_next_one() {
    holds(Plan {
        seed: 3,
        nodes: 3,
        clients: 2,
        rooms: 1,
        delay: 150,
        full_one_in: 0,
        lost_answer_one_in: 0,
        says: vec![(600, 0, 0)],
        faults: vec![
            (1091, Disconnect { client: 1 }),
            (2642, Slow { client: 1, long: 1995 }),
            (1236, Cut { node: 1, long: 1415 }),
            (3800, Leave { client: 1, room: 0, away: 355 }),
        ],
    });
}

/// The same message ended both histories, at the same place, behind others in another order: the node that was cut off
/// compared the end, and went on with what it had (seed 137179).
#[test]
fn two_histories_that_end_alike_are_told_apart() {
    holds(Plan {
        seed: 1,
        nodes: 2,
        clients: 4,
        rooms: 1,
        delay: 1,
        full_one_in: 0,
        lost_answer_one_in: 0,
        says: vec![(2500, 3, 0), (2600, 2, 0), (2700, 0, 0)],
        faults: vec![
            (1500, MuteCalls { node: 1, long: 2028 }),
            (3000, RollBack { room: 0, by: 1 }),
            (4000, Reboot { down: 708, lag: 1040 }),
            (4300, MuteCalls { node: 1, long: 7834 }),
        ],
    });
}

/// An acknowledged message that a rewind had taken back was not saved: the author began again without it, and used up
/// its number while the node that held it still waited to offer it.
#[test]
fn what_a_rewind_took_back_is_saved_with_what_was_never_acknowledged() {
    holds(Plan {
        seed: 2,
        nodes: 3,
        clients: 3,
        rooms: 1,
        delay: 20,
        full_one_in: 0,
        lost_answer_one_in: 0,
        says: vec![(1900, 2, 0), (1900, 0, 0), (3300, 2, 0)],
        faults: vec![(1500, Promote { lag: 678, fork: 1500 }), (3200, Restart { client: 2, down: 252 })],
    });
}

/// An author that held its message no longer used up its number before it had learned that the log went back.
#[test]
fn a_number_is_not_used_up_by_who_missed_that_a_log_went_back() {
    holds(Plan {
        seed: 5,
        nodes: 3,
        clients: 3,
        rooms: 1,
        delay: 5,
        full_one_in: 3,
        lost_answer_one_in: 0,
        says: vec![(1900, 2, 0), (1900, 0, 0), (3300, 2, 0)],
        faults: vec![(1580, Promote { lag: 678, fork: 1500 }), (3200, Restart { client: 2, down: 252 })],
    });
}

/// Who came back claimed a place that was being looked for, and asked to enter meanwhile: let in as a stranger, it was
/// shown again what it had.
#[test]
fn a_join_waits_for_the_resume_before_it() {
    holds(Plan {
        seed: 917934,
        nodes: 3,
        clients: 4,
        rooms: 1,
        delay: 75,
        full_one_in: 0,
        lost_answer_one_in: 0,
        says: vec![(600, 0, 0), (1486, 2, 0), (1736, 1, 0)],
        faults: vec![
            (1600, Disconnect { client: 3 }),
            (1200, MuteAnswers { node: 1, long: 4266 }),
            (1870, Crash { node: 0, down: 206 }),
            (1440, Drain { node: 2, long: 151 }),
            (900, Leave { client: 1, room: 0, away: 1703 }),
        ],
    });
}

/// A page showed members an entry that their node had not heard of; the entry did not survive, and the node had
/// nothing to tell them by.
#[test]
fn what_a_page_showed_is_taken_back_too() {
    holds(Plan {
        seed: 937838,
        nodes: 3,
        clients: 4,
        rooms: 1,
        delay: 150,
        full_one_in: 0,
        lost_answer_one_in: 0,
        says: vec![
            (300, 1, 0),
            (1500, 3, 0),
            (1600, 2, 0),
            (1700, 3, 0),
            (1900, 1, 0),
            (2500, 3, 0),
            (3100, 0, 0),
        ],
        faults: vec![
            (721, Drain { node: 1, long: 100 }),
            (671, Slow { client: 0, long: 1311 }),
            (2253, MuteFeed { node: 2, long: 1717 }),
            (1500, MuteCalls { node: 1, long: 5136 }),
            (1040, Drain { node: 0, long: 95 }),
            (2500, Deaf { node: 0, long: 3982 }),
            (2900, Reboot { down: 395, lag: 808 }),
        ],
    });
}

/// A log lost its end and was written anew before the only node that had heard of that end looked at it, and that node
/// knew nothing but where it had stood: its members were taken back to the new end, not to where the histories part.
#[test]
fn who_knows_only_where_a_log_ended_goes_back_behind_what_may_be_new() {
    holds(Plan {
        seed: 0,
        nodes: 2,
        clients: 2,
        rooms: 1,
        delay: 1,
        full_one_in: 0,
        lost_answer_one_in: 0,
        says: vec![(2000, 1, 0), (2200, 0, 0)],
        faults: vec![
            (5400, RollBack { room: 0, by: 5 }),
            (7100, Restart { client: 0, down: 701 }),
            (3300, Crash { node: 1, down: 1707 }),
            (5000, Crash { node: 0, down: 1009 }),
        ],
    });
}

/// A page was asked for, the room left, and entered again on the node to which its client moved: the question was
/// asked there again, and its answer taken for that to the next one.
#[test]
fn an_answer_to_who_was_here_before_is_not_one_to_who_is_here_now() {
    holds(Plan {
        seed: 1169734,
        nodes: 3,
        clients: 4,
        rooms: 1,
        delay: 150,
        full_one_in: 3,
        lost_answer_one_in: 30,
        says: vec![
            (300, 0, 0),
            (600, 3, 0),
            (600, 0, 0),
            (700, 0, 0),
            (700, 2, 0),
            (800, 1, 0),
            (1100, 0, 0),
            (1400, 3, 0),
            (1500, 2, 0),
            (1618, 3, 0),
            (1600, 0, 0),
            (1600, 0, 0),
            (1700, 0, 0),
            (1800, 3, 0),
            (1800, 0, 0),
            (1900, 0, 0),
            (2000, 2, 0),
            (2100, 2, 0),
        ],
        faults: vec![
            (2350, Drain { node: 2, long: 68 }),
            (780, Reboot { down: 0, lag: 0 }),
            (1704, Drain { node: 1, long: 4 }),
            (1618, Promote { lag: 0, fork: 0 }),
            (2227, Leave { client: 2, room: 0, away: 491 }),
            (2500, MuteCalls { node: 2, long: 2041 }),
            (1957, MuteFeed { node: 0, long: 1481 }),
        ],
    });
}

/// Who had just come in proved its place by one message, which stood there again behind other ones.
#[test]
fn a_page_of_history_proves_a_place_too() {
    holds(Plan {
        seed: 4,
        nodes: 3,
        clients: 4,
        rooms: 1,
        delay: 150,
        full_one_in: 3,
        lost_answer_one_in: 0,
        says: vec![(1900, 1, 0), (2025, 2, 0), (2163, 3, 0), (2288, 1, 0), (2500, 2, 0), (2600, 3, 0)],
        faults: vec![
            (2700, Drain { node: 1, long: 1920 }),
            (3235, Reboot { down: 964, lag: 1467 }),
            (2139, Drain { node: 0, long: 150 }),
            (2486, Crash { node: 2, down: 225 }),
            (1032, Leave { client: 3, room: 0, away: 1883 }),
        ],
    });
}

/// A log that had lost its end was written anew up to where it had ended, with the same message there: the node that
/// knew nothing but that place took it for the old one.
#[test]
fn a_log_that_ends_where_it_did_is_not_the_same_log() {
    holds(Plan {
        seed: 1281183,
        nodes: 3,
        clients: 3,
        rooms: 1,
        delay: 60,
        full_one_in: 0,
        lost_answer_one_in: 0,
        says: vec![
            (600, 1, 0),
            (700, 0, 0),
            (900, 0, 0),
            (2200, 2, 0),
            (2300, 2, 0),
            (2600, 0, 0),
            (2700, 0, 0),
            (3000, 2, 0),
            (3400, 2, 0),
            (3800, 1, 0),
            (3800, 0, 0),
            (4979, 2, 0),
            (5100, 0, 0),
            (5185, 2, 0),
            (6400, 1, 0),
            (6693, 0, 0),
        ],
        faults: vec![
            (6628, Crash { node: 0, down: 134 }),
            (2900, Promote { lag: 0, fork: 0 }),
            (2700, Deaf { node: 2, long: 108 }),
            (4143, Drain { node: 1, long: 115 }),
            (7353, Promote { lag: 0, fork: 0 }),
            (6796, Wipe { down: 54 }),
        ],
    });
}

/// A question of a room failed, whoever waited for it left, and somebody else asked to enter in the pause after it:
/// nothing woke the room at its end.
#[test]
fn who_comes_in_the_pause_after_a_failed_call_is_let_in() {
    holds(Plan {
        seed: 1468634,
        nodes: 3,
        clients: 2,
        rooms: 1,
        delay: 150,
        full_one_in: 0,
        lost_answer_one_in: 8,
        says: vec![(3700, 0, 0)],
        faults: vec![(762, Reboot { down: 0, lag: 0 }), (2100, Leave { client: 0, room: 0, away: 380 })],
    });
}

/// Redis lost everything, and a node that held the end of the log brought it before the one that held all of it was
/// back: members were told that the beginning was gone.
#[test]
fn the_beginning_of_a_log_is_not_gone_before_everybody_is_back() {
    holds(Plan {
        seed: 1557476,
        nodes: 3,
        clients: 4,
        rooms: 1,
        delay: 60,
        full_one_in: 3,
        lost_answer_one_in: 8,
        says: vec![
            (400, 0, 0),
            (500, 1, 0),
            (500, 2, 0),
            (500, 0, 0),
            (600, 1, 0),
            (600, 1, 0),
            (768, 3, 0),
            (700, 0, 0),
        ],
        faults: vec![(591, Promote { lag: 946, fork: 1500 }), (1800, Wipe { down: 15 })],
    });
}

/// Two histories parted in a log that had lost its beginning, and the node that had that beginning threw it away with
/// its own end.
#[test]
fn the_beginning_is_brought_where_the_end_has_lost() {
    holds(Plan {
        seed: 1893659,
        nodes: 2,
        clients: 3,
        rooms: 2,
        delay: 20,
        full_one_in: 10,
        lost_answer_one_in: 0,
        says: vec![(400, 0, 1), (700, 0, 0), (800, 0, 1), (800, 2, 1), (3200, 0, 1), (3500, 2, 1)],
        faults: vec![
            (1900, Flush),
            (1500, Promote { lag: 604, fork: 1500 }),
            (900, Restart { client: 1, down: 166 }),
            (2700, Promote { lag: 676, fork: 1500 }),
        ],
    });
}

/// A room was left and entered twice within one round trip: the first stay's page was taken for the second one's.
#[test]
fn a_room_is_entered_behind_the_last_word_that_it_was_left() {
    holds(Plan {
        seed: 2298520,
        nodes: 3,
        clients: 2,
        rooms: 1,
        delay: 150,
        full_one_in: 0,
        lost_answer_one_in: 0,
        says: vec![(6249, 1, 0), (6300, 0, 0)],
        faults: vec![
            (6600, Crash { node: 1, down: 1802 }),
            (6252, Leave { client: 1, room: 0, away: 0 }),
            (3300, Disconnect { client: 0 }),
            (6200, Leave { client: 1, room: 0, away: 800 }),
        ],
    });
}

/// A log was emptied and written anew, up to where it had ended and with the same message there, before the eyes of a
/// node that knew nothing but that place.
#[test]
fn what_is_said_below_the_end_is_said_in_another_history() {
    holds(Plan {
        seed: 3173596,
        nodes: 3,
        clients: 4,
        rooms: 2,
        delay: 5,
        full_one_in: 0,
        lost_answer_one_in: 8,
        says: vec![(600, 2, 0), (300, 3, 1), (700, 2, 1), (900, 3, 1), (1100, 3, 0), (1100, 0, 1)],
        faults: vec![
            (2700, Restart { client: 3, down: 499 }),
            (2200, RollBack { room: 1, by: 4 }),
            (576, Drain { node: 2, long: 105 }),
        ],
    });
}

/// A client's number was read, and the log emptied before the room was entered: the author was told that the message it
/// held was in the log.
#[test]
fn what_a_log_knew_before_it_was_in_doubt_is_not_believed() {
    holds(Plan {
        seed: 1,
        nodes: 2,
        clients: 2,
        rooms: 2,
        delay: 60,
        full_one_in: 3,
        lost_answer_one_in: 0,
        says: vec![(400, 1, 1), (2400, 0, 1)],
        faults: vec![
            (2500, Slow { client: 0, long: 2874 }),
            (800, Drain { node: 1, long: 526 }),
            (2900, Crash { node: 0, down: 975 }),
            (2980, Flush),
        ],
    });
}

/// A page of history came from a log that had lost its end and been written on, while the node still knew the end that
/// was to come back: it was shown beside it.
#[test]
fn a_page_of_another_history_is_not_shown() {
    holds(Plan {
        seed: 5,
        nodes: 3,
        clients: 4,
        rooms: 1,
        delay: 150,
        full_one_in: 3,
        lost_answer_one_in: 8,
        says: vec![
            (500, 1, 0),
            (600, 1, 0),
            (700, 0, 0),
            (800, 2, 0),
            (800, 2, 0),
            (1022, 0, 0),
            (1276, 2, 0),
            (1300, 3, 0),
            (600, 2, 0),
            (1483, 1, 0),
        ],
        faults: vec![
            (1700, Reboot { down: 99, lag: 1058 }),
            (1459, Leave { client: 1, room: 0, away: 622 }),
            (1500, RollBack { room: 0, by: 1 }),
        ],
    });
}

/// A node that knew a log only as an empty one put it back as such before the one with its entries was there.
#[test]
fn an_empty_log_is_not_put_back_before_everybody_is_there() {
    holds(Plan {
        seed: 53945,
        nodes: 3,
        clients: 2,
        rooms: 1,
        delay: 150,
        full_one_in: 0,
        lost_answer_one_in: 30,
        says: vec![(600, 1, 0), (700, 1, 0), (900, 0, 0), (2700, 0, 0), (2800, 0, 0), (2800, 0, 0)],
        faults: vec![(3284, Wipe { down: 0 }), (837, Wipe { down: 449 })],
    });
}
