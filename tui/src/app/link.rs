//! Owns what the front knows of the link: its newest status, a log of what it did, the round trips of the last
//! minutes, the nodes. All figures are the network's; this file counts nothing but time.

use std::collections::VecDeque;
use std::time::Duration;

use chat_protocol::NodeInfo;
use jiff::civil::DateTime;

use crate::net::event::{LinkState, LinkStatus, Moment, Recovery};

/// How long the status line says what a failover cost.
pub(crate) const RESUMED_SHOWN: Duration = Duration::from_secs(10);
/// How long the status line says what is gone for good.
pub(crate) const LOSS_SHOWN: Duration = Duration::from_secs(30);
/// How often a countdown moves.
const COUNTDOWN_STEP: Duration = Duration::from_millis(100);
/// How often `up` moves.
const UPTIME_STEP: Duration = Duration::from_secs(60);
/// Lines the link's log keeps.
const NOTES_MAX: usize = 200;
/// Round trips the graph keeps.
const SAMPLES_MAX: usize = 120;

/// What the front knows of the link.
#[derive(Debug, Default)]
pub(crate) struct Link {
    pub(crate) status: LinkStatus,
    pub(crate) notes: VecDeque<Note>,
    /// Newest last; none where the link was down.
    pub(crate) samples: VecDeque<Option<Duration>>,
    pub(crate) nodes: Vec<NodeInfo>,
    /// What is gone for good, and when we learned it.
    pub(crate) loss: Option<(Moment, String)>,
}

/// A line of the link's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) at: DateTime,
    pub(crate) sign: Sign,
    pub(crate) text: String,
}

/// What a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Up,
    Lost,
    Trying,
    /// Goes on from the line above.
    More,
}

impl Link {
    /// Takes a new status and logs what changed; returns a failover or move that is complete now.
    pub(crate) fn take(&mut self, status: LinkStatus, at: DateTime) -> Option<Recovery> {
        self.log_cut_off(&status, at);
        self.log_change(&status, at);
        self.sample(&status);
        let fresh = status.recovery.as_ref().map(|r| r.at) != self.status.recovery.as_ref().map(|r| r.at);
        let recovery = status.recovery.clone().filter(|_| fresh);
        if let Some(recovery) = &recovery {
            let counted = recovery.counted;
            if recovery.planned {
                self.note(at, Sign::More, format!("moved {}", super::text::seconds(recovery.took)));
            }
            let text = format!("+{} -{} dup {}", counted.recovered, counted.lost, counted.dup);
            self.note(at, Sign::More, text);
        }
        self.status = status;
        recovery
    }

    /// The server cannot reach the others, or can again; a server that is gone does neither.
    fn log_cut_off(&mut self, status: &LinkStatus, at: DateTime) {
        let LinkState::Online { node, .. } = &status.state else { return };
        let (sign, text) = match (self.status.cut_off, status.cut_off) {
            (None, Some(_)) => (Sign::Lost, "cut off"),
            (Some(_), None) => (Sign::Up, "has others"),
            _ => return,
        };
        self.note(at, sign, node.to_string());
        self.note(at, Sign::More, text.to_owned());
    }

    fn log_change(&mut self, status: &LinkStatus, at: DateTime) {
        let was = std::mem::take(&mut self.status.state);
        let lost_node = match &was {
            LinkState::Online { node, .. } => Some(node.clone()),
            _ => None,
        };
        match (&was, &status.state) {
            (LinkState::Online { node: a, since: s, .. }, LinkState::Online { node: b, since: t, .. })
                if a == b && s == t => {}
            (_, LinkState::Online { node, transport, .. }) => {
                self.note(at, Sign::Up, format!("{node} {transport}"));
            }
            (LinkState::Down { since: s, attempt: a, .. }, LinkState::Down { since: t, attempt: b, .. })
                if s == t && a == b => {}
            (_, LinkState::Down { reason, attempt, .. }) => {
                let reason = super::text::clean_line(reason);
                match lost_node {
                    Some(node) => {
                        self.note(at, Sign::Lost, node.to_string());
                        self.note(at, Sign::More, reason);
                    }
                    None => {
                        self.note(at, Sign::Trying, format!("{} {reason}", attempt.saturating_sub(1)));
                    }
                }
            }
            (_, LinkState::Dialling { .. }) if lost_node.is_some() => {
                let node = lost_node.map(|node| node.to_string()).unwrap_or_default();
                self.note(at, Sign::Lost, format!("{node} lost"));
            }
            (_, LinkState::Dialling { .. } | LinkState::Idle) => {}
        }
    }

    fn sample(&mut self, status: &LinkStatus) {
        let online = matches!(status.state, LinkState::Online { .. });
        if online && status.rtt != self.status.rtt && status.rtt.is_some() {
            self.samples.push_back(status.rtt);
        } else if !online && !self.samples.is_empty() {
            // Each try that fails is a gap as wide as an answer.
            self.samples.push_back(None);
        }
        while self.samples.len() > SAMPLES_MAX {
            self.samples.pop_front();
        }
    }

    fn note(&mut self, at: DateTime, sign: Sign, text: String) {
        self.notes.push_back(Note { at, sign, text });
        while self.notes.len() > NOTES_MAX {
            self.notes.pop_front();
        }
    }

    /// The failover the status line still speaks of.
    pub(crate) fn resumed(&self, now: Moment) -> Option<&Recovery> {
        self.status.recovery.as_ref().filter(|recovery| now < recovery.at + RESUMED_SHOWN)
    }

    /// The loss the status line still speaks of.
    pub(crate) fn lost(&self, now: Moment) -> Option<&str> {
        self.loss.as_ref().filter(|(at, _)| now < *at + LOSS_SHOWN).map(|(_, text)| text.as_str())
    }

    /// When the status line has something new to say without anything happening.
    pub(crate) fn next_change(&self, now: Moment) -> Option<Moment> {
        let counting = match &self.status.state {
            LinkState::Down { .. } | LinkState::Online { suspect: true, .. } => Some(now + COUNTDOWN_STEP),
            LinkState::Dialling { down_since: Some(_), .. } => Some(now + Duration::from_secs(1)),
            LinkState::Online { since, .. } => {
                let minutes = now.saturating_sub(*since).as_secs() / UPTIME_STEP.as_secs() + 1;
                Some(*since + UPTIME_STEP * u32::try_from(minutes).unwrap_or(u32::MAX))
            }
            LinkState::Idle | LinkState::Dialling { down_since: None, .. } => None,
        };
        let cut_off = self.status.cut_off.map(|since| {
            let whole = now.saturating_sub(since).as_secs();
            since + Duration::from_secs(whole + 1)
        });
        let resumed = self.resumed(now).map(|recovery| recovery.at + RESUMED_SHOWN);
        let lost = self.loss.as_ref().map(|(at, _)| *at + LOSS_SHOWN).filter(|end| *end > now);
        [counting, cut_off, resumed, lost].into_iter().flatten().min()
    }
}
