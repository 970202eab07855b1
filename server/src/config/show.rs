//! Owns how settings are shown: the effective ones with where each came from, and the example file.

use super::keys::KEYS;
use super::{Config, Loaded};

impl Loaded {
    /// The effective settings as TOML, each with where it came from behind it.
    pub fn to_toml(&self) -> String {
        let lines: Vec<String> =
            KEYS.iter().map(|key| format!("{} = {}", key.name, (key.write)(&self.config))).collect();
        let width = lines.iter().map(String::len).max().unwrap_or_default();
        let origins = self.origins.iter();
        sections(lines.iter().zip(origins).map(|(line, origin)| format!("{line:width$}  # {origin}\n")))
    }
}

/// The server's part of `config.example.toml`: every key with its default and why one would change it.
pub fn example() -> String {
    let defaults = Config::default();
    let lines = KEYS.iter().map(|key| {
        let value = if key.example.is_empty() { (key.write)(&defaults) } else { key.example.to_owned() };
        format!("# {}\n{} = {value}\n", key.why, key.name)
    });
    sections(lines)
}

/// Puts a header in front of the first line of each section; one line for each row of the table.
fn sections(lines: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    let mut section = "";
    for (key, line) in KEYS.iter().zip(lines) {
        if key.section != section {
            text.push_str(if section.is_empty() { "[" } else { "\n[" });
            text.push_str(key.section);
            text.push_str("]\n");
            section = key.section;
        }
        text.push_str(&line);
    }
    text
}
