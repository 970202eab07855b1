//! Owns the signs the screen uses beside letters, in three sets: for terminals with Unicode, for the
//! others, and words for who hears the screen. Knows no colours.

/// One set of signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glyphs {
    pub(crate) online: &'static str,
    pub(crate) suspect: &'static str,
    pub(crate) alert: &'static str,
    pub(crate) trying: &'static str,
    pub(crate) here: &'static str,
    pub(crate) you: &'static str,
    /// Before a message that names the user; one cell.
    pub(crate) names_you: &'static str,
    pub(crate) to: &'static str,
    pub(crate) from: &'static str,
    pub(crate) dot: &'static str,
    pub(crate) more: &'static str,
    pub(crate) acked: &'static str,
    /// Not acknowledged yet.
    pub(crate) waiting: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) bar: &'static str,
    /// Before what a reply is to.
    pub(crate) quote: &'static str,
    pub(crate) down: &'static str,
    /// Turns while something is waited for; of one sign it stands still.
    pub(crate) throbber: &'static [&'static str],
    /// Lowest to highest.
    pub(crate) levels: [&'static str; 8],
}

impl Glyphs {
    pub(crate) const UNICODE: Self = Self {
        online: "●",
        suspect: "◌",
        alert: "!",
        trying: "~",
        here: "▶",
        you: "◀",
        names_you: "»",
        to: "→",
        from: "←",
        dot: "·",
        more: "…",
        acked: "✓",
        waiting: "…",
        failed: "!",
        rule: "─",
        bar: "│",
        quote: "│",
        down: "↓",
        throbber: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
        levels: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    };

    pub(crate) const ASCII: Self = Self {
        online: "*",
        suspect: "?",
        alert: "!",
        trying: "~",
        here: ">",
        you: "<",
        names_you: "*",
        to: "->",
        from: "<-",
        dot: "-",
        more: "..",
        acked: "+",
        waiting: "..",
        failed: "!",
        rule: "-",
        bar: "|",
        quote: "|",
        down: "v",
        throbber: &["|", "/", "-", "\\"],
        levels: ["_", "_", ".", ".", "-", "-", "=", "#"],
    };

    pub(crate) const WORDS: Self = Self {
        online: "online",
        suspect: "waiting for",
        alert: "trouble:",
        trying: "connecting:",
        here: ">",
        you: "(you)",
        names_you: "@",
        to: "to",
        from: "from",
        dot: "and",
        more: "...",
        acked: "",
        waiting: "",
        failed: "",
        rule: " ",
        bar: " ",
        quote: "re:",
        down: "down:",
        throbber: &["wait:"],
        // What is drawn with signs alone is left out.
        levels: [" "; 8],
    };
}
