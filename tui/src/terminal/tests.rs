//! What a terminal makes of the bytes it is given: the frames of a stage, drawn as the program draws them.

mod wide;

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use ratatui::backend::Backend as _;
use ratatui::layout::Rect;
use ratatui::{TerminalOptions, Viewport};

use super::backend::{Hyperlinks, LinkBackend};
use super::copy::sequence;
use crate::between::Between;
use crate::effect::Effect;
use crate::settings::Settings;
use crate::stage::Stage;
use crate::theme::Depth;
use crate::view;
use crate::view::links::Links;

/// Everything written.
#[derive(Clone, Default)]
struct Tap(Rc<RefCell<Vec<u8>>>);

impl Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A screen that remembers what it was told beside letters.
#[derive(Default)]
struct Heard {
    /// Hyperlinks as they were opened and closed.
    links: Vec<String>,
}

impl vt100::Callbacks for Heard {
    fn unhandled_osc(&mut self, _: &mut vt100::Screen, parameters: &[&[u8]]) {
        let parameters: Vec<_> = parameters.iter().map(|bytes| String::from_utf8_lossy(bytes)).collect();
        assert_eq!(parameters[0], "8", "nothing else is told: {parameters:?}");
        self.links.push(parameters[2..].join(";"));
    }

    fn unhandled_escape(&mut self, _: &mut vt100::Screen, _: Option<u8>, _: Option<u8>, byte: u8) {
        assert_eq!(byte, b'\\', "an escape of nobody's");
    }

    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        _: Option<u8>,
        _: Option<u8>,
        _: &[&[u16]],
        byte: char,
    ) {
        // It does not know the colour of an underline, which is reset behind every run of cells.
        assert_eq!(byte, 'm', "a sequence of nobody's");
    }
}

/// A terminal that shows a stage.
pub(super) struct Shown {
    terminal: ratatui::Terminal<LinkBackend<Tap>>,
    links: Rc<RefCell<Links>>,
    written: Tap,
    parser: vt100::Parser<Heard>,
}

impl Shown {
    pub(super) fn new(stage: &Stage, hyperlinks: Hyperlinks) -> Self {
        let (width, height) = stage.app.size;
        let (written, links) = (Tap::default(), Rc::<RefCell<Links>>::default());
        let backend = LinkBackend::new(written.clone(), Rc::clone(&links), hyperlinks);
        let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
        let terminal = ratatui::Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
        let parser = vt100::Parser::new_with_callbacks(height, width, 0, Heard::default());
        Self { terminal, links, written, parser }
    }

    /// Draws the stage as it is now; the bytes that took.
    pub(super) fn draw(&mut self, stage: &Stage) -> usize {
        let links = &self.links;
        self.terminal.draw(|frame| view::draw(&stage.app, frame, &mut links.borrow_mut())).unwrap();
        let bytes = std::mem::take(&mut *self.written.0.borrow_mut());
        self.parser.process(&bytes);
        bytes.len()
    }

    pub(super) fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// The cells of a text on the screen, left to right.
    #[track_caller]
    fn cells_of(&self, text: &str) -> Vec<vt100::Cell> {
        let (rows, columns) = self.screen().size();
        let row = (0..rows).find_map(|row| {
            let line = self.screen().rows(0, columns).nth(usize::from(row))?;
            // The column: everything before is one cell wide in these pictures.
            let at = line.find(text)?;
            Some((row, u16::try_from(line[..at].chars().count()).unwrap()))
        });
        let (row, column) =
            row.unwrap_or_else(|| panic!("{text} is not shown:\n{}", self.screen().contents()));
        let count = u16::try_from(text.chars().count()).unwrap();
        (column..column + count).map(|column| self.screen().cell(row, column).unwrap().clone()).collect()
    }

    #[track_caller]
    fn check_all(&self, text: &str, is_so: impl Fn(&vt100::Cell) -> bool) {
        assert!(self.cells_of(text).iter().all(is_so), "{text}");
    }
}

fn shown(stage: &Stage, hyperlinks: Hyperlinks) -> Shown {
    let mut shown = Shown::new(stage, hyperlinks);
    shown.draw(stage);
    shown
}

#[test]
fn markdown_is_drawn_with_attributes() {
    let settings = Settings { depth: Depth::Many, ..Settings::default() };
    let mut stage = Stage::with((80, 24), settings).chat();
    stage.says("general", "carol", "a *bold* and _slanted_ `let x` 2*3*4");
    let shown = shown(&stage, Hyperlinks::Given);
    shown.check_all("bold", |cell| cell.bold() && !cell.italic());
    shown.check_all("slanted", |cell| cell.italic() && !cell.bold());
    let code = vt100::Color::Idx(80);
    shown.check_all("`let x`", |cell| cell.fgcolor() == code);
    shown.check_all("2*3*4", |cell| !cell.bold() && !cell.italic() && cell.fgcolor() != code);
}

#[test]
fn an_address_is_a_hyperlink_on_each_of_its_rows() {
    let mut stage = Stage::chatting(80, 24);
    let address = format!("https://example.com/{}/end?q=1;2", "path".repeat(12));
    stage.says("general", "carol", &format!("see {address}, ok"));
    let mut shown = shown(&stage, Hyperlinks::Given);
    shown.check_all("https://example.com/", vt100::Cell::underline);
    shown.check_all(", ok", |cell| !cell.underline());
    let links = &shown.parser.callbacks().links;
    assert_eq!(links.iter().filter(|link| **link == address).count(), 2, "{links:?}");
    assert_eq!(links.iter().filter(|link| link.is_empty()).count(), 2, "each is closed: {links:?}");
    assert!(shown.draw(&stage) < 64, "drawn once");
}

#[test]
fn cells_that_stay_but_belong_to_another_address_are_drawn_anew() {
    let mut stage = Stage::chatting(50, 12);
    let tail = format!("{}/tail", "x".repeat(20));
    stage.says("general", "carol", &format!("https://example.com/one/{tail}"));
    let mut shown = shown(&stage, Hyperlinks::Given);
    stage.press("Ctrl-Up e");
    stage.app.composer.take();
    stage.app.rooms.current_mut().unwrap().history.clear();
    stage.says("general", "carol", &format!("https://example.com/two/{tail}"));
    shown.draw(&stage);
    let links = &shown.parser.callbacks().links;
    assert!(links.iter().filter(|link| link.contains("/two/")).count() >= 2, "{links:?}");
}

#[test]
fn a_terminal_without_hyperlinks_gets_none() {
    let mut stage = Stage::chatting(80, 24);
    stage.says("general", "carol", "https://example.com/");
    let shown = shown(&stage, Hyperlinks::Withheld);
    assert!(shown.parser.callbacks().links.is_empty());
    shown.check_all("https://example.com/", vt100::Cell::underline);
}

#[test]
fn no_text_from_afar_gets_an_escape_out() {
    let mut stage = Stage::chatting(80, 24);
    let hostile = "https://a.b/\x1b]8;;http://evil\x1b\\x \x1b[2J\u{9d}52;c;AAAA\x07 https://c.d/\u{7}\u{9b}31m *\x1b[1m*";
    stage.says("general", hostile, hostile);
    stage.net(crate::net::event::NetEvent::Trouble {
        room: None,
        code: chat_protocol::ErrorCode::Unavailable,
        text: hostile.to_owned(),
    });
    // The screen that listens panics at whatever is none of ours.
    let shown = shown(&stage, Hyperlinks::Given);
    assert!(shown.parser.callbacks().links.iter().all(|link| !link.starts_with("http://evil")));
    assert!(shown.screen().contents().contains("general"), "nothing was cleared");
}

#[test]
fn which_terminals_have_hyperlinks() {
    let check = |term: &str, vte: Option<&str>, expected| {
        let variable = |name: &str| match name {
            "TERM" => Some(term.to_owned()),
            "VTE_VERSION" => vte.map(str::to_owned),
            _ => None,
        };
        assert_eq!(Hyperlinks::of(variable), expected, "{term} {vte:?}");
    };
    check("xterm-256color", None, Hyperlinks::Given);
    check("tmux-256color", Some("7200"), Hyperlinks::Given);
    check("xterm-256color", Some("4800"), Hyperlinks::Withheld);
    check("linux", None, Hyperlinks::Withheld);
    check("", None, Hyperlinks::Withheld);
}

#[test]
fn a_copy_is_told_as_the_terminal_takes_it() {
    assert_eq!(sequence("*hi* ü\n2", Between::Nothing), "\x1b]52;c;KmhpKiDDvAoy\x1b\\");
    let inside = "\x1b]52;c;aGk=\x1b\\\x1bPtmux;\x1b\x1b]52;c;aGk=\x1b\x1b\\\x1b\\";
    assert_eq!(sequence("hi", Between::Tmux), inside);
    let variable = |name: &str| (name == "TMUX").then(|| "/tmp/tmux-0/default,1,0".to_owned());
    assert_eq!((Between::of(variable), Between::of(|_| None)), (Between::Tmux, Between::Nothing));
}

#[test]
fn the_backend_passes_on_what_is_no_link() {
    let written = Tap::default();
    let mut backend = LinkBackend::new(written.clone(), Rc::default(), Hyperlinks::Given);
    backend.hide_cursor().unwrap();
    backend.clear().unwrap();
    assert_eq!(&*written.0.borrow(), b"\x1b[?25l\x1b[2J");
}

#[test]
fn where_a_link_leads_is_seen_before_it_is_opened() {
    let mut stage = Stage::chatting(80, 24);
    stage.says("general", "carol", "https://example.com/a and *https://bücher.example/b*");
    stage.effects.clear();
    stage.press("Ctrl-Up o");
    insta::assert_snapshot!(stage.picture());
    assert!(stage.effects.is_empty(), "nothing is opened unseen");
    stage.press("Down Enter");
    assert_eq!(stage.effects, [Effect::Open("https://b%C3%BCcher.example/b".to_owned())]);
    stage.effects.clear();
    stage.press("Ctrl-Up o c");
    assert_eq!(stage.effects, [Effect::Copy("https://example.com/a".to_owned())]);
    stage.effects.clear();
    stage.press("Ctrl-Up o Esc Ctrl-Up Ctrl-Up o");
    assert!(stage.effects.is_empty() && stage.shows("no link in that message"));
}

#[test]
fn the_whole_of_a_long_address_is_seen() {
    let mut stage = Stage::chatting(50, 16);
    stage.says("general", "carol", &format!("https://bank.example.{}.evil.example/", "x".repeat(90)));
    stage.press("Ctrl-Up o");
    assert!(stage.shows("evil.example/"), "{}", stage.picture());
}

#[test]
fn where_an_address_leads_is_seen_however_long_it_is() {
    let hidden = format!("https://bank.example:{}@evil.example:8443/", "a".repeat(450));
    for (address, host) in [
        (hidden.as_str(), "evil.example:8443"),
        ("https://bank.example@evil.example/@bank.example?@#@", "evil.example"),
        ("https://[::1]:80/x", "[::1]:80"),
        ("http://evil.example?bank.example/", "evil.example"),
    ] {
        let mut stage = Stage::chatting(80, 24);
        stage.says("general", "carol", address);
        stage.press("Ctrl-Up o");
        let picture = stage.picture();
        assert!(picture.lines().any(|line| line.trim() == format!("leads to {host}")), "{picture}");
        assert_eq!(stage.shows("a…"), address == hidden, "what is cut is said: {picture}");
    }
    // The end of a name is who has it; what stands behind it does not push it out.
    let mut stage = Stage::chatting(50, 16);
    let names = format!("bank.example.{}.evil.example:{}443", "x".repeat(90), "0".repeat(60));
    stage.says("general", "carol", &format!("https://{names}/"));
    stage.press("Ctrl-Up o");
    let picture = stage.picture();
    assert!(picture.lines().any(|line| line.trim().ends_with("xx.evil.example:443")), "{picture}");
    assert!(stage.shows("leads to …xx"), "{picture}");
}

#[test]
fn a_low_address_is_shown_with_all_its_rows() {
    let mut stage = Stage::chatting(50, 12);
    let addresses: Vec<_> =
        (0..9).map(|at| format!("https://{at}.example/{}end{at}", "x".repeat(70))).collect();
    stage.says("general", "carol", &addresses.join(" "));
    stage.press("Ctrl-Up o");
    for at in 0..9 {
        let picture = stage.picture();
        assert!(stage.shows(&format!("leads to {at}.example")), "{picture}");
        assert!(stage.shows(&format!("▶https://{at}.example/")), "{picture}");
        assert!(stage.shows(&format!("end{at}")) && stage.shows("Esc closes"), "{picture}");
        // The others are cut, and say so.
        assert!(stage.count("…") >= 2, "{picture}");
        stage.press("Down");
    }
}

#[test]
fn the_key_that_shows_an_address_does_not_open_it() {
    let mut stage = Stage::chatting(80, 24);
    stage.says("general", "carol", "https://example.com/a");
    stage.effects.clear();
    stage.press("Ctrl-Up o o o");
    assert!(stage.effects.is_empty() && stage.shows("Open a link"), "{}", stage.picture());
    stage.press("y");
    assert_eq!(stage.effects, [Effect::Open("https://example.com/a".to_owned())]);
}

#[test]
fn markdown_80x24() {
    let mut stage = Stage::chatting(80, 24);
    stage.says("general", "carol", "a *bold* _one_, `code`, 2*3*4 and snake_case:\n```rust\nfn  main() {\n    *x* = \"a line of code that is longer than there are cells in its row\";\n}\n```\nsee https://example.com/a_b.");
    stage.says(
        "general",
        "alice",
        "> a quote of *somebody* that goes on and on, over more than the one row that there is\nno",
    );
    stage.enters("mine `as *written*`");
    insta::assert_snapshot!(stage.picture());
    stage.effects.clear();
    stage.press("Ctrl-Up c");
    assert_eq!(stage.effects, [Effect::Copy("mine `as *written*`".to_owned())], "copied as it was said");
}
