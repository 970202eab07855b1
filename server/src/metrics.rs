//! Owns what a node counts of itself, and the names under which it is told: every metric of a node is declared here, once.
//! OpenMetrics text 1.0 (<https://github.com/prometheus/OpenMetrics>). No label is a user or a room: their
//! number has no bound. Knows nobody who counts.
//!
//! Counting takes no lock: relaxed atomics, sharded by thread where it is done for each message.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::registry::Registry;

mod cells;
mod page;

pub(crate) use cells::{Count, Histogram};
pub(crate) use page::{Labels, Page};

/// The media type of [`scrape`]'s text, as the OpenMetrics specification gives it.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is counted where it happens.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// Messages that clients sent.
    pub(crate) received: Count,
    /// Messages that this node put into a log.
    pub(crate) published: Count,
    /// Entries given to clients.
    pub(crate) delivered: Count,
    /// Seats in rooms, now: those taken, and those given up.
    pub(crate) joined: Count,
    pub(crate) left: Count,
    /// From a call to publish a batch to its answer.
    pub(crate) publish: Histogram,
    /// From a message decoded to its ack queued.
    pub(crate) ack: Histogram,
    pub(crate) backbone_errors: Count,
    /// What rooms have been through.
    pub(crate) reads: Count,
    pub(crate) repairs: Count,
    pub(crate) rewinds: Count,
    pub(crate) resets: Count,
    pub(crate) orphans_dropped: Count,
    /// Clients closed because they took nothing for too long.
    pub(crate) slow_closed: Count,
    /// Words that somebody is typing which were dropped, because there was much else to tell.
    pub(crate) typing_dropped: Count,
    /// Connections closed because their header of the PROXY protocol was none.
    pub(crate) proxy_headers_refused: Count,
}

/// What is read off the node when it is asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readings {
    pub(crate) connections: usize,
    pub(crate) users: usize,
    pub(crate) rooms: usize,
    pub(crate) ready: Switch,
    pub(crate) draining: Switch,
    pub(crate) feed_up: Switch,
    /// How long the feed has not proved itself.
    pub(crate) feed_silent: Duration,
    /// None where it was not measured.
    pub(crate) feed_lag: Option<Duration>,
    pub(crate) backbone_reconnects: u64,
    /// Clients whose outbox is full now, and how often one became so.
    pub(crate) lagging: usize,
    pub(crate) lagged: u64,
    pub(crate) queued_bytes: usize,
    pub(crate) uptime: Duration,
}

/// On or off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Switch(pub(crate) bool);

/// A node at one moment.
#[derive(Debug)]
struct Scrape {
    metrics: Arc<Metrics>,
    readings: Readings,
}

/// To the microsecond: what is finer is noise.
fn seconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e6
}

/// A node's metrics as OpenMetrics text.
pub(crate) fn scrape(metrics: Arc<Metrics>, readings: Readings) -> String {
    encode(Scrape { metrics, readings })
}

/// What a collector tells, as OpenMetrics text.
pub(crate) fn encode(collector: impl Collector) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(collector));
    let mut text = String::new();
    text::encode(&mut text, &registry).expect("a string takes every character");
    text
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page::new(encoder);
        self.node(&mut page)?;
        self.messages(&mut page)?;
        self.backbone(&mut page)?;
        self.recovery(&mut page)?;
        self.clients(&mut page)
    }
}

#[rustfmt::skip] // One row a metric.
impl Scrape {
    fn node(&self, page: &mut Page<'_>) -> fmt::Result {
        let now = &self.readings;
        page.info("chat_build", "What runs here", &[("version", env!("CARGO_PKG_VERSION"))])?;
        page.gauge("chat_uptime_seconds", "Since the node started", &seconds(now.uptime))?;
        page.gauge("chat_ready", "1 while load balancers may send clients here", &now.ready)?;
        page.gauge("chat_draining", "1 while the node goes down in order", &now.draining)?;
        page.gauge("chat_connections", "Connections of clients", &now.connections)?;
        page.gauge("chat_users", "Users with clients on this node", &now.users)?;
        page.gauge("chat_rooms", "Rooms open on this node", &now.rooms)?;
        let members = self.metrics.joined.sum().saturating_sub(self.metrics.left.sum());
        page.gauge("chat_room_members", "Connections in rooms, each counted once a room", &members)
    }

    fn messages(&self, page: &mut Page<'_>) -> fmt::Result {
        let counted = &self.metrics;
        page.counter("chat_messages_received", "Messages that clients sent, repeats included", &counted.received)?;
        page.counter("chat_messages_published", "Messages this node put into a log and was told so", &counted.published)?;
        page.counter("chat_messages_delivered", "Log entries queued for clients, live and replayed", &counted.delivered)?;
        page.histogram("chat_publish_latency_seconds", "From the call that publishes a batch to its answer", &counted.publish)?;
        page.histogram("chat_ack_latency_seconds", "From a message decoded to its ack queued", &counted.ack)
    }

    fn backbone(&self, page: &mut Page<'_>) -> fmt::Result {
        let now = &self.readings;
        page.gauge("chat_feed_up", "1 while the feed from the backbone proves itself", &now.feed_up)?;
        page.gauge("chat_feed_silent_seconds", "How long the feed has not proved itself", &seconds(now.feed_silent))?;
        if let Some(lag) = now.feed_lag {
            page.gauge("chat_feed_lag_seconds", "From a word said through the feed to its return", &seconds(lag))?;
        }
        page.counter("chat_backbone_reconnects", "Times the backbone was lost and found again", &now.backbone_reconnects)?;
        page.counter("chat_backbone_errors", "Calls to the backbone that failed", &self.metrics.backbone_errors)
    }

    fn recovery(&self, page: &mut Page<'_>) -> fmt::Result {
        let counted = &self.metrics;
        page.counter("chat_room_gaps_filled", "Reads of a log that brought what the feed had not", &counted.reads)?;
        page.counter("chat_room_repairs", "Repairs that gave a log entries back", &counted.repairs)?;
        page.counter("chat_room_rewinds", "Times another history won over one that was seen", &counted.rewinds)?;
        page.counter("chat_room_resets", "Times history was gone for a client", &counted.resets)?;
        page.counter("chat_room_orphans_dropped", "Entries of a lost history left to their authors", &counted.orphans_dropped)
    }

    fn clients(&self, page: &mut Page<'_>) -> fmt::Result {
        let now = &self.readings;
        page.gauge("chat_clients_lagging", "Clients whose outbox is full now", &now.lagging)?;
        page.counter("chat_clients_lagged", "Times a client's outbox became full", &now.lagged)?;
        page.gauge("chat_outbox_queued_bytes", "Bytes queued for all clients", &now.queued_bytes)?;
        page.counter("chat_clients_slow_closed", "Clients closed because they took nothing for too long", &self.metrics.slow_closed)?;
        page.counter("chat_typing_dropped", "Words that somebody is typing, dropped for clients with much else to read", &self.metrics.typing_dropped)?;
        page.counter("chat_proxy_headers_refused", "Connections closed because their header of the PROXY protocol was none", &self.metrics.proxy_headers_refused)
    }
}

#[cfg(test)]
mod tests;
