//! Owns what stands between us and the terminal, and the form in which it hands a sequence on.

/// What a program like tmux stands between us and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    Nothing,
    /// Hands on what is wrapped for it where `allow-passthrough` is `on`.
    Tmux,
}

impl Between {
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        match variable("TMUX").filter(|socket| !socket.is_empty()) {
            Some(_) => Self::Tmux,
            None => Self::Nothing,
        }
    }

    /// The form in which a sequence reaches the terminal outside.
    pub(crate) fn pass(self, sequence: String) -> String {
        match self {
            Self::Nothing => sequence,
            // Every ESC within is doubled.
            Self::Tmux => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
        }
    }
}
