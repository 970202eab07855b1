//! The backlog of the room shown, drawn from its bottom row up, so that a frame costs what is seen and not what
//! there is.
//!
//! ```text
//! #general  release day                          12 users
//! ──────────────── Tue 12 Aug ────────────────
//! 10:02 alice  rolling node-2 in five
//!              fine, go
//! ──────────────── 3 new ─────────────────────
//! 10:04 carol  │ alice: rolling node-2 in five
//!              you: check the graph (edited)
//! 10:04 carol  message deleted
//! 10:05 ~~ node-2 → node-3 · 1.24s · 37 recovered · 0 lost
//! 10:06 you    still here?                               ✓
//! 10:06 you    second one                         … queued
//! ```

use ratatui::style::Style;

use super::Canvas;
use crate::app::flow::{self, Block, Columns};
use crate::app::layout::{LaidRow, Layout};
use crate::app::line::{Line, Mark, Said, Speech};
use crate::app::markup::{Face, Lead};
use crate::app::panes::Area;
use crate::app::rooms::Room;
use crate::app::{ACK_SHOWN, text};
use crate::keymap::Action;
use crate::net::event::LinkState;
use crate::theme::{Role, Theme};

/// The room's name, what it is about, how many are in it.
pub(super) fn draw_title(canvas: &mut Canvas<'_>, area: Area) {
    let app = canvas.app;
    let Some(room) = app.rooms.current().filter(|_| !area.is_empty()) else { return };
    let count = match room.count {
        0 => String::new(),
        1 => "1 user".to_owned(),
        count => format!("{count} users"),
    };
    let state = if room.leaving { "  (leaving)" } else { "" };
    let end = canvas.put_right(area, area.y, &count, canvas.theme.style(Role::Dim));
    let left = Area { width: end.saturating_sub(area.x + 1), ..area };
    let x = canvas.put(
        left,
        (area.x, area.y),
        &format!("{}{state}", room.label()),
        canvas.theme.style(Role::Title),
    );
    if !room.topic.is_empty() {
        let room_for = usize::from((left.x + left.width).saturating_sub(x + 2));
        let topic = text::ellipsis(&room.topic, room_for, app.glyphs.more);
        canvas.put(left, (x + 2, area.y), &topic, canvas.theme.style(Role::Dim));
    }
}

/// Says that the reader is not at the newest line, and what came meanwhile.
pub(super) fn draw_below(canvas: &mut Canvas<'_>, area: Area) {
    let app = canvas.app;
    let Some(room) = app.rooms.current().filter(|_| !area.is_empty()) else { return };
    let (down, key) = (app.glyphs.down, app.settings.keymap.way(Action::Newest));
    let (words, role) = match room.history.new_below() {
        0 => (format!("{down} newer below: {key}"), Role::Dim),
        count => (format!("{down} {count} new below: {key}"), Role::Unread),
    };
    canvas.rule(area, area.y, &words, role);
}

/// Draws the backlog.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Area) {
    if area.is_empty() {
        return;
    }
    let Some(room) = canvas.app.rooms.current() else {
        return draw_words(canvas, area, &["you are in no room", "/join ROOM enters one, /rooms lists them"]);
    };
    if room.history.is_empty() {
        return draw_empty(canvas, area, room);
    }
    let columns = canvas.app.columns(area);
    let at = flow::bottom(&room.history, columns);
    // Rows left above what is drawn, then the next block's bottom.
    let mut bottom = i64::from(area.height) + i64::try_from(at.cut).unwrap_or(0);
    let mut index = Some(at.index);
    while let (Some(current), true) = (index, bottom > 0) {
        let Some(block) = flow::block(&room.history, current, columns) else { break };
        let Some(line) = room.history.line(current) else { break };
        bottom -= i64::try_from(block.height()).unwrap_or(i64::MAX);
        Painter { area, columns, top: bottom }.draw(canvas, line, block);
        index = current.checked_sub(1);
    }
    let is_whole = index.is_none() && bottom >= 0;
    if is_whole {
        draw_top(canvas, area, room, u16::try_from(bottom).unwrap_or(0));
    }
}

/// What stands above the oldest line, in so many rows. Without any, the day's rule says what is being waited for.
fn draw_top(canvas: &mut Canvas<'_>, area: Area, room: &Room, rows: u16) {
    let words = if room.history.loading {
        format!("{} loading older messages", canvas.app.throbber())
    } else if room.history.more {
        "PgUp loads older messages".to_owned()
    } else if room.history.begun {
        format!("here {} begins", room.label())
    } else {
        String::new()
    };
    match rows.checked_sub(1) {
        Some(row) => {
            let style = canvas.theme.style(Role::Dim);
            canvas.put(area, (area.x, area.y + row), &words, style);
        }
        None if room.history.loading => canvas.rule(area, area.y, &words, Role::Dim),
        None => {}
    }
}

fn draw_empty(canvas: &mut Canvas<'_>, area: Area, room: &Room) {
    let more = canvas.app.glyphs.more;
    let title = match (&canvas.app.link.status.state, room.joined) {
        (LinkState::Online { .. }, true) if room.history.loading => {
            format!("{} loading {}", canvas.app.throbber(), room.label())
        }
        (LinkState::Online { .. }, true) => format!("nothing was said in {} yet", room.label()),
        (LinkState::Online { .. }, false) => format!("entering {}{more}", room.label()),
        (LinkState::Down { .. }, _) => "no server answers".to_owned(),
        (LinkState::Idle | LinkState::Dialling { .. }, _) => format!("connecting{more}"),
    };
    let kept = "what you write now is kept, and sent as soon as it can be";
    let is_online = matches!(canvas.app.link.status.state, LinkState::Online { .. });
    let words = [title.as_str(), kept];
    draw_words(canvas, area, if is_online { &words[..1] } else { &words });
}

/// Words in the middle of an area that has nothing else.
fn draw_words(canvas: &mut Canvas<'_>, area: Area, words: &[&str]) {
    let style = canvas.theme.style(Role::Dim);
    let rows = u16::try_from(words.len()).unwrap_or(1);
    let top = area.y + area.height.saturating_sub(rows) / 2;
    for (y, line) in (top..).zip(words) {
        let line = text::ellipsis(line, usize::from(area.width), canvas.app.glyphs.more);
        let width = u16::try_from(text::width(&line)).unwrap_or(area.width);
        canvas.put(area, (area.x + area.width.saturating_sub(width) / 2, y), &line, style);
    }
}

/// Draws one line whose first row may be above the area's top.
struct Painter {
    area: Area,
    columns: Columns,
    /// Rows between the area's top and the next row; negative above it.
    top: i64,
}

impl Painter {
    /// The screen row of the next row of the block, if it is on the screen; moves on.
    fn next_y(&mut self) -> Option<u16> {
        let row = u16::try_from(self.top).ok().filter(|row| *row < self.area.height);
        self.top += 1;
        row.map(|row| self.area.y + row)
    }

    fn draw(mut self, canvas: &mut Canvas<'_>, line: &Line, block: Block) {
        if let Some(day) = block.day
            && let Some(y) = self.next_y()
        {
            canvas.rule(self.area, y, &day.strftime("%a %-d %b %Y").to_string(), Role::Dim);
        }
        if let Some(count) = block.news
            && let Some(y) = self.next_y()
        {
            canvas.rule(self.area, y, &format!("{count} new"), Role::Unread);
        }
        match &line.said {
            Said::Message(speech) => self.draw_speech(canvas, line, (speech, block)),
            Said::Notice => self.draw_notice(canvas, line, ("", Role::Notice)),
            Said::Trouble => self.draw_notice(canvas, line, (canvas.app.glyphs.alert, Role::Trouble)),
            Said::Failover => self.draw_notice(canvas, line, ("", Role::Failover)),
        }
    }

    fn draw_time(&self, canvas: &mut Canvas<'_>, y: u16, line: &Line) {
        if self.columns.time > 0 {
            let time = canvas.app.settings.time.show(line.at);
            canvas.put(self.area, (self.area.x, y), &time, canvas.theme.style(Role::Dim));
        }
    }

    fn draw_notice(&mut self, canvas: &mut Canvas<'_>, line: &Line, (sign, role): (&str, Role)) {
        let style = canvas.theme.style(role);
        let x = self.area.x + self.columns.time;
        let lead = u16::try_from(text::width(sign)).unwrap_or_default() + u16::from(!sign.is_empty());
        let layout = line.layout(self.columns.wide());
        for (number, row) in layout.rows().iter().enumerate() {
            let Some(y) = self.next_y() else { continue };
            if number == 0 {
                self.draw_time(canvas, y, line);
            }
            // A word is said once.
            if number == 0 || !self.columns.in_words {
                canvas.put(self.area, (x, y), sign, style);
            }
            self.draw_row(canvas, (x + lead, y), (line, &layout, row), style);
        }
    }

    fn draw_speech(&mut self, canvas: &mut Canvas<'_>, line: &Line, (speech, block): (&Speech, Block)) {
        let role = match (canvas.app.chosen == Some(line.id), speech.mention) {
            (true, _) => Role::Chosen,
            (false, _) if speech.is_deleted() => Role::Dim,
            (false, true) => Role::Mention,
            (false, false) => Role::Text,
        };
        let head = self.draw_quote(canvas, line, (speech, block));
        let style = canvas.theme.style(role);
        let x = self.area.x + self.columns.indent();
        let layout = line.layout(self.columns.body);
        let mut last = None;
        for (number, row) in layout.rows().iter().enumerate() {
            let Some(y) = self.next_y() else { continue };
            if number == 0 && head {
                self.draw_time(canvas, y, line);
                self.draw_name(canvas, y, speech);
            }
            if number == 0 && canvas.app.chosen == Some(line.id) {
                self.draw_pointer(canvas, y);
            }
            if number == 0 && speech.mention && !speech.is_deleted() {
                canvas.put(self.area, (x.saturating_sub(1), y), canvas.app.glyphs.names_you, style);
            }
            self.draw_row(canvas, (x, y), (line, &layout, row), style);
            last = Some(y);
        }
        let y = if block.mark_below { self.next_y() } else { last };
        if let Some(y) = y {
            self.draw_mark(canvas, y, &speech.mark);
        }
    }

    /// One row of a line: what stands before it, then piece by piece.
    fn draw_row(
        &self,
        canvas: &mut Canvas<'_>,
        (mut x, y): (u16, u16),
        (line, layout, row): (&Line, &Layout, &LaidRow),
        style: Style,
    ) {
        let lead = match row.lead {
            Lead::None => "",
            Lead::Quote => "> ",
            Lead::Code => canvas.app.glyphs.bar,
        };
        if !lead.is_empty() {
            canvas.put(self.area, (x, y), lead, canvas.theme.style(Role::Dim));
            x += 2;
        }
        for piece in layout.pieces(line, row) {
            let style = faced(canvas.theme, style, piece.face);
            let end = canvas.put(self.area, (x, y), piece.text, style);
            if let Some(address) = piece.address {
                canvas.link((x..end, y), address);
            }
            x = end;
        }
    }

    /// The line that a reply is to, beside the author's name. True: the name still has to be drawn.
    fn draw_quote(
        &mut self,
        canvas: &mut Canvas<'_>,
        line: &Line,
        (speech, block): (&Speech, Block),
    ) -> bool {
        let Some(quote) = speech.quote.as_ref().filter(|_| block.quote) else { return block.head };
        let Some(y) = self.next_y() else { return false };
        if block.head {
            self.draw_time(canvas, y, line);
            self.draw_name(canvas, y, speech);
        }
        let app = canvas.app;
        let is_deleted =
            app.rooms.current().is_some_and(|room| room.history.is_deleted(&quote.id, &quote.author));
        let words = if is_deleted { "message deleted" } else { &quote.text };
        let words = format!("{} {words}", app.glyphs.quote);
        let words = text::ellipsis(&words, usize::from(self.columns.body), app.glyphs.more);
        let x = self.area.x + self.columns.indent();
        canvas.put(self.area, (x, y), &words, canvas.theme.style(Role::Dim));
        false
    }

    fn draw_name(&self, canvas: &mut Canvas<'_>, y: u16, speech: &Speech) {
        let app = canvas.app;
        let is_own = speech.out.is_some() || (speech.author.is_some() && speech.author == app.me.id);
        let role = if is_own { Role::Own } else { Theme::author(&speech.name) };
        let cells = usize::from(self.columns.name.saturating_sub(1));
        let sign = if speech.action { "* " } else { "" };
        let name = text::ellipsis(&format!("{sign}{}", speech.name), cells, app.glyphs.more);
        let at = (self.area.x + self.columns.time, y);
        canvas.put(self.area, at, &name, canvas.theme.style(role));
    }

    /// Points at a chosen line, in the gap before the author.
    fn draw_pointer(&self, canvas: &mut Canvas<'_>, y: u16) {
        let x = self.area.x + self.columns.time.saturating_sub(1);
        canvas.put(self.area, (x, y), canvas.app.glyphs.here, canvas.theme.style(Role::Title));
    }

    fn draw_mark(&self, canvas: &mut Canvas<'_>, y: u16, mark: &Mark) {
        let app = canvas.app;
        let (sign, role) = match mark {
            Mark::None => return,
            Mark::Acked(at) if app.now >= *at + ACK_SHOWN => return,
            Mark::Acked(_) => (app.glyphs.acked, Role::Dim),
            Mark::Sent | Mark::Queued => (app.glyphs.waiting, Role::Dim),
            Mark::Failed(_) => (app.glyphs.failed, Role::Trouble),
        };
        let cells = usize::from(self.area.width.saturating_sub(1));
        let words = text::ellipsis(
            &format!("{sign}{}", flow::mark_words(mark, self.columns)),
            cells,
            app.glyphs.more,
        );
        canvas.put_right(self.area, y, &words, canvas.theme.style(role));
    }
}

/// A piece's looks over those of its line.
fn faced(theme: &Theme, line: Style, face: Face) -> Style {
    let roles = [
        (Face::QUOTE, Role::Quote),
        (Face::BOLD, Role::Strong),
        (Face::ITALIC, Role::Emphasis),
        (Face::CODE, Role::Code),
        (Face::LINK, Role::Address),
    ];
    if face.has(Face::ASIDE) {
        return theme.style(Role::Dim);
    }
    let worn = roles.iter().filter(|(sign, _)| face.has(*sign));
    worn.fold(line, |style, (_, role)| style.patch(theme.style(*role)))
}
