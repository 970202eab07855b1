//! Owns the cluster that is broken: a Redis, or a primary and its replica; server processes, each with a proxy on
//! its way to Redis; a front-end before them. All of it real, all gone when dropped.

mod front;
mod node;
mod store;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chat_testbed::Proxy;

pub use front::{FrontKind, Ways};
pub use node::Node;
pub use store::{Store, StoreKind};

use front::Front;

/// How a cluster is built.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Server processes.
    pub nodes: usize,
    /// What stands before them.
    pub front: FrontKind,
    /// What they meet in.
    pub store: StoreKind,
    /// With a proxy between the front-end and each node, so that this way can be broken too.
    pub wired: bool,
    /// The program `chat-server`.
    pub server: PathBuf,
    /// Where logs go.
    pub folder: PathBuf,
    /// Settings of every node, as environment variables.
    pub settings: Vec<(String, String)>,
}

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    front: Front,
    nodes: Vec<Node>,
    store: Store,
}

impl Cluster {
    /// Starts everything and waits until every node takes clients.
    ///
    /// # Errors
    /// When a program is missing or does not come up; the error says which log to read.
    pub async fn start(plan: Plan) -> anyhow::Result<Self> {
        let store = Store::start(plan.store).await?;
        let mut nodes = Vec::new();
        for number in 1..=plan.nodes {
            let to_store = Proxy::start(store.addr()).await?;
            let url = store.url_through(to_store.addr());
            nodes.push(Node::start(&plan, number, to_store, url).await?);
        }
        for node in &mut nodes {
            node.ready().await?;
        }
        let front = Front::start(&plan, nodes.iter().map(Node::backend).collect()).await?;
        Ok(Self { front, nodes, store })
    }

    /// Where clients come in.
    pub fn ways(&self) -> Ways {
        self.front.ways()
    }

    /// The server processes, by number from 0.
    pub fn nodes(&mut self) -> &mut [Node] {
        &mut self.nodes
    }

    /// What they meet in.
    pub fn store(&mut self) -> &mut Store {
        &mut self.store
    }

    /// The nodes' ways to what they meet in lead to whatever serves there now.
    pub fn follow_store(&self) {
        self.nodes.iter().for_each(|node| node.to_store().set_target(self.store.addr()));
    }

    /// Every process with its name, for whoever measures what it costs.
    pub fn processes(&self) -> Vec<(String, u32)> {
        let nodes = self.nodes.iter().filter_map(|node| Some((node.name().to_owned(), node.pid()?)));
        nodes.chain(self.front.pid().map(|pid| ("front".to_owned(), pid))).collect()
    }

    /// Where the store answers questions about itself.
    pub fn store_addr(&self) -> SocketAddr {
        self.store.addr()
    }
}

/// The log of a program in the run's folder.
fn log(folder: &Path, name: &str) -> anyhow::Result<std::process::Stdio> {
    use anyhow::Context;
    let path = folder.join(format!("{name}.log"));
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    Ok(file.with_context(|| format!("cannot write {}", path.display()))?.into())
}
