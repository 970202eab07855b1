//! Owns the judgement of one room: what its log held, as all viewings together show it, each viewing against that,
//! and all of it against what was said there.

use std::collections::{BTreeMap, HashMap, HashSet};

use chat_protocol::{Epoch, Seq};

use super::{Said, Verdict, Viewing};
use crate::record::Words;

type SaidHere<'a> = HashMap<Words, &'a Said>;

/// What a room's log held, life by life: the places of all who saw the end, and then those of programs that ended
/// before and agree with them.
struct Log {
    lives: HashMap<Epoch, BTreeMap<Seq, Words>>,
    /// The same the other way round.
    places: HashMap<(Epoch, Words), Seq>,
    /// What stands on the screen of somebody who saw the end.
    at_the_end: HashSet<Words>,
}

impl Log {
    fn of(viewings: &[Viewing]) -> Self {
        let mut log = Self { lives: HashMap::new(), places: HashMap::new(), at_the_end: HashSet::new() };
        // What was taken back from those who stayed stands on the screens of programs that had ended by then.
        let was_rewound = viewings.iter().any(|viewing| viewing.rewinds > 0);
        let (stayed, left): (Vec<&Viewing>, Vec<&Viewing>) =
            viewings.iter().partition(|viewing| viewing.stayed);
        for viewing in stayed.into_iter().chain(left.into_iter().filter(|_| !was_rewound)) {
            for shown in &viewing.shown {
                let Some(words) = shown.words else { continue };
                log.lives.entry(shown.life).or_default().entry(shown.seq).or_insert(words);
                log.places.entry((shown.life, words)).or_insert(shown.seq);
                if viewing.stayed {
                    log.at_the_end.insert(words);
                }
            }
        }
        log
    }

    /// One message stands at a place, and a message at one place.
    fn has(&self, life: Epoch, seq: Seq, words: Words) -> bool {
        let there = self.lives.get(&life).and_then(|life| life.get(&seq));
        there == Some(&words) && self.places.get(&(life, words)) == Some(&seq)
    }

    /// Places within a life that nobody was shown.
    fn holes(&self) -> u64 {
        let hole = |(one, next): (&Seq, &Seq)| next.0 - one.next().0;
        self.lives.values().flat_map(|life| life.keys().zip(life.keys().skip(1)).map(hole)).sum()
    }

    /// What stands in a life of the log above a place, up to another one.
    fn above(&self, life: Epoch, from: Seq, to: Option<Seq>) -> impl Iterator<Item = (Seq, Words)> {
        let entries = self.lives.get(&life).into_iter().flat_map(move |life| life.range(from.next()..));
        entries.map(|(seq, words)| (*seq, *words)).take_while(move |(seq, _)| to.is_none_or(|to| *seq <= to))
    }
}

pub(super) fn judge(room: u32, viewings: &[Viewing], said: &SaidHere<'_>, verdict: &mut Verdict) {
    let log = Log::of(viewings);
    let was_rewound = viewings.iter().any(|viewing| viewing.rewinds > 0);
    // A message that comes anew in another life of the log is a repeat for who had it: nobody may be shown it there.
    let was_reset = viewings.iter().any(|viewing| !viewing.gone.is_empty());
    let holes = if was_reset { 0 } else { log.holes() };
    verdict.counts.lost += holes;
    verdict.complain(holes, || format!("room {room}: {holes} places of its log were shown to nobody"));
    vanished(room, &log, said, verdict);
    for viewing in viewings {
        repeats_and_phantoms(room, viewing, said, verdict);
        if viewing.stayed || !was_rewound {
            disorder(room, viewing, &log, verdict);
            missing(room, viewing, &log, verdict);
        }
    }
}

/// Messages that were not refused, and that nobody has who saw the end.
fn vanished(room: u32, log: &Log, said: &SaidHere<'_>, verdict: &mut Verdict) {
    let is_away = |(words, said): &(&Words, &&Said)| !said.refused && !log.at_the_end.contains(words);
    let vanished: Vec<_> = said.iter().filter(is_away).collect();
    verdict.counts.vanished += vanished.len() as u64;
    let acked = vanished.iter().filter(|(_, said)| said.acked).count();
    verdict.complain(vanished.len() as u64, || {
        let first = vanished[0].0;
        format!("room {room}: {} messages vanished, {acked} of them acknowledged: {first:?}", vanished.len())
    });
}

fn repeats_and_phantoms(room: u32, viewing: &Viewing, said: &SaidHere<'_>, verdict: &mut Verdict) {
    let mut seen = HashSet::with_capacity(viewing.shown.len());
    let words = || viewing.shown.iter().filter_map(|shown| shown.words);
    let repeats = words().filter(|words| !seen.insert(*words)).count() as u64;
    let is_phantom =
        |words: &Option<Words>| words.and_then(|words| said.get(&words)).is_none_or(|said| said.refused);
    let phantoms = viewing.shown.iter().filter(|shown| is_phantom(&shown.words)).count() as u64;
    verdict.counts.duplicated += repeats;
    verdict.counts.phantoms += phantoms;
    let client = viewing.client;
    verdict.complain(repeats, || format!("room {room}, client {client}: {repeats} shown twice"));
    verdict.complain(phantoms, || {
        format!("room {room}, client {client}: {phantoms} shown that nobody said there")
    });
}

/// Entries at another place than others have them, or behind one of a higher place.
fn disorder(room: u32, viewing: &Viewing, log: &Log, verdict: &mut Verdict) {
    let is_elsewhere =
        |shown: &&super::Shown| shown.words.is_some_and(|words| !log.has(shown.life, shown.seq, words));
    let elsewhere = viewing.shown.iter().filter(is_elsewhere).count();
    let is_behind = |pair: &&[super::Shown]| pair[0].life == pair[1].life && pair[0].seq >= pair[1].seq;
    let behind = viewing.shown.windows(2).filter(is_behind).count();
    let disorder = elsewhere.max(behind) as u64;
    verdict.counts.reordered += disorder;
    let client = viewing.client;
    verdict.complain(disorder, || format!("room {room}, client {client}: {disorder} out of order"));
}

/// Entries that the viewing should have: in each life of the log that it was in, everything from where it came in to
/// where it went, or to the end. Who came into a life by a reset came in at its beginning.
fn missing(room: u32, viewing: &Viewing, log: &Log, verdict: &mut Verdict) {
    let Some((first_life, head)) = viewing.entered else { return };
    let shown: HashSet<Words> = viewing.shown.iter().filter_map(|shown| shown.words).collect();
    let mut lives = vec![(first_life, head)];
    lives.extend(viewing.shown.iter().map(|shown| (shown.life, Seq::START)));
    lives.extend(viewing.life.map(|life| (life, Seq::START)));
    let mut been = HashSet::new();
    lives.retain(|(life, _)| been.insert(*life));
    let (mut lost, mut gone, mut first) = (0, 0, None);
    for (life, from) in lives {
        // Where it left a life before the end, what it does not have behind its last entry it does not owe.
        let is_last = Some(life) == viewing.life;
        let own_end = viewing.shown.iter().filter(|shown| shown.life == life).map(|shown| shown.seq).max();
        let told = viewing.gone.iter().find(|(of, ..)| *of == life);
        let to =
            if (viewing.stayed && is_last) || told.is_some() { None } else { Some(own_end.unwrap_or(from)) };
        for (seq, words) in log.above(life, from, to).filter(|(_, words)| !shown.contains(words)) {
            let is_told = told.is_some_and(|(_, from, to)| *from <= seq && to.is_none_or(|to| seq <= to));
            if is_told {
                gone += 1;
            } else {
                lost += 1;
                first.get_or_insert((life, seq, words));
            }
        }
    }
    verdict.counts.gone += gone;
    verdict.counts.lost += lost;
    let client = viewing.client;
    verdict.complain(lost, || format!("room {room}, client {client}: {lost} lost, first {first:?}"));
}
