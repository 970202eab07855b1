//! Owns the player of a script: which line comes next, and when the last one has had its visible effect.
//! Pure; what a line means and does is decided as for typed ones.

use std::collections::VecDeque;
use std::time::Duration;

use chat_protocol::{ErrorCode, NodeId, RoomName};

use super::talk::{Effect, Talk};
use crate::effect::DemoCommand;
use crate::net::event::{LinkState, Moment, NetCommand, NetEvent, OutId, OutState};

/// How long one line may take to have its effect.
const LINE_MAX: Duration = Duration::from_secs(30);
/// The try at which a countdown is surely being watched: the first may follow at once.
const COUNTDOWN_ATTEMPT: u32 = 2;

#[derive(Debug)]
pub(super) struct Script {
    lines: VecDeque<(usize, String)>,
    /// The line being waited for; 0 and empty: the start.
    current: (usize, String),
    awaited: Awaited,
    since: Moment,
    /// What was seen since the line was played.
    seen: Seen,
}

/// The visible effect of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Awaited {
    /// Online and in all these rooms.
    Start(Vec<RoomName>),
    /// Our entry, or while the link is down, that it is queued.
    Said(OutId),
    /// On another node, and what that cost.
    Moved(Option<NodeId>),
    /// A countdown to a later try.
    Countdown,
    /// Online, what that cost, and the outbox empty.
    Back,
    Joined(RoomName),
    Left(RoomName),
    Renamed,
    Answer,
    Nothing,
}

#[derive(Debug, Default)]
struct Seen {
    entry: bool,
    queued: bool,
    renamed: bool,
    answer: bool,
    recovery: bool,
    failed: Option<String>,
}

/// Why a script ended early.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("script line {number} ({text}): {why}")]
pub struct ScriptError {
    number: usize,
    text: String,
    why: String,
}

impl Script {
    /// A script that begins once all `rooms` are joined.
    pub(super) fn new(text: &str, rooms: Vec<RoomName>, now: Moment) -> Self {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        Self {
            lines: lines.map(|(at, line)| (at + 1, line.to_owned())).collect(),
            current: (0, "start".into()),
            awaited: Awaited::Start(rooms),
            since: now,
            seen: Seen::default(),
        }
    }

    /// By when the current line must have had its effect.
    pub(super) fn deadline(&self) -> Moment {
        self.since + LINE_MAX
    }

    /// Takes in what happened.
    pub(super) fn observe(&mut self, event: &NetEvent) {
        let awaited_out = match self.awaited {
            Awaited::Said(out) => Some(out),
            _ => None,
        };
        match event {
            NetEvent::Entry { out, .. } if out.is_some() && *out == awaited_out => self.seen.entry = true,
            NetEvent::Out { out, state, .. } if Some(*out) == awaited_out => match state {
                OutState::Queued => self.seen.queued = true,
                OutState::Failed(reason) => self.seen.failed = Some(reason.clone()),
                OutState::Sent | OutState::Acked => {}
            },
            NetEvent::Renamed { .. } => self.seen.renamed = true,
            NetEvent::Answer(_) | NetEvent::History { .. } | NetEvent::Looked { .. } => {
                self.seen.answer = true;
            }
            NetEvent::Trouble { code: ErrorCode::BadQuery, text, .. } => {
                self.seen.failed = Some(text.clone());
            }
            // Shown for ten seconds only, so it is remembered.
            NetEvent::Link(status) => {
                self.seen.recovery |= status.recovery.as_ref().is_some_and(|new| new.at >= self.since);
            }
            _ => {}
        }
    }

    /// The next line, once the last has had its effect. None: not yet, or (see [`Self::is_over`]) no more.
    ///
    /// # Errors
    /// [`ScriptError`] where the last line can have no effect any more.
    pub(super) fn next_line(&mut self, talk: &Talk, now: Moment) -> Result<Option<String>, ScriptError> {
        if let Some(reason) = &self.seen.failed {
            return Err(self.error(format!("it was refused: {reason}")));
        }
        if !self.is_met(talk) {
            return if now < self.deadline() { Ok(None) } else { Err(self.overdue(talk)) };
        }
        let Some((number, text)) = self.lines.pop_front() else { return Ok(None) };
        self.current = (number, text.clone());
        (self.awaited, self.since, self.seen) = (Awaited::Nothing, now, Seen::default());
        Ok(Some(text))
    }

    /// Sets what the line just played is to lead to.
    ///
    /// # Errors
    /// [`ScriptError`] where the line made no sense.
    pub(super) fn played(&mut self, effect: &Effect, talk: &Talk) -> Result<(), ScriptError> {
        self.awaited = match effect {
            Effect::Net(NetCommand::Say { out, .. } | NetCommand::SayOf { out, .. }) => Awaited::Said(*out),
            Effect::Net(NetCommand::Join(room)) => Awaited::Joined(room.clone()),
            Effect::Net(NetCommand::Leave(room)) => Awaited::Left(room.clone()),
            Effect::Net(NetCommand::Rename(_)) => Awaited::Renamed,
            Effect::Net(NetCommand::ReconnectNow) | Effect::Print(_) | Effect::Quit => Awaited::Nothing,
            Effect::Net(_) => Awaited::Answer,
            Effect::Demo(DemoCommand::Kill) => Awaited::Moved(online_node(talk)),
            Effect::Demo(DemoCommand::KillAll) => Awaited::Countdown,
            Effect::Demo(DemoCommand::Revive) => Awaited::Back,
            Effect::Demo(DemoCommand::Withhold) => Awaited::Nothing,
            Effect::Refuse(reason) => return Err(self.error(reason.clone())),
        };
        Ok(())
    }

    /// True when all lines were played and the last has had its effect.
    pub(super) fn is_over(&self, talk: &Talk) -> bool {
        self.lines.is_empty() && self.is_met(talk)
    }

    fn is_met(&self, talk: &Talk) -> bool {
        match &self.awaited {
            Awaited::Start(rooms) => talk.is_online() && rooms.iter().all(|room| talk.is_joined(room)),
            Awaited::Said(_) => self.seen.entry || (self.seen.queued && !talk.is_online()),
            Awaited::Moved(from) => {
                self.seen.recovery && online_node(talk).is_some_and(|node| from.as_ref() != Some(&node))
            }
            Awaited::Countdown => matches!(
                talk.status().state,
                LinkState::Down { attempt, .. } if attempt >= COUNTDOWN_ATTEMPT
            ),
            Awaited::Back => self.seen.recovery && talk.is_online() && talk.undelivered() == 0,
            Awaited::Joined(room) => talk.is_joined(room),
            Awaited::Left(room) => !talk.is_joined(room),
            Awaited::Renamed => self.seen.renamed,
            Awaited::Answer => self.seen.answer,
            Awaited::Nothing => true,
        }
    }

    fn overdue(&self, talk: &Talk) -> ScriptError {
        let what = match &self.awaited {
            Awaited::Start(_) => "being online and in all rooms",
            Awaited::Said(_) => "its entry in the room",
            Awaited::Moved(_) => "another node and what was recovered",
            Awaited::Countdown => "a countdown to the second try",
            Awaited::Back => "being online with an empty outbox and what was recovered",
            Awaited::Joined(_) => "being in the room",
            Awaited::Left(_) => "being out of the room",
            Awaited::Renamed => "the new name",
            Awaited::Answer | Awaited::Nothing => "an answer",
        };
        let state = match &talk.status().state {
            LinkState::Idle => "idle".into(),
            LinkState::Dialling { attempt, target, .. } => format!("try {attempt} to {target}"),
            LinkState::Online { node, .. } => format!("online on {node}"),
            LinkState::Down { reason, attempt, .. } => format!("down before try {attempt} ({reason})"),
        };
        self.error(format!("{what} did not come within {} s; the link is {state}", LINE_MAX.as_secs()))
    }

    fn error(&self, why: String) -> ScriptError {
        let (number, text) = self.current.clone();
        ScriptError { number, text, why }
    }
}

fn online_node(talk: &Talk) -> Option<NodeId> {
    match &talk.status().state {
        LinkState::Online { node, .. } => Some(node.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
