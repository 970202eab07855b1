//! Owns how cells become bytes where they are part of a link: a hyperlink (OSC 8) around each run of them; and where terminals
//! disagree about a letter's width. Everything else is the terminal library's. Knows nothing of what is drawn.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::Color;

use crate::app::text;
use crate::view::links::Links;
use crate::view::uncertain;

/// Whether the terminal is given hyperlinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hyperlinks {
    Given,
    Withheld,
}

impl Hyperlinks {
    /// What a terminal can be given, by its environment. Terminals pass over what they do not know, but for a few that are
    /// known to print it.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let term = variable("TERM").unwrap_or_default();
        // Before 0.50 VTE crashed or printed them: https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
        let is_old_vte = variable("VTE_VERSION")
            .and_then(|version| version.parse().ok())
            .is_some_and(|version: u32| version < 5_000);
        let is_console = matches!(term.as_str(), "" | "linux" | "dumb" | "vt100" | "vt220" | "cons25");
        if is_console || is_old_vte { Self::Withheld } else { Self::Given }
    }
}

/// A backend that knows links.
pub(crate) struct LinkBackend<W: Write> {
    inner: CrosstermBackend<W>,
    /// The drawing fills it while the terminal library holds the backend: a frame's links are known before its bytes.
    links: Rc<RefCell<Links>>,
    hyperlinks: Hyperlinks,
}

impl<W: Write> LinkBackend<W> {
    pub(crate) fn new(writer: W, links: Rc<RefCell<Links>>, hyperlinks: Hyperlinks) -> Self {
        Self { inner: CrosstermBackend::new(writer), links, hyperlinks }
    }
}

impl<W: Write> Write for LinkBackend<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut self.inner)
    }
}

impl<W: Write> Backend for LinkBackend<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let Self { inner, links, hyperlinks } = self;
        let links = links.borrow();
        let mut cells = content.peekable();
        while let Some((_, _, first)) = cells.peek() {
            let kind = kind(first);
            let run = std::iter::from_fn(|| cells.next_if(|(_, _, cell)| self::kind(cell) == kind));
            if kind == (Color::Reset, Width::Agreed) {
                inner.draw(run)?;
                continue;
            }
            let run: Vec<(u16, u16, Cell)> = run.flat_map(|(x, y, cell)| drawn(x, y, cell)).collect();
            let target = links.target(kind.0).filter(|_| *hyperlinks == Hyperlinks::Given);
            if let Some((number, address)) = target {
                // The id makes the rows of a wrapped address one link.
                write!(inner, "\x1b]8;id={number:x};{address}\x1b\\")?;
            }
            inner.draw(run.iter().map(|(x, y, cell)| (*x, *y, cell)))?;
            if target.is_some() {
                inner.write_all(b"\x1b]8;;\x1b\\")?;
            }
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}

/// Whether terminals agree how wide a letter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Agreed,
    PerhapsLess,
}

/// What makes a run of cells: one link, and what is to be done about its letters.
fn kind(cell: &Cell) -> (Color, Width) {
    let width = if uncertain::may_be_narrower(cell.symbol()) { Width::PerhapsLess } else { Width::Agreed };
    (cell.underline_color, width)
}

/// A cell as it is written: without its mark, and over blanks where its letter may leave some of its cells as they were.
fn drawn(x: u16, y: u16, cell: &Cell) -> Vec<(u16, u16, Cell)> {
    let mut cell = cell.clone();
    cell.underline_color = Color::Reset;
    let mut written = Vec::new();
    if uncertain::may_be_narrower(cell.symbol()) {
        let mut blank = cell.clone();
        blank.set_symbol(" ");
        let cells = u16::try_from(text::width(cell.symbol())).unwrap_or(1);
        written.extend((x..x.saturating_add(cells)).map(|x| (x, y, blank.clone())));
    }
    written.push((x, y, cell));
    written
}
