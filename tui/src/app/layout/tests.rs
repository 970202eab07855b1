use jiff::civil::date;

use super::Layout;
use crate::app::line::{Line, LineId, Said, Speech};
use crate::app::markup::Face;

fn line(text: &str) -> Line {
    let said = Said::Message(Speech::new(None, "alice"));
    Line::new(LineId(0), None, date(2025, 8, 12).at(10, 0, 0, 0), said, text.to_owned())
}

/// Rows with pieces that are not plain in brackets.
#[track_caller]
fn check(text: &str, cells: u16, expected: &[&str]) {
    let line = line(text);
    let layout = Layout::of(&line, cells);
    let rows = layout.rows().iter().map(|row| {
        let pieces = layout.pieces(&line, row).map(|piece| match piece.face {
            Face::PLAIN => piece.text.to_owned(),
            _ => format!("[{}]", piece.text),
        });
        pieces.collect::<String>()
    });
    assert_eq!(rows.collect::<Vec<_>>(), expected, "{text}");
}

#[test]
fn pieces_are_cut_at_rows() {
    check("one *two three* four", 9, &["one [two ]", "[three] ", "four"]);
    check("plain", 9, &["plain"]);
    check("", 9, &[""]);
}

#[test]
fn code_breaks_at_the_edge_alone() {
    check("```\nlet  a = b;\n```", 8, &["[let  a]", "[ = b;]"]);
    check("> let  a = b;", 8, &["[let  a]", "[= b;]"]);
}

#[test]
fn a_part_of_an_address_knows_the_whole() {
    let line = line("https://example.com/path more");
    let layout = Layout::of(&line, 12);
    let parts: Vec<_> = layout
        .rows()
        .iter()
        .flat_map(|row| layout.pieces(&line, row))
        .filter_map(|piece| piece.address)
        .collect();
    assert_eq!(parts, ["https://example.com/path"; 2]);
}

#[test]
fn the_layout_is_made_once_a_width() {
    let line = line("one *two*");
    let first = std::ptr::from_ref(line.layout(9).rows());
    assert!(std::ptr::eq(first, line.layout(9).rows()), "kept from frame to frame");
    assert_eq!(line.layout(5).rows().len(), 2);
}
