//! Owns what is looked for and found in the search over everything that was said: what is at hand at once, what a server has
//! once it was asked. Knows no server and no screen.

use chat_protocol::{MessageId, RoomName, Seq};
use jiff::civil::DateTime;

use super::line::{Line, LineId};
use super::rooms::Room;

/// Messages that are kept of what was found.
const HITS_MAX: usize = 300;

/// The search, while it is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finder {
    pub(crate) query: String,
    pub(crate) scope: Scope,
    /// The newest first.
    pub(crate) hits: Vec<Hit>,
    /// A hit, or the row behind them all, which asks the server.
    pub(crate) chosen: usize,
    pub(crate) server: Server,
}

/// Where is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// In the room shown.
    Room,
    Everywhere,
}

/// What the server has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Server {
    NotAsked,
    Asked,
    /// It has more.
    GoesOn,
    /// That was all.
    Done,
    /// Why it did not look; safe to draw.
    Refused(String),
}

/// A message that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) room: RoomName,
    pub(crate) at: DateTime,
    /// Safe to draw, as is the text.
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In what was loaded.
    Here(LineId),
    /// In the log.
    There(Seq, MessageId),
}

impl Finder {
    pub(crate) fn new() -> Self {
        Self {
            query: String::new(),
            scope: Scope::Room,
            hits: Vec::new(),
            chosen: 0,
            server: Server::NotAsked,
        }
    }

    /// Rows that can be chosen.
    pub(crate) fn rows(&self) -> usize {
        self.hits.len() + 1
    }

    /// More was found. A chosen message stays chosen, wherever it stands by then; who waited behind them all comes to the
    /// first that is new.
    pub(crate) fn add(&mut self, more: Vec<Hit>) {
        let sought = self.hits.get(self.chosen).or(more.first()).cloned();
        self.hits.extend(more);
        self.hits.sort_by_key(|hit| std::cmp::Reverse(hit.at));
        self.hits.truncate(HITS_MAX);
        let found = sought.and_then(|sought| self.hits.iter().position(|hit| *hit == sought));
        self.chosen = found.unwrap_or(self.hits.len());
    }
}

/// What is looked for in the lines at hand: words and phrases, and whose. None: only a server understands it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Needle {
    words: Vec<String>,
    from: Option<String>,
}

impl Needle {
    pub(crate) fn of(query: &str) -> Option<Self> {
        let mut needle = Self { words: Vec::new(), from: None };
        // Every second piece between quotes is a phrase.
        for (number, piece) in query.split('"').enumerate() {
            if number % 2 == 1 {
                needle.words.push(piece.trim().to_lowercase());
                continue;
            }
            for word in piece.split_whitespace() {
                match word.split_once(':') {
                    Some(("from", name)) => needle.from = Some(name.trim_start_matches('@').to_lowercase()),
                    Some(("before" | "after" | "has", _)) => return None,
                    _ => needle.words.push(word.to_lowercase()),
                }
            }
        }
        needle.words.retain(|word| !word.is_empty());
        let is_empty = needle.words.is_empty() && needle.from.as_ref().is_none_or(String::is_empty);
        (!is_empty).then_some(needle)
    }

    fn finds(&self, line: &Line) -> bool {
        let Some(speech) = line.speech().filter(|speech| !speech.is_deleted()) else { return false };
        let is_from = |name: &String| speech.name.to_lowercase() == *name;
        self.from.as_ref().is_none_or(is_from) && self.words.iter().all(|word| holds(line.words(), word))
    }

    /// The newest messages of a room that it finds.
    pub(crate) fn found_in(&self, room: &Room) -> Vec<Hit> {
        let lines = room.history.newest_first().filter(|line| self.finds(line));
        let hit = |line: &Line| {
            let name = line.speech().map(|speech| speech.name.to_string()).unwrap_or_default();
            let text = line.words().replace('\n', " ");
            Hit { room: room.name.clone(), at: line.at, name, text, place: Place::Here(line.id) }
        };
        lines.take(HITS_MAX).map(hit).collect()
    }
}

/// Case does not count. Most texts are ASCII: those are looked through as they are, at each key that is pressed.
fn holds(text: &str, word: &str) -> bool {
    if text.is_ascii() && word.is_ascii() {
        return text.as_bytes().windows(word.len()).any(|piece| piece.eq_ignore_ascii_case(word.as_bytes()));
    }
    text.to_lowercase().contains(word)
}
