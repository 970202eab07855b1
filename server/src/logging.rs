//! Owns the log: lines on standard error, as text or JSON. Knows nothing of what is logged.

use std::io::IsTerminal;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{Log, LogFormat};

/// Starts the log for the whole process.
///
/// # Errors
/// When the process has a log already.
///
/// # Panics
/// Never: a level that the settings took is one that the filter takes.
pub fn init(log: &Log) -> Result<(), TryInitError> {
    let filter: Targets = log.level.as_str().parse().expect("the settings checked the level");
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).try_init()
}
