//! The client.
pub mod net {
    pub mod event;
}
