//! Owns the connections to one primary: for calls, for the feed, for waiting; all or none. A call while there are
//! none, or whose connection goes, fails at once; its outcome is unknown. Knows nothing of rooms or people.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chat_protocol::NodeId;
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, IntoConnectionInfo, ProtocolVersion, RedisError,
    ServerErrorKind, Value,
};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::feed::Feed;
use super::keys::Channels;
use super::scripts::Eval;
use super::start::{self, DialError, Server};
use crate::backbone::{BackboneError, Health};
use crate::config::RedisUrl;

/// Longest time for Redis to confirm a subscription; less than a call may take, or nobody would be left to see it.
const SUBSCRIBE_MAX: Duration = Duration::from_secs(4);
/// Longest time to connect, log in and subscribe.
const DIAL_MAX: Duration = Duration::from_secs(5);
/// Channels in one SUBSCRIBE.
const SUBSCRIBE_AT_ONCE: usize = 500;
/// The next proof of the feed comes within this time.
const PROOF_MAX: Duration = Duration::from_millis(2_000);

/// One primary, as one node sees it.
pub(super) struct Primary {
    url: RedisUrl,
    node: NodeId,
    channels: Channels,
    pub(super) feed: Arc<Feed>,
    /// None while it is out of reach. Held to clone or replace them.
    wires: Mutex<Option<Wires>>,
    /// When they were last given up.
    dropped: Mutex<Instant>,
    /// The node is dead: nothing goes out any more.
    cut: CancellationToken,
    proof: Mutex<Proof>,
    reconnects: AtomicU64,
}

/// When the feed last proved itself.
#[derive(Debug, Clone, Copy)]
struct Proof {
    at: Instant,
    lag: Option<Duration>,
}

/// The connections.
#[derive(Clone)]
pub(super) struct Wires {
    calls: MultiplexedConnection,
    feed: MultiplexedConnection,
    /// For WAIT, which blocks the connection it is sent through.
    waits: MultiplexedConnection,
    /// One of them is gone: the other is given up too.
    pub(super) gone: CancellationToken,
    /// Which life of which server.
    pub(super) server: Server,
}

impl Primary {
    pub(super) fn new(url: RedisUrl, node: NodeId, channels: Channels, feed: Arc<Feed>) -> Self {
        let proof = Mutex::new(Proof { at: Instant::now(), lag: None });
        let (wires, cut) = (Mutex::default(), CancellationToken::new());
        let (dropped, reconnects) = (Mutex::new(Instant::now()), AtomicU64::new(0));
        Self { url, node, channels, feed, wires, dropped, cut, proof, reconnects }
    }

    /// Connects, logs in, looks at the server and subscribes to everything wanted.
    pub(super) async fn dial(&self) -> Result<Wires, DialError> {
        timeout(DIAL_MAX, self.dial_unbounded())
            .await
            .unwrap_or_else(|_| Err(start::mute(&self.url, DIAL_MAX)))
    }

    async fn dial_unbounded(&self) -> Result<Wires, DialError> {
        let explain = |error: RedisError| start::explain(&self.url, &error);
        let client = self.client(ProtocolVersion::RESP2).map_err(explain)?;
        let config = || AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let mut plain =
            client.get_multiplexed_async_connection_with_config(&config()).await.map_err(explain)?;
        // Before RESP3 is spoken: a server that is too old does not know it.
        let server = start::look(&self.url, &mut plain).await?;
        let gone = CancellationToken::new();
        let (on_calls, on_feed, feed) = (gone.clone(), gone.clone(), self.feed.clone());
        let calls = config().set_push_sender(move |push: redis::PushInfo| {
            if push.kind == redis::PushKind::Disconnection {
                on_calls.cancel();
            }
            Ok::<(), ()>(())
        });
        let told = config().set_push_sender(move |push| {
            if feed.take(push) {
                on_feed.cancel();
            }
            Ok::<(), ()>(())
        });
        let client = self.client(ProtocolVersion::RESP3).map_err(explain)?;
        let calls = client.get_multiplexed_async_connection_with_config(&calls).await.map_err(explain)?;
        let mut feed = client.get_multiplexed_async_connection_with_config(&told).await.map_err(explain)?;
        let mut channels = self.feed.channels();
        channels.extend([self.channels.all(), self.channels.node(&self.node)]);
        for channels in channels.chunks(SUBSCRIBE_AT_ONCE) {
            feed.subscribe(channels).await.map_err(explain)?;
        }
        Ok(Wires { calls, feed, waits: plain, gone, server })
    }

    fn client(&self, protocol: ProtocolVersion) -> Result<Client, RedisError> {
        let keepalive = socket2::TcpKeepalive::new().with_time(Duration::from_secs(5));
        let tcp = TcpSettings::default()
            .set_nodelay(true)
            .set_keepalive(keepalive)
            .set_user_timeout(Duration::from_secs(10));
        let info = self.url.as_str().into_connection_info()?;
        let login = info.redis_settings().clone().set_protocol(protocol).set_skip_set_lib_name();
        Client::open(info.set_redis_settings(login).set_tcp_settings(tcp))
    }

    /// From now on these are used.
    pub(super) fn use_wires(&self, wires: Wires) {
        if !self.cut.is_cancelled() {
            *self.wires.lock() = Some(wires);
        }
    }

    /// They are gone, or no good.
    pub(super) fn drop_wires(&self) {
        if let Some(wires) = self.wires.lock().take() {
            *self.dropped.lock() = Instant::now();
            wires.gone.cancel();
        }
    }

    pub(super) fn count_reconnect(&self) {
        self.reconnects.fetch_add(1, Ordering::Relaxed);
    }

    /// The node dies: nothing goes out any more, nothing is told.
    pub(super) fn cut(&self) {
        self.cut.cancel();
        self.drop_wires();
    }

    pub(super) fn is_cut(&self) -> &CancellationToken {
        &self.cut
    }

    /// True where the feed has proved itself since a moment.
    pub(super) fn is_proved_since(&self, since: Instant) -> bool {
        self.proof.lock().at > since
    }

    /// The feed has carried the node's own word.
    pub(super) fn prove(&self, lag: Duration) {
        *self.proof.lock() = Proof { at: Instant::now(), lag: Some(lag) };
    }

    pub(super) fn health(&self) -> Health {
        let proof = *self.proof.lock();
        let is_connected = self.wires.lock().is_some();
        // Only a word that came back proves anything: connections alone do not.
        let overdue = proof.at.elapsed().checked_sub(PROOF_MAX);
        let silent = if is_connected { overdue } else { overdue.or(Some(self.dropped.lock().elapsed())) };
        Health { silent, lag: proof.lag, reconnects: self.reconnects.load(Ordering::Relaxed) }
    }

    /// Cancelled as soon as the connection that is used now is given up.
    pub(super) fn connection(&self) -> Result<CancellationToken, BackboneError> {
        Ok(self.wires()?.gone)
    }

    fn wires(&self) -> Result<Wires, BackboneError> {
        self.wires.lock().clone().ok_or_else(|| BackboneError::Unavailable("redis is out of reach".into()))
    }

    pub(super) async fn query(&self, command: &Cmd) -> Result<Value, BackboneError> {
        let mut wires = self.wires()?;
        let gone = wires.gone.clone();
        let answer = self.while_connected(&gone, command.query_async(&mut wires.calls)).await?;
        answer.map_err(|error| failed(&error, &gone))
    }

    /// Several commands, answered in order; for those that do not hang together.
    pub(super) async fn pipeline(&self, pipeline: &redis::Pipeline) -> Result<Vec<Value>, BackboneError> {
        let mut wires = self.wires()?;
        let gone = wires.gone.clone();
        let answer = self.while_connected(&gone, pipeline.query_async(&mut wires.calls)).await?;
        answer.map_err(|error| failed(&error, &gone))
    }

    /// Waits for replicas; on the connection that may block.
    pub(super) async fn wait(&self, pipeline: &redis::Pipeline) -> Result<Vec<Value>, BackboneError> {
        let mut wires = self.wires()?;
        let gone = wires.gone.clone();
        let answer = self.while_connected(&gone, pipeline.query_async(&mut wires.waits)).await?;
        answer.map_err(|error| failed(&error, &gone))
    }

    /// Runs a script.
    pub(super) async fn eval(&self, eval: Eval) -> Result<Value, BackboneError> {
        let mut wires = self.wires()?;
        let gone = wires.gone.clone();
        let answer = self.while_connected(&gone, async {
            match eval.by_hash().query_async(&mut wires.calls).await {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    eval.whole().query_async(&mut wires.calls).await
                }
                answer => answer,
            }
        });
        answer.await?.map_err(|error| failed(&error, &gone))
    }

    /// Asks for what is said in a channel; returns when Redis has confirmed it.
    pub(super) async fn subscribe(&self, channel: &str) -> Result<(), BackboneError> {
        let mut wires = self.wires()?;
        let gone = wires.gone.clone();
        let confirmed = timeout(SUBSCRIBE_MAX, self.while_connected(&gone, wires.feed.subscribe(channel)));
        let Ok(answer) = confirmed.await else {
            // What was subscribed before may be heard still: only this shows that nothing gets there any more.
            gone.cancel();
            return Err(BackboneError::Unavailable("redis does not confirm a subscription".into()));
        };
        answer?.map_err(|error| failed(&error, &gone))
    }

    pub(super) async fn unsubscribe(&self, channel: &str) -> Result<(), BackboneError> {
        let mut wires = self.wires()?;
        let gone = wires.gone.clone();
        let answer = self.while_connected(&gone, wires.feed.unsubscribe(channel)).await?;
        answer.map_err(|error| failed(&error, &gone))
    }

    async fn while_connected<T>(
        &self,
        gone: &CancellationToken,
        work: impl Future<Output = T>,
    ) -> Result<T, BackboneError> {
        let lost = || BackboneError::Unavailable("the connection to redis was lost".into());
        gone.run_until_cancelled(work).await.ok_or_else(lost)
    }
}

/// A call failed. What shows that this connection leads nowhere ends it.
fn failed(error: &RedisError, gone: &CancellationToken) -> BackboneError {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, ReadOnly};
    let leads_nowhere = match error.kind() {
        // A primary that was demoted, or that has not its data yet.
        ErrorKind::Server(kind) => matches!(kind, ReadOnly | BusyLoading | MasterDown | ClusterDown),
        _ => error.is_io_error() || error.is_connection_dropped() || error.is_unrecoverable_error(),
    };
    // Redis 6.2 wraps what a script met.
    let text = error.to_string();
    if leads_nowhere || text.contains("READONLY") || text.contains("MASTERDOWN") {
        gone.cancel();
    }
    BackboneError::Unavailable(text)
}
