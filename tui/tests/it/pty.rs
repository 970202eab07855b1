//! A program in a real pseudo-terminal, and what stands on its screen.

use std::io::{Read, Write};
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// What a screen is to show comes by then. Longer than the longest countdown.
const DEADLINE: Duration = Duration::from_secs(20);

/// The terminal and the program in it, which dies with it.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    output: mpsc::UnboundedReceiver<Vec<u8>>,
    parser: vt100::Parser,
    /// Every byte that came, also what is no part of the picture.
    written: Vec<u8>,
}

impl Terminal {
    /// Starts a program in a terminal of `columns` by `rows`.
    pub(crate) fn start(mut program: CommandBuilder, (columns, rows): (u16, u16)) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        program.env("TERM", "xterm-256color");
        program.env("TZ", "UTC");
        for variable in ["NO_COLOR", "COLORTERM", "CHAT_TUI_HOST", "TMUX", "VTE_VERSION"] {
            program.env_remove(variable);
        }
        let child = pair.slave.spawn_command(program).unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (read, output) = mpsc::unbounded_channel();
        let mut reader = pair.master.try_clone_reader().unwrap();
        // Ends with the program: then there is nobody on the other side.
        std::thread::spawn(move || {
            let mut bytes = [0; 8_192];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if read.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            master: pair.master,
            keys,
            output,
            parser: vt100::Parser::new(rows, columns, 0),
            written: Vec::new(),
        }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Types a line and Enter.
    pub(crate) fn enter(&mut self, line: &str) {
        self.press(&format!("{line}\r"));
    }

    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.screen_mut().set_size(rows, columns);
        self.master.resize(size(columns, rows)).unwrap();
    }

    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.written.extend_from_slice(bytes);
    }

    /// True where these bytes came.
    pub(crate) fn heard(&self, bytes: &str) -> bool {
        self.written.windows(bytes.len()).any(|window| window == bytes.as_bytes())
    }

    pub(crate) fn contents(&self) -> String {
        self.screen().contents()
    }

    /// Reads on until the program has written some bytes.
    pub(crate) async fn writes(&mut self, bytes: &str) {
        self.until(&format!("{bytes:?}"), |terminal| terminal.heard(bytes)).await;
    }

    /// The status line: the second from below.
    pub(crate) fn status(&self) -> String {
        let (rows, columns) = self.screen().size();
        self.screen().rows(0, columns).nth(usize::from(rows) - 2).unwrap_or_default()
    }

    /// Reads on until the screen is as wanted.
    pub(crate) async fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let came = timeout(DEADLINE, async {
            while !wanted(self) {
                let Some(bytes) = self.output.recv().await else { return false };
                self.take(&bytes);
            }
            true
        });
        let came = came.await;
        assert!(came == Ok(true), "waited in vain for {what} ({came:?}); the screen:\n{}", self.contents());
    }

    /// Reads on until the screen shows a text.
    pub(crate) async fn shows(&mut self, text: &str) {
        self.until(text, |terminal| terminal.contents().contains(text)).await;
    }

    /// Waits for the program's end.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        let rest = timeout(DEADLINE, async {
            while let Some(bytes) = self.output.recv().await {
                self.take(&bytes);
            }
        });
        rest.await.expect("the program ends");
        self.child.wait().unwrap()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails only where it has ended by itself.
        let _ = self.child.kill();
    }
}

fn size(cols: u16, rows: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}
