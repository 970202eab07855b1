//! Owns how text gets into a terminal's clipboard (OSC 52). Knows nothing of what is copied.

use std::fmt::Write as _;

use crossterm::Command as _;
use crossterm::clipboard::CopyToClipboard;

/// What a program like tmux stands between us and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    Nothing,
    /// Takes copies itself only where `set-clipboard` is `on`, and passes them on where `allow-passthrough` is.
    Tmux,
}

impl Between {
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        match variable("TMUX").filter(|socket| !socket.is_empty()) {
            Some(_) => Self::Tmux,
            None => Self::Nothing,
        }
    }
}

/// The bytes that copy a text; inside tmux in both forms, whichever it lets through.
pub(crate) fn sequence(text: &str, between: Between) -> String {
    let mut plain = String::new();
    let _infallible = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut plain);
    match between {
        Between::Nothing => plain,
        Between::Tmux => {
            let mut both = plain.clone();
            // Its passthrough: every ESC within is doubled.
            let _infallible = write!(both, "\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b"));
            both
        }
    }
}
