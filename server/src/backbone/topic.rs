//! Owns what a room is about, as nodes share it. Knows neither rooms nor where it is kept.

/// What a room is about, and since when. Of two the greater stands: what was said later.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic {
    /// When it was said, in milliseconds since 1970.
    pub at_ms: u64,
    /// One line; empty: about nothing in particular.
    pub text: String,
}
