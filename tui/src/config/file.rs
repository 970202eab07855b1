//! Owns the reading of the file: which section and key a line is, and what is said where it is none. What the values
//! mean is theirs.

use std::ops::Range;
use std::path::Path;

use chat_protocol::{RoomName, UserName};
use clap::ValueEnum as _;
use toml::de::{DeTable, DeValue};

use super::keys::{KEYS, position};
use super::servers::Server;
use super::value::{Setting as _, Value};
use super::{ConfigError, Loaded, Origin};
use crate::keymap::{self, Action, Key};
use crate::nearest::nearest;
use crate::net::endpoint::{TransportChoice, parse};
use crate::notify::Level;
use crate::theme::{AUTHORS, GROUND, Palette, ROLES, StyleError, builtin};

/// Sections whose keys the user names.
const OPEN: [&str; 4] = ["notifications.rooms", "keys", "servers", "themes"];
/// What a server may say.
const OF_SERVER: [&str; 4] = ["host", "transport", "name", "rooms"];
/// What a theme begins with.
const BASE: &str = "base";

/// A key of the file, or a section.
struct Item<'a> {
    name: &'a str,
    value: &'a DeValue<'a>,
    line: usize,
}

/// Reads the file into what holds.
pub(super) fn read(loaded: &mut Loaded, path: &Path, text: &str) -> Result<(), ConfigError> {
    let file = File { path: path.display().to_string(), text };
    let table = DeTable::parse(text).map_err(|error| {
        let line = file.line(error.span().unwrap_or(0..0));
        file.error(line, format!("not TOML: {}", error.message().replace('\n', "; ")))
    })?;
    let mut reader = Reader { file: &file, loaded, bound: Vec::new() };
    for item in file.items(table.get_ref()) {
        reader.top(&item)?;
    }
    reader.check_keys()
}

struct File<'a> {
    path: String,
    text: &'a str,
}

impl<'a> File<'a> {
    /// In the order of the file: the first mistake is the first one reported.
    fn items<'b>(&self, table: &'b DeTable<'b>) -> Vec<Item<'b>> {
        let item = |(name, value): (&'b toml::Spanned<_>, &'b toml::Spanned<_>)| {
            let name: &'b toml::Spanned<std::borrow::Cow<'b, str>> = name;
            let value: &'b toml::Spanned<DeValue<'b>> = value;
            Item { name: name.get_ref().as_ref(), value: value.get_ref(), line: self.line(name.span()) }
        };
        let mut items: Vec<Item<'b>> = table.iter().map(item).collect();
        items.sort_by_key(|item| item.line);
        items
    }

    fn line(&self, span: Range<usize>) -> usize {
        let before = self.text.as_bytes().get(..span.start).unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    fn origin(&self, line: usize) -> Origin {
        Origin::File { path: self.path.clone(), line }
    }

    fn error(&self, line: usize, why: impl std::fmt::Display) -> ConfigError {
        ConfigError(format!("{}: {why}", self.origin(line)))
    }
}

struct Reader<'a, 'b> {
    file: &'a File<'a>,
    loaded: &'b mut Loaded,
    /// Keys that the file binds, with their lines.
    bound: Vec<(Action, usize)>,
}

impl Reader<'_, '_> {
    fn top(&mut self, item: &Item<'_>) -> Result<(), ConfigError> {
        let DeValue::Table(table) = item.value else { return self.setting("", item) };
        let is_section = KEYS.iter().any(|key| !key.section.is_empty() && key.section == item.name);
        let items = self.file.items(table);
        match item.name {
            "keys" => items.iter().try_for_each(|item| self.key(item)),
            "servers" => items.iter().try_for_each(|item| self.server(item)),
            "themes" => items.iter().try_for_each(|item| self.theme(item)),
            section if is_section => items.iter().try_for_each(|item| match item.value {
                DeValue::Table(rooms) if (section, item.name) == ("notifications", "rooms") => {
                    self.file.items(rooms).iter().try_for_each(|item| self.room(item))
                }
                _ => self.setting(section, item),
            }),
            section => Err(self.file.error(item.line, unknown_section(section))),
        }
    }

    fn setting(&mut self, section: &str, item: &Item<'_>) -> Result<(), ConfigError> {
        let Some(index) = position(section, item.name) else {
            return Err(self.file.error(item.line, unknown_key(section, item.name)));
        };
        self.loaded.apply(index, &plain(item.value), self.file.origin(item.line))
    }

    fn place(&mut self, name: String, line: usize) {
        self.loaded.places.insert(name, self.file.origin(line));
    }

    fn room(&mut self, item: &Item<'_>) -> Result<(), ConfigError> {
        let level = Level::read(&plain(item.value)).map_err(|allowed| {
            let why = format!("notifications of {:?} cannot be {}: {allowed}", item.name, plain(item.value));
            self.file.error(item.line, why)
        })?;
        let name = item.name.trim_start_matches('#').to_owned();
        self.place(format!("notifications.rooms.{name}"), item.line);
        self.loaded.config.settings.notifications.rooms.insert(name, level);
        Ok(())
    }

    fn key(&mut self, item: &Item<'_>) -> Result<(), ConfigError> {
        let error = |why: String| self.file.error(item.line, why);
        let action = keymap::named(item.name).map_err(|near| {
            let hint = near.map_or("`chat-tui config show` lists them".to_owned(), |near| {
                format!("did you mean {near:?}?")
            });
            error(format!("no action is called {:?}: {hint}", item.name))
        })?;
        let words = plain(item.value).words().ok_or_else(|| {
            error(format!("the keys of {:?} are a list, as [\"Ctrl-t\", \"Alt-k\"]", item.name))
        })?;
        let keys: Result<Vec<Key>, _> = words.iter().map(|word| keymap::read(action, word)).collect();
        let keys = keys.map_err(|why| error(format!("{:?}: {why}", item.name)))?;
        self.loaded.config.settings.keymap.bind(action, &keys);
        self.place(format!("keys.{}", item.name), item.line);
        self.bound.push((action, item.line));
        Ok(())
    }

    /// A key that two actions have is one that does not do what one of its lines says.
    fn check_keys(&self) -> Result<(), ConfigError> {
        let Some(clash) = self.loaded.config.settings.keymap.clash() else { return Ok(()) };
        let line = |action| self.bound.iter().find(|(bound, _)| *bound == action).map(|(_, line)| *line);
        let name = |action: Action| {
            keymap::actions().find(|(known, ..)| *known == action).map_or("", |named| named.1)
        };
        let told = clash.actions.map(|action| match line(action) {
            Some(line) => format!("{:?} (line {line})", name(action)),
            None => format!("{:?} (usual)", name(action)),
        });
        // The one that the file does not speak of is the one to be given other keys.
        let other =
            clash.actions.into_iter().find(|action| line(*action).is_none()).unwrap_or(clash.actions[1]);
        let last = clash.actions.into_iter().filter_map(line).max().unwrap_or(1);
        let [one, two] = told;
        let why =
            format!("{} is bound twice, to {one} and to {two}: give {:?} other keys", clash.key, name(other));
        Err(self.file.error(last, why))
    }

    fn server(&mut self, section: &Item<'_>) -> Result<(), ConfigError> {
        let DeValue::Table(table) = section.value else {
            let why = format!("a server is a section: [servers.{}] with host = \"...\"", section.name);
            return Err(self.file.error(section.line, why));
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if section.name.is_empty() || section.name.starts_with('-') || !section.name.chars().all(is_plain) {
            let why =
                format!("no server can be called {:?}: use letters, digits, '-', '_', '.'", section.name);
            return Err(self.file.error(section.line, why));
        }
        let mut server = Server::default();
        for item in self.file.items(table) {
            set_server(&mut server, &item).map_err(|why| {
                self.file.error(item.line, format!("{:?} in [servers.{}]: {why}", item.name, section.name))
            })?;
            self.place(format!("servers.{}.{}", section.name, item.name), item.line);
        }
        parse(&server.hosts, server.transport.unwrap_or_default()).map_err(|why| {
            self.file.error(section.line, format!("\"host\" in [servers.{}]: {why}", section.name))
        })?;
        self.place(format!("servers.{}", section.name), section.line);
        self.loaded.config.servers.insert(section.name.to_owned(), server);
        Ok(())
    }

    fn theme(&mut self, section: &Item<'_>) -> Result<(), ConfigError> {
        let DeValue::Table(table) = section.value else {
            let why =
                format!("a theme is a section: [themes.{}] with mention = \"yellow bold\"", section.name);
            return Err(self.file.error(section.line, why));
        };
        let items = self.file.items(table);
        let base = items.iter().find(|item| item.name == BASE);
        let mut palette = base_of(section.name, base)
            .map_err(|why| self.file.error(base.map_or(section.line, |base| base.line), why))?;
        let mut written = Vec::new();
        for item in &items {
            set_theme(&mut palette, item).map_err(|why| self.file.error(item.line, why))?;
            let shown = match plain(item.value) {
                Value::List(words) => words.write(),
                value => value.text().unwrap_or_default().to_owned().write(),
            };
            written.push((item.name.to_owned(), shown));
            self.place(format!("themes.{}.{}", section.name, item.name), item.line);
        }
        self.place(format!("themes.{}", section.name), section.line);
        self.loaded.themes.push((section.name.to_owned(), written));
        let palettes = &mut self.loaded.config.settings.palettes;
        palettes.retain(|(name, _)| name != section.name);
        palettes.push((section.name.to_owned(), palette));
        Ok(())
    }
}

fn set_server(server: &mut Server, item: &Item<'_>) -> Result<(), String> {
    let value = plain(item.value);
    let words = || value.words().ok_or_else(|| format!("a text or a list of texts is allowed, not {value}"));
    match item.name {
        "host" => server.hosts = words()?,
        "transport" => {
            let choice = value.text().and_then(|text| TransportChoice::from_str(text, false).ok());
            server.transport = Some(choice.ok_or("\"auto\", \"tcp\" or \"ws\" is allowed")?);
        }
        "name" => {
            let name = value.text().ok_or("a name is allowed")?;
            server.name = Some(UserName::parse(name).map_err(|error| error.to_string())?);
        }
        "rooms" => {
            let room = |word: &String| {
                RoomName::parse(word.trim_start_matches('#')).map_err(|error| error.to_string())
            };
            server.rooms = words()?.iter().map(room).collect::<Result<_, _>>()?;
        }
        name => return Err(format!("there is no such key: {}", hint(name, &OF_SERVER))),
    }
    Ok(())
}

/// What a theme changes: one that comes with the program.
fn base_of(name: &str, base: Option<&Item<'_>>) -> Result<Palette, String> {
    let mut known = builtin();
    let wanted = match base.map(|base| plain(base.value)) {
        Some(value) => value.text().unwrap_or_default().to_owned(),
        None if known.iter().any(|(known, _)| known == name) => name.to_owned(),
        None => known[0].0.clone(),
    };
    match known.iter().position(|(name, _)| *name == wanted) {
        Some(index) => Ok(known.swap_remove(index).1),
        None => {
            let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
            Err(format!("no theme {wanted:?} to begin with: {}", hint(&wanted, &names)))
        }
    }
}

fn set_theme(palette: &mut Palette, item: &Item<'_>) -> Result<(), String> {
    let value = plain(item.value);
    let said = |why: StyleError| format!("{:?}: {why}", item.name);
    if item.name == BASE {
        return Ok(());
    }
    if item.name == AUTHORS {
        let words =
            value.words().ok_or("\"authors\" are a list of colours, as [\"cyan\", \"#ff8800 bold\"]")?;
        return palette.set_authors(words.iter().map(String::as_str)).map_err(said);
    }
    let text = value.text().ok_or_else(|| format!("{:?} is a text, as \"yellow bold\"", item.name))?;
    palette.set(item.name, text).map_err(|why| {
        why.map_or_else(|| format!("no role is called {:?}: {}", item.name, hint(item.name, &roles())), said)
    })
}

fn roles() -> Vec<&'static str> {
    ROLES.iter().map(|(_, name, _)| *name).chain([GROUND, AUTHORS, BASE]).collect()
}

fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Boolean(yes) => Value::Bool(*yes),
        // A colour may be a number.
        DeValue::Integer(number) => Value::String(number.to_string()),
        DeValue::Float(number) => Value::Other(number.as_str().to_owned()),
        DeValue::Datetime(time) => Value::Other(time.to_string()),
        DeValue::Table(_) => Value::Other("a table".to_owned()),
        DeValue::Array(list) => {
            let texts = list.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map_or_else(|| Value::Other("this list".to_owned()), Value::List)
        }
    }
}

fn hint(name: &str, known: &[&str]) -> String {
    let near = nearest(name, known.iter().copied());
    near.map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean {near:?}?"))
}

fn unknown_key(section: &str, name: &str) -> String {
    let here: Vec<&str> = KEYS.iter().filter(|key| key.section == section).map(|key| key.name).collect();
    let elsewhere = KEYS.iter().find(|key| key.name == name && !key.section.is_empty());
    let hint = match elsewhere {
        Some(key) => format!("it belongs in [{}]", key.section),
        None if OF_SERVER.contains(&name) => "it belongs in [servers.NAME]".to_owned(),
        None => hint(name, &here),
    };
    let place = if section.is_empty() { String::new() } else { format!(" in [{section}]") };
    format!("unknown key {name:?}{place}: {hint}")
}

fn unknown_section(name: &str) -> String {
    let mut known: Vec<&str> =
        KEYS.iter().map(|key| key.section).filter(|section| !section.is_empty()).collect();
    known.dedup();
    known.extend(OPEN);
    format!("unknown section [{name}]: {}", hint(name, &known))
}
