//! Owns one direction of a connection: bytes to frames to the session. Reads no further while the answers
//! would find no room.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chat_protocol::CloseReason;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::ReadHalf;
use tokio::time::sleep;

use super::framing::{Framing, Inbound};
use super::preface::{self, Preface};
use super::{ReadEnd, Shared};
use crate::session::Session;

/// Bytes asked for at once.
const READ_BYTES: usize = 4 * 1_024;
/// A client that says nothing for so long is a person at a plain terminal, or a guest.
const SILENCE: Duration = Duration::from_secs(1);
/// Bytes at a plain terminal followed by so much silence end a line: raw socket clients often send no end.
const LINE_SILENCE: Duration = Duration::from_millis(200);

/// What a browser or a probe is told that has mistaken the port.
const NOT_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
    this port is for chat over raw TCP: use the HTTP port\n";

pub(super) struct Reader {
    input: BytesMut,
    framing: Framing,
    reply: Vec<u8>,
    /// The first bytes of raw TCP have not shown yet that they are the client's own.
    opening: bool,
    /// The connection's first words were said.
    greeted: bool,
    /// The client was silent at first and taken for a guest.
    guest: bool,
}

impl Reader {
    pub(super) fn new(input: BytesMut, framing: Framing) -> Self {
        let opening = !framing.dialect().is_web_socket();
        Self { input, framing, reply: Vec::new(), opening, greeted: false, guest: false }
    }

    pub(super) async fn read(
        &mut self,
        half: &mut ReadHalf<'_>,
        session: &mut Session,
        shared: &Shared,
    ) -> ReadEnd {
        if shared.dialect.is_web_socket() {
            self.greet(session);
        }
        loop {
            if let Some(end) = self.taken(session, shared).await {
                return end;
            }
            self.input.reserve(READ_BYTES);
            let silence = self.silence(shared);
            // It may have been kept waiting until now.
            shared.hear();
            shared.listens.store(true, Ordering::Relaxed);
            let read = tokio::select! {
                read = half.read_buf(&mut self.input) => read,
                () = sleep(silence.unwrap_or_default()), if silence.is_some() => {
                    shared.listens.store(false, Ordering::Relaxed);
                    if !self.silent(session, shared).await {
                        return ReadEnd::Goodbye;
                    }
                    continue;
                }
            };
            shared.listens.store(false, Ordering::Relaxed);
            match read {
                Ok(0) => return self.end(session, shared).await,
                Ok(_) => {}
                Err(_) => return ReadEnd::Lost,
            }
        }
    }

    /// Hands on what has come, once it is known to be the client's own.
    async fn taken(&mut self, session: &mut Session, shared: &Shared) -> Option<ReadEnd> {
        if self.opening {
            match preface::judge(&self.input) {
                Preface::Header => return Some(ReadEnd::ProxyHeader),
                Preface::Own => self.opening = false,
                Preface::Blank | Preface::Words | Preface::Begun => return None,
            }
        }
        match self.frames(session, shared).await {
            Ok(true) => None,
            Ok(false) => Some(ReadEnd::Goodbye),
            Err(reason) => Some(ReadEnd::Refused(reason)),
        }
    }

    fn greet(&mut self, session: &Session) {
        if !std::mem::replace(&mut self.greeted, true) {
            session.greet();
        }
    }

    /// Hands every complete frame to the session. False: the client wants to go.
    async fn frames(&mut self, session: &mut Session, shared: &Shared) -> Result<bool, CloseReason> {
        loop {
            // One read holds many requests: each waits for room for its answer.
            shared.outbox.has_room().await;
            let Some(inbound) = self.framing.next(&mut self.input, &mut self.reply)? else { break };
            if !self.reply.is_empty() {
                shared.outbox.control(&std::mem::take(&mut self.reply));
            }
            if !self.inbound(inbound, session, shared).await {
                return Ok(false);
            }
        }
        if !self.reply.is_empty() {
            shared.outbox.control(&std::mem::take(&mut self.reply));
        }
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        Ok(true)
    }

    async fn inbound(&mut self, inbound: Inbound, session: &mut Session, shared: &Shared) -> bool {
        match inbound {
            Inbound::Goodbye => return false,
            Inbound::Typed(line) if !self.greeted && is_http(&line) => {
                shared.outbox.control(NOT_HTTP);
                return false;
            }
            Inbound::Typed(line) => return self.typed(&line, session).await,
            Inbound::Frame(frame) => {
                self.greet(session);
                if !frame.is_empty() {
                    session.frame(&frame).await;
                }
                shared.hello.store(session.has_said_hello(), Ordering::Relaxed);
            }
        }
        true
    }

    async fn typed(&mut self, line: &Bytes, session: &mut Session) -> bool {
        if !std::mem::replace(&mut self.greeted, true) {
            session.welcome_guest().await;
        }
        session.typed(line).await
    }

    /// How long to wait before [`Reader::silent`].
    fn silence(&self, shared: &Shared) -> Option<Duration> {
        if self.opening && !self.input.is_empty() {
            return match preface::judge(&self.input) {
                Preface::Begun => None,
                Preface::Blank => (!self.guest).then_some(LINE_SILENCE),
                _ => Some(LINE_SILENCE),
            };
        }
        if shared.dialect.is_text() && !self.input.is_empty() {
            return Some(LINE_SILENCE);
        }
        let undecided = shared.dialect.is_undecided() || shared.dialect.is_web_socket();
        let hello = shared.hello.load(Ordering::Relaxed);
        (undecided && !hello && !self.guest).then_some(SILENCE)
    }

    async fn silent(&mut self, session: &mut Session, shared: &Shared) -> bool {
        if self.opening && preface::judge(&self.input) == Preface::Words {
            // Load balancers write their header in one piece: these words are a person's.
            self.opening = false;
            return true;
        }
        // Not asked of what may still become a header: it would take the bytes.
        if shared.dialect.is_text()
            && let Some(Inbound::Typed(line)) = self.framing.rest(&mut self.input)
        {
            return self.typed(&line, session).await;
        }
        self.guest = true;
        session.welcome_guest().await;
        true
    }

    /// The stream has ended; what stands without an end is a line too.
    async fn end(&mut self, session: &mut Session, shared: &Shared) -> ReadEnd {
        if std::mem::replace(&mut self.opening, false) {
            if preface::judge(&self.input) == Preface::Begun {
                return ReadEnd::Eof;
            }
            if let Some(end) = self.taken(session, shared).await {
                return end;
            }
        }
        if let Some(inbound) = self.framing.rest(&mut self.input) {
            self.inbound(inbound, session, shared).await;
        }
        ReadEnd::Eof
    }
}

/// The first line of an HTTP request (RFC 9112, section 3): nobody says that as their first words.
fn is_http(line: &[u8]) -> bool {
    let mut words = line.trim_ascii_end().split(|byte| *byte == b' ');
    let (method, _target, version) = (words.next(), words.next(), words.next());
    method.is_some_and(|method| !method.is_empty() && method.iter().all(u8::is_ascii_uppercase))
        && version.is_some_and(|version| version.starts_with(b"HTTP/"))
        && words.next().is_none()
}
