//! Stickiness by cookie, which the shipped HAProxy configuration has as an option.

use std::collections::HashSet;

use chat_testbed::{Brand, LoadBalancer, LoadBalancerOptions};
use chat_tui::net::dial::Dialer;
use chat_tui::net::event::{DialStep, Transport};
use chat_tui::net::transport::Wire;
use tokio::sync::watch;

use super::endpoint;
use super::nodes::{Nodes, name};
use crate::fake::within;

/// How often chance would have to be kind to lead to the same of two nodes each time: 1 in 1,024.
const DIALS: usize = 10;

/// Dials; the connection and the name of the node at its other end.
async fn dial(dialer: &Dialer, balancer: &LoadBalancer) -> (Wire, String) {
    let (progress, _) = watch::channel((DialStep::Resolving, String::new()));
    let mut wire = dialer.dial(&endpoint(balancer, Transport::Ws), &progress).await.unwrap();
    let frame = within("the first frame", wire.recv()).await.unwrap();
    let connection: serde_json::Value = serde_json::from_slice(&frame).unwrap();
    (wire, connection["node"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_cookie_leads_back_to_the_same_node_and_away_when_it_is_dead() {
    let mut nodes = Nodes::start(2, |_| {});
    let options = LoadBalancerOptions::new(Brand::HaProxy, nodes.backends())
        .uncomment("cookie NODE insert indirect nocache httponly dynamic")
        .uncomment("dynamic-cookie-key chat");
    let balancer = LoadBalancer::start(options).await.unwrap();

    let mut strangers = Vec::new();
    for _ in 0..DIALS {
        strangers.push(dial(&Dialer::default(), &balancer).await);
    }
    let seen: HashSet<&str> = strangers.iter().map(|(_, node)| node.as_str()).collect();
    assert_eq!(seen.len(), 2, "without a cookie both get clients");

    let dialer = Dialer::default();
    let (_, home) = dial(&dialer, &balancer).await;
    for _ in 0..DIALS {
        assert_eq!(dial(&dialer, &balancer).await.1, home);
    }
    let index = (0..2).find(|index| name(*index) == home).unwrap();
    nodes.kill(index).await;
    let (_, other) = dial(&dialer, &balancer).await;
    assert_eq!(other, name(1 - index));
    balancer.has_said(&format!("Server nodes_http/{home} is DOWN")).await.unwrap();
    nodes.revive(index);
    balancer.has_said(&format!("Server nodes_http/{home} is UP")).await.unwrap();
    for _ in 0..DIALS {
        assert_eq!(dial(&dialer, &balancer).await.1, other, "the cookie is the new node's");
    }
}
