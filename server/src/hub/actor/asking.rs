//! Owns what the task of a room asks the backbone for beside the log: to be told of it, who is here, what it is about.

use std::time::Duration;

use chat_protocol::{RoomName, User};
use tokio::time::sleep;
use tracing::debug;

use super::{Actor, RETRY};
use crate::backbone::{BackboneError, Topic, call};
use crate::hub::Hub;
use crate::hub::desk::Done;

/// How often an open room asks for its topic.
const TOPIC_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether the backbone is asked who is here: once at a time, whatever the number of reasons. A room of thousands is a
/// long answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    No,
    Once,
    /// There was another reason since.
    Again,
}

impl Actor {
    /// Subscribes and learns who is here; waits for as long as the backbone is out of reach.
    pub(super) async fn open(&mut self) {
        loop {
            self.desk.seats.roster.asked();
            match try_open(&self.hub, &self.room).await {
                Ok(known) => {
                    self.topic_asked = self.hub.now();
                    if let Some((users, topics)) = known {
                        topics.into_iter().for_each(|topic| self.handle.topic.hear(topic));
                        // Nothing is taken from the inbox meanwhile: nothing can have happened since.
                        self.desk.seats.load(self.hub.now(), users);
                    }
                    return;
                }
                Err(error) => {
                    debug!(room = %self.room, %error, "cannot open room yet");
                    sleep(RETRY).await;
                }
            }
        }
    }

    pub(super) fn load_roster(&mut self, pause: Duration) {
        if self.room.is_hidden() {
            return;
        }
        if self.asking != Asking::No {
            self.asking = Asking::Again;
            return;
        }
        self.asking = Asking::Once;
        self.desk.seats.roster.asked();
        let (backbone, room) = (self.hub.backbone.clone(), self.room.clone());
        self.desk.calls.push(Box::pin(async move {
            sleep(pause).await;
            Done::Roster(call(backbone.present(&room)).await)
        }));
    }

    pub(super) fn roster_told(&mut self, answer: Result<Vec<User>, BackboneError>) {
        let again = std::mem::replace(&mut self.asking, Asking::No) == Asking::Again;
        let now = self.hub.now();
        let is_loaded = answer.is_ok_and(|users| self.desk.seats.load(now, users));
        if again || !is_loaded {
            self.load_roster(RETRY);
        }
    }

    /// Asking for it prolongs it: it lives as long as the room.
    pub(super) fn keep_topic(&mut self) {
        if self.hub.now() >= self.topic_asked + TOPIC_EVERY {
            self.load_topic();
        }
    }

    pub(super) fn load_topic(&mut self) {
        self.topic_asked = self.hub.now();
        if self.room.is_hidden() {
            return;
        }
        let asked = call(self.hub.backbone.topics(vec![self.room.clone()]));
        self.desk.calls.push(Box::pin(async move { Done::Topic(asked.await) }));
    }
}

/// Subscribes. Who is here, and what the room is about; neither is asked of a user's log.
async fn try_open(hub: &Hub, room: &RoomName) -> Result<Option<(Vec<User>, Vec<Topic>)>, BackboneError> {
    let backbone = &hub.backbone;
    if room.is_hidden() {
        // Never closed.
        let _place = hub.own_places.acquire().await;
        return call(backbone.subscribe(room)).await.map(|()| None);
    }
    call(backbone.subscribe(room)).await?;
    // Behind the subscription: what changes from then on is heard.
    let (present, topics) = (backbone.present(room), backbone.topics(vec![room.clone()]));
    tokio::try_join!(call(present), call(topics)).map(Some)
}
