//! Owns who a user is: sessions that any node can check without asking another, and names that belong to
//! one user at a time in the cluster.

use std::sync::Arc;

use chat_protocol::{UserId, UserName};
use hmac::{Hmac, KeyInit, Mac};
use parking_lot::Mutex;
use sha2::Sha256;
use tracing::warn;

use crate::backbone::call;
use crate::backbone::{Backbone, BackboneError};

/// Numbers tried behind a taken name before the user gets a guest's.
const NAME_TRIES: u32 = 99;
/// Keys of other nodes, or of before a loss of the backbone, that still prove a session.
const KEYS_MAX: usize = 4;

/// What a key signs beside user ids, which have no space.
const SUCCESSOR: &str = "successor of ";
/// An HMAC-SHA256.
const MAC_BYTES: usize = 32;

type Key = [u8; 32];

/// Sessions and names.
pub(crate) struct Directory {
    backbone: Arc<dyn Backbone>,
    /// The cluster's key first, then former ones; read for a moment at a hello.
    keys: Mutex<Vec<Key>>,
}

impl Directory {
    pub(crate) fn new(backbone: Arc<dyn Backbone>) -> Self {
        Self { backbone, keys: Mutex::default() }
    }

    /// Agrees with the cluster on the key; offers this node's where the cluster has lost it.
    async fn key(&self) -> Result<Key, BackboneError> {
        let known = self.keys.lock().first().copied();
        match known {
            Some(key) => Ok(key),
            None => self.agree().await,
        }
    }

    async fn agree(&self) -> Result<Key, BackboneError> {
        let mut offered = Key::default();
        match self.keys.lock().first() {
            Some(key) => offered = *key,
            None => getrandom::fill(&mut offered)
                .map_err(|error| BackboneError::Unavailable(error.to_string()))?,
        }
        let key = call(self.backbone.session_key(offered)).await?;
        let mut keys = self.keys.lock();
        keys.retain(|known| *known != key);
        keys.insert(0, key);
        keys.truncate(KEYS_MAX);
        Ok(key)
    }

    /// The key that this node signs with, if it knows one.
    pub(crate) fn known_key(&self) -> Option<Key> {
        self.keys.lock().first().copied()
    }

    /// After the backbone may have lost the key.
    pub(crate) async fn refresh(&self) {
        if let Err(error) = self.agree().await {
            warn!(%error, "cannot agree on the session key yet");
        }
    }

    /// A session: `<user_id>.<HMAC-SHA256 of it, in hexadecimal>`.
    pub(crate) async fn session(&self, user: &UserId) -> Result<String, BackboneError> {
        Ok(format!("{user}.{}", hex(&sign(&self.key().await?, user))))
    }

    /// The user a session proves, if it does.
    pub(crate) async fn prove(&self, session: &str) -> Result<Option<UserId>, BackboneError> {
        let Some((user, mac)) = parts(session) else { return Ok(None) };
        self.key().await?;
        if self.is_signed(&user, &mac) {
            return Ok(Some(user));
        }
        // The cluster's key may be newer than this node's.
        self.agree().await?;
        Ok(self.is_signed(&user, &mac).then_some(user))
    }

    /// Who a session makes that proves nobody, signed as it is with a key that is lost: under the new key the same user on
    /// every node and however often it is shown. A client that was not told who it is comes back as who it was taken
    /// for, and the clients of one user stay the clients of one user. Nobody else can be that user: who knows the
    /// session is its holder. None where it is none of ours: any number of strangers may show the same.
    pub(crate) async fn successor(&self, session: &str) -> Result<Option<UserId>, BackboneError> {
        let key = self.key().await?;
        let mac = parts(session).map(|_| mac_of(&key, SUCCESSOR, session).finalize().into_bytes());
        Ok(mac.map(|mac| UserId::parse(&hex(&mac[..16])).expect("hexadecimal digits make an id")))
    }

    fn is_signed(&self, user: &UserId, mac: &[u8]) -> bool {
        let proves = |key: &Key| mac_of(key, "", user.as_str()).verify_slice(mac).is_ok();
        self.keys.lock().iter().any(proves)
    }

    /// Takes the name, or the first of `name-2`, `name-3`, … that is free.
    pub(crate) async fn claim(&self, wanted: &UserName, user: &UserId) -> Result<UserName, BackboneError> {
        let numbered = (2..NAME_TRIES).map(|number| wanted.numbered(number));
        for name in std::iter::once(wanted.clone()).chain(numbered) {
            if call(self.backbone.claim_name(&name.key(), user)).await? {
                return Ok(name);
            }
        }
        Ok(guest_name(user))
    }

    /// Gives a name back; it is held for its user a while longer.
    pub(crate) async fn release(&self, name: &UserName, user: &UserId) {
        if let Err(error) = call(self.backbone.release_name(&name.key(), user)).await {
            warn!(%error, "a name was not given back, it runs out by itself");
        }
    }
}

/// The name of who asks for none: `guest-` and the beginning of the user id.
pub(crate) fn guest_name(user: &UserId) -> UserName {
    let id: String = user.as_str().trim_start_matches("guest-").chars().take(8).collect();
    UserName::parse(&format!("guest-{id}")).expect("an id has only letters and digits")
}

/// The user a session names, and its signature.
fn parts(session: &str) -> Option<(UserId, Vec<u8>)> {
    let (user, mac) = session.rsplit_once('.')?;
    let mac = unhex(mac).filter(|mac| mac.len() == MAC_BYTES)?;
    Some((UserId::parse(user).ok()?, mac))
}

fn mac_of(key: &Key, purpose: &str, text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(purpose.as_bytes());
    mac.update(text.as_bytes());
    mac
}

fn sign(key: &Key, user: &UserId) -> Vec<u8> {
    mac_of(key, "", user.as_str()).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::memory::MemoryBackbone;
    use chat_protocol::NodeId;

    fn directory(shared: &MemoryBackbone, node: &str) -> Directory {
        Directory::new(shared.connect(NodeId::parse(node).unwrap()).backbone)
    }

    #[tokio::test]
    async fn a_session_of_one_node_is_proved_by_another_and_after_a_flush() {
        let shared = MemoryBackbone::default();
        let (one, other) = (directory(&shared, "one"), directory(&shared, "other"));
        let user = UserId::random();
        let session = one.session(&user).await.unwrap();
        assert_eq!(other.prove(&session).await.unwrap(), Some(user.clone()));
        shared.flush();
        one.refresh().await;
        assert_eq!(directory(&shared, "third").prove(&session).await.unwrap(), Some(user));
    }

    #[tokio::test]
    async fn a_session_of_a_lost_key_makes_one_new_user_wherever_and_however_often_it_is_shown() {
        let lost = directory(&MemoryBackbone::default(), "lost");
        let user = UserId::random();
        let session = lost.session(&user).await.unwrap();
        let shared = MemoryBackbone::default();
        let (one, other) = (directory(&shared, "one"), directory(&shared, "other"));
        assert_eq!(one.prove(&session).await.unwrap(), None);
        let successor = one.successor(&session).await.unwrap().unwrap();
        assert_eq!(other.successor(&session).await.unwrap(), Some(successor.clone()));
        assert_ne!(successor, user, "whoever knows an id could forge such a session");
        let stranger = lost.session(&UserId::random()).await.unwrap();
        assert_ne!(one.successor(&stranger).await.unwrap(), Some(successor));
        for strange in ["", "x", "null", "alice.00"] {
            assert_eq!(one.successor(strange).await.unwrap(), None, "{strange:?}: many may show it");
        }
    }

    #[tokio::test]
    async fn a_forged_session_proves_nobody() {
        let directory = directory(&MemoryBackbone::default(), "one");
        let session = directory.session(&UserId::parse("alice").unwrap()).await.unwrap();
        let forged = [
            session.replace("alice", "bob"),
            format!("{session}00"),
            "alice".into(),
            "alice.zz".into(),
            "alice.é".into(),
        ];
        for forged in forged {
            assert_eq!(directory.prove(&forged).await.unwrap(), None, "{forged}");
        }
    }

    #[tokio::test]
    async fn a_taken_name_is_numbered_and_stays_with_its_user() {
        let directory = directory(&MemoryBackbone::default(), "one");
        let (alice, other, wanted) = (UserId::random(), UserId::random(), UserName::parse("Alice").unwrap());
        assert_eq!(directory.claim(&wanted, &alice).await.unwrap().as_str(), "Alice");
        let look_alike = UserName::parse("ａlice").unwrap();
        assert_eq!(directory.claim(&look_alike, &other).await.unwrap().as_str(), "ａlice-2");
        directory.release(&wanted, &alice).await;
        assert_eq!(directory.claim(&wanted, &alice).await.unwrap().as_str(), "Alice");
    }
}
