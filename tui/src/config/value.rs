//! Owns the kinds of values: what a text, a list or a yes becomes, and how it is written back.

use std::fmt;

use crate::notify::{LEVELS, Level, WAYS, Way};
use crate::settings::TimeFormat;

/// A value as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// From the environment: any kind, as text.
    Text(String),
    String(String),
    List(Vec<String>),
    Bool(bool),
    /// Any other thing of the file, which no setting takes: as it is shown.
    Other(String),
}

impl Value {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::String(text) => Some(text.trim()),
            _ => None,
        }
    }

    /// The words of a list; one alone needs no brackets, several are separated by commas in the environment.
    pub(super) fn words(&self) -> Option<Vec<String>> {
        let words: Vec<String> = match self {
            Self::Text(text) => text.split(',').map(|word| word.trim().to_owned()).collect(),
            Self::String(text) => vec![text.trim().to_owned()],
            Self::List(list) => list.clone(),
            _ => return None,
        };
        Some(words.into_iter().filter(|word| !word.is_empty()).collect())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::String(text) => write!(f, "{text:?}"),
            Self::Bool(yes) => yes.fmt(f),
            Self::List(list) => write!(f, "{list:?}"),
            Self::Other(shown) => f.write_str(shown),
        }
    }
}

/// A type that a setting can have.
pub(super) trait Setting: Sized {
    /// Reads a value; the error says what is allowed.
    fn read(value: &Value) -> Result<Self, String>;
    /// Writes it as TOML.
    fn write(&self) -> String;
}

impl Setting for bool {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(yes) => Ok(*yes),
            Value::Text(text) if text.trim() == "true" => Ok(true),
            Value::Text(text) if text.trim() == "false" => Ok(false),
            _ => Err("true or false is allowed".to_owned()),
        }
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    fn read(value: &Value) -> Result<Self, String> {
        value
            .text()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| "a name is allowed".to_owned())
    }

    fn write(&self) -> String {
        quoted(self)
    }
}

/// A name, or nothing.
impl Setting for Option<String> {
    fn read(value: &Value) -> Result<Self, String> {
        let text = value.text().ok_or("a name is allowed, or nothing")?;
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    }

    fn write(&self) -> String {
        quoted(self.as_deref().unwrap_or_default())
    }
}

impl Setting for Vec<String> {
    fn read(value: &Value) -> Result<Self, String> {
        value.words().ok_or_else(|| "a list of words is allowed, as [\"deploy\", \"alert\"]".to_owned())
    }

    fn write(&self) -> String {
        list(self.iter().map(String::as_str))
    }
}

/// Shown or not, or as the size of the terminal allows.
impl Setting for Option<bool> {
    fn read(value: &Value) -> Result<Self, String> {
        match (value, value.text()) {
            (_, Some("auto")) => Ok(None),
            (_, Some("on" | "true")) | (Value::Bool(true), _) => Ok(Some(true)),
            (_, Some("off" | "false")) | (Value::Bool(false), _) => Ok(Some(false)),
            _ => Err("\"on\", \"off\" or \"auto\" is allowed".to_owned()),
        }
    }

    fn write(&self) -> String {
        quoted(match self {
            None => "auto",
            Some(true) => "on",
            Some(false) => "off",
        })
    }
}

impl Setting for TimeFormat {
    fn read(value: &Value) -> Result<Self, String> {
        Self::parse(
            value.text().ok_or("\"24h\", \"12h\" or a strftime pattern such as \"%H:%M:%S\" is allowed")?,
        )
    }

    fn write(&self) -> String {
        quoted(self.written())
    }
}

impl Setting for Level {
    fn read(value: &Value) -> Result<Self, String> {
        let found = LEVELS.iter().find(|(_, name)| value.text() == Some(name));
        found
            .map(|(level, _)| *level)
            .ok_or_else(|| "\"all\", \"mentions\" or \"none\" is allowed".to_owned())
    }

    fn write(&self) -> String {
        quoted(LEVELS.iter().find(|(level, _)| level == self).map_or("", |(_, name)| name))
    }
}

impl Setting for Vec<Way> {
    fn read(value: &Value) -> Result<Self, String> {
        let allowed = || "a list of \"bell\", \"osc9\" and \"osc777\" is allowed, or []".to_owned();
        let way = |word: &String| WAYS.iter().find(|(_, name)| name == word).map(|(way, _)| *way);
        value.words().ok_or_else(allowed)?.iter().map(|word| way(word).ok_or_else(allowed)).collect()
    }

    fn write(&self) -> String {
        list(self.iter().filter_map(|way| WAYS.iter().find(|(known, _)| known == way)).map(|(_, name)| *name))
    }
}

pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

pub(super) fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", texts.map(quoted).collect::<Vec<_>>().join(", "))
}
