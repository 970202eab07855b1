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

use super::ceiling::ADMIN_CONNECTIONS;
use super::{Front, report};
use crate::response::{self, Answer, text};
use crate::socket;
use crate::stall::{STALL, Stalling};

/// For the head of a request, so that half-open connections do not pile up.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers until it is dropped.
pub(super) async fn run(listener: TcpListener, front: Arc<Front>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = socket::accept(&listener).await;
        connections.spawn(serve(stream, Arc::clone(&front)));
        // Those that have ended; descriptors are reserved for so many.
        while connections.try_join_next().is_some() {}
        if connections.len() >= ADMIN_CONNECTIONS {
            connections.join_next().await;
        }
    }
}

async fn serve(stream: TcpStream, front: Arc<Front>) {
    let service = service_fn(|request| {
        let response = answer(&request, &front);
        async move { Ok::<_, Infallible>(response) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(REQUEST_TIMEOUT).half_close(true);
    http.max_buf_size(socket::REQUEST_HEAD_BYTES);
    let stream = TokioIo::new(Stalling::new(stream, STALL));
    if let Err(error) = http.serve_connection(stream, service).await {
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

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::time::{Instant, timeout};

    use super::super::{Balancer, BalancerConfig};
    use super::*;

    #[tokio::test]
    async fn who_reads_no_answer_is_not_waited_for() {
        let front = Arc::new(Balancer::bind(BalancerConfig::loopback(Vec::new())).unwrap().front);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap());
        let (peer, accepted) = tokio::join!(peer, listener.accept());
        let (mut peer, mut serving) = (peer.unwrap(), tokio::task::JoinSet::new());
        serving.spawn(serve(accepted.unwrap().0, front));
        let questions = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1_000);
        while timeout(Duration::from_millis(200), peer.write_all(&questions)).await.is_ok() {}
        tokio::time::pause();
        let begun = Instant::now();
        timeout(STALL * 2, serving.join_next()).await.expect("it waits for ever").unwrap().unwrap();
        assert!(begun.elapsed() <= STALL, "{:?}", begun.elapsed());
    }
}
