//! Owns the settings of `chat-tui`: where they come from and the one order in which they are merged: defaults, then
//! the file, then the environment, then the flags. Knows nothing of what they are used for.

mod file;
mod keys;
mod servers;
mod show;
mod value;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::nearest::nearest;
pub use crate::settings::Settings;
use crate::theme::Depth;
use keys::KEYS;
pub use servers::{Server, Wanted};
pub use show::sample;
use value::Value;

/// The environment variable that names the file.
pub const FILE_VARIABLE: &str = "CHAT_TUI_CONFIG";

/// Everything the file can say.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// What the front is set to.
    pub settings: Settings,
    /// The server that is meant where nothing names one.
    pub server: Option<String>,
    /// Servers by name.
    pub servers: BTreeMap<String, Server>,
}

/// Where settings come from, the defaults aside.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file that a flag names; it has to exist.
    pub file: Option<PathBuf>,
    /// The file that is read when nothing else names one, if it is there.
    pub usual_file: Option<PathBuf>,
    /// The environment; names of others are passed over.
    pub env: Vec<(String, String)>,
    /// The flags that were given.
    pub flags: Vec<Flag>,
    /// The program's commands: no server can be called as they are.
    pub commands: Vec<String>,
}

/// A flag that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// As typed: `--ascii`.
    pub name: &'static str,
    /// The setting it stands for.
    pub key: &'static str,
    /// Its value.
    pub value: FlagValue,
}

/// What a flag says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlagValue {
    /// It is there.
    Yes,
    /// It was given with these.
    Words(Vec<String>),
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

/// What holds, and where each came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What holds.
    pub config: Config,
    /// The file, whether or not it is there.
    pub path: Option<PathBuf>,
    /// One for each row of the table.
    origins: Vec<Origin>,
    /// Of what has no row: `keys.send`, `servers.work.host`.
    places: BTreeMap<String, Origin>,
    /// The lines of the user's themes, as they were written.
    themes: Vec<(String, Vec<(String, String)>)>,
}

impl Sources {
    /// The file that is meant.
    pub fn path(&self) -> Option<PathBuf> {
        self.named_path().or_else(|| self.usual_file.clone())
    }

    fn named_path(&self) -> Option<PathBuf> {
        self.file.clone().or_else(|| self.variable(FILE_VARIABLE).map(PathBuf::from))
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let found = self.env.iter().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }
}

/// The file that this system and user have for it.
pub fn usual_file() -> Option<PathBuf> {
    let project = directories::ProjectDirs::from("", "", "chat-tui")?;
    Some(project.config_dir().join("config.toml"))
}

impl Loaded {
    /// Reads all sources and merges them.
    ///
    /// # Errors
    /// The first setting that cannot be, by file and line, environment name or flag.
    pub fn read(sources: &Sources) -> Result<Self, ConfigError> {
        let mut loaded = Self {
            config: Config::default(),
            path: sources.path(),
            origins: vec![Origin::Default; KEYS.len()],
            places: BTreeMap::new(),
            themes: Vec::new(),
        };
        if let Some((path, text)) = read_file(sources)? {
            file::read(&mut loaded, &path, &text)?;
        }
        for (index, key) in KEYS.iter().enumerate() {
            let name = key.variable();
            if let Some(value) = sources.variable(&name) {
                loaded.apply(index, &Value::Text(value.to_owned()), Origin::Env(name))?;
            }
        }
        for flag in &sources.flags {
            let index = KEYS.iter().position(|key| key.section.is_empty() && key.name == flag.key);
            let value = match &flag.value {
                FlagValue::Yes => Value::Bool(true),
                FlagValue::Words(words) => Value::List(words.clone()),
            };
            loaded.apply(
                index.expect("every flag stands for a row of the table"),
                &value,
                Origin::Flag(flag.name),
            )?;
        }
        loaded.config.settings.depth = Depth::of(|name| sources.variable(name).map(str::to_owned));
        loaded.check(&sources.commands)?;
        Ok(loaded)
    }

    fn apply(&mut self, index: usize, value: &Value, origin: Origin) -> Result<(), ConfigError> {
        let key = &KEYS[index];
        (key.read)(&mut self.config, value).map_err(|allowed| {
            ConfigError(format!("{origin}: {} cannot be {value}: {allowed}", key.full_name()))
        })?;
        self.origins[index] = origin;
        Ok(())
    }

    /// Settings that name one another.
    fn check(&self, commands: &[String]) -> Result<(), ConfigError> {
        let origin = |name: &str| &self.origins[keys::position("", name).expect("a row of the table")];
        let settings = &self.config.settings;
        if settings.themes().all(|name| name != settings.theme) {
            let hint = settings.no_theme(&settings.theme);
            return Err(ConfigError(format!("{}: theme: {hint}", origin("theme"))));
        }
        if let Some(name) =
            self.config.server.as_ref().filter(|name| !self.config.servers.contains_key(*name))
        {
            let hint = self.no_server(name);
            return Err(ConfigError(format!("{}: server: {hint}", origin("server"))));
        }
        match self.config.servers.keys().find(|name| commands.contains(name)) {
            Some(name) => {
                let place = &self.places[&format!("servers.{name}")];
                Err(ConfigError(format!(
                    "{place}: no server can be called {name:?}: that is a command, take another name"
                )))
            }
            None => Ok(()),
        }
    }

    fn no_server(&self, name: &str) -> String {
        let known: Vec<&str> = self.config.servers.keys().map(String::as_str).collect();
        let near = nearest(name, known.iter().copied());
        let hint = near.map_or_else(String::new, |near| format!("did you mean {near:?}? "));
        let list = match known.as_slice() {
            [] => format!("the settings name none: add [servers.{name}] with host = \"...\""),
            known => format!("there are {}", known.join(", ")),
        };
        format!("there is no server {name:?}: {hint}{list}")
    }
}

/// No settings are larger.
const BYTES_MAX: u64 = 1 << 20;

/// None where there is no file and none was named.
fn read_file(sources: &Sources) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let Some(path) = sources.path() else { return Ok(None) };
    let mut text = String::new();
    let read = std::fs::File::open(&path).and_then(|file| file.take(BYTES_MAX + 1).read_to_string(&mut text));
    match read {
        Ok(bytes) if bytes as u64 > BYTES_MAX => {
            let why = format!("has more than {BYTES_MAX} bytes: is it the file of settings?");
            Err(ConfigError(format!("{}: {why}", path.display())))
        }
        Ok(_) => Ok(Some((path, text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && sources.named_path().is_none() => {
            Ok(None)
        }
        Err(error) => Err(ConfigError(format!("{}: cannot be read: {error}", path.display()))),
    }
}

/// Writes a file with every setting and its default, each as a comment.
///
/// # Errors
/// Where there is one already, or it cannot be written.
pub fn init(path: &Path) -> std::io::Result<()> {
    use std::io::Write as _;
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(sample().as_bytes())
}

#[cfg(test)]
mod tests;
