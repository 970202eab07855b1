//! What the lists hold that are narrowed by typing: the quick switcher's rooms, and what was written before.

use super::Canvas;
use super::chooser::{Chooser, draw};
use crate::app::panes::Area;

/// Width of the switcher's box, in cells.
const ROOMS_CELLS: u16 = 40;
/// Width of the box of what was written before.
const TEXTS_CELLS: u16 = 70;

/// Rooms that hold the typed letters in order; returns the cursor's cell.
pub(super) fn draw_rooms(
    canvas: &mut Canvas<'_>,
    screen: Area,
    (query, chosen): (&str, usize),
) -> Option<(u16, u16)> {
    let rooms: Vec<_> = canvas.app.rooms.iter().collect();
    let line = |index: &usize| {
        let room = rooms[*index];
        let count = match (room.mentions, room.unread) {
            (0, 0) => String::new(),
            (0, unread) => unread.to_string(),
            (mentions, _) => format!("@{mentions}"),
        };
        (room.label().trim_start_matches('#').to_owned(), count)
    };
    let lines = canvas.app.rooms.found(query).iter().map(line).collect();
    let nothing = "no such room: /join enters one";
    draw(canvas, screen, &Chooser { title: "Go to", width: ROOMS_CELLS, query, chosen, lines, nothing })
}

/// What was written before and holds the typed words; returns the cursor's cell.
pub(super) fn draw_texts(
    canvas: &mut Canvas<'_>,
    screen: Area,
    (query, chosen): (&str, usize),
) -> Option<(u16, u16)> {
    let texts = canvas.app.composer.recall.found(query);
    let lines = texts.iter().map(|text| (text.replace('\n', " "), String::new())).collect();
    let nothing = "nothing of the kind was written";
    draw(
        canvas,
        screen,
        &Chooser { title: "Written before", width: TEXTS_CELLS, query, chosen, lines, nothing },
    )
}
