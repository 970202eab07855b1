//! Owns what those are called by now whom the users here write to. Beside everything else and one at a time: whoever comes
//! back after a node's death comes with many others, and is not to wait for others' logs.

use std::sync::Arc;

use chat_protocol::{Person, UserId};

use super::Hub;
use super::users::Online;
use crate::user::{Deed, UserEntry};

impl Hub {
    /// Looks up the names of those with whom a user has rooms of two, once for as long as it is here; what has changed is
    /// written into the user's log.
    pub(crate) fn name_peers(self: &Arc<Self>, user: &UserId) {
        let is_due = |online: &mut Online| {
            !online.state.direct.is_empty() && !std::mem::replace(&mut online.peers_asked, true)
        };
        if !self.users.lock().get_mut(user).is_some_and(is_due) {
            return;
        }
        let (hub, user) = (self.clone(), user.clone());
        self.aside(async move {
            let direct = hub.of_user(&user, |state| state.direct.clone()).unwrap_or_default();
            for (room, with) in direct {
                // Never closed.
                let turn = hub.naming_turn.acquire().await;
                if hub.shown_name(&user).is_none() {
                    // Gone; the next hello asks again.
                    return;
                }
                // Who has no name in its log keeps the one that is known; a failure leaves it to the next hello.
                let Ok(Some(name)) = hub.name_of(&with.user_id).await else { continue };
                drop(turn);
                if with.username != name.as_str() {
                    let with = Person { username: name.to_string(), ..with };
                    let entry = UserEntry { by: None, re: None, deed: Deed::Direct { room, with } };
                    hub.record_soon(user.clone(), entry);
                }
            }
        });
    }
}
