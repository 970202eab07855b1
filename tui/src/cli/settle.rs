//! Owns how the settings complete a command line: what neither a flag nor the environment says. Does `chat-tui config`,
//! too, which shows that.

use std::ffi::OsStr;

use anyhow::Context as _;
use clap::CommandFactory as _;

use super::{Cli, CliError, ConfigCommand, HOST_VARIABLE};
use crate::config::{self, Flag, FlagValue, Loaded, Server, Sources, Wanted};

impl Cli {
    /// Reads the settings and lets them say what the command line does not.
    ///
    /// # Errors
    /// A setting that cannot be ([`config::ConfigError`]), or a command line that makes no sense with them.
    pub fn settle(&mut self) -> anyhow::Result<()> {
        let loaded = Loaded::read(&self.sources())?;
        if let Some(server) = self.named_server(&loaded)? {
            self.take(server);
        }
        self.settings = loaded.config.settings;
        Ok(())
    }

    /// Does `chat-tui config`; gives what is to be printed.
    ///
    /// # Errors
    /// A setting that cannot be, or a file that cannot be written.
    pub fn config(&mut self, command: &ConfigCommand) -> anyhow::Result<String> {
        let sources = self.sources();
        let path =
            sources.path().context("this system has no place for settings: name one with --config PATH")?;
        match command {
            ConfigCommand::Path => Ok(format!("{}\n", path.display())),
            ConfigCommand::Init => {
                config::init(&path).map_err(|error| match error.kind() {
                    std::io::ErrorKind::AlreadyExists => {
                        anyhow::anyhow!(
                            "{} is there already: it stays as it is; --config PATH writes another",
                            path.display()
                        )
                    }
                    _ => anyhow::Error::new(error).context(format!("cannot write {}", path.display())),
                })?;
                Ok(format!("wrote {}: every line in it is a comment until its # goes\n", path.display()))
            }
            ConfigCommand::Show => {
                let loaded = Loaded::read(&sources)?;
                let goes = self.goes(&loaded)?;
                Ok(format!("{}\n{goes}", loaded.to_toml()))
            }
        }
    }

    fn sources(&self) -> Sources {
        let ascii = Flag { name: "--ascii", key: "ascii", value: FlagValue::Yes };
        let accessible = Flag { name: "--accessible", key: "accessible", value: FlagValue::Yes };
        let words = FlagValue::Words(self.highlight.clone());
        let highlight = Flag { name: "--highlight", key: "highlight", value: words };
        let text = |text: std::ffi::OsString| text.into_string().ok();
        Sources {
            file: self.server.config.clone(),
            usual_file: config::usual_file(),
            env: std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect(),
            flags: (self.ascii.then_some(ascii).into_iter())
                .chain(self.accessible.then_some(accessible))
                .chain((!self.highlight.is_empty()).then_some(highlight))
                .collect(),
            commands: commands(),
        }
    }

    fn named_server<'a>(&self, loaded: &'a Loaded) -> anyhow::Result<Option<&'a Server>> {
        let is_there = self.demo || self.server.hosts.iter().any(|host| !host.trim().is_empty());
        let wanted = match &self.named {
            Some(_) if self.demo || self.server.hosts_given() => return Err(CliError::NamedAndPlace.into()),
            Some(name) => Wanted::Named(name),
            None if is_there => Wanted::Place,
            None => Wanted::Nothing,
        };
        Ok(loaded.server(wanted, &commands())?)
    }

    fn take(&mut self, server: &Server) {
        self.server.hosts.clone_from(&server.hosts);
        self.server.transport = self.server.transport.or(server.transport);
        self.server.name = self.server.name.take().or_else(|| server.name.clone());
        if self.rooms.is_empty() {
            self.rooms.clone_from(&server.rooms);
        }
    }

    /// Where the chat would go, as whom, and who says so.
    fn goes(&mut self, loaded: &Loaded) -> anyhow::Result<String> {
        let server = self.named_server(loaded)?;
        let named = self.named.as_ref().or(loaded.config.server.as_ref());
        let section = server.and(named).map(|name| format!("[servers.{name}]"));
        let said = |flag: &str, variable: &str, is_said: bool| match (is_said, &section) {
            (true, _) if has_flag(flag) => flag.to_owned(),
            (true, _) => variable.to_owned(),
            (false, Some(section)) => section.clone(),
            (false, None) => "default".to_owned(),
        };
        // A named server's hosts go before those of the environment, everything else behind it.
        let host = match &section {
            Some(section) => section.clone(),
            None => said("--host", HOST_VARIABLE, !self.server.hosts.is_empty()),
        };
        let name = said("--name", NAME_VARIABLE, self.server.name.is_some());
        let rooms = said("--room", ROOMS_VARIABLE, !self.rooms.is_empty());
        if let Some(server) = server {
            self.take(server);
        }
        if self.server.hosts.is_empty() {
            return Ok("# goes nowhere: no --host, no CHAT_TUI_HOST, no server\n".to_owned());
        }
        let mut text = format!("# goes to {}: {host}\n", self.server.hosts.join(", "));
        if let Some(user) = &self.server.name {
            text.push_str(&format!("# as {user}: {name}\n"));
        }
        let list: Vec<String> = self.rooms().iter().map(|room| format!("#{room}")).collect();
        text.push_str(&format!("# into {}: {rooms}\n", list.join(", ")));
        Ok(text)
    }
}

/// What says `--name` where no flag does.
pub(super) const NAME_VARIABLE: &str = "CHAT_TUI_NAME";
/// What says `--room`.
pub(super) const ROOMS_VARIABLE: &str = "CHAT_TUI_ROOMS";
/// What says `--transport`.
pub(super) const TRANSPORT_VARIABLE: &str = "CHAT_TUI_TRANSPORT";

/// The program's commands, hidden ones too.
fn commands() -> Vec<String> {
    let command = Cli::command();
    let names = command.get_subcommands().map(|command| command.get_name().to_owned());
    names.chain(["help".to_owned()]).collect()
}

fn has_flag(flag: &str) -> bool {
    let is_it = |word: &OsStr| {
        let word = word.to_string_lossy();
        word.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    };
    std::env::args_os().any(|word| is_it(&word))
}
