//! Owns the checks: each backend is asked again and again, on each of its ports, whether it takes clients. Knows nothing of what its
//! answers amount to.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::backend::{Backend, Port};
use super::dial::{Preface, connect, is_our_fault};
use super::health::Found;
use super::pool::BackendsHandle;
use super::settings::Check;

/// More of an answer than this is not read.
const ANSWER_BYTES_MAX: u64 = 4 * 1024;

/// Checks all backends, also those that come, until it is dropped; the first time at once.
pub(super) async fn run(backends: BackendsHandle, check: Check, preface: Preface) {
    let mut watches = JoinSet::new();
    loop {
        for upstream in backends.unchecked().await {
            let (check, retired) = (check.clone(), upstream.retired.clone());
            let watch = async move {
                loop {
                    // From beginning to beginning: a backend that hangs is noticed no later than one that refuses.
                    let next = Instant::now() + jittered(check.every);
                    let found = probe(&upstream.backend, &check, preface).await;
                    upstream.checked(explained(found, preface), &check);
                    sleep_until(next).await;
                }
            };
            watches.spawn(retired.run_until_cancelled_owned(watch));
        }
        // Those whose backends are gone.
        while watches.try_join_next().is_some() {}
    }
}

/// Within a tenth: front-ends that were started together do not go on asking at the same moment.
fn jittered(every: Duration) -> Duration {
    every.mul_f64(0.9 + 0.2 * fastrand::f64())
}

/// Asks once, on each port: each of them gets clients. One after the other, since a server may take only so many
/// connections of one address. What `/ready` says comes first: a node that drains has closed its TCP port in order.
async fn probe(backend: &Backend, check: &Check, preface: Preface) -> Found {
    match probe_http(backend, check, preface).await {
        Found::Ready => probe_tcp(backend, check, preface).await,
        found => found,
    }
}

/// Whether the TCP port accepts, where there is one. A server says nothing to who has not said a word.
async fn probe_tcp(backend: &Backend, check: &Check, preface: Preface) -> Found {
    if backend.tcp.is_none() {
        return Found::Ready;
    }
    match connect(backend, Port::Tcp, preface, check.timeout).await {
        Ok(_) => Found::Ready,
        Err(error) if is_our_fault(&error) => not_asked(&error),
        Err(error) => Found::Failed(format!("check failed: its TCP port: {error}")),
    }
}

/// What `/ready` says, where there is an HTTP port.
async fn probe_http(backend: &Backend, check: &Check, preface: Preface) -> Found {
    if backend.http.is_none() {
        return Found::Ready;
    }
    let mut answer = Vec::new();
    let asked = timeout(check.timeout, ask_ready(backend, check.timeout, preface, &mut answer)).await;
    match asked {
        // However it ended: an answer is one when its first line is there.
        _ if answer.contains(&b'\r') => judge(&answer),
        Ok(Ok(())) => judge(&answer),
        Ok(Err(error)) if is_our_fault(&error) => not_asked(&error),
        Ok(Err(error)) => Found::Failed(format!("check failed: {error}")),
        Err(_) => Found::Failed(format!("check failed: no answer in {} ms", check.timeout.as_millis())),
    }
}

/// No descriptor, memory or port is left here.
fn not_asked(error: &io::Error) -> Found {
    Found::NotAsked(format!("not asked, for a lack on the front-end's own machine: {error}"))
}

/// Reads the answer to its end, since a connection that is closed over unread bytes is a reset at the other end.
async fn ask_ready(
    backend: &Backend,
    patience: Duration,
    preface: Preface,
    answer: &mut Vec<u8>,
) -> io::Result<()> {
    let mut stream = connect(backend, Port::Http, preface, patience).await?;
    let request = format!(
        "GET /ready HTTP/1.1\r\nhost: {}\r\nuser-agent: chat-server-balance\r\nconnection: close\r\n\r\n",
        backend.host
    );
    stream.write_all(request.as_bytes()).await?;
    stream.take(ANSWER_BYTES_MAX).read_to_end(answer).await?;
    Ok(())
}

/// What an answer says: its status line is enough (RFC 9112, section 4).
fn judge(answer: &[u8]) -> Found {
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let status =
        line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|code| code.parse().ok());
    match status {
        Some(200) => Found::Ready,
        Some(503) => Found::NotReady("not ready: /ready answered 503, it drains or is cut off".to_owned()),
        Some::<u16>(other) => Found::Failed(format!("check failed: /ready answered {other}")),
        None => Found::Failed("check failed: what answers on its HTTP port is not HTTP".to_owned()),
    }
}

/// What a server says to a header of the PROXY protocol that it takes for a request.
const BAD_REQUEST: &str = "check failed: /ready answered 400";

/// With what is most likely wrong, where that is known.
fn explained(found: Found, preface: Preface) -> Found {
    match (found, preface) {
        (Found::Failed(why), Preface::Local | Preface::Client { .. }) if why == BAD_REQUEST => {
            Found::Failed(format!("{why}: does the node expect the PROXY protocol from here?"))
        }
        (found, _) => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_expects_no_header_is_asked_about_that() {
        let found = || judge(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        let why = "check failed: /ready answered 400: does the node expect the PROXY protocol from here?";
        assert_eq!(explained(found(), Preface::Local), Found::Failed(why.to_owned()));
        assert_eq!(explained(found(), Preface::Nothing), found());
        assert_eq!(explained(judge(b"HTTP/1.1 200 OK\r\n"), Preface::Local), Found::Ready);
    }

    #[test]
    fn a_status_line_says_how_it_is() {
        assert_eq!(judge(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nready\n"), Found::Ready);
        assert_eq!(judge(b"HTTP/1.0 200\r\n\r\n"), Found::Ready);
        assert!(matches!(judge(b"HTTP/1.1 503 Service Unavailable\r\n"), Found::NotReady(_)));
        assert!(matches!(judge(b"HTTP/1.1 404 Not Found\r\n"), Found::Failed(why) if why.ends_with("404")));
        for other in [&b""[..], b"HTTP/1.1", b"HTTP/1.1 20", b"{\"type\":\"error\"}\n", b"HTTP/1.1 200x\xff"]
        {
            let found = judge(other);
            assert!(other.starts_with(b"HTTP/1.1 200") || matches!(found, Found::Failed(_)), "{found:?}");
        }
    }

    #[test]
    fn jitter_stays_within_a_tenth() {
        for _ in 0..1_000 {
            let pause = jittered(Duration::from_secs(1));
            assert!((900..=1_100).contains(&pause.as_millis()), "{pause:?}");
        }
    }
}
