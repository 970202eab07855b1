//! Owns the file in which a client outlives the program: id, counters and outbox together, one file for
//! each list of hosts, in the XDG state directory. Knows no socket; what is in it, [`SavedClient`] says.
//!
//! Two processes with one client id would take the same numbers for different messages, and so would one
//! that starts from an old copy. So a lock file beside it (the state file itself is replaced by rename, and
//! a lock would stay on the old one) keeps others out, and the file says `open` while it is in use: one
//! that is found open is not trusted for more than the session.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use chat_protocol::ClientId;
use serde::{Deserialize, Serialize};

use crate::net::endpoint::Endpoint;
use crate::net::saved::SavedClient;

pub mod front;

/// The version of the file's format.
const FORMAT: u32 = 1;

/// The state directory, where this system and user have one.
pub fn directory() -> Option<PathBuf> {
    let project = directories::ProjectDirs::from("", "", "chat-tui")?;
    Some(project.state_dir().unwrap_or_else(|| project.data_local_dir()).to_owned())
}

/// The name of the file for a list of hosts: the first one, for people, and a hash of all.
pub fn key(endpoints: &[Endpoint]) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' };
    let first: String =
        endpoints.iter().take(1).flat_map(|first| first.host.chars()).map(plain).take(40).collect();
    let list: Vec<String> =
        endpoints.iter().map(|endpoint| format!("{endpoint} {}", endpoint.path)).collect();
    format!("{first}-{:016x}", fnv1a(list.join(",").as_bytes()))
}

/// FNV-1a, 64 bits: stable between versions, which the standard library's hasher is not.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// What stands in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Stored {
    format: u32,
    open: bool,
    /// When it was written at a clean quit, in milliseconds since 1970.
    #[serde(default)]
    closed_at: u64,
    client: SavedClient,
}

impl Stored {
    /// In use; nothing of it was written at a quit.
    fn new(open: bool, client: SavedClient) -> Self {
        Self { format: FORMAT, open, closed_at: 0, client }
    }

    /// The client, without what was acknowledged too long ago: nobody waits for it, and where a log was emptied
    /// meanwhile it would be said again.
    fn into_client(mut self, now: u64) -> SavedClient {
        let since = now.saturating_sub(self.closed_at);
        for room in &mut self.client.rooms {
            room.acknowledged
                .iter_mut()
                .for_each(|acked| acked.left_ms = acked.left_ms.saturating_sub(since));
            room.acknowledged.retain(|acked| acked.left_ms > 0);
        }
        self.client
    }
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Why the last run's client is not taken up again; each is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Another process has it.
    InUse,
    /// The last run ended without saving; so many messages of the run before it were in its outbox.
    Crashed {
        /// How many.
        unsent: usize,
    },
    /// The file is damaged.
    Unreadable,
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InUse => {
                f.write_str("another chat-tui uses this host: what this one leaves unsent is not kept")
            }
            Self::Crashed { unsent: 0 } => f.write_str("the last run ended without saving its state"),
            Self::Crashed { unsent } => write!(
                f,
                "the last run ended without saving its state; messages kept before it that are not sent again: {unsent}"
            ),
            Self::Unreadable => f.write_str("the state file could not be read and begins anew"),
        }
    }
}

/// The file, ours until [`StateFile::close`].
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    /// Held for as long as this lives; none where another process has the file: nothing is written then.
    lock: Option<File>,
    stored: Stored,
}

/// Takes the file into use and gives what to start with, always with a client id.
///
/// # Errors
/// Where the directory or the file cannot be used. The client works without it.
pub fn open(directory: &Path, key: &str) -> io::Result<(StateFile, SavedClient, Option<Note>)> {
    create_directory(directory)?;
    let path = directory.join(format!("{key}.json"));
    let lock = lock(directory, key)?;
    let found = read(&path);
    let (mut client, note) = match found {
        _ if lock.is_none() => (identity(found.ok().flatten()), Some(Note::InUse)),
        Ok(None) => (SavedClient::default(), None),
        Ok(Some(stored)) if stored.open => {
            let unsent = stored.client.rooms.iter().map(|room| room.unsent.len()).sum();
            (identity(Some(stored)), Some(Note::Crashed { unsent }))
        }
        Ok(Some(stored)) => (stored.into_client(now()), None),
        Err(_) => (SavedClient::default(), Some(Note::Unreadable)),
    };
    client.client_id.get_or_insert_with(ClientId::random);
    let file = StateFile { path, lock, stored: Stored::new(true, client.clone()) };
    file.write()?;
    Ok((file, client, note))
}

/// The user as the file knows it, for a client of its own beside: without id, counters and outbox.
pub fn peek(directory: &Path, key: &str) -> SavedClient {
    identity(read(&directory.join(format!("{key}.json"))).ok().flatten())
}

/// Puts a session into a file that nobody uses; whoever uses it has its own.
///
/// # Errors
/// Where the directory or the file cannot be used.
pub fn remember(directory: &Path, key: &str, saved: &SavedClient) -> io::Result<()> {
    if saved.session.is_none() {
        return Ok(());
    }
    create_directory(directory)?;
    let path = directory.join(format!("{key}.json"));
    let Some(lock) = lock(directory, key)? else { return Ok(()) };
    let fresh = || Stored::new(false, SavedClient::default());
    let stored = read(&path)?.unwrap_or_else(fresh);
    let mut file = StateFile { path, lock: Some(lock), stored };
    file.keep_session(saved)
}

impl StateFile {
    /// False where another process has it, so that nothing is written.
    pub fn is_ours(&self) -> bool {
        self.lock.is_some()
    }

    /// Writes session and name through, so that they survive a crash; the rest waits for [`Self::close`].
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn keep_session(&mut self, saved: &SavedClient) -> io::Result<()> {
        let client = &mut self.stored.client;
        if client.session == saved.session && client.name == saved.name {
            return Ok(());
        }
        client.session.clone_from(&saved.session);
        client.name.clone_from(&saved.name);
        self.write()
    }

    /// Writes everything at a clean quit and lets go of the file.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn close(mut self, saved: SavedClient) -> io::Result<()> {
        self.stored = Stored { closed_at: now(), ..Stored::new(false, saved) };
        self.write()
    }

    fn write(&self) -> io::Result<()> {
        if self.lock.is_none() {
            return Ok(());
        }
        let new = self.path.with_extension("json.new");
        let mut file = private().write(true).create(true).truncate(true).open(&new)?;
        file.write_all(&serde_json::to_vec_pretty(&self.stored)?)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)
    }
}

fn identity(stored: Option<Stored>) -> SavedClient {
    let client = stored.map(|stored| stored.client).unwrap_or_default();
    SavedClient { session: client.session, name: client.name, ..SavedClient::default() }
}

/// None where there is no file.
fn read(path: &Path) -> io::Result<Option<Stored>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let stored: Stored = serde_json::from_slice(&bytes)?;
    if stored.format != FORMAT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "written by another version"));
    }
    Ok(Some(stored))
}

/// None where another process has it.
fn lock(directory: &Path, key: &str) -> io::Result<Option<File>> {
    let file = private()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(directory.join(format!("{key}.lock")))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The session is a secret: files and directory are for their owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn create_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory)
}

#[cfg(test)]
mod tests;
