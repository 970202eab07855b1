//! Owns one run: a cluster and a fleet are started, a scenario is played, and what was written down is judged.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::Transport;
use clap::ValueEnum;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::check::{Counts, Judge, Verdict};
use crate::cluster::{Cluster, FrontKind, Plan, Ways};
use crate::fleet::{Fleet, Manner, Slow, Talk};
use crate::load::{self, Load};
use crate::nemesis::Nemesis;
use crate::record::{self, Recorder};
use crate::scenario::Scenario;
use crate::silence::Quantiles;
use crate::violations::violations;

/// How clients connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transports {
    /// Lines on TCP
    Tcp,
    /// WebSocket
    Ws,
    /// Every other client by WebSocket
    Mixed,
}

impl Transports {
    /// Where clients connect, in turns.
    pub(crate) fn endpoints(self, ways: Ways) -> Vec<Endpoint> {
        match self {
            Self::Tcp => vec![ways.endpoint(Transport::Tcp)],
            Self::Ws => vec![ways.endpoint(Transport::Ws)],
            Self::Mixed => vec![ways.endpoint(Transport::Tcp), ways.endpoint(Transport::Ws)],
        }
    }
}

/// What is played, and on what.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is broken.
    pub scenario: Scenario,
    /// For how long, once all clients are in.
    pub lasts: Duration,
    /// Where the order of what is broken comes from.
    pub seed: u64,
    /// Server processes.
    pub nodes: usize,
    /// Clients.
    pub clients: usize,
    /// Rooms; each client is in one.
    pub rooms: usize,
    /// Messages a second, all clients together.
    pub rate: f64,
    /// What stands before the nodes.
    pub front: FrontKind,
    /// How clients connect.
    pub transport: Transports,
    /// The program `chat-server`.
    pub server: PathBuf,
    /// Where the record and the logs go.
    pub folder: PathBuf,
    /// Settings of every node, as environment variables.
    pub settings: Vec<(String, String)>,
}

/// What came of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Its name.
    pub scenario: String,
    /// What stood before the nodes.
    pub front: String,
    /// How clients connected.
    pub transport: Transports,
    /// Where the order of what was broken came from.
    pub seed: u64,
    /// Clients.
    pub clients: usize,
    /// How often something was broken.
    pub faults: usize,
    /// What was counted.
    pub counts: Counts,
    /// How long clients that were hit saw nothing new.
    pub silence: Quantiles,
    /// How long clients that lost their node were without all that they had missed.
    pub returned: Quantiles,
    /// What the processes cost at most.
    pub load: Load,
    /// What is wrong; empty: nothing.
    pub violations: Vec<String>,
    /// The record: every message said, acknowledged and shown.
    pub record: PathBuf,
}

/// A cluster and its clients, before anything is broken.
#[derive(Debug)]
pub struct Run {
    options: Options,
    cluster: Cluster,
    fleet: Fleet,
    record: Arc<Recorder>,
    path: PathBuf,
}

/// Plays one scenario.
///
/// # Errors
/// When the cluster does not come up, or clients do not get in.
pub async fn run(options: Options) -> anyhow::Result<Report> {
    Run::start(options).await?.play().await
}

impl Run {
    /// Starts the cluster and the clients.
    ///
    /// # Errors
    /// When the cluster does not come up, or clients do not get in.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&options.folder)
            .with_context(|| format!("cannot make the folder {}", options.folder.display()))?;
        let path = options.folder.join("record.jsonl");
        let cluster = Cluster::start(plan(&options)).await?;
        let record = Arc::new(Recorder::create(&path)?);
        record.plan(options.scenario.name());
        let endpoints = options.transport.endpoints(cluster.ways());
        let fleet = Fleet::start(talk(&options), &endpoints, record.clone()).await?;
        Ok(Self { options, cluster, fleet, record, path })
    }

    /// Plays its scenario and judges what was written down.
    ///
    /// # Errors
    /// When the record cannot be written or read.
    pub async fn play(self) -> anyhow::Result<Report> {
        let Self { options, cluster, fleet, record, path } = self;
        let stop = CancellationToken::new();
        let mut processes = cluster.processes();
        processes.push(("clients".to_owned(), std::process::id()));
        let mut watching = JoinSet::new();
        watching.spawn(load::watch(processes, cluster.store_addr(), stop.clone()));
        let mut nemesis = Nemesis::new(cluster, record.clone(), options.seed, options.lasts);
        fleet.talk();
        let played = nemesis.play(options.scenario, &fleet).await;
        let lagged = nemesis.metric("chat_clients_lagged_total").await;
        let finished = fleet.finish().await;
        stop.cancel();
        let load = watching.join_next().await.context("nobody watched the load")??;
        record.finish()?;
        let verdict = judge(&path)?;
        let mut report = report(&options, path, load, verdict);
        // What went wrong with the cluster itself is as bad as a lost message.
        report.violations.extend(played.err().map(|error| format!("{error:#}")));
        report.violations.extend(finished.err().map(|error| format!("{error:#}")));
        if options.scenario == Scenario::SlowReader && lagged == 0 {
            report.violations.push("no client was slow enough to lag: the run proves nothing".to_owned());
        }
        Ok(report)
    }
}

fn plan(options: &Options) -> Plan {
    Plan {
        nodes: options.nodes,
        front: options.front,
        store: options.scenario.store(options.seed),
        wired: options.scenario.is_wired(),
        server: options.server.clone(),
        folder: options.folder.clone(),
        settings: options.settings.clone(),
    }
}

fn talk(options: &Options) -> Talk {
    let slow = match options.scenario {
        Scenario::SlowReader => Slow { clients: 5, bytes_per_second: 1_024 },
        _ => Slow::default(),
    };
    let manner = match options.scenario {
        Scenario::Conversation => Manner::Conversation,
        _ => Manner::Speech,
    };
    Talk {
        manner,
        clients: options.clients,
        rooms: options.rooms,
        rate: options.rate,
        bytes: options.scenario.message_bytes(),
        slow,
    }
}

/// Judges a record.
///
/// # Errors
/// When it cannot be read.
pub fn judge(path: &Path) -> anyhow::Result<Verdict> {
    let mut judge = Judge::default();
    record::read(path, |event| judge.take(event))?;
    Ok(judge.verdict())
}

fn report(options: &Options, record: PathBuf, load: Load, verdict: Verdict) -> Report {
    let violations = violations(&verdict);
    let Verdict { counts, times, .. } = verdict;
    Report {
        scenario: options.scenario.name(),
        front: options.front.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default(),
        transport: options.transport,
        seed: options.seed,
        clients: options.clients,
        faults: times.faults(),
        counts,
        silence: times.silences(),
        returned: times.returns(),
        load,
        violations,
        record,
    }
}
