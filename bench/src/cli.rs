//! Owns the command line of the chaos driver.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::cluster::FrontKind;
use crate::crowd;
use crate::run::{Options, Transports};
use crate::scenario::Scenario;

const EXAMPLES: &str = "\
Examples:
  cargo xtask chaos                                   one minute of everything at random
  cargo xtask chaos --minutes 10 --seed 7             ten, in an order that can be played again
  cargo xtask chaos --scenario matrix                 every row of the failure matrix
  cargo xtask chaos --scenario kill --front haproxy   one row, behind another load balancer
  cargo xtask chaos --scenario storm --clients 5000   a full node dies
  cargo xtask chaos --scenario crowd --clients 5000   a room of thousands comes and goes; nothing is broken
  cargo xtask chaos --check FILE                      judge a record again

Ends with 1 when a promise was broken; what happened stands in the record that is named then.";

/// The run that is no scenario: nothing is broken in it.
const CROWD: &str = "crowd";

/// How the names of the server's settings begin.
const SETTING: &str = "CHAT_SERVER_";

/// Breaks a cluster of real server processes and checks every message of every client.
#[derive(Debug, Parser)]
#[command(name = "chaos", after_help = EXAMPLES)]
pub struct Cli {
    /// How long each scenario lasts [1, of the matrix 0.5]
    #[arg(long, value_name = "N")]
    minutes: Option<f64>,
    /// Where the order of what is broken comes from [random]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// One scenario, `matrix`: every row of the failure matrix, or `crowd`: a room comes and goes
    #[arg(long, value_name = "NAME", default_value = "chaos")]
    scenario: String,
    /// Server processes
    #[arg(long, value_name = "N", default_value_t = 3)]
    nodes: usize,
    /// Clients
    #[arg(long, value_name = "N", default_value_t = 500)]
    clients: usize,
    /// Rooms; each client is in one [one for 50 clients]
    #[arg(long, value_name = "N")]
    rooms: Option<usize>,
    /// Messages a second, all clients together
    #[arg(long, value_name = "N", default_value_t = 200.0)]
    rate: f64,
    /// What stands before the nodes
    #[arg(long, value_enum, default_value = "balance")]
    front: FrontKind,
    /// How clients connect
    #[arg(long, value_enum, default_value = "mixed")]
    transport: Transports,
    /// A setting of every node: CHAT_SERVER_TIMING__PING_MS=2000
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Where records, logs and report.json go
    #[arg(long, value_name = "FOLDER", default_value = "target/chaos")]
    out: PathBuf,
    /// The server program [the one beside this program]
    #[arg(long, value_name = "FILE", hide = true)]
    server: Option<PathBuf>,
    /// Judge this record of a run, and nothing else
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
}

impl Cli {
    /// Where records, logs and the report go.
    pub fn out(&self) -> &std::path::Path {
        &self.out
    }

    /// The runs that were asked for.
    ///
    /// # Errors
    /// For what cannot be played; says what can.
    pub fn runs(&self) -> Result<Vec<Options>, String> {
        let is_matrix = self.scenario == "matrix";
        let scenarios = if is_matrix {
            Scenario::MATRIX.to_vec()
        } else {
            vec![<Scenario as clap::ValueEnum>::from_str(&self.scenario, true).map_err(|_| self.unknown())?]
        };
        let rooms = self.rooms.unwrap_or(self.clients.div_ceil(50));
        if self.nodes < 2 || rooms == 0 || self.clients < rooms * 2 || self.rate <= 0.0 {
            return Err("two nodes, two clients in each room and a rate above 0 are the least".to_owned());
        }
        let lasts = lasts(self.minutes.unwrap_or(if is_matrix { 0.5 } else { 1.0 }))?;
        let settings = self.set.iter().map(|text| setting(text)).collect::<Result<Vec<_>, _>>()?;
        let server = self.server.clone().map_or_else(server_beside, Ok)?;
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(0..1_000_000));
        let run = |scenario: Scenario| Options {
            scenario,
            lasts,
            seed,
            nodes: self.nodes,
            clients: self.clients,
            rooms,
            rate: self.rate,
            front: self.front,
            transport: self.transport,
            server: server.clone(),
            folder: self.out.join(scenario.name()),
            settings: settings.clone(),
        };
        Ok(scenarios.into_iter().map(run).collect())
    }

    /// True where a room is to come and go.
    pub fn is_crowd(&self) -> bool {
        self.scenario == CROWD
    }

    /// The run in which it does.
    ///
    /// # Errors
    /// For what cannot be played; says what can.
    pub fn crowd(&self) -> Result<crowd::Options, String> {
        if self.nodes == 0 || self.clients < 2 || self.rooms.is_some_and(|rooms| rooms != 1) {
            return Err("a crowd is two clients at least, on one node at least, all in one room".to_owned());
        }
        Ok(crowd::Options {
            clients: self.clients,
            nodes: self.nodes,
            front: self.front,
            transport: self.transport,
            server: self.server.clone().map_or_else(server_beside, Ok)?,
            folder: self.out.join(CROWD),
            settings: self.set.iter().map(|text| setting(text)).collect::<Result<_, _>>()?,
        })
    }

    fn unknown(&self) -> String {
        let names: Vec<String> =
            <Scenario as clap::ValueEnum>::value_variants().iter().map(|scenario| scenario.name()).collect();
        format!("there is no scenario {}: choose matrix, crowd, {}", self.scenario, names.join(", "))
    }
}

fn lasts(minutes: f64) -> Result<Duration, String> {
    let lasts = Duration::try_from_secs_f64(minutes * 60.0).ok().filter(|lasts| !lasts.is_zero());
    lasts.ok_or_else(|| format!("--minutes {minutes}: say a time above 0, --minutes 0.5 for half a minute"))
}

/// A setting by its name and value. Others than the server's own would be passed over by it without a word.
fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let is_one = text.contains('=') && name.strip_prefix(SETTING).is_some_and(|rest| !rest.is_empty());
    let advice = || format!("--set {text}: say {SETTING}NAME=VALUE, as in {SETTING}TIMING__PING_MS=2000");
    is_one.then(|| (name.to_owned(), value.to_owned())).ok_or_else(advice)
}

/// The server program that was built together with this one.
fn server_beside() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("where this program lies: {error}"))?;
    let server = own.with_file_name("chat-server");
    if server.is_file() {
        return Ok(server);
    }
    Err(format!(
        "there is no {}: build it with cargo build --release --package chat-server",
        server.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], expected: &str) {
        let cli = Cli::parse_from([&["chaos"], arguments].concat());
        let error = cli.runs().expect_err("this cannot be played");
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn no_time_is_none_to_play_in() {
        for minutes in ["--minutes=0", "--minutes=-1", "--minutes=nan", "--minutes=1e-12"] {
            check(&[minutes], "say a time above 0");
        }
    }

    #[test]
    fn a_setting_that_no_server_reads_is_a_mistake() {
        for setting in ["X=1", "CHAT_SERVER_X", "CHAT_SERVER_=1", "=1", ""] {
            check(&["--set", setting], "say CHAT_SERVER_NAME=VALUE");
        }
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(setting("CHAT_SERVER_A__B=c=d"), pair("CHAT_SERVER_A__B", "c=d"));
    }
}
