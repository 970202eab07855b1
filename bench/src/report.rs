//! Owns how a run is shown: a line of a table for people, JSON for programs.

use std::path::Path;

use anyhow::Context;

use crate::check::Counts;
use crate::load::Load;
use crate::run::Report;

/// The table's head.
pub const HEAD: &str = "\
scenario       front    via    faults   said    shown  lost  dup  order rewinds resets  moved  lost-link  silence ms        back ms
                                                                                                      p50/p99/max       p50/p99/max";

/// A run as a line of the table, with what is wrong below it.
pub fn row(report: &Report) -> String {
    let counts = &report.counts;
    let via = format!("{:?}", report.transport).to_lowercase();
    let mut row = format!(
        "{:<14} {:<8} {via:<6} {:>6} {:>6} {:>8} {:>5} {:>4} {:>6} {:>7} {:>6} {:>6} {:>10}  {:<17} {:<17}",
        report.scenario,
        report.front,
        report.faults,
        counts.said,
        counts.shown,
        counts.lost + counts.vanished,
        counts.duplicated,
        counts.reordered,
        counts.rewinds,
        counts.resets,
        counts.moved,
        counts.disconnected,
        report.silence.in_ms(),
        report.returned.in_ms(),
    );
    if counts.changes > 0 {
        row.push_str(&conversation(counts));
    }
    for violation in &report.violations {
        row.push_str(&format!("\n  VIOLATION {violation}"));
    }
    if !report.violations.is_empty() {
        row.push_str(&format!("\n  record: {} (seed {})", report.record.display(), report.seed));
    }
    row
}

/// What was done besides saying messages, and what was not as it has to be.
fn conversation(counts: &Counts) -> String {
    let Counts {
        changes,
        direct,
        barred,
        unfound,
        leaked,
        astray,
        marked,
        marks_shown,
        marks_back,
        marks_apart,
        ..
    } = counts;
    format!(
        "\n  of these {changes} edits, deletes and replies ({astray} astray), {direct} direct messages ({leaked} shown to others, {barred} tries barred, {unfound} users not found at first)\n  \
         markers: {marked} told, {marks_shown} shown to the user's other clients, {marks_back} back, {marks_apart} apart at the end"
    )
}

/// What the processes of a run cost at most, in a line.
pub fn load(load: &Load) -> String {
    let processes = load.processes.iter();
    let processes: Vec<String> = processes
        .map(|(name, peak)| format!("{name} {:.0} % {:.0} MiB", peak.cpu * 100.0, peak.rss_mib))
        .collect();
    let redis =
        format!("redis {:.0} % {:.0} commands/s", load.redis_cpu * 100.0, load.redis_commands_per_second);
    format!("  at most: {redis}, {}", processes.join(", "))
}

/// All runs as JSON.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json(reports: &[Report], path: &Path) -> anyhow::Result<()> {
    let json = serde_json::to_vec_pretty(reports)?;
    std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
}
