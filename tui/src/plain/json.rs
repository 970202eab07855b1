//! Owns how a plain session looks to programs: one JSON object a line. What came from a server keeps the
//! form of docs/protocol.md; what only the client knows has a type of its own (`link`, `out`). All remote
//! text loses what could move a cursor, as these lines may end on a terminal too.

use chat_protocol::{ServerMessage, text};
use serde_json::{Map, Value, json};

use super::talk::Said;
use crate::net::event::{LinkState, LinkStatus, Moment, NetEvent, OutId, OutState, Recovery, Totals};

#[derive(Debug, Default)]
pub(super) struct Json {
    /// The link as it was told last, without the figures that change all the time.
    link: Option<Value>,
}

impl Json {
    /// The line an event is worth, if any. `said` is what was written here, where the event is about that.
    pub(super) fn event(&mut self, now: Moment, event: &NetEvent, said: Option<&Said>) -> Option<String> {
        let mut value = match event {
            NetEvent::Link(status) => self.link(now, status)?,
            NetEvent::Out { out, room, state } => {
                let re = said.and_then(|said| said.re.as_ref());
                with(json!({"type": "out", "room": room, "re": re}), out_value(*out, state))
            }
            event => server_side(event)?,
        };
        sanitize(&mut value);
        Some(value.to_string())
    }

    /// A line of input that makes no sense.
    pub(super) fn refusal(reason: &str) -> String {
        json!({"type": "error", "code": "bad_json", "message": reason}).to_string()
    }

    /// Something said to whoever wrote the input.
    pub(super) fn notice(text: &str) -> String {
        json!({"type": "notice", "message": text}).to_string()
    }

    fn link(&mut self, now: Moment, status: &LinkStatus) -> Option<Value> {
        let state = link_state(&status.state);
        let recovery = status.recovery.as_ref().map(|recovery| {
            let Recovery { from, to, took, planned, .. } = recovery;
            let figures = json!({"from": from, "to": to, "took_ms": millis(*took), "planned": planned});
            with(figures, totals(recovery.counted))
        });
        let told = json!({
            "type": "link", "failovers": status.failovers, "moves": status.moves, "recovery": recovery, "cut_off": status.cut_off.is_some(),
        });
        let told = with(told, state);
        if self.link.as_ref() == Some(&told) {
            return None;
        }
        self.link = Some(told.clone());
        let retry_in_ms = match &status.state {
            LinkState::Down { retry_at, .. } => Some(millis(retry_at.saturating_sub(now))),
            _ => None,
        };
        let figures = json!({
            "queued": status.queued, "rtt_ms": status.rtt.map(|rtt| rtt.as_secs_f64() * 1_000.0),
            "retry_in_ms": retry_in_ms, "totals": totals(status.totals),
        });
        Some(with(told, figures))
    }
}

fn link_state(state: &LinkState) -> Value {
    match state {
        LinkState::Idle => json!({"state": "idle"}),
        LinkState::Dialling { attempt, target, step, .. } => {
            let step = format!("{step:?}").to_lowercase();
            json!({"state": "dialling", "attempt": attempt, "target": target, "step": step})
        }
        LinkState::Online { node, transport, suspect, .. } => {
            let state = if *suspect { "suspect" } else { "online" };
            json!({"state": state, "node": node, "transport": transport.to_string()})
        }
        LinkState::Down { reason, attempt, .. } => {
            json!({"state": "down", "attempt": attempt, "reason": reason})
        }
    }
}

fn out_value(out: OutId, state: &OutState) -> Value {
    let (state, reason) = match state {
        OutState::Queued => ("queued", None),
        OutState::Sent => ("sent", None),
        OutState::Acked => ("acked", None),
        OutState::Failed(reason) => ("failed", Some(reason)),
    };
    json!({"out": out.0, "state": state, "reason": reason})
}

/// What a server said, in its own form as far as the network passes it on.
fn server_side(event: &NetEvent) -> Option<Value> {
    Some(match event {
        NetEvent::Link(_) | NetEvent::Out { .. } => return None,
        NetEvent::Entry { message, .. } => wire(&ServerMessage::Message(message.clone())),
        NetEvent::Presence(presence) => wire(&ServerMessage::Presence(presence.clone())),
        NetEvent::Answer(answer) => wire(answer),
        NetEvent::Welcome { user_id, name, name_wanted } => {
            json!({"type": "welcome", "user_id": user_id, "name": name, "name_wanted": name_wanted})
        }
        NetEvent::Joined { room, users, count, head, topic, .. } => {
            let topic = Some(topic).filter(|topic| !topic.is_empty());
            json!({"type": "room_users", "room": room, "users": users, "count": count, "seq": head, "topic": topic})
        }
        NetEvent::Typing { room, user_id, name } => {
            json!({"type": "typing", "room": room, "userId": user_id, "username": name})
        }
        NetEvent::Own { away, ignored, rooms } => {
            json!({"type": "own", "away": away, "ignored": ignored, "rooms": rooms})
        }
        NetEvent::Direct { room, with, .. } => json!({"type": "direct", "room": room, "with": with}),
        NetEvent::Read { room, seq } => json!({"type": "read", "room": room, "seq": seq}),
        NetEvent::Ignored(users) => json!({"type": "ignored", "users": users}),
        NetEvent::Away(away) => json!({"type": "away", "text": away}),
        NetEvent::Left(room) => json!({"type": "left", "room": room}),
        NetEvent::Renamed { user_id, name, was } => {
            json!({"type": "user_changed", "userId": user_id, "username": name, "was": was})
        }
        NetEvent::Rewound { room, to } => json!({"type": "rewind", "room": room, "to": to}),
        NetEvent::Reset { room, lost_from, lost_to, reason, .. } => {
            json!({"type": "reset", "room": room, "reason": reason, "lost_from": lost_from, "lost_to": lost_to})
        }
        NetEvent::History { room, messages, more } => {
            json!({"type": "history", "room": room, "messages": messages, "more": more})
        }
        NetEvent::Looked { room, epoch, messages, more, .. } => {
            json!({"type": "history", "room": room, "epoch": epoch, "messages": messages, "more": more})
        }
        NetEvent::Trouble { room, code, text } => {
            json!({"type": "error", "room": room, "code": code, "message": text})
        }
    })
}

fn wire(message: &ServerMessage) -> Value {
    serde_json::to_value(message).expect("messages serialize")
}

fn totals(totals: Totals) -> Value {
    json!({"recovered": totals.recovered, "lost": totals.lost, "dup": totals.dup})
}

fn millis(duration: Moment) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Two objects as one; fields without a value are left out, as on the wire.
fn with(first: Value, second: Value) -> Value {
    let mut fields = Map::new();
    for value in [first, second] {
        if let Value::Object(object) = value {
            fields.extend(object.into_iter().filter(|(_, value)| !value.is_null()));
        }
    }
    Value::Object(fields)
}

fn sanitize(value: &mut Value) {
    match value {
        Value::String(string) => {
            if let std::borrow::Cow::Owned(clean) = text::sanitize(string) {
                *string = clean;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(sanitize),
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(sanitize);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
