//! Owns the servers with a name: what the file says of one, and which is meant.

use chat_protocol::{RoomName, UserName};

use super::{ConfigError, Loaded};
use crate::nearest::nearest;
use crate::net::endpoint::TransportChoice;

/// A server with a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Server {
    /// As after `--host`.
    pub hosts: Vec<String>,
    /// As after `--transport`.
    pub transport: Option<TransportChoice>,
    /// As after `--name`.
    pub name: Option<UserName>,
    /// As after `--room`.
    pub rooms: Vec<RoomName>,
}

/// What the command line and the environment say of where to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// A name was given.
    Named(&'a str),
    /// A place was given that needs no name.
    Place,
    /// Nothing.
    Nothing,
}

impl Loaded {
    /// The server that is meant, where it is one with a name: one given on the command line, else, where no place was
    /// given, the one that `server` names.
    ///
    /// # Errors
    /// Where there is none of the name.
    pub fn server(&self, wanted: Wanted<'_>, commands: &[String]) -> Result<Option<&Server>, ConfigError> {
        let name = match wanted {
            Wanted::Named(name) => name,
            Wanted::Place => return Ok(None),
            Wanted::Nothing => match &self.config.server {
                Some(name) => name,
                None => return Ok(None),
            },
        };
        self.config.servers.get(name).map(Some).ok_or_else(|| self.unknown_server(name, commands))
    }

    fn unknown_server(&self, name: &str, commands: &[String]) -> ConfigError {
        let command = nearest(name, commands.iter().map(String::as_str));
        let command = command.map_or_else(String::new, |near| format!("; or is it the command {near:?}?"));
        ConfigError(format!("{} (a host goes with --host {name}){command}", self.no_server(name)))
    }
}
