//! Owns the wait for a replica, for `ack = "replicated"`: one WAIT answers for everything that was published before
//! it, however many rooms wait. WAIT blocks its connection, so it has one of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::Value;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::link::Primary;
use super::{Answer, keys};
use crate::backbone::BackboneError;

/// Replicas that must have a message.
const REPLICAS: i64 = 1;
/// How long they have.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Confirms that a replica has what was published.
pub(super) struct Replication {
    primary: Arc<Primary>,
    /// Publishes that want to be confirmed, counted.
    asked: AtomicU64,
    /// How many of them are; held by the one who waits for the others too.
    confirmed: Mutex<u64>,
}

impl Replication {
    pub(super) fn of(primary: Arc<Primary>) -> Self {
        Self { primary, asked: AtomicU64::new(0), confirmed: Mutex::new(0) }
    }

    /// Returns once a replica has everything that was answered through a connection before the call.
    pub(super) async fn confirm(&self, connection: &CancellationToken) -> Answer<()> {
        self.wait().await?;
        if connection.is_cancelled() {
            // Another server may have answered, which never had it.
            return Err(BackboneError::Unavailable("the connection to redis was lost".into()));
        }
        Ok(())
    }

    async fn wait(&self) -> Answer<()> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut confirmed = self.confirmed.lock().await;
        if *confirmed >= number {
            return Ok(());
        }
        let covered = self.asked.load(Ordering::SeqCst);
        let mut wait = redis::pipe();
        // WAIT counts from what its own connection has written: a word to nobody, which replicas are sent too.
        // After a mere PING Valkey 9 confirmed what no replica had.
        wait.cmd("PUBLISH")
            .arg(keys::NOBODY)
            .arg("")
            .cmd("WAIT")
            .arg(REPLICAS)
            .arg(WAIT_MAX.as_millis() as u64);
        match self.primary.wait(&wait).await?.last() {
            Some(Value::Int(replicas)) if *replicas >= REPLICAS => {
                *confirmed = covered;
                Ok(())
            }
            _ => Err(BackboneError::Unavailable(format!(
                "no replica has it within {} s: see whether one is connected, or set ack = \"primary\"",
                WAIT_MAX.as_secs()
            ))),
        }
    }
}
