//! Owns the choice between the two looks of a plain session.

use chat_protocol::RoomMessage;
use jiff::tz::TimeZone;

use super::Format;
use super::json::Json;
use super::lines::Lines;
use super::talk::Said;
use crate::net::event::{Moment, NetEvent, Origin};

#[derive(Debug)]
pub(super) enum Look {
    Lines(Lines),
    Json(Json),
}

impl Look {
    pub(super) fn new(format: Format) -> Self {
        match format {
            Format::Lines => Self::Lines(Lines::new(TimeZone::system())),
            Format::Json => Self::Json(Json::default()),
        }
    }

    /// Appends the lines that an event is worth.
    pub(super) fn event(&mut self, now: Moment, event: &NetEvent, said: Option<&Said>, to: &mut String) {
        match self {
            Self::Lines(lines) => {
                lines.event(now, event, said).iter().for_each(|line| append(line, to));
            }
            Self::Json(json) => {
                json.event(now, event, said).iter().for_each(|line| append(line, to));
            }
        }
    }

    /// Appends an entry of a log as it is kept: with its date.
    pub(super) fn logged(&mut self, message: &RoomMessage, to: &mut String) {
        match self {
            Self::Lines(lines) => append(&lines.dated(message), to),
            Self::Json(json) => {
                let entry = NetEvent::Entry { message: message.clone(), out: None, origin: Origin::Live };
                json.event(Moment::ZERO, &entry, None).iter().for_each(|line| append(line, to));
            }
        }
    }

    /// Appends something for whoever wrote the input.
    pub(super) fn notice(&self, text: &str, to: &mut String) {
        match self {
            Self::Lines(_) => append(text, to),
            Self::Json(_) => append(&Json::notice(text), to),
        }
    }

    /// Appends what is wrong with a line of input.
    pub(super) fn refusal(&self, reason: &str, to: &mut String) {
        match self {
            Self::Lines(_) => append(&format!("-- {reason}"), to),
            Self::Json(_) => append(&Json::refusal(reason), to),
        }
    }
}

fn append(line: &str, to: &mut String) {
    to.push_str(line);
    to.push('\n');
}
