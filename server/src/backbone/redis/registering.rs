//! Owns that of many who register the same at once one does. Knows nothing of what is registered.

use std::collections::HashSet;

use parking_lot::Mutex;

/// A key on its way to be registered. Given up, also by whoever waited no longer, it is not: the next one tries again.
pub(super) struct Registering<'a> {
    registered: &'a Mutex<HashSet<String>>,
    key: Option<String>,
}

impl<'a> Registering<'a> {
    /// None where it is registered, or on its way.
    pub(super) fn begin(registered: &'a Mutex<HashSet<String>>, key: String) -> Option<Self> {
        let is_first = registered.lock().insert(key.clone());
        is_first.then(|| Self { registered, key: Some(key) })
    }

    pub(super) fn done(mut self) {
        self.key = None;
    }
}

impl Drop for Registering<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.registered.lock().remove(&key);
        }
    }
}
