//! Owns the two vocabularies in which network and front-end meet: what the front asks ([`NetCommand`]) and
//! what the network tells ([`NetEvent`]). Plain data; knows neither sockets nor screens.

use std::time::Duration;

use chat_protocol::{
    Epoch, ErrorCode, Kind, MessageId, Person, Presence, Re, RoomMessage, RoomName, SearchFrom, Seq,
    ServerMessage, User, UserId, UserName, WelcomeRoom,
};
use serde::{Deserialize, Serialize};

pub use super::status::{DialStep, LinkState, LinkStatus, Recovery, Totals, Transport};

/// A moment: time since the program started, on a clock that never goes back.
pub type Moment = Duration;

/// A message written here, from the key press until its author sees it in the log. Unique in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutId(pub u64);

/// A message in a room's log that something is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its place.
    pub seq: Seq,
    /// Its identity: finds it also where a rewind has moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
}

/// What is written here: a message, or what is to become of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The text; of a delete none.
    pub content: String,
    /// What it is when not plain speech: [`Kind::Action`], [`Kind::Edit`], [`Kind::Delete`].
    pub kind: Option<Kind>,
    /// What is edited, deleted, or replied to.
    pub of: Option<Target>,
}

/// What the front-end asks of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetCommand {
    /// Enter a room; stays wished for through every reconnect.
    Join(RoomName),
    /// Leave a room.
    Leave(RoomName),
    /// Say something; answered by [`NetEvent::Out`]s, whatever happens.
    Say {
        /// Names the message in the answers.
        out: OutId,
        /// Where.
        room: RoomName,
        /// What.
        content: String,
        /// [`Kind::Action`] for `/me`.
        kind: Option<Kind>,
    },
    /// Say something about a message: a reply, an edit, a delete; answered as [`NetCommand::Say`] is.
    SayOf {
        /// Names it in the answers.
        out: OutId,
        /// Where.
        room: RoomName,
        /// What.
        words: Words,
    },
    /// Say what a room is about; its receipt is the entry.
    Topic {
        /// Which.
        room: RoomName,
        /// One line; empty: about nothing in particular.
        text: String,
    },
    /// Up to `limit` entries before `before`; answered by [`NetEvent::History`].
    History {
        /// Where.
        room: RoomName,
        /// The oldest place at hand; none: the newest page.
        before: Option<Seq>,
        /// At most so many.
        limit: usize,
    },
    /// A part of a room's log, apart from the backlog that [`Self::History`] fills: what stands around a message that
    /// was found, say. Answered by [`NetEvent::Looked`].
    Look {
        /// Where.
        room: RoomName,
        /// Which part.
        window: Window,
        /// At most so many entries.
        limit: usize,
    },
    /// Words in logs; answered by [`NetEvent::Answer`] with what was found, the newest first, and where to go on.
    Search {
        /// Words and conditions.
        query: String,
        /// Where; none: in all rooms that were entered.
        room: Option<RoomName>,
        /// Where an earlier answer said to go on.
        from: Option<SearchFrom>,
        /// Goes on until so many were found, or what a server allows at once was looked through.
        limit: Option<usize>,
    },
    /// Who is in a room; answered by [`NetEvent::Answer`].
    Who(RoomName),
    /// The room directory; answered by [`NetEvent::Answer`].
    Rooms,
    /// The cluster's nodes; answered by [`NetEvent::Answer`].
    Nodes,
    /// Take another name.
    Rename(UserName),
    /// Open the room with another user, by name or id; answered by [`NetEvent::Direct`].
    Direct(String),
    /// Be away, for a reason; without one: be back.
    Away(String),
    /// Hide what a user says, on all clients of ours; or show it again.
    Ignore {
        /// Name or user id.
        user: String,
        /// Show it again.
        off: bool,
    },
    /// A room was shown up to a place.
    Read {
        /// The room.
        room: RoomName,
        /// The place, in the log's present life.
        seq: Seq,
    },
    /// The user is typing there; dropped where it cannot be told at once.
    Typing(RoomName),
    /// Stop waiting and dial.
    ReconnectNow,
}

impl NetCommand {
    /// What is numbered and kept until it is in the log, whatever it is.
    pub(super) fn into_words(self) -> Result<(OutId, RoomName, Words), Self> {
        match self {
            Self::Say { out, room, content, kind } => Ok((out, room, Words { content, kind, of: None })),
            Self::SayOf { out, room, words } => Ok((out, room, words)),
            other => Err(other),
        }
    }
}

/// What the network tells the front-end, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetEvent {
    /// The link's state or figures changed.
    Link(LinkStatus),
    /// The server knows us.
    Welcome {
        /// Our user.
        user_id: UserId,
        /// The name we have.
        name: String,
        /// The name we asked for, where it was taken.
        name_wanted: Option<String>,
    },
    /// What the servers know of our user; follows each welcome.
    Own {
        /// Why we are away.
        away: Option<String>,
        /// Whom we ignore.
        ignored: Vec<Person>,
        /// Our rooms, and how far we have read them.
        rooms: Vec<WelcomeRoom>,
    },
    /// A room with another user is open.
    Direct {
        /// The room.
        room: RoomName,
        /// The other one. The name is not sanitized.
        with: Person,
        /// We have asked for it here.
        asked: bool,
    },
    /// Another client of ours has read a room up to a place.
    Read {
        /// The room.
        room: RoomName,
        /// The place, in the log's present life.
        seq: Seq,
    },
    /// Whom we ignore, all of them.
    Ignored(Vec<Person>),
    /// We are away, for this reason; or are not.
    Away(Option<String>),
    /// We are in a room (again): its users as they are now.
    Joined {
        /// The room.
        room: RoomName,
        /// At most 500 of its users.
        users: Vec<User>,
        /// How many there are.
        count: usize,
        /// Which life of its log: places count within it.
        epoch: Epoch,
        /// Its log's head: what we do not have of it is history.
        head: Seq,
        /// What it is about. Not sanitized.
        topic: String,
    },
    /// We are no longer in a room.
    Left(RoomName),
    /// Users came, went, moved.
    Presence(Presence),
    /// Another user is typing.
    Typing {
        /// Where.
        room: RoomName,
        /// Who.
        user_id: UserId,
        /// The name now; sanitize it before showing it.
        name: String,
    },
    /// A user's name changed.
    Renamed {
        /// Who.
        user_id: UserId,
        /// The name now.
        name: String,
        /// The name before.
        was: Option<String>,
    },
    /// The next entry of a room's log: in order, each once.
    Entry {
        /// The entry. Its texts are not sanitized.
        message: RoomMessage,
        /// Our own: replaces the pending line of this name.
        out: Option<OutId>,
        /// Live, or replayed after a reconnect.
        origin: Origin,
    },
    /// Something became of a message written here.
    Out {
        /// Which.
        out: OutId,
        /// Where.
        room: RoomName,
        /// What.
        state: OutState,
    },
    /// Drop the entries above `to`: the history that won follows as entries.
    Rewound {
        /// The room.
        room: RoomName,
        /// The last place that stands.
        to: Seq,
    },
    /// History is gone. What is shown stays; new entries count from another place.
    Reset {
        /// The room.
        room: RoomName,
        /// Which life of its log follows; the same where it only lost its beginning.
        epoch: Epoch,
        /// The first place that is gone.
        lost_from: Seq,
        /// The last; none if nobody alive knows it.
        lost_to: Option<Seq>,
        /// `trimmed` or `epoch`.
        reason: String,
    },
    /// A page of older entries, oldest first. Empty with `more`: it could not be had now, and may be asked for again.
    History {
        /// The room.
        room: RoomName,
        /// The entries.
        messages: Vec<RoomMessage>,
        /// There are older ones.
        more: bool,
    },
    /// A part of a log as it is now, oldest first.
    Looked {
        /// The room.
        room: RoomName,
        /// Which part was asked for.
        window: Window,
        /// Which life of its log.
        epoch: Epoch,
        /// The entries.
        messages: Vec<RoomMessage>,
        /// There are newer ones.
        more: bool,
    },
    /// The answer to [`NetCommand::Who`], [`NetCommand::Rooms`], [`NetCommand::Search`] or [`NetCommand::Nodes`]; where it
    /// came in pages, all of them.
    Answer(ServerMessage),
    /// Something went wrong that a person should know.
    Trouble {
        /// Where, if in a room.
        room: Option<RoomName>,
        /// The wire's code.
        code: ErrorCode,
        /// In words.
        text: String,
    },
}

/// A part of a room's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The entries behind a place.
    After(Seq),
    /// As many before a place as behind it, and what stands there.
    Around(Seq),
}

impl Window {
    /// What marks the question for this part, and its answer.
    pub(crate) fn mark(self) -> Re {
        let mark = match self {
            Self::After(seq) => format!("after-{seq}"),
            Self::Around(seq) => format!("around-{seq}"),
        };
        Re::parse(&mark).expect("a few letters and digits")
    }

    /// Which part an answer with this mark is.
    pub(crate) fn of(mark: &Re) -> Option<Self> {
        let (what, seq) = mark.as_str().split_once('-')?;
        let seq = Seq(seq.parse().ok()?);
        match what {
            "after" => Some(Self::After(seq)),
            "around" => Some(Self::Around(seq)),
            _ => None,
        }
    }
}

/// How an entry came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// As it happened.
    Live,
    /// After a reconnect: it was missed, and recovered.
    Replayed,
}

/// What became of a message written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutState {
    /// In the outbox: the link is down or the room not entered.
    Queued,
    /// On its way, not acknowledged yet.
    Sent,
    /// In the log for good.
    Acked,
    /// Will never arrive, with the reason.
    Failed(String),
}
