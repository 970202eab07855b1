//! Owns how text gets into a terminal's clipboard (OSC 52). Knows nothing of what is copied.

use crossterm::Command as _;
use crossterm::clipboard::CopyToClipboard;

use crate::between::Between;

/// The bytes that copy a text; inside tmux in both forms: it takes copies itself where `set-clipboard` is `on`, and
/// hands them on where `allow-passthrough` is.
pub(crate) fn sequence(text: &str, between: Between) -> String {
    let mut plain = String::new();
    let _infallible = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut plain);
    match between {
        Between::Nothing => plain,
        Between::Tmux => plain.clone() + &between.pass(plain),
    }
}
