//! The program in a real terminal: what a person sees while servers die.

use chat_protocol::NodeId;
use chat_testbed::{RedisOptions, RedisServer};
use chat_tui::net::event::{OutId, Transport};
use portable_pty::CommandBuilder;

use crate::cluster::{NODES, RateLimit, TestCluster};
use crate::program::home;
use crate::pty::Terminal;
use crate::talk::{Client, ROOM};

const F9: &str = "\x1b[20~";
const CTRL_D: &str = "\x04";
const ALT_R: &str = "\x1br";
const ALT_L: &str = "\x1bl";
const CTRL_UP: &str = "\x1b[1;5A";

/// `chat-tui` with a home of its own.
pub(crate) fn chat_tui(test: &str, args: &[&str]) -> CommandBuilder {
    let mut program = CommandBuilder::new(env!("CARGO_BIN_EXE_chat-tui"));
    program.args(args);
    // A test sets the one that it is about.
    for variable in ["TMUX", "VTE_VERSION"] {
        program.env_remove(variable);
    }
    program.env("XDG_STATE_HOME", home(test));
    program.env("XDG_CONFIG_HOME", home(test));
    program
}

/// `chat-tui` in the room of a cluster.
fn on(test: &str, cluster: &TestCluster) -> CommandBuilder {
    chat_tui(test, &["--host", &format!("tcp://{}", cluster.tcp()), "--name", "dana", "--room", ROOM])
}

/// The node the status line says we are on, once it says so.
async fn online(terminal: &mut Terminal) -> NodeId {
    let node = |terminal: &Terminal| {
        let status = terminal.status();
        let name = status.trim().strip_prefix("● ")?.split(' ').next()?;
        NodeId::parse(name).ok()
    };
    terminal.until("a node in the status line", |terminal| node(terminal).is_some()).await;
    node(terminal).unwrap()
}

/// What the status line says was recovered, once it says that nothing else was.
async fn recovered(terminal: &mut Terminal) -> u64 {
    let count = |terminal: &Terminal| {
        let status = terminal.status();
        let (before, _) = status.split_once(" recovered, 0 lost, 0 dup")?;
        before.rsplit_once('+')?.1.parse().ok()
    };
    terminal.until("\"N recovered, 0 lost, 0 dup\"", |terminal| count(terminal).is_some()).await;
    count(terminal).unwrap()
}

#[track_caller]
fn check_once(terminal: &Terminal, texts: &[&str]) {
    let contents = terminal.contents();
    for text in texts {
        assert_eq!(contents.matches(text).count(), 1, "{text}:\n{contents}");
    }
}

async fn quits(terminal: &mut Terminal) {
    terminal.press(CTRL_D);
    assert!(terminal.end().await.success());
    let screen = terminal.screen();
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_dies_then_all_and_every_message_is_there_once() {
    let mut cluster = TestCluster::start(RateLimit::AsConfigured);
    let mut terminal = Terminal::start(on("dies", &cluster), (80, 24));
    let lost = online(&mut terminal).await;
    let mut talker = Client::start(1, cluster.endpoint(Transport::Tcp));
    let elsewhere = talker.entered().await.node;
    assert_ne!(lost, elsewhere, "the front-end spreads two clients over two nodes");
    terminal.enter("good evening");
    terminal.shows("dana      good evening").await;
    talker.say(OutId(1), "hello dana").await;
    terminal.shows("hello dana").await;

    // The node hears nothing of this any more; then it dies.
    let hanging = cluster.index(&lost);
    cluster.hang(hanging);
    talker.say(OutId(2), "said into the gap").await;
    cluster.kill(hanging);
    assert!(recovered(&mut terminal).await >= 1);
    assert_ne!(online(&mut terminal).await, lost);
    terminal.shows("said into the gap").await;
    check_once(&terminal, &["good evening", "hello dana", "said into the gap"]);

    (0..NODES).for_each(|index| cluster.kill(index));
    terminal.shows("! OFFLINE").await;
    terminal.enter("typed while nobody listens");
    terminal.shows("queued 1").await;
    terminal.shows("… queued").await;
    terminal.until("a countdown", |terminal| terminal.status().contains("s [Alt-r now]")).await;
    (0..NODES).for_each(|index| cluster.revive(index));
    terminal.press(ALT_R);
    recovered(&mut terminal).await;
    terminal.until("nothing queued", |terminal| !terminal.contents().contains("queued")).await;
    talker.say(OutId(3), "all back").await;
    terminal.shows("all back").await;
    check_once(
        &terminal,
        &["good evening", "hello dana", "said into the gap", "typed while nobody listens", "all back"],
    );
    quits(&mut terminal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tiny_terminal_works_and_grows() {
    let cluster = TestCluster::start(RateLimit::AsConfigured);
    let mut terminal = Terminal::start(on("tiny", &cluster), (20, 5));
    terminal.shows("node-").await;
    terminal.enter("small");
    terminal.shows("small").await;
    terminal.resize(80, 24);
    terminal.until("the rooms", |terminal| terminal.status().contains("F1 help")).await;
    check_once(&terminal, &["small"]);
    terminal.resize(20, 5);
    terminal.until("the small screen", |terminal| !terminal.contents().contains("F1 help")).await;
    terminal.enter("again");
    terminal.shows("again").await;
    quits(&mut terminal).await;
}

#[tokio::test]
async fn the_demo_breaks_and_mends() {
    let mut terminal = Terminal::start(chat_tui("demo", &["--demo", "--name", "dana"]), (80, 24));
    terminal.shows("three nodes run in this program").await;
    breaks_and_mends(&mut terminal).await;
}

#[tokio::test]
async fn so_does_the_demo_on_a_redis() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let args = ["--demo", "--redis", &redis.url(), "--name", "dana"];
    let mut terminal = Terminal::start(chat_tui("demo-redis", &args), (80, 24));
    terminal.shows("three nodes run as processes of their own").await;
    breaks_and_mends(&mut terminal).await;
}

async fn breaks_and_mends(terminal: &mut Terminal) {
    let first = online(terminal).await;
    terminal.shows("/kill or F9: your node dies").await;
    for room in ["general", "ops", "random"] {
        terminal.shows(room).await;
    }
    // We are in, and somebody is there to talk while we are away.
    terminal.shows("morning! coffee is ready").await;
    terminal.press(F9);
    assert!(recovered(terminal).await >= 1);
    let second = online(terminal).await;
    assert_ne!(first, second);
    terminal.enter("/kill");
    terminal.until("the next failover", |terminal| terminal.status().contains(&format!("← {second}"))).await;
    assert!(recovered(terminal).await >= 1);
    terminal.enter("/kill all");
    terminal.shows("! OFFLINE").await;
    terminal.enter("typed while all are down");
    terminal.shows("queued 1").await;
    terminal.enter("/revive");
    recovered(terminal).await;
    terminal.until("nothing queued", |terminal| !terminal.contents().contains("queued")).await;
    check_once(terminal, &["typed while all are down"]);
    terminal.enter("/withhold");
    terminal.until("a loss that is counted", |terminal| terminal.status().contains("1 lost")).await;
    quits(terminal).await;
}

/// A folder with a program that stands for the user's browser: it notes what it was to open, and fails.
pub(crate) fn browser(test: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = std::path::PathBuf::from(format!("{}/{test}-bin", env!("CARGO_TARGET_TMPDIR")));
    std::fs::create_dir_all(&folder).unwrap();
    for name in ["xdg-open", "open"] {
        let script =
            format!("#!/bin/sh\nprintf '%s,%s' \"$#\" \"$1\" > '{}/opened'\nexit 3\n", folder.display());
        std::fs::write(folder.join(name), script).unwrap();
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_copies_and_the_bare_view_are_bytes_a_terminal_takes() {
    let cluster = TestCluster::start(RateLimit::AsConfigured);
    let folder = browser("reading");
    let mut program = on("reading", &cluster);
    let path = std::env::var("PATH").unwrap_or_default();
    program.env("PATH", format!("{}:{path}", folder.display()));
    let mut terminal = Terminal::start(program, (80, 24));
    online(&mut terminal).await;
    terminal.enter("see https://example.com/ü now *so*");
    terminal.shows("see https://example.com/ü now so").await;
    terminal.writes(";https://example.com/%C3%BC\x1b\\").await;
    terminal.writes("\x1b]8;;\x1b\\").await;
    terminal.press(CTRL_UP);
    terminal.press("c");
    terminal.writes("\x1b]52;c;c2VlIGh0dHBzOi8vZXhhbXBsZS5jb20vw7wgbm93ICpzbyo=\x1b\\").await;
    terminal.press(CTRL_UP);
    terminal.press("o");
    terminal.shows("Open a link").await;
    terminal.shows("▶https://example.com/%C3%BC").await;
    terminal.press("\r");
    terminal.shows("could not open it (exit status: 3)").await;
    let opened = std::fs::read_to_string(folder.join("opened")).unwrap();
    assert_eq!(opened, "1,https://example.com/%C3%BC", "one argument, and no shell");
    let long = format!("a line {}end", "that goes on ".repeat(8));
    terminal.enter(&long);
    terminal.shows("end").await;
    terminal.press(ALT_L);
    terminal.until("no frames", |terminal| !terminal.contents().contains("Rooms")).await;
    // The terminal has broken the line itself: what is copied there is one.
    assert_eq!(terminal.contents().trim_end(), format!("see https://example.com/ü now *so*\n{long}"));
    terminal.press("\x1b");
    terminal.until("the frames", |terminal| terminal.status().contains("F1 help")).await;
    quits(&mut terminal).await;
}

#[tokio::test]
async fn a_panic_beside_the_main_thread_ends_the_program_and_is_read() {
    let mut terminal = Terminal::start(chat_tui("panic", &["--demo", "--name", "dana"]), (80, 24));
    terminal.shows("F1 help").await;
    // No terminal sends these: its cells begin at 1, and the reader of keys subtracts.
    terminal.press("\x1b[<0;0;0M");
    terminal.shows("panicked").await;
    assert_eq!(terminal.end().await.exit_code(), 101);
}
