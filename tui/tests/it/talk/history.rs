//! Owns what one client was shown in a run, and the judgement of all of them: everything once, in one order,
//! acknowledged, and no figure that says otherwise.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use chat_protocol::{ErrorCode, Seq};
use chat_tui::net::event::{LinkState, LinkStatus, NetEvent, OutId, OutState};
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
    /// Moves to another server without a loss: when, and for how long nothing could be delivered.
    pub(crate) moves: Vec<(Instant, Duration)>,
    /// How often the link was told to be anything but online, once it was.
    pub(crate) offline: usize,
    /// When it was told first that its server is cut off.
    pub(crate) cut_off: Option<Instant>,
    /// How often what it showed did not survive.
    pub(crate) rewinds: usize,
    /// What it was told is gone for good.
    pub(crate) resets: Vec<Gone>,
    /// It was told that the server cannot reach the others.
    pub(crate) unavailable: bool,
    /// The names that left the room before its eyes.
    pub(crate) left: Vec<String>,
    /// What no run may see here.
    pub(crate) mishaps: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Shown {
    /// The log's life, counted by resets, and the place in it.
    pub(crate) at_place: (usize, Seq),
    pub(crate) content: String,
    pub(crate) at: Instant,
}

/// A range that is gone, as a client was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) from: Seq,
    pub(crate) to: Option<Seq>,
    pub(crate) reason: String,
}

impl History {
    pub(crate) fn told(&mut self, event: NetEvent) {
        match event {
            NetEvent::Entry { message, .. } => {
                let at_place = (self.resets.len(), message.seq);
                self.shown.push(Shown { at_place, content: message.body.content, at: Instant::now() });
            }
            NetEvent::Out { out, state, .. } => drop(self.outs.insert(out, state)),
            NetEvent::Link(status) => {
                if status.failovers > self.status.failovers {
                    self.took.extend(status.recovery.as_ref().map(|recovery| recovery.took));
                }
                if status.moves > self.status.moves {
                    self.moves.extend(status.recovery.as_ref().map(|moved| (Instant::now(), moved.took)));
                }
                let is_online = |status: &LinkStatus| matches!(status.state, LinkState::Online { .. });
                self.offline += usize::from(is_online(&self.status) && !is_online(&status));
                self.unavailable |= status.cut_off.is_some();
                if self.unavailable {
                    self.cut_off.get_or_insert_with(Instant::now);
                }
                self.status = status;
            }
            NetEvent::Presence(presence) => {
                self.left.extend(presence.left.into_iter().map(|user| user.username));
            }
            NetEvent::Rewound { to, .. } => {
                self.rewinds += 1;
                let place = (self.resets.len(), to);
                self.shown.retain(|shown| shown.at_place.0 < place.0 || shown.at_place <= place);
            }
            NetEvent::Reset { lost_from, lost_to, reason, .. } => {
                self.resets.push(Gone { from: lost_from, to: lost_to, reason });
            }
            NetEvent::Trouble { code: ErrorCode::Unavailable, .. } => self.unavailable = true,
            NetEvent::Trouble { .. } => self.mishaps.push(format!("{event:?}")),
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

    /// The longest time in which nothing new was shown.
    pub(crate) fn longest_silence(&self) -> Duration {
        let gaps = self.shown.windows(2).map(|pair| pair[1].at - pair[0].at);
        gaps.max().unwrap_or_default()
    }

    fn contents(&self) -> Vec<&str> {
        self.shown.iter().map(|shown| shown.content.as_str()).collect()
    }

    /// Entries that stand behind one of a higher place.
    fn out_of_order(&self) -> usize {
        self.shown.windows(2).filter(|pair| pair[0].at_place >= pair[1].at_place).count()
    }

    fn times<'a>(&'a self, said: &'a [String]) -> HashMap<&'a str, usize> {
        let mut times: HashMap<&str, usize> = said.iter().map(|content| (content.as_str(), 0)).collect();
        for content in self.contents() {
            *times.entry(content).or_default() += 1;
        }
        times
    }
}

/// What a run comes to, all clients together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) lost: usize,
    pub(crate) duplicated: usize,
    /// Entries that stand elsewhere than with the first client, or behind one of a higher place.
    pub(crate) reordered: usize,
    pub(crate) rewinds: usize,
    pub(crate) resets: usize,
    pub(crate) longest_silence: Duration,
}

impl Counts {
    pub(crate) fn of(histories: &[History], said: &[String]) -> Self {
        let mut counts = Self::default();
        for history in histories {
            let times = history.times(said);
            counts.lost += times.values().filter(|times| **times == 0).count();
            counts.duplicated += times.values().map(|times| times.saturating_sub(1)).sum::<usize>();
            let (first, own) = (histories[0].contents(), history.contents());
            let elsewhere = first.iter().zip(&own).filter(|(one, other)| one != other).count();
            counts.reordered += elsewhere + history.out_of_order();
            counts.rewinds += history.rewinds;
            counts.resets += history.resets.len();
            counts.longest_silence = counts.longest_silence.max(history.longest_silence());
        }
        counts
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

/// What a run with a sound backbone may not see either.
pub(crate) fn disturbances(histories: &[History]) -> Vec<String> {
    let disturbed = histories.iter().flat_map(|history| {
        let counts = [
            (history.rewinds, "rewinds"),
            (history.resets.len(), "resets"),
            (usize::from(history.unavailable), "times unavailable"),
        ];
        counts.map(|(count, what)| (count, format!("{}: {count} {what}", history.name)))
    });
    disturbed.filter(|(count, _)| *count > 0).map(|(_, what)| what).collect()
}

fn of_one(history: &History, said: &[String]) -> Vec<String> {
    let times = history.times(said);
    let known: HashSet<&str> = said.iter().map(String::as_str).collect();
    let strange = times.keys().filter(|content| !known.contains(**content)).count();
    let totals = history.status.totals;
    let unacked = history.outs.len() - history.acked();
    let counts = [
        (times.values().filter(|times| **times == 0).count() as u64, "missing"),
        (times.values().map(|times| times.saturating_sub(1)).sum::<usize>() as u64, "shown again"),
        (strange as u64, "never said"),
        (history.out_of_order() as u64, "out of order"),
        (unacked as u64, "not acknowledged"),
        (history.status.queued as u64, "still queued"),
        (totals.lost, "counted lost"),
        (totals.dup, "counted as repeats"),
    ];
    let counted = counts.into_iter().filter(|(count, _)| *count > 0);
    let counted = counted.map(|(count, what)| format!("{}: {count} {what}", history.name));
    counted.chain(history.mishaps.iter().map(|mishap| format!("{}: {mishap}", history.name))).collect()
}
