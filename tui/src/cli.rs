//! Owns the command line: what there is, what it means, and what is said when it makes no sense. What is
//! done then is `main`'s.

mod scripts;
mod settle;

use std::io::IsTerminal;
use std::path::PathBuf;

use chat_protocol::{NodeId, RoomName, UserName};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Settings;
use crate::net::endpoint::{Endpoint, EndpointError, TransportChoice, parse};
pub use scripts::{CompletionsArgs, DoctorArgs, SendArgs, TailArgs};

/// What says `--host` where no flag does.
const HOST_VARIABLE: &str = "CHAT_TUI_HOST";

const EXAMPLES: &str = "\
Examples:
  chat-tui --demo                       a cluster in this process: /kill a node
  chat-tui --host lb.example.com        TCP, else WebSocket
  chat-tui --host ws://lb.example.com:8000/ws --name alice --room ops
  dmesg | chat-tui --host lb.example.com send --room ops -
  chat-tui --host lb.example.com tail --since 10m --json | jq .content
  chat-tui --host lb.example.com doctor";

/// A terminal chat on a cluster of servers that survives losing one.
#[derive(Debug, Parser)]
#[command(name = "chat-tui", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    /// A server by its name in config.toml
    #[arg(value_name = "SERVER")]
    pub named: Option<String>,
    /// What to do instead of opening the chat.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where to go, and as whom.
    #[command(flatten)]
    pub server: ServerArgs,
    /// Room to enter; repeat for more [default: general]
    #[arg(long = "room", value_name = "ROOM", env = settle::ROOMS_VARIABLE, hide_env = true, value_delimiter = ',')]
    pub rooms: Vec<RoomName>,
    /// Lines instead of the full screen (as without terminal)
    #[arg(long)]
    pub plain: bool,
    /// As --plain, but JSON lines as in docs/protocol.md
    #[arg(long)]
    pub json: bool,
    /// Run three nodes in this process; /kill breaks one
    #[arg(long)]
    pub demo: bool,
    /// With --demo: nodes as processes on that Redis
    #[arg(long, value_name = "URL")]
    pub redis: Option<String>,
    /// Play lines of input, with --demo --plain, and exit
    #[arg(long, value_name = "FILE", requires = "demo")]
    pub script: Option<PathBuf>,
    /// Draw with ASCII alone
    #[arg(long)]
    pub ascii: bool,
    /// For screen readers: words, no lines, no motion
    #[arg(long)]
    pub accessible: bool,
    /// Words that count as your name; repeat for more
    #[arg(long, value_name = "WORD", value_delimiter = ',')]
    pub highlight: Vec<String>,
    /// What the settings say of the screen, once they are read.
    #[arg(skip)]
    pub settings: Settings,
}

/// What every command needs to reach a server.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// Load balancer or server, or A,B; also $CHAT_TUI_HOST
    #[arg(long = "host", value_name = "HOST", env = HOST_VARIABLE, hide_env = true, global = true)]
    pub hosts: Vec<String>,
    /// tcp, ws, or auto: as the address says, else both
    #[arg(long, value_enum, hide_possible_values = true, value_name = "WAY", global = true,
        env = settle::TRANSPORT_VARIABLE, hide_env = true)]
    pub transport: Option<TransportChoice>,
    /// The name to ask for [default: $USER]
    #[arg(long, value_name = "NAME", global = true, env = settle::NAME_VARIABLE, hide_env = true)]
    pub name: Option<UserName>,
    /// Write a log there
    #[arg(long, value_name = "PATH", global = true)]
    pub log_file: Option<PathBuf>,
    /// The settings; also $CHAT_TUI_CONFIG
    #[arg(long, value_name = "PATH", global = true)]
    pub config: Option<PathBuf>,
}

/// What there is beside the chat itself.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send a message; exit 0 only after the cluster has it
    Send(SendArgs),
    /// Print what is said, until it is stopped
    Tail(TailArgs),
    /// Try each step of the way to the servers, and say what is wrong
    Doctor(DoctorArgs),
    /// Print what makes a shell complete this command line
    Completions(CompletionsArgs),
    /// Print the manual page, for man(1)
    Man,
    /// Write, show or find the settings: init, show, path
    Config(ConfigArgs),
    /// Be one of the demo's nodes; the demo starts it
    #[command(hide = true)]
    DemoNode(DemoNodeArgs),
}

const CONFIG_EXAMPLES: &str = "\
Examples:
  chat-tui config init
  chat-tui --host lb.example.com --ascii config show";

/// `chat-tui config`.
#[derive(Debug, Args)]
#[command(after_help = CONFIG_EXAMPLES)]
pub struct ConfigArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What can be done with the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum ConfigCommand {
    /// Write a file with every setting as a comment
    Init,
    /// Print what holds, and where each comes from
    Show,
    /// Print where the file is
    Path,
}

/// `chat-tui demo-node`.
#[derive(Debug, Args)]
pub struct DemoNodeArgs {
    /// Which of them
    #[arg(long, value_name = "NAME")]
    pub node: NodeId,
    /// Where they meet
    #[arg(long, value_name = "URL")]
    pub redis: String,
}

/// How the client shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The full screen.
    Screen,
    /// Lines for people.
    Plain,
    /// Lines for programs.
    Json,
}

/// Where the client goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A cluster somewhere.
    Hosts(Vec<Endpoint>),
    /// The one that it brings along.
    Demo,
    /// Nowhere: it prints something of its own.
    Itself,
    /// Nowhere: it is one of the demo's nodes.
    Node {
        /// Which.
        name: NodeId,
        /// Where they meet.
        redis: String,
    },
}

/// Why a command line makes no sense.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CliError {
    /// A bad `--host`.
    #[error(transparent)]
    Host(#[from] EndpointError),
    /// Neither `--host` nor `--demo`.
    #[error(
        "no server given: use --host HOST (or CHAT_TUI_HOST=HOST) to join one, or --demo to see a whole \
         cluster run in this process; chat-tui config init writes a file that can name servers"
    )]
    NoTarget,
    /// A server's name, and another place.
    #[error("the name of a server goes without --host and --demo: drop one of them")]
    NamedAndPlace,
    /// `--host` and `--demo`.
    #[error("--host and --demo exclude each other: drop one of them")]
    TwoTargets,
    /// `--script` without `--plain`.
    #[error("--script plays lines: use it with --demo --plain")]
    ScriptNeedsPlain,
    /// `--redis` without `--demo`.
    #[error(
        "--redis is where the demo's nodes meet: use it with --demo; a server takes it as \
         chat-server --redis URL"
    )]
    RedisNeedsDemo,
    /// A command to the demo, which ends with its chat.
    #[error("{0} needs a server: use --host HOST")]
    NeedsHost(&'static str),
}

impl Cli {
    /// Where to go.
    ///
    /// # Errors
    /// [`CliError`] where that makes no sense.
    pub fn target(&self) -> Result<Target, CliError> {
        if let Some(Command::DemoNode(DemoNodeArgs { node, redis })) = &self.command {
            return Ok(Target::Node { name: node.clone(), redis: redis.clone() });
        }
        if let Some(Command::Completions(_) | Command::Man) = &self.command {
            return Ok(Target::Itself);
        }
        if self.demo {
            return match &self.command {
                Some(command) => Err(CliError::NeedsHost(command.name())),
                None if self.script.is_some() && !(self.plain || self.json) => {
                    Err(CliError::ScriptNeedsPlain)
                }
                None if self.server.hosts_given() => Err(CliError::TwoTargets),
                None => Ok(Target::Demo),
            };
        }
        if self.redis.is_some() {
            return Err(CliError::RedisNeedsDemo);
        }
        if self.server.hosts.iter().all(|host| host.trim().is_empty()) {
            return Err(CliError::NoTarget);
        }
        Ok(Target::Hosts(parse(&self.server.hosts, self.server.transport.unwrap_or_default())?))
    }

    /// How to show: as asked, and as lines where there is no terminal.
    pub fn mode(&self) -> Mode {
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        match (self.json, self.plain || !terminal) {
            (true, _) => Mode::Json,
            (false, true) => Mode::Plain,
            (false, false) => Mode::Screen,
        }
    }

    /// The rooms to enter: those asked for, else general.
    pub fn rooms(&self) -> Vec<RoomName> {
        if self.rooms.is_empty() { vec![RoomName::general()] } else { self.rooms.clone() }
    }
}

impl Command {
    /// As it is typed.
    fn name(&self) -> &'static str {
        match self {
            Self::Send(_) => "send",
            Self::Tail(_) => "tail",
            Self::Doctor(_) => "doctor",
            Self::Config(_) => "config",
            Self::Completions(_) => "completions",
            Self::Man => "man",
            Self::DemoNode(_) => "demo-node",
        }
    }
}

impl ServerArgs {
    /// True where a flag says them: the variable alone does not stand against `--demo`.
    fn hosts_given(&self) -> bool {
        let variable = std::env::var(HOST_VARIABLE).ok();
        !self.hosts.is_empty() && self.hosts.first() != variable.as_ref()
    }

    /// The login name; one that cannot be a name here is no mistake of the person's.
    pub fn login_name(&self) -> Option<UserName> {
        let login = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|key| std::env::var(key).ok());
        UserName::parse(&login?).ok()
    }
}

impl ValueEnum for TransportChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Tcp, Self::Ws]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(match self {
            Self::Auto => "auto",
            Self::Tcp => "tcp",
            Self::Ws => "ws",
        }))
    }
}

#[cfg(test)]
mod tests;
