//! Owns the bare view: a room's messages as they were said and nothing beside them, for who copies with the mouse. Knows no
//! screen; the terminal breaks the lines itself, so that what is copied has no breaks that nobody wrote.

use super::flow::{self, Columns};
use super::history::{Anchor, History};
use super::text;

/// While it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bare {
    /// Where the reader was held: a screen that moves cannot be copied from. None: the reader had scrolled before.
    held: Option<Anchor>,
}

impl Bare {
    /// Shows it; who followed the newest line stays where that is now.
    pub(crate) fn begin(history: &mut History) -> Self {
        let newest = history.line(history.len().saturating_sub(1)).map(|line| line.id);
        let held = newest.filter(|_| history.anchor.is_none()).map(|line| Anchor { line, cut: 0 });
        history.anchor = history.anchor.or(held);
        Self { held }
    }

    /// Goes back; who was held follows the newest line again.
    pub(crate) fn end(self, history: &mut History) {
        if self.held.is_some() && history.anchor == self.held {
            history.follow();
        }
    }
}

/// What fills a screen, from the lowest message up: texts, the first perhaps without its beginning.
pub(crate) fn page(history: &History, columns: Columns, (width, height): (u16, u16)) -> Vec<&str> {
    let at = flow::bottom(history, columns);
    let mut rest = usize::from(height);
    let mut page = Vec::new();
    for index in (0..=at.index).rev() {
        let Some(line) = history.line(index).filter(|line| line.speech().is_some()) else { continue };
        let words = line.words();
        let rows = text::chop(words, usize::from(width));
        // Rows below the screen, out of as many as there are in the pane with its columns.
        let tall = flow::block(history, index, columns).map_or(1, |block| block.height()).max(1);
        let cut = if index == at.index { at.cut * rows.len() / tall } else { 0 };
        let shown = &rows[..rows.len() - cut];
        let Some(last) = shown.last().filter(|_| rest > 0) else { break };
        let first = &shown[shown.len().saturating_sub(rest)];
        rest = rest.saturating_sub(shown.len());
        page.push(&words[first.start..last.end]);
    }
    page.reverse();
    page
}
