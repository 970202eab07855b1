//! Plays random schedules over the cores that run in production: the client's link with its cursors and
//! outboxes, the server's room core, and the memory backbone, all on one virtual clock. A schedule is a
//! seed: nodes crash, connections break, the feed is late or silent, answers get lost, the log loses
//! entries. At its end everything heals, and every client must show every message once, in one order.
//!
//! `CHAT_SIM_SEEDS=100000` plays more; `CHAT_SIM_SEED=17` plays one and prints what happened.

mod check;
mod client;
mod node;
mod world;

use std::time::Instant;

use check::Verdict;
use world::{Plan, World};

/// Schedules in every test run.
const SEEDS: u64 = 10_000;

/// What is taken out, to see that the simulator finds it missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mutation {
    #[default]
    None,
    /// The log takes a message as often as it comes.
    NoDedupe,
    /// A returning client is let in at the head.
    NoResume,
    /// A hole in the feed is not filled.
    NoGapFill,
}

fn play(seed: u64, mutation: Mutation, verbose: bool) -> Verdict {
    let mut world = World::new(seed, mutation, verbose);
    world.run();
    check::judge(&world)
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Plays seeds on all cores; the first that fails, by number.
fn play_all(seeds: std::ops::Range<u64>, mutation: Mutation) -> Option<(u64, String)> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    let first_failure = parking_lot::Mutex::new(None::<(u64, String)>);
    std::thread::scope(|scope| {
        for core in 0..cores {
            let (seeds, first_failure) = (seeds.clone(), &first_failure);
            scope.spawn(move || {
                for seed in seeds.skip(core as usize).step_by(cores as usize) {
                    if first_failure.lock().as_ref().is_some_and(|(failed, _)| *failed < seed) {
                        return;
                    }
                    if let Err(failure) = play(seed, mutation, false) {
                        let mut first = first_failure.lock();
                        if first.as_ref().is_none_or(|(failed, _)| seed < *failed) {
                            *first = Some((seed, failure));
                        }
                        return;
                    }
                }
            });
        }
    });
    first_failure.into_inner()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how many schedules a second: the real clock, for people")]
fn no_schedule_loses_repeats_or_reorders_a_message() {
    if let Some(seed) = variable("CHAT_SIM_SEED") {
        println!("{:#?}", Plan::of(seed));
        assert_eq!(play(seed, Mutation::None, true), Ok(()), "seed {seed}");
        return;
    }
    let seeds = variable("CHAT_SIM_SEEDS").unwrap_or(SEEDS);
    let started = Instant::now();
    if let Some((seed, failure)) = play_all(0..seeds, Mutation::None) {
        panic!("seed {seed}: {failure}\nplay it alone with CHAT_SIM_SEED={seed}");
    }
    let taken = started.elapsed().as_secs_f64();
    println!("simulator: {seeds} schedules in {taken:.1} s, {:.0} a second", seeds as f64 / taken);
}

fn finds(mutation: Mutation) {
    let (seed, failure) = play_all(0..500, mutation).expect("the simulator finds it");
    println!("simulator: {mutation:?} found by seed {seed}: {failure}");
}

#[test]
fn a_log_without_dedupe_is_found() {
    finds(Mutation::NoDedupe);
}

#[test]
fn a_node_without_resume_is_found() {
    finds(Mutation::NoResume);
}

#[test]
fn a_room_that_fills_no_holes_is_found() {
    finds(Mutation::NoGapFill);
}
