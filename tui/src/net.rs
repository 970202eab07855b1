//! The network side.

pub mod backoff;
pub mod endpoint;
pub mod event;
pub mod link;
pub mod saved;
