//! Owns a front without terminal, network or clock, for those who measure what a frame costs. It is here because the
//! model is nobody's API; it knows nothing of what is measured.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::rc::Rc;

use chat_protocol::RoomName;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use crate::app::{App, Setup};
use crate::event::{Event, Now};
use crate::net::event::{Moment, NetEvent};
use crate::settings::Settings;
use crate::state::front::SavedFront;
use crate::terminal::backend::{Hyperlinks, LinkBackend};
use crate::update::update;
use crate::view;
use crate::view::links::Links;

/// A front whose terminal's bytes are counted and forgotten.
pub struct Front {
    app: App,
    terminal: Terminal<LinkBackend<Counter>>,
    written: Rc<Cell<usize>>,
    links: Rc<RefCell<Links>>,
    now: Now,
}

impl Front {
    /// A front that has heard nothing, in one room, on a screen of `width` by `height` cells.
    ///
    /// # Errors
    /// None: what counts bytes takes all of them.
    pub fn new(room: RoomName, (width, height): (u16, u16)) -> io::Result<Self> {
        let now = Now { moment: Moment::ZERO, wall: Timestamp::UNIX_EPOCH };
        let app = App::new(Setup {
            name: None,
            rooms: vec![room],
            settings: Settings::default(),
            demo: false,
            size: (width, height),
            zone: TimeZone::UTC,
            now,
            saved: SavedFront::default(),
        });
        let written = Rc::new(Cell::new(0));
        let links = Rc::default();
        let counter = Counter(Rc::clone(&written));
        let backend = LinkBackend::new(counter, Rc::clone(&links), Hyperlinks::Given);
        // One that asks for its size would ask a terminal.
        let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
        let terminal = Terminal::with_options(backend, TerminalOptions { viewport })?;
        Ok(Self { app, terminal, written, links, now })
    }

    /// Lets the network tell something; what is to be done about it is not done.
    pub fn hears(&mut self, event: NetEvent) {
        drop(update(&mut self.app, Event::Net(Box::new(event)), self.now));
    }

    /// Builds a frame, compares it with the one before, and writes what differs; gives how many bytes that were.
    ///
    /// # Errors
    /// None: what counts bytes takes all of them.
    pub fn draw(&mut self) -> io::Result<usize> {
        self.written.set(0);
        self.terminal.draw(|frame| view::draw(&self.app, frame, &mut self.links.borrow_mut()))?;
        Ok(self.written.get())
    }
}

/// Counts what is written.
struct Counter(Rc<Cell<usize>>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.set(self.0.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
