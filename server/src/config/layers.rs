//! Owns the reading of the sources, each into entries of the table; says where a name is wrong and which
//! one is nearest. Knows nothing of what the values mean.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::keys::{ENV_PREFIX, KEYS, Key};
use super::value::Value;
use super::{ConfigError, FILE_VARIABLE, Flag, Origin, Sources};

/// A value for a row of the table.
#[derive(Debug)]
pub(super) struct Entry {
    /// The row of `KEYS`.
    pub(super) key: usize,
    /// What was given.
    pub(super) value: Value,
    /// Where.
    pub(super) origin: Origin,
}

/// How alike two names have to be for one to be suggested (Jaro-Winkler, 1 is the same).
const ALIKE: f64 = 0.7;

/// The entries of the file; none where there is no file and none was named.
pub(super) fn file(sources: &Sources) -> Result<Vec<Entry>, ConfigError> {
    let variable = sources.env.iter().find(|(name, value)| name == FILE_VARIABLE && !value.is_empty());
    let named = sources.file.clone().or_else(|| variable.map(|(_, value)| PathBuf::from(value)));
    let path = named.as_ref().unwrap_or(&sources.system_file);
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => Ok(Vec::new()),
        Err(error) => Err(ConfigError(format!("{}: cannot be read: {error}", path.display()))),
    }
}

fn parse(text: &str, path: &Path) -> Result<Vec<Entry>, ConfigError> {
    let place = |span: Range<usize>| Origin::File {
        path: path.display().to_string(),
        line: line_of(text, span.start),
    };
    let table = DeTable::parse(text).map_err(|error| {
        let origin = place(error.span().unwrap_or(0..0));
        ConfigError(format!("{origin}: not TOML: {}", error.message().replace('\n', "; ")))
    })?;
    let mut entries = Vec::new();
    for (section, content) in table.get_ref() {
        let origin = place(section.span());
        let section = section.get_ref().as_ref();
        let DeValue::Table(keys) = content.get_ref() else {
            return Err(ConfigError(format!("{origin}: {}", stray_key(section))));
        };
        if !KEYS.iter().any(|key| key.section == section) {
            return Err(ConfigError(format!("{origin}: {}", unknown_section(section))));
        }
        for (name, value) in keys {
            let origin = place(name.span());
            let key = find(section, name.get_ref())
                .ok_or_else(|| ConfigError(format!("{origin}: {}", unknown_key(section, name.get_ref()))))?;
            entries.push(Entry { key, value: plain(value.get_ref()), origin });
        }
    }
    Ok(entries)
}

/// The entries of the environment.
pub(super) fn environment(env: &[(String, String)]) -> Result<Vec<Entry>, ConfigError> {
    let mut entries = Vec::new();
    for (name, value) in env.iter().filter(|(name, _)| is_ours(name)) {
        let Some(key) = KEYS.iter().position(|key| key.env_name() == *name) else {
            let known = KEYS.iter().map(Key::env_name).chain([FILE_VARIABLE.to_owned()]);
            let hint = nearest(name, known).map_or_else(
                || format!("names are {ENV_PREFIX}<SECTION>__<KEY>"),
                |known| format!("did you mean {known}?"),
            );
            return Err(ConfigError(format!("unknown environment variable {name}: {hint}")));
        };
        entries.push(Entry { key, value: Value::Text(value.clone()), origin: Origin::Env(name.clone()) });
    }
    Ok(entries)
}

/// The entries of the flags.
pub(super) fn flags(flags: &[Flag]) -> impl Iterator<Item = Entry> + '_ {
    flags.iter().map(|flag| Entry {
        key: find(flag.key.0, flag.key.1).expect("every flag stands for a row of the table"),
        value: Value::Text(flag.value.clone()),
        origin: Origin::Flag(flag.name),
    })
}

fn find(section: &str, name: &str) -> Option<usize> {
    KEYS.iter().position(|key| key.section == section && key.name == name)
}

fn is_ours(name: &str) -> bool {
    name != FILE_VARIABLE && name.strip_prefix(ENV_PREFIX).is_some_and(|rest| !is_of_a_service(rest))
}

/// Kubernetes gives every pod the addresses of a service called chat-server under names such as
/// `CHAT_SERVER_SERVICE_HOST` and `CHAT_SERVER_PORT_8000_TCP`: those are not meant for us.
fn is_of_a_service(rest: &str) -> bool {
    let service = ["SERVICE_HOST", "SERVICE_PORT", "PORT"].iter().any(|made| rest.starts_with(made));
    service && !rest.contains("__")
}

fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => match u64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Number(number),
            Err(_) => Value::Other(number.to_string()),
        },
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Float(number) => Value::Other(number.to_string()),
        DeValue::Datetime(time) => Value::Other(time.to_string()),
        DeValue::Table(_) => Value::Other("a table".to_owned()),
        DeValue::Array(list) => {
            let texts = list.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map_or_else(|| Value::Other("this list".to_owned()), Value::List)
        }
    }
}

fn unknown_key(section: &str, name: &str) -> String {
    let here = KEYS.iter().filter(|key| key.section == section).map(|key| key.name.to_owned());
    let elsewhere = KEYS.iter().find(|key| key.name == name);
    let hint = match (elsewhere, nearest(name, here.clone())) {
        (Some(key), _) => format!("it belongs in [{}]", key.section),
        (None, Some(known)) => format!("did you mean \"{known}\"?"),
        (None, None) => format!("there are {}", here.collect::<Vec<_>>().join(", ")),
    };
    format!("unknown key \"{name}\" in [{section}]: {hint}")
}

fn unknown_section(section: &str) -> String {
    let hint = nearest(section, sections().into_iter().map(str::to_owned)).map_or_else(
        || format!("there are [{}]", sections().join("], [")),
        |known| format!("did you mean [{known}]?"),
    );
    format!("unknown section [{section}]: {hint}")
}

fn stray_key(name: &str) -> String {
    let hint = KEYS.iter().find(|key| key.name == name).map_or_else(
        || format!("there are [{}]", sections().join("], [")),
        |key| format!("it belongs in [{}]", key.section),
    );
    format!("key \"{name}\" stands in no section: {hint}")
}

fn sections() -> Vec<&'static str> {
    let mut sections: Vec<_> = KEYS.iter().map(|key| key.section).collect();
    sections.dedup();
    sections
}

fn nearest(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let scored = known.map(|known| (strsim::jaro_winkler(name, &known), known));
    scored.filter(|(score, _)| *score >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}
