//! Owns what the text being written is about, where it is about a message: an edit of it, a reply to it, or a command
//! that is still being typed.

use super::line::LineId;
use crate::net::event::Target;

/// A message that something is to be done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) line: LineId,
    pub(crate) target: Target,
    /// Who said it.
    pub(crate) name: String,
    /// What it says.
    pub(crate) text: String,
    /// Ours: it can be changed.
    pub(crate) own: bool,
    pub(crate) deed: Deed,
    /// What was being written before.
    pub(crate) draft: String,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// What is written takes its place.
    Edit,
    /// What is written answers it.
    Reply,
    /// What is written says it: a command.
    Command,
}
