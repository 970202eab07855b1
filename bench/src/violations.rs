//! Owns what a run may not show, by its scenario: one list for a run that was just played and for a record that is
//! judged again.

use clap::ValueEnum;

use crate::check::Verdict;
use crate::scenario::Scenario;

/// Everything in a run that its scenario does not allow; empty: nothing.
pub fn violations(verdict: &Verdict) -> Vec<String> {
    let Verdict { scenario, counts, complaints, times } = verdict;
    let Ok(scenario) = Scenario::from_str(scenario, true) else {
        return vec![format!("the record is of no known scenario: {scenario:?}")];
    };
    let may = scenario.may();
    let mut violations = if counts.promise_kept() { Vec::new() } else { complaints.clone() };
    let was_told = counts.resets > 0 || counts.rewinds > 0;
    let allowed = [
        (counts.rewinds, may.rewind, "rewinds"),
        (counts.resets, may.reset, "resets"),
        (counts.disconnected, may.disconnect, "connections lost"),
        (counts.troubles, false, "errors shown"),
        (counts.refused, false, "messages refused"),
        (counts.counted_lost, was_told, "places that clients themselves count as lost"),
        (times.never_back() as u64, false, "clients not back at the end"),
    ];
    for (count, _, what) in allowed.into_iter().filter(|(count, is_allowed, _)| *count > 0 && !is_allowed) {
        violations.push(format!("{count} {what}, which this fault should not cause"));
    }
    if counts.shown == 0 || times.faults() == 0 {
        violations.push("nothing was shown or nothing broken: the run proves nothing".to_owned());
    }
    let is_still = [counts.changes, counts.direct, counts.marks_shown, counts.barred]
        .into_iter()
        .any(|count| count == 0);
    if scenario == Scenario::Conversation && is_still {
        violations.push(
            "no change, no direct message, no marker or no closed door: the run proves nothing".to_owned(),
        );
    }
    violations
}
