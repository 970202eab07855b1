//! Owns what one client was shown in a run, and the judgement of all of them: everything once, in one order,
//! acknowledged, and no figure that says otherwise.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use chat_protocol::Seq;
use chat_tui::net::event::{LinkStatus, NetEvent, OutId, OutState};
use tokio::time::Instant;

/// What one client saw.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) name: String,
    /// What stands on its screen, in order.
    pub(crate) shown: Vec<Shown>,
    pub(crate) outs: BTreeMap<OutId, OutState>,
    pub(crate) status: LinkStatus,
    /// From each loss of the link to its last recovered room, as the client counts it.
    pub(crate) took: Vec<Duration>,
    /// What no run may see here.
    pub(crate) mishaps: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) seq: Seq,
    pub(crate) content: String,
    pub(crate) at: Instant,
}

impl History {
    pub(crate) fn told(&mut self, event: NetEvent) {
        match event {
            NetEvent::Entry { message, .. } => {
                let (seq, content) = (message.seq, message.body.content);
                self.shown.push(Shown { seq, content, at: Instant::now() });
            }
            NetEvent::Out { out, state, .. } => drop(self.outs.insert(out, state)),
            NetEvent::Link(status) => {
                if status.failovers > self.status.failovers {
                    self.took.extend(status.recovery.as_ref().map(|recovery| recovery.took));
                }
                self.status = status;
            }
            NetEvent::Rewound { .. } | NetEvent::Reset { .. } | NetEvent::Trouble { .. } => {
                self.mishaps.push(format!("{event:?}"));
            }
            _ => {}
        }
    }

    pub(crate) fn acked(&self) -> usize {
        self.outs.values().filter(|state| **state == OutState::Acked).count()
    }

    /// How many of the clients' last words were shown.
    pub(crate) fn ends(&self) -> usize {
        let ends: HashSet<&str> =
            self.contents().into_iter().filter(|content| content.ends_with("end")).collect();
        ends.len()
    }

    /// For each moment, how long nothing new was shown around it.
    pub(crate) fn silences(&self, kills: &[Instant]) -> Vec<Duration> {
        let around = |kill: &Instant| {
            let next = self.shown.iter().position(|shown| shown.at >= *kill)?;
            Some(self.shown[next].at - self.shown[next.checked_sub(1)?].at)
        };
        kills.iter().filter_map(around).collect()
    }

    fn contents(&self) -> Vec<&str> {
        self.shown.iter().map(|shown| shown.content.as_str()).collect()
    }
}

/// Everything that is wrong with a run in which `said` was said; empty: nothing.
pub(crate) fn complaints(histories: &[History], said: &[String]) -> Vec<String> {
    let mut complaints: Vec<String> = histories.iter().flat_map(|history| of_one(history, said)).collect();
    for pair in histories.windows(2) {
        let (one, other) = (&pair[0], &pair[1]);
        if one.contents() != other.contents() {
            complaints.push(format!("{} and {}: not the same in the same order", one.name, other.name));
        }
    }
    complaints
}

fn of_one(history: &History, said: &[String]) -> Vec<String> {
    let mut times: HashMap<&str, usize> = said.iter().map(|content| (content.as_str(), 0)).collect();
    let mut strange = 0;
    for content in history.contents() {
        match times.get_mut(content) {
            Some(times) => *times += 1,
            None => strange += 1,
        }
    }
    let out_of_order = history.shown.windows(2).filter(|pair| pair[0].seq >= pair[1].seq).count();
    let totals = history.status.totals;
    let unacked = history.outs.len() - history.acked();
    let counts = [
        (times.values().filter(|times| **times == 0).count() as u64, "missing"),
        (times.values().map(|times| times.saturating_sub(1)).sum::<usize>() as u64, "shown again"),
        (strange, "never said"),
        (out_of_order as u64, "out of order"),
        (unacked as u64, "not acknowledged"),
        (history.status.queued as u64, "still queued"),
        (totals.lost, "counted lost"),
        (totals.dup, "counted as repeats"),
    ];
    let counted = counts.into_iter().filter(|(count, _)| *count > 0);
    let counted = counted.map(|(count, what)| format!("{}: {count} {what}", history.name));
    counted.chain(history.mishaps.iter().map(|mishap| format!("{}: {mishap}", history.name))).collect()
}
