//! The text being written, behind the writer's name, and what the program says to the writer.
//!
//! ```text
//! no command /jion: did you mean /join?
//! [you] first line
//!       second line_
//! ```

use super::Canvas;
use crate::app::panes::Area;
use crate::app::rooms::Room;
use crate::app::text;
use crate::theme::Role;

/// Draws the input; returns the cursor's cell.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Area) -> Option<(u16, u16)> {
    if area.is_empty() {
        return None;
    }
    let app = canvas.app;
    let prompt = app.prompt();
    let x = canvas.put(area, (area.x, area.y), &prompt, canvas.theme.style(Role::Dim));
    let cells = app.composer_cells();
    let rows = app.composer.rows(cells);
    let (cursor_row, cursor_column) = app.composer.cursor_cell(cells);
    let first = (cursor_row + 1).saturating_sub(usize::from(area.height));
    let style = canvas.theme.style(Role::Text);
    for (y, row) in (area.y..area.y + area.height).zip(rows.into_iter().skip(first)) {
        // Tabs have no cells of their own; one stands for each.
        let shown = app.composer.text()[row].replace('\t', " ");
        canvas.put(area, (x, y), &shown, style);
    }
    let column = x + u16::try_from(cursor_column).unwrap_or(0);
    let row = area.y + u16::try_from(cursor_row - first).unwrap_or(0);
    Some((column.min(area.x + area.width - 1), row))
}

/// Draws what the program says to the writer.
pub(super) fn draw_hint(canvas: &mut Canvas<'_>, area: Area) {
    let app = canvas.app;
    let Some(hint) = app.shown_hint().filter(|_| !area.is_empty()) else { return };
    let hint = text::ellipsis(&text::clean_line(hint), usize::from(area.width), app.glyphs.more);
    canvas.put(area, (area.x, area.y), &hint, canvas.theme.style(Role::Unread));
}

/// Asks before a long paste is sent.
pub(super) fn draw_long_paste(canvas: &mut Canvas<'_>, screen: Area, lines: usize) -> Option<(u16, u16)> {
    let room = canvas.app.rooms.current().map(Room::label).unwrap_or_default();
    let question = format!("Send {lines} pasted lines to {room}?");
    draw_question(canvas, screen, ("Long paste", &question, "Enter sends it, Esc goes on editing"))
}

/// Asks before a message is taken back.
pub(super) fn draw_delete(canvas: &mut Canvas<'_>, screen: Area, message: &str) -> Option<(u16, u16)> {
    let line =
        text::ellipsis(message.lines().next().unwrap_or_default(), QUESTION_CELLS, canvas.app.glyphs.more);
    draw_question(
        canvas,
        screen,
        ("Delete this message?", &line, "Enter deletes it for everybody, Esc keeps it"),
    )
}

/// Cells of a question.
const QUESTION_CELLS: usize = 66;

/// Asks something; gives where the question ends, for the cursor.
fn draw_question(
    canvas: &mut Canvas<'_>,
    screen: Area,
    (title, question, keys): (&str, &str, &str),
) -> Option<(u16, u16)> {
    let cells = text::width(question).max(text::width(keys));
    let width = u16::try_from(cells).unwrap_or(u16::MAX).clamp(36, 70) + 4;
    let inner = canvas.popup(screen, (width, 5), title);
    let style = canvas.theme.style(Role::Text);
    let end = canvas.put(inner, (inner.x + 1, inner.y), question, canvas.theme.style(Role::Title));
    canvas.put(inner, (inner.x + 1, inner.y + 2), keys, style);
    (!inner.is_empty()).then_some((end, inner.y))
}
