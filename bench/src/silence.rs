//! Owns how long clients were without anything new around a fault, and how long they took to be back: from the
//! record alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::record::What;

/// When things happened, in microseconds after the run began.
#[derive(Debug, Default)]
pub struct Times {
    clients: BTreeMap<u32, Client>,
    faults: Vec<u64>,
    calm: Option<u64>,
}

#[derive(Debug, Default)]
struct Client {
    /// Gaps between two entries, in any room, with their ends; those of its own doing are not among them.
    gaps: Vec<(u64, u64)>,
    last: Option<u64>,
    /// When it lost its node, or was asked to leave it, or was told that it is cut off.
    hit: Vec<u64>,
    /// When it had everything again.
    back: Vec<u64>,
}

impl Times {
    pub(crate) fn take(&mut self, t: u64, client: Option<u32>, what: &What) {
        match (client, what) {
            (Some(client), what) => self.clients.entry(client).or_default().take(t, what),
            (None, What::Fault { .. }) => self.faults.push(t),
            (None, What::Calm) => self.calm = Some(t),
            (None, _) => {}
        }
    }

    /// For every fault and every client that it hit: the longest gap between two entries from the fault to the next
    /// one, or to the calm. Where a fault hit nobody's connection, every client counts.
    pub fn silences(&self) -> Quantiles {
        let silences = self.windows().flat_map(|(from, to)| {
            let hit: BTreeSet<u32> = self.hit(from, to).map(|(client, _)| client).collect();
            let counts = move |client: &u32| hit.is_empty() || hit.contains(client);
            self.clients
                .iter()
                .filter(move |(client, _)| counts(client))
                .filter_map(move |(_, client)| client.longest_gap(from, to))
        });
        Quantiles::of(silences.collect())
    }

    /// For every fault and every client that it hit: from the fault until the client had everything again.
    pub fn returns(&self) -> Quantiles {
        let returns = self.windows().flat_map(|(from, to)| {
            self.hit(from, to).filter_map(move |(_, client)| {
                client.back.iter().find(|at| (from..to).contains(at)).map(|at| at - from)
            })
        });
        Quantiles::of(returns.collect())
    }

    /// How many faults there were.
    pub fn faults(&self) -> usize {
        self.faults.len()
    }

    fn windows(&self) -> impl Iterator<Item = (u64, u64)> {
        let end = self.calm.unwrap_or(u64::MAX);
        let next = self.faults.iter().skip(1).copied().chain([end]);
        self.faults.iter().copied().zip(next)
    }

    fn hit(&self, from: u64, to: u64) -> impl Iterator<Item = (u32, &Client)> {
        let is_hit = move |client: &Client| client.hit.iter().any(|at| (from..to).contains(at));
        self.clients.iter().filter(move |(_, client)| is_hit(client)).map(|(id, client)| (*id, client))
    }
}

impl Client {
    fn take(&mut self, t: u64, what: &What) {
        match what {
            What::Shown { .. } => {
                self.gaps.extend(self.last.map(|last| (last, t)));
                self.last = Some(t);
            }
            What::Started | What::Paused | What::Reading => self.last = None,
            What::Lost | What::CutOff => self.hit.push(t),
            What::Back { planned, .. } => {
                // Who moved never lost a connection: its move is what hit it.
                if *planned {
                    self.hit.push(t);
                }
                self.back.push(t);
            }
            _ => {}
        }
    }

    fn longest_gap(&self, from: u64, to: u64) -> Option<u64> {
        let first = self.gaps.partition_point(|(_, end)| *end <= from);
        let gaps = self.gaps[first..].iter().take_while(|(begin, _)| *begin < to);
        gaps.map(|(begin, end)| end - begin).max()
    }
}

/// A distribution of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Quantiles {
    /// How many there are.
    pub count: usize,
    /// Half are no longer, in microseconds.
    pub p50: u64,
    /// 99 of 100 are no longer, in microseconds.
    pub p99: u64,
    /// The longest, in microseconds.
    pub max: u64,
}

impl Quantiles {
    /// Of these times in microseconds; nearest rank.
    pub fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let rank = |percent: usize| match (times.len() * percent).div_ceil(100) {
            0 => 0,
            rank => times[rank - 1],
        };
        Self { count: times.len(), p50: rank(50), p99: rank(99), max: rank(100) }
    }

    /// As `p50/p99/max` in milliseconds.
    pub fn in_ms(&self) -> String {
        let ms = |us: u64| Duration::from_micros(us).as_millis();
        format!("{}/{}/{}", ms(self.p50), ms(self.p99), ms(self.max))
    }
}

#[cfg(test)]
mod tests {
    use chat_protocol::Seq;

    use super::*;
    use crate::record::Words;

    fn shown() -> What {
        What::Shown { r: 0, s: Seq(1), m: Words(0, 1) }
    }

    fn times(events: &[(u64, Option<u32>, What)]) -> Times {
        let mut times = Times::default();
        events.iter().for_each(|(t, client, what)| times.take(*t, *client, what));
        times
    }

    #[test]
    fn a_silence_is_the_longest_gap_from_the_fault_to_the_next_one() {
        let fault = || What::Fault { what: String::new() };
        let times = times(&[
            (0, Some(1), shown()),
            (900, Some(1), shown()),
            (1_000, None, fault()),
            (1_001, Some(1), shown()),
            (1_002, Some(1), What::Lost),
            (1_301, Some(1), shown()),
            (2_000, None, fault()),
            (2_000, Some(1), What::Lost),
            (2_301, Some(1), shown()),
        ]);
        let silences = times.silences();
        assert_eq!((silences.count, silences.p50, silences.max), (2, 1_000, 1_000), "{silences:?}");
    }

    #[test]
    fn who_was_not_hit_does_not_count_unless_nobody_was() {
        let mut events = vec![
            (0, Some(1), shown()),
            (0, Some(2), shown()),
            (10, None, What::Fault { what: String::new() }),
            (50, Some(1), shown()),
            (90, Some(2), shown()),
        ];
        assert_eq!(times(&events).silences().count, 2);
        events.push((91, Some(2), What::Lost));
        let silences = times(&events).silences();
        assert_eq!((silences.count, silences.max), (1, 90));
    }

    #[test]
    fn a_pause_of_its_own_is_no_silence() {
        let times = times(&[
            (0, Some(1), shown()),
            (10, None, What::Fault { what: String::new() }),
            (20, Some(1), What::Paused),
            (500, Some(1), What::Reading),
            (501, Some(1), shown()),
            (503, Some(1), shown()),
        ]);
        assert_eq!(times.silences().max, 2);
    }

    #[test]
    fn quantiles_are_nearest_ranks() {
        let of = Quantiles::of((1..=200).collect());
        assert_eq!((of.p50, of.p99, of.max), (100, 198, 200));
        assert_eq!(Quantiles::of(Vec::new()), Quantiles::default());
    }
}
