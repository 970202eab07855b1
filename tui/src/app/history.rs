//! Owns a room's backlog: its lines in order, the messages of ours that are not in the log yet, where the reader
//! is, and where the news begin. Lines come in order and each once: the network saw to that.

use std::collections::VecDeque;

use chat_protocol::{MessageId, Seq, UserId};
use jiff::civil::DateTime;

use super::changes::{Became, Change, Changes};
use super::line::{Line, LineId, Mark, Said, Speech};
use crate::net::event::{Moment, OutId};

/// Most lines a room keeps.
pub(crate) const LINES_MAX: usize = 10_000;
/// Ids of pending lines begin here, below every line of the log on the screen.
const PENDING_IDS: i64 = i64::MAX / 2;

/// A room's backlog.
#[derive(Debug, Default)]
pub(crate) struct History {
    lines: VecDeque<Line>,
    /// Ours, not in the log yet: drawn below everything else.
    pending: Vec<Line>,
    /// What became of them, and of messages that are not here yet.
    changes: Changes,
    next_id: i64,
    /// The lowest row on the screen; none: it follows the newest.
    pub(crate) anchor: Option<Anchor>,
    /// The first line that came while the reader was elsewhere in the backlog.
    unseen_from: Option<LineId>,
    /// Where the news begin, and how many there are.
    pub(crate) news: Option<News>,
    /// The server has older entries.
    pub(crate) more: bool,
    /// A page was asked for.
    pub(crate) loading: bool,
    /// A first page came, or there is none.
    pub(crate) begun: bool,
    /// The oldest place at hand in the log's present life.
    pub(crate) oldest: Option<Seq>,
}

/// A place in the backlog that stays put while lines come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Anchor {
    pub(crate) line: LineId,
    /// Rows of that line which are below the screen.
    pub(crate) cut: usize,
}

/// What others have said behind a place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) from: Option<LineId>,
    pub(crate) messages: usize,
    pub(crate) mentions: usize,
}

/// The line above the first unread message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) from: LineId,
    pub(crate) count: usize,
}

impl History {
    /// All lines there are to draw, pending ones included.
    pub(crate) fn len(&self) -> usize {
        self.lines.len() + self.pending.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The line at an index counted from the oldest.
    pub(crate) fn line(&self, index: usize) -> Option<&Line> {
        self.lines.get(index).or_else(|| self.pending.get(index - self.lines.len()))
    }

    /// A line that is still here.
    pub(crate) fn line_of(&self, id: LineId) -> Option<&Line> {
        self.line(self.index_of(id)).filter(|line| line.id == id)
    }

    /// The message of an identity.
    pub(crate) fn line_with(&self, id: &MessageId) -> Option<&Line> {
        let is_it = |line: &&Line| line.speech().is_some_and(|speech| speech.id.as_ref() == Some(id));
        self.lines.iter().rev().find(is_it)
    }

    /// What is in the log or about it, the newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().rev()
    }

    /// The next message that names us, from an index on.
    pub(crate) fn mention_from(&self, index: usize) -> Option<usize> {
        let is_mention = |line: &Line| line.speech().is_some_and(|speech| speech.mention);
        (index..self.lines.len()).find(|index| self.lines.get(*index).is_some_and(is_mention))
    }

    /// The index of a line, or of the one that took its place.
    pub(crate) fn index_of(&self, id: LineId) -> usize {
        let index = if id.0 >= PENDING_IDS {
            self.lines.len() + self.pending.partition_point(|line| line.id < id)
        } else {
            self.lines.partition_point(|line| line.id < id)
        };
        index.min(self.len().saturating_sub(1))
    }

    /// Appends a line of the log or a notice; the oldest goes when there are too many.
    pub(crate) fn push(&mut self, seq: Option<Seq>, at: DateTime, said: Said, text: String) -> LineId {
        let id = LineId(self.next_id);
        self.next_id += 1;
        let mut line = Line::new(id, seq, at, said, text);
        show_as_is(&mut line, &self.changes);
        self.lines.push_back(line);
        self.oldest = self.oldest.or(seq);
        if self.anchor.is_some() && self.unseen_from.is_none() {
            self.unseen_from = Some(id);
        }
        while self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
        id
    }

    /// Puts a page of older entries on top, given oldest first.
    pub(crate) fn prepend(&mut self, page: Vec<Older>) {
        let mut id = self.lines.front().map_or(self.next_id, |line| line.id.0);
        self.next_id = self.next_id.max(id);
        // From the newest on: what became of a message is known before it.
        for Older { seq, what } in page.into_iter().rev() {
            if self.lines.len() >= LINES_MAX || self.oldest.is_some_and(|oldest| seq >= oldest) {
                continue;
            }
            match what {
                OlderEntry::Line(at, said, text) => {
                    id -= 1;
                    let mut line = Line::new(LineId(id), Some(seq), at, said, text);
                    show_as_is(&mut line, &self.changes);
                    self.lines.push_front(line);
                }
                OlderEntry::Change(of, change) => self.change(&of, change),
                OlderEntry::Nothing => {}
            }
            self.oldest = Some(seq);
        }
    }

    /// An entry that is no line has come.
    pub(crate) fn pass(&mut self, seq: Seq) {
        self.oldest = self.oldest.or(Some(seq));
    }

    /// What a message is by now, as far as was told.
    pub(crate) fn became(&self, id: &MessageId, author: &UserId) -> Option<&Became> {
        self.changes.now(id, author)
    }

    /// A message was edited or deleted.
    pub(crate) fn change(&mut self, of: &MessageId, change: Change) {
        self.changes.note(of.clone(), change);
        let is_it = |line: &&mut Line| line.speech().is_some_and(|speech| speech.id.as_ref() == Some(of));
        if let Some(line) = self.lines.iter_mut().rev().find(is_it) {
            show_as_is(line, &self.changes);
        }
    }

    /// A quoted message was taken back since.
    pub(crate) fn is_deleted(&self, id: &MessageId, author: &UserId) -> bool {
        self.changes.now(id, author) == Some(&Became::Deleted)
    }

    /// A change of ours is on its way.
    pub(crate) fn begin_change(&mut self, id: LineId, out: OutId) {
        let line = self.lines.iter_mut().find(|line| line.id == id);
        if let Some(speech) = line.and_then(Line::speech_mut) {
            (speech.changing, speech.mark) = (Some(out), Mark::Sent);
        }
    }

    /// It has arrived, or never will. False: that was no change, or nobody knows of what any more.
    pub(crate) fn end_change(&mut self, out: OutId, mark: Mark) -> bool {
        let is_it = |speech: &&mut Speech| speech.changing == Some(out);
        let changing = self.lines.iter_mut().rev().filter_map(Line::speech_mut).find(is_it);
        let found = changing.is_some();
        if let Some(speech) = changing {
            (speech.changing, speech.mark) = (None, mark);
        }
        found
    }

    /// The newest message of a user's that can be changed; none while one is not in the log yet.
    pub(crate) fn newest_of(&self, author: &UserId) -> Option<&Line> {
        let is_on_its_way = self.pending.iter().any(|line| line.speech().is_some());
        let is_own = |line: &&Line| {
            line.speech().is_some_and(|speech| speech.author.as_ref() == Some(author) && !speech.is_deleted())
        };
        self.lines.iter().rev().find(is_own).filter(|_| !is_on_its_way)
    }

    /// Shows a message of ours before anybody has it.
    pub(crate) fn push_pending(&mut self, out: OutId, at: DateTime, said: Said, text: String) {
        let id = LineId(PENDING_IDS.saturating_add_unsigned(out.0));
        self.pending.push(Line::new(id, None, at, said, text));
    }

    /// Takes the pending line of a message that arrived, and returns what its mark said.
    pub(crate) fn take_pending(&mut self, out: OutId) -> Option<Mark> {
        let index = self.pending.iter().position(|line| is_out(line, out))?;
        let mut line = self.pending.remove(index);
        line.speech_mut().map(|speech| std::mem::replace(&mut speech.mark, Mark::None))
    }

    /// Marks a message of ours, pending or arrived. A failed one leaves the bottom for the backlog: it stays
    /// readable where it happened, and does not stand below what is said later.
    pub(crate) fn mark(&mut self, out: OutId, mark: Mark) {
        let failed = matches!(mark, Mark::Failed(_));
        if let Some(index) = self.pending.iter().position(|line| is_out(line, out)) {
            if let Some(speech) = self.pending[index].speech_mut() {
                speech.mark = mark;
            }
            if failed {
                let line = self.pending.remove(index);
                self.push(None, line.at, line.said.clone(), line.text().to_owned());
            }
        } else if let Some(line) = self.lines.iter_mut().rev().find(|line| is_out(line, out))
            && let Some(speech) = line.speech_mut()
        {
            speech.mark = mark;
        }
    }

    /// Drops the entries of the log's present life above `to`; notices stay.
    pub(crate) fn rewind(&mut self, to: Seq) {
        self.lines.retain(|line| line.seq.is_none_or(|seq| seq <= to));
        self.changes.rewind(to);
        for line in &mut self.lines {
            show_as_is(line, &self.changes);
        }
        if self.oldest.is_some_and(|oldest| oldest > to) {
            self.oldest = None;
        }
    }

    /// The log's life ended or its beginning is gone: places of what is shown mean nothing any more. Ours that
    /// were in the log already, but whose entries never came, stay where they are said to have been.
    pub(crate) fn forget_places(&mut self) {
        for line in &mut self.lines {
            line.seq = None;
        }
        self.changes.forget_places();
        (self.oldest, self.more, self.loading) = (None, false, false);
        let is_acked = |line: &Line| matches!(line.speech().map(|s| &s.mark), Some(Mark::Acked(_)));
        let (acked, waiting) = std::mem::take(&mut self.pending).into_iter().partition(is_acked);
        self.pending = waiting;
        for line in Vec::from_iter::<Vec<Line>>(acked) {
            self.push(None, line.at, line.said.clone(), line.text().to_owned());
        }
    }

    /// Empties what is shown; what is on its way stays.
    pub(crate) fn clear(&mut self) {
        self.more |= self.oldest.is_some_and(|oldest| oldest > Seq(1));
        self.lines.clear();
        (self.anchor, self.unseen_from, self.news) = (None, None, None);
    }

    /// Follows the newest line again.
    pub(crate) fn follow(&mut self) {
        (self.anchor, self.unseen_from) = (None, None);
    }

    /// Messages that came below the screen while the reader was elsewhere.
    pub(crate) fn new_below(&self) -> usize {
        let (Some(anchor), Some(from)) = (self.anchor, self.unseen_from) else { return 0 };
        let first = self.lines.partition_point(|line| line.id < from.max(LineId(anchor.line.0 + 1)));
        self.lines.range(first..).filter(|line| line.speech().is_some()).count()
    }

    /// What others have said behind a place.
    pub(crate) fn behind(&self, marker: Seq, me: Option<&UserId>) -> Behind {
        let mut behind = Behind::default();
        for line in self.lines.iter().filter(|line| line.seq.is_some_and(|seq| seq > marker)) {
            let Some(speech) =
                line.speech().filter(|speech| speech.author.as_ref() != me && !speech.is_deleted())
            else {
                continue;
            };
            behind.from.get_or_insert(line.id);
            behind.messages += 1;
            behind.mentions += usize::from(speech.mention);
        }
        behind
    }

    /// Counts one more unread message, from this line on.
    pub(crate) fn count_news(&mut self, line: LineId) {
        match &mut self.news {
            Some(news) => news.count += 1,
            None => self.news = Some(News { from: line, count: 1 }),
        }
    }

    /// When the next check mark goes, if one is shown.
    pub(crate) fn newest_ack(&self) -> Option<Moment> {
        let marks = self.lines.iter().rev().take(ACKS_SEARCHED).chain(&self.pending);
        marks
            .filter_map(|line| match line.speech()?.mark {
                Mark::Acked(at) => Some(at),
                _ => None,
            })
            .max()
    }

    /// Takes the newest message of ours that failed, or the one named if it did, and returns its text, and whether it said what we do.
    pub(crate) fn take_failed(&mut self, id: Option<LineId>) -> Option<(String, bool)> {
        let is_it = |line: &Line| {
            id.is_none_or(|id| line.id == id)
                && matches!(line.speech().map(|speech| &speech.mark), Some(Mark::Failed(_)))
        };
        let index = self.lines.iter().rposition(is_it)?;
        let line = self.lines.remove(index)?;
        let is_action = line.speech().is_some_and(|speech| speech.action);
        Some((line.text().to_owned(), is_action))
    }
}

/// An entry of a page of older ones.
pub(crate) struct Older {
    pub(crate) seq: Seq,
    pub(crate) what: OlderEntry,
}

/// What it is.
pub(crate) enum OlderEntry {
    Line(DateTime, Said, String),
    /// Of the message of this identity.
    Change(MessageId, Change),
    /// Nothing to show.
    Nothing,
}

/// Shows a message as what is known of it says.
fn show_as_is(line: &mut Line, changes: &Changes) {
    let Some(speech) = line.speech() else { return };
    let Some((id, author)) = speech.id.as_ref().zip(speech.author.as_ref()) else { return };
    let became = changes.now(id, author).cloned();
    line.become_now(became.as_ref());
}

/// Check marks further up than a screen need no clock.
const ACKS_SEARCHED: usize = 100;

fn is_out(line: &Line, out: OutId) -> bool {
    line.speech().is_some_and(|speech| speech.out == Some(out) || speech.changing == Some(out))
}
