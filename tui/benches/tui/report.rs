//! Owns how figures are held against the targets of the design. A target that is missed is told, and fails nothing:
//! figures depend on the machine.

use serde::Serialize;

/// A figure and what it ought to be.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    what: &'static str,
    seen: f64,
    limit: Limit,
    unit: &'static str,
    holds: bool,
}

/// What a figure ought to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) enum Limit {
    AtMost(f64),
    /// It, to a whole number.
    Rounds(f64),
}

impl Limit {
    fn holds(self, seen: f64) -> bool {
        match self {
            Self::AtMost(most) => seen <= most,
            Self::Rounds(to) => seen.round() == to,
        }
    }
}

impl Target {
    pub(crate) fn new(what: &'static str, seen: f64, limit: Limit, unit: &'static str) -> Self {
        Self { what, seen, limit, unit, holds: limit.holds(seen) }
    }
}

/// Says of each target whether it holds.
pub(crate) fn print(targets: &[Target]) {
    println!("\n{:<30}{:>10}{:>10}", "target", "seen", "at most");
    for Target { what, seen, limit, unit, holds } in targets {
        let (Limit::AtMost(most) | Limit::Rounds(most)) = limit;
        let holds = if *holds { "holds" } else { "DOES NOT HOLD" };
        println!("{what:<30}{seen:>10.2}{most:>10.1} {unit:<6}{holds}");
    }
}
