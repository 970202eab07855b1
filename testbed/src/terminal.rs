//! Owns a program in a real pseudo-terminal: what it writes and when, and what then stands on its screen. Knows no
//! program.

use std::io::{Read, Write};
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// What a screen is to show comes by then. Longer than the longest countdown.
const DEADLINE: Duration = Duration::from_secs(20);

/// The terminal and the program in it, which dies with it.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    output: mpsc::UnboundedReceiver<Output>,
    parser: vt100::Parser,
    /// Every byte that came, also what is no part of the picture.
    written: Vec<u8>,
}

/// What a program wrote at once.
#[derive(Debug)]
pub struct Output {
    /// When it was read.
    pub at: Instant,
    /// What.
    pub bytes: Vec<u8>,
}

impl Terminal {
    /// Starts a program in a terminal of `columns` by `rows`.
    ///
    /// # Panics
    /// Where there is no pseudo-terminal, or no such program: a test cannot go on then.
    pub fn start(mut program: CommandBuilder, (columns, rows): (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).expect("a pseudo-terminal");
        program.env("TERM", "xterm-256color");
        program.env("TZ", "UTC");
        for variable in ["NO_COLOR", "COLORTERM", "CHAT_TUI_HOST"] {
            program.env_remove(variable);
        }
        let child = pair.slave.spawn_command(program).expect("the program starts");
        let keys = pair.master.take_writer().expect("the terminal's keys");
        let (read, output) = mpsc::unbounded_channel();
        let mut reader = pair.master.try_clone_reader().expect("the terminal's output");
        // Ends with the program: then there is nobody on the other side.
        std::thread::spawn(move || {
            let mut bytes = [0; 8_192];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                let output = Output { at: Instant::now(), bytes: bytes[..count].to_vec() };
                if read.send(output).is_err() {
                    break;
                }
            }
        });
        let parser = vt100::Parser::new(rows, columns, 0);
        Self { child, master: pair.master, keys, output, parser, written: Vec::new() }
    }

    /// The program's process, until it has ended.
    pub fn process_id(&self) -> Option<u32> {
        self.child.process_id()
    }

    /// Presses keys.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("the terminal takes keys");
        self.keys.flush().expect("the terminal takes keys");
    }

    /// Types a line and Enter.
    pub fn enter(&mut self, line: &str) {
        self.press(&format!("{line}\r"));
    }

    /// Makes the terminal larger or smaller.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.screen_mut().set_size(rows, columns);
        self.master.resize(size(columns, rows)).expect("the terminal takes a size");
    }

    /// What it shows, as far as was read.
    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.written.extend_from_slice(bytes);
    }

    /// True where these bytes came.
    pub fn heard(&self, bytes: &str) -> bool {
        self.written.windows(bytes.len()).any(|window| window == bytes.as_bytes())
    }

    /// Reads on until the program has written some bytes.
    pub async fn writes(&mut self, bytes: &str) {
        self.until(&format!("{bytes:?}"), |terminal| terminal.heard(bytes)).await;
    }

    /// The screen as text.
    pub fn contents(&self) -> String {
        self.screen().contents()
    }

    /// The status line: the second from below.
    pub fn status(&self) -> String {
        let (rows, columns) = self.screen().size();
        self.screen().rows(0, columns).nth(usize::from(rows) - 2).unwrap_or_default()
    }

    /// What the program writes next, which the screen shows then; none where nothing comes by `deadline`, or the
    /// program has ended.
    pub async fn next(&mut self, deadline: Instant) -> Option<Output> {
        let output = timeout_at(deadline, self.output.recv()).await.ok()??;
        self.take(&output.bytes);
        Some(output)
    }

    /// Reads on until the screen is as wanted; gives what made it so, or none where it was so before.
    ///
    /// # Panics
    /// When it is not by the deadline, or the program ends before.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) -> Option<Output> {
        let deadline = Instant::now() + DEADLINE;
        let mut last = None;
        while !wanted(self) {
            last = self.next(deadline).await;
            assert!(last.is_some(), "waited in vain for {what}; the screen:\n{}", self.contents());
        }
        last
    }

    /// Reads on until the screen shows a text.
    pub async fn shows(&mut self, text: &str) {
        self.until(text, |terminal| terminal.contents().contains(text)).await;
    }

    /// Waits for the program's end.
    ///
    /// # Panics
    /// When it does not end by the deadline.
    pub async fn end(&mut self) -> ExitStatus {
        let rest = timeout(DEADLINE, async {
            while let Some(output) = self.output.recv().await {
                self.take(&output.bytes);
            }
        });
        rest.await.expect("the program ends");
        self.child.wait().expect("the program is waited for")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails only where it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}
