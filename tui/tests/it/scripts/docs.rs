//! docs/scripts.md: every example is run, and every exit code stands in its table.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use chat_tui::exit::Exit;
use chat_tui::net::event::Transport;
use tokio::process::Command;

use super::{Place, text};
use crate::fake::within;

const PAGE: &str = include_str!("../../../../docs/scripts.md");

/// The lines to run, each with the exit code it is to have.
fn examples() -> impl Iterator<Item = (&'static str, i32)> {
    PAGE.lines().filter_map(|line| line.strip_prefix("$ ")).map(|line| match line.split_once("# exit ") {
        Some((command, code)) => (command, code.trim().parse().unwrap()),
        None => (line, 0),
    })
}

#[tokio::test]
async fn the_examples_do_what_the_page_says() {
    let place = Place::start(1);
    let program = Path::new(env!("CARGO_BIN_EXE_chat-tui")).parent().unwrap().display().to_string();
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("scripts-page");
    std::fs::create_dir_all(&home).unwrap();
    assert!(examples().count() >= 14);
    for (example, code) in examples() {
        let mut shell = Command::new("sh");
        shell.args(["-c", example]).current_dir(&home).kill_on_drop(true).stdin(Stdio::null());
        shell.env("PATH", format!("{program}:{}", std::env::var("PATH").unwrap()));
        shell.env("CHAT_TUI_HOST", place.host(Transport::Tcp));
        shell.env("XDG_STATE_HOME", home.join("state")).env("USER", "alice");
        let output = within(example, shell.output()).await.unwrap();
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{example}:\n{said}");
    }
}

/// What a real bash makes of a line that is not finished.
const COMPLETE: &str = r#"
eval "$(chat-tui completions bash)"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
"$(complete -p chat-tui | grep -o '_chat[a-z_]*')" chat-tui "${@: -1}" "${@: -2:1}"
echo "${COMPREPLY[@]}"
"#;

#[tokio::test]
async fn bash_completes_commands_and_their_flags() {
    let program = Path::new(env!("CARGO_BIN_EXE_chat-tui")).parent().unwrap().display().to_string();
    for (line, expected) in [
        (&["chat-tui", "t"][..], "tail"),
        (&["chat-tui", "tail", "--s"], "--since"),
        (&["chat-tui", "send", "--mo"], "--most"),
        (&["chat-tui", "completions", "f"], "fish"),
        (&["chat-tui", "demo"], ""),
    ] {
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", COMPLETE, "bash"]).args(line).stdin(Stdio::null()).kill_on_drop(true);
        bash.env("PATH", format!("{program}:{}", std::env::var("PATH").unwrap()));
        let output = within("bash", bash.output()).await.unwrap();
        assert_eq!(text(&output.stdout).trim(), expected, "{line:?}: {}", text(&output.stderr));
    }
}

#[test]
fn every_exit_code_stands_in_the_table() {
    let exits = [Exit::Done, Exit::Failed, Exit::Usage, Exit::Unacknowledged, Exit::Unsent];
    let signals = [1, 2, 15].map(Exit::Signal);
    let codes: Vec<_> = exits.iter().chain(&signals).map(|exit| exit.code().to_string()).collect();
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let numbers: Vec<_> = rows.filter(|row| row.parse::<u8>().is_ok()).collect();
    assert_eq!(numbers, codes);
}
