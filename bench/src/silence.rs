//! Owns how long clients were without anything new around a fault, and how long they took to be back: from the
//! record alone.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::record::What;

/// When things happened, in microseconds after the run began.
#[derive(Debug, Default)]
pub struct Times {
    clients: BTreeMap<u32, Client>,
    faults: Vec<u64>,
    /// What follows is the run's own end.
    calm: Option<u64>,
}

#[derive(Debug, Default)]
struct Client {
    node: Option<String>,
    /// Times without anything new, with their ends; those of its own doing are not among them.
    gaps: Vec<(u64, u64)>,
    last: Option<u64>,
    /// When it lost its node, was asked to leave it, was told that it is cut off, or its node was struck.
    hit: Vec<u64>,
    /// When it lost its node, while it has not got everything again.
    lost: Option<u64>,
    /// When it lost its node or was asked to leave it, and when it had everything again.
    back: Vec<(u64, u64)>,
}

impl Times {
    pub(crate) fn take(&mut self, t: u64, client: Option<u32>, what: &What) {
        match (client, what) {
            // Nothing new is said any more: but who is still on the way back may arrive.
            (Some(client), What::Back { .. }) if self.calm.is_some() => {
                self.clients.entry(client).or_default().arrives(t);
            }
            _ if self.calm.is_some() => {}
            (Some(client), what) => self.clients.entry(client).or_default().take(t, what),
            (None, What::Fault { node, .. }) => {
                self.faults.push(t);
                let is_there = |client: &&mut Client| node.is_some() && client.node == *node;
                self.clients.values_mut().filter(is_there).for_each(|client| client.hit.push(t));
            }
            (None, What::Calm) => {
                self.calm = Some(t);
                self.clients.values_mut().for_each(|client| client.end_gap(t));
            }
            (None, _) => {}
        }
    }

    /// For every fault and every client that it hit: the longest time without a new entry that falls, in part at least,
    /// between the fault and the next one, or the calm. Where a fault hit nobody's node, every client counts.
    pub fn silences(&self) -> Quantiles {
        let silences = self.windows().flat_map(|(from, to)| {
            let is_hit = move |client: &Client| client.hit.iter().any(|at| (from..to).contains(at));
            let all = !self.clients.values().any(is_hit);
            self.clients
                .values()
                .filter(move |client| all || is_hit(client))
                .filter_map(move |client| client.longest_gap(from, to))
        });
        Quantiles::of(silences.collect())
    }

    /// For every client that lost its node or was asked to leave it: from the fault before that until it had everything
    /// again.
    pub fn returns(&self) -> Quantiles {
        let returns = self.clients.values().flat_map(|client| &client.back).map(|(hit, back)| {
            let before = self.faults.partition_point(|fault| fault <= hit);
            back - before.checked_sub(1).map_or(*hit, |fault| self.faults[fault])
        });
        Quantiles::of(returns.collect())
    }

    /// Clients that lost their node and had not got everything again at the end.
    pub fn never_back(&self) -> usize {
        self.clients.values().filter(|client| client.lost.is_some()).count()
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
}

impl Client {
    fn take(&mut self, t: u64, what: &What) {
        match what {
            What::Shown { .. } => {
                self.end_gap(t);
                self.last = Some(t);
            }
            What::Entered { .. } => self.last = self.last.or(Some(t)),
            // It hears again: from here on it waits for what is new.
            What::Reading => self.last = Some(t),
            What::Started | What::Paused | What::Ended { .. } => {
                self.end_gap(t);
                if *what == What::Started {
                    (self.lost, self.node) = (None, None);
                }
            }
            What::Online { node } => self.node = Some(node.clone()),
            What::CutOff => self.hit.push(t),
            What::Lost => {
                self.hit.push(t);
                self.lost.get_or_insert(t);
            }
            What::Back { planned, .. } => {
                // Who moved never lost a connection: its move is what hit it.
                if *planned {
                    self.hit.push(t);
                }
                self.back.push((self.lost.take().unwrap_or(t), t));
            }
            _ => {}
        }
    }

    /// It has everything again, whenever that is; who was not away when all fell silent is not spoken of.
    fn arrives(&mut self, t: u64) {
        self.back.extend(self.lost.take().map(|lost| (lost, t)));
    }

    fn end_gap(&mut self, t: u64) {
        self.gaps.extend(self.last.take().map(|last| (last, t)));
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

    fn fault() -> What {
        What::Fault { what: String::new(), node: None }
    }

    fn times(events: &[(u64, Option<u32>, What)]) -> Times {
        let mut times = Times::default();
        events.iter().for_each(|(t, client, what)| times.take(*t, *client, what));
        times
    }

    #[test]
    fn a_silence_is_the_longest_gap_from_the_fault_to_the_next_one() {
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
            (10, None, fault()),
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
            (10, None, fault()),
            (20, Some(1), What::Paused),
            (500, Some(1), What::Reading),
            (501, Some(1), shown()),
            (503, Some(1), shown()),
        ]);
        assert_eq!(times.silences().max, 20, "until it paused");
    }

    #[test]
    fn a_pause_does_not_hide_the_silence_before_it() {
        let times = times(&[
            (0, Some(1), shown()),
            (10, None, fault()),
            (11, Some(1), What::Lost),
            (5_000, Some(1), What::Paused),
            (5_500, Some(1), What::Reading),
            (5_501, Some(1), shown()),
        ]);
        assert_eq!(times.silences().max, 5_000);
    }

    #[test]
    fn who_is_shown_nothing_any_more_is_the_longest_silence_and_is_not_back() {
        let mut events = vec![(0, Some(1), shown()), (0, Some(2), shown()), (10, None, fault())];
        events.extend([1, 2].map(|client| (11, Some(client), What::Lost)));
        events.extend([(50, Some(1), shown()), (51, Some(1), What::Back { took: 40, planned: false })]);
        events.push((60_000, None, What::Calm));
        let times = times(&events);
        let silences = times.silences();
        assert_eq!((silences.count, silences.max), (2, 60_000), "{silences:?}");
        assert_eq!((times.returns().count, times.returns().max, times.never_back()), (1, 41, 1));
    }

    #[test]
    fn who_arrives_when_all_have_fallen_silent_is_back_and_was_away_until_then() {
        let mut events = vec![(0, Some(1), shown()), (10, None, fault())];
        events.extend([(11, Some(1), What::Lost), (60, None, What::Calm)]);
        events.push((90, Some(1), What::Back { took: 79, planned: false }));
        let times = times(&events);
        assert_eq!((times.returns().count, times.returns().max, times.never_back()), (1, 80, 0));
    }

    #[test]
    fn a_loss_of_the_end_itself_is_nobody_s_return() {
        let times = times(&[
            (0, Some(1), shown()),
            (10, None, fault()),
            (60, None, What::Calm),
            (70, Some(1), What::Lost),
            (90, Some(1), What::Back { took: 20, planned: false }),
        ]);
        assert_eq!((times.returns().count, times.never_back()), (0, 0));
    }

    #[test]
    fn the_end_of_the_run_is_nobody_s_silence() {
        let times = times(&[
            (0, Some(1), shown()),
            (10, None, fault()),
            (11, Some(1), What::Lost),
            (50, Some(1), shown()),
            (60, None, What::Calm),
            (30_000, Some(1), shown()),
        ]);
        assert_eq!(times.silences().max, 50);
    }

    #[test]
    fn who_sits_on_the_struck_node_is_hit_whatever_it_notices() {
        let online = |node: &str| What::Online { node: node.to_owned() };
        let times = times(&[
            (0, Some(1), online("a")),
            (0, Some(2), online("b")),
            (1, Some(1), shown()),
            (1, Some(2), shown()),
            (10, None, What::Fault { what: String::new(), node: Some("a".to_owned()) }),
            (80, Some(1), shown()),
            (20, Some(2), shown()),
        ]);
        assert_eq!((times.silences().count, times.silences().max), (1, 79));
    }

    #[test]
    fn quantiles_are_nearest_ranks() {
        let of = Quantiles::of((1..=200).collect());
        assert_eq!((of.p50, of.p99, of.max), (100, 198, 200));
        assert_eq!(Quantiles::of(Vec::new()), Quantiles::default());
    }
}
