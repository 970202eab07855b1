//! Behind load balancers that others wrote: real HAProxy and nginx, on the files that are shipped in `deploy/`.

mod addresses;
mod idle;
mod nodes;
mod sticky;

use std::time::Duration;

use chat_testbed::{Brand, LoadBalancer, LoadBalancerOptions};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::Transport;

use crate::talk::history::{Counts, disturbances};
use crate::talk::{Script, play};
use nodes::Nodes;

const CLIENTS: usize = 6;
/// A message every 16 ms, for twice as long as a load balancer takes to find out what happened on a busy machine.
const SCRIPT: Script =
    Script { clients: CLIENTS, messages: 150, lasts: Duration::from_secs(15), others: &[] };

fn endpoint(balancer: &LoadBalancer, transport: Transport) -> Endpoint {
    let addr = match transport {
        Transport::Tcp => balancer.tcp(),
        Transport::Ws => balancer.http(),
    };
    Endpoint::new(addr.ip().to_string(), addr.port(), transport)
}

/// A talk through a load balancer while each of two nodes is killed once and comes back.
async fn check_talk(brand: Brand, transport: Transport) {
    let mut nodes = Nodes::start(2, |_| {});
    let balancer = LoadBalancer::start(LoadBalancerOptions::new(brand, nodes.backends())).await.unwrap();
    let endpoints = vec![endpoint(&balancer, transport); CLIENTS];
    let part = if transport == Transport::Tcp { "tcp" } else { "http" };
    let first = format!("Server nodes_{part}/{}", nodes::name(0));
    let played = play(SCRIPT, &endpoints, async |stage| {
        stage.acked(30).await;
        nodes.kill(0).await;
        stage.acked_more(20).await;
        // HAProxy has to find out that the node is gone to find out that it is back.
        let (is_down, is_up) = (format!("{first} is DOWN"), format!("{first} is UP"));
        if brand == Brand::HaProxy {
            balancer.has_said(&is_down).await.unwrap();
        }
        nodes.revive(0);
        if brand == Brand::HaProxy {
            balancer.has_said(&is_up).await.unwrap();
        }
        stage.acked_more(20).await;
        nodes.kill(1).await;
        stage.acked_more(20).await;
        nodes.revive(1);
    })
    .await;
    let Counts { lost, duplicated, reordered, longest_silence, .. } =
        Counts::of(&played.histories, &SCRIPT.said());
    let mut took: Vec<_> = played.histories.iter().flat_map(|history| history.took.clone()).collect();
    took.sort();
    println!(
        "{brand:?} {transport}: {CLIENTS} clients, {} said, lost {lost}, duplicated {duplicated}, reordered \
         {reordered}, longest silence {} ms, recoveries {took:?}",
        SCRIPT.said().len(),
        longest_silence.as_millis(),
    );
    assert_eq!(played.complaints, Vec::<String>::new(), "{}", balancer.log());
    assert_eq!(disturbances(&played.histories), Vec::<String>::new());
    assert_eq!(played.head.0, SCRIPT.said().len() as u64);
    for history in &played.histories {
        assert!(!history.took.is_empty(), "{} was on neither node when it died", history.name);
    }
}

#[tokio::test]
async fn nodes_die_behind_haproxy_and_nothing_is_lost_on_tcp() {
    check_talk(Brand::HaProxy, Transport::Tcp).await;
}

#[tokio::test]
async fn nodes_die_behind_haproxy_and_nothing_is_lost_on_web_socket() {
    check_talk(Brand::HaProxy, Transport::Ws).await;
}

#[tokio::test]
async fn nodes_die_behind_nginx_and_nothing_is_lost_on_tcp() {
    check_talk(Brand::Nginx, Transport::Tcp).await;
}

#[tokio::test]
async fn nodes_die_behind_nginx_and_nothing_is_lost_on_web_socket() {
    check_talk(Brand::Nginx, Transport::Ws).await;
}
