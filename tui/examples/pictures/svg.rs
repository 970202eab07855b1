//! Owns how a terminal's screen becomes an SVG: cells to runs of one look, each at its place on the grid; frames and
//! bars to shapes. What a cell looks like is `look`'s.

use std::collections::HashMap;
use std::fmt::Write;

use vt100::Screen;

use super::look::{GROUND, Look};

/// A cell, in pixels.
const CELL: (u16, u16) = (9, 19);
/// From a cell's top to the line its letters stand on.
const BASE: u16 = 14;
/// Around the screen; above it stands the window's bar.
const MARGIN: u16 = 14;
const BAR: u16 = 34;
const FONTS: &str = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace";
/// Lowest to highest: the eighths of a cell.
const BARS: &str = "▁▂▃▄▅▆▇█";

/// The screen as a picture.
pub(crate) fn picture(screen: &Screen, title: &str) -> String {
    let (rows, columns) = screen.size();
    let (width, height) = (columns * CELL.0 + 2 * MARGIN, rows * CELL.1 + BAR + MARGIN);
    let title = escaped(title);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"{FONTS}\" font-size=\"15\" xml:space=\"preserve\">\n\
         <title>{title}</title>\n<rect width=\"{width}\" height=\"{height}\" rx=\"9\" fill=\"{GROUND}\"/>\n"
    );
    for (at, color) in (0_u16..).zip(["#e06c75", "#e2b86b", "#8fc379"]) {
        let x = MARGIN + 6 + 20 * at;
        put(&mut svg, format_args!("<circle cx=\"{x}\" cy=\"17\" r=\"6\" fill=\"{color}\"/>"));
    }
    let middle = width / 2;
    put(
        &mut svg,
        format_args!(
            "<text x=\"{middle}\" y=\"22\" text-anchor=\"middle\" fill=\"#7d8594\" font-size=\"13\">{title}</text>"
        ),
    );
    let mut sheet = Sheet::new(&cells(screen), columns);
    sheet.draw(&cells(screen));
    put(&mut svg, format_args!("<style>{}</style>", sheet.rules));
    svg.push_str(&sheet.body);
    svg.push_str("</svg>\n");
    svg
}

/// A cell with something in it, or empty; a wide one has the next cell, too.
struct Cell {
    text: String,
    look: Look,
    width: u16,
}

/// What stands on the screen, without the second halves of wide cells. The cursor stands as a block.
fn cells(screen: &Screen) -> Vec<Vec<Cell>> {
    let (rows, columns) = screen.size();
    let cursor = (!screen.hide_cursor()).then(|| screen.cursor_position());
    let cell = |row, column| {
        let cell = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation())?;
        let text = if cell.has_contents() { cell.contents() } else { " " };
        let look = Look::of(cell);
        let look = if cursor == Some((row, column)) { look.reversed() } else { look };
        Some((column, Cell { text: text.to_owned(), look, width: 1 + u16::from(cell.is_wide()) }))
    };
    (0..rows)
        .map(|row| (0..columns).filter_map(|column| cell(row, column)).map(|(_, cell)| cell).collect())
        .collect()
}

/// The cells, drawn.
struct Sheet {
    body: String,
    /// The looks that occur, as CSS.
    rules: String,
    classes: HashMap<String, String>,
    /// The ground most cells have: painted once.
    ground: String,
    columns: u16,
}

/// Cells of one row that are drawn at once.
struct Run<'a> {
    row: u16,
    column: u16,
    width: u16,
    text: String,
    look: &'a Look,
}

impl Sheet {
    fn new(cells: &[Vec<Cell>], columns: u16) -> Self {
        let mut counts = HashMap::new();
        for cell in cells.iter().flatten() {
            *counts.entry(cell.look.ground.as_str()).or_insert(0) += 1;
        }
        let ground = counts.into_iter().max_by_key(|(_, count)| *count).map_or(GROUND, |(ground, _)| ground);
        let ground = ground.to_owned();
        Self { body: String::new(), rules: String::new(), classes: HashMap::new(), ground, columns }
    }

    fn draw(&mut self, cells: &[Vec<Cell>]) {
        let rows = u16::try_from(cells.len()).expect("a screen has fewer");
        if self.ground != GROUND {
            let class = self.class(format!("fill:{}", self.ground));
            self.fill((MARGIN, BAR), (self.columns * CELL.0, rows * CELL.1), &class);
        }
        for (row, cells) in (0..).zip(cells) {
            let grounds = runs(row, cells, |a, b| a.look.ground == b.look.ground);
            for run in grounds {
                if run.look.ground != self.ground {
                    let class = self.class(format!("fill:{}", run.look.ground));
                    self.fill(run.corner(), (run.width * CELL.0, CELL.1), &class);
                }
            }
        }
        for (row, cells) in (0..).zip(cells) {
            for run in runs(row, cells, |a, b| a.look.same_letters(&b.look) && a.flows() && b.flows()) {
                self.write(&run);
            }
            for run in runs(row, cells, |a, b| a.look.same_letters(&b.look)) {
                self.underline(&run);
            }
        }
    }

    /// One run's letters. What is no letter but a shape fills its cell to the edge, as in a terminal: the glyphs of
    /// fonts would leave gaps.
    fn write(&mut self, run: &Run<'_>) {
        let text = run.text.trim();
        let Some(first) = text.chars().next() else { return };
        let (x, y) = run.corner();
        let class = self.class(run.look.letters());
        let width = run.width * CELL.0;
        if first == '│' {
            return self.fill((x + 4, y), (1, CELL.1), &class);
        }
        if first == '─' {
            return self.fill((x, y + 9), (width, 1), &class);
        }
        if let Some(eighths) = (1..).zip(BARS.chars()).find_map(|(at, bar)| (bar == first).then_some(at)) {
            let height = CELL.1 * eighths / 8;
            return self.fill((x, y + CELL.1 - height), (width, height), &class);
        }
        let (y, words) = (y + BASE, escaped(text));
        if !is_of_any_font(first) {
            let x = f32::from(x) + f32::from(width) / 2.0;
            put(
                &mut self.body,
                format_args!("<text x=\"{x}\" y=\"{y}\" {class} text-anchor=\"middle\">{words}</text>"),
            );
            return;
        }
        let before = run.text.len() - run.text.trim_start().len();
        let x = x + u16::try_from(before).expect("a row is shorter") * CELL.0;
        let length = u16::try_from(text.chars().count()).expect("a row is shorter") * CELL.0;
        put(
            &mut self.body,
            format_args!("<text x=\"{x}\" y=\"{y}\" {class} textLength=\"{length}\">{words}</text>"),
        );
    }

    fn underline(&mut self, run: &Run<'_>) {
        if run.look.underline {
            let (x, y) = run.corner();
            let class = self.class(format!("fill:{}", run.look.ink));
            self.fill((x, y + BASE + 2), (run.width * CELL.0, 1), &class);
        }
    }

    fn fill(&mut self, (x, y): (u16, u16), (width, height): (u16, u16), class: &str) {
        put(
            &mut self.body,
            format_args!(
                "<path d=\"M{x} {y}h{width}v{height}h-{width}z\" {class} shape-rendering=\"crispEdges\"/>"
            ),
        );
    }

    /// The attribute for a look; looks repeat, so that each is spelled once.
    fn class(&mut self, look: String) -> String {
        let name = format!("c{}", self.classes.len());
        let rules = &mut self.rules;
        let new = |look: &String| {
            put(rules, format_args!(".{name}{{{look}}}"));
            format!("class=\"{name}\"")
        };
        self.classes.entry(look).or_insert_with_key(new).clone()
    }
}

impl Run<'_> {
    fn corner(&self) -> (u16, u16) {
        (MARGIN + self.column * CELL.0, BAR + self.row * CELL.1)
    }
}

impl Cell {
    /// May stand in a run with its neighbours: its letter is as wide as theirs in whatever font.
    fn flows(&self) -> bool {
        self.width == 1 && self.text.chars().all(is_of_any_font)
    }
}

/// Neighbours that are alike.
fn runs(row: u16, cells: &[Cell], alike: impl Fn(&Cell, &Cell) -> bool) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    let mut column = 0;
    for cells in cells.chunk_by(alike) {
        let text = cells.iter().map(|cell| cell.text.as_str()).collect();
        let width = cells.iter().map(|cell| cell.width).sum();
        runs.push(Run { row, column, width, text, look: &cells[0].look });
        column += width;
    }
    runs
}

/// Every monospaced font has it; other signs come from fonts with widths of their own.
fn is_of_any_font(letter: char) -> bool {
    letter < '\u{250}'
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn put(svg: &mut String, element: std::fmt::Arguments<'_>) {
    writeln!(svg, "{element}").expect("a string takes all");
}
