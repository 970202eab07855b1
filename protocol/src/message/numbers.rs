//! Owns the check of every number a client counts with: none above what all readers of JSON hold exactly.
//! What the numbers mean is not known here.

use super::client::{Acked, ClientMessage, Hello, Outgoing};
use crate::error::{DecodeError, ErrorCode};
use crate::id::Seq;
use crate::limits;

impl ClientMessage {
    /// Checks every `n`, `generation` and `seq` against [`limits::NUMBER_MAX`].
    pub(crate) fn check_numbers(&self) -> Result<(), DecodeError> {
        match self {
            Self::Hello(hello) => check_hello(hello),
            Self::Message(message) => check_message(message),
            Self::Edit { seq, n, acked, .. } | Self::Delete { seq, n, acked, .. } => {
                place("seq", Some(*seq))?;
                number("n", Some(*n))?;
                check_acked(*acked)
            }
            Self::History { before, after, around, .. } => {
                place("before", *before)?;
                place("after", *after)?;
                place("around", *around)
            }
            Self::Search { before, from, .. } => {
                place("before", *before)?;
                place("from.before", from.as_ref().map(|from| from.before))
            }
            Self::Read { seq, .. } => place("seq", Some(*seq)),
            Self::Todo { n, .. } => number("n", Some(*n)),
            Self::Auth { .. } | Self::Join { .. } | Self::Leave { .. } | Self::Direct { .. } => Ok(()),
            Self::Rename { .. } | Self::Away { .. } | Self::Topic { .. } | Self::Rooms { .. } => Ok(()),
            Self::Who { .. } | Self::Nodes {} | Self::Typing { .. } | Self::Invite { .. } => Ok(()),
            Self::Kick { .. } | Self::Ban { .. } | Self::Mute { .. } | Self::Ignore { .. } => Ok(()),
            // Nobody counts with these: they are given back as they came.
            Self::Ping { .. } | Self::Pong { .. } => Ok(()),
        }
    }
}

fn check_hello(hello: &Hello) -> Result<(), DecodeError> {
    number("generation", hello.generation)?;
    hello.resume.iter().try_for_each(|entry| place("resume.seq", Some(entry.seq)))
}

fn check_message(message: &Outgoing) -> Result<(), DecodeError> {
    number("n", message.n)?;
    place("reply", message.reply)?;
    check_acked(message.acked)
}

fn check_acked(acked: Option<Acked>) -> Result<(), DecodeError> {
    let Some(Acked { n, seq, .. }) = acked else { return Ok(()) };
    number("acked.n", Some(n))?;
    place("acked.seq", Some(seq))
}

fn place(field: &str, seq: Option<Seq>) -> Result<(), DecodeError> {
    number(field, seq.map(|seq| seq.0))
}

fn number(field: &str, value: Option<u64>) -> Result<(), DecodeError> {
    if value.is_none_or(|value| value <= limits::NUMBER_MAX) {
        return Ok(());
    }
    let reason = format!("{field} must be at most {}", limits::NUMBER_MAX);
    Err(DecodeError::new(ErrorCode::BadJson, reason))
}
