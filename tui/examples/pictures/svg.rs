//! Owns how a terminal's screen becomes an SVG: cells to runs of one look, frames to lines, colours to a palette.

use std::fmt::Write;

use vt100::{Cell, Color, Screen};

/// A cell, in pixels.
const CELL: (f32, f32) = (9.0, 19.0);
/// Around the screen; above it stands the window's bar.
const MARGIN: f32 = 14.0;
const BAR: f32 = 34.0;
const GROUND: &str = "#16181d";
const INK: &str = "#d7dae0";
/// The sixteen colours of a terminal.
const PALETTE: [&str; 16] = [
    "#16181d", "#e06c75", "#8fc379", "#e2b86b", "#6fb1f0", "#c98be0", "#58bac8", "#d7dae0", "#7d8594",
    "#ff8b92", "#a9d894", "#f2cf8d", "#92c7ff", "#dcaaf0", "#7fd3df", "#ffffff",
];

/// How a run of cells looks.
#[derive(Clone, PartialEq)]
struct Look {
    ink: String,
    ground: Option<String>,
    bold: bool,
    italic: bool,
    dim: bool,
}

/// The screen as a picture.
pub(crate) fn picture(screen: &Screen, title: &str) -> String {
    let (rows, columns) = screen.size();
    let (width, height) =
        (f32::from(columns) * CELL.0 + 2.0 * MARGIN, f32::from(rows) * CELL.1 + BAR + MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"15\">\n\
         <title>{title}</title>\n<rect width=\"{width}\" height=\"{height}\" rx=\"9\" fill=\"{GROUND}\"/>\n"
    );
    for (at, color) in (0_u8..).zip(["#e06c75", "#e2b86b", "#8fc379"]) {
        let x = MARGIN + 6.0 + 20.0 * f32::from(at);
        put(&mut svg, format_args!("<circle cx=\"{x}\" cy=\"17\" r=\"6\" fill=\"{color}\"/>"));
    }
    let middle = width / 2.0;
    put(
        &mut svg,
        format_args!(
            "<text x=\"{middle}\" y=\"22\" text-anchor=\"middle\" fill=\"#7d8594\" font-size=\"13\">{title}</text>"
        ),
    );
    for row in 0..rows {
        draw_row(&mut svg, screen, row);
    }
    if !screen.hide_cursor() {
        let (row, column) = screen.cursor_position();
        let (x, y) = corner(row, column);
        put(
            &mut svg,
            format_args!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" fill=\"{INK}\" opacity=\"0.8\"/>",
                CELL.0, CELL.1
            ),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw_row(svg: &mut String, screen: &Screen, row: u16) {
    let mut column = 0;
    while let Some(look) = screen.cell(row, column).map(look) {
        let begin = column;
        let mut text = String::new();
        while let Some(cell) = screen.cell(row, column).filter(|cell| self::look(cell) == look) {
            if !cell.is_wide_continuation() {
                text.push_str(if cell.has_contents() { cell.contents() } else { " " });
            }
            column += 1;
        }
        draw_run(svg, (row, begin), column - begin, &text, &look);
    }
}

fn draw_run(svg: &mut String, (row, column): (u16, u16), cells: u16, text: &str, look: &Look) {
    let ((x, y), width) = (corner(row, column), f32::from(cells) * CELL.0);
    if let Some(ground) = &look.ground {
        // A little higher than a cell: no seam between rows.
        put(
            svg,
            format_args!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"{ground}\"/>",
                CELL.1 + 0.3
            ),
        );
    }
    let mut words = String::new();
    for (at, letter) in (0_u16..).zip(text.chars()) {
        let (left, ink) = (x + f32::from(at) * CELL.0, &look.ink);
        match letter {
            // Letters of a frame rarely meet between rows; lines do.
            '│' => put(
                svg,
                format_args!(
                    "<rect x=\"{}\" y=\"{y}\" width=\"1\" height=\"{}\" fill=\"{ink}\"/>",
                    left + 4.0,
                    CELL.1
                ),
            ),
            '─' => put(
                svg,
                format_args!(
                    "<rect x=\"{left}\" y=\"{}\" width=\"{}\" height=\"1\" fill=\"{ink}\"/>",
                    y + 9.0,
                    CELL.0
                ),
            ),
            letter => {
                words.push(letter);
                continue;
            }
        }
        words.push(' ');
    }
    let begin = words.len() - words.trim_start().len();
    let words = words.trim();
    if words.is_empty() {
        return;
    }
    let count = u16::try_from(words.chars().count()).unwrap_or(u16::MAX);
    let (x, length) = (x + f32::from(u16::try_from(begin).unwrap_or(0)) * CELL.0, f32::from(count) * CELL.0);
    let bold = if look.bold { " font-weight=\"bold\"" } else { "" };
    let italic = if look.italic { " font-style=\"italic\"" } else { "" };
    let dim = if look.dim { " opacity=\"0.75\"" } else { "" };
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    put(
        svg,
        format_args!(
            "<text x=\"{x}\" y=\"{}\" fill=\"{}\" textLength=\"{length}\" xml:space=\"preserve\"{bold}{italic}{dim}>{words}</text>",
            y + 14.0,
            look.ink
        ),
    );
}

fn look(cell: &Cell) -> Look {
    let (ink, ground) = (color(cell.fgcolor()), color(cell.bgcolor()));
    let (ink, ground) = match cell.inverse() {
        true => {
            (Some(ground.unwrap_or_else(|| GROUND.to_owned())), Some(ink.unwrap_or_else(|| INK.to_owned())))
        }
        false => (ink, ground),
    };
    let ink = ink.unwrap_or_else(|| INK.to_owned());
    Look { ink, ground, bold: cell.bold(), italic: cell.italic(), dim: cell.dim() }
}

fn color(color: Color) -> Option<String> {
    match color {
        Color::Default => None,
        Color::Idx(number) => PALETTE.get(usize::from(number)).map(|color| (*color).to_owned()),
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
    }
}

fn corner(row: u16, column: u16) -> (f32, f32) {
    (MARGIN + f32::from(column) * CELL.0, BAR + f32::from(row) * CELL.1)
}

fn put(svg: &mut String, element: std::fmt::Arguments<'_>) {
    writeln!(svg, "{element}").expect("a string takes all");
}
