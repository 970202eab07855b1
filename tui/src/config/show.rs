//! Owns how settings are shown: what holds with where each came from, and the file that `config init` writes.

use std::fmt::Write as _;

use clap::ValueEnum as _;

use super::keys::KEYS;
use super::servers::Server;
use super::value::{Setting as _, list, quoted};
use super::{Config, Loaded, Origin};
use crate::keymap::{Key, actions, usual};

impl Loaded {
    /// What holds, as TOML, each with where it came from behind it.
    pub fn to_toml(&self) -> String {
        let file = self.path.as_ref().map_or_else(|| "none".to_owned(), |path| path.display().to_string());
        let is_there = self.path.as_ref().is_some_and(|path| path.exists());
        let mut sheet = Sheet::new(&format!(
            "# {file}{}",
            if is_there { "" } else { " (not there: config init writes it)" }
        ));
        for (key, origin) in KEYS.iter().zip(&self.origins) {
            sheet.section(key.section);
            sheet.line(key.name, &(key.write)(&self.config), origin);
        }
        for (room, level) in &self.config.settings.notifications.rooms {
            sheet.section("notifications.rooms");
            sheet.line(&name(room), &level.write(), self.place(&format!("notifications.rooms.{room}")));
        }
        for named in actions() {
            sheet.section("keys");
            let keys: Vec<String> =
                self.config.settings.keymap.keys(named.0).iter().map(Key::to_string).collect();
            sheet.line(named.1, &keys.write(), self.place(&format!("keys.{}", named.1)));
        }
        for (server, said) in &self.config.servers {
            sheet.section(&format!("servers.{}", name(server)));
            for (key, value) in lines(said) {
                sheet.line(key, &value, self.place(&format!("servers.{server}.{key}")));
            }
        }
        for (theme, lines) in &self.themes {
            sheet.section(&format!("themes.{}", name(theme)));
            for (role, style) in lines {
                sheet.line(role, style, self.place(&format!("themes.{theme}.{role}")));
            }
        }
        sheet.finish()
    }

    fn place(&self, name: &str) -> &Origin {
        self.places.get(name).unwrap_or(&Origin::Default)
    }
}

/// A name as TOML wants it.
fn name(text: &str) -> String {
    let is_bare =
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if is_bare { text.to_owned() } else { quoted(text) }
}

fn lines(server: &Server) -> Vec<(&'static str, String)> {
    let transport = server.transport.and_then(|choice| choice.to_possible_value());
    let mut lines = vec![("host", server.hosts.write())];
    lines.extend(transport.map(|choice| ("transport", quoted(choice.get_name()))));
    lines.extend(server.name.as_ref().map(|name| ("name", quoted(name.as_str()))));
    if !server.rooms.is_empty() {
        lines.push(("rooms", list(server.rooms.iter().map(|room| room.as_str()))));
    }
    lines
}

/// Lines with their origins, side by side.
struct Sheet {
    head: String,
    section: String,
    /// A heading has no origin.
    lines: Vec<(String, String)>,
}

impl Sheet {
    fn new(head: &str) -> Self {
        Self { head: head.to_owned(), section: String::new(), lines: Vec::new() }
    }

    fn section(&mut self, section: &str) {
        if self.section != section {
            self.lines.push((format!("\n[{section}]"), String::new()));
            section.clone_into(&mut self.section);
        }
    }

    fn line(&mut self, key: &str, value: &str, origin: &Origin) {
        self.lines.push((format!("{key} = {value}"), format!("# {origin}")));
    }

    fn finish(self) -> String {
        let origins = self.lines.iter().filter(|(_, origin)| !origin.is_empty());
        let width = origins.map(|(line, _)| line.chars().count()).filter(|width| *width <= WIDTH_MAX).max();
        let width = width.unwrap_or_default();
        let mut text = format!("{}\n", self.head);
        for (line, origin) in self.lines {
            let _never = match origin.as_str() {
                "" => writeln!(text, "{line}"),
                origin => writeln!(text, "{line:width$}  {origin}"),
            };
        }
        text
    }
}

/// A line wider than this does not push the origins of all others to the right, in columns.
const WIDTH_MAX: usize = 60;

/// What stands before the settings in a new file.
const HEAD: &str = "\
# Settings of chat-tui. A line without its first # holds; as it stands, each says what holds without it.
# A flag goes before the environment, that before this file. `chat-tui config show` says what holds and from where.
";

/// What stands behind them: the sections that the user names.
const TAIL: &str = "
# Rooms of their own mind: all, mentions or none.
#[notifications.rooms]
#ops = \"all\"
#\"@bob\" = \"none\"

# Servers with a name: `chat-tui work` goes to this one. Only host has to be there; it takes what --host takes.
#[servers.work]
#host = [\"lb.example.com\"]
#transport = \"auto\"
#name = \"alice\"
#rooms = [\"general\", \"ops\"]

# Themes of your own, each from one that is there (base). A role is a colour (a name, 0 to 255, #rrggbb), \"on\" and
# another for what is behind it, and bold, italic, underlined, reversed, dim; ground = \"default\" leaves the
# terminal's own. Roles:
# ROLES
#[themes.mine]
#base = \"dark\"
#ground = \"default\"
#mention = \"black on #ffcc00 bold\"
#authors = [\"cyan\", \"#ff8800 bold\"]

# Keys, by what they do: a list takes the place of the usual ones, [] leaves none.
#[keys]
";

/// The file that `config init` writes: every setting with its default, as a comment, and why one would change it.
pub fn sample() -> String {
    let defaults = Config::default();
    let mut text = HEAD.to_owned();
    let mut section = "";
    for key in KEYS {
        if key.section != section {
            section = key.section;
            text.push_str(&format!("\n#[{section}]\n"));
        }
        let _never =
            write!(text, "\n# {} ${}\n#{} = {}\n", key.why, key.variable(), key.name, (key.write)(&defaults));
    }
    let roles = crate::theme::ROLES.map(|(_, name, _)| name).join(", ");
    text.push_str(&TAIL.replace("ROLES", &roles));
    for named in actions() {
        let keys: Vec<String> = usual(named).iter().map(Key::to_string).collect();
        let _never = writeln!(text, "#{} = {}", named.1, keys.write());
    }
    text
}
