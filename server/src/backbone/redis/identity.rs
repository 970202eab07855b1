//! Owns who is who in Redis: names, whose each client is, what users are remembered by, the key that signs sessions.
//! After a flush nobody new is given anything of it before every node had the time to say what it knows.

use std::collections::HashSet;
use std::time::Duration;

use chat_protocol::{ClientId, RoomName, UserId};
use futures_util::{StreamExt, TryStreamExt, stream};
use redis::Value;
use tokio::time::sleep;

use super::answers::{Row, understood};
use super::people::{DEAD_KEPT, People, REGISTERED_S, text};
use super::scripts::{self, Eval};
use super::{Answer, keys, start};
use crate::backbone::{Known, Rank};

/// Rooms remembered for one user; further ones are entered, but not remembered.
const REMEMBERED_MAX: usize = 256;
/// How long users and their clients are remembered beyond their last visit, in seconds.
const USER_KEPT_S: u64 = 90 * 86_400;
/// By then every node has noticed that a database was emptied, and said what it knows: a lease is renewed each second.
const REMINDED_WITHIN: Duration = Duration::from_secs(2);
/// For what a node says of those it has: it is theirs, however young the database.
const ANY_AGE: Duration = Duration::ZERO;
/// What scripts answer where the database is too young.
const YOUNG: &str = "YOUNG";
/// What a script answers where a client is another user's.
const FOREIGN: &str = "FOREIGN";
/// Calls under way at once while that is said.
const REMINDED_AT_ONCE: usize = 64;

impl People {
    pub(super) async fn claim_name(&self, key: &str, user: &UserId) -> Answer<bool> {
        self.claim(key, user, REMINDED_WITHIN).await
    }

    /// In a database that is ours for so long.
    async fn claim(&self, key: &str, user: &UserId, age: Duration) -> Answer<bool> {
        let name = keys::name(key);
        let mut broken = String::new();
        loop {
            let eval =
                Eval::of(&scripts::CLAIM).keys([name.as_str(), keys::FORMAT]).arg(user).arg(self.life());
            let eval = eval.arg(REGISTERED_S).arg(&broken).arg(age.as_millis());
            let answer = self.eval(eval, &name).await?;
            if answer == Value::Int(1) {
                self.registered.lock().insert(name);
                return Ok(true);
            }
            if is_word(&answer, YOUNG) {
                self.others_have_reminded().await?;
                continue;
            }
            let read = || {
                let mut row = Row::of(answer)?;
                let (owner, at, now) = (row.text()?, row.number()?, row.number()?);
                Some((owner, at, now, row.map(text).collect::<Option<HashSet<String>>>()?))
            };
            let (owner, at, now, claimed_by) = understood("a name", read())?;
            let (_, lives) = self.lives(DEAD_KEPT).await?;
            let online = lives.iter().filter(|life| claimed_by.contains(&life.life)).map(|life| life.until);
            let last = online.max().unwrap_or_default().max(at);
            if last + self.name_hold.as_millis() as u64 > now {
                return Ok(false);
            }
            // Nobody has held it for long enough: broken, if it is still this claim.
            broken = format!("{owner} {at}");
        }
    }

    pub(super) async fn name_owner(&self, key: &str) -> Answer<Option<UserId>> {
        let name = keys::name(key);
        let owner = self.topology.of(&name).query(redis::cmd("HGET").arg(&name).arg("u")).await?;
        if owner == Value::Nil {
            return Ok(None);
        }
        let read = text(owner).and_then(|owner| UserId::parse(&owner).ok());
        understood("the owner of a name", read).map(Some)
    }

    pub(super) async fn release_name(&self, key: &str, user: &UserId) -> Answer<()> {
        let name = keys::name(key);
        self.registered.lock().remove(&name);
        let eval = Eval::of(&scripts::RELEASE).keys([&name]).arg(user).arg(self.life());
        self.eval(eval.arg(self.name_hold.as_secs() + 1), &name).await.map(|_| ())
    }

    pub(super) async fn remember(&self, user: &UserId, room: &RoomName, joined: bool) -> Answer<()> {
        let key = keys::joined(user);
        if !joined {
            let forget = self.topology.of(&key).query(redis::cmd("SREM").arg(&key).arg(room.as_str())).await;
            return forget.map(|_| ());
        }
        let eval = Eval::of(&scripts::REMEMBER).keys([&key]).arg(room).arg(REMEMBERED_MAX).arg(USER_KEPT_S);
        self.eval(eval, &key).await.map(|_| ())
    }

    pub(super) async fn remembered(&self, user: &UserId) -> Answer<Vec<RoomName>> {
        let key = keys::joined(user);
        let mut ask = redis::pipe();
        ask.cmd("SMEMBERS").arg(&key).cmd("EXPIRE").arg(&key).arg(USER_KEPT_S);
        let rooms = self.topology.of(&key).pipeline(&ask).await?.into_iter().next();
        let read = || Row::of(rooms?)?.map(|name| RoomName::parse(&text(name)?).ok()).collect();
        let mut rooms: Vec<RoomName> = understood("the rooms of a user", read())?;
        rooms.sort();
        Ok(rooms)
    }

    pub(super) async fn session_key(&self, offered: [u8; 32]) -> Answer<[u8; 32]> {
        self.others_have_reminded().await?;
        self.offer_session_key(offered).await?;
        let primary = self.topology.of(keys::SESSION_KEY);
        let key = primary.query(redis::cmd("GET").arg(keys::SESSION_KEY)).await?;
        let read = if let Value::BulkString(key) = key { key.try_into().ok() } else { None };
        understood("the session key", read)
    }

    async fn offer_session_key(&self, offered: [u8; 32]) -> Answer<()> {
        let primary = self.topology.of(keys::SESSION_KEY);
        primary.query(redis::cmd("SETNX").arg(keys::SESSION_KEY).arg(&offered[..])).await.map(|_| ())
    }

    pub(super) async fn fence(&self, client: &ClientId, user: &UserId, generation: u64) -> Answer<Rank> {
        loop {
            let answer = self.register(client, user, generation, REMINDED_WITHIN).await?;
            if is_word(&answer, YOUNG) {
                self.others_have_reminded().await?;
                continue;
            }
            let rank = match answer {
                Value::Int(before) => Some(Rank::of(generation, u64::try_from(before).unwrap_or_default())),
                answer => is_word(&answer, FOREIGN).then_some(Rank::Foreign),
            };
            return understood("the user of a client", rank);
        }
    }

    /// The script's word; the nodes are told of a connection that counts where the database has to be of an age.
    async fn register(
        &self,
        client: &ClientId,
        user: &UserId,
        generation: u64,
        age: Duration,
    ) -> Answer<Value> {
        let key = keys::client(client);
        let eval = Eval::of(&scripts::FENCE).keys([key.as_str(), keys::FORMAT, &self.channels.all()]);
        let eval = eval.arg(user).arg(generation).arg(USER_KEPT_S).arg(age.as_millis());
        self.eval(eval.arg("PUBLISH").arg(format!("F {client} ")), &key).await
    }

    /// Puts back what a flush may have taken, as many calls at once as the connection bears.
    pub(super) async fn remind(&self, known: Known) -> Answer<()> {
        if let Some(key) = known.session_key {
            self.offer_session_key(key).await?;
        }
        let names = known
            .names
            .into_iter()
            .map(async |(key, user)| self.claim(&key, &user, ANY_AGE).await.map(|_| ()));
        stream::iter(names).buffer_unordered(REMINDED_AT_ONCE).try_collect::<()>().await?;
        let topics = known.topics.into_iter().map(async |(room, topic)| self.set_topic(&room, topic).await);
        stream::iter(topics).buffer_unordered(REMINDED_AT_ONCE).try_collect::<()>().await?;
        let clients = known.clients.into_iter();
        let clients = clients.map(async |(client, user, generation)| {
            self.register(&client, &user, generation, ANY_AGE).await.map(|_| ())
        });
        stream::iter(clients).buffer_unordered(REMINDED_AT_ONCE).try_collect().await
    }

    /// Waits, in a database that has only just begun, until every node had the time to say what it knows: before
    /// that a stranger could take what somebody else has.
    async fn others_have_reminded(&self) -> Answer<()> {
        let primary = self.topology.of(keys::FORMAT);
        loop {
            let mut ask = redis::pipe();
            ask.cmd("GET").arg(keys::FORMAT).cmd("TIME");
            let mut answers = primary.pipeline(&ask).await?.into_iter();
            let since = answers.next().and_then(text).map(|format| start::since(&format));
            let mut read = || {
                let mut time = Row::of(answers.next()?)?;
                Some(Duration::from_secs(time.number()?) + Duration::from_micros(time.number()?))
            };
            let now = understood("the time", read())?;
            let Some(since) = since else {
                // Emptied under our feet: from now on it is young.
                let format = start::format(now);
                primary.query(redis::cmd("SETNX").arg(keys::FORMAT).arg(format)).await?;
                continue;
            };
            match REMINDED_WITHIN.checked_sub(now.saturating_sub(since)) {
                Some(left) if !left.is_zero() => sleep(left).await,
                _ => return Ok(()),
            }
        }
    }
}

/// True where a script has answered with that word.
fn is_word(answer: &Value, word: &str) -> bool {
    matches!(answer, Value::BulkString(bytes) if bytes == word.as_bytes())
}
