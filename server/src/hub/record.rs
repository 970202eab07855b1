//! Owns how a deed gets into a user's log: once, whatever becomes of a call, also while the log is being made or brought
//! back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chat_protocol::{ClientId, MessageId, RoomName, UserId, UserName};
use tokio::time::{Instant, sleep};
use tracing::debug;

use super::{Command, Hub};
use crate::backbone::{BackboneError, Item, ItemAnswer, Published, call};
use crate::user::{Deed, UserEntry};

/// How long a deed is tried to be recorded: longer than a recovery round, and than a log takes to be made.
const RECORD_WITHIN: Duration = Duration::from_secs(3);
/// A user who is not here and has no log for so long is nobody: longer than a recovery round.
const ABSENT_AFTER: Duration = Duration::from_secs(1);
/// Between two tries.
const RECORD_PAUSE: Duration = Duration::from_millis(50);
/// By then every node has noticed that a backbone was emptied, and said what it knows of its users: a lease is renewed
/// each second.
const RESTATED_WITHIN: Duration = Duration::from_secs(5);

/// The producer of what this node says in a user's log: one entry at a time, or numbers would overtake each other.
pub(super) type Writer = Arc<tokio::sync::Mutex<MessageId>>;

pub(super) fn new_writer() -> MessageId {
    MessageId::new(ClientId::producer(), 0)
}

impl Hub {
    /// Waits until the log of a user is heard here, as long as it may take to be made.
    pub(crate) async fn user_heard(&self, user: &UserId) {
        let until = Instant::now() + RECORD_WITHIN;
        let is_heard = || self.users.lock().get(user).is_none_or(|online| online.at.is_some());
        while !is_heard() && Instant::now() < until {
            sleep(RECORD_PAUSE).await;
        }
    }

    /// Writes a deed into a user's log, once. False: the user has none.
    ///
    /// # Errors
    /// When it could not be said within three seconds whether it is there; the same deed may be said again.
    pub(crate) async fn record(&self, user: &UserId, entry: &UserEntry) -> Result<bool, BackboneError> {
        let (is_here, writer) = match self.users.lock().get(user) {
            Some(online) => (true, online.writer.clone()),
            None => (false, Arc::new(tokio::sync::Mutex::new(new_writer()))),
        };
        let mut last = writer.lock().await;
        last.n += 1;
        let body = Bytes::from(serde_json::to_vec(entry).unwrap_or_default());
        let (room, started) = (RoomName::of_user(user), Instant::now());
        let (until, absent_until) = (started + RECORD_WITHIN, started + ABSENT_AFTER);
        loop {
            let item =
                Item { id: last.clone(), generation: 0, acked: None, digest: 0, body: Some(body.clone()) };
            let answer = call(self.backbone.publish(&room, None, vec![item])).await;
            let pause = match answer {
                Ok(Published::Ok { items, .. }) if is_taken(&items) => return Ok(true),
                // The log knows other numbers: as somebody else it is taken.
                Ok(Published::Ok { .. }) => {
                    *last = MessageId { n: 1, ..new_writer() };
                    Duration::ZERO
                }
                Ok(Published::Settling(left)) => left,
                // It may be being made, or be brought back by who knows it.
                Ok(_) if !is_here && Instant::now() >= absent_until => return Ok(false),
                Ok(_) => {
                    if is_here {
                        // Whoever knows it here may not know yet that it was lost.
                        self.doubt(&room);
                    }
                    RECORD_PAUSE
                }
                Err(error) if Instant::now() >= until => {
                    *last = new_writer();
                    return Err(error);
                }
                Err(_) => RECORD_PAUSE,
            };
            if Instant::now() >= until {
                *last = new_writer();
                return Err(BackboneError::Unavailable("the log of this user is being recovered".to_owned()));
            }
            sleep(pause).await;
        }
    }

    /// Names a user whose log was lost, unless somebody knows better by then.
    pub(crate) fn name_later(self: &Arc<Self>, user: UserId, name: UserName) {
        let hub = self.clone();
        self.aside(async move {
            sleep(RESTATED_WITHIN).await;
            if hub.of_user(&user, |state| state.name.is_none()) == Some(true) {
                let deed = Deed::Name { name, wanted: None, was: None };
                drop(hub.record(&user, &UserEntry { by: None, re: None, deed }).await);
            }
        });
    }

    /// Work that nobody waits for; it ends with the node.
    pub(super) fn aside(&self, work: impl Future<Output = ()> + Send + 'static) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move { shutdown.run_until_cancelled(work).await });
    }

    fn doubt(&self, room: &RoomName) {
        if let Some(handle) = self.rooms.lock().get(room) {
            handle.hint(Command::Stale);
        }
    }

    /// The same, without waiting: for what follows from what is known, and is said again if it is lost.
    pub(crate) fn record_soon(self: &Arc<Self>, user: UserId, entry: UserEntry) {
        let hub = self.clone();
        self.aside(async move {
            if let Err(error) = hub.record(&user, &entry).await {
                debug!(%user, %error, "deed of a user not recorded");
            }
        });
    }
}

fn is_taken(items: &[ItemAnswer]) -> bool {
    matches!(items, [ItemAnswer::Placed { .. } | ItemAnswer::Duplicate(_)])
}
