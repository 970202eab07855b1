//! Owns what the nodes meet in: one Redis, or a primary and a replica that can be kept behind and promoted.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use chat_testbed::{Proxy, RedisOptions, RedisServer, Reply};

/// What the nodes meet in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// A Redis that keeps nothing over a restart.
    Alone,
    /// A Redis that keeps everything over a restart.
    Kept,
    /// A primary and a replica, which keep nothing over a restart.
    Pair,
    /// A primary and a replica, which keep everything over a restart.
    PairKept,
}

/// A running store.
#[derive(Debug)]
pub struct Store {
    kind: StoreKind,
    primary: RedisServer,
    replica: Option<Replica>,
}

/// A replica, and the way on which it hears of its primary.
#[derive(Debug)]
struct Replica {
    server: RedisServer,
    replication: Proxy,
}

impl Replica {
    async fn of(primary: &RedisServer, kind: StoreKind) -> anyhow::Result<Self> {
        let replication = Proxy::start(primary.addr()).await?;
        let options = options(kind).replica_through(primary, replication.addr());
        Ok(Self { server: RedisServer::start(options).await?, replication })
    }
}

fn options(kind: StoreKind) -> RedisOptions {
    // Nothing may ever be thrown out. A replica keeps no file of what it was once sent: promoted and restarted it would
    // come back with that, minutes old.
    let options = RedisOptions::default()
        .argument("maxmemory-policy", "noeviction")
        .argument("repl-diskless-load", "swapdb");
    if matches!(kind, StoreKind::Kept | StoreKind::PairKept) { options.append_only() } else { options }
}

impl Store {
    pub(super) async fn start(kind: StoreKind) -> anyhow::Result<Self> {
        let primary = RedisServer::start(options(kind)).await?;
        let replica = match kind {
            StoreKind::Pair | StoreKind::PairKept => Some(Replica::of(&primary, kind).await?),
            StoreKind::Alone | StoreKind::Kept => None,
        };
        Ok(Self { kind, primary, replica })
    }

    /// Where it serves now.
    pub fn addr(&self) -> SocketAddr {
        self.primary.addr()
    }

    pub(super) fn url_through(&self, addr: SocketAddr) -> String {
        self.primary.url_through(addr)
    }

    /// Kills it as the machine's death does.
    pub fn kill(&mut self) {
        self.primary.kill();
    }

    /// Starts it again, with what it kept.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.primary.restart().await
    }

    /// Has a command carried out.
    ///
    /// # Errors
    /// When it is not there, or refuses.
    pub async fn command(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let reply = self.primary.command(arguments).await?;
        ensure!(!matches!(reply, Reply::Error(_)), "{}: {reply:?}", arguments.join(" "));
        Ok(reply.text().unwrap_or_default())
    }

    /// The replica hears nothing any more: what is acknowledged from now on it lacks.
    ///
    /// # Errors
    /// When there is none.
    pub fn lag(&self) -> anyhow::Result<()> {
        self.replica.as_ref().context("there is no replica")?.replication.stall();
        Ok(())
    }

    /// Kills the primary and promotes the replica; another replica is started for the next time. The nodes have to
    /// be led to it.
    ///
    /// # Errors
    /// When there is none, or it cannot be promoted.
    pub async fn fail_over(&mut self) -> anyhow::Result<()> {
        let Replica { mut server, .. } = self.replica.take().context("there is no replica")?;
        self.primary.kill();
        server.promote().await?;
        self.primary = server;
        Ok(())
    }

    /// Another replica, for the next time.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn add_replica(&mut self) -> anyhow::Result<()> {
        self.replica = Some(Replica::of(&self.primary, self.kind).await?);
        Ok(())
    }
}
