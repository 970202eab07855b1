//! Owns what a search means: which words and conditions a query holds, and which entries of a log answer it. Pure: who
//! reads the log, how fast and for whom is [`crate::session`]'s.
//!
//! - `query`: a line of words and conditions, understood.
//! - `scan`: entries looked at from the newest back, and what was found among them.

mod query;
mod scan;
#[cfg(test)]
mod tests;

pub(crate) use query::Query;
pub(crate) use scan::{Edits, Scan, Stopped};
