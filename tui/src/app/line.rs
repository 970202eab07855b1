//! Owns one line of a room's backlog: a message, a notice or a failover, its text already safe to draw, and the
//! cached rows of its last width. Knows neither its neighbours nor the screen.

use std::cell::{Ref, RefCell};

use chat_protocol::{MessageId, Seq, UserId};
use jiff::civil::DateTime;

use super::changes::Became;
use super::layout::Layout;
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
    /// How it stands at the width drawn last: a resize is rare, a frame is not. Lines never shown have none.
    layout: RefCell<Option<Layout>>,
}

/// Stands behind a message that was edited.
pub(crate) const EDITED: &str = " (edited)";
/// Stands in the place of one that was deleted.
const DELETED: &str = "message deleted";

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
    /// Its identity in the log; none for what is not there.
    pub(crate) id: Option<MessageId>,
    /// What it replies to.
    pub(crate) quote: Option<Box<Quoted>>,
    /// What it was before it was changed.
    pub(crate) changed: Option<Box<Changed>>,
    /// A change of it that is on its way.
    pub(crate) changing: Option<OutId>,
}

/// The beginning of another message, safe to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quoted {
    pub(crate) id: MessageId,
    pub(crate) author: UserId,
    /// `alice: first line`
    pub(crate) text: Box<str>,
}

/// A message as it was said, where it reads otherwise by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Changed {
    text: Box<str>,
    mention: bool,
    deleted: bool,
}

impl Speech {
    /// Somebody's words, of which nothing else is known.
    pub(crate) fn new(author: Option<UserId>, name: &str) -> Self {
        Self {
            author,
            name: name.into(),
            action: false,
            mention: false,
            out: None,
            mark: Mark::None,
            id: None,
            quote: None,
            changed: None,
            changing: None,
        }
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.changed.as_ref().is_some_and(|changed| changed.deleted)
    }

    pub(crate) fn is_edited(&self) -> bool {
        self.changed.as_ref().is_some_and(|changed| !changed.deleted)
    }
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
        Self { id, seq, at, said, text: text.into(), layout: RefCell::new(None) }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What was said, without what this program has put behind it.
    pub(crate) fn words(&self) -> &str {
        let is_edited = self.speech().is_some_and(Speech::is_edited);
        let cut = self.text.len() - if is_edited { EDITED.len() } else { 0 };
        &self.text[..cut]
    }

    /// Shows a message as it is by now; none: as it was said.
    pub(crate) fn become_now(&mut self, became: Option<&Became>) {
        let Said::Message(speech) = &mut self.said else { return };
        let said = speech.changed.take();
        if said.is_none() && became.is_none() {
            return;
        }
        let (text, mention) = match said {
            Some(said) => (said.text, said.mention),
            None => (std::mem::take(&mut self.text), speech.mention),
        };
        (self.text, speech.mention) = match became {
            None => (text.clone(), mention),
            Some(Became::Edited { text, mention }) => (format!("{text}{EDITED}").into(), *mention),
            Some(Became::Deleted) => (DELETED.into(), false),
        };
        let deleted = became == Some(&Became::Deleted);
        speech.changed = became.map(|_| Box::new(Changed { text, mention, deleted }));
        self.layout.take();
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

    #[cfg(test)]
    pub(crate) fn is_laid_out(&self) -> bool {
        self.layout.borrow().is_some()
    }

    /// How it stands in so many cells; laid out once a width.
    pub(crate) fn layout(&self, cells: u16) -> Ref<'_, Layout> {
        let fresh = self.layout.borrow().as_ref().filter(|layout| layout.cells() == cells).is_some();
        if !fresh {
            let layout = Layout::of(self, cells);
            *self.layout.borrow_mut() = Some(layout);
        }
        Ref::map(self.layout.borrow(), |layout| layout.as_ref().expect("it was laid out above"))
    }
}
