//! The program and its settings: where they are, what they change, and what is said where they cannot be.

use std::path::PathBuf;
use std::process::Output;

use chat_tui::net::event::{OutId, Transport};

use crate::cluster::{RateLimit, TestCluster};
use crate::fake::Fake;
use crate::program::{chat_tui, home, run, text};
use crate::pty::Terminal;
use crate::talk::{Client, ROOM};
use crate::terminal;

const CTRL_D: &str = "\x04";
const F1: &str = "\x1bOP";
const F12: &str = "\x1b[24~";
/// The terminal is asked to tell its focus, and tells that it lost it.
const FOCUS_WANTED: &str = "\x1b[?1004h";
const FOCUS_LOST: &str = "\x1b[O";

/// Gives a test a home with these settings and nothing else.
fn set(test: &str, settings: Option<&str>) -> PathBuf {
    let directory = home(test).join("chat-tui");
    // There may be none yet.
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("config.toml");
    if let Some(settings) = settings {
        std::fs::write(&path, settings).unwrap();
    }
    path
}

async fn ends(test: &str, args: &[&str], code: i32) -> (String, String) {
    let Output { status, stdout, stderr } = run(chat_tui(test, args), "").await;
    let (stdout, stderr) = (text(&stdout), text(&stderr));
    assert_eq!(status.code(), Some(code), "{args:?}: {stdout}{stderr}");
    (stdout, stderr)
}

#[tokio::test]
async fn settings_are_found_written_and_shown() {
    let path = set("config", None);
    let shown = path.display().to_string();
    assert_eq!(ends("config", &["config", "path"], 0).await.0, format!("{shown}\n"));
    assert!(ends("config", &["config", "show"], 0).await.0.contains("not there: config init writes it"));
    assert!(ends("config", &["config", "init"], 0).await.0.contains(&shown));
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(ends("config", &["config", "init"], 1).await.1.contains("is there already"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), written);
    let told = ends("config", &["--ascii", "config", "show"], 0).await.0;
    let line = |start: &str| told.lines().find(|line| line.starts_with(start)).unwrap_or_default().to_owned();
    assert!(line("theme = ").ends_with("# default") && line("ascii = true").ends_with("# --ascii"), "{told}");
    assert!(told.ends_with("# goes nowhere: no --host, no CHAT_TUI_HOST, no server\n"), "{told}");
    let elsewhere = path.with_file_name("other.toml").display().to_string();
    assert_eq!(
        ends("config", &["config", "path", "--config", &elsewhere], 0).await.0,
        format!("{elsewhere}\n")
    );
}

#[tokio::test]
async fn whoever_reads_what_is_printed_may_go() {
    set("unread", None);
    for args in [
        &["config", "show"][..],
        &["config", "path"],
        &["config", "init"],
        &["man"],
        &["completions", "bash"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = chat_tui("unread", args);
        command.stdout(writer);
        let Output { status, stderr, .. } = run(command, "").await;
        assert_eq!((status.code(), text(&stderr)), (Some(0), String::new()), "{args:?}");
    }
}

#[tokio::test]
async fn a_mistake_ends_the_program_before_it_has_begun() {
    let path = set("mistake", Some("theme = \"dark\"\nhihglight = [\"x\"]\n"));
    let expected =
        format!("chat-tui: {}:2: unknown key \"hihglight\": did you mean \"highlight\"?\n", path.display());
    for args in [
        &["--host", "127.0.0.1:1"][..],
        &["--demo", "--plain"],
        &["--host", "a", "send", "x"],
        &["config", "show"],
    ] {
        assert_eq!(ends("mistake", args, 2).await, (String::new(), expected.clone()));
    }
    let left: Vec<_> =
        std::fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [path], "no state was touched");
}

/// Settings with two servers, the second of them meant where nothing is said.
async fn two(test: &str) -> (Fake, Fake) {
    let (work, home) = (Fake::bind(Transport::Tcp).await, Fake::bind(Transport::Tcp).await);
    let host = |fake: &Fake| format!("tcp://{}", fake.endpoint().authority());
    let settings = format!(
        "server = \"home\"\n[servers.work]\nhost = [{:?}]\nname = \"bob\"\nrooms = [\"ops\"]\n[servers.home]\nhost = {:?}\n",
        host(&work),
        host(&home)
    );
    set(test, Some(&settings));
    (work, home)
}

/// Sends a message and gives who said it and where, at a server.
async fn sends(test: &str, args: &[&str], fake: &Fake) -> (String, String) {
    let program = run(chat_tui(test, args), "");
    let serve = async {
        let mut conn = fake.accept().await;
        let hello = conn.greet("node-1").await;
        let message = conn.message().await.unwrap();
        conn.accept_message(&hello.client_id.unwrap(), &message).await;
        (hello.name.unwrap().to_string(), message.room.unwrap().to_string())
    };
    let (output, said) = tokio::join!(program, serve);
    assert!(output.status.success(), "{}", text(&output.stderr));
    said
}

#[tokio::test]
async fn servers_go_by_their_names() {
    let (work, home) = two("servers").await;
    let said = |name: &str, room: &str| (name.to_owned(), room.to_owned());
    assert_eq!(sends("servers", &["send", "x"], &home).await, said("alice", "general"));
    assert_eq!(sends("servers", &["work", "send", "x"], &work).await, said("bob", "ops"));
    let flags = ["work", "--name", "carol", "send", "--room", "random", "x"];
    assert_eq!(sends("servers", &flags, &work).await, said("carol", "random"));
    let host = format!("tcp://{}", work.endpoint().authority());
    // Another place is not the named one, even where it is the same; the name is the last one there.
    assert_eq!(sends("servers", &["--host", &host, "send", "x"], &work).await, said("carol", "general"));

    let (_, error) = ends("servers", &["wrok"], 2).await;
    assert!(
        error.contains("there is no server \"wrok\": did you mean \"work\"? there are home, work"),
        "{error}"
    );
    let (_, error) = ends("servers", &["work", "--demo"], 2).await;
    assert!(error.contains("without --host and --demo"), "{error}");
    let (told, _) = ends("servers", &["work", "--name", "dave", "config", "show"], 0).await;
    assert!(
        told.contains(&format!(
            "# goes to {host}: [servers.work]\n# as dave: --name\n# into #ops: [servers.work]\n"
        )),
        "{told}"
    );
}

#[tokio::test]
async fn the_screen_is_as_set() {
    set(
        "screen",
        Some("theme = \"light\"\nmouse = true\n[keys]\nhelp = [\"f12\"]\n[panes]\nrooms = false\n"),
    );
    let mut terminal = Terminal::start(terminal::chat_tui("screen", &["--demo", "--name", "dana"]), (80, 24));
    terminal.shows("F12 help").await;
    let white = vt100::Color::Idx(231);
    let ground = |terminal: &Terminal, at: (u16, u16)| terminal.screen().cell(at.0, at.1).unwrap().bgcolor();
    assert_eq!([(0, 0), (10, 79), (23, 40)].map(|at| ground(&terminal, at)), [white; 3]);
    assert!(!terminal.contents().contains("Rooms"));
    assert_ne!(terminal.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    terminal.press(F1);
    terminal.press(F12);
    terminal.shows("Esc closes").await;
    terminal.press(F12);
    terminal.enter("/theme high-contrast");
    terminal.until("a black ground", |terminal| ground(terminal, (0, 0)) == vt100::Color::Idx(16)).await;
    terminal.press(CTRL_D);
    assert!(terminal.end().await.success());
    assert_eq!(terminal.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_looks_elsewhere_is_told() {
    set("told", Some("[notifications]\nhow = [\"osc9\"]\n"));
    let cluster = TestCluster::start(RateLimit::AsConfigured);
    let host = format!("tcp://{}", cluster.tcp());
    let mut program = terminal::chat_tui("told", &["--host", &host, "--name", "dana", "--room", ROOM]);
    program.env("TMUX", "/tmp/tmux-0/default,1,0");
    let mut terminal = Terminal::start(program, (80, 24));
    terminal.shows("F1 help").await;
    let mut talker = Client::start(1, cluster.endpoint(Transport::Tcp));
    talker.entered().await;
    talker.say(OutId(1), "dana: in front").await;
    terminal.shows("dana: in front").await;
    assert!(terminal.heard(FOCUS_WANTED) && !terminal.heard("]9;"), "it is there to be seen");
    terminal.press(FOCUS_LOST);
    // What is typed behind it has come when it is shown.
    terminal.press("x");
    terminal.shows("] x").await;
    talker.say(OutId(2), "dana: behind").await;
    terminal.shows("dana: behind").await;
    terminal
        .until("the notification", |terminal| {
            terminal.heard(&format!("\x1bPtmux;\x1b\x1b]9;#{ROOM} "))
                && terminal.heard(": dana: behind\x07\x1b\\")
        })
        .await;
}
