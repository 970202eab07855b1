//! Connections on which nobody says anything, behind a load balancer that cuts silent ones.

use std::time::Duration;

use chat_testbed::{Brand, LoadBalancer, LoadBalancerOptions};
use chat_tui::net::event::Transport;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::endpoint;
use super::nodes::Nodes;
use crate::fake::within;
use crate::talk::{Script, play};

/// What nginx is told; a tenth of a node's and of nginx' defaults, or near it.
const READ_TIMEOUT: &str = "proxy_read_timeout 4s";
const PING: Duration = Duration::from_millis(400);
/// Longer than the timeout.
const IDLE: Duration = Duration::from_secs(6);
/// Control pings to a client without hello in so long a time.
const CONTROL_PINGS: usize = 3;

async fn nginx(nodes: &Nodes) -> LoadBalancer {
    let options = LoadBalancerOptions::new(Brand::Nginx, nodes.backends());
    LoadBalancer::start(options.replace("proxy_read_timeout 60s", READ_TIMEOUT)).await.unwrap()
}

/// A client that never says hello.
async fn guest(balancer: &LoadBalancer) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(balancer.http()).await.unwrap();
    let url = format!("ws://{}/ws", balancer.http());
    within("an upgrade", tokio_tungstenite::client_async(url, stream)).await.unwrap().0
}

#[tokio::test]
async fn pings_keep_silent_connections_open() {
    let nodes = Nodes::start(1, |config| config.timing.ping = PING);
    let balancer = nginx(&nodes).await;
    let mut guest = guest(&balancer).await;
    // A client of the protocol says its first word after so long a time.
    let script = Script { clients: 1, messages: 1, lasts: IDLE, others: &[] };
    let played = play(script, &[endpoint(&balancer, Transport::Ws)], async |_| {
        let mut pings = 0;
        while pings < CONTROL_PINGS {
            match within("a control ping", guest.next()).await.unwrap().unwrap() {
                Message::Ping(_) => pings += 1,
                Message::Text(_) => {}
                other => panic!("{other:?}"),
            }
        }
        guest.send(Message::text("still here")).await.unwrap();
        within("its own words", async {
            while !matches!(guest.next().await.unwrap().unwrap(), Message::Text(text) if text.contains("still here")) {}
        })
        .await;
    })
    .await;
    assert_eq!(played.complaints, Vec::<String>::new(), "{}", balancer.log());
    assert_eq!(played.histories[0].status.failovers, 0, "{}", balancer.log());
}

#[tokio::test]
async fn without_pings_they_are_cut() {
    let nodes = Nodes::start(1, |config| config.timing.ping = Duration::from_secs(60));
    let balancer = nginx(&nodes).await;
    let mut guest = guest(&balancer).await;
    within("the end", async { while let Some(Ok(Message::Text(_))) = guest.next().await {} }).await;
}
