//! Owns `chat-tui doctor`: goes the way of a chat to each address of each endpoint, step by step, and judges what
//! happens. It dials as the client does, comes as a guest of its own, enters no room and keeps nothing. How the report is
//! printed is `report`'s affair.

mod probe;
mod report;
mod verdict;

use std::net::SocketAddr;

use chat_protocol::UserName;
use futures_util::future::join_all;

use crate::net::dial::Dialer;
use crate::net::endpoint::Endpoint;
use crate::net::event::Transport;
use probe::{Visit, Way};
pub use report::{Report, Step, Times};
pub use verdict::Finding;

/// Goes all the way to one endpoint. `name` is one that a chat would ask for and may not get.
pub async fn examine(endpoint: &Endpoint, name: Option<&UserName>) -> Report {
    let dialer = Dialer::default();
    let mut report = Report::new(endpoint);
    let looked_up = probe::timed("dns", &endpoint.host, dialer.resolve(endpoint)).await;
    let (mut step, found) = looked_up;
    let addresses: Vec<SocketAddr> = match found {
        Ok(addresses) => addresses.into(),
        Err(error) => {
            report.steps.push(step);
            report.findings.push(verdict::of_lookup(&error));
            return report;
        }
    };
    let texts: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    step.about = format!("{} has {}", endpoint.host, texts.join(", "));
    report.steps.push(step);
    let visits = addresses.iter().map(|&address| {
        let way = Way { dialer: &dialer, endpoint, address, name };
        async move { (probe::visit(way).await, way) }
    });
    for (visit, way) in join_all(visits).await {
        let elsewhere = speaks_otherwise(&visit, way).await;
        report.take(visit, way.address, elsewhere);
    }
    report
}

/// The other transport, where a chat server answers to that at the same place.
async fn speaks_otherwise(visit: &Visit, way: Way<'_>) -> Option<Transport> {
    if !visit.trouble.as_ref().is_some_and(verdict::may_be_the_other_port) {
        return None;
    }
    let transport = match way.endpoint.transport {
        Transport::Tcp => Transport::Ws,
        Transport::Ws => Transport::Tcp,
    };
    let endpoint = Endpoint { transport, ..way.endpoint.clone() };
    let other = probe::visit(Way { endpoint: &endpoint, name: None, ..way }).await;
    other.server.map(|_| transport)
}
