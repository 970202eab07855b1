//! Owns the wiring of `chat-tui doctor`: which endpoints, which name, and the exit code. It reads the state file and
//! writes nothing.

use chat_protocol::UserName;

use super::output::print;
use crate::cli::{Cli, DoctorArgs};
use crate::doctor;
use crate::exit::Exit;
use crate::net::endpoint::Endpoint;
use crate::state;

/// Examines each endpoint in turn, as a chat tries them.
pub(super) async fn examine(cli: &Cli, args: &DoctorArgs, endpoints: Vec<Endpoint>) -> anyhow::Result<Exit> {
    let name = name(cli, &endpoints);
    let is_json = args.json || cli.json;
    let mut working = Vec::new();
    for endpoint in &endpoints {
        let report = doctor::examine(endpoint, name.as_ref()).await;
        if report.works {
            working.push(report.endpoint.clone());
        }
        let told = if is_json { serde_json::to_string(&report)? + "\n" } else { report.lines() };
        print(told.as_bytes())?;
    }
    if !is_json {
        let told = match working.first() {
            Some(first) => format!("a chat would work: by {first}\n"),
            None => "a chat would not work\n".to_owned(),
        };
        print(told.as_bytes())?;
    }
    Ok(if working.is_empty() { Exit::Failed } else { Exit::Done })
}

/// The name that a chat would ask for, unless it is its own already.
fn name(cli: &Cli, endpoints: &[Endpoint]) -> Option<UserName> {
    let saved = state::directory().map(|directory| state::peek(&directory, &state::key(endpoints)));
    let own = saved.and_then(|saved| saved.name);
    let asked = cli.server.name.clone().or_else(|| own.clone()).or_else(|| cli.server.login_name());
    asked.filter(|asked| own.is_none_or(|own| own.key() != asked.key()))
}
