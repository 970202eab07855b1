//! Owns the judgement of one room: every viewing of it against the longest one, and all of them against what
//! was said there.

use std::collections::{HashMap, HashSet};

use chat_protocol::Seq;

use super::{Said, Shown, Verdict, Viewing};
use crate::record::Words;

/// A room's order as the viewing that has the most shows it.
struct Order {
    words: Vec<Words>,
    /// Where each stands, and in which life of the log, counted from the last one.
    place: HashMap<Words, (usize, usize)>,
}

impl Order {
    fn of(viewings: &[Viewing]) -> Self {
        let longest = viewings.iter().max_by_key(|viewing| (viewing.stayed, viewing.shown.len()));
        let shown = || {
            longest.into_iter().flat_map(|viewing| viewing.shown.iter().map(move |shown| (viewing, shown)))
        };
        let words = shown().map(|(_, shown)| shown.words).collect();
        let place =
            shown().enumerate().map(|(place, (viewing, shown))| (shown.words, (place, viewing.age(shown))));
        Self { words, place: place.collect() }
    }

    fn place(&self, words: Words) -> Option<usize> {
        self.place.get(&words).map(|(place, _)| *place)
    }
}

impl Viewing {
    /// How many lives of the log followed the one in which an entry was shown.
    fn age(&self, shown: &Shown) -> usize {
        self.gone.len() - shown.life
    }
}

pub(super) fn judge(room: u32, viewings: &[Viewing], said: &HashMap<Words, Said>, verdict: &mut Verdict) {
    let order = Order::of(viewings);
    let here: HashMap<Words, &Said> =
        said.iter().filter(|(_, said)| said.room == room).map(|(words, said)| (*words, said)).collect();
    vanished(room, viewings, &here, verdict);
    for viewing in viewings {
        repeats_and_phantoms(room, viewing, &here, verdict);
        disorder(room, viewing, &order, verdict);
        missing(room, viewing, &order, &here, verdict);
    }
}

/// Messages that were not refused and that nobody was shown.
fn vanished(room: u32, viewings: &[Viewing], said: &HashMap<Words, &Said>, verdict: &mut Verdict) {
    let shown: HashSet<Words> =
        viewings.iter().flat_map(|viewing| viewing.shown.iter().map(|shown| shown.words)).collect();
    let vanished: Vec<_> =
        said.iter().filter(|(words, said)| !said.refused && !shown.contains(words)).collect();
    verdict.counts.vanished += vanished.len() as u64;
    let acked = vanished.iter().filter(|(_, said)| said.acked).count();
    verdict.complain(vanished.len() as u64, || {
        let first = vanished[0].0;
        format!("room {room}: {} messages vanished, {acked} of them acknowledged: {first:?}", vanished.len())
    });
}

fn repeats_and_phantoms(room: u32, viewing: &Viewing, said: &HashMap<Words, &Said>, verdict: &mut Verdict) {
    let mut seen = HashSet::with_capacity(viewing.shown.len());
    let repeats = viewing.shown.iter().filter(|shown| !seen.insert(shown.words)).count() as u64;
    let is_phantom = |words: &&Words| said.get(words).is_none_or(|said| said.refused);
    let phantoms = seen.iter().filter(is_phantom).count() as u64;
    verdict.counts.duplicated += repeats;
    verdict.counts.phantoms += phantoms;
    let client = viewing.client;
    verdict.complain(repeats, || format!("room {room}, client {client}: {repeats} shown twice"));
    verdict.complain(phantoms, || {
        format!("room {room}, client {client}: {phantoms} shown that nobody said there")
    });
}

/// Entries behind one that follows them, by their places or by the room's order. A message that a log lost comes anew
/// in the next life of the log: who saw it before has it there, who did not has it where it came anew. Both were told.
fn disorder(room: u32, viewing: &Viewing, order: &Order, verdict: &mut Verdict) {
    let at = |index: usize| (viewing.shown[index].life, viewing.shown[index].seq);
    let by_place = (1..viewing.shown.len()).filter(|index| at(index - 1) >= at(*index)).count();
    let in_the_same_life = |shown: &Shown| {
        let (place, age) = *order.place.get(&shown.words)?;
        (age == viewing.age(shown)).then_some(place)
    };
    let places: Vec<usize> = viewing.shown.iter().filter_map(in_the_same_life).collect();
    let by_order = places.windows(2).filter(|pair| pair[0] >= pair[1]).count();
    let disorder = by_place.max(by_order) as u64;
    verdict.counts.reordered += disorder;
    let client = viewing.client;
    verdict.complain(disorder, || format!("room {room}, client {client}: {disorder} out of order"));
}

/// Entries that the viewing should have: from its first one to its last, everything of the room's order; what was
/// said after it entered; and, where it saw the run to its end, everything to the end.
fn missing(room: u32, viewing: &Viewing, order: &Order, said: &HashMap<Words, &Said>, verdict: &mut Verdict) {
    let Some((entered, head)) = viewing.entered else { return };
    let shown: HashSet<Words> = viewing.shown.iter().map(|shown| shown.words).collect();
    let places = || viewing.shown.iter().filter_map(|shown| order.place(shown.words));
    let first = places().min().unwrap_or(order.words.len());
    let end = if viewing.stayed { order.words.len() } else { places().max().map_or(0, |last| last + 1) };
    let was_there =
        |index: usize, words: &Words| index >= first || said.get(words).is_some_and(|said| said.at > entered);
    let missing: Vec<Words> = (0..end)
        .map(|index| (index, order.words[index]))
        .filter(|(index, words)| was_there(*index, words) && !shown.contains(words))
        .map(|(_, words)| words)
        .collect();
    let hole = hole_at_the_beginning(viewing, head);
    let (missed, told) = (missing.len() as u64 + hole, told(viewing));
    verdict.counts.gone += missed.min(told);
    let lost = missed.saturating_sub(told);
    verdict.counts.lost += lost;
    let client = viewing.client;
    verdict.complain(lost, || {
        format!(
            "room {room}, client {client}: {lost} lost, {hole} of them behind its head: {:?}",
            missing.first()
        )
    });
}

/// Places between the head at which it entered and the first entry it was shown.
fn hole_at_the_beginning(viewing: &Viewing, head: Seq) -> u64 {
    let undisturbed = viewing.rewinds == 0 && viewing.gone.is_empty();
    let first = viewing.shown.first().filter(|_| undisturbed);
    first.map_or(0, |first| first.seq.0.saturating_sub(head.next().0))
}

/// How many entries the client was told are gone.
fn told(viewing: &Viewing) -> u64 {
    let range = |(from, to): &(Seq, Option<Seq>)| match to {
        Some(to) => to.next().0.saturating_sub(from.0),
        None => u64::MAX,
    };
    viewing.gone.iter().map(range).fold(0, u64::saturating_add)
}
