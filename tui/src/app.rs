//! Owns the whole model of the front, as plain data: `update` changes it, the view reads it. Knows no terminal, no
//! socket and no clock.

pub(crate) mod about;
pub(crate) mod bare;
pub(crate) mod changes;
pub(crate) mod composer;
pub(crate) mod finder;
pub(crate) mod flow;
pub(crate) mod history;
pub(crate) mod layout;
pub(crate) mod line;
pub(crate) mod link;
pub(crate) mod markup;
pub(crate) mod panes;
pub(crate) mod rooms;
pub(crate) mod search;
pub(crate) mod text;
mod throbber;
pub(crate) mod typing;

use std::collections::BTreeMap;
use std::time::Duration;

use chat_protocol::{RoomName, UserId};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::event::Now;
use crate::glyphs::Glyphs;
use crate::net::event::{Moment, OutId};
use crate::settings::Settings;
use crate::state::front::SavedFront;
use crate::theme::Theme;
use about::{About, Deed};
use bare::Bare;
use composer::Composer;
use finder::Finder;
use flow::Columns;
use line::{LineId, Said};
use link::Link;
use panes::{Area, Areas, Needs, Panes};
use rooms::Rooms;
use search::Search;

/// How long a hint stands above the composer.
pub(crate) const HINT_SHOWN: Duration = Duration::from_secs(6);
/// How long a check mark stands behind a message of ours.
pub(crate) const ACK_SHOWN: Duration = Duration::from_secs(5);

/// The whole model.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) me: Me,
    pub(crate) rooms: Rooms,
    pub(crate) composer: Composer,
    /// A room of two that was asked for and is not open yet.
    pub(crate) opening: Option<Opening>,
    pub(crate) link: Link,
    pub(crate) popup: Option<Popup>,
    pub(crate) panes: Panes,
    /// Columns and rows of the terminal.
    pub(crate) size: (u16, u16),
    pub(crate) now: Moment,
    pub(crate) wall: Timestamp,
    pub(crate) zone: TimeZone,
    pub(crate) settings: Settings,
    /// The theme that holds, in the terminal's colours.
    pub(crate) theme: Theme,
    pub(crate) glyphs: &'static Glyphs,
    /// The terminal has the keyboard; so it is taken for granted of one that does not say.
    pub(crate) focused: bool,
    /// When the user was last told of a message.
    pub(crate) notified: Option<Moment>,
    /// The demo's commands exist.
    pub(crate) demo: bool,
    pub(crate) hint: Option<Hint>,
    /// Ctrl-C was pressed then; once more quits.
    pub(crate) interrupted: Option<Moment>,
    /// Esc was pressed then; the next key is an Alt-key.
    pub(crate) escaped: Option<Moment>,
    pub(crate) completion: Option<Completion>,
    /// The message chosen in the room shown, for what can be done with one.
    pub(crate) chosen: Option<LineId>,
    /// The message that what is being written is about.
    pub(crate) about: Option<About>,
    /// Answers to `nodes` that a person waits for; others only feed the panel.
    pub(crate) nodes_asked: usize,
    pub(crate) search: Search,
    /// The messages are shown without anything beside them.
    pub(crate) bare: Option<Bare>,
    next_out: u64,
}

/// Who we are.
#[derive(Debug, Default)]
pub(crate) struct Me {
    pub(crate) id: Option<UserId>,
    /// Safe to draw; what was asked for until the server says otherwise.
    pub(crate) name: String,
    /// Why we are away; safe to draw.
    pub(crate) away: Option<String>,
    /// Whom we ignore, with names safe to draw.
    pub(crate) ignored: BTreeMap<UserId, String>,
}

/// A room of two that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opening {
    /// With whom.
    pub(crate) to: String,
    /// What is to be said there.
    pub(crate) text: Option<String>,
}

/// A word of the program's to its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hint {
    pub(crate) text: String,
    pub(crate) until: Moment,
}

/// What lies over everything and takes the keys first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Popup {
    /// Keys and commands, from this row on.
    Help { from: usize },
    /// Rooms that match what is typed, one of them chosen.
    Switcher { query: String, chosen: usize },
    /// What was written before and holds what is typed, one of it chosen.
    Recall { query: String, chosen: usize },
    /// Are so many lines really to be sent?
    ConfirmSend { lines: usize },
    /// Is a message really to be taken back?
    ConfirmDelete(About),
    /// Where the links of a message lead, one of them chosen.
    Links { addresses: Vec<String>, chosen: usize },
    /// The search over everything that was said.
    Find(Finder),
}

impl Popup {
    /// It is about something in the room shown.
    pub(crate) fn is_of_room(&self) -> bool {
        matches!(self, Self::ConfirmSend { .. } | Self::ConfirmDelete(_) | Self::Links { .. })
    }
}

/// A completion that the next Tab goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Completion {
    /// Where the completed word begins, in bytes.
    pub(crate) start: usize,
    pub(crate) options: Vec<String>,
    pub(crate) index: usize,
    /// The text and the cursor behind it: only where they are still so it goes on.
    pub(crate) left: (String, usize),
}

/// What the model starts from.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) name: Option<String>,
    pub(crate) rooms: Vec<RoomName>,
    pub(crate) settings: Settings,
    pub(crate) demo: bool,
    pub(crate) size: (u16, u16),
    pub(crate) zone: TimeZone,
    pub(crate) now: Now,
    /// What the last run left.
    pub(crate) saved: SavedFront,
}

impl App {
    /// A model that has heard nothing yet.
    pub(crate) fn new(setup: Setup) -> Self {
        let SavedFront { written, rooms: kept, order } = setup.saved;
        let (mut rooms, mut composer) = (Rooms::default(), Composer::default());
        rooms.restore(kept, order);
        for room in &setup.rooms {
            rooms.find_or_add(room);
        }
        composer.recall.restore(&written);
        if let Some(room) = rooms.current_mut() {
            composer.set(&std::mem::take(&mut room.draft));
        }
        Self {
            me: Me { name: text::clean_line(setup.name.as_deref().unwrap_or("you")), ..Me::default() },
            opening: None,
            rooms,
            composer,
            link: Link::default(),
            popup: None,
            panes: setup.settings.panes(),
            size: setup.size,
            now: setup.now.moment,
            wall: setup.now.wall,
            zone: setup.zone,
            glyphs: setup.settings.glyphs(),
            theme: setup.settings.look(&setup.settings.theme).unwrap_or_default(),
            focused: true,
            notified: None,
            settings: setup.settings,
            demo: setup.demo,
            hint: None,
            interrupted: None,
            escaped: None,
            completion: None,
            chosen: None,
            about: None,
            nodes_asked: 0,
            search: Search::default(),
            bare: None,
            next_out: 0,
        }
    }

    /// What the next run is to start with.
    pub(crate) fn keep(&self) -> SavedFront {
        let (mut rooms, order) = self.rooms.keep();
        // A message that is being changed is no draft of another one; what was being written before is.
        let draft = match &self.about {
            Some(About { deed: Deed::Edit, draft, .. }) => draft,
            _ => self.composer.text(),
        };
        if let Some(room) = self.rooms.current().filter(|_| !draft.is_empty()) {
            draft.clone_into(&mut rooms.entry(room.name.clone()).or_default().draft);
        }
        SavedFront { written: self.composer.recall.texts().to_vec(), rooms, order }
    }

    /// A name for the next message written here.
    pub(crate) fn next_out(&mut self) -> OutId {
        self.next_out += 1;
        OutId(self.next_out)
    }

    /// What stands before the text being written.
    pub(crate) fn prompt(&self) -> String {
        let room_for = usize::from(self.size.0 / 4).saturating_sub(3).max(3);
        let words = match &self.about {
            Some(About { deed: Deed::Edit, .. }) => "edit".to_owned(),
            Some(About { deed: Deed::Reply, name, .. }) => format!("{} {name}", self.glyphs.to),
            _ if self.me.away.is_some() => format!("{} (away)", self.me.name),
            _ => self.me.name.clone(),
        };
        format!("[{}] ", text::ellipsis(&words, room_for, self.glyphs.more))
    }

    /// Cells of a row of the composer.
    pub(crate) fn composer_cells(&self) -> u16 {
        let prompt = u16::try_from(text::width(&self.prompt())).unwrap_or(u16::MAX);
        // One cell is the cursor's behind the last letter.
        self.size.0.saturating_sub(prompt.saturating_add(1)).max(2)
    }

    /// Where everything stands.
    pub(crate) fn areas(&self) -> Areas {
        Areas::of(self.size, self.panes, self.needs())
    }

    fn needs(&self) -> Needs {
        Needs {
            composer: self.composer.rows(self.composer_cells()).len(),
            scrolled: self.rooms.current().is_some_and(|room| room.history.anchor.is_some()),
            hint: self.shown_hint().is_some(),
        }
    }

    /// The columns of the messages pane as it is once the reader has scrolled: the row that says so is gone.
    pub(crate) fn scrolled_columns(&self) -> Columns {
        let needs = Needs { scrolled: true, ..self.needs() };
        let messages = Areas::of(self.size, self.panes, needs).messages;
        self.columns(messages)
    }

    /// The room whose line in the pane is at a cell of the screen.
    pub(crate) fn room_at(&self, x: u16, y: u16) -> Option<usize> {
        let area = self.areas().rooms;
        let is_inside =
            (area.x..area.x + area.width).contains(&x) && (area.y + 1..area.y + area.height).contains(&y);
        let row = usize::from(y.checked_sub(area.y + 1)?);
        let index = self.rooms.first_shown(usize::from(area.height.saturating_sub(1))) + row;
        Some(index).filter(|index| is_inside && *index < self.rooms.len())
    }

    /// The columns of a backlog in an area.
    pub(crate) fn columns(&self, area: Area) -> Columns {
        Columns::of(area.width, area.height)
            .with_time(self.settings.time.cells())
            .in_words(self.settings.accessible)
    }

    /// Local time of a moment on the wall clock.
    pub(crate) fn local(&self, at: Timestamp) -> DateTime {
        at.to_zoned(self.zone.clone()).datetime()
    }

    pub(crate) fn local_now(&self) -> DateTime {
        self.local(self.wall)
    }

    /// Says something to the user above the composer.
    pub(crate) fn hint(&mut self, text: impl Into<String>) {
        self.hint = Some(Hint { text: text.into(), until: self.now + HINT_SHOWN });
    }

    /// The hint that is due.
    pub(crate) fn shown_hint(&self) -> Option<&str> {
        self.hint.as_ref().filter(|hint| self.now < hint.until).map(|hint| hint.text.as_str())
    }

    /// Puts lines of the program's own into the room shown, or the first there is.
    pub(crate) fn say_here(&mut self, said: &Said, lines: impl IntoIterator<Item = String>) {
        let at = self.local_now();
        let lines: Vec<String> = lines.into_iter().collect();
        match self.rooms.current_mut() {
            Some(room) => {
                for line in lines {
                    room.history.push(None, at, said.clone(), line);
                }
            }
            None => self.hint(lines.join(" ")),
        }
    }

    /// When the screen changes by itself: the only reason for a timer.
    pub(crate) fn next_change(&self) -> Option<Moment> {
        if self.settings.accessible {
            // Whoever hears the screen is told by keys and by what happens, never by a clock.
            return None;
        }
        let hint = self.hint.as_ref().map(|hint| hint.until).filter(|until| *until > self.now);
        let acked = self.rooms.current().and_then(|room| room.history.newest_ack());
        let acked = acked.map(|at| at + ACK_SHOWN).filter(|until| *until > self.now);
        let typing = self.rooms.current().and_then(|room| room.typing.next_change(self.now));
        [hint, acked, typing, self.next_turn(), self.link.next_change(self.now)].into_iter().flatten().min()
    }
}
