//! Owns the programs that are compared: how each is started in a home of its own, made to hold messages, and known to
//! be ready.

use std::path::PathBuf;

use chat_testbed::Terminal;
use portable_pty::CommandBuilder;
use tokio::time::{Duration, Instant};

use crate::feed::{Client, Feed, NODE, ROOM, author, text};

/// Messages that memory is measured with.
pub(crate) const MESSAGES: u64 = 10_000;
/// What stands on the screen behind them.
const END: &str = "these were all";
/// How long a program is left alone before it is taken as settled.
const SETTLES: Duration = Duration::from_secs(2);
/// How big everybody's terminal is.
pub(crate) const SIZE: (u16, u16) = (80, 24);
/// Longest wait for what must come, on a machine with other work.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// A program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Ours,
    Weechat,
    Irssi,
}

/// A program that runs, with the server that ours is on.
pub(crate) struct Running {
    pub(crate) terminal: Terminal,
    /// Kept for as long as the program runs.
    pub(crate) server: Option<(Feed, Client)>,
}

impl Program {
    pub(crate) const ALL: [Self; 3] = [Self::Ours, Self::Weechat, Self::Irssi];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "chat-tui",
            Self::Weechat => "weechat",
            Self::Irssi => "irssi",
        }
    }

    /// Starts it with nobody to talk to: ours dials a port nobody listens on, the others have no server.
    pub(crate) fn start_alone(self) -> anyhow::Result<Terminal> {
        let host = format!("tcp://127.0.0.1:{}", chat_testbed::free_port()?);
        self.start("alone", &host, &[])
    }

    /// Starts it, at rest: ours in a room of a server that is there, the others where they begin.
    pub(crate) async fn start_idle(self) -> anyhow::Result<Running> {
        self.start_on_server("idle", &[]).await
    }

    /// Starts it and makes it hold the messages; comes back when the last one stands on the screen.
    pub(crate) async fn start_full(self) -> anyhow::Result<Running> {
        let mut running = match self {
            Self::Ours => self.start_on_server("full", &[]).await?,
            // It keeps 4,096 lines unless told otherwise, ours 10,000, irssi those of a day.
            Self::Weechat => {
                let keep = "/set weechat.history.max_buffer_lines_number 0";
                let fill = format!("/repeat {MESSAGES} /print -escape {}\\t{}", author(1), text(1));
                let end = format!("/print {END}");
                let commands = ["--run-command", keep, "--run-command", &fill, "--run-command", &end];
                self.start_on_server("full", &commands).await?
            }
            Self::Irssi => {
                let lines = (1..=MESSAGES).map(|n| format!("/echo <{}> {}\n", author(n), text(n)));
                let home = home(self, "full");
                std::fs::create_dir_all(&home)?;
                std::fs::write(home.join("startup"), lines.collect::<String>() + "/echo " + END + "\n")?;
                self.start_on_server("full", &[]).await?
            }
        };
        let mut last = END.to_owned();
        if let Some((_, client)) = &mut running.server {
            // What stands at the end of a line of 80 cells may be wrapped.
            last = format!("{:06} ", client.says(MESSAGES).await);
        }
        until(&mut running.terminal, |terminal| terminal.contents().contains(&last)).await?;
        Ok(running)
    }

    async fn start_on_server(self, place: &str, arguments: &[&str]) -> anyhow::Result<Running> {
        if self != Self::Ours {
            return Ok(Running { terminal: self.start(place, "", arguments)?, server: None });
        }
        let feed = Feed::bind().await;
        let mut terminal = self.start(place, &feed.host(), arguments)?;
        let client = feed.accept().await;
        online(&mut terminal).await;
        // Online is who was welcomed: what is said before it is in the room is not for it.
        terminal.shows("1 user").await;
        Ok(Running { terminal, server: Some((feed, client)) })
    }

    fn start(self, place: &str, host: &str, arguments: &[&str]) -> anyhow::Result<Terminal> {
        let home = home(self, place);
        // It is also where the program is started.
        std::fs::create_dir_all(&home)?;
        let home = home.to_string_lossy().into_owned();
        let mut program = match self {
            Self::Ours => CommandBuilder::new(env!("CARGO_BIN_EXE_chat-tui")),
            Self::Weechat | Self::Irssi => CommandBuilder::new(self.name()),
        };
        match self {
            Self::Ours => program.args(["--host", host, "--room", ROOM, "--name", "dana"]),
            Self::Weechat => program.args(["--dir", &home]),
            Self::Irssi => program.args(["--home", &home]),
        }
        program.args(arguments);
        program.env("LANG", "C.UTF-8");
        program.env("HOME", &home);
        program.env("XDG_STATE_HOME", &home);
        program.env("XDG_CONFIG_HOME", &home);
        Ok(Terminal::start(program, SIZE))
    }
}

impl Running {
    /// Leaves it alone for a while.
    pub(crate) async fn settles(&mut self) {
        rests(&mut self.terminal, SETTLES).await;
    }
}

/// A folder of a program's own, kept from run to run: files that only the first start writes disturb that one alone.
fn home(program: Program, place: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench").join(place).join(program.name())
}

/// Waits until our status line says that it is online.
pub(crate) async fn online(terminal: &mut Terminal) {
    let words = format!("● {NODE}");
    terminal.until(&words, |terminal| terminal.status().contains(&words)).await;
}

/// Reads what a program writes, for this long.
pub(crate) async fn rests(terminal: &mut Terminal, time: Duration) {
    let deadline = Instant::now() + time;
    while terminal.next(deadline).await.is_some() {}
}

/// Reads on until the screen is as wanted.
///
/// # Errors
/// Where it never is.
pub(crate) async fn until(
    terminal: &mut Terminal,
    wanted: impl Fn(&Terminal) -> bool,
) -> anyhow::Result<Instant> {
    let deadline = Instant::now() + DEADLINE;
    let mut at = Instant::now();
    while !wanted(terminal) {
        let output = terminal.next(deadline).await;
        at = output
            .ok_or_else(|| anyhow::anyhow!("the screen never came to it:\n{}", terminal.contents()))?
            .at;
    }
    Ok(at)
}
