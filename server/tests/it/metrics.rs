//! `/metrics` as a scraper reads it: the format, and counts that are those of what happened.

use std::collections::BTreeMap;

use chat_protocol::NodeId;
use chat_server::Cluster;

use crate::http::answer;
use crate::support::{TestClient, TestNode, message};

/// Samples by name and labels.
struct Scraped(BTreeMap<String, f64>);

impl Scraped {
    /// Asks a node and holds the answer to the format.
    async fn of(node: &TestNode) -> Self {
        let response = answer(node, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let media = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert!(head.lines().any(|line| line == media), "{head}");
        Self(parse(body))
    }

    #[track_caller]
    fn has(&self, expected: &[(&str, f64)]) {
        for (name, value) in expected {
            assert_eq!(self.0.get(*name), Some(value), "{name} in {:#?}", self.0);
        }
    }

    fn value(&self, name: &str) -> f64 {
        *self.0.get(name).unwrap_or_else(|| panic!("{name} in {:#?}", self.0))
    }
}

/// The suffixes that samples of a kind may have.
fn suffixes(kind: &str) -> &'static [&'static str] {
    match kind {
        "gauge" => &[""],
        "counter" => &["_total"],
        "info" => &["_info"],
        "histogram" => &["_bucket", "_sum", "_count"],
        other => panic!("unknown type {other}"),
    }
}

/// The text format of OpenMetrics 1.0, as much of it as is needed to refuse what breaks it.
pub(crate) fn parse(text: &str) -> BTreeMap<String, f64> {
    let body = text.strip_suffix("# EOF\n").expect("it ends with EOF");
    let (mut samples, mut families, mut helped) = (BTreeMap::new(), BTreeMap::new(), String::new());
    let mut family = (String::new(), String::new());
    for line in body.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').expect(line);
            assert!(!words.is_empty(), "{line}");
            helped = name.to_owned();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect(line);
            assert_eq!(name, helped, "help and type go together");
            assert!(families.insert(name.to_owned(), kind.to_owned()).is_none(), "{name} twice");
            family = (name.to_owned(), kind.to_owned());
        } else {
            let (key, value) = line.rsplit_once(' ').expect(line);
            let name = key.split('{').next().unwrap();
            let suffix = name.strip_prefix(&family.0).unwrap_or_else(|| panic!("{line} in {family:?}"));
            assert!(suffixes(&family.1).contains(&suffix), "{line} in {family:?}");
            assert!(!key.contains("room=") && !key.contains("user="), "{line}");
            assert!(samples.insert(key.to_owned(), value.parse().expect(line)).is_none(), "{key} twice");
        }
    }
    for (name, _) in families.iter().filter(|(_, kind)| *kind == "histogram") {
        let all = samples[&format!("{name}_bucket{{le=\"+Inf\"}}")];
        assert_eq!(all, samples[&format!("{name}_count")], "{name}");
    }
    samples
}

#[tokio::test]
async fn what_happened_is_what_is_counted() {
    let cluster = Cluster::default();
    let one = TestNode::of(&cluster, "one", |_| {});
    let (mut alice, mut bob) =
        (TestClient::joined(&one, "alice").await, TestClient::joined(&one, "bob").await);
    for n in 1..=3 {
        alice.send(n, "hi").await;
    }
    assert_eq!(alice.send(3, "hi").await["duplicate"], true);
    bob.contents(3).await;
    let scraped = Scraped::of(&one).await;
    scraped.has(&[
        (concat!("chat_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0),
        ("chat_ready", 1.0),
        ("chat_draining", 0.0),
        ("chat_connections", 2.0),
        ("chat_users", 2.0),
        ("chat_rooms", 1.0),
        ("chat_room_members", 2.0),
        ("chat_messages_received_total", 4.0),
        ("chat_messages_published_total", 3.0),
        ("chat_messages_delivered_total", 6.0),
        ("chat_publish_latency_seconds_count", 4.0),
        ("chat_ack_latency_seconds_count", 4.0),
        ("chat_feed_up", 1.0),
        ("chat_feed_silent_seconds", 0.0),
        ("chat_backbone_errors_total", 0.0),
        ("chat_backbone_reconnects_total", 0.0),
        ("chat_room_repairs_total", 0.0),
        ("chat_room_rewinds_total", 0.0),
        ("chat_room_resets_total", 0.0),
        ("chat_room_orphans_dropped_total", 0.0),
        ("chat_clients_lagging", 0.0),
        ("chat_clients_lagged_total", 0.0),
        ("chat_clients_slow_closed_total", 0.0),
        ("chat_proxy_headers_refused_total", 0.0),
    ]);
    assert!(scraped.value("chat_ack_latency_seconds_sum") < 10.0);
    drop(bob);

    // A partition, and then a backbone that has forgotten everything.
    let name = NodeId::parse("one").unwrap();
    cluster.set_reachable(&name, false);
    alice.say(message(4, "meanwhile")).await;
    alice.wait_for(|frame| frame["code"] == "unavailable").await;
    let cut_off = Scraped::of(&one).await;
    cut_off.has(&[("chat_feed_up", 0.0), ("chat_messages_received_total", 5.0), ("chat_connections", 1.0)]);
    assert!(cut_off.value("chat_feed_silent_seconds") > 1.0);
    assert!(cut_off.value("chat_backbone_errors_total") >= 1.0);
    cut_off.has(&[("chat_messages_published_total", 3.0), ("chat_room_members", 1.0)]);
    cluster.flush();
    cluster.set_reachable(&name, true);
    alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == 4).await;
    let healed = Scraped::of(&one).await;
    healed.has(&[
        ("chat_feed_up", 1.0),
        ("chat_room_repairs_total", 1.0),
        ("chat_room_rewinds_total", 0.0),
        ("chat_room_resets_total", 0.0),
        ("chat_messages_published_total", 4.0),
        ("chat_ack_latency_seconds_count", 5.0),
    ]);
    assert!(healed.value("chat_ack_latency_seconds_sum") > 1.0, "it waited for the backbone");
    assert!(healed.value("chat_backbone_errors_total") >= cut_off.value("chat_backbone_errors_total"));
}
