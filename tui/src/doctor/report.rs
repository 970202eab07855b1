//! Owns what the doctor has found at one endpoint, and how that looks to people and to programs.

use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use chat_protocol::text::sanitize_line;
use serde::{Serialize, Serializer};

use super::probe::Visit;
use super::verdict::{self, Finding};
use crate::net::endpoint::Endpoint;
use crate::net::event::Transport;

/// What was found at one endpoint. As JSON: one object.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Where, as it was written.
    pub endpoint: String,
    /// A chat would work there, by one of its addresses at least.
    pub works: bool,
    /// Each step that was taken, in order.
    pub steps: Vec<Step>,
    /// The nodes that answered, with their versions.
    pub nodes: Vec<Answered>,
    /// What keeps a chat from working by one of the addresses.
    pub findings: Vec<Finding>,
    /// What is worth knowing beside that.
    pub notes: Vec<Finding>,
    #[serde(skip)]
    place: Endpoint,
}

/// A step of the way.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// dns, tcp, upgrade, hello or ping.
    #[serde(rename = "step")]
    pub name: &'static str,
    /// What it is about.
    pub about: String,
    /// How long it took.
    #[serde(rename = "took_ms", serialize_with = "millis")]
    pub took: Duration,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A node that answered.
#[derive(Debug, Clone, Serialize)]
pub struct Answered {
    address: String,
    node: String,
    hostname: String,
    version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtt: Option<Times>,
    /// How far its clock is ahead of ours, where it told.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock_ahead_s: Option<i64>,
}

/// Round trips.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Times {
    /// The shortest.
    #[serde(rename = "min_ms", serialize_with = "millis")]
    pub min: Duration,
    /// The one in the middle.
    #[serde(rename = "median_ms", serialize_with = "millis")]
    pub median: Duration,
    /// The longest.
    #[serde(rename = "max_ms", serialize_with = "millis")]
    pub max: Duration,
}

impl Times {
    /// None of nothing.
    fn of(round_trips: &[Duration]) -> Option<Self> {
        let mut sorted = round_trips.to_vec();
        sorted.sort();
        let median = *sorted.get(sorted.len() / 2)?;
        Some(Self { min: *sorted.first()?, median, max: *sorted.last()? })
    }
}

impl Report {
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        Self {
            endpoint: endpoint.to_string(),
            works: false,
            steps: Vec::new(),
            nodes: Vec::new(),
            findings: Vec::new(),
            notes: Vec::new(),
            place: endpoint.clone(),
        }
    }

    /// Takes in what was met at one of its addresses.
    pub(super) fn take(&mut self, visit: Visit, address: SocketAddr, elsewhere: Option<Transport>) {
        let Visit { steps, server, trouble, clock, taken, round_trips } = visit;
        self.steps.extend(steps.into_iter().map(Step::clean));
        self.works |= trouble.is_none();
        if let Some(server) = server {
            self.nodes.push(Answered {
                address: address.to_string(),
                node: server.node.to_string(),
                hostname: sanitize_line(&server.hostname).into_owned(),
                version: sanitize_line(&server.version).into_owned(),
                rtt: Times::of(&round_trips),
                clock_ahead_s: clock.map(|clock| clock.as_secs()),
            });
        }
        let found = trouble.map(|trouble| verdict::of(&trouble, &self.place, elsewhere));
        add(&mut self.findings, found);
        add(&mut self.notes, clock.and_then(verdict::of_clock));
        add(&mut self.notes, taken.map(|name| verdict::of_name(name.as_str())));
    }

    /// For people.
    pub fn lines(&self) -> String {
        let mut lines = format!("{}\n", self.endpoint);
        for step in &self.steps {
            let Step { name, about, took, error } = step;
            let error = error.as_ref().map(|error| format!("  FAILED: {error}")).unwrap_or_default();
            line(&mut lines, format_args!("  {name:<8}{:>9} ms  {about}{error}", Millis(*took)));
        }
        for Answered { address, node, rtt, .. } in &self.nodes {
            let Some(Times { min, median, max }) = rtt else { continue };
            let (min, median, max) = (Millis(*min), Millis(*median), Millis(*max));
            line(&mut lines, format_args!("  rtt     {median:>9} ms  {node} by {address}: {min} to {max}"));
        }
        for (mark, found) in [("wrong", &self.findings), ("note", &self.notes)] {
            for Finding { what, next } in found {
                line(&mut lines, format_args!("  {mark}: {what}\n    next: {next}"));
            }
        }
        lines
    }
}

impl Step {
    /// What a server said goes to a terminal.
    fn clean(self) -> Self {
        let clean = |text: String| sanitize_line(&text).into_owned();
        Self { about: clean(self.about), error: self.error.map(clean), ..self }
    }
}

/// The same at several addresses is told once.
fn add(findings: &mut Vec<Finding>, found: Option<Finding>) {
    let clean = |found: Finding| Finding { what: sanitize_line(&found.what).into_owned(), ..found };
    findings.extend(found.map(clean).filter(|found| !findings.contains(found)));
}

fn line(lines: &mut String, text: fmt::Arguments<'_>) {
    writeln!(lines, "{text}").expect("a text in memory takes all");
}

/// Milliseconds as people read them.
struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.2}", self.0.as_secs_f64() * 1_000.0))
    }
}

fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // Microseconds: what follows them is noise.
    serializer.serialize_f64((duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0)
}
