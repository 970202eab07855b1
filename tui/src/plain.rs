//! Owns the client without a full screen: lines in, lines or JSON out, for pipes, programs and scripts. It
//! knows the network only by its two vocabularies, and neither sockets nor files.

mod input;
mod json;
mod lines;
mod look;
mod recent;
#[cfg(test)]
pub(crate) mod samples;
mod script;
mod source;
pub mod tail;
mod talk;

use std::io;
use std::time::Duration;

use chat_protocol::RoomName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::effect::DemoCommand;
use crate::net::event::{Moment, NetCommand, NetEvent};
use look::Look;
use script::Script;
pub use script::ScriptError;
use source::Source;
use talk::{Cluster, Effect, Said, Talk};

/// How long the outbox may take to empty at the end.
const OUTBOX_MAX: Duration = Duration::from_secs(10);
/// With so many messages not acknowledged, input waits: `yes |` must not fill the memory.
const UNDELIVERED_HIGH: usize = 64;
/// Events handled before their lines are written.
const EVENTS_PER_TURN: usize = 256;

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Lines,
    /// For programs.
    Json,
}

/// What a plain session is given.
pub struct Plain {
    /// To the network.
    pub commands: mpsc::Sender<NetCommand>,
    /// From the network.
    pub events: mpsc::Receiver<NetEvent>,
    /// To the demo's cluster, where there is one.
    pub demo: Option<mpsc::Sender<DemoCommand>>,
    /// The rooms that were asked for; the first is the current one.
    pub rooms: Vec<RoomName>,
    /// How it looks.
    pub format: Format,
    /// Lines to play instead of standard input's.
    pub script: Option<String>,
    /// The zero of [`Moment`].
    pub started: Instant,
    /// Ends it at once.
    pub shutdown: CancellationToken,
}

/// Why a plain session failed.
#[derive(Debug, thiserror::Error)]
pub enum PlainError {
    /// The end came before the outbox was empty.
    #[error("messages not delivered: {0}")]
    Undelivered(usize),
    /// A line of the script did not have its effect.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// Input cannot be read, or output not written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The network side or the demo is gone.
    #[error("the network side has stopped")]
    Stopped,
}

/// Runs until input or script ends (and the outbox is empty), `/quit`, a closed output, or shutdown.
///
/// # Errors
/// [`PlainError`] where not everything went as asked: the exit code must say so.
pub async fn run<R, W>(plain: Plain, input: R, output: W) -> Result<(), PlainError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let shutdown = plain.shutdown.clone();
    let mut session = Session::new(plain, output);
    let mut source = Source::new(input);
    let ended = tokio::select! {
        // The shutdown ends the network, too: that the network is gone is no error then.
        biased;
        () = shutdown.cancelled() => return Ok(()),
        ended = session.run(&mut source) => ended,
    };
    // An error is told beside the lines that led to it.
    let ended = session.write().await.map_err(PlainError::from).and(ended);
    match ended {
        // `chat-tui | head`: whoever reads has seen enough.
        Err(PlainError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        ended => ended,
    }
}

struct Session<W> {
    plain: Plain,
    output: W,
    look: Look,
    talk: Talk,
    script: Option<Script>,
    /// Lines on their way out.
    pending: String,
    /// Set when the end has begun: when to stop waiting for the outbox.
    leave_at: Option<Moment>,
}

impl<W: AsyncWrite + Unpin> Session<W> {
    fn new(mut plain: Plain, output: W) -> Self {
        let room = plain.rooms.first().cloned().unwrap_or_else(RoomName::general);
        let cluster = if plain.demo.is_some() { Cluster::Demo } else { Cluster::Remote };
        let look = Look::new(plain.format);
        let now = plain.started.elapsed();
        let script = plain.script.take().map(|text| Script::new(&text, plain.rooms.clone(), now));
        let talk = Talk::new(room, cluster);
        Self { plain, output, look, talk, script, pending: String::new(), leave_at: None }
    }

    async fn run<R: AsyncRead + Unpin>(&mut self, source: &mut Source<R>) -> Result<(), PlainError> {
        loop {
            self.play().await?;
            self.write().await?;
            if let Some(leave_at) = self.leave_at {
                if self.talk.is_settled() {
                    return Ok(());
                }
                if self.now() >= leave_at {
                    return match self.talk.undelivered() {
                        0 => Ok(()),
                        count => Err(PlainError::Undelivered(count)),
                    };
                }
            }
            self.turn(source).await?;
        }
    }

    /// Waits for whatever happens first: an event, a line of input, a deadline.
    async fn turn<R: AsyncRead + Unpin>(&mut self, source: &mut Source<R>) -> Result<(), PlainError> {
        let reads =
            self.script.is_none() && self.leave_at.is_none() && self.talk.undelivered() < UNDELIVERED_HIGH;
        let script_deadline = self.script.as_ref().map(Script::deadline);
        let deadline = self.leave_at.or(script_deadline).map(|moment| self.plain.started + moment);
        tokio::select! {
            event = self.plain.events.recv() => {
                self.events(&event.ok_or(PlainError::Stopped)?);
                for command in self.talk.take_due() {
                    self.plain.commands.send(command).await.map_err(|_| PlainError::Stopped)?;
                }
            }
            line = source.line(), if reads => match line? {
                Some(line) => { self.line(&line).await?; }
                None => self.leave(),
            },
            () = at(deadline) => {}
        }
        Ok(())
    }

    /// Plays the script's lines whose time has come.
    async fn play(&mut self) -> Result<(), PlainError> {
        while let Some(mut script) = self.script.take() {
            if self.leave_at.is_some() {
                return Ok(());
            }
            let Some(line) = script.next_line(&self.talk, self.now())? else {
                if script.is_over(&self.talk) {
                    self.leave();
                } else {
                    self.script = Some(script);
                }
                return Ok(());
            };
            self.look.notice(&format!("> {line}"), &mut self.pending);
            if let Some(effect) = self.line(&line).await? {
                script.played(&effect, &self.talk)?;
            }
            self.script = Some(script);
        }
        Ok(())
    }

    /// Does what a line of input says; gives what that was.
    async fn line(&mut self, line: &str) -> Result<Option<Effect>, PlainError> {
        let parsed = match self.plain.format {
            Format::Lines => input::parse(line),
            Format::Json => input::parse_json(line),
        };
        let effect = match parsed {
            Ok(None) => return Ok(None),
            Ok(Some(input)) => self.talk.input(input),
            Err(reason) => Effect::Refuse(reason),
        };
        match effect.clone() {
            Effect::Net(command) => {
                self.plain.commands.send(command).await.map_err(|_| PlainError::Stopped)?;
            }
            Effect::Demo(command) => {
                let demo = self.plain.demo.as_ref().ok_or(PlainError::Stopped)?;
                demo.send(command).await.map_err(|_| PlainError::Stopped)?;
            }
            Effect::Print(text) => self.look.notice(&format!("-- {text}"), &mut self.pending),
            Effect::Refuse(reason) => self.look.refusal(&reason, &mut self.pending),
            Effect::Quit => self.leave(),
        }
        Ok(Some(effect))
    }

    /// Takes in an event and those behind it.
    fn events(&mut self, first: &NetEvent) {
        self.event(first);
        for _ in 0..EVENTS_PER_TURN {
            let Ok(event) = self.plain.events.try_recv() else { return };
            self.event(&event);
        }
    }

    fn event(&mut self, event: &NetEvent) {
        let now = self.now();
        let said: Option<Said> = self.talk.event(event);
        if let Some(script) = &mut self.script {
            script.observe(event);
        }
        self.look.event(now, event, said.as_ref(), &mut self.pending);
    }

    async fn write(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() {
            self.output.write_all(self.pending.as_bytes()).await?;
            self.output.flush().await?;
            self.pending.clear();
        }
        Ok(())
    }

    fn leave(&mut self) {
        let by = self.now() + OUTBOX_MAX;
        self.leave_at.get_or_insert(by);
    }

    fn now(&self) -> Moment {
        self.plain.started.elapsed()
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
