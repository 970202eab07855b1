//! Plays random schedules over the cores that run in production: the client's link with its cursors and outboxes, the
//! server's room core, and servers of a Redis whose logs are those of the memory backbone, all on one virtual clock.
//! A schedule is a plan, which is data; a random one is drawn from a seed: nodes crash, connections break, Redis loses
//! its end, its beginning or everything, is replaced by a replica that lags, is written to on both sides of a fork, or
//! speaks in one direction only. At its end everything heals, and every client must show every message once, in one
//! order. Sessions are played with what the room cores hear of them: one refuses what comes too fast, and each is told
//! who is here whenever somebody comes or goes.
//!
//! `CHAT_SIM_SEEDS=100000` plays more, from `CHAT_SIM_FROM` on; `CHAT_SIM_SEED=17` plays one and prints what happened.
//! A seed that fails is made smaller, and printed as a plan that can be pasted into `regressions.rs`; with
//! `CHAT_SIM_TELL=1` its story is told too.
//!
//! - `plan`: a schedule as data. `shrink`: the smallest that still fails.
//! - `world`: the clock, and who lives there: `client`, `node`. `queue`: what is to happen. `faults`: what goes wrong.
//! - `leaving`: why clients leave a node that answers. `ways`: the two connections of a client that moves.
//! - `redis`: the servers. `wire`: a node's connections to them, and the rules by which it uses them.
//! - `check`: what must hold. `mutation`: what is taken out, to see that it is found missing.

mod check;
mod client;
mod faults;
mod leaving;
mod mutation;
mod node;
mod plan;
mod queue;
mod redis;
mod regressions;
mod shrink;
mod ways;
mod wire;
mod world;

use std::time::Instant;

use check::{Failure, Verdict};
use mutation::Mutation;
use plan::{Fault, Plan};
use world::World;

/// Schedules in every test run.
const SEEDS: u64 = 10_000;
/// Schedules of minutes.
const SEEDS_OF_LONG: u64 = 300;
/// Schedules in which a mutation has to be found.
const SEEDS_OF_MUTATION: u64 = 20_000;

fn play(plan: Plan, mutation: Mutation, verbose: bool) -> Verdict {
    let mut world = World::new(plan, mutation, verbose);
    world.run();
    check::judge(&world)
}

fn play_plan(plan: Plan, mutation: Mutation) -> Verdict {
    play(plan, mutation, false)
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Plays seeds on all cores; the first that fails, by number.
fn play_all(
    seeds: std::ops::Range<u64>,
    plan: fn(u64) -> Plan,
    mutation: Mutation,
) -> Option<(u64, Failure)> {
    let cores = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    let first_failure = parking_lot::Mutex::new(None::<(u64, Failure)>);
    std::thread::scope(|scope| {
        for core in 0..cores {
            let (seeds, first_failure) = (seeds.clone(), &first_failure);
            scope.spawn(move || {
                for seed in seeds.skip(core as usize).step_by(cores as usize) {
                    if first_failure.lock().as_ref().is_some_and(|(failed, _)| *failed < seed) {
                        return;
                    }
                    if let Err(failure) = play_plan(plan(seed), mutation) {
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
        println!("{}", Plan::of(seed));
        assert_eq!(play(Plan::of(seed), Mutation::None, true), Ok(()), "seed {seed}");
        return;
    }
    let from = variable("CHAT_SIM_FROM").unwrap_or(0);
    let seeds = variable("CHAT_SIM_SEEDS").unwrap_or(SEEDS);
    let started = Instant::now();
    if let Some((seed, failure)) = play_all(from..from + seeds, Plan::of, Mutation::None) {
        let small = shrink::shrink(Plan::of(seed), failure.clone(), Mutation::None);
        if variable("CHAT_SIM_TELL").is_some() {
            drop(play(small.plan.clone(), Mutation::None, true));
        }
        panic!(
            "seed {seed}: {}: {}\nplay it alone with CHAT_SIM_SEED={seed}\nthe smallest: {}\n{}",
            failure.what, failure.story, small.story, small.plan
        );
    }
    let taken = started.elapsed().as_secs_f64();
    println!("simulator: {seeds} schedules in {taken:.1} s, {:.0} a second", seeds as f64 / taken);
}

#[test]
fn who_speaks_while_a_log_is_emptied_is_heard_in_one_order() {
    assert_eq!(play_all(0..1_000, Plan::around_flush, Mutation::None), None);
}

#[test]
fn who_loses_all_again_and_again_can_still_speak() {
    let seeds = variable("CHAT_SIM_SEEDS").unwrap_or(SEEDS_OF_LONG);
    if let Some((seed, failure)) = play_all(0..seeds, Plan::with_all_lost, Mutation::None) {
        let small = shrink::shrink(Plan::with_all_lost(seed), failure.clone(), Mutation::None);
        if variable("CHAT_SIM_TELL").is_some() {
            drop(play(small.plan.clone(), Mutation::None, true));
        }
        panic!("seed {seed}: {failure:?}\nthe smallest: {}\n{}", small.story, small.plan);
    }
}

#[test]
fn where_two_programs_count_under_one_id_one_becomes_another_client() {
    if let Some((seed, failure)) = play_all(0..1_000, Plan::with_twin, Mutation::None) {
        let small = shrink::shrink(Plan::with_twin(seed), failure.clone(), Mutation::None);
        panic!("seed {seed}: {failure:?}\nthe smallest: {}\n{}", small.story, small.plan);
    }
}

#[test]
fn nobody_sees_anything_of_a_drain_while_another_node_is_there() {
    if let Some((seed, failure)) = play_all(0..1_000, Plan::with_drains, Mutation::None) {
        let small = shrink::shrink(Plan::with_drains(seed), failure.clone(), Mutation::None);
        panic!("seed {seed}: {failure:?}\nthe smallest: {}\n{}", small.story, small.plan);
    }
}

/// Clients that go from one of two nodes, and how often one was offline meanwhile, in a few worlds: in one all of them may
/// be on the other node.
fn moves(fault: Fault) -> (u64, usize) {
    let mut all = (0, 0);
    for seed in 1..=4 {
        let says = (0..40).map(|k| (500 + k * 400, k as usize % 4, 0)).collect();
        let faults = vec![(1_000, fault)];
        let plan = Plan { nodes: 2, clients: 4, rooms: 1, says, faults, ..Plan::of(seed) };
        let mut world = World::new(plan, Mutation::None, false);
        world.run();
        assert_eq!(check::judge(&world), Ok(()));
        all = (world.clients.iter())
            .fold(all, |(moves, downs), client| (moves + client.moves, downs + client.downs));
    }
    all
}

#[test]
fn clients_go_without_a_gap_from_a_node_that_drains_and_from_one_that_is_cut_off() {
    for fault in [Fault::Drain { node: 0, long: 4_000 }, Fault::Cut { node: 0, long: 14_000 }] {
        let (moves, downs) = moves(fault);
        assert!(moves > 0 && downs == 0, "{fault:?}: {moves} moves, {downs} times offline");
    }
}

/// What is taken out is found missing; the first seed that shows it, and what it looks like at its smallest.
fn finds(mutation: Mutation, plan: fn(u64) -> Plan) -> Plan {
    let (seed, failure) = play_all(0..SEEDS_OF_MUTATION, plan, mutation).expect("the simulator finds it");
    println!("simulator: {mutation:?} found by seed {seed}: {}: {}", failure.what, failure.story);
    let small = shrink::shrink(plan(seed), failure, mutation);
    println!("at its smallest, after {} tries: {}\n{}", small.tries, small.story, small.plan);
    assert_eq!(play_plan(small.plan.clone(), Mutation::None), Ok(()), "what fails is what was taken out");
    small.plan
}

#[test]
fn a_log_without_dedupe_is_found() {
    let plan = finds(Mutation::NoDedupe, Plan::of);
    assert!(plan.faults.len() <= 2, "and its plan is made small: {plan}");
}

#[test]
fn a_log_that_believes_any_number_is_found() {
    finds(Mutation::NoEvidence, Plan::of);
}

#[test]
fn a_node_without_resume_is_found() {
    finds(Mutation::NoResume, Plan::of);
}

#[test]
fn a_room_that_fills_no_holes_is_found() {
    finds(Mutation::NoGapFill, Plan::of);
}

#[test]
fn a_round_that_closes_nothing_is_found() {
    finds(Mutation::NoSettling, Plan::around_flush);
}

#[test]
fn a_node_that_gives_nothing_back_is_found() {
    finds(Mutation::NoRepair, Plan::of);
}

#[test]
fn a_cluster_without_fencing_is_found() {
    finds(Mutation::NoFencing, Plan::with_twin);
}

#[test]
fn a_node_that_does_not_wait_for_the_others_is_found() {
    finds(Mutation::NoGate, Plan::around_reboot);
}
