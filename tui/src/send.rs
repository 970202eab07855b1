//! Owns `chat-tui send`: messages, and the certainty that the cluster has them. Knows the network only by its two
//! vocabularies.

mod split;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use chat_protocol::{Epoch, MessageId, RoomName, Seq};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::net::event::{LinkState, NetCommand, NetEvent, OutId, OutState};
pub use split::split;

/// How long a receipt waits for the entry that says where its message stands.
const ENTRY_MAX: Duration = Duration::from_secs(1);

/// What is to be sent, and how.
pub struct Sending {
    /// To the network.
    pub commands: mpsc::Sender<NetCommand>,
    /// From the network.
    pub events: mpsc::Receiver<NetEvent>,
    /// Where.
    pub room: RoomName,
    /// What, a message each.
    pub contents: Vec<String>,
    /// How long all acknowledgements may take.
    pub timeout: Duration,
    /// Whether receipts are told.
    pub receipts: Receipts,
}

/// Whether receipts are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipts {
    /// Each message's, with its place in the log.
    Wanted,
    /// None.
    Unwanted,
}

/// That a message is in the log, as `ack` of docs/protocol.md says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename = "ack")]
pub struct Receipt {
    /// Where.
    pub room: RoomName,
    /// The number its client has given it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// Its place; this and the others are missing where they were not told in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<Seq>,
    /// Its identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// Which life of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// Why a message is not known to have arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It will never arrive.
    #[error("not sent: {0}")]
    Refused(String),
    /// No acknowledgement in time; it may have arrived all the same.
    #[error("not acknowledged within {after:?} ({why}){of}")]
    TimedOut {
        /// How long was waited.
        after: Duration,
        /// What was last heard.
        why: String,
        /// How many of several messages were acknowledged.
        of: Progress,
    },
    /// No server took anything in time.
    #[error("nothing was sent within {after:?} ({why})")]
    Unsent {
        /// How long was waited.
        after: Duration,
        /// What was last heard.
        why: String,
    },
    /// The network side is gone.
    #[error("the network side has stopped")]
    Stopped,
}

/// How many messages are acknowledged, and of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress(pub usize, pub usize);

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1 > 1 { write!(f, ": {} of {} messages are", self.0, self.1) } else { Ok(()) }
    }
}

/// Sends them in order and waits for all acknowledgements; tells receipts as they come.
///
/// # Errors
/// [`SendError`] where one did not come.
pub async fn run(sending: Sending, tell: impl FnMut(&Receipt)) -> Result<(), SendError> {
    let Sending { commands, mut events, room, contents, timeout: after, receipts } = sending;
    let mut course = Course {
        room,
        count: contents.len(),
        acked: 0,
        was_sent: false,
        why: "no connection yet".to_owned(),
        epoch: None,
        awaited: BTreeMap::new(),
        tell,
    };
    let says = contents.into_iter().enumerate();
    let mut unsaid: VecDeque<_> = says.map(|(at, content)| course.say(at, content)).collect();
    let acknowledged = async {
        while course.acked < course.count {
            tokio::select! {
                // A permit that is not used goes back.
                permit = commands.reserve(), if !unsaid.is_empty() => {
                    let permit = permit.map_err(|_| SendError::Stopped)?;
                    if let Some(say) = unsaid.pop_front() {
                        permit.send(say);
                    }
                }
                event = events.recv() => course.event(event.ok_or(SendError::Stopped)?)?,
            }
        }
        Ok(())
    };
    match timeout(after, acknowledged).await {
        Ok(result) => result?,
        Err(_) => return Err(course.timed_out(after)),
    }
    if receipts == Receipts::Wanted {
        let places = async {
            while !course.awaited.is_empty() {
                course.event(events.recv().await.ok_or(SendError::Stopped)?)?;
            }
            Ok(())
        };
        // They are in the log: where, is told as far as it is known.
        timeout(ENTRY_MAX, places).await.unwrap_or(Ok(()))?;
        course.tell_rest();
    }
    Ok(())
}

/// How far it is.
struct Course<T> {
    room: RoomName,
    count: usize,
    acked: usize,
    was_sent: bool,
    /// What was last heard.
    why: String,
    epoch: Option<Epoch>,
    /// Acknowledged messages, and those whose place is known; told once both hold.
    awaited: BTreeMap<OutId, Awaited>,
    tell: T,
}

#[derive(Default)]
struct Awaited {
    is_acked: bool,
    place: Option<(Seq, MessageId)>,
}

impl<T: FnMut(&Receipt)> Course<T> {
    fn say(&mut self, at: usize, content: String) -> NetCommand {
        let out = OutId(at as u64 + 1);
        self.awaited.insert(out, Awaited::default());
        NetCommand::Say { out, room: self.room.clone(), content, kind: None }
    }

    fn event(&mut self, event: NetEvent) -> Result<(), SendError> {
        match event {
            NetEvent::Out { out, state, .. } => match state {
                OutState::Acked => {
                    self.acked += 1;
                    self.awaited.entry(out).or_default().is_acked = true;
                    self.tell_whole(out);
                }
                OutState::Failed(reason) => return Err(SendError::Refused(self.refusal(&reason))),
                OutState::Sent => self.was_sent = true,
                OutState::Queued => {}
            },
            NetEvent::Entry { message, out: Some(out), .. } => {
                if let Some(awaited) = self.awaited.get_mut(&out) {
                    awaited.place = Some((message.seq, message.id));
                }
                self.tell_whole(out);
            }
            NetEvent::Joined { epoch, .. } | NetEvent::Reset { epoch, .. } => self.epoch = Some(epoch),
            NetEvent::Trouble { text, .. } => self.why = clean(&text),
            NetEvent::Link(status) => note(&mut self.why, &status.state),
            _ => {}
        }
        Ok(())
    }

    fn tell_whole(&mut self, out: OutId) {
        let is_whole = |awaited: &Awaited| awaited.is_acked && awaited.place.is_some();
        if self.awaited.get(&out).is_some_and(is_whole) {
            self.tell_one(out);
        }
    }

    fn tell_rest(&mut self) {
        for out in self.awaited.keys().copied().collect::<Vec<_>>() {
            self.tell_one(out);
        }
    }

    fn tell_one(&mut self, out: OutId) {
        let Some(Awaited { place, .. }) = self.awaited.remove(&out) else { return };
        let epoch = self.epoch.filter(|_| place.is_some());
        let (seq, id) = place.unzip();
        let n = id.as_ref().map(|id| id.n);
        (self.tell)(&Receipt { room: self.room.clone(), n, seq, id, epoch });
    }

    /// Of several messages those that came before are told: they stand.
    fn refusal(&self, reason: &str) -> String {
        format!(
            "{}{}",
            clean(reason),
            match self.count {
                1 => String::new(),
                count => format!(" ({} of {count} messages are acknowledged)", self.acked),
            }
        )
    }

    fn timed_out(self, after: Duration) -> SendError {
        match self.was_sent {
            true => SendError::TimedOut { after, why: self.why, of: Progress(self.acked, self.count) },
            false => SendError::Unsent { after, why: self.why },
        }
    }
}

fn note(why: &mut String, state: &LinkState) {
    match state {
        LinkState::Down { reason, .. } => *why = clean(reason),
        LinkState::Online { node, .. } => *why = format!("{node} did not answer"),
        LinkState::Idle | LinkState::Dialling { .. } => {}
    }
}

fn clean(text: &str) -> String {
    chat_protocol::text::sanitize_line(text).into_owned()
}

#[cfg(test)]
mod tests;
