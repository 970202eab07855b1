//! Owns the judgement of one room: what its log held, as all viewings together show it, each viewing against that,
//! and all of it against what was said there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chat_protocol::{Epoch, Seq};

use super::{Said, Shown, Verdict, Viewing};
use crate::record::Words;

type SaidHere<'a> = HashMap<Words, &'a Said>;

/// A log keeps so many entries (docs/redis.md): in a shorter one none was ever dropped.
const LOG_ENTRIES_KEPT: Seq = Seq(10_000);

/// What a room's log held, life by life: the places of all who saw the end, and then those of programs that ended
/// before and agree with them.
struct Log {
    lives: HashMap<Epoch, BTreeMap<Seq, Words>>,
    /// The same the other way round.
    places: HashMap<(Epoch, Words), Seq>,
    /// What stands on the screen of somebody who saw the end.
    at_the_end: HashSet<Words>,
    /// The lowest place that anybody had to go back to.
    rewound: HashMap<Epoch, Seq>,
    /// Places at which anybody was shown anything.
    seen: HashMap<Epoch, BTreeSet<Seq>>,
}

impl Log {
    fn of(viewings: &[Viewing]) -> Self {
        let mut log = Self {
            lives: HashMap::new(),
            places: HashMap::new(),
            at_the_end: HashSet::new(),
            rewound: HashMap::new(),
            seen: HashMap::new(),
        };
        for (life, to) in viewings.iter().flat_map(|viewing| &viewing.rewinds) {
            let lowest = log.rewound.entry(*life).or_insert(*to);
            *lowest = (*lowest).min(*to);
        }
        let (stayed, left): (Vec<&Viewing>, Vec<&Viewing>) =
            viewings.iter().partition(|viewing| viewing.stayed);
        for viewing in stayed.into_iter().chain(left) {
            for shown in &viewing.shown {
                log.seen.entry(shown.life).or_default().insert(shown.seq);
                let Some(words) = shown.words.filter(|_| log.counts(viewing, shown)) else { continue };
                log.lives.entry(shown.life).or_default().entry(shown.seq).or_insert(words);
                log.places.entry((shown.life, words)).or_insert(shown.seq);
                if viewing.stayed {
                    log.at_the_end.insert(words);
                }
            }
        }
        log
    }

    /// How far a viewing can be judged in a life; none: to its end. What was taken back from those who stayed stands
    /// on the screens of programs that had ended by then.
    fn limit(&self, viewing: &Viewing, life: Epoch) -> Option<Seq> {
        self.rewound.get(&life).copied().filter(|_| !viewing.stayed)
    }

    /// An entry that has to be as the log has it.
    fn counts(&self, viewing: &Viewing, shown: &Shown) -> bool {
        self.limit(viewing, shown.life).is_none_or(|limit| shown.seq <= limit)
    }

    /// One message stands at a place, and a message at one place.
    fn has(&self, life: Epoch, seq: Seq, words: Words) -> bool {
        let there = self.lives.get(&life).and_then(|life| life.get(&seq));
        there == Some(&words) && self.places.get(&(life, words)) == Some(&seq)
    }

    /// Places within a life that nobody was shown.
    fn holes(&self) -> u64 {
        let of_life = |(life, places): (&Epoch, &BTreeMap<Seq, Words>)| {
            let hole = |(one, next): (&Seq, &Seq)| {
                let seen = self.seen.get(life).map_or(0, |seen| seen.range(one.next()..*next).count());
                next.0 - one.next().0 - seen as u64
            };
            places.keys().zip(places.keys().skip(1)).map(hole).sum::<u64>()
        };
        self.lives.iter().map(of_life).sum()
    }

    /// What stands in a life of the log above a place, up to another one.
    fn above(&self, life: Epoch, from: Seq, to: Option<Seq>) -> impl Iterator<Item = (Seq, Words)> {
        let entries = self.lives.get(&life).into_iter().flat_map(move |life| life.range(from.next()..));
        entries.map(|(seq, words)| (*seq, *words)).take_while(move |(seq, _)| to.is_none_or(|to| *seq <= to))
    }
}

pub(super) fn judge(room: u32, viewings: &[Viewing], said: &SaidHere<'_>, verdict: &mut Verdict) {
    let log = Log::of(viewings);
    // A message that comes anew in another life of the log is a repeat for who had it: nobody may be shown it there.
    let was_reset = viewings.iter().any(|viewing| !viewing.gone.is_empty());
    let holes = if was_reset { 0 } else { log.holes() };
    verdict.counts.lost += holes;
    verdict.complain(holes, || format!("room {room}: {holes} places of its log were shown to nobody"));
    vanished(room, &log, said, verdict);
    for viewing in viewings {
        repeats_and_phantoms(room, viewing, said, verdict);
        disorder(room, viewing, &log, verdict);
        missing(room, viewing, &log, verdict);
        untrue(room, viewing, viewings, verdict);
    }
}

/// Messages that were not refused, and that nobody has who saw the end.
fn vanished(room: u32, log: &Log, said: &SaidHere<'_>, verdict: &mut Verdict) {
    let is_away =
        |(words, said): &(&Words, &&Said)| !said.refused && !said.fleeting && !log.at_the_end.contains(words);
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
    let shown: Vec<&Shown> = viewing.shown.iter().filter(|shown| log.counts(viewing, shown)).collect();
    let is_elsewhere =
        |shown: &&&Shown| shown.words.is_some_and(|words| !log.has(shown.life, shown.seq, words));
    let elsewhere = shown.iter().filter(is_elsewhere).count();
    let is_behind = |pair: &&[&Shown]| pair[0].life == pair[1].life && pair[0].seq >= pair[1].seq;
    let behind = shown.windows(2).filter(is_behind).count();
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
        let told = || viewing.gone.iter().filter(|gone| gone.life == life);
        // A log that only lost its beginning was not left.
        let owes_all = (viewing.stayed && is_last) || told().any(|gone| gone.next != life);
        let own_end = (!owes_all).then(|| own_end.unwrap_or(from));
        let to = own_end.into_iter().chain(log.limit(viewing, life)).min();
        for (seq, words) in log.above(life, from, to).filter(|(_, words)| !shown.contains(words)) {
            if told().any(|gone| gone.holds(seq)) {
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

/// Entries that the viewing was told are gone, and that stand on the screen of somebody who never had to leave that
/// life of the log: it went on with them.
fn untrue(room: u32, viewing: &Viewing, viewings: &[Viewing], verdict: &mut Verdict) {
    let mut untrue = BTreeSet::new();
    for gone in &viewing.gone {
        let others = viewings.iter().filter(|other| stayed_in(other, gone.life));
        let shown = others.flat_map(|other| other.shown.iter().filter(|shown| shown.life == gone.life));
        let places: BTreeSet<Seq> = shown.map(|shown| shown.seq).collect();
        let may_be_dropped =
            gone.next == gone.life && places.last().is_some_and(|last| *last > LOG_ENTRIES_KEPT);
        if !may_be_dropped {
            untrue.extend(places.into_iter().filter(|seq| gone.holds(*seq)).map(|seq| (gone.life.0, seq)));
        }
    }
    let (count, client) = (untrue.len() as u64, viewing.client);
    verdict.counts.untrue += count;
    verdict.complain(count, || {
        let (life, seq) = untrue.first().expect("there are some");
        format!(
            "room {room}, client {client}: {count} told as gone that others kept, first {seq:?} of {life:x}"
        )
    });
}

fn stayed_in(viewing: &Viewing, life: Epoch) -> bool {
    let has_left = viewing.gone.iter().any(|gone| gone.life == life && gone.next != life);
    viewing.stayed && viewing.life == Some(life) && !has_left
}
