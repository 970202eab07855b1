//! Owns what a connection to the HTTP port is: a WebSocket on `/` and `/ws`, or one of the questions load
//! balancers and those who watch the node ask: `/live`, `/ready`, `/health`, `/metrics`.

use std::convert::Infallible;
use std::io::Cursor;
use std::net::IpAddr;
use std::time::Duration;

use bytes::BytesMut;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::UPGRADE;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use serde_json::json;
use tokio::io::{AsyncReadExt, Chain, Join};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::io::InspectReader;
use tracing::debug;
use tungstenite::handshake::server::create_response;

use super::{Arrival, Door, Place, forwarded};
use crate::connection::{self, Framing};
use crate::metrics;
use crate::response::{self, Answer, text};
use crate::socket;
use crate::stall::Stalling;

/// What hyper reads: what was read of the connection before, then the connection.
type Stream = Join<Chain<Cursor<BytesMut>, InspectReader<OwnedReadHalf, Watch>>, Stalling<OwnedWriteHalf>>;

/// Sees what comes in.
type Watch = Box<dyn FnMut(&[u8]) + Send>;

/// What the requests of one connection share.
struct Visit {
    door: Door,
    /// Gone when the connection was upgraded.
    upgraded: Mutex<Option<oneshot::Sender<hyper::upgrade::OnUpgrade>>>,
    place: Mutex<Place>,
}

/// Serves one connection: requests until one of them turns it into a WebSocket.
pub(super) async fn serve(door: Door, arrival: Arrival) {
    let (upgraded, upgrade) = oneshot::channel();
    let Arrival { stream, input, place } = arrival;
    let visit = Visit { door, upgraded: Some(upgraded).into(), place: place.into() };
    let door = &visit.door;
    let service = service_fn(|request| {
        let response = answer(&visit, request);
        async move { Ok::<_, Infallible>(response) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(door.hub.config.timing.handshake).half_close(true);
    http.max_buf_size(socket::REQUEST_HEAD_BYTES);
    // A request that comes while the node drains is the connection's last, and still answered.
    let draining = door.ends.drain.is_cancelled();
    http.keep_alive(!draining);
    let watch = watch(door, &input, visit.place.lock().addr());
    let stream = with_input(stream, input, watch, door.hub.config.timing.stall);
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let conversation = async {
        tokio::select! {
            served = &mut connection => return Some(served),
            () = door.ends.drain.cancelled(), if !draining => connection.as_mut().graceful_shutdown(),
        }
        // Half a request, or half an answer: it has as long as any client.
        timeout(door.hub.config.timing.drain, connection).await.ok()
    };
    let served = door.ends.kill.run_until_cancelled(conversation).await.flatten();
    // Cut off.
    let Some(served) = served else { return };
    if let Err(error) = served {
        debug!(%error, "http connection ended");
    }
    // Without an upgrade nothing is sent any more.
    drop(visit.upgraded.lock().take());
    if let Ok(upgrade) = upgrade.await {
        web_socket(door, upgrade).await;
    }
}

/// Notes a header of the PROXY protocol in front, which is not expected behind `input`; the answer to it is 400.
fn watch(door: &Door, input: &BytesMut, peer: IpAddr) -> Watch {
    let (unexpected, mut is_first) = (door.unexpected.clone(), input.is_empty());
    Box::new(move |bytes| {
        if std::mem::take(&mut is_first) && connection::is_header(bytes) {
            unexpected.came_from(peer);
        }
    })
}

fn with_input(stream: TcpStream, input: BytesMut, watch: Watch, stall: Duration) -> Stream {
    let (read, write) = stream.into_split();
    let read = InspectReader::new(read, watch);
    tokio::io::join(Cursor::new(input).chain(read), Stalling::new(write, stall))
}

async fn web_socket(door: &Door, upgrade: hyper::upgrade::OnUpgrade) {
    let Ok(upgraded) = upgrade.await else { return };
    let Ok(parts) = upgraded.downcast::<TokioIo<Stream>>() else { return };
    let (reader, write) = parts.io.into_inner().into_inner();
    let (unread, read) = reader.into_inner();
    let stream = read.into_inner().reunite(write.into_inner()).expect("they are halves of one stream");
    let framing = Framing::web_socket(door.hub.config.limits.wire.frame_bytes);
    let mut input = BytesMut::from(parts.read_buf.as_ref());
    let at = unread.position() as usize;
    input.extend_from_slice(&unread.into_inner()[at..]);
    connection::serve(stream, input, framing, door.hub.clone(), door.ends.clone()).await;
}

impl Visit {
    /// Counts the connection for whoever the request comes from, where a load balancer brought it. False: that
    /// address has connections enough.
    fn take_place(&self, headers: &HeaderMap) -> bool {
        let mut place = self.place.lock();
        let Place::Open(peer) = *place else { return true };
        let addr: IpAddr = forwarded::client(headers, peer, &self.door.hub.config.forwarded_from);
        let Some(permit) = self.door.addresses.permit(addr) else {
            debug!(%addr, %peer, "too many connections from this forwarded address");
            return false;
        };
        debug!(%addr, %peer, "connection came in, forwarded");
        *place = Place::Taken(permit);
        true
    }
}

fn answer(visit: &Visit, request: Request<Incoming>) -> Answer {
    let door = &visit.door;
    let wants_upgrade = request.headers().contains_key(UPGRADE);
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/" | "/ws") if wants_upgrade => upgrade(visit, request),
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

fn upgrade(visit: &Visit, mut request: Request<Incoming>) -> Answer {
    if visit.door.hub.is_draining() {
        return text(StatusCode::SERVICE_UNAVAILABLE, "this server is going away: connect again\n");
    }
    let on_upgrade = hyper::upgrade::on(&mut request);
    let request = request.map(|_| ());
    match create_response(&request) {
        Ok(response) => {
            if !visit.take_place(request.headers()) {
                return text(StatusCode::TOO_MANY_REQUESTS, "too many connections from your address\n");
            }
            if let Some(upgraded) = visit.upgraded.lock().take() {
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
