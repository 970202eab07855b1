//! Owns what was said before, while it is gathered page by page from the newest on, and holds back what happens
//! meanwhile: nothing is shown before what came earlier. Neither grows for ever. Pure.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use chat_protocol::{RoomMessage, RoomName, Seq, limits};
use jiff::Timestamp;

use crate::net::event::{Moment, NetCommand, NetEvent, Origin};

/// When a page that did not come is asked for again: a link that is lost forgets what was asked.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Most entries that are gathered, and most that are held back meanwhile, of all rooms together.
const ENTRIES_MAX: usize = 100_000;
/// When one that could not be had now is.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What was said in some rooms since a time.
#[derive(Debug)]
pub(super) struct Past {
    rooms: BTreeMap<RoomName, Part>,
    most: usize,
    /// How many were gathered and let go; none while there is room for all that is wanted.
    left_out: Option<usize>,
}

/// One room's.
#[derive(Debug)]
struct Part {
    since: Timestamp,
    /// Oldest first.
    messages: VecDeque<RoomMessage>,
    /// What has happened since the room was entered.
    meanwhile: Vec<NetEvent>,
    stage: Stage,
}

/// A page of a log, oldest first, and whether there are older entries.
struct Page {
    messages: Vec<RoomMessage>,
    more: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// The room is not entered yet.
    Outside,
    /// What stands before this place was asked for; at that moment it is asked for again.
    Asking {
        before: Seq,
        again_at: Moment,
    },
    Whole,
}

impl Past {
    pub(super) fn new(since: Timestamp, rooms: &[RoomName]) -> Self {
        let part = || Part { since, messages: VecDeque::new(), meanwhile: Vec::new(), stage: Stage::Outside };
        let rooms = rooms.iter().map(|room| (room.clone(), part())).collect();
        Self { rooms, most: ENTRIES_MAX, left_out: None }
    }

    /// True when there is nothing older that is wanted.
    pub(super) fn is_whole(&self) -> bool {
        self.rooms.values().all(|part| part.stage == Stage::Whole)
    }

    /// What of it will not be shown, for people.
    pub(super) fn told(&self) -> Option<String> {
        let (count, most) = (self.left_out?, self.most);
        Some(format!(
            "-- older messages are left out ({count} that had come): a tail begins with {most} at most; begin later \
             with --since"
        ))
    }

    /// Takes in what happened in a room; gives what to ask for.
    pub(super) fn event(&mut self, now: Moment, event: NetEvent) -> Option<NetCommand> {
        let asked = self.take(now, event);
        let cut = self.limit();
        asked.filter(|command| !matches!(command, NetCommand::History { room, .. } if cut.contains(room)))
    }

    fn take(&mut self, now: Moment, event: NetEvent) -> Option<NetCommand> {
        match event {
            NetEvent::Joined { room, head, .. } => {
                let part = self.rooms.get_mut(&room).filter(|part| part.stage == Stage::Outside)?;
                Some(part.ask(now, room, head.next()))
            }
            NetEvent::History { room, messages, more } => {
                self.rooms.get_mut(&room)?.page(now, room, Page { messages, more })
            }
            NetEvent::Entry { ref message, .. } => {
                let part = self.rooms.get_mut(&message.room)?;
                part.meanwhile.push(event);
                None
            }
            NetEvent::Rewound { room, to } => {
                self.rooms.get_mut(&room)?.rewind(to);
                None
            }
            NetEvent::Reset { ref room, .. } => {
                let part = self.rooms.get_mut(room)?;
                // What was older went with its log.
                part.stage = Stage::Whole;
                part.meanwhile.push(event);
                None
            }
            _ => None,
        }
    }

    /// Lets go of the oldest beyond the most, and gives the rooms of these: what is older there is not wanted any more.
    /// Where too much happens meanwhile, what was gathered has to do.
    fn limit(&mut self) -> BTreeSet<RoomName> {
        let mut cut = BTreeSet::new();
        let gathered: usize = self.rooms.values().map(|part| part.messages.len()).sum();
        for _ in self.most..gathered {
            let Some((room, part)) = earliest(self.rooms.iter_mut()) else { break };
            part.messages.pop_front();
            part.stage = Stage::Whole;
            if !cut.contains(room) {
                cut.insert(room.clone());
            }
            *self.left_out.get_or_insert_default() += 1;
        }
        let held: usize = self.rooms.values().map(|part| part.meanwhile.len()).sum();
        if held > self.most {
            for (room, part) in self.rooms.iter_mut().filter(|(_, part)| part.stage != Stage::Whole) {
                part.stage = Stage::Whole;
                cut.insert(room.clone());
                self.left_out.get_or_insert_default();
            }
        }
        cut
    }

    /// When [`Self::ask_again`] is due.
    pub(super) fn deadline(&self) -> Option<Moment> {
        let due = |part: &Part| match part.stage {
            Stage::Asking { again_at, .. } => Some(again_at),
            Stage::Outside | Stage::Whole => None,
        };
        self.rooms.values().filter_map(due).min()
    }

    /// Asks for what did not come.
    pub(super) fn ask_again(&mut self, now: Moment) -> Vec<NetCommand> {
        let ask = |(room, part): (&RoomName, &mut Part)| match part.stage {
            Stage::Asking { before, again_at } if again_at <= now => {
                Some(part.ask(now, room.clone(), before))
            }
            _ => None,
        };
        self.rooms.iter_mut().filter_map(ask).collect()
    }

    /// All of it as it is to be shown: what was said in the order of time, as far as each room's own order allows, then
    /// what happened meanwhile.
    pub(super) fn into_events(self) -> Vec<NetEvent> {
        let mut rooms = self.rooms;
        let mut events = Vec::new();
        while let Some((_, part)) = earliest(rooms.iter_mut()) {
            let message = part.messages.pop_front();
            events.extend(message.map(|message| NetEvent::Entry {
                message,
                out: None,
                origin: Origin::Replayed,
            }));
        }
        events.extend(rooms.into_values().flat_map(|part| part.meanwhile));
        events
    }
}

/// The room whose first message, of those that are left, was said first.
fn earliest<'a>(
    rooms: impl Iterator<Item = (&'a RoomName, &'a mut Part)>,
) -> Option<(&'a RoomName, &'a mut Part)> {
    rooms
        .filter(|(_, part)| !part.messages.is_empty())
        .min_by(|(_, one), (_, other)| one.first_said().cmp(&other.first_said()))
}

impl Part {
    fn first_said(&self) -> Option<&str> {
        self.messages.front().map(|message| message.body.timestamp.as_str())
    }

    fn ask(&mut self, now: Moment, room: RoomName, before: Seq) -> NetCommand {
        self.stage = Stage::Asking { before, again_at: now + ANSWER_MAX };
        NetCommand::History { room, before: Some(before), limit: limits::HISTORY_ENTRIES_MAX }
    }

    fn page(&mut self, now: Moment, room: RoomName, page: Page) -> Option<NetCommand> {
        let Page { mut messages, more } = page;
        let Stage::Asking { before, again_at } = &mut self.stage else { return None };
        // A page that was asked for twice, or that a rewind was quicker than.
        messages.retain(|message| message.seq < *before);
        let Some(oldest) = messages.first() else {
            if more {
                *again_at = now + AGAIN_AFTER;
            } else {
                self.stage = Stage::Whole;
            }
            return None;
        };
        let (oldest, is_enough) = (oldest.seq, is_before(oldest, self.since));
        messages.into_iter().rev().for_each(|message| self.messages.push_front(message));
        if is_enough || !more {
            while self.messages.front().is_some_and(|message| is_before(message, self.since)) {
                self.messages.pop_front();
            }
            self.stage = Stage::Whole;
            return None;
        }
        Some(self.ask(now, room, oldest))
    }

    /// What stood above comes again, as entries, where it still stands.
    fn rewind(&mut self, to: Seq) {
        let reset = self.meanwhile.iter().rposition(|event| matches!(event, NetEvent::Reset { .. }));
        let kept = reset.map_or(0, |at| at + 1);
        let mut behind = self.meanwhile.split_off(kept);
        behind.retain(|event| matches!(event, NetEvent::Entry { message, .. } if message.seq <= to));
        self.meanwhile.extend(behind);
        if reset.is_none() {
            self.messages.retain(|message| message.seq <= to);
            if let Stage::Asking { before, .. } = &mut self.stage {
                *before = to.next().min(*before);
            }
        }
    }
}

/// A time that cannot be read is one that is wanted: nothing is kept back for it.
fn is_before(message: &RoomMessage, since: Timestamp) -> bool {
    message.body.timestamp.parse::<Timestamp>().is_ok_and(|said| said < since)
}

#[cfg(test)]
mod tests;
