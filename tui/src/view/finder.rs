//! The search over everything that was said.
//!
//! ```text
//! ─────────────── Search #general ───────────────
//!  > graph_
//! ▶12 Aug 10:04 carol  you: check the graph
//!  11 Aug 09:30 alice  the graph is red
//!  Enter: ask the server for more
//! ──── Enter goes there, Tab everywhere, Esc ────
//! ```

use super::Canvas;
use crate::app::finder::{Finder, Hit, Scope, Server};
use crate::app::panes::Area;
use crate::app::{App, text};
use crate::theme::Role;

/// Widest box, in cells, and what stays free of it around.
const WIDTH_MAX: u16 = 110;
const HEIGHT_MAX: u16 = 24;

/// Draws the box; returns the cursor's cell.
pub(super) fn draw(canvas: &mut Canvas<'_>, screen: Area, finder: &Finder) -> Option<(u16, u16)> {
    let app = canvas.app;
    let place = match (finder.scope, app.rooms.current()) {
        (Scope::Room, Some(room)) => room.label(),
        _ => "all rooms".to_owned(),
    };
    let height = screen.height.saturating_sub(2).clamp(4, HEIGHT_MAX);
    let inner = canvas.popup(screen, (WIDTH_MAX, height), &format!("Search {place}"));
    if inner.is_empty() {
        return None;
    }
    let style = canvas.theme.style(Role::Text);
    // Of a long query the end is seen: that is where it is written.
    let typed = text::clean_line(&finder.query);
    let cells = usize::from(inner.width.saturating_sub(3));
    let rows = text::chop(&typed, cells.max(1));
    let end = rows.last().map_or("", |row| &typed[row.clone()]);
    let cursor = canvas.put(inner, (inner.x, inner.y), &format!("> {end}"), style);
    let list = Area { y: inner.y + 1, height: inner.height - 1, ..inner };
    draw_rows(canvas, list, finder);
    let other = if finder.scope == Scope::Room { "everywhere" } else { "here" };
    let words = format!("Enter goes there, Tab looks {other}, Esc closes");
    let outer =
        Area { x: inner.x.saturating_sub(1), width: inner.width + 2, height: inner.height + 1, ..inner };
    canvas.rule(outer, inner.y + inner.height, &words, Role::Dim);
    Some((cursor.min(inner.x + inner.width.saturating_sub(1)), inner.y))
}

fn draw_rows(canvas: &mut Canvas<'_>, area: Area, finder: &Finder) {
    let shown = usize::from(area.height);
    let first = (finder.chosen + 1).saturating_sub(shown);
    for row in (first..finder.rows()).take(shown) {
        let y = area.y + u16::try_from(row - first).unwrap_or(0);
        let is_chosen = row == finder.chosen;
        let (words, role) = match finder.hits.get(row) {
            Some(hit) => (hit_words(canvas.app, finder.scope, hit), Role::Text),
            None => (server_words(canvas.app, finder), Role::Dim),
        };
        let style = canvas.theme.style(if is_chosen { Role::Chosen } else { role });
        let line = Area { y, height: 1, ..area };
        if is_chosen {
            canvas.fill(line, style);
        }
        let pointer = if is_chosen { canvas.app.glyphs.here } else { " " };
        let words = text::ellipsis(&words, usize::from(line.width.saturating_sub(1)), canvas.app.glyphs.more);
        let x = canvas.put(line, (line.x, y), pointer, style);
        canvas.put(line, (x, y), &words, style);
    }
}

fn hit_words(app: &App, scope: Scope, hit: &Hit) -> String {
    let room =
        if scope == Scope::Everywhere { format!("{} ", app.rooms.label(&hit.room)) } else { String::new() };
    format!("{} {room}{}  {}", hit.at.strftime("%-d %b %H:%M"), hit.name, hit.text)
}

/// The row behind what was found.
fn server_words(app: &App, finder: &Finder) -> String {
    let count = finder.hits.len();
    match &finder.server {
        _ if finder.query.trim().is_empty() => {
            "words, \"a phrase\", from:NAME, after:2026-11-21, has:link".to_owned()
        }
        Server::NotAsked if count == 0 => "nothing at hand: Enter asks the server".to_owned(),
        Server::NotAsked => "ask the server for more".to_owned(),
        Server::Asked => format!("{} asking the server", app.throbber()),
        Server::GoesOn => "more on the server: Enter goes on".to_owned(),
        Server::Done if count == 0 => "nothing found".to_owned(),
        Server::Done => "that is all".to_owned(),
        Server::Refused(why) => format!("{} {why}", app.glyphs.alert),
    }
}
