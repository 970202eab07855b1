//! Owns what a client takes down of its connection, whatever it says over it.

use std::sync::Arc;

use chat_tui::net::event::{LinkState, LinkStatus};

use super::{Board, State};
use crate::record::What;

/// A client's connection, as its program tells it.
pub(super) struct Line {
    index: usize,
    pub(super) board: Arc<Board>,
    status: LinkStatus,
}

impl Line {
    pub(super) fn new(index: usize, board: Arc<Board>) -> Self {
        Self { index, board, status: LinkStatus::default() }
    }

    /// The program starts anew.
    pub(super) fn begin(&mut self) {
        self.status = LinkStatus::default();
        self.take_down(What::Started);
    }

    pub(super) fn is_online(&self) -> bool {
        matches!(self.status.state, LinkState::Online { .. })
    }

    pub(super) fn take_down(&self, what: What) {
        self.board.record.client(self.index as u32, what);
    }

    /// Changes what those see who wait for this client.
    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        self.board.change(self.index, change);
    }

    pub(super) fn link(&mut self, status: LinkStatus) {
        let was = std::mem::replace(&mut self.status, status);
        let node = |state: &LinkState| match state {
            LinkState::Online { node, .. } => Some(node.clone()),
            _ => None,
        };
        let (before, now) = (node(&was.state), node(&self.status.state));
        match (&before, &now) {
            (before, Some(node)) if before.as_ref() != Some(node) => {
                self.take_down(What::Online { node: node.to_string() });
            }
            (Some(_), None) => {
                self.take_down(What::Lost);
                self.change(|state| state.away = true);
            }
            _ => {}
        }
        if let Some(recovery) =
            self.status.recovery.as_ref().filter(|now| Some(*now) != was.recovery.as_ref())
        {
            let (took, planned) = (recovery.took.as_micros() as u64, recovery.planned);
            self.take_down(What::Back { took, planned });
            self.change(|state| state.away = false);
        }
        if was.cut_off.is_none() && self.status.cut_off.is_some() {
            self.take_down(What::CutOff);
        }
        let (queued, online) = (self.status.queued, now.is_some());
        self.change(|state| (state.queued, state.online) = (queued, online));
    }

    pub(super) fn end(&self) {
        let LinkStatus { totals, queued, .. } = &self.status;
        self.take_down(What::Ended { lost: totals.lost, dup: totals.dup, queued: *queued as u64 });
    }
}
