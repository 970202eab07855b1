//! Owns which names this node has claimed for a user, so that in the end it holds the one the user has and no other,
//! whatever the order in which changes of it were heard.

use std::sync::Arc;

use chat_protocol::{UserId, UserName};
use parking_lot::Mutex;
use tracing::debug;

use super::Hub;
use super::users::Profile;
use crate::backbone::call;
use crate::user::{Deed, UserEntry};

/// The names of one user on this node.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// One change at a time: held while the backbone is asked.
    turn: tokio::sync::Mutex<Over>,
    claimed: Mutex<Vec<UserName>>,
}

/// The user's last client here is gone: nothing is claimed any more.
#[derive(Debug, Default)]
struct Over(bool);

impl Names {
    /// The backbone has given this name to the user on this node.
    pub(super) fn note(&self, name: &UserName) {
        let mut claimed = self.claimed.lock();
        if claimed.iter().all(|known| known.key() != name.key()) {
            claimed.push(name.clone());
        }
    }

    fn has(&self, name: &UserName) -> bool {
        self.claimed.lock().iter().any(|known| known.key() == name.key())
    }

    /// Takes out all but one.
    fn take_others(&self, kept: Option<&UserName>) -> Vec<UserName> {
        let is_kept = |name: &UserName| kept.is_some_and(|kept| kept.key() == name.key());
        let mut claimed = self.claimed.lock();
        let (kept, others) = std::mem::take(&mut *claimed).into_iter().partition(is_kept);
        *claimed = kept;
        others
    }
}

impl Hub {
    /// Claims the name that the user has by now, and gives back those it had.
    pub(super) fn keep_name(self: &Arc<Self>, user: UserId, names: Arc<Names>, profile: Arc<Profile>) {
        let hub = self.clone();
        self.aside(async move {
            let over = names.turn.lock().await;
            if over.0 {
                return;
            }
            let name = profile.name();
            if !names.has(&name) {
                match call(hub.backbone.claim_name(&name.key(), &user)).await {
                    Ok(true) => names.note(&name),
                    Ok(false) => return hub.name_lost(user, &names, name).await,
                    Err(error) => {
                        debug!(%user, %error, "name of a user not claimed here: other nodes hold it");
                        return;
                    }
                }
            }
            for other in names.take_others(Some(&name)) {
                hub.directory.release(&other, &user).await;
            }
        });
    }

    /// The name is another user's: this one gets a numbered one, on all its clients.
    async fn name_lost(self: &Arc<Self>, user: UserId, names: &Names, lost: UserName) {
        let Ok(name) = self.directory.claim(&lost, &user).await else { return };
        names.note(&name);
        let deed = Deed::Name { name, wanted: Some(lost.clone()), was: Some(lost) };
        self.record_soon(user, UserEntry { by: None, re: None, deed });
    }

    /// The user's last client here is gone.
    pub(crate) async fn give_back(&self, user: &UserId, names: &Names) {
        names.turn.lock().await.0 = true;
        for name in names.take_others(None) {
            self.directory.release(&name, user).await;
        }
    }
}
