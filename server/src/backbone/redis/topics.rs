//! Owns what rooms are about in Redis: one key a room, of which the later word stands. It lives as long as the room's
//! log may: whoever sets it or asks for it, and every node that has the room open each day, prolongs it.

use chat_protocol::RoomName;
use futures_util::{StreamExt, TryStreamExt, stream};
use redis::Value;

use super::answers::{Row, understood};
use super::people::{People, text};
use super::scripts::{self, Eval};
use super::{Answer, keys};
use crate::backbone::Topic;

/// How long a topic stays where nobody asks for it, in seconds: as long as a log in which nothing is said.
pub(super) const TOPIC_KEPT_S: u64 = 31 * 86_400;
/// Rooms asked for at once.
const ASKED_AT_ONCE: usize = 64;

impl People {
    pub(super) async fn set_topic(&self, room: &RoomName, topic: Topic) -> Answer<()> {
        let key = keys::topic(room);
        let eval = Eval::of(&scripts::TOPIC).keys([&key]).arg(topic.at_ms).arg(topic.text).arg(TOPIC_KEPT_S);
        self.eval(eval, &key).await.map(|_| ())
    }

    pub(super) async fn topics(&self, rooms: Vec<RoomName>) -> Answer<Vec<Topic>> {
        let asked = rooms.into_iter().map(async |room| self.topic(&room).await);
        stream::iter(asked).buffered(ASKED_AT_ONCE).try_collect().await
    }

    async fn topic(&self, room: &RoomName) -> Answer<Topic> {
        let key = keys::topic(room);
        let mut ask = redis::pipe();
        ask.cmd("HMGET").arg(&key).arg("at").arg("text").cmd("EXPIRE").arg(&key).arg(TOPIC_KEPT_S);
        let kept = self.topology.of(&key).pipeline(&ask).await?.into_iter().next();
        understood("the topic of a room", kept.and_then(topic))
    }
}

/// When it was said, and what.
pub(super) fn topic(kept: Value) -> Option<Topic> {
    match Row::of(kept)?.collect::<Vec<Value>>().as_slice() {
        [Value::Nil, _] => Some(Topic::default()),
        [at, said] => Some(Topic { at_ms: text(at.clone())?.parse().ok()?, text: text(said.clone())? }),
        _ => None,
    }
}
