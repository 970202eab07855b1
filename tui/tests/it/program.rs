//! The program itself: exit codes, and what stands on standard output and standard error.

use std::path::PathBuf;
use std::process::{Output, Stdio};

use chat_tui::net::event::Transport;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::fake::{Fake, within};

/// A home for state and settings.
pub(crate) fn home(test: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test)
}

/// `chat-tui` with a home of its own.
pub(crate) fn chat_tui(test: &str, args: &[&str]) -> Command {
    let home = home(test);
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-tui"));
    command.args(args).env("XDG_STATE_HOME", &home).env("XDG_CONFIG_HOME", &home);
    command.env("USER", "alice").env_remove("CHAT_TUI_HOST");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Feeds its standard input and waits for its end.
pub(crate) async fn run(mut command: Command, input: &str) -> Output {
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may end without reading: what it says of that is what counts.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    within("the program's end", child.wait_with_output()).await.unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn without_a_server_it_says_both_ways() {
    let output = run(chat_tui("none", &[]), "").await;
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(error.contains("--host HOST") && error.contains("--demo"), "{error}");
}

#[tokio::test]
async fn send_ends_well_only_after_the_acknowledgement() {
    let fake = Fake::bind(Transport::Tcp).await;
    let host = format!("tcp://{}", fake.endpoint().authority());
    let program = run(chat_tui("send", &["--host", &host, "send", "--room", "ops", "-"]), "from a pipe\n");
    let serve = async {
        let mut conn = fake.accept().await;
        let id = conn.greet("node-1").await.client_id.unwrap();
        let message = conn.message().await.unwrap();
        conn.accept_message(&id, &message).await;
        (message.room.unwrap().to_string(), message.content)
    };
    let (output, said) = tokio::join!(program, serve);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(said, ("ops".into(), "from a pipe".into()));
}

#[tokio::test]
async fn send_without_an_acknowledgement_says_why() {
    let fake = Fake::bind(Transport::Tcp).await;
    let host = format!("tcp://{}", fake.endpoint().authority());
    let args = ["--host", &host, "send", "--timeout", "0.5", "hello"];
    let serve = async {
        let mut conn = fake.accept().await;
        conn.greet("node-1").await;
        while conn.message().await.is_some() {}
    };
    let (output, ()) = tokio::join!(run(chat_tui("unsent", &args), ""), serve);
    assert_eq!(output.status.code(), Some(3));
    let error = text(&output.stderr);
    assert!(error.contains("not acknowledged within 500ms (node-1 did not answer)"), "{error}");
}

#[tokio::test]
async fn without_a_terminal_it_speaks_plainly() {
    let fake = Fake::bind(Transport::Ws).await;
    let host = format!("ws://{}/ws", fake.endpoint().authority());
    let serve = async {
        let mut conn = fake.accept().await;
        let hello = conn.greet("node-1").await;
        assert_eq!(hello.name.unwrap().as_str(), "alice");
        let message = conn.message().await.unwrap();
        conn.accept_message(&hello.client_id.unwrap(), &message).await;
        while conn.message().await.is_some() {}
    };
    let (output, ()) = tokio::join!(run(chat_tui("plain", &["--host", &host]), "hi\n"), serve);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines = text(&output.stdout);
    assert!(
        lines.contains("-- connected to node-1 (ws)") && lines.contains("[general] alice: hi"),
        "{lines}"
    );
}
