//! Owns what a connection to the HTTP port is: a WebSocket on `/` and `/ws`, or one of the questions load
//! balancers and those who watch the node ask: `/live`, `/ready`, `/health`, `/metrics`.

use std::convert::Infallible;

use bytes::BytesMut;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::UPGRADE;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tracing::debug;
use tungstenite::handshake::server::create_response;

use super::{Door, Permit};
use crate::connection::{self, Framing};
use crate::metrics;
use crate::response::{self, Answer, text};

type Upgraded = oneshot::Sender<hyper::upgrade::OnUpgrade>;

/// Serves one connection: requests until one of them turns it into a WebSocket.
pub(crate) async fn serve(door: Door, stream: TcpStream, permit: Permit) {
    let (upgraded, upgrade) = oneshot::channel();
    let upgraded = parking_lot::Mutex::new(Some(upgraded));
    let service = service_fn(|request| {
        let response = answer(&door, request, &upgraded);
        async move { Ok::<_, Infallible>(response) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(door.hub.config.timing.handshake).half_close(true);
    // A request that comes while the node drains is the connection's last, and still answered.
    let draining = door.ends.drain.is_cancelled();
    http.keep_alive(!draining);
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = &mut connection => served,
        () = door.ends.kill.cancelled() => return,
        () = door.ends.drain.cancelled(), if !draining => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        debug!(%error, "http connection ended");
    }
    // Without an upgrade the sender is gone with the service.
    drop(upgraded.lock().take());
    if let Ok(upgrade) = upgrade.await {
        web_socket(&door, upgrade).await;
    }
    drop(permit);
}

async fn web_socket(door: &Door, upgrade: hyper::upgrade::OnUpgrade) {
    let Ok(upgraded) = upgrade.await else { return };
    let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>() else { return };
    let framing = Framing::web_socket(door.hub.config.limits.wire.frame_bytes);
    let input = BytesMut::from(parts.read_buf.as_ref());
    connection::serve(parts.io.into_inner(), input, framing, door.hub.clone(), door.ends.clone()).await;
}

fn answer(
    door: &Door,
    request: Request<Incoming>,
    upgraded: &parking_lot::Mutex<Option<Upgraded>>,
) -> Answer {
    let wants_upgrade = request.headers().contains_key(UPGRADE);
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/" | "/ws") if wants_upgrade => upgrade(door, request, upgraded),
        (&Method::GET | &Method::HEAD, "/ws") => {
            text(StatusCode::UPGRADE_REQUIRED, "this is a WebSocket: connect with ws://\n")
        }
        (&Method::GET | &Method::HEAD, "/live") => text(StatusCode::OK, "live\n"),
        (&Method::GET | &Method::HEAD, "/ready") if door.hub.is_ready() => text(StatusCode::OK, "ready\n"),
        (&Method::GET | &Method::HEAD, "/ready") => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
        (&Method::GET | &Method::HEAD, "/health") => health(door),
        (&Method::GET | &Method::HEAD, "/metrics") => {
            response::metrics(metrics::scrape(door.hub.metrics.clone(), door.hub.readings()))
        }
        (&Method::GET | &Method::HEAD, "/") => text(
            StatusCode::OK,
            "chat-server: chat on /ws (WebSocket); /live, /ready and /health for load balancers, /metrics\n",
        ),
        (&Method::GET | &Method::HEAD, _) => {
            text(StatusCode::NOT_FOUND, "there are /ws, /live, /ready, /health and /metrics\n")
        }
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "use GET\n"),
    }
}

fn upgrade(
    door: &Door,
    mut request: Request<Incoming>,
    upgraded: &parking_lot::Mutex<Option<Upgraded>>,
) -> Answer {
    if door.hub.is_draining() {
        return text(StatusCode::SERVICE_UNAVAILABLE, "this server is going away: connect again\n");
    }
    let on_upgrade = hyper::upgrade::on(&mut request);
    match create_response(&request.map(|_| ())) {
        Ok(response) => {
            if let Some(upgraded) = upgraded.lock().take() {
                // The receiver lives as long as the connection.
                drop(upgraded.send(on_upgrade));
            }
            response.map(|()| Full::default())
        }
        Err(error) => text(StatusCode::BAD_REQUEST, &format!("not a WebSocket handshake: {error}\n")),
    }
}

fn health(door: &Door) -> Answer {
    let info = door.hub.info();
    response::json(&json!({
        "status": if door.hub.is_ready() { "ok" } else { "not ready" },
        "hostname": crate::config::hostname(),
        "node": info.node,
        "version": info.version,
        "uptime_s": info.uptime_s,
        "connections": info.connections,
        "rooms": info.rooms,
        "draining": info.draining,
    }))
}
