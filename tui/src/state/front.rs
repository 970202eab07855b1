//! Owns what of the front outlives the program: what was written before, drafts, which rooms are pinned and muted. Beside
//! the client's own file, and worth less: one that cannot be read begins anew.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chat_protocol::RoomName;
use serde::{Deserialize, Serialize};

use super::{StateFile, private};
use crate::app::rooms::{KeptRoom, Order};

/// What the front starts with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedFront {
    /// What was written before, oldest first.
    pub written: Vec<String>,
    /// What there is to keep of rooms.
    pub rooms: BTreeMap<RoomName, KeptRoom>,
    /// In which order rooms are listed.
    pub order: Order,
}

/// What the last run left for a list of hosts; nothing where that cannot be read.
pub fn read(directory: &Path, key: &str) -> SavedFront {
    let bytes = fs::read(directory.join(format!("{key}.front.json"))).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

impl StateFile {
    /// Writes it at the end, where no other process has the client.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn keep_front(&self, saved: &SavedFront) -> io::Result<()> {
        if !self.is_ours() {
            return Ok(());
        }
        let path: PathBuf = self.path.with_extension("front.json");
        let new = self.path.with_extension("front.new");
        let mut file = private().write(true).create(true).truncate(true).open(&new)?;
        file.write_all(&serde_json::to_vec_pretty(saved)?)?;
        file.sync_all()?;
        fs::rename(&new, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{key, open};

    #[test]
    fn what_is_kept_is_read_again_and_what_cannot_be_read_begins_anew() {
        let directory = std::env::temp_dir().join(format!("chat-tui-front-{}", std::process::id()));
        let (key, name) = (key(&[]), RoomName::parse("ops").unwrap());
        let kept = KeptRoom { draft: "half a th".to_owned(), pinned: true, muted: false };
        let rooms = BTreeMap::from([(name, kept)]);
        let saved = SavedFront { written: vec!["hello".to_owned()], rooms, order: Order::Activity };
        let (file, ..) = open(&directory, &key).unwrap();
        file.keep_front(&saved).unwrap();
        assert_eq!(read(&directory, &key), saved);
        let (beside, ..) = open(&directory, &key).unwrap();
        beside.keep_front(&SavedFront::default()).unwrap();
        assert_eq!(read(&directory, &key), saved, "another process with the client writes nothing");
        fs::write(directory.join(format!("{key}.front.json")), "{").unwrap();
        assert_eq!(read(&directory, &key), SavedFront::default());
        fs::remove_dir_all(directory).unwrap();
    }
}
