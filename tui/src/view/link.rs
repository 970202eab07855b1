//! The link, told in detail: round trips as a graph, what happened and when, the nodes.
//!
//! ```text
//! │── Link ─────────────────│
//! │ rtt ▁▂▁▁▇·····▂▁  3.1ms │
//! │ all +37 lost 0 dup 0    │
//! │ 10:05:07.1 ! node-2     │
//! │        connection reset │
//! │ 10:05:08.3 ● node-3 ws  │
//! │            +37 -0 dup 0 │
//! │ node-1  812 conns       │
//! │ node-3  790 conns ◀     │
//! ```

use std::time::Duration;

use super::Canvas;
use crate::app::link::{Note, Sign};
use crate::app::panes::Area;
use crate::app::text::{self, millis};
use crate::theme::Role;

/// Cells between the log's left edge and what it says.
const NOTE_INDENT: u16 = 12;

/// Draws the panel.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Area) {
    if area.is_empty() {
        return;
    }
    canvas.fill(area, canvas.theme.style(Role::Text));
    let inner = canvas.border_left(area);
    canvas.rule(inner, inner.y, "Link", Role::Title);
    draw_graph(canvas, inner);
    let app = canvas.app;
    let totals = app.link.status.totals;
    let counted = format!("all +{} lost {} dup {}", totals.recovered, totals.lost, totals.dup);
    canvas.put(inner, (inner.x + 1, inner.y + 2), &counted, canvas.theme.style(Role::Text));
    let nodes = u16::try_from(app.link.nodes.len()).unwrap_or(u16::MAX).min(inner.height / 3);
    let notes_top = inner.y + 3;
    let rows = inner.height.saturating_sub(3 + nodes);
    let first = app.link.notes.len().saturating_sub(usize::from(rows));
    let mut y = notes_top;
    for note in app.link.notes.iter().skip(first) {
        draw_note(canvas, inner, y, note);
        y += 1;
    }
    draw_nodes(canvas, Area { y: notes_top + rows.min(y - notes_top), height: nodes, ..inner });
}

fn draw_graph(canvas: &mut Canvas<'_>, area: Area) {
    let app = canvas.app;
    let y = area.y + 1;
    let newest = app.link.status.rtt.map(millis).unwrap_or_else(|| "-".to_owned());
    let x = canvas.put(area, (area.x + 1, y), "rtt ", canvas.theme.style(Role::Dim));
    let right = Area { width: area.width.saturating_sub(1), ..area };
    let end = canvas.put_right(right, y, &newest, canvas.theme.style(Role::Text));
    let cells = usize::from(end.saturating_sub(x + 1));
    let samples = app.link.samples.iter().skip(app.link.samples.len().saturating_sub(cells));
    let highest = app.link.samples.iter().flatten().max().copied().unwrap_or(Duration::ZERO);
    let graph: String = samples
        .map(|sample| match sample {
            None => app.glyphs.dot,
            Some(rtt) => app.glyphs.levels[level(*rtt, highest)],
        })
        .collect();
    canvas.put(area, (x, y), &graph, canvas.theme.style(Role::Text));
}

/// From 0 to 7: the part of the highest round trip on the screen.
fn level(rtt: Duration, highest: Duration) -> usize {
    let parts = rtt.as_micros().saturating_mul(7) / highest.as_micros().max(1);
    usize::try_from(parts).unwrap_or(7).min(7)
}

fn draw_note(canvas: &mut Canvas<'_>, area: Area, y: u16, note: &Note) {
    let glyphs = canvas.app.glyphs;
    let (sign, role) = match note.sign {
        Sign::Up => (glyphs.online, Role::Text),
        Sign::Lost => (glyphs.alert, Role::Trouble),
        Sign::Trying => (glyphs.trying, Role::Text),
        Sign::More => ("", Role::Text),
    };
    if note.sign != Sign::More {
        let tenths = note.at.subsec_nanosecond() / 100_000_000;
        let time = format!("{}.{tenths}", note.at.strftime("%H:%M:%S"));
        canvas.put(area, (area.x + 1, y), &time, canvas.theme.style(Role::Dim));
    }
    let style = canvas.theme.style(role);
    let mut x = area.x + NOTE_INDENT;
    if note.sign == Sign::More {
        // What is too long for its column begins before it.
        let cells = u16::try_from(text::width(&note.text)).unwrap_or(u16::MAX);
        x = x.min((area.x + area.width).saturating_sub(1 + cells)).max(area.x + 1);
    }
    let x = if sign.is_empty() { x } else { canvas.put(area, (x, y), sign, style) + 1 };
    let room_for = usize::from((area.x + area.width).saturating_sub(x));
    let words = text::ellipsis(&note.text, room_for, glyphs.more);
    canvas.put(area, (x, y), &words, style);
}

fn draw_nodes(canvas: &mut Canvas<'_>, area: Area) {
    let app = canvas.app;
    for (y, node) in (area.y..area.y + area.height).zip(&app.link.nodes) {
        let you = if node.you { app.glyphs.you } else { "" };
        let draining = if node.draining { " draining" } else { "" };
        let conns = if node.connections == 1 { "conn" } else { "conns" };
        let words = format!("{}  {} {conns}{draining} {you}", node.node, node.connections);
        canvas.put(area, (area.x + 1, y), &words, canvas.theme.style(Role::Text));
    }
}
