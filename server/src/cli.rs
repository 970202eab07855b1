//! Owns the command line of `chat-server`: what can be typed, and which setting each flag stands for. Values
//! are not judged here: the settings do that, wherever a value comes from.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::{Flag, SYSTEM_FILE, Sources};

const EXAMPLES: &str = "\
Examples:
  chat-server                                   serve on TCP 12345, HTTP 8000
  chat-server --node a --listen-tcp off         WebSocket clients only
  chat-server --redis redis://10.0.0.9:6379     one node of a cluster
  CHAT_SERVER_LOG__LEVEL=debug chat-server      any setting by environment
  chat-server check-config --config chat.toml   what would hold, and from where
  chat-server balance --backend a:12345:8000 --backend b:12345:8000

Order: defaults < file < environment < flags. Every key of the file has the
environment name CHAT_SERVER_<SECTION>__<KEY>; config.example.toml lists all.";

/// The chat server: one node of a cluster, or the front-end before it.
#[derive(Debug, Parser)]
#[command(name = "chat-server", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    common: CommonFlags,
    #[command(flatten)]
    server: ServerFlags,
    /// What to do; none: serve.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do other than serve.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the settings that would hold and where each comes from
    CheckConfig(ServerFlags),
    /// Run the front-end that spreads clients over servers
    Balance(BalanceFlags),
    /// Show the nodes of a cluster and what they do
    Nodes(NodesFlags),
}

#[derive(Debug, Args)]
struct CommonFlags {
    /// Settings file [else $CHAT_SERVER_CONFIG, else /etc/chat-server.toml]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// How a line of the log looks: text or json
    #[arg(long, value_name = "FORMAT", global = true)]
    log_format: Option<String>,
    /// error, warn, info, debug, trace or off
    #[arg(long, value_name = "LEVEL", global = true)]
    log_level: Option<String>,
}

/// The flags of a node.
#[derive(Debug, Args)]
pub struct ServerFlags {
    /// This node's name, unique in the cluster [the machine's name]
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Where raw TCP clients come in, or off [0.0.0.0:12345]
    #[arg(long, value_name = "ADDR")]
    listen_tcp: Option<String>,
    /// Where HTTP and WebSocket clients come in, or off [0.0.0.0:8000]
    #[arg(long, value_name = "ADDR")]
    listen_http: Option<String>,
    /// Where the nodes of a cluster meet: redis://host:6379/0 [alone]
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// Wait so many seconds for it at the start [0: an error]
    #[arg(long, value_name = "SECONDS")]
    redis_wait: Option<u64>,
}

/// The flags of `nodes`.
#[derive(Debug, Args)]
pub struct NodesFlags {
    /// Where the nodes of the cluster meet: redis://host:6379/0
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// For programs: one array of objects
    #[arg(long)]
    pub json: bool,
}

const BALANCE_EXAMPLES: &str = "\
Examples:
  chat-server balance --backend a:12345:8000 --backend b:12345:8000
  chat-server balance --backend a:12345:8000 --backup spare:12345:8000
  curl http://127.0.0.1:8001/status             how the servers are
Checks, drain and the rest: section [balancer] of config.example.toml.";

/// The flags of the front-end.
#[derive(Debug, Args)]
#[command(after_help = BALANCE_EXAMPLES)]
pub struct BalanceFlags {
    /// Where raw TCP clients come in, or off [0.0.0.0:12345]
    #[arg(long, value_name = "ADDR")]
    listen_tcp: Option<String>,
    /// Where HTTP and WebSocket clients come in, or off [0.0.0.0:8000]
    #[arg(long, value_name = "ADDR")]
    listen_http: Option<String>,
    /// Where operators ask, or off [127.0.0.1:8001]
    #[arg(long, value_name = "ADDR")]
    listen_admin: Option<String>,
    /// A server behind it; repeat for more
    #[arg(long, value_name = "HOST:TCP:HTTP")]
    backend: Vec<String>,
    /// One that gets clients while no --backend is healthy
    #[arg(long, value_name = "HOST:TCP:HTTP")]
    backup: Vec<String>,
    /// least-load weighs bytes too [least-connections]
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// Tell servers clients' addresses, by PROXY protocol v2
    #[arg(long)]
    send_proxy: bool,
}

impl Cli {
    /// Reads the process' arguments; help, version and mistakes end the process, as usual.
    pub fn from_args() -> Self {
        let cli = Self::parse();
        if let Err(error) = cli.check() {
            error.exit();
        }
        cli
    }

    /// A node's flags say nothing to the front-end: taken silently they would not do what was meant.
    fn check(&self) -> Result<(), clap::Error> {
        match (&self.command, self.server.flags().first()) {
            (Some(Command::Balance(_)), Some(flag)) => {
                let text = format!("{} goes behind `balance`, or belongs to a node\n", flag.name);
                Err(Self::command().error(clap::error::ErrorKind::ArgumentConflict, text))
            }
            _ => Ok(()),
        }
    }

    /// Everything that has a say in the settings.
    pub fn sources(&self, env: Vec<(String, String)>) -> Sources {
        let mut flags = self.server.flags();
        match &self.command {
            Some(Command::CheckConfig(server)) => flags.extend(server.flags()),
            Some(Command::Balance(balance)) => flags.extend(balance.flags()),
            Some(Command::Nodes(nodes)) => {
                flags.extend(flag("--redis", ("redis", "url"), nodes.redis.as_ref()));
            }
            None => {}
        }
        flags.extend(flag("--log-format", ("log", "format"), self.common.log_format.as_ref()));
        flags.extend(flag("--log-level", ("log", "level"), self.common.log_level.as_ref()));
        Sources { file: self.common.config.clone(), system_file: SYSTEM_FILE.into(), env, flags }
    }
}

impl ServerFlags {
    fn flags(&self) -> Vec<Flag> {
        let node = flag("--node", ("server", "node"), self.node.as_ref());
        let tcp = flag("--listen-tcp", ("server", "listen_tcp"), self.listen_tcp.as_ref());
        let http = flag("--listen-http", ("server", "listen_http"), self.listen_http.as_ref());
        let redis = flag("--redis", ("redis", "url"), self.redis.as_ref());
        let wait = self.redis_wait.map(|seconds| seconds.saturating_mul(1_000).to_string());
        let wait = flag("--redis-wait", ("redis", "wait_ms"), wait.as_ref());
        [node, tcp, http, redis, wait].into_iter().flatten().collect()
    }
}

impl BalanceFlags {
    fn flags(&self) -> Vec<Flag> {
        let list = |all: &[String]| (!all.is_empty()).then(|| all.join(","));
        let (backends, backups) = (list(&self.backend), list(&self.backup));
        let send_proxy = self.send_proxy.then(|| true.to_string());
        let tcp = flag("--listen-tcp", ("balancer", "listen_tcp"), self.listen_tcp.as_ref());
        let http = flag("--listen-http", ("balancer", "listen_http"), self.listen_http.as_ref());
        let admin = flag("--listen-admin", ("balancer", "listen_admin"), self.listen_admin.as_ref());
        let backends = flag("--backend", ("balancer", "backends"), backends.as_ref());
        let backups = flag("--backup", ("balancer", "backups"), backups.as_ref());
        let policy = flag("--policy", ("balancer", "policy"), self.policy.as_ref());
        let send_proxy = flag("--send-proxy", ("balancer", "send_proxy"), send_proxy.as_ref());
        [tcp, http, admin, backends, backups, policy, send_proxy].into_iter().flatten().collect()
    }
}

fn flag(name: &'static str, key: (&'static str, &'static str), value: Option<&String>) -> Option<Flag> {
    value.map(|value| Flag { name, key, value: value.clone() })
}

#[cfg(test)]
mod tests;
