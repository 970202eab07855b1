//! Owns how its end is told to whoever started the program: one number for each reason. docs/scripts.md has the table.

use crate::cli::CliError;
use crate::config::ConfigError;
use crate::send::SendError;

/// Added to the number of the signal that has ended a program, as shells do.
const BY_SIGNAL: u8 = 128;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// As asked.
    Done,
    /// Refused, or failed.
    Failed,
    /// The command line, or the settings, make no sense.
    Usage,
    /// Sent, and not acknowledged in time: it may have arrived all the same.
    Unacknowledged,
    /// No server in time: nothing was sent.
    Unsent,
    /// By a signal of this number.
    Signal(u8),
}

impl Exit {
    /// What an error means.
    pub fn of(error: &anyhow::Error) -> Self {
        if error.is::<CliError>() || error.is::<ConfigError>() {
            return Self::Usage;
        }
        match error.downcast_ref::<SendError>() {
            Some(SendError::TimedOut { .. }) => Self::Unacknowledged,
            Some(SendError::Unsent { .. }) => Self::Unsent,
            Some(SendError::Refused(_) | SendError::Stopped) | None => Self::Failed,
        }
    }

    /// As the process tells it.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unacknowledged => 3,
            Self::Unsent => 4,
            Self::Signal(number) => BY_SIGNAL.saturating_add(number),
        }
    }
}
