use proptest::prelude::*;

use super::Standing::{Doubtful, Healthy, Refusing};
use super::Tier::{Backup, Primary};
use super::*;

const POLICIES: [Policy; 2] = [Policy::LeastConnections, Policy::LeastLoad];

fn load(standing: Standing, tier: Tier, connections: usize, rate: u64) -> Load {
    Load { standing, tier, connections, rate }
}

fn check(policy: Policy, loads: &[Load], expected: Option<usize>) {
    assert_eq!(pick(policy, loads, &[]), expected, "{loads:?}");
}

#[test]
fn the_fewest_connections_win_and_among_equals_the_first() {
    for policy in POLICIES {
        check(policy, &[3, 1, 2, 1].map(|count| load(Healthy, Primary, count, 0)), Some(1));
    }
}

#[test]
fn health_comes_before_tier_and_tier_before_load() {
    for policy in POLICIES {
        check(policy, &[load(Doubtful, Primary, 0, 0), load(Healthy, Backup, 9, 9)], Some(1));
        check(policy, &[load(Healthy, Backup, 0, 0), load(Healthy, Primary, 9, 9)], Some(1));
        check(policy, &[load(Refusing, Primary, 0, 0), load(Doubtful, Backup, 9, 9)], Some(1));
    }
}

#[test]
fn without_backends_there_is_no_choice() {
    check(Policy::LeastLoad, &[], None);
}

#[test]
fn by_load_many_bytes_weigh_as_much_as_many_connections() {
    let megabyte = 1_000_000;
    // 0.5 + 0.9 against 0.5 + 0.1; then 0.1 + 0.9 against 0.9 + 0.1; then one connection less tips it.
    let (busy, idle) = (9 * megabyte, megabyte);
    let two = |a: usize, b: usize| [load(Healthy, Primary, a, busy), load(Healthy, Primary, b, idle)];
    check(Policy::LeastLoad, &two(50, 50), Some(1));
    check(Policy::LeastConnections, &two(50, 50), Some(0));
    check(Policy::LeastLoad, &two(10, 90), Some(0));
    check(Policy::LeastLoad, &two(11, 89), Some(1));
    check(Policy::LeastLoad, &two(9, 91), Some(0));
}

#[test]
fn a_few_bytes_are_no_load() {
    let two = [load(Healthy, Primary, 100, 0), load(Healthy, Primary, 99, BYTES_FLOOR / 1_000)];
    check(Policy::LeastLoad, &two, Some(1));
}

prop_compose! {
    fn any_load()(standing in prop_oneof![Just(Healthy), Just(Doubtful), Just(Refusing)],
                  tier in prop_oneof![Just(Primary), Just(Backup)],
                  connections in prop_oneof![0..4_usize, 0..20_000_usize],
                  rate in prop_oneof![Just(0), 0..200_000_u64, any::<u64>()]) -> Load {
        Load { standing, tier, connections, rate }
    }
}

prop_compose! {
    /// Backends, some of them tried, and a policy.
    fn any_choice()(both in prop::collection::vec((any_load(), any::<bool>()), 0..8),
                    policy in prop::sample::select(&POLICIES[..])) -> (Policy, Vec<Load>, Vec<bool>) {
        let (loads, tried) = both.into_iter().unzip();
        (policy, loads, tried)
    }
}

fn untried<'a>(loads: &'a [Load], tried: &'a [bool]) -> impl Iterator<Item = &'a Load> {
    loads.iter().zip(tried).filter(|(_, tried)| !**tried).map(|(load, _)| load)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn one_is_picked_while_one_is_untried_and_never_one_that_was_tried((policy, loads, tried) in any_choice()) {
        match pick(policy, &loads, &tried) {
            Some(index) => prop_assert!(!tried[index]),
            None => prop_assert!(tried.iter().all(|tried| *tried)),
        }
    }

    #[test]
    fn an_unhealthy_one_is_never_picked_before_a_healthy_one((policy, loads, tried) in any_choice()) {
        if let Some(index) = pick(policy, &loads, &tried) {
            let any_healthy = untried(&loads, &tried).any(|load| load.standing == Healthy);
            prop_assert_eq!(loads[index].standing == Healthy, any_healthy);
        }
    }

    #[test]
    fn a_backup_is_never_picked_before_a_healthy_primary((policy, loads, tried) in any_choice()) {
        let good = |load: &Load| load.standing == Healthy && load.tier == Primary;
        if let Some(index) = pick(policy, &loads, &tried) {
            prop_assert_eq!(good(&loads[index]), untried(&loads, &tried).any(good));
        }
    }

    #[test]
    fn with_equal_bytes_least_load_is_least_connections((_, mut loads, tried) in any_choice(), rate: u64) {
        loads.iter_mut().for_each(|load| load.rate = rate);
        let [by_connections, by_load] = POLICIES.map(|policy| pick(policy, &loads, &tried));
        prop_assert_eq!(by_connections, by_load);
    }

    #[test]
    fn more_load_never_makes_one_more_attractive(
        (policy, loads, tried) in any_choice(), at: prop::sample::Index, connections in 0..9_999_usize, bytes: u64,
    ) {
        prop_assume!(!loads.is_empty());
        let at = at.index(loads.len());
        let mut heavier = loads.clone();
        heavier[at].connections += connections;
        heavier[at].rate = heavier[at].rate.saturating_add(bytes);
        if pick(policy, &heavier, &tried) == Some(at) {
            prop_assert_eq!(pick(policy, &loads, &tried), Some(at));
        }
    }

    #[test]
    fn one_by_one_connections_spread_within_one(
        policy in prop::sample::select(&POLICIES[..]), backends in 1..8_usize, clients in 0..200_usize, rate: u64,
    ) {
        let mut loads = vec![load(Healthy, Primary, 0, rate); backends];
        for _ in 0..clients {
            let index = pick(policy, &loads, &[]).unwrap();
            loads[index].connections += 1;
        }
        let counts = || loads.iter().map(|load| load.connections);
        prop_assert!(counts().max().unwrap() - counts().min().unwrap() <= 1, "{:?}", loads);
        prop_assert_eq!(counts().sum::<usize>(), clients);
    }
}
