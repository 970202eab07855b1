//! Owns the state file while the client runs: taken up at the start, the session written through, all of it
//! at the end. Without one the client works all the same, and says so.

use std::sync::{Arc, Mutex};

use anyhow::Context;
use tracing::warn;

use crate::net::endpoint::Endpoint;
use crate::net::saved::SavedClient;
use crate::state::front::{self, SavedFront};
use crate::state::{self, StateFile};

/// What the last run left, as far as it can be had.
#[derive(Default)]
pub(super) struct Kept {
    /// The file, for the network task to write the session through; none where no state is kept.
    pub(super) file: KeptFile,
    /// What to start with.
    pub(super) saved: SavedClient,
    /// What the front is to start with.
    pub(super) front: SavedFront,
    /// What a person should know of it.
    pub(super) notices: Vec<String>,
}

/// Shared by the network task, which writes the session, and the end, which writes all.
#[derive(Clone, Default)]
pub(super) struct KeptFile(Option<Arc<Mutex<Option<StateFile>>>>);

impl Kept {
    /// Takes up what was left for this list of hosts.
    pub(super) fn take_up(endpoints: &[Endpoint]) -> Self {
        let Some(directory) = state::directory() else { return Self::default() };
        let key = state::key(endpoints);
        match state::open(&directory, &key) {
            Ok((file, saved, note)) => {
                let notices = note.iter().map(ToString::to_string).collect();
                let front = front::read(&directory, &key);
                Self { file: KeptFile(Some(Arc::new(Mutex::new(Some(file))))), saved, front, notices }
            }
            Err(error) => {
                let notice = format!("no state is kept: {}: {error}", directory.display());
                Self { notices: vec![notice], ..Self::default() }
            }
        }
    }
}

impl KeptFile {
    /// Writes the session through, so that it survives a crash.
    pub(super) fn keep_session(&self, saved: &SavedClient) {
        let Some(Ok(mut file)) = self.0.as_ref().map(|file| file.lock()) else { return };
        if let Some(Err(error)) = file.as_mut().map(|file| file.keep_session(saved)) {
            warn!(%error, "cannot save the session");
        }
    }

    /// Writes what the front is to start with the next time.
    pub(super) fn keep_front(&self, saved: &SavedFront) {
        let Some(Ok(file)) = self.0.as_ref().map(|file| file.lock()) else { return };
        if let Some(Err(error)) = file.as_ref().map(|file| file.keep_front(saved)) {
            warn!(%error, "cannot save drafts and what was written before");
        }
    }

    /// Writes everything. Gives how many messages go with the next start.
    pub(super) fn close(self, saved: SavedClient) -> anyhow::Result<usize> {
        let file = self.0.and_then(|file| file.lock().ok()?.take());
        let Some(file) = file.filter(StateFile::is_ours) else { return Ok(0) };
        let unsent = saved.rooms.iter().map(|room| room.unsent.len()).sum();
        file.close(saved).context("cannot save the state")?;
        Ok(unsent)
    }
}
