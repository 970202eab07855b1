//! Owns the way to one address: connection, upgrade, hello, the name, round trips. Notes what each step took and how far
//! it came; what that means is not known here.

use std::net::SocketAddr;
use std::time::Duration;

use chat_protocol::{
    ClientId, ClientMessage, ErrorCode, Hello, NodeId, Re, Request, ServerMessage, UserName, Welcome,
    decode_server, limits,
};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, timeout};

use super::report::Step;
use crate::net::dial::{DialError, Dialer, Established};
use crate::net::endpoint::Endpoint;
use crate::net::event::Transport;
use crate::net::transport::Wire;

/// How long a server has for its welcome.
const HELLO_MAX: Duration = Duration::from_secs(5);
/// How long it has for any other answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Round trips that are measured.
const PINGS: u64 = 5;

/// Where to go.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    pub(super) dialer: &'a Dialer,
    pub(super) endpoint: &'a Endpoint,
    pub(super) address: SocketAddr,
    /// A name that a chat would ask for.
    pub(super) name: Option<&'a UserName>,
}

/// What was met on the way.
#[derive(Debug, Default)]
pub(super) struct Visit {
    pub(super) steps: Vec<Step>,
    pub(super) server: Option<Server>,
    /// Why it went no further.
    pub(super) trouble: Option<Trouble>,
    /// How far the server's clock is ahead of ours, where it told.
    pub(super) clock: Option<SignedDuration>,
    /// The name is another user's.
    pub(super) taken: Option<UserName>,
    pub(super) round_trips: Vec<Duration>,
}

/// Who answered.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) node: NodeId,
    pub(super) hostname: String,
    pub(super) version: String,
}

/// Why a way ended before its end.
#[derive(Debug)]
pub(super) enum Trouble {
    /// There was no connection to say hello on.
    Dial(DialError),
    /// It ended before the welcome, for this reason.
    Closed(String),
    /// Nobody said welcome.
    Silent,
    /// The server did not take us in.
    Refused(ErrorCode, String),
    /// It did, and cannot reach the others.
    NotReady,
    /// It did, and did not answer pings.
    NoPong,
}

/// What a step took, and what came of it.
pub(super) async fn timed<T>(
    name: &'static str,
    about: &str,
    step: impl Future<Output = Result<T, DialError>>,
) -> (Step, Result<T, DialError>) {
    let begun = Instant::now();
    let outcome = step.await;
    let error = outcome.as_ref().err().map(ToString::to_string);
    (Step { name, about: about.to_owned(), took: begun.elapsed(), error }, outcome)
}

/// Goes the way as far as it leads.
pub(super) async fn visit(way: Way<'_>) -> Visit {
    let mut visit = Visit::default();
    visit.trouble = visit.go(way).await.err();
    visit
}

impl Visit {
    async fn go(&mut self, way: Way<'_>) -> Result<(), Trouble> {
        let Way { dialer, endpoint, address, name } = way;
        let stream = self.dial("tcp", &address.to_string(), dialer.connect(address)).await?;
        let Established { mut wire, date } = match endpoint.transport {
            Transport::Tcp => dialer.establish(endpoint, stream).await.map_err(Trouble::Dial)?,
            Transport::Ws => self.dial("upgrade", &endpoint.path, dialer.establish(endpoint, stream)).await?,
        };
        self.clock = date.and_then(|date| clock(&date));
        let begun = Instant::now();
        let welcome = timeout(HELLO_MAX, self.greet(&mut wire)).await.unwrap_or(Err(Trouble::Silent));
        let error = welcome.as_ref().err().map(ToString::to_string);
        let who = self.server.as_ref().map(Server::to_string).unwrap_or_default();
        self.steps.push(Step { name: "hello", about: who, took: begun.elapsed(), error });
        let welcome = welcome?;
        // An answer that does not come says nothing of the name.
        let is_taken = timeout(ANSWER_MAX, is_taken(&mut wire, name)).await.unwrap_or(Ok(false))?;
        self.taken = name.filter(|_| is_taken).cloned();
        self.ping(&mut wire).await?;
        // The last words of a guest: nobody waits for them.
        let _ = timeout(ANSWER_MAX, wire.close()).await;
        if welcome.ready { Ok(()) } else { Err(Trouble::NotReady) }
    }

    async fn dial<T>(
        &mut self,
        name: &'static str,
        about: &str,
        step: impl Future<Output = Result<T, DialError>>,
    ) -> Result<T, Trouble> {
        let (step, outcome) = timed(name, about, step).await;
        self.steps.push(step);
        outcome.map_err(Trouble::Dial)
    }

    async fn greet(&mut self, wire: &mut Wire) -> Result<Welcome, Trouble> {
        // Without a name: one that is claimed would be held for this guest a while longer.
        let hello = Hello {
            v: limits::PROTOCOL_VERSION,
            name: None,
            client_id: Some(ClientId::random()),
            session: None,
            token: None,
            generation: None,
            resume: Vec::new(),
            if_ready: false,
            client: Some(concat!("chat-tui-doctor/", env!("CARGO_PKG_VERSION")).to_owned()),
        };
        wire.send(&[ClientMessage::Hello(hello).into()]);
        loop {
            match next(wire).await? {
                Some(ServerMessage::Connection(connection)) => {
                    let (node, hostname, version) =
                        (connection.node, connection.hostname, connection.version);
                    self.server = Some(Server { node, hostname, version });
                }
                Some(ServerMessage::Welcome(welcome)) => return Ok(welcome),
                Some(ServerMessage::Error(error)) => return Err(Trouble::Refused(error.code, error.message)),
                _ => {}
            }
        }
    }

    async fn ping(&mut self, wire: &mut Wire) -> Result<(), Trouble> {
        let begun = Instant::now();
        let mut outcome = Ok(());
        for t in 1..=PINGS {
            let asked = Instant::now();
            wire.send(&[ClientMessage::Ping { t: Some(t) }.into()]);
            outcome = timeout(ANSWER_MAX, pong(wire, t)).await.unwrap_or(Err(Trouble::NoPong));
            if outcome.is_err() {
                break;
            }
            self.round_trips.push(asked.elapsed());
        }
        let about = format!("{} of {PINGS} answered", self.round_trips.len());
        let error = outcome.as_ref().err().map(ToString::to_string);
        self.steps.push(Step { name: "ping", about, took: begun.elapsed(), error });
        outcome
    }
}

/// The next message, if it is one of the protocol.
async fn next(wire: &mut Wire) -> Result<Option<ServerMessage>, Trouble> {
    let frame = wire.recv().await.map_err(|closed| Trouble::Closed(closed.0))?;
    Ok(decode_server(&frame).ok())
}

async fn pong(wire: &mut Wire, asked: u64) -> Result<(), Trouble> {
    loop {
        if let Some(ServerMessage::Pong { t: Some(t), .. }) = next(wire).await?
            && t == asked
        {
            return Ok(());
        }
    }
}

/// Whether somebody has the name. The only question about a name that claims nothing: whom a guest ignores goes with
/// the guest.
async fn is_taken(wire: &mut Wire, name: Option<&UserName>) -> Result<bool, Trouble> {
    let Some(name) = name else { return Ok(false) };
    let re = Re::parse("name").expect("four letters");
    let message = ClientMessage::Ignore { user: name.to_string(), off: false };
    wire.send(&[Request { re: Some(re.clone()), message }]);
    loop {
        match next(wire).await? {
            Some(ServerMessage::Ignored { re: Some(of), .. }) if of == re => return Ok(true),
            Some(ServerMessage::Error(error)) if error.re.as_ref() == Some(&re) => return Ok(false),
            _ => {}
        }
    }
}

/// How far a clock that shows this is ahead of ours.
fn clock(date: &str) -> Option<SignedDuration> {
    let shown = rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(shown.duration_since(Timestamp::now()))
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { node, hostname, version } = self;
        write!(f, "{node}, version {version}, on {hostname}")
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dial(error) => error.fmt(f),
            Self::Closed(reason) => f.write_str(reason),
            Self::Silent => write!(f, "no welcome within {HELLO_MAX:?}"),
            Self::Refused(_, reason) => f.write_str(reason),
            Self::NotReady => f.write_str("the server is not ready"),
            Self::NoPong => write!(f, "no answer to a ping within {ANSWER_MAX:?}"),
        }
    }
}
