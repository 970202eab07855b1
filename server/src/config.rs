//! Owns the settings of `chat-server`: their types, defaults and the one order in which they are merged:
//! defaults, then the file, then the environment, then the flags. Knows nothing of what they are used for.

mod keys;
mod layers;
mod networks;
mod show;
mod value;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use chat_protocol::NodeId;

use crate::balancer::BalancerConfig;
use keys::KEYS;
use layers::Entry;
pub use networks::Networks;
pub use show::example;
pub use value::{AckPolicy, LogFormat, LogLevel, RedisUrl};

/// The file that is read when neither flag nor environment names one, if it is there.
pub const SYSTEM_FILE: &str = "/etc/chat-server.toml";
/// The environment variable that names the file.
pub const FILE_VARIABLE: &str = "CHAT_SERVER_CONFIG";

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// This node's name, unique in the cluster.
    pub node: NodeId,
    /// Where raw TCP clients come in; none: switched off.
    pub listen_tcp: Option<SocketAddr>,
    /// Where HTTP and WebSocket clients come in; none: switched off.
    pub listen_http: Option<SocketAddr>,
    /// Load balancers that say by PROXY protocol whose connection it is.
    pub proxy_protocol_from: Networks,
    /// Load balancers that say by `X-Forwarded-For` whose request it is.
    pub forwarded_from: Networks,
    /// Where the nodes of a cluster meet.
    pub redis: Redis,
    /// What clients may do.
    pub limits: Limits,
    /// How long things take.
    pub timing: Timing,
    /// What is logged.
    pub log: Log,
    /// The front-end, `chat-server balance`.
    pub balancer: BalancerConfig,
}

/// Where the nodes of a cluster meet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redis {
    /// The Redis; none: this node is alone.
    pub url: Option<RedisUrl>,
    /// How long a node that starts waits for it.
    pub wait: Duration,
    /// When a message counts as accepted.
    pub ack: AckPolicy,
}

/// What clients may do. In each, 0 means off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Those that clients are told.
    pub wire: chat_protocol::Limits,
    /// Messages a connection may send in a second, on average.
    pub messages_per_second: u32,
    /// Messages it may send at once after a pause.
    pub messages_burst: u32,
    /// Connections from one address.
    pub connections_per_address: usize,
    /// Bytes queued for a client before it is served from the log at its own speed.
    pub outbox_bytes: usize,
    /// Bytes queued for all clients together.
    pub memory_bytes: usize,
    /// Clients that come back a node takes in a second: the spread of a dead node's clients follows from it.
    pub resumes_per_second: u32,
}

/// How long things take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// Between two pings to a client.
    pub ping: Duration,
    /// For the first bytes of a TLS or HTTP handshake.
    pub handshake: Duration,
    /// For clients to move elsewhere at a shutdown.
    pub drain: Duration,
    /// Without progress before a client that does not read is closed.
    pub stall: Duration,
    /// Without renewal before the other nodes take this one for dead.
    pub lease: Duration,
    /// Before others are told that a lost connection's user has left.
    pub leave_hold: Duration,
    /// For nodes to bring what they know in a recovery round.
    pub settle: Duration,
}

/// What is logged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// From what weight on.
    pub level: LogLevel,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            node: default_node(),
            listen_tcp: Some(any_address(12_345)),
            listen_http: Some(any_address(8_000)),
            proxy_protocol_from: Networks::default(),
            forwarded_from: Networks::default(),
            redis: Redis::default(),
            limits: Limits::default(),
            timing: Timing::default(),
            log: Log::default(),
            balancer: BalancerConfig::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wire: chat_protocol::Limits::default(),
            messages_per_second: 20,
            messages_burst: 100,
            connections_per_address: 0,
            outbox_bytes: 256 * 1024,
            memory_bytes: 512 * 1024 * 1024,
            resumes_per_second: 5_000,
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ping: Duration::from_secs(4),
            handshake: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            lease: Duration::from_secs(3),
            leave_hold: Duration::from_secs(10),
            settle: Duration::from_millis(300),
        }
    }
}

impl Config {
    /// The defaults, on loopback ports of the system's choice: for tests and the demo.
    pub fn loopback(node: NodeId) -> Self {
        let any_port = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        Self { node, listen_tcp: any_port, listen_http: any_port, ..Self::default() }
    }

    /// Settings that contradict one another.
    fn check(&self) -> Result<(), ConfigError> {
        let wire = &self.limits.wire;
        if wire.frame_bytes > 0 && wire.content_bytes > wire.frame_bytes {
            return Err(ConfigError(format!(
                "limits.content_bytes ({}) does not fit into limits.frame_bytes ({}): raise frame_bytes",
                wire.content_bytes, wire.frame_bytes
            )));
        }
        if let Some(backend) = self.balancer.named_twice() {
            return Err(ConfigError(format!(
                "balancer.backends and balancer.backups name {backend} twice: it would count as two, name it once"
            )));
        }
        Ok(())
    }
}

/// Where settings come from, the defaults aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// The file a flag names; it has to exist.
    pub file: Option<PathBuf>,
    /// The file that is read when nothing else names one, if it is there.
    pub system_file: PathBuf,
    /// The environment; names of others are passed over.
    pub env: Vec<(String, String)>,
    /// The flags that were given.
    pub flags: Vec<Flag>,
}

/// A flag that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// As typed: `--listen-tcp`.
    pub name: &'static str,
    /// The setting it stands for: section and key.
    pub key: (&'static str, &'static str),
    /// Its value.
    pub value: String,
}

/// A setting that cannot be; says where, what, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Default,
    File { path: String, line: usize },
    Env(String),
    Flag(&'static str),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Env(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// The settings, and where each came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    // One for each row of KEYS.
    origins: Vec<Origin>,
}

impl Loaded {
    /// Reads all sources and merges them.
    ///
    /// # Errors
    /// The first setting that cannot be, by file and line, environment name or flag.
    pub fn read(sources: &Sources) -> Result<Self, ConfigError> {
        let mut loaded = Self { config: Config::default(), origins: vec![Origin::Default; KEYS.len()] };
        for entry in layers::file(sources)? {
            loaded.apply(entry)?;
        }
        for entry in layers::environment(&sources.env)? {
            loaded.apply(entry)?;
        }
        for entry in layers::flags(&sources.flags) {
            loaded.apply(entry)?;
        }
        loaded.config.check()?;
        Ok(loaded)
    }

    fn apply(&mut self, entry: Entry) -> Result<(), ConfigError> {
        let key = &KEYS[entry.key];
        key.set(&mut self.config, &entry.value).map_err(|allowed| {
            // A password may be in it.
            let value = if key.name == "url" { "that".to_owned() } else { entry.value.to_string() };
            let (origin, name, section) = (&entry.origin, key.name, key.section);
            ConfigError(format!("{origin}: \"{name}\" in [{section}] cannot be {value}: {allowed}"))
        })?;
        self.origins[entry.key] = entry.origin;
        Ok(())
    }
}

/// The machine's name, as it was when it was asked for first: every connection is told it.
pub fn hostname() -> String {
    static NAME: LazyLock<String> = LazyLock::new(look_up_hostname);
    NAME.clone()
}

fn look_up_hostname() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = kernel.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

fn default_node() -> NodeId {
    let plain: String = hostname()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' })
        .take(chat_protocol::limits::ID_CHARS_MAX)
        .collect();
    NodeId::parse(&plain).expect("a host name cut to the letters of a node name is one")
}

fn any_address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))
}

#[cfg(test)]
mod tests;
