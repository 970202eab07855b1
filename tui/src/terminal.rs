//! Owns the terminal's modes: taken on entering, given back on every way out (return, panic, signal, suspension).
//! Knows nothing of what is drawn.

pub(crate) mod backend;
mod copy;

use std::cell::RefCell;
use std::io::{self, BufWriter, Stdout, Write};
use std::rc::Rc;
use std::sync::Once;

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
    EnableMouseCapture,
};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::layout::{Position, Rect};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::app::App;
use crate::between::Between;
use crate::notify::{self, Notification, Way};
use crate::view;
use crate::view::links::Links;
use backend::{Hyperlinks, LinkBackend};

/// A whole frame at 200x60 with colours fits: one write a frame.
const FRAME_BYTES: usize = 64 * 1024;

/// What a Rust program ends with after a panic.
const PANICKED: i32 = 101;

/// The terminal while it is ours.
pub(crate) struct Screen {
    /// The mouse is ours, too.
    mouse: bool,
    inner: ratatui::Terminal<LinkBackend<BufWriter<Stdout>>>,
    /// The addresses of the frame that is being drawn; the backend reads them.
    links: Rc<RefCell<Links>>,
    between: Between,
    /// What stands there instead of a frame, and on a screen of which size.
    bare: Option<((u16, u16), String)>,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// Where there is no terminal, or it refuses.
    pub(crate) fn enter() -> io::Result<Self> {
        restore_on_panic();
        take_modes()?;
        let variable = |name: &str| std::env::var(name).ok();
        let links = Rc::default();
        let writer = BufWriter::with_capacity(FRAME_BYTES, io::stdout());
        let backend = LinkBackend::new(writer, Rc::clone(&links), Hyperlinks::of(variable));
        // Should this fail, nobody else would give the modes back.
        let inner = ratatui::Terminal::new(backend).inspect_err(|_| restore())?;
        Ok(Self { mouse: false, inner, links, between: Between::of(variable), bare: None })
    }

    /// Draws a frame in a synchronized update: the terminal shows all of it or none.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(crate) fn draw(&mut self, app: &App) -> io::Result<()> {
        if let Some(page) = view::bare(app) {
            return self.draw_bare(&page, app.size);
        }
        if self.bare.take().is_some() {
            self.clear()?;
        }
        queue!(self.inner.backend_mut(), BeginSynchronizedUpdate)?;
        let links = &self.links;
        self.inner.draw(|frame| view::draw(app, frame, &mut links.borrow_mut()))?;
        queue!(self.inner.backend_mut(), EndSynchronizedUpdate)?;
        io::Write::flush(self.inner.backend_mut())
    }

    /// Writes texts as a program without a screen would: the terminal breaks them, so that it copies them unbroken.
    fn draw_bare(&mut self, page: &[&str], size: (u16, u16)) -> io::Result<()> {
        let text = page.join("\n").replace('\n', "\r\n");
        let shown = Some((size, text));
        if self.bare == shown {
            return Ok(());
        }
        self.bare = shown;
        let text = self.bare.as_ref().map(|(_, text)| text.as_str()).unwrap_or_default();
        let backend = self.inner.backend_mut();
        queue!(backend, BeginSynchronizedUpdate, cursor::Hide, Clear(ClearType::All), cursor::MoveTo(0, 0))?;
        queue!(backend, Print(text), EndSynchronizedUpdate)?;
        io::Write::flush(backend)
    }

    /// Forgets what the terminal is believed to show.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        // Not `Terminal::clear`: it asks the terminal for its cursor, and the answer goes to who reads the keys.
        self.bare = None;
        let size = self.inner.size()?;
        self.inner.resize(Rect::from((Position::ORIGIN, size)))
    }

    /// Takes the mouse, or gives it back: the terminal's own selecting needs Shift while it is ours.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(crate) fn mouse(&mut self, wanted: bool) -> io::Result<()> {
        match (self.mouse, wanted) {
            (_, true) => execute!(self.inner.backend_mut(), EnableMouseCapture)?,
            (true, false) => execute!(self.inner.backend_mut(), DisableMouseCapture)?,
            (false, false) => {}
        }
        self.mouse = wanted;
        Ok(())
    }

    /// Has the terminal tell whoever looks elsewhere.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(crate) fn notify(&mut self, told: &Notification, ways: &[Way]) -> io::Result<()> {
        self.inner.backend_mut().write_all(&notify::bytes(told, ways, self.between))?;
        io::Write::flush(self.inner.backend_mut())
    }

    /// Puts text into the terminal's clipboard (OSC 52).
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(crate) fn copy(&mut self, text: &str) -> io::Result<()> {
        let sequence = copy::sequence(text, self.between);
        self.inner.backend_mut().write_all(sequence.as_bytes())?;
        io::Write::flush(self.inner.backend_mut())
    }

    /// Gives the terminal back, stops the program as Ctrl-Z does, and takes it again once continued.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        restore();
        rustix::process::kill_current_process_group(rustix::process::Signal::TSTP)?;
        take_modes()?;
        self.mouse(self.mouse)?;
        self.clear()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn take_modes() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange)
        .inspect_err(|_| restore())
}

/// Gives every mode back. What fails here fails because the terminal is gone: there is nobody to tell.
fn restore() {
    let _gone = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _gone = disable_raw_mode();
}

/// A panic's words are readable only on a terminal in its own modes. One beside the main thread (the reader of keys is
/// one: bytes that a terminal never sends can panic it) would leave a program that nobody can reach.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let inner = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            restore();
            inner(info);
            if std::thread::current().name() != Some("main") {
                std::process::exit(PANICKED);
            }
        }));
    });
}

/// The signals that end a program: the loop returns on each, and the terminal is given back on the way.
pub(crate) struct Endings {
    terminate: Signal,
    hang_up: Signal,
}

impl Endings {
    /// Listens from now on.
    ///
    /// # Errors
    /// Where signals cannot be had.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, hang_up: signal(SignalKind::hangup())? })
    }

    /// Waits for one. Cancel-safe: a signal not taken stays for the next call.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests;
