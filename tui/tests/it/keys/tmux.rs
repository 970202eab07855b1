//! Owns a real tmux of its own with a shell in it: keys go in as `send-keys` sends them, the screen is what
//! `capture-pane` shows. tmux tells when something was written there, so that nobody looks without a reason. Everything
//! ends with the value, or with the test's process. Knows no chat.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout_at};

use crate::fake::within;

/// What a screen is to show comes by then.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(20);
/// What the shell says when it waits for a line.
pub(super) const PROMPT: &str = "shell>";
/// Columns and rows: wide enough for the users, too small for the link panel.
pub(super) const SIZE: (usize, usize) = (100, 30);

/// How the server is set up; it ends when nobody looks at it any more, whatever became of the test.
const SETTINGS: &str = "\
set -g default-terminal tmux-256color
set -g default-size 100x30
set -g status off
set -s escape-time 0
set -s set-clipboard on
set -s exit-unattached on
";

/// Keys that tmux sends as others: the bytes of terminals that tell them apart.
const RAW: [(&str, &str); 3] = [
    // tmux sends Enter for it unless the program asks for modified keys.
    ("Shift-Enter", "\x1b[13;2u"),
    // tmux sends the byte of Ctrl-7 for both.
    ("Ctrl-_", "\x1b[95;5u"),
    ("Ctrl-/", "\x1b[47;5u"),
];

/// What the program calls a key, and tmux.
const NAMES: [(&str, &str); 8] = [
    // The byte 0x1f: what terminals send for Ctrl-7.
    ("Ctrl-7", "C-_"),
    ("Ctrl-", "C-"),
    ("Alt-", "M-"),
    ("Esc", "Escape"),
    ("Backspace", "BSpace"),
    ("Delete", "DC"),
    ("PgUp", "PPage"),
    ("PgDn", "NPage"),
];

/// A tmux and what is connected to it.
pub(super) struct Tmux {
    folder: PathBuf,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Something was written to the screen since it was looked at.
    is_stale: bool,
}

/// What is seen at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) rows: Vec<String>,
    /// A program has the screen, not the shell.
    pub(super) alternate: bool,
    /// The program wants the mouse.
    pub(super) mouse: bool,
}

impl Picture {
    pub(super) fn text(&self) -> String {
        self.rows.join("\n")
    }

    pub(super) fn has(&self, text: &str) -> bool {
        self.rows.iter().any(|row| row.contains(text))
    }

    /// Where a text stands first.
    pub(super) fn row_of(&self, text: &str) -> Option<usize> {
        self.rows.iter().position(|row| row.contains(text))
    }

    /// The lowest row that is not empty.
    pub(super) fn last(&self) -> &str {
        self.rows.iter().rfind(|row| !row.is_empty()).map_or("", String::as_str)
    }
}

impl Tmux {
    /// A shell with these variables besides those of the test.
    pub(super) async fn start(variables: &[(&str, String)]) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        // A socket's path has to be short.
        let folder = std::env::temp_dir().join(format!("chat-keys-{}-{number}", std::process::id()));
        // What a killed run of the same number may have left is nobody's.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("conf"), SETTINGS).unwrap();
        let mut command = Command::new("tmux");
        command.arg("-S").arg(folder.join("socket")).arg("-f").arg(folder.join("conf"));
        command.args(["-u", "-C", "new-session", "exec sh"]);
        command.env("SHELL", "/bin/sh").env("PS1", format!("{PROMPT} ")).env("TZ", "UTC");
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        for variable in ["ENV", "NO_COLOR", "COLORTERM", "CHAT_TUI_HOST", "TMUX", "VTE_VERSION"] {
            command.env_remove(variable);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("tmux: cargo xtask test installs it");
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut tmux = Self { folder, child, input, output, is_stale: true };
        tmux.resize(SIZE).await;
        tmux.until("the shell", |picture| picture.last() == PROMPT).await;
        tmux
    }

    /// Makes the terminal larger or smaller.
    pub(super) async fn resize(&mut self, (columns, rows): (usize, usize)) {
        self.ask(&format!("refresh-client -C {columns}x{rows}")).await;
    }

    /// Presses a key, by the program's name for it.
    pub(super) async fn press(&mut self, key: &str) {
        if let Some((_, bytes)) = RAW.iter().find(|(name, _)| *name == key) {
            return self.raw(bytes).await;
        }
        let name = NAMES.iter().fold(key.to_owned(), |name, (ours, theirs)| name.replace(ours, theirs));
        // With Ctrl held terminals do not tell capitals.
        let name = name.strip_prefix("C-").map_or(name.clone(), |rest| format!("C-{}", rest.to_lowercase()));
        self.ask(&format!("send-keys {}", quoted(&name))).await;
    }

    /// Sends bytes, whatever they are.
    pub(super) async fn raw(&mut self, bytes: &str) {
        let hex: Vec<String> = bytes.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.ask(&format!("send-keys -H {}", hex.join(" "))).await;
    }

    /// Types letters.
    pub(super) async fn write(&mut self, text: &str) {
        self.ask(&format!("send-keys -l {}", quoted(text))).await;
    }

    /// Types a line and Enter.
    pub(super) async fn enter(&mut self, line: &str) {
        self.write(line).await;
        self.press("Enter").await;
    }

    /// What was copied last: tmux is the terminal, it has the clipboard.
    pub(super) async fn clipboard(&mut self) -> String {
        self.ask("show-buffer").await.join("\n")
    }

    /// Forgets what was copied.
    pub(super) async fn empty_clipboard(&mut self) {
        self.ask("delete-buffer").await;
    }

    /// Writes to the screen past the program, as a background process would.
    pub(super) async fn scribble(&mut self, text: &str) {
        let tty = self.ask("display-message -p '#{pane_tty}'").await.concat();
        std::fs::write(tty, text).unwrap();
    }

    /// What is seen now.
    pub(super) async fn picture(&mut self) -> Picture {
        self.is_stale = false;
        let rows = self.ask("capture-pane -p").await;
        let modes = self.ask("display-message -p '#{alternate_on} #{mouse_any_flag}'").await.concat();
        let rows = rows.iter().map(|row| row.trim_end().to_owned()).collect();
        Picture { rows, alternate: modes.starts_with('1'), mouse: modes.ends_with('1') }
    }

    /// What is seen now with its colours, as a terminal is told of them.
    pub(super) async fn colours(&mut self) -> String {
        self.ask("capture-pane -e -p").await.join("\n")
    }

    /// Waits until what is seen is as wanted.
    pub(super) async fn until(&mut self, what: &str, wanted: impl Fn(&Picture) -> bool) -> Picture {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let picture = self.picture().await;
            if wanted(&picture) {
                return picture;
            }
            while !self.is_stale {
                let Ok(line) = timeout_at(deadline, self.line()).await else {
                    panic!("waited in vain for {what}; the screen:\n{}", picture.text());
                };
                self.told(&line);
            }
        }
    }

    /// The next line of tmux's. Not always text: what the program wrote may be told in pieces of letters.
    async fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.output.read_until(b'\n', &mut line).await.unwrap();
        assert!(line.pop().is_some(), "tmux ended");
        String::from_utf8_lossy(&line).into_owned()
    }

    fn told(&mut self, line: &str) {
        self.is_stale |= line.starts_with("%output");
    }

    /// Has tmux do something; gives what it says.
    async fn ask(&mut self, command: &str) -> Vec<String> {
        self.input.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        within(command, async {
            let (mut answer, mut is_ours) = (Vec::new(), false);
            loop {
                let line = self.line().await;
                // The last number is 1 in answers to what was written here.
                if line.starts_with("%begin ") {
                    is_ours = line.ends_with(" 1");
                } else if line.starts_with("%end ") && is_ours {
                    return answer;
                } else if line.starts_with("%error ") && is_ours {
                    panic!("{command}: {}", answer.join("\n"));
                } else if is_ours {
                    answer.push(line);
                } else {
                    self.told(&line);
                }
            }
        })
        .await
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // It may have ended, and its server goes with it.
        let _ = self.child.start_kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// As tmux reads it as one word.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
