//! Owns `chat-tui tail`: what is said in some rooms, a line a message, until it is stopped. It says nothing and marks
//! nothing as read. What is said goes to the output; what becomes of the link, and what is lost, to the notices.

mod past;

use std::collections::BTreeSet;
use std::io;

use chat_protocol::RoomName;
use chat_protocol::text::sanitize_line;
use jiff::Timestamp;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::look::Look;
use super::{EVENTS_PER_TURN, Format, at};
use crate::net::event::{LinkState, Moment, NetCommand, NetEvent};
use past::Past;

/// What a tail is given.
pub struct Tail {
    /// To the network.
    pub commands: mpsc::Sender<NetCommand>,
    /// From the network.
    pub events: mpsc::Receiver<NetEvent>,
    /// Where to listen.
    pub rooms: Vec<RoomName>,
    /// How it looks.
    pub format: Format,
    /// It begins with what was said since then.
    pub since: Option<Timestamp>,
    /// The zero of [`Moment`].
    pub started: Instant,
    /// Ends it at once.
    pub shutdown: CancellationToken,
}

/// Why a tail failed.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// A room cannot be entered.
    #[error("cannot listen in {room}: {why}")]
    Refused {
        /// Which.
        room: RoomName,
        /// The server's words.
        why: String,
    },
    /// The output cannot be written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The network side is gone.
    #[error("the network side has stopped")]
    Stopped,
}

/// Runs until whoever reads has gone, a room is refused, or shutdown.
///
/// # Errors
/// [`TailError`] where it cannot go on.
pub async fn run<O, N>(tail: Tail, output: O, notices: N) -> Result<(), TailError>
where
    O: AsyncWrite + Unpin,
    N: AsyncWrite + Unpin,
{
    let shutdown = tail.shutdown.clone();
    let mut session = Session::new(tail, output, notices);
    let ended = tokio::select! {
        // The shutdown ends the network, too: that the network is gone is no error then.
        biased;
        () = shutdown.cancelled() => Ok(()),
        ended = session.run() => ended,
    };
    match session.write().await.map_err(TailError::from).and(ended) {
        // `chat-tui tail | head`: whoever reads has seen enough.
        Err(TailError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        ended => ended,
    }
}

struct Session<O, N> {
    tail: Tail,
    output: O,
    notices: N,
    look: Look,
    /// For people, whatever the output is for.
    words: Look,
    /// None once it was shown.
    past: Option<Past>,
    /// The rooms we are in, on this connection.
    inside: BTreeSet<RoomName>,
    /// Lines on their way out.
    lines: String,
    told: String,
}

impl<O: AsyncWrite + Unpin, N: AsyncWrite + Unpin> Session<O, N> {
    fn new(tail: Tail, output: O, notices: N) -> Self {
        let past = tail.since.map(|since| Past::new(since, &tail.rooms));
        let (look, words) = (Look::new(tail.format), Look::new(Format::Lines));
        let (lines, told) = (String::new(), String::new());
        Self { tail, output, notices, look, words, past, inside: BTreeSet::new(), lines, told }
    }

    async fn run(&mut self) -> Result<(), TailError> {
        loop {
            self.write().await?;
            let deadline = self.past.as_ref().and_then(Past::deadline);
            tokio::select! {
                event = self.tail.events.recv() => {
                    self.event(event.ok_or(TailError::Stopped)?).await?;
                    for _ in 0..EVENTS_PER_TURN {
                        let Ok(event) = self.tail.events.try_recv() else { break };
                        self.event(event).await?;
                    }
                }
                () = at(deadline.map(|moment| self.tail.started + moment)) => {
                    let now = self.now();
                    for command in self.past.as_mut().map(|past| past.ask_again(now)).unwrap_or_default() {
                        self.ask(command).await?;
                    }
                }
            }
        }
    }

    async fn event(&mut self, event: NetEvent) -> Result<(), TailError> {
        let now = self.now();
        match &event {
            NetEvent::Link(status) => {
                if matches!(status.state, LinkState::Down { .. }) {
                    self.inside.clear();
                }
                self.words.event(now, &event, None, &mut self.told);
            }
            NetEvent::Joined { room, .. } => {
                self.inside.insert(room.clone());
                self.words.event(now, &event, None, &mut self.told);
            }
            NetEvent::Trouble { room: Some(room), text, .. } if !self.inside.contains(room) => {
                return Err(TailError::Refused { room: room.clone(), why: sanitize_line(text).into_owned() });
            }
            NetEvent::Trouble { .. } => self.words.event(now, &event, None, &mut self.told),
            _ => {}
        }
        let Some(past) = &mut self.past else {
            self.show(now, &event);
            return Ok(());
        };
        let asks = past.event(now, event);
        if past.is_whole() {
            let past = self.past.take();
            if let Some(told) = past.as_ref().and_then(Past::told) {
                self.words.notice(&told, &mut self.told);
            }
            let events = past.map(Past::into_events).unwrap_or_default();
            events.iter().for_each(|event| self.show(now, event));
        }
        match asks {
            Some(command) => self.ask(command).await,
            None => Ok(()),
        }
    }

    /// What stands in a log is for the output; that some of it is gone has to be seen by people, too.
    fn show(&mut self, now: Moment, event: &NetEvent) {
        match event {
            NetEvent::Entry { message, .. } => self.look.logged(message, &mut self.lines),
            NetEvent::Rewound { .. } | NetEvent::Reset { .. } => {
                self.words.event(now, event, None, &mut self.told);
                if self.tail.format == Format::Json {
                    self.look.event(now, event, None, &mut self.lines);
                }
            }
            _ => {}
        }
    }

    async fn ask(&mut self, command: NetCommand) -> Result<(), TailError> {
        self.tail.commands.send(command).await.map_err(|_| TailError::Stopped)
    }

    async fn write(&mut self) -> io::Result<()> {
        if !self.told.is_empty() {
            // Nobody is left to tell where that is closed: what is said goes on.
            let _ = self.notices.write_all(self.told.as_bytes()).await;
            let _ = self.notices.flush().await;
            self.told.clear();
        }
        if !self.lines.is_empty() {
            self.output.write_all(self.lines.as_bytes()).await?;
            self.output.flush().await?;
            self.lines.clear();
        }
        Ok(())
    }

    fn now(&self) -> Moment {
        self.tail.started.elapsed()
    }
}

#[cfg(test)]
mod tests;
