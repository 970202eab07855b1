//! Owns how a plain session looks to people: one line an entry, notices behind `--`. All remote text loses
//! what could move a cursor or forge a line.

use std::collections::BTreeSet;
use std::time::Duration;

use chat_protocol::text::{sanitize, sanitize_line};
use chat_protocol::{Kind, NodeId, NodeInfo, Presence, Quote, RoomMessage, RoomName, ServerMessage, User};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::talk::Said;
use crate::net::event::{LinkState, LinkStatus, Moment, NetEvent, OutState, Recovery};

/// Stands before the second and later lines of an entry, so that none can pass for an entry of its own.
const CONTINUED: &str = "      | ";

#[derive(Debug)]
pub(super) struct Lines {
    zone: TimeZone,
    link: Shown,
    /// When the recovery that was told last was complete.
    recovered_at: Option<Moment>,
    /// The losses that were told.
    lost: u64,
    /// The node that cannot reach the others, and since when.
    cut_off: Option<(NodeId, Moment)>,
    name: Option<String>,
    rooms: BTreeSet<RoomName>,
}

/// Letters shown of what a reply is to.
const QUOTE_SHOWN: usize = 40;

/// ` (to alice: the beginning of her message)`
fn quote_words(quote: &Quote) -> String {
    let (sender, text) = (sanitize_line(&quote.sender), sanitize_line(&quote.text));
    let shown: String = text.chars().take(QUOTE_SHOWN).collect();
    let more = if shown.len() < text.len() { "..." } else { "" };
    format!(" (to {sender}: {shown}{more})")
}

/// The link as it was told last; figures change more often than a line is worth.
#[derive(Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    Dialling,
    Down(u32),
    Online(NodeId),
    Suspect(NodeId),
}

impl Lines {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            link: Shown::Nothing,
            recovered_at: None,
            lost: 0,
            cut_off: None,
            name: None,
            rooms: BTreeSet::new(),
        }
    }

    /// The lines that an event is worth. `said` is what was written here, where the event is about that.
    pub(super) fn event(&mut self, now: Moment, event: &NetEvent, said: Option<&Said>) -> Vec<String> {
        match event {
            NetEvent::Link(status) => self.link(now, status),
            NetEvent::Welcome { name, name_wanted, .. } => self.welcome(name, name_wanted.as_deref()),
            // By the next line it would be over, or is of no interest here.
            NetEvent::Own { .. } | NetEvent::Read { .. } => Vec::new(),
            NetEvent::Direct { room, with, .. } => {
                vec![format!("-- [{room}] is your conversation with {}", sanitize_line(&with.username))]
            }
            NetEvent::Ignored(users) => {
                let names: Vec<_> = users.iter().map(|user| sanitize_line(&user.username)).collect();
                vec![format!(
                    "-- ignored: {}",
                    if names.is_empty() { "nobody".into() } else { names.join(", ") }
                )]
            }
            NetEvent::Away(Some(text)) => vec![format!("-- you are away: {}", sanitize_line(text))],
            NetEvent::Away(None) => Vec::new(),
            NetEvent::Joined { room, count, topic, .. } if self.rooms.insert(room.clone()) => {
                let topic =
                    if topic.is_empty() { String::new() } else { format!(": {}", sanitize_line(topic)) };
                vec![format!("-- [{room}] joined: {}{topic}", counted(*count, "user"))]
            }
            NetEvent::Joined { .. } => Vec::new(),
            NetEvent::Left(room) => {
                self.rooms.remove(room);
                vec![format!("-- [{room}] left")]
            }
            // By the next line it would be over.
            NetEvent::Typing { .. } => Vec::new(),
            NetEvent::Presence(presence) => presence_lines(presence),
            NetEvent::Renamed { name, was, .. } => {
                let was = was.as_deref().map_or("somebody".into(), sanitize_line);
                vec![format!("-- {was} is now {}", sanitize_line(name))]
            }
            NetEvent::Entry { message, .. } => vec![self.entry(message)],
            NetEvent::Out { state, .. } => said.and_then(|said| out_line(state, said)).into_iter().collect(),
            NetEvent::Rewound { room, to } => {
                vec![format!(
                    "-- [{room}] what stands above message {to} is withdrawn: the history that won follows"
                )]
            }
            NetEvent::Reset { room, lost_from, lost_to, reason, .. } => {
                let to = lost_to.map_or("the end".into(), |to| to.to_string());
                vec![format!("-- [{room}] messages {lost_from} to {to} are gone ({})", sanitize_line(reason))]
            }
            NetEvent::History { messages, .. } => {
                messages.iter().map(|message| self.entry(message)).collect()
            }
            NetEvent::Looked { messages, .. } => messages.iter().map(|message| self.dated(message)).collect(),
            NetEvent::Answer(ServerMessage::Search { messages, more, .. }) => self.found(messages, *more),
            NetEvent::Answer(answer) => answer_lines(answer),
            NetEvent::Trouble { room, text, .. } => {
                let place = room.as_ref().map(|room| format!("[{room}] ")).unwrap_or_default();
                vec![format!("-- {place}error: {}", sanitize_line(text))]
            }
        }
    }

    fn entry(&self, message: &RoomMessage) -> String {
        let (room, body) = (&message.room, &message.body);
        let (time, sender) = (self.time(&body.timestamp), sanitize_line(&body.sender));
        let content = sanitize(&body.content).replace('\n', &format!("\n{CONTINUED}"));
        let quote = body.quote.as_ref().map(quote_words).unwrap_or_default();
        match body.kind {
            Some(Kind::Action) => format!("{time} [{room}] * {sender}{quote} {content}"),
            Some(Kind::Edit) => format!("{time} [{room}] {sender} (edited): {content}"),
            Some(Kind::Delete) => format!("{time} [{room}] * {sender} deleted a message"),
            Some(Kind::Topic) if content.is_empty() => {
                format!("{time} [{room}] * {sender} cleared the topic")
            }
            Some(Kind::Topic) => {
                format!("{time} [{room}] * {sender} set the topic: {}", sanitize_line(&body.content))
            }
            Some(Kind::Notice) => format!("{time} [{room}] ! {content}"),
            _ => format!("{time} [{room}] {sender}{quote}: {content}"),
        }
    }

    /// What was found came with the newest first; below it stands what is typed next.
    fn found(&self, messages: &[RoomMessage], more: bool) -> Vec<String> {
        let goes_on = if more { "; /search goes on" } else { "" };
        if messages.is_empty() {
            return vec![format!("-- nothing found{goes_on}")];
        }
        let head = format!("-- found {}, the newest last{goes_on}", messages.len());
        let numbered = messages.iter().enumerate().rev();
        let lines = numbered.map(|(index, message)| format!("{:>3} {}", index + 1, self.dated(message)));
        std::iter::once(head).chain(lines).collect()
    }

    /// An entry with its date.
    pub(super) fn dated(&self, message: &RoomMessage) -> String {
        let date = message.body.timestamp.parse::<Timestamp>().map_or("----------".into(), |timestamp| {
            timestamp.to_zoned(self.zone.clone()).strftime("%Y-%m-%d").to_string()
        });
        format!("{date} {}", self.entry(message))
    }

    fn time(&self, timestamp: &str) -> String {
        timestamp.parse::<Timestamp>().map_or("--:--".into(), |timestamp| {
            timestamp.to_zoned(self.zone.clone()).strftime("%H:%M").to_string()
        })
    }

    fn welcome(&mut self, name: &str, wanted: Option<&str>) -> Vec<String> {
        if self.name.as_deref() == Some(name) {
            return Vec::new();
        }
        self.name = Some(name.to_owned());
        let taken = wanted.map(|wanted| format!(" ({} is taken)", sanitize_line(wanted))).unwrap_or_default();
        vec![format!("-- you are {}{taken}", sanitize_line(name))]
    }

    fn link(&mut self, now: Moment, status: &LinkStatus) -> Vec<String> {
        let mut lines = Vec::new();
        let shown = shown(&status.state).filter(|shown| *shown != self.link);
        if let Some(shown) = shown {
            lines.extend(link_line(now, &self.link, &status.state));
            self.link = shown;
        }
        if let Some(recovery) = status.recovery.as_ref().filter(|new| self.recovered_at != Some(new.at)) {
            self.recovered_at = Some(recovery.at);
            lines.push(recovery_line(recovery));
            self.lost = status.totals.lost;
        }
        if status.totals.lost > self.lost {
            lines.push(format!("-- {} lost on the way", status.totals.lost - self.lost));
            self.lost = status.totals.lost;
        }
        lines.extend(self.cut_off(now, status));
        lines
    }

    /// When it begins and when it ends; a link that is lost meanwhile is told as that.
    fn cut_off(&mut self, now: Moment, status: &LinkStatus) -> Option<String> {
        let LinkState::Online { node, .. } = &status.state else {
            self.cut_off = None;
            return None;
        };
        let since = status.cut_off.map(|since| (node.clone(), since));
        let was = std::mem::replace(&mut self.cut_off, since);
        match (was, &self.cut_off) {
            (None, Some(_)) => Some(format!("-- {node} cannot reach the others: messages wait")),
            (Some((_, since)), None) => {
                let lasted = seconds(now.saturating_sub(since));
                Some(format!("-- {node} reaches the others again ({lasted} s)"))
            }
            _ => None,
        }
    }
}

/// None for what is not worth a line of its own: each step of each try.
fn shown(state: &LinkState) -> Option<Shown> {
    match state {
        LinkState::Idle => None,
        LinkState::Dialling { down_since: Some(_), .. } => None,
        LinkState::Dialling { attempt, .. } => (*attempt == 1).then_some(Shown::Dialling),
        LinkState::Down { attempt, .. } => Some(Shown::Down(*attempt)),
        LinkState::Online { node, suspect: false, .. } => Some(Shown::Online(node.clone())),
        LinkState::Online { node, suspect: true, .. } => Some(Shown::Suspect(node.clone())),
    }
}

fn link_line(now: Moment, before: &Shown, state: &LinkState) -> Option<String> {
    match state {
        LinkState::Idle => None,
        LinkState::Dialling { target, .. } => {
            (*before == Shown::Nothing).then(|| format!("-- connecting to {}", sanitize_line(target)))
        }
        LinkState::Down { reason, attempt, retry_at, .. } => {
            let wait = seconds(retry_at.saturating_sub(now));
            Some(format!("-- connecting… try {attempt} in {wait}s ({})", sanitize_line(reason)))
        }
        LinkState::Online { node, suspect: true, .. } => Some(format!("-- {node} is silent")),
        LinkState::Online { node, .. } if *before == Shown::Suspect(node.clone()) => {
            Some(format!("-- {node} answers again"))
        }
        LinkState::Online { node, transport, .. } => Some(format!("-- connected to {node} ({transport})")),
    }
}

fn recovery_line(recovery: &Recovery) -> String {
    let Recovery { from, to, took, planned, counted, .. } = recovery;
    let (recovered, lost, dup) = (counted.recovered, counted.lost, counted.dup);
    let moved = if *planned { "moved " } else { "" };
    format!("-- {moved}{from} → {to}: {recovered} recovered, {lost} lost, {dup} dup ({} s)", seconds(*took))
}

fn out_line(state: &OutState, said: &Said) -> Option<String> {
    let text = sanitize_line(&said.content);
    match state {
        OutState::Queued => (!said.was_queued).then(|| format!("-- queued: {text}")),
        OutState::Sent => None,
        OutState::Acked => said.was_queued.then(|| format!("-- delivered: {text}")),
        OutState::Failed(reason) => Some(format!("-- not delivered: {text} ({})", sanitize_line(reason))),
    }
}

fn presence_lines(presence: &Presence) -> Vec<String> {
    let Presence { room, joined, left, moved, .. } = presence;
    let joined = joined.iter().map(|user| format!("-- [{room}] {} came", user_text(user)));
    let left = left.iter().map(|user| format!("-- [{room}] {} left", sanitize_line(&user.username)));
    let moved = moved.iter().map(|moved| {
        let name = sanitize_line(&moved.user.username);
        format!("-- [{room}] {name} moved: {} → {}", moved.from, moved.user.node)
    });
    joined.chain(left).chain(moved).collect()
}

fn answer_lines(answer: &ServerMessage) -> Vec<String> {
    let (mut lines, more) = match answer {
        ServerMessage::Who { room, users, count, more, .. } => {
            let names: Vec<String> = users.iter().map(user_text).collect();
            (vec![format!("-- [{room}] {}: {}", counted(*count, "user"), names.join(", "))], *more)
        }
        ServerMessage::Rooms { rooms, more, .. } => {
            let line = |room: &chat_protocol::RoomInfo| {
                format!("-- {}: {} {}", room.room, counted(room.count, "user"), sanitize_line(&room.topic))
                    .trim_end()
                    .to_owned()
            };
            (rooms.iter().map(line).collect(), *more)
        }
        ServerMessage::Nodes { nodes, .. } => (nodes.iter().map(node_line).collect(), false),
        _ => (Vec::new(), false),
    };
    if more {
        lines.push("-- and more".into());
    }
    lines
}

fn node_line(node: &NodeInfo) -> String {
    let marks = [(node.draining, ", draining"), (node.you, ", you are here")];
    let marks: String = marks.iter().filter(|mark| mark.0).map(|mark| mark.1).collect();
    format!(
        "-- {}: {}, {}, up {} s{marks}",
        node.node,
        counted(node.connections, "connection"),
        counted(node.rooms, "room"),
        node.uptime_s
    )
}

fn user_text(user: &User) -> String {
    let away =
        user.away.as_deref().map(|away| format!(", away: {}", sanitize_line(away))).unwrap_or_default();
    format!("{} ({}{away})", sanitize_line(&user.username), user.node)
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn seconds(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64())
}

#[cfg(test)]
mod tests;
