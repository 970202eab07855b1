//! Owns the picture: the model, drawn. One file a widget; this one knows where they stand.
//!
//! ```text
//!  rooms │ title
//!        │ messages            │ members
//!        │                     │ link
//!        │ hint
//!  status
//!  composer
//! ```

mod addresses;
mod chooser;
mod composer;
mod finder;
mod help;
mod link;
pub(crate) mod links;
mod members;
mod messages;
mod rooms;
mod status;
mod switcher;
pub(crate) mod uncertain;

use std::ops::Range;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Style};

use crate::app::panes::Area;
use crate::app::{App, Popup, bare, text};
use crate::theme::{Role, Theme};
use links::Links;

/// What every widget draws with.
struct Canvas<'a> {
    app: &'a App,
    theme: &'a Theme,
    buffer: &'a mut Buffer,
    links: &'a mut Links,
}

/// Draws everything; the addresses on the screen go to `links`.
pub(crate) fn draw(app: &App, frame: &mut Frame<'_>, links: &mut Links) {
    links.clear();
    let areas = app.areas();
    let canvas = &mut Canvas { app, theme: &app.theme, buffer: frame.buffer_mut(), links };
    canvas.buffer.set_style(canvas.buffer.area, app.theme.ground());
    rooms::draw(canvas, areas.rooms);
    messages::draw_title(canvas, areas.title);
    messages::draw(canvas, areas.messages);
    messages::draw_below(canvas, areas.below);
    members::draw(canvas, areas.users);
    link::draw(canvas, areas.link);
    composer::draw_hint(canvas, areas.hint);
    status::draw(canvas, areas.status);
    let mut cursor = composer::draw(canvas, areas.composer);
    let screen = Area { x: 0, y: 0, width: app.size.0, height: app.size.1 };
    match &app.popup {
        Some(Popup::Help { from }) => help::draw(canvas, screen, *from),
        Some(Popup::Switcher { query, chosen }) => {
            cursor = switcher::draw_rooms(canvas, screen, (query, *chosen));
        }
        Some(Popup::Recall { query, chosen }) => {
            cursor = switcher::draw_texts(canvas, screen, (query, *chosen));
        }
        Some(Popup::ConfirmSend { lines }) => cursor = composer::draw_long_paste(canvas, screen, *lines),
        Some(Popup::ConfirmDelete(about)) => cursor = composer::draw_delete(canvas, screen, &about.text),
        Some(Popup::Links { addresses, chosen }) => addresses::draw(canvas, screen, (addresses, *chosen)),
        Some(Popup::Find(finder)) => cursor = finder::draw(canvas, screen, finder),
        None => {}
    }
    uncertain::settle(canvas.buffer);
    if let Some((x, y)) = cursor {
        frame.set_cursor_position(Position { x, y });
    }
}

/// What is written instead of everything, where the messages alone are to be shown.
pub(crate) fn bare(app: &App) -> Option<Vec<&str>> {
    app.bare?;
    let room = app.rooms.current()?;
    Some(bare::page(&room.history, app.scrolled_columns(), app.size))
}

impl Canvas<'_> {
    /// Writes text at a cell, cut at the area's right edge; returns the column behind it.
    fn put(&mut self, area: Area, (x, y): (u16, u16), text: &str, style: Style) -> u16 {
        // The buffer can be smaller than the model believes for the one frame a resize is ahead of its event.
        let Some(room) = (area.x + area.width).min(self.buffer.area.right()).checked_sub(x) else { return x };
        if y >= area.y + area.height || y >= self.buffer.area.bottom() {
            return x;
        }
        // What is written over a link is no part of it.
        let style = style.underline_color(Color::Reset);
        self.buffer.set_stringn(x, y, text, usize::from(room), style).0
    }

    /// Makes cells of a row part of a link.
    fn link(&mut self, (cells, y): (Range<u16>, u16), address: &str) {
        let Some(mark) = self.links.mark(address) else { return };
        for x in cells {
            if let Some(cell) = self.buffer.cell_mut((x, y)) {
                cell.underline_color = mark;
            }
        }
    }

    /// Writes text so that it ends at the area's right edge; returns the column it begins at.
    fn put_right(&mut self, area: Area, y: u16, text: &str, style: Style) -> u16 {
        let width = u16::try_from(text::width(text)).unwrap_or(u16::MAX);
        let x = (area.x + area.width).saturating_sub(width).max(area.x);
        self.put(area, (x, y), text, style);
        x
    }

    /// Gives every cell of an area a style, and takes what was in it.
    fn fill(&mut self, area: Area, style: Style) {
        let area = Rect::new(area.x, area.y, area.width, area.height).intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                let cell = &mut self.buffer[(x, y)];
                cell.reset();
                cell.set_style(self.theme.ground());
                cell.set_style(style);
            }
        }
    }

    /// A line across an area with words in its middle.
    fn rule(&mut self, area: Area, y: u16, words: &str, role: Role) {
        let style = self.theme.style(role);
        let line = self.app.glyphs.rule.repeat(usize::from(area.width));
        self.put(area, (area.x, y), &line, style);
        if !words.is_empty() {
            let words = format!(" {words} ");
            let width = u16::try_from(text::width(&words)).unwrap_or(u16::MAX);
            let x = area.x + area.width.saturating_sub(width) / 2;
            self.put(area, (x, y), &words, style);
        }
    }

    /// A border down the left of an area; returns what is right of it.
    fn border_left(&mut self, area: Area) -> Area {
        let style = self.theme.style(Role::Dim);
        for y in area.y..area.y + area.height {
            self.put(area, (area.x, y), self.app.glyphs.bar, style);
        }
        Area { x: area.x + 1, width: area.width.saturating_sub(1), ..area }
    }

    /// An empty box in the middle of the screen with a title; returns its inside.
    fn popup(&mut self, screen: Area, (width, height): (u16, u16), title: &str) -> Area {
        // Beside a box there is nothing to be read into its rows.
        let width = if self.app.settings.accessible { screen.width } else { width.min(screen.width) };
        let height = height.min(screen.height);
        let outer = Area { x: (screen.width - width) / 2, y: (screen.height - height) / 2, width, height };
        self.fill(outer, self.theme.style(Role::Popup));
        self.rule(outer, outer.y, title, Role::Title);
        self.rule(outer, outer.y + outer.height.saturating_sub(1), "", Role::Dim);
        Area {
            x: outer.x + 1,
            y: outer.y + 1,
            width: width.saturating_sub(2),
            height: height.saturating_sub(2),
        }
    }
}

#[cfg(test)]
mod tests;
