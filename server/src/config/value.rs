//! Owns the kinds of values: what text, number or list becomes which type, and how it is written back.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use chat_protocol::NodeId;
use redis::IntoConnectionInfo;

use crate::balancer::{Backend, Policy};

/// A value as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// From the environment or a flag: any kind, as text.
    Text(String),
    /// A string of the file.
    String(String),
    /// A whole number of the file, not negative.
    Number(u64),
    /// A list of strings of the file.
    List(Vec<String>),
    /// True or false in the file.
    Bool(bool),
    /// Any other thing of the file, which no setting takes: as it is shown.
    Other(String),
}

impl Value {
    /// The value where it is a number.
    pub(super) fn number(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.trim().replace('_', "").parse().ok(),
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::String(text) => Some(text.trim()),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::String(text) => write!(f, "{text:?}"),
            Self::Number(number) => number.fmt(f),
            Self::Bool(yes) => yes.fmt(f),
            Self::List(list) => write!(f, "{list:?}"),
            Self::Other(shown) => f.write_str(shown),
        }
    }
}

/// A type that a setting can have.
pub(super) trait Setting: Sized {
    /// Reads a value; the error says what is allowed.
    fn read(value: &Value) -> Result<Self, &'static str>;
    /// Writes it as TOML.
    fn write(&self) -> String;
}

impl Setting for usize {
    fn read(value: &Value) -> Result<Self, &'static str> {
        let number = value.number().and_then(|number| number.try_into().ok());
        number.ok_or("a whole number from 0 on is allowed")
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Setting for u32 {
    fn read(value: &Value) -> Result<Self, &'static str> {
        let number = value.number().and_then(|number| number.try_into().ok());
        number.ok_or("a whole number from 0 to 4294967295 is allowed")
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

/// Longest time that can be set: a day. Longer ones are mistaken units.
const MILLISECONDS_MAX: u64 = 24 * 60 * 60 * 1_000;

impl Setting for Duration {
    fn read(value: &Value) -> Result<Self, &'static str> {
        let milliseconds = value.number().filter(|number| *number <= MILLISECONDS_MAX);
        milliseconds.map(Self::from_millis).ok_or("milliseconds from 0 to 86400000 are allowed")
    }

    fn write(&self) -> String {
        self.as_millis().to_string()
    }
}

impl Setting for Option<SocketAddr> {
    fn read(value: &Value) -> Result<Self, &'static str> {
        match value.text() {
            Some("" | "off") => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| ALLOWED_ADDRESS),
            None => Err(ALLOWED_ADDRESS),
        }
    }

    fn write(&self) -> String {
        self.map_or_else(|| "\"off\"".to_owned(), |addr| quoted(&addr.to_string()))
    }
}

const ALLOWED_ADDRESS: &str =
    "an address with a port as \"0.0.0.0:12345\" or \"[::]:12345\" is allowed, or \"off\"";

impl Setting for NodeId {
    fn read(value: &Value) -> Result<Self, &'static str> {
        match value.text() {
            Some("") => Ok(super::default_node()),
            Some(text) => Self::parse(text).map_err(|_| ALLOWED_NODE),
            None => Err(ALLOWED_NODE),
        }
    }

    fn write(&self) -> String {
        quoted(self.as_str())
    }
}

const ALLOWED_NODE: &str = "1 to 64 letters, digits, '-', '_', '.' are allowed";

impl Setting for Vec<Backend> {
    fn read(value: &Value) -> Result<Self, &'static str> {
        let parse = |text: &str| text.parse().map_err(|_| ALLOWED_BACKENDS);
        match value {
            Value::List(list) => list.iter().map(|text| parse(text)).collect(),
            Value::Text(text) if text.trim().is_empty() => Ok(Self::new()),
            Value::Text(text) => text.split(',').map(parse).collect(),
            _ => Err(ALLOWED_BACKENDS),
        }
    }

    fn write(&self) -> String {
        let backends: Vec<String> = self.iter().map(|backend| quoted(&backend.to_string())).collect();
        format!("[{}]", backends.join(", "))
    }
}

const ALLOWED_BACKENDS: &str = "a list of HOST:TCP:HTTP is allowed, for example 10.0.0.7:12345:8000, a port that is not there as off; several as \
     [\"a:1:2\", \"b:1:2\"] in the file, as a:1:2,b:1:2 in the environment";

impl Setting for Policy {
    fn read(value: &Value) -> Result<Self, &'static str> {
        let policies = [Self::LeastConnections, Self::LeastLoad];
        let named = policies.into_iter().find(|policy| value.text() == Some(policy.as_str()));
        named.ok_or("\"least-connections\" or \"least-load\" is allowed")
    }

    fn write(&self) -> String {
        quoted(self.as_str())
    }
}

impl Setting for bool {
    fn read(value: &Value) -> Result<Self, &'static str> {
        match value {
            Value::Bool(yes) => Ok(*yes),
            Value::Text(text) if text.trim() == "true" => Ok(true),
            Value::Text(text) if text.trim() == "false" => Ok(false),
            _ => Err("true or false is allowed"),
        }
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Setting for LogFormat {
    fn read(value: &Value) -> Result<Self, &'static str> {
        match value.text() {
            Some("text") => Ok(Self::Text),
            Some("json") => Ok(Self::Json),
            _ => Err("\"text\" or \"json\" is allowed"),
        }
    }

    fn write(&self) -> String {
        quoted(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// From what weight on lines are logged: a level, or levels by module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLevel(String);

impl LogLevel {
    /// The directives, as `tracing_subscriber::filter::Targets` reads them.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogLevel {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl Setting for LogLevel {
    fn read(value: &Value) -> Result<Self, &'static str> {
        let is_level = |text: &str| matches!(text, "error" | "warn" | "info" | "debug" | "trace" | "off");
        // A word without '=' would be taken for a module at its most talkative: a typo must not do that.
        let is_directive = |text: &str| match text.split_once('=') {
            Some((target, level)) => {
                !target.is_empty() && !target.contains(char::is_whitespace) && is_level(level)
            }
            None => is_level(text),
        };
        let text = value.text().filter(|text| text.split(',').all(is_directive));
        let allowed = "error, warn, info, debug, trace or off is allowed, also by module as \"info,chat_server::hub=debug\"";
        text.map(|text| Self(text.to_owned())).ok_or(allowed)
    }

    fn write(&self) -> String {
        quoted(&self.0)
    }
}

/// Where a Redis is: `redis://[user][:password@]host[:port][/database]`.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(String);

impl RedisUrl {
    /// Takes a URL.
    ///
    /// # Errors
    /// What is allowed, where it is none.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let is_url = text.starts_with("redis://") && text.into_connection_info().is_ok();
        if is_url { Ok(Self(text.to_owned())) } else { Err(ALLOWED_REDIS) }
    }

    /// With its password.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Without its password: what is logged and shown.
impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.0.strip_prefix("redis://").unwrap_or(&self.0);
        match rest.rsplit_once('@') {
            Some((login, host)) if login.contains(':') => {
                let user = login.split(':').next().unwrap_or_default();
                write!(f, "redis://{user}:***@{host}")
            }
            _ => f.write_str(&self.0),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Setting for Option<RedisUrl> {
    fn read(value: &Value) -> Result<Self, &'static str> {
        match value.text() {
            Some("") => Ok(None),
            Some(text) => RedisUrl::parse(text).map(Some),
            None => Err(ALLOWED_REDIS),
        }
    }

    fn write(&self) -> String {
        quoted(&self.as_ref().map(RedisUrl::to_string).unwrap_or_default())
    }
}

const ALLOWED_REDIS: &str = "a URL as redis://127.0.0.1:6379/0 or redis://user:password@host:6379/0 is allowed (no TLS yet), or nothing";

/// When a message counts as accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AckPolicy {
    /// When the primary has it.
    #[default]
    Primary,
    /// When a replica has it too.
    Replicated,
}

impl Setting for AckPolicy {
    fn read(value: &Value) -> Result<Self, &'static str> {
        match value.text() {
            Some("primary") => Ok(Self::Primary),
            Some("replicated") => Ok(Self::Replicated),
            _ => Err("\"primary\" or \"replicated\" is allowed"),
        }
    }

    fn write(&self) -> String {
        quoted(match self {
            Self::Primary => "primary",
            Self::Replicated => "replicated",
        })
    }
}

pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
