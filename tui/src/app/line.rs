//! Owns one line of a room's backlog: a message, a notice or a failover, its text already safe to draw, and the
//! cached rows of its last width. Knows neither its neighbours nor the screen.

use std::cell::{Ref, RefCell};

use chat_protocol::{Seq, UserId};
use jiff::civil::DateTime;

use super::text::{self, Row};
use crate::net::event::{Moment, OutId};

/// Names a line in its room; grows downwards on the screen, negative for older pages loaded later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LineId(pub(crate) i64);

/// One line of a backlog.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) id: LineId,
    /// Its place in the log's present life; none for what is not in the log.
    pub(crate) seq: Option<Seq>,
    /// Local time.
    pub(crate) at: DateTime,
    pub(crate) said: Said,
    text: Box<str>,
    /// One wrap, of the width drawn last: a resize is rare, a frame is not. Lines never shown have none.
    wrapped: RefCell<Option<(u16, Box<[Row]>)>>,
}

/// What kind of line it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// Somebody spoke.
    Message(Speech),
    /// The program or the server says something.
    Notice,
    /// Something went wrong.
    Trouble,
    /// The link moved to another node.
    Failover,
}

/// Who spoke, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Speech {
    pub(crate) author: Option<UserId>,
    pub(crate) name: Box<str>,
    pub(crate) action: bool,
    /// It names us.
    pub(crate) mention: bool,
    /// Ours, written in this process.
    pub(crate) out: Option<OutId>,
    pub(crate) mark: Mark,
}

/// What became of a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Not ours, or long done.
    None,
    /// In the outbox.
    Queued,
    /// On its way.
    Sent,
    /// In the log since then.
    Acked(Moment),
    /// Never arrives, and why.
    Failed(Box<str>),
}

impl Line {
    /// A line whose `text` is safe to draw already.
    pub(crate) fn new(id: LineId, seq: Option<Seq>, at: DateTime, said: Said, text: String) -> Self {
        Self { id, seq, at, said, text: text.into(), wrapped: RefCell::new(None) }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The speech, where it is one.
    pub(crate) fn speech(&self) -> Option<&Speech> {
        match &self.said {
            Said::Message(speech) => Some(speech),
            Said::Notice | Said::Trouble | Said::Failover => None,
        }
    }

    pub(crate) fn speech_mut(&mut self) -> Option<&mut Speech> {
        match &mut self.said {
            Said::Message(speech) => Some(speech),
            Said::Notice | Said::Trouble | Said::Failover => None,
        }
    }

    /// Its rows at a width, in bytes of [`Line::text`]; wrapped once a width.
    pub(crate) fn rows(&self, cells: u16) -> Ref<'_, [Row]> {
        let fresh = matches!(&*self.wrapped.borrow(), Some((width, _)) if *width == cells);
        if !fresh {
            let rows = text::wrap(&self.text, usize::from(cells)).into_boxed_slice();
            *self.wrapped.borrow_mut() = Some((cells, rows));
        }
        Ref::map(self.wrapped.borrow(), |wrapped| wrapped.as_ref().map_or(&[][..], |(_, rows)| rows))
    }
}
