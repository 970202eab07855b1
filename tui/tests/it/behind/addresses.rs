//! Whose connection it is, as real load balancers say it: a node behind them limits connections by the client's
//! address, and clients come from different addresses of this machine.

use std::net::SocketAddr;

use chat_server::config::Config;
use chat_testbed::{Brand, LoadBalancer, LoadBalancerOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Error;

use super::nodes::Nodes;
use crate::fake::within;

/// Connections of one address.
const MAX: usize = 3;

async fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    within("a connection", socket.connect(to)).await.unwrap()
}

/// A client of the TCP port from this address, if a node answers it.
async fn speaks(from: &str, balancer: &LoadBalancer) -> Option<TcpStream> {
    let mut stream = connect(from, balancer.tcp()).await;
    stream.write_all(b"{\"type\":\"ping\"}\n").await.unwrap();
    let answered = within("an answer", stream.read(&mut [0; 1])).await.is_ok_and(|count| count > 0);
    answered.then_some(stream)
}

/// A WebSocket from this address, or the status it is refused with; none where there was no answer.
async fn upgrades(from: &str, balancer: &LoadBalancer) -> Result<impl Sized, Option<u16>> {
    let stream = connect(from, balancer.http()).await;
    let url = format!("ws://{}/ws", balancer.http());
    let upgraded = within("an upgrade", tokio_tungstenite::client_async(url, stream)).await;
    upgraded.map_err(|error| match error {
        Error::Http(answer) => Some(answer.status().as_u16()),
        _ => None,
    })
}

async fn start(brand: Brand, line: Option<&str>, change: fn(&mut Config)) -> (Nodes, LoadBalancer) {
    let nodes = Nodes::start(1, change);
    let options = LoadBalancerOptions::new(brand, nodes.backends());
    let options = line.into_iter().fold(options, LoadBalancerOptions::uncomment);
    let balancer = LoadBalancer::start(options).await.unwrap();
    (nodes, balancer)
}

fn by_header(config: &mut Config) {
    config.proxy_protocol_from = "127.0.0.1".parse().unwrap();
    config.limits.connections_per_address = MAX;
}

fn by_forwarded(config: &mut Config) {
    config.forwarded_from = "127.0.0.1".parse().unwrap();
    config.limits.connections_per_address = MAX;
}

#[tokio::test]
async fn lines_count_for_the_address_in_the_header() {
    // HAProxy says it in version 2, nginx in version 1.
    for (brand, line) in
        [(Brand::HaProxy, "default-server send-proxy-v2"), (Brand::Nginx, "proxy_protocol on;")]
    {
        let (_nodes, balancer) = start(brand, Some(line), by_header).await;
        let mut connections = Vec::new();
        for from in ["127.0.0.2", "127.0.0.3"] {
            for _ in 0..MAX {
                connections.push(speaks(from, &balancer).await.expect(from));
            }
            assert!(speaks(from, &balancer).await.is_none(), "{brand:?}: one more of {from}");
        }
    }
}

#[tokio::test]
async fn web_sockets_count_for_the_address_in_the_header() {
    let (_nodes, balancer) = start(Brand::HaProxy, Some("default-server send-proxy-v2"), by_header).await;
    let mut connections = Vec::new();
    for from in ["127.0.0.2", "127.0.0.3"] {
        for _ in 0..MAX {
            connections.push(upgrades(from, &balancer).await.unwrap());
        }
        assert!(upgrades(from, &balancer).await.is_err(), "one more of {from}");
    }
}

#[tokio::test]
async fn web_sockets_count_for_the_forwarded_address() {
    for brand in [Brand::HaProxy, Brand::Nginx] {
        let (_nodes, balancer) = start(brand, None, by_forwarded).await;
        let mut connections = Vec::new();
        for from in ["127.0.0.2", "127.0.0.3"] {
            for _ in 0..MAX {
                connections.push(upgrades(from, &balancer).await.unwrap());
            }
            assert_eq!(
                upgrades(from, &balancer).await.err(),
                Some(Some(429)),
                "{brand:?}: one more of {from}"
            );
        }
    }
}
