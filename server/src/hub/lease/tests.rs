use super::*;

fn names(names: &[&str]) -> HashMap<NodeId, u64> {
    up_for(names, 100)
}

fn up_for(names: &[&str], seconds: u64) -> HashMap<NodeId, u64> {
    names.iter().map(|name| (NodeId::parse(name).unwrap(), seconds)).collect()
}

fn at(seconds: f64) -> Moment {
    Duration::from_secs_f64(seconds)
}

/// Seen at these seconds, each answered at once; nobody was found gone.
fn watched(others: &mut Others, seconds: std::ops::RangeInclusive<u32>, live: &[&str]) {
    for second in seconds {
        let now = at(f64::from(second));
        assert_eq!(others.saw(now, now, names(live)), [], "at {second} s");
    }
}

#[test]
fn who_was_there_and_is_not_any_more_is_gone() {
    let mut others = Others::default();
    watched(&mut others, 0..=4, &["b", "c"]);
    let gone = others.saw(at(5.0), at(5.0), names(&["c"]));
    assert_eq!(gone, [NodeId::parse("b").unwrap()]);
    assert_eq!(others.saw(at(6.0), at(6.0), names(&["c"])), [], "once");
}

#[test]
fn after_a_call_that_failed_nobody_is_judged_for_four_seconds() {
    let mut others = Others::default();
    watched(&mut others, 0..=10, &["b"]);
    others.unknown();
    // All leases have run out; those of the living are renewed in a moment.
    watched(&mut others, 12..=12, &[]);
    watched(&mut others, 13..=20, &["b"]);
    others.unknown();
    watched(&mut others, 21..=24, &[]);
    assert_eq!(others.saw(at(25.0), at(25.0), names(&[])).len(), 1, "it did not come back");
}

#[test]
fn an_answer_out_of_a_pause_judges_nobody_either() {
    let mut others = Others::default();
    watched(&mut others, 0..=10, &["b"]);
    assert_eq!(others.saw(at(11.0), at(12.9), names(&[])), [], "the backbone slept, and leases ran out");
    watched(&mut others, 13..=20, &["b"]);
}

#[test]
fn a_node_that_came_back_before_its_lease_ran_out_was_gone() {
    let mut others = Others::default();
    watched(&mut others, 0..=2, &["b", "c"]);
    let mut live = names(&["c"]);
    live.extend(up_for(&["b"], 1));
    assert_eq!(others.saw(at(3.0), at(3.0), live.clone()), [NodeId::parse("b").unwrap()]);
    assert_eq!(others.saw(at(4.0), at(4.0), live), [], "once");
}
