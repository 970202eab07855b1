//! Owns the run in which a room of thousands comes and goes: nobody says anything, what is measured is what each member
//! is told of the others, how long it takes until everybody knows the right number, and what that costs the processes.
//! A run of its own beside the scenarios: nothing is broken, and there are no messages to judge.

mod member;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use chat_protocol::RoomName;
use serde::Serialize;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, FrontKind, Plan, StoreKind};
use crate::load::{self, Load};
use crate::run::Transports;
use crate::silence::Quantiles;
use member::{Heard, Member};

/// How long a movement of the crowd may take until everybody knows of it.
const KNOWN_MAX: Duration = Duration::from_secs(180);
/// Between two looks at who knows it.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Clients that dial at the same time.
const DIALLING_MAX: usize = 256;

/// What is played, and on what.
#[derive(Debug, Clone)]
pub struct Options {
    /// Clients, all in one room.
    pub clients: usize,
    /// Server processes.
    pub nodes: usize,
    /// What stands before them.
    pub front: FrontKind,
    /// How clients connect.
    pub transport: Transports,
    /// The program `chat-server`.
    pub server: PathBuf,
    /// Where logs and the report go.
    pub folder: PathBuf,
    /// Settings of every node, as environment variables.
    pub settings: Vec<(String, String)>,
}

/// One movement of the crowd.
#[derive(Debug, Clone, Serialize)]
pub struct Movement {
    /// What it is.
    pub name: &'static str,
    /// How many came or went.
    pub moved: usize,
    /// How many were in the room at the end.
    pub members: usize,
    /// Until every member had been told that number and nothing else since.
    pub known_ms: u64,
    /// What a member was told of the others: frames.
    pub frames: Quantiles,
    /// The same, in bytes of JSON.
    pub bytes: Quantiles,
    /// Lists of everybody, at the entry or without being asked: how many a member got.
    pub lists: Quantiles,
    /// What all nodes took together, in seconds of a core.
    pub nodes_cpu_s: f64,
    /// What Redis took, in seconds of a core.
    pub redis_cpu_s: f64,
    /// Commands that Redis carried out, those inside of scripts included.
    pub redis_commands: u64,
}

/// What came of a run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Clients.
    pub clients: usize,
    /// In the order in which they were played.
    pub movements: Vec<Movement>,
    /// What the processes cost at most.
    pub load: Load,
}

/// What all members are to do: those of an even number stay whatever happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Everybody is to be in the room.
    AllIn,
    /// Those of an odd number are to be out.
    HalfOut,
    /// The run is over.
    End,
}

/// What members share.
#[derive(Debug)]
struct Board {
    heard: Vec<Heard>,
    order: watch::Sender<Order>,
    dialling: Semaphore,
}

/// The room of all.
fn room() -> RoomName {
    RoomName::parse("crowd").expect("letters make a name")
}

/// What was spent until now.
#[derive(Debug, Clone, Copy)]
struct Spent {
    nodes: f64,
    redis: f64,
    commands: f64,
}

struct Crowd {
    cluster: Cluster,
    board: Arc<Board>,
    members: JoinSet<()>,
}

/// Plays it.
///
/// # Errors
/// When the cluster does not come up, or somebody is not told the right number in time.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    std::fs::create_dir_all(&options.folder)
        .with_context(|| format!("cannot make the folder {}", options.folder.display()))?;
    let cluster = Cluster::start(plan(options)).await?;
    let mut processes = cluster.processes();
    processes.push(("clients".to_owned(), std::process::id()));
    let stop = CancellationToken::new();
    let mut watching = JoinSet::new();
    watching.spawn(load::watch(processes, cluster.store_addr(), stop.clone()));
    let heard = (0..options.clients).map(|_| Heard::default()).collect();
    let (order, dialling) = (watch::Sender::new(Order::AllIn), Semaphore::new(DIALLING_MAX));
    let board = Arc::new(Board { heard, order, dialling });
    let mut crowd = Crowd { cluster, board, members: JoinSet::new() };
    let movements = crowd.play(options).await;
    crowd.board.order.send_replace(Order::End);
    while crowd.members.join_next().await.is_some() {}
    stop.cancel();
    let load = watching.join_next().await.context("nobody watched the load")??;
    Ok(Report { clients: options.clients, movements: movements?, load })
}

fn plan(options: &Options) -> Plan {
    Plan {
        nodes: options.nodes,
        front: options.front,
        store: StoreKind::Alone,
        wired: false,
        server: options.server.clone(),
        folder: options.folder.clone(),
        settings: options.settings.clone(),
    }
}

impl Crowd {
    async fn play(&mut self, options: &Options) -> anyhow::Result<Vec<Movement>> {
        let (all, half) = (options.clients, options.clients / 2);
        let endpoints = options.transport.endpoints(self.cluster.ways());
        let before = self.spent().await?;
        let begun = Instant::now();
        for index in 0..all {
            let endpoint = endpoints[index % endpoints.len()].clone();
            self.members.spawn(Member::new(index, self.board.clone()).run(endpoint));
        }
        let mut movements = vec![self.movement(("come", all), begun, before).await?];
        for (name, order) in
            [("half go", Order::HalfOut), ("come back", Order::AllIn), ("half go again", Order::HalfOut)]
        {
            self.board.heard.iter().for_each(Heard::forget);
            let before = self.spent().await?;
            let begun = Instant::now();
            self.board.order.send_replace(order);
            movements.push(self.movement((name, half), begun, before).await?);
        }
        Ok(movements)
    }

    /// Waits until everybody knows the right number, and sums up what that took.
    async fn movement(
        &mut self,
        (name, moved): (&'static str, usize),
        begun: Instant,
        before: Spent,
    ) -> anyhow::Result<Movement> {
        let all = self.board.heard.len();
        let is_wanted = |index: usize, order| order == Order::AllIn || index.is_multiple_of(2);
        let order = *self.board.order.borrow();
        let members = (0..all).filter(|index| is_wanted(*index, order)).count();
        let mut look = interval(LOOK_EVERY);
        loop {
            look.tick().await;
            let heard = self.board.heard.iter().enumerate();
            let waiting =
                heard.filter(|(index, heard)| !heard.knows(is_wanted(*index, order), members)).count();
            if waiting == 0 {
                break;
            }
            ensure!(
                begun.elapsed() < KNOWN_MAX,
                "{name}: {waiting} clients have not been told that {members} are in the room after {KNOWN_MAX:?}"
            );
        }
        let known_ms = begun.elapsed().as_millis() as u64;
        let after = self.spent().await?;
        let stays = || self.board.heard.iter().enumerate().filter(|(index, _)| is_wanted(*index, order));
        let told = |of: fn(&Heard) -> u64| Quantiles::of(stays().map(|(_, heard)| of(heard)).collect());
        Ok(Movement {
            name,
            moved,
            members,
            known_ms,
            frames: told(Heard::frames),
            bytes: told(Heard::bytes),
            lists: told(Heard::lists),
            nodes_cpu_s: after.nodes - before.nodes,
            redis_cpu_s: after.redis - before.redis,
            redis_commands: (after.commands - before.commands) as u64,
        })
    }

    async fn spent(&mut self) -> anyhow::Result<Spent> {
        let nodes = self.cluster.nodes().iter().filter_map(|node| load::cpu_seconds(node.pid()?)).sum();
        let said = self.cluster.store().command(&["INFO", "cpu", "commandstats"]).await?;
        let (redis, commands) = load::redis_spent(&said).context("Redis does not say what it has spent")?;
        Ok(Spent { nodes, redis, commands })
    }
}

/// The run as a table, with what it cost.
pub fn table(report: &Report) -> String {
    let mut table = format!(
        "{:<14} {:>6} {:>8} {:>9}  {:<14} {:<24} {:<11} {:>9} {:>9} {:>9}\n{:50}{}\n",
        "crowd",
        "moved",
        "members",
        "known ms",
        "frames",
        "bytes a member",
        "lists",
        "nodes s",
        "redis s",
        "commands",
        "",
        "p50/max        p50/p99/max              p50/max",
    );
    for movement in &report.movements {
        let Movement { name, moved, members, known_ms, frames, bytes, lists, .. } = movement;
        // A table in memory takes every line.
        let _ = writeln!(
            table,
            "{name:<14} {moved:>6} {members:>8} {known_ms:>9}  {:<14} {:<24} {:<11} {:>9.2} {:>9.2} {:>9}",
            format!("{}/{}", frames.p50, frames.max),
            format!("{}/{}/{}", bytes.p50, bytes.p99, bytes.max),
            format!("{}/{}", lists.p50, lists.max),
            movement.nodes_cpu_s,
            movement.redis_cpu_s,
            movement.redis_commands,
        );
    }
    table + &crate::report::load(&report.load)
}

/// The run as JSON.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json(report: &Report, path: &Path) -> anyhow::Result<()> {
    std::fs::write(path, serde_json::to_vec_pretty(report)?)
        .with_context(|| format!("cannot write {}", path.display()))
}
