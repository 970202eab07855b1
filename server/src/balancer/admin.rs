//! Owns the front-end's own port, where operators, monitoring and other load balancers ask: `/status`,
//! `/metrics`, `/ready`, `/live`. Knows nothing of clients.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tracing::debug;

use super::{Front, report};
use crate::response::{self, Answer, text};
use crate::socket;

/// For the head of a request, so that half-open connections do not pile up.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers until it is dropped.
pub(super) async fn run(listener: TcpListener, front: Arc<Front>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = socket::accept(&listener).await;
        connections.spawn(serve(stream, Arc::clone(&front)));
        // Those that have ended.
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, front: Arc<Front>) {
    let service = service_fn(|request| {
        let response = answer(&request, &front);
        async move { Ok::<_, Infallible>(response) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(REQUEST_TIMEOUT).half_close(true);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        debug!(%error, "admin connection ended");
    }
}

fn answer(request: &Request<Incoming>, front: &Front) -> Answer {
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/live") => text(StatusCode::OK, "live\n"),
        (&Method::GET | &Method::HEAD, "/ready") => match front.unready() {
            None => text(StatusCode::OK, "ready\n"),
            Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, &format!("not ready: {why}\n")),
        },
        (&Method::GET | &Method::HEAD, "/status") => response::json(&report::status(front)),
        (&Method::GET | &Method::HEAD, "/metrics") => response::metrics(report::metrics(front)),
        (&Method::GET | &Method::HEAD, _) => {
            text(StatusCode::NOT_FOUND, "there are /status, /metrics, /ready and /live\n")
        }
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "use GET\n"),
    }
}
