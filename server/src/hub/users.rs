//! Owns the users with clients on this node: their states, folded from the logs of their hidden rooms, and what
//! follows from a change for their clients here. Knows no transport.

use std::collections::BTreeMap;
use std::sync::Arc;

use chat_protocol::{Epoch, Person, RoomName, Seq, User, UserId, UserName};
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;

use super::names::Names;
use super::record::{Writer, new_writer};
use super::{Command, Hub, Joined};
use crate::backbone::{BackboneError, Place, call};
use crate::directory::guest_name;
use crate::room::ConnId;
use crate::user::{Deed, Reading, SNAPSHOT_EVERY, UserEntry, UserState};

/// Entries of a user's log read at once: as a rule all that stands behind its last snapshot.
const PAGE_ENTRIES: usize = 256;
/// Users whose states are said anew at once.
const RESTATED_AT_ONCE: usize = 16;

/// What others see of a user, shared by all its connections on this node.
#[derive(Debug)]
pub(crate) struct Profile(Mutex<Shown>);

#[derive(Debug, Clone)]
struct Shown {
    name: UserName,
    away: Option<String>,
}

impl Profile {
    pub(crate) fn new(name: UserName, away: Option<String>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Shown { name, away })))
    }

    pub(crate) fn name(&self) -> UserName {
        self.0.lock().name.clone()
    }

    /// For a guest, who has no log.
    pub(crate) fn rename(&self, name: UserName) -> UserName {
        std::mem::replace(&mut self.0.lock().name, name)
    }

    /// The user as seen on a node.
    pub(crate) fn user(&self, user: &UserId, node: &chat_protocol::NodeId) -> User {
        let Shown { name, away } = self.0.lock().clone();
        User { user_id: user.clone(), username: name.to_string(), node: node.clone(), away }
    }
}

/// A user with clients on this node.
pub(super) struct Online {
    pub(super) profile: Arc<Profile>,
    pub(super) state: UserState,
    /// Where the fold of the log stands.
    pub(super) at: Option<(Epoch, Seq)>,
    /// Entries behind the last snapshot.
    since: u64,
    sessions: BTreeMap<ConnId, Arc<Joined>>,
    pub(super) writer: Writer,
    names: Arc<Names>,
    /// The entry that was news last: each connection is told of it.
    news: Option<Seq>,
    /// What those it writes to are called by now is, or was, looked up.
    pub(super) peers_asked: bool,
}

/// Whether an entry says what was not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    Yes,
    No,
}

/// A user as its log tells it.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) state: UserState,
    /// The log's head when it was read; none: there is no log yet.
    pub(crate) place: Option<Place>,
    since: u64,
}

impl Online {
    /// A later hello may have read more of the log than was heard here: a slow connection lags behind it.
    fn catch_up(&mut self, told: &Told) {
        let Some(place) = &told.place else { return };
        match self.at {
            Some((epoch, at)) if epoch == place.epoch && at >= place.seq => {}
            Some((epoch, _)) if epoch == place.epoch => {
                (self.state, self.since) = (told.state.clone(), told.since);
                self.at = Some((place.epoch, place.seq));
            }
            _ => self.state.take(&Deed::Snapshot { upto: None, state: told.state.clone() }),
        }
    }
}

impl Hub {
    /// Reads a user from its log.
    pub(crate) async fn read_user(&self, user: &UserId) -> Result<Told, BackboneError> {
        let room = RoomName::of_user(user);
        let (mut reading, mut before, mut place) = (Reading::default(), None, None);
        while let Some((head, entries)) = call(self.backbone.history(&room, before, PAGE_ENTRIES)).await? {
            let at = place.get_or_insert_with(|| head.place.clone());
            let oldest = entries.first().map(|entry| entry.seq);
            let page = entries.iter().filter_map(|entry| Some((entry.seq, parse(&entry.body)?)));
            let enough =
                at.epoch != head.place.epoch || reading.take(at.epoch, page.collect::<Vec<_>>().into_iter());
            before = oldest.filter(|oldest| !enough && *oldest > head.first);
            if before.is_none() {
                break;
            }
        }
        let (state, since) = reading.fold();
        Ok(Told { state, place, since })
    }

    /// A client of a user is on this node. What it shares with the user's other connections here.
    pub(crate) fn user_online(
        &self,
        user: &UserId,
        name: &UserName,
        (conn, rooms): (ConnId, Arc<Joined>),
        told: &Told,
    ) -> Arc<Profile> {
        let mut users = self.users.lock();
        let online = users.entry(user.clone()).or_insert_with(|| Online {
            profile: Profile::new(name.clone(), told.state.away.clone()),
            state: told.state.clone(),
            at: told.place.as_ref().map(|place| (place.epoch, place.seq)),
            since: told.since,
            sessions: BTreeMap::new(),
            writer: Arc::new(tokio::sync::Mutex::new(new_writer())),
            names: Arc::default(),
            news: None,
            peers_asked: false,
        });
        online.catch_up(told);
        if name.key() == online.profile.name().key() || online.sessions.is_empty() {
            online.names.note(name);
        }
        online.sessions.insert(conn, rooms);
        online.profile.clone()
    }

    /// A client of a user is gone; the names to give back where it was the last one here.
    pub(crate) fn user_offline(&self, user: &UserId, conn: ConnId) -> Option<Arc<Names>> {
        let mut users = self.users.lock();
        let online = users.get_mut(user)?;
        online.sessions.remove(&conn);
        if !online.sessions.is_empty() {
            return None;
        }
        users.remove(user).map(|online| online.names)
    }

    /// The backbone has given a name to a user who is online here.
    pub(crate) fn name_claimed(&self, user: &UserId, name: &UserName) {
        if let Some(online) = self.users.lock().get(user) {
            online.names.note(name);
        }
    }

    /// A name that was claimed did not become the user's: it is given back.
    pub(crate) fn name_not_taken(self: &Arc<Self>, user: &UserId) {
        if let Some(online) = self.users.lock().get(user) {
            self.keep_name(user.clone(), online.names.clone(), online.profile.clone());
        }
    }

    /// True where a user's log holds a room of two.
    pub(crate) async fn has_direct(&self, user: &UserId, room: &RoomName) -> Result<bool, BackboneError> {
        match self.of_user(user, |state| state.direct.contains_key(room)) {
            Some(true) => Ok(true),
            _ => Ok(self.read_user(user).await?.state.direct.contains_key(room)),
        }
    }

    /// What is known of a user who is online here.
    pub(crate) fn of_user<T>(&self, user: &UserId, look: impl FnOnce(&UserState) -> T) -> Option<T> {
        self.users.lock().get(user).map(|online| look(&online.state))
    }

    /// The name under which a user who is online here is seen.
    pub(crate) fn shown_name(&self, user: &UserId) -> Option<String> {
        self.users.lock().get(user).map(|online| online.profile.name().to_string())
    }

    /// A user by name or id, with the name it has now; none: nobody.
    pub(crate) async fn find_user(&self, wanted: &str) -> Result<Option<Person>, BackboneError> {
        let owner = match UserName::parse(wanted) {
            Ok(name) => call(self.backbone.name_owner(&name.key())).await?,
            Err(_) => None,
        };
        if let Some(user_id) = owner {
            let name = self.name_of(&user_id).await?.map(|name| name.to_string());
            return Ok(Some(Person { user_id, username: name.unwrap_or_else(|| wanted.to_owned()) }));
        }
        let Ok(user_id) = UserId::parse(wanted) else { return Ok(None) };
        if let Some(username) = self.shown_name(&user_id) {
            return Ok(Some(Person { user_id, username }));
        }
        let told = self.read_user(&user_id).await?;
        // Who has a log was here, also where the name is on its way into it.
        let name = told.state.name.or_else(|| told.place.map(|_| guest_name(&user_id)));
        Ok(name.map(|name| Person { user_id, username: name.to_string() }))
    }

    /// The name a user has, or had last; none: nobody has been here under that id.
    pub(crate) async fn name_of(&self, user: &UserId) -> Result<Option<UserName>, BackboneError> {
        if let Some(online) = self.users.lock().get(user) {
            return Ok(Some(online.profile.name()));
        }
        Ok(self.read_user(user).await?.state.name)
    }

    /// The next entry of a user's log has come.
    pub(super) fn user_entry(self: &Arc<Self>, user: &UserId, seq: Seq, entry: &UserEntry) -> News {
        let mut users = self.users.lock();
        let Some(online) = users.get_mut(user) else { return News::No };
        // Each connection is told of it; it counts once.
        let Some((epoch, at)) = online.at.filter(|(_, at)| *at < seq) else {
            return if online.news == Some(seq) { News::Yes } else { News::No };
        };
        let known = matches!(&entry.deed, Deed::Snapshot { upto: Some((life, upto)), .. } if *life == epoch && *upto <= at);
        online.at = Some((epoch, seq));
        online.since += 1;
        let before = online.state.clone();
        if !known {
            online.state.take(&entry.deed);
        }
        let is_news = before != online.state;
        online.news = is_news.then_some(seq);
        if matches!(entry.deed, Deed::Snapshot { upto: Some(_), .. }) {
            online.since = 0;
        } else if online.since >= SNAPSHOT_EVERY {
            // Whoever comes next reads one page.
            online.since = 0;
            snapshot(online, online.at).into_iter().for_each(|entry| self.record_soon(user.clone(), entry));
        }
        self.adopt(user, online);
        if is_news { News::Yes } else { News::No }
    }

    /// Takes what the log of a user holds who was not known to have one.
    pub(super) fn user_known(self: &Arc<Self>, user: &UserId, state: UserState) {
        if let Some(online) = self.users.lock().get_mut(user) {
            online.state.take(&Deed::Snapshot { upto: None, state });
            self.adopt(user, online);
        }
    }

    /// The fold of a user's log goes on behind this place: its history is another one.
    pub(super) fn user_moved(&self, user: &UserId, epoch: Epoch, seq: Seq) {
        if let Some(online) = self.users.lock().get_mut(user) {
            online.at = Some((epoch, seq));
        }
    }

    /// A user's log stands there. True where none was known.
    pub(super) fn user_begun(&self, user: &UserId, epoch: Epoch, seq: Seq) -> bool {
        let mut users = self.users.lock();
        let Some(online) = users.get_mut(user) else { return false };
        let is_first = online.at.is_none();
        online.at.get_or_insert((epoch, seq));
        is_first
    }

    /// Whom the user ignores, for its clients here.
    pub(super) fn ignored_by(&self, user: &UserId) -> Vec<Person> {
        self.of_user(user, UserState::ignored).unwrap_or_default()
    }

    /// Shows the user under its name of now, and as away, in all rooms of its connections here.
    fn adopt(self: &Arc<Self>, user: &UserId, online: &Online) {
        let mut shown = online.profile.0.lock();
        let name = online.state.name.clone().unwrap_or_else(|| shown.name.clone());
        let was =
            std::mem::replace(&mut *shown, Shown { name: name.clone(), away: online.state.away.clone() });
        if was.name == name && was.away == shown.away {
            return;
        }
        let sessions: Vec<_> = online.sessions.iter().map(|(conn, rooms)| (*conn, rooms.all())).collect();
        drop(shown);
        if was.name.key() != name.key() {
            self.keep_name(user.clone(), online.names.clone(), online.profile.clone());
        }
        let (hub, user, profile) = (self.clone(), user.clone(), online.profile.clone());
        self.aside(async move {
            for (conn, rooms) in sessions {
                for room in rooms {
                    room.send(Command::Renamed { conn, user: profile.user(&user, hub.node()) }).await;
                }
            }
        });
    }

    /// Says anew what is known of the users here: what has lost the lease may have lost the beginnings of their logs.
    pub(super) async fn restate_all(self: &Arc<Self>) {
        let users: Vec<UserId> = self.users.lock().keys().cloned().collect();
        let said = users.into_iter().map(async |user| {
            // At no place: others may know less of what lies before it.
            let entry = self.users.lock().get(&user).and_then(|online| snapshot(online, None));
            if let Some(entry) = entry {
                drop(self.record(&user, &entry).await);
            }
        });
        stream::iter(said).buffer_unordered(RESTATED_AT_ONCE).collect::<()>().await;
    }
}

fn snapshot(online: &Online, upto: Option<(Epoch, Seq)>) -> Option<UserEntry> {
    let state = online.state.clone();
    let entry = UserEntry { by: None, re: None, deed: Deed::Snapshot { upto, state } };
    (online.state != UserState::default()).then_some(entry)
}

/// An entry of a user's log; none: a newer release wrote it.
fn parse(body: &[u8]) -> Option<UserEntry> {
    serde_json::from_slice(body).ok()
}
