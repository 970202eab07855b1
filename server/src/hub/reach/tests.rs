use super::*;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Looks four times a second until `until`; what changed, and how often clients were told.
fn look(
    reach: &mut Reach,
    from: u64,
    until: u64,
    silent_since: Option<u64>,
) -> (Vec<(Standing, u64)>, usize) {
    let (mut changes, mut told) = (Vec::new(), 0);
    for now in (from..until).step_by(250) {
        let silent = silent_since.map(|since| ms(now) - ms(since));
        let Look { change, tell } = reach.look(ms(now), silent);
        changes.extend(change.map(|(standing, lasted)| (standing, lasted.as_millis() as u64)));
        told += usize::from(tell);
    }
    (changes, told)
}

#[test]
fn a_call_that_hangs_counts_from_its_beginning() {
    let mut reach = Reach::default();
    reach.asked(ms(0));
    let (changes, told) = look(&mut reach, 0, 6_000, None);
    assert_eq!(changes, [(Standing::CutOff, 1_250), (Standing::Unready, 5_000)]);
    assert_eq!((told, reach.is_ready()), (3, false), "at 1.25, 3.25 and 5.25 s");
    // Further calls, and what they fail with, do not begin it anew.
    reach.failed(BackboneError::Unavailable("no answer in 2 s".into()));
    reach.asked(ms(6_000));
    reach.answered();
    assert_eq!(look(&mut reach, 6_100, 6_300, None), (vec![(Standing::Well, 6_100)], 0));
    assert!(reach.is_ready());
}

#[test]
fn a_silent_feed_is_the_same_trouble() {
    let mut reach = Reach::default();
    reach.asked(ms(0));
    reach.answered();
    let (changes, told) = look(&mut reach, 1_000, 8_000, Some(1_000));
    assert_eq!(changes, [(Standing::CutOff, 1_250), (Standing::Unready, 5_000)]);
    assert_eq!(told, 3);
}

#[test]
fn the_first_of_two_troubles_is_its_beginning() {
    let mut reach = Reach::default();
    reach.asked(ms(1_000));
    assert_eq!(look(&mut reach, 1_000, 2_500, None).0, [(Standing::CutOff, 1_250)]);
    // The feed fell silent before the call was made, and is looked at from two seconds on.
    assert_eq!(look(&mut reach, 2_500, 6_000, Some(500)).0, [(Standing::Unready, 5_000)]);
}

#[test]
fn a_node_is_ready_again_when_both_are_back() {
    let mut reach = Reach::default();
    look(&mut reach, 0, 6_000, Some(0));
    reach.asked(ms(4_000));
    assert_eq!(look(&mut reach, 6_000, 6_250, None).0, [], "the lease is not renewed yet");
    assert!(!reach.is_ready());
    reach.answered();
    assert_eq!(look(&mut reach, 6_250, 6_500, None).0, [(Standing::Well, 6_250)]);
}

#[test]
fn trouble_that_passes_within_a_second_is_nobodys_concern() {
    let mut reach = Reach::default();
    reach.asked(ms(0));
    assert_eq!(look(&mut reach, 0, 1_001, None), (Vec::new(), 0));
    reach.answered();
    assert_eq!(look(&mut reach, 1_250, 9_000, None), (Vec::new(), 0));
}

#[test]
fn new_trouble_is_told_at_once() {
    let mut reach = Reach::default();
    assert_eq!(look(&mut reach, 0, 1_500, Some(0)), (vec![(Standing::CutOff, 1_250)], 1));
    assert_eq!(look(&mut reach, 1_500, 1_600, None).0.len(), 1);
    assert_eq!(look(&mut reach, 1_600, 3_000, Some(1_600)), (vec![(Standing::CutOff, 1_250)], 1));
}
