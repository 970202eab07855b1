//! Owns what is wrong, in words, and what to do next. Pure: what was met on the way in, a finding out.

use chat_protocol::ErrorCode;
use jiff::SignedDuration;
use serde::Serialize;

use super::probe::Trouble;
use crate::net::dial::{Cause, DialError};
use crate::net::endpoint::{Endpoint, HTTP_PORT, TCP_PORT};
use crate::net::event::Transport;

/// A clock that differs by more shows other times than everybody else's.
const CLOCK_SKEW_MAX: SignedDuration = SignedDuration::from_secs(30);

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub what: String,
    /// What to do about it.
    pub next: String,
}

impl Finding {
    fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), next: next.into() }
    }
}

/// A name that leads nowhere.
pub(super) fn of_lookup(error: &DialError) -> Finding {
    Finding::new(
        error.to_string(),
        "check the name for typing mistakes, then this machine's resolver and network",
    )
}

/// True where an answer by the other transport would explain it.
pub(super) fn may_be_the_other_port(trouble: &Trouble) -> bool {
    match trouble {
        // A chat server says 400 on its port for lines, where a load balancer's 5xx comes from no server.
        Trouble::Dial(error) => matches!(
            error.cause,
            Cause::NotHttp | Cause::NoAnswer | Cause::Reset | Cause::Other | Cause::Http(400..=499)
        ),
        Trouble::Closed(_) | Trouble::Silent => true,
        Trouble::Refused(..) | Trouble::NotReady | Trouble::NoPong => false,
    }
}

/// What went wrong at an endpoint; `elsewhere` is the transport by which a chat server does answer there.
pub(super) fn of(trouble: &Trouble, endpoint: &Endpoint, elsewhere: Option<Transport>) -> Finding {
    let authority = endpoint.authority();
    match elsewhere {
        Some(Transport::Tcp) => {
            let what = format!("{authority} is the port for lines of TCP, and was asked for WebSocket");
            return Finding::new(
                what,
                format!("use tcp://{authority}, or the HTTP port ({HTTP_PORT} by default)"),
            );
        }
        Some(Transport::Ws) => {
            let what = format!("{authority} is the HTTP port, and was asked for lines of TCP");
            return Finding::new(
                what,
                format!("use ws://{authority}/ws, or the TCP port ({TCP_PORT} by default)"),
            );
        }
        None => {}
    }
    match trouble {
        Trouble::Dial(error) => of_dial(error, endpoint),
        Trouble::Closed(reason) => Finding::new(
            format!("the connection ended before the welcome: {reason}"),
            "where this is a load balancer, it has no server: see its status page, and whether the servers run and \
             answer /ready; where not, another service listens there: check the port",
        ),
        Trouble::Silent => Finding::new(
            trouble.to_string(),
            "another service listens there, or a server hangs: check the port, then the server's log",
        ),
        Trouble::Refused(ErrorCode::ShuttingDown, _) => Finding::new(
            "the server is going down and takes nobody in",
            "wait until it is back, or name another one; a load balancer has to ask /ready to lead nobody there",
        ),
        Trouble::Refused(ErrorCode::Unavailable, _) | Trouble::NotReady => Finding::new(
            "the server is not ready: it cannot reach the others, so messages would wait",
            "see its log and its Redis (chat-server nodes --redis URL shows who does reach it)",
        ),
        Trouble::Refused(code, reason) => {
            let code = serde_json::to_value(code).ok();
            let code = code.as_ref().and_then(serde_json::Value::as_str).unwrap_or("error").to_owned();
            Finding::new(
                format!("the server refuses: {reason} ({code})"),
                "see the server's log; docs/protocol.md has the codes",
            )
        }
        Trouble::NoPong => Finding::new(
            trouble.to_string(),
            "the server, or something on the way, stands still: try again, then see the server's log",
        ),
    }
}

fn of_dial(error: &DialError, endpoint: &Endpoint) -> Finding {
    let (host, port) = (&endpoint.host, endpoint.port);
    let next = match error.cause {
        Cause::Lookup => return of_lookup(error),
        Cause::Refused => format!(
            "nothing listens on port {port} there: start the server, or check the port (TCP {TCP_PORT}, WebSocket \
             {HTTP_PORT} by default)"
        ),
        Cause::Silent => {
            format!("the machine is off, or a firewall drops what goes to port {port}: have it let through")
        }
        Cause::NoAnswer => format!("something listens on port {port} and does not answer HTTP: check the port"),
        Cause::Http(status) => of_status(status, endpoint),
        Cause::NotHttp | Cause::Reset => "where this is a load balancer, it has no server: see its status page, and \
             whether the servers run and answer /ready; where not, another service listens there: check the port"
            .into(),
        Cause::Other => format!("check the network from here to {host}, such as with ping or traceroute"),
    };
    Finding::new(error.to_string(), next)
}

fn of_status(status: u16, endpoint: &Endpoint) -> String {
    let authority = endpoint.authority();
    match status {
        502..=504 => format!(
            "a load balancer without a server that is ready: see its status page, and what the servers answer to \
             /ready (curl http://{authority}/ready)"
        ),
        300..=399 => "it leads elsewhere: use the address that curl -i shows as location".into(),
        401 | 403 => {
            "a proxy on the way wants to know who you are, or lets nobody through: ask who runs it".into()
        }
        _ => format!(
            "an HTTP server that is no chat server, or another path than {}: a chat server has its WebSocket on / and /ws",
            endpoint.path
        ),
    }
}

/// A clock that is not ours.
pub(super) fn of_clock(ahead: SignedDuration) -> Option<Finding> {
    (ahead.abs() > CLOCK_SKEW_MAX).then(|| {
        let side = if ahead.is_positive() { "behind" } else { "ahead of" };
        Finding::new(
            format!("this machine's clock is {} s {side} the server's", ahead.abs().as_secs()),
            "have one of them set by NTP: times of messages are the server's",
        )
    })
}

/// A name that is another user's.
pub(super) fn of_name(name: &str) -> Finding {
    Finding::new(
        format!("the name {name} is taken"),
        format!("a chat would be called {name}-2; --name NAME asks for another one"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_told_where_it_shows() {
        assert_eq!(of_clock(SignedDuration::from_secs(29)), None);
        let behind = of_clock(SignedDuration::from_secs(90)).unwrap();
        assert_eq!(behind.what, "this machine's clock is 90 s behind the server's");
        let ahead = of_clock(SignedDuration::from_secs(-3_600)).unwrap();
        assert_eq!(ahead.what, "this machine's clock is 3600 s ahead of the server's");
    }

    #[test]
    fn a_status_says_what_to_look_at() {
        let endpoint = Endpoint { path: "/chat".into(), ..Endpoint::new("lb", 80, Transport::Ws) };
        let check = |status, part: &str| {
            let next = of_status(status, &endpoint);
            assert!(next.contains(part), "{status}: {next}");
        };
        check(503, "curl http://lb:80/ready");
        check(301, "location");
        check(403, "proxy");
        check(404, "another path than /chat");
        check(200, "no chat server");
    }

    #[test]
    fn the_other_port_is_named_with_its_address() {
        let endpoint = Endpoint::new("::1", 8_000, Transport::Tcp);
        let found = of(&Trouble::Silent, &endpoint, Some(Transport::Ws));
        assert!(found.next.starts_with("use ws://[::1]:8000/ws"), "{}", found.next);
        let found = of(&Trouble::Silent, &endpoint, Some(Transport::Tcp));
        assert!(found.next.starts_with("use tcp://[::1]:8000"), "{}", found.next);
    }

    #[test]
    fn a_refusal_keeps_the_servers_words_and_code() {
        let endpoint = Endpoint::new("lb", 80, Transport::Ws);
        let found = of(&Trouble::Refused(ErrorCode::RateLimited, "slowly".into()), &endpoint, None);
        assert_eq!(found.what, "the server refuses: slowly (rate_limited)");
        let found = of(&Trouble::Refused(ErrorCode::ShuttingDown, "bye".into()), &endpoint, None);
        assert!(found.what.contains("going down"));
    }
}
