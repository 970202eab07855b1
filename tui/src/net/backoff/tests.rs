//! The waits' bounds, and that they are spread over the whole interval.

use super::*;

fn check(attempt: u32, spread_ms: u64, longest_ms: u64) {
    let spread = Duration::from_millis(spread_ms);
    assert_eq!(longest(attempt, spread), Duration::from_millis(longest_ms), "try {attempt}");
    let mut rng = fastrand::Rng::with_seed(7);
    let delays: Vec<Duration> = (0..1_000).map(|_| delay(attempt, spread, &mut rng)).collect();
    let tenth = longest(attempt, spread) / 10;
    assert!(delays.iter().all(|delay| *delay <= tenth * 10));
    assert!(delays.iter().any(|delay| *delay < tenth), "none near the beginning");
    assert!(delays.iter().any(|delay| *delay > tenth * 9), "none near the end");
}

#[test]
fn the_first_try_falls_within_the_spread() {
    check(1, 400, 400);
    check(1, 0, 50);
    check(1, 60_000, 15_000);
    check(0, 400, 400);
}

#[test]
fn later_tries_double_to_ten_seconds() {
    for (attempt, longest_ms) in [(2, 500), (3, 1_000), (4, 2_000), (5, 4_000), (6, 8_000), (7, 10_000)] {
        check(attempt, 400, longest_ms);
    }
    check(u32::MAX, 400, 10_000);
}

#[test]
fn the_same_seed_waits_the_same() {
    let run = |seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        (1..9).map(|attempt| delay(attempt, SPREAD_MIN, &mut rng)).collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
