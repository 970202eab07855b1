//! Owns how a session searches: one search at a time, at a rate of its own, beside the session's other requests. A
//! search reads many pages of a log and waits between them, for a second or two where Redis is slow; who searches goes
//! on talking meanwhile.
//!
//! What one answer may cost is bounded three times: in entries, in messages found, and in time. Where it ends it says
//! where to go on, also where nothing was found yet.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{Epoch, ErrorCode, ErrorMessage, Payload, Re, RoomName, SearchFrom, Seq, limits};
use serde_json::value::RawValue;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::rate_limit::Rate;
use super::{Session, UNAVAILABLE_RETRY};
use crate::backbone::{BackboneError, Entry, Head, call};
use crate::hub::Hub;
use crate::hub::Joined;
use crate::outbox::Outbox;
use crate::search::{Edits, Query, Scan, Stopped};

/// Searches a second on average, and at once: five look through all that a log keeps.
const PER_SECOND: u32 = 1;
const BURST: u32 = 5;
/// Entries read at once. Looking through them is what a thread of the node does without a break.
const PAGE_ENTRIES: usize = 100;
/// After a page a search pauses for as long as the page took, and where several search for as many times as long, up to
/// this: all of a node's together have half of the time, or a quarter where they are many, however slow Redis is.
const PAUSE_TIMES_MAX: usize = 3;
/// No pause is shorter, and none longer.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(100);
/// After so long a search answers with what it has.
const SEARCH_MAX: Duration = Duration::from_secs(2);
/// When to ask again while another search of the connection is on its way.
const BUSY_RETRY: Duration = Duration::from_millis(100);

/// A search as it is asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) query: String,
    /// None: all rooms that were joined.
    pub(super) room: Option<RoomName>,
    pub(super) before: Option<Seq>,
    pub(super) from: Option<SearchFrom>,
    pub(super) limit: Option<usize>,
}

/// The searches of one connection.
pub(super) struct Searches {
    rate: Rate,
    /// At most one; it ends with the session.
    running: JoinSet<Option<Carried>>,
    /// Where the last one has stopped.
    carried: Option<Carried>,
    /// What was asked last at a plain terminal, where it can be gone on with.
    typed: Option<(String, RoomName)>,
}

/// What the next page of a search takes over from the one before: an edit stands behind what it changes, so it may have
/// been met there.
struct Carried {
    query: Query,
    next: SearchFrom,
    edits: Edits,
}

impl Searches {
    pub(super) fn new() -> Self {
        let rate = Rate::new(PER_SECOND, BURST);
        Self { rate, running: JoinSet::new(), carried: None, typed: None }
    }

    /// True while one is on its way.
    fn is_busy(&mut self) -> bool {
        while let Some(ended) = self.running.try_join_next() {
            // One that failed leaves nothing to go on with.
            self.carried = ended.ok().flatten();
        }
        !self.running.is_empty()
    }

    /// What is known of edits where this search goes on.
    fn edits(&mut self, query: &Query, from: Option<&SearchFrom>) -> Edits {
        let carried = self.carried.take();
        let same = |carried: &Carried| carried.query == *query && Some(&carried.next) == from;
        carried.filter(same).map(|carried| carried.edits).unwrap_or_default()
    }
}

impl Session {
    pub(super) async fn search(&mut self, asked: Asked, re: Option<Re>) {
        match self.accept(&asked) {
            Ok(query) => self.start_search(query, asked, re),
            Err(error) => self.refuse(ErrorMessage { re, ..error }),
        }
    }

    /// The query understood, unless there is a reason not to search.
    fn accept(&mut self, asked: &Asked) -> Result<Query, ErrorMessage> {
        let query = Query::parse(&asked.query)
            .map_err(|error| ErrorMessage::new(ErrorCode::BadQuery, error.to_string()))?;
        if let Some(room) = asked.room.as_ref().filter(|room| !self.may_search(room)) {
            let error =
                ErrorMessage::new(ErrorCode::NotInRoom, format!("room {room} was not joined: join it first"));
            return Err(ErrorMessage { room: Some(room.clone()), ..error });
        }
        if asked.room.is_none() && asked.before.is_some() {
            let reason = "before is a place in one room: name the room, or go on with from";
            return Err(ErrorMessage::new(ErrorCode::BadQuery, reason));
        }
        if asked.room.is_some()
            && asked.from.as_ref().is_some_and(|from| Some(&from.room) != asked.room.as_ref())
        {
            let reason = "from is a place in another room: leave room out to search in all rooms";
            return Err(ErrorMessage::new(ErrorCode::BadQuery, reason));
        }
        let wait = match self.searches.is_busy() {
            true => Some(BUSY_RETRY),
            false => self.searches.rate.take(Instant::now()),
        };
        match wait {
            Some(wait) => {
                let error = ErrorMessage::new(ErrorCode::RateLimited, "too many searches: ask again later");
                Err(ErrorMessage { retry_ms: Some(wait.as_millis() as u64 + 1), ..error })
            }
            None => Ok(query),
        }
    }

    fn may_search(&self, room: &RoomName) -> bool {
        !room.is_hidden() && self.rooms.contains(room)
    }

    fn start_search(&mut self, query: Query, asked: Asked, re: Option<Re>) {
        let edits = self.searches.edits(&query, asked.from.as_ref());
        let start = asked.from.as_ref().map(|from| from.before).or(asked.before);
        let mut places: VecDeque<_> = match (&asked.room, &asked.from) {
            (Some(room), _) => [(room.clone(), start)].into(),
            (None, from) => {
                let mut rooms: Vec<_> = self.rooms.all().into_iter().map(|handle| handle.room).collect();
                rooms.retain(|room| !room.is_hidden() && from.as_ref().is_none_or(|from| *room >= from.room));
                rooms.sort();
                rooms.into_iter().map(|room| (room, None)).collect()
            }
        };
        if let (Some(from), Some((room, before))) = (&asked.from, places.front_mut())
            && *room == from.room
        {
            *before = start;
        }
        let limit = asked.limit.unwrap_or(limits::SEARCH_FOUND_MAX);
        let (hub, outbox, rooms) = (self.hub.clone(), self.outbox.clone(), self.rooms.clone());
        let scan = Scan::new(query, limit, edits);
        let running = Running { hub, outbox, rooms, scan, places, one: asked.room, epoch: None, re };
        self.searches.running.spawn(running.run());
    }

    /// At a plain terminal: a query, or nothing to go on with the last one.
    pub(super) async fn search_typed(&mut self, query: &str) {
        let asked = match query {
            "" => self.searches.go_on(),
            query => {
                let room = self.current.clone().unwrap_or_else(RoomName::general);
                self.searches.typed = Some((query.to_owned(), room.clone()));
                Some(Asked { query: query.to_owned(), room: Some(room), ..Asked::default() })
            }
        };
        match asked {
            Some(asked) => self.search(asked, None).await,
            None => {
                let reason = "there is nothing to go on with: /search WORDS searches in this room";
                self.refuse(ErrorMessage::new(ErrorCode::BadQuery, reason));
            }
        }
    }
}

impl Searches {
    fn go_on(&mut self) -> Option<Asked> {
        let (query, room) = self.typed.clone()?;
        if self.is_busy() {
            // Asked again it is refused for that.
            return Some(Asked { query, room: Some(room), ..Asked::default() });
        }
        let from =
            self.carried.as_ref().map(|carried| carried.next.clone()).filter(|from| from.room == room)?;
        Some(Asked { query, room: Some(room), from: Some(from), ..Asked::default() })
    }
}

/// A search on its way.
struct Running {
    hub: Arc<Hub>,
    outbox: Arc<Outbox>,
    rooms: Arc<Joined>,
    scan: Scan,
    /// Where to look, in order; each from this place on, or from the head.
    places: VecDeque<(RoomName, Option<Seq>)>,
    /// The only room, where one was asked for.
    one: Option<RoomName>,
    /// The life of the log of the room looked at last.
    epoch: Option<Epoch>,
    re: Option<Re>,
}

impl Running {
    /// Searches and answers. What a search that goes on from there takes over.
    async fn run(mut self) -> Option<Carried> {
        let hub = self.hub.clone();
        let until = Instant::now() + SEARCH_MAX;
        // Who finds no place in time has looked at nothing, and is told where to go on: here.
        let _searching = timeout_at(until, hub.search_places.acquire()).await;
        let mut next = None;
        while let Some((room, before)) = self.places.pop_front() {
            self.epoch = None;
            match self.look_through(&room, before, until).await {
                Ok(None) => self.scan.next_room(),
                Ok(Some(before)) => {
                    next = Some(SearchFrom { room, before });
                    break;
                }
                Err(error) => {
                    self.fail(room, &error);
                    return None;
                }
            }
        }
        let (query, edits, found) = self.scan.done();
        let Self { outbox, one, epoch, re, .. } = self;
        let epoch = epoch.filter(|_| one.is_some());
        outbox.push(answer(one, epoch, &found, next.as_ref(), re));
        next.map(|next| Carried { query, next, edits })
    }

    /// Looks through a room's log; where to go on, if not all of it was looked at.
    async fn look_through(
        &mut self,
        room: &RoomName,
        mut before: Option<Seq>,
        until: Instant,
    ) -> Result<Option<Seq>, BackboneError> {
        let hub = self.hub.clone();
        loop {
            // One that was left meanwhile is none of this user's any more.
            if !self.rooms.contains(room) {
                return Ok(None);
            }
            let left = self.scan.entries_left();
            if left == 0 || Instant::now() >= until {
                return Ok(Some(before.unwrap_or(Seq(limits::NUMBER_MAX))));
            }
            let turn = hub.search_turn.acquire().await;
            let begun = Instant::now();
            let page = call(hub.backbone.history(room, before, left.min(PAGE_ENTRIES))).await?;
            let Some((head, entries)) = page else { return Ok(None) };
            if self.epoch.replace(head.place.epoch).is_some_and(|epoch| epoch != head.place.epoch) {
                // Places count anew: what the new life holds is looked at from its head.
                return Ok(Some(Seq(limits::NUMBER_MAX)));
            }
            match self.page(room, &head, &entries) {
                Next::Room => return Ok(None),
                Next::Answer(seq) => return Ok(Some(seq)),
                Next::Page(seq) => before = Some(seq),
            }
            let times = hub.searching().clamp(1, PAUSE_TIMES_MAX) as u32;
            sleep((begun.elapsed() * times).clamp(PAUSE_MIN, PAUSE_MAX)).await;
            drop(turn);
        }
    }

    fn page(&mut self, room: &RoomName, head: &Head, entries: &[Arc<Entry>]) -> Next {
        let stopped = self.scan.page(room, entries);
        let Some(oldest) = entries.first().map(|entry| entry.seq) else { return Next::Room };
        match stopped {
            Stopped::Past => Next::Room,
            Stopped::Full(seq) if seq > head.first => Next::Answer(seq),
            // The last one there is was the last one to be found.
            Stopped::Full(_) if self.places.is_empty() => Next::Room,
            Stopped::Full(seq) => Next::Answer(seq),
            Stopped::Through if oldest <= head.first => Next::Room,
            Stopped::Through => Next::Page(oldest),
        }
    }

    fn fail(self, room: RoomName, error: &BackboneError) {
        self.hub.backbone_failed();
        let (room, retry_ms) = (Some(room), Some(UNAVAILABLE_RETRY.as_millis() as u64));
        let error = ErrorMessage::new(ErrorCode::Unavailable, error.to_string());
        let error = ErrorMessage { room, retry_ms, re: self.re, ..error };
        self.outbox.say(&chat_protocol::ServerMessage::Error(error));
    }
}

/// Where a search goes from a page.
enum Next {
    /// To the page before this place.
    Page(Seq),
    /// The room was looked through.
    Room,
    /// Back to who has asked.
    Answer(Seq),
}

fn answer(
    room: Option<RoomName>,
    epoch: Option<Epoch>,
    found: &[Payload],
    next: Option<&SearchFrom>,
    re: Option<Re>,
) -> Payload {
    #[derive(serde::Serialize)]
    struct Answer<'a> {
        r#type: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<RoomName>,
        #[serde(skip_serializing_if = "Option::is_none")]
        epoch: Option<Epoch>,
        messages: Vec<&'a RawValue>,
        more: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<&'a SearchFrom>,
        #[serde(skip_serializing_if = "Option::is_none")]
        re: Option<Re>,
    }
    let messages = found.iter().filter_map(|message| serde_json::from_slice(message.json()).ok()).collect();
    Payload::of(&Answer { r#type: "search", room, epoch, messages, more: next.is_some(), next, re })
}
