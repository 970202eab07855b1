//! Owns where the program is started for a picture, when its screen is worth one, and where that goes. Knows nothing
//! of what it shows.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use chat_testbed::Terminal;
use portable_pty::CommandBuilder;
use tokio::time::Instant;

use super::svg;

/// What a picture waits for comes by then: the longest is a demo's talk, said twice.
const DEADLINE: Duration = Duration::from_secs(90);
/// What ends a frame: the end of a synchronized update.
const FRAME_END: &[u8] = b"\x1b[?2026l";
/// A picture is looked at on a page, with others.
const BYTES_MAX: usize = 60_000;

/// The pictures' folder, and the program.
pub(crate) struct Album {
    folder: PathBuf,
    program: PathBuf,
    /// Where each run has its state: nothing of the user's is in a picture.
    homes: PathBuf,
}

impl Album {
    pub(crate) fn open(folder: PathBuf) -> Self {
        // target/debug/examples/pictures stands beside target/debug/chat-tui.
        let mut target = std::env::current_exe().unwrap();
        target.pop();
        target.pop();
        let homes = std::env::temp_dir().join(format!("chat-tui-pictures-{}", std::process::id()));
        Self { folder, program: target.join("chat-tui"), homes }
    }

    /// The program's command line in a home of its own, and with these variables.
    fn words(&self, home: &str, variables: &[&str], arguments: &[&str]) -> Vec<String> {
        let home = self.homes.join(home);
        let mut words: Vec<String> =
            ["CONFIG", "STATE"].iter().map(|kind| format!("XDG_{kind}_HOME={}", home.display())).collect();
        words.extend(variables.iter().map(|variable| (*variable).to_owned()));
        words.push(self.program.display().to_string());
        words.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        words
    }

    /// The program for a terminal, which takes some variables away: `env` sets them there.
    pub(crate) fn screen(&self, home: &str, variables: &[&str], arguments: &[&str]) -> CommandBuilder {
        let mut command = CommandBuilder::new("env");
        command.args(self.words(home, variables, arguments));
        command
    }

    /// The demo, with a name.
    pub(crate) fn demo(&self, home: &str, variables: &[&str], arguments: &[&str]) -> CommandBuilder {
        self.screen(home, variables, &[&["--demo", "--name", "maya"], arguments].concat())
    }

    /// The program without a terminal.
    pub(crate) fn plain(&self, home: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("env");
        command.args(self.words(home, &[], &[&["--plain"], arguments].concat()));
        command
    }

    /// Keeps what the terminal shows.
    pub(crate) fn save(&self, name: &str, title: &str, terminal: &Terminal) {
        let path: &Path = &self.folder.join(name);
        let picture = svg::picture(terminal.screen(), title);
        println!("{:>6} {name}: {}", picture.len(), terminal.status().trim());
        assert!(picture.len() < BYTES_MAX, "{name} has {} bytes", picture.len());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, picture).unwrap();
    }
}

impl Drop for Album {
    fn drop(&mut self) {
        // Where no run has left anything, there is nothing to remove.
        drop(std::fs::remove_dir_all(&self.homes));
    }
}

/// Waits until the screen is as wanted and drawn to its end, the cursor in the input.
pub(crate) async fn rests(terminal: &mut Terminal, what: &str, wanted: impl Fn(&Terminal) -> bool) {
    let deadline = Instant::now() + DEADLINE;
    let rests = |terminal: &Terminal| {
        let (rows, _) = terminal.screen().size();
        terminal.screen().cursor_position().0 == rows - 1 && wanted(terminal)
    };
    let mut is_whole = true;
    while !(is_whole && rests(terminal)) {
        let output = terminal.next(deadline).await;
        let output = output.unwrap_or_else(|| panic!("waited in vain for {what}:\n{}", terminal.contents()));
        is_whole = output.bytes.ends_with(FRAME_END);
    }
}

/// Waits until the screen shows a text.
pub(crate) async fn shows(terminal: &mut Terminal, text: &str) {
    rests(terminal, text, |terminal| terminal.contents().contains(text)).await;
}

/// Waits until the status line says all of this.
pub(crate) async fn says(terminal: &mut Terminal, texts: &[&str]) {
    let says = |terminal: &Terminal| texts.iter().all(|text| terminal.status().contains(text));
    rests(terminal, &texts.join(" and "), says).await;
}
