//! The composer's rule. Where the link is, in one line: the most important leftmost, never by colour alone; at its right
//! who is typing, and what is unread elsewhere.
//!
//! ```text
//! ● node-3 tcp rtt 3.1ms p99 9.0ms up 2m failovers 1            @2 5  F1 help
//! ◌ node-3 no pong 2.1s
//! ! OFFLINE 4s (connection reset) try 3 in 1.8s [Alt-r now] queued 2
//! ~ try 3 → 10.0.0.7:12345 tcp… hello… offline 4s queued 2
//! ● node-3 ← node-2 1.24s +37 recovered, 0 lost, 0 dup
//! ● node-3 ← node-2 moved 0.02s +1 recovered, 0 lost, 0 dup
//! ! 1 lost on the way ● node-3 tcp rtt 3.1ms p99 9.0ms up 2m
//! ! #ops: messages 120-163 are gone (history trimmed)
//! ! server cannot reach the others 3s (node-2) queued 2 rtt 3.1ms p99 9.0ms
//! ● node-3 tcp rtt 3.1ms p99 9.0ms up 2m             bob, carol are typing  F1 help
//! ```

use std::time::Duration;

use super::Canvas;
use crate::app::App;
use crate::app::panes::Area;
use crate::app::text::{self, millis, seconds, uptime};
use crate::keymap::Action;
use crate::net::event::{DialStep, LinkState, Moment, Recovery};
use crate::theme::Role;

/// Draws the line.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Area) {
    if area.is_empty() {
        return;
    }
    let app = canvas.app;
    let (pieces, role) = pieces(app);
    let style = canvas.theme.style(role);
    canvas.fill(area, style);
    let typing = typing(app, usize::from(area.width) / 2);
    let right = right(app, &typing);
    let cells = usize::from(area.width).saturating_sub(2);
    // Somebody who writes is of more interest than how long the link is up.
    let spared = if typing.is_empty() { 0 } else { text::width(&right) + 2 };
    let mut left = String::new();
    for piece in pieces {
        let space = usize::from(!left.is_empty());
        let rest = cells.saturating_sub(text::width(&left));
        if left.is_empty() {
            left = text::ellipsis(&piece, rest, app.glyphs.more);
        } else if text::width(&piece) + space + spared <= rest {
            left.push(' ');
            left.push_str(&piece);
        }
    }
    canvas.put(area, (area.x + 1, area.y), &left, style);
    if text::width(&left) + text::width(&right) + 2 <= cells {
        canvas.put_right(Area { width: area.width - 1, ..area }, area.y, &right, style);
    }
}

/// Who is typing, as far as there is room for it.
fn typing(app: &App, cells: usize) -> String {
    let room = app.rooms.current().filter(|_| !app.settings.accessible);
    let words = room.and_then(|room| room.typing.words(app.now)).unwrap_or_default();
    text::ellipsis(&words, cells, app.glyphs.more)
}

/// Who is typing, unread messages elsewhere, and where help is.
fn right(app: &App, typing: &str) -> String {
    let (mentions, unread) = app.rooms.elsewhere();
    let elsewhere = match (app.settings.accessible, mentions, unread) {
        (_, 0, 0) => String::new(),
        (true, ..) => {
            format!("{mentions} mention{}, {unread} unread  ", if mentions == 1 { "" } else { "s" })
        }
        (false, 0, _) => format!("{unread}  "),
        (false, _, 0) => format!("@{mentions}  "),
        (false, ..) => format!("@{mentions} {unread}  "),
    };
    let typing = if typing.is_empty() { String::new() } else { format!("{typing}  ") };
    format!("{typing}{elsewhere}{} help", app.settings.keymap.way(Action::Help))
}

/// The line's pieces, the most important first, and how serious it is.
fn pieces(app: &App) -> (Vec<String>, Role) {
    let status = &app.link.status;
    let queued = (status.queued > 0).then(|| format!("queued {}", status.queued));
    let lost = app.link.lost(app.now).map(|lost| format!("{} {lost}", app.glyphs.alert));
    let (mut pieces, role) = match &status.state {
        LinkState::Idle => {
            (vec![format!("{} connecting{}", app.glyphs.trying, app.glyphs.more)], Role::StatusBusy)
        }
        LinkState::Dialling { attempt, target, step, down_since } => {
            (dialling(app, (*attempt, target, *step), *down_since), Role::StatusBusy)
        }
        LinkState::Down { since, reason, attempt, retry_at } => {
            (vec![down(app, (*since, *retry_at), reason, *attempt)], Role::StatusBad)
        }
        LinkState::Online { node, heard, suspect: true, .. } => {
            let silent = moving(app, || format!(" {}", tenths(app.now.saturating_sub(*heard))));
            (vec![format!("{} {node} no pong{silent}", app.glyphs.suspect)], Role::StatusBusy)
        }
        LinkState::Online { .. } => return online(app, lost, queued),
    };
    pieces.extend(queued);
    pieces.extend(lost);
    (pieces, role)
}

fn dialling(app: &App, (attempt, target, step): (u32, &str, DialStep), since: Option<Moment>) -> Vec<String> {
    let (trying, to, more) = (app.glyphs.trying, app.glyphs.to, app.glyphs.more);
    let step = match step {
        DialStep::Resolving => " dns",
        DialStep::Connecting => "",
        DialStep::Upgrading => " upgrade",
        DialStep::Hello => " hello",
    };
    // Each step is behind the one before: the target's last word is the transport, once there is one.
    let first = if step.is_empty() || step == " dns" { "" } else { more };
    let target = text::clean_line(target);
    let mut pieces = vec![format!("{trying} try {attempt} {to} {target}{first}{step}{more}")];
    let since = since.filter(|_| !app.settings.accessible);
    pieces.extend(since.map(|since| format!("offline {}s", app.now.saturating_sub(since).as_secs())));
    pieces
}

fn down(app: &App, (since, retry_at): (Moment, Moment), reason: &str, attempt: u32) -> String {
    let offline = moving(app, || format!(" {}s", app.now.saturating_sub(since).as_secs()));
    let wait = moving(app, || format!(" in {}", tenths(retry_at.saturating_sub(app.now))));
    // A reason from afar may be long: the countdown behind it matters more than its end.
    let room_for = usize::from(app.size.0).saturating_sub(DOWN_CELLS).max(REASON_CELLS_MIN);
    let reason = text::ellipsis(&text::clean_line(reason), room_for, app.glyphs.more);
    format!(
        "{} OFFLINE{offline} ({reason}) try {attempt}{wait} [{} now]",
        app.glyphs.alert,
        app.settings.keymap.way(Action::Reconnect)
    )
}

/// What the line of a lost link needs beside the reason, in cells.
const DOWN_CELLS: usize = 54;
/// What is shown of a reason in any case, in cells.
const REASON_CELLS_MIN: usize = 8;

fn online(app: &App, lost: Option<String>, queued: Option<String>) -> (Vec<String>, Role) {
    let status = &app.link.status;
    let LinkState::Online { node, transport, since, .. } = &status.state else {
        return (Vec::new(), Role::StatusGood);
    };
    let cut_off = status.cut_off.map(|since| {
        let seconds = moving(app, || format!(" {}s", app.now.saturating_sub(since).as_secs()));
        format!("{} server cannot reach the others{seconds} ({node})", app.glyphs.alert)
    });
    let is_cut_off = cut_off.is_some();
    // What waits is of more interest then than what the last failover cost.
    let resumed = app.link.resumed(app.now).filter(|_| !is_cut_off);
    let is_lost = lost.is_some();
    let is_bad = is_cut_off || is_lost || resumed.is_some_and(|r| r.counted.lost > 0);
    let (waiting, queued) = if is_cut_off { (queued, None) } else { (None, queued) };
    let mut pieces: Vec<String> = cut_off.into_iter().chain(waiting).chain(lost).collect();
    match resumed {
        Some(recovery) => pieces.push(resumed_words(app, recovery)),
        None if is_cut_off => {}
        None => pieces.push(format!("{} {node} {transport}", app.glyphs.online)),
    }
    pieces.extend(queued);
    // Figures of every few seconds would be read out each time: the panel has them.
    if resumed.is_none() && !app.settings.accessible {
        pieces.extend(status.rtt.map(|rtt| format!("rtt {}", millis(rtt))));
        pieces.extend(status.rtt_p99.map(|p99| format!("p99 {}", millis(p99))));
        pieces.push(format!("up {}", uptime(app.now.saturating_sub(*since))));
    }
    if resumed.is_none() {
        let lost = status.totals.lost;
        pieces.extend((lost > 0 && !is_lost).then(|| format!("{lost} lost")));
        pieces.extend((status.failovers > 0).then(|| format!("failovers {}", status.failovers)));
        pieces.extend((status.moves > 0).then(|| format!("moves {}", status.moves)));
    }
    (pieces, if is_bad { Role::StatusBad } else { Role::StatusGood })
}

/// What a failover or a move cost; the words are the ones people are told to look for.
fn resumed_words(app: &App, recovery: &Recovery) -> String {
    let counted = recovery.counted;
    let sign = if counted.lost > 0 { app.glyphs.alert } else { app.glyphs.online };
    let moved = if recovery.planned { "moved " } else { "" };
    let words = |from: &str| {
        format!(
            "{sign} {}{from} {moved}{} +{} recovered, {} lost, {} dup",
            recovery.to,
            seconds(recovery.took),
            counted.recovered,
            counted.lost,
            counted.dup,
        )
    };
    let whole = words(&format!(" {} {}", app.glyphs.from, recovery.from));
    // Where not all of it has room, the figures matter more than whence.
    if text::width(&whole) + 2 > usize::from(app.size.0) { words("") } else { whole }
}

/// A figure that moves by itself, unless nothing is to.
fn moving(app: &App, words: impl FnOnce() -> String) -> String {
    if app.settings.accessible { String::new() } else { words() }
}

fn tenths(time: Duration) -> String {
    format!("{:.1}s", time.as_secs_f64())
}
