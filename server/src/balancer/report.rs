//! Owns what a front-end tells of itself: as JSON for people and scripts, and as OpenMetrics with every name
//! declared here, once. A backend is a label: there are a few of them, and their number is the operator's choice.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use serde_json::{Value, json};

use super::Front;
use super::pick::Standing;
use super::pool::Upstream;
use crate::metrics::{self, Count, Histogram, Labels, Page, Switch};

/// What is counted of all clients.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Clients that came.
    pub(super) accepted: Count,
    /// Clients that no backend took.
    pub(super) refused: Count,
    /// Clients that were closed at once, for lack of descriptors.
    pub(super) turned_away: Count,
    /// From a choice to the backend's accept.
    pub(super) connect: Histogram,
}

/// All of it, for people and scripts.
pub(super) fn status(front: &Front) -> Value {
    let all = front.backends.all();
    let backends: Vec<Value> = all.iter().map(|upstream| backend(upstream)).collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_s": front.begun.elapsed().as_secs(),
        "ready": front.unready().is_none(),
        "draining": front.is_draining(),
        "policy": front.policy.as_str(),
        "send_proxy": front.send_proxy,
        "connections": all.iter().map(|upstream| upstream.connections()).sum::<usize>(),
        "accepted": front.tally.accepted.sum(),
        "refused": front.tally.refused.sum(),
        "turned_away": front.tally.turned_away.sum(),
        "backends": backends,
    })
}

fn backend(upstream: &Upstream) -> Value {
    let tally = &upstream.tally;
    json!({
        "backend": upstream.backend.to_string(),
        "tier": upstream.tier.as_str(),
        "healthy": upstream.standing() == Standing::Healthy,
        "why": upstream.why(),
        "connections": upstream.connections(),
        "bytes_per_second": upstream.bytes_per_second(),
        "bytes_to_backend": tally.to_backend.sum(),
        "bytes_to_clients": tally.to_clients.sum(),
        "picks": tally.picks.sum(),
        "refusals": tally.refusals.sum(),
        "failed_checks": tally.failed_checks.sum(),
        "ejections": tally.ejections.sum(),
    })
}

/// All of it as OpenMetrics text.
pub(super) fn metrics(front: &Front) -> String {
    metrics::encode(Scrape {
        tally: Arc::clone(&front.tally),
        uptime: front.begun.elapsed().as_secs_f64(),
        ready: Switch(front.unready().is_none()),
        draining: Switch(front.is_draining()),
        all: front.backends.all(),
    })
}

/// A front-end at one moment.
#[derive(Debug)]
struct Scrape {
    tally: Arc<Tally>,
    uptime: f64,
    ready: Switch,
    draining: Switch,
    all: Vec<Arc<Upstream>>,
}

impl Scrape {
    fn each<'a, V>(&'a self, value: impl Fn(&Upstream) -> V + 'a) -> impl Iterator<Item = (Labels, V)> + 'a {
        self.all.iter().map(move |upstream| {
            let labels =
                vec![("backend", upstream.backend.to_string()), ("tier", upstream.tier.as_str().to_owned())];
            (labels, value(upstream))
        })
    }

    #[rustfmt::skip] // One row a metric.
    fn front(&self, page: &mut Page<'_>) -> fmt::Result {
        page.info("chat_balancer_build", "What runs here", &[("version", env!("CARGO_PKG_VERSION"))])?;
        page.gauge("chat_balancer_uptime_seconds", "Since the front-end started", &self.uptime)?;
        page.gauge("chat_balancer_ready", "1 while other load balancers may send clients here", &self.ready)?;
        page.gauge("chat_balancer_draining", "1 while the front-end goes down in order", &self.draining)?;
        page.counter("chat_balancer_accepted", "Clients that came", &self.tally.accepted)?;
        page.counter("chat_balancer_refused", "Clients that no backend took", &self.tally.refused)?;
        page.counter("chat_balancer_turned_away", "Clients closed at once, for lack of file descriptors", &self.tally.turned_away)?;
        page.histogram("chat_balancer_connect_seconds", "From the choice of a backend to its accept", &self.tally.connect)
    }

    #[rustfmt::skip] // One row a metric.
    fn backends(&self, page: &mut Page<'_>) -> fmt::Result {
        let healthy = |upstream: &Upstream| Switch(upstream.standing() == Standing::Healthy);
        page.gauges("chat_balancer_backend_healthy", "1 while it gets new clients", self.each(healthy))?;
        page.gauges("chat_balancer_backend_connections", "Connections open to it", self.each(|backend| backend.connections() as u64))?;
        page.gauges("chat_balancer_backend_bytes_per_second", "Bytes both ways, decaying over 10 s", self.each(Upstream::bytes_per_second))?;
        page.counters("chat_balancer_backend_sent_bytes", "Bytes from clients to it", self.each(|backend| backend.tally.to_backend.sum()))?;
        page.counters("chat_balancer_backend_received_bytes", "Bytes from it to clients", self.each(|backend| backend.tally.to_clients.sum()))?;
        page.counters("chat_balancer_backend_picks", "Times it was chosen for a client", self.each(|backend| backend.tally.picks.sum()))?;
        page.counters("chat_balancer_backend_refusals", "Clients that it refused", self.each(|backend| backend.tally.refusals.sum()))?;
        page.counters("chat_balancer_backend_failed_checks", "Checks that did not find it ready", self.each(|backend| backend.tally.failed_checks.sum()))?;
        page.counters("chat_balancer_backend_ejections", "Times it stopped being healthy", self.each(|backend| backend.tally.ejections.sum()))
    }
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut page = Page::new(encoder);
        self.front(&mut page)?;
        self.backends(&mut page)
    }
}
