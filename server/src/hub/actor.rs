//! Owns the task of one room: takes commands, runs the room core, and lets its desk speak. One task owns all of a room's state, so nothing of it is locked.

use std::sync::Arc;
use std::time::Duration;

use chat_protocol::RoomName;
use futures_util::StreamExt;
use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::desk::{Desk, Done};
use super::handle::{Missed, RoomHandle};
use super::people_calls::PeopleCall;
use super::trouble::Trouble;
use super::typing::Typing;
use super::{Command, Hub};
use crate::backbone::{FeedEvent, call};
use crate::room::{Figures, Input, Moment, RoomCore};

mod asking;

use asking::Asking;

/// Commands taken before the room turns to its calls again.
const COMMANDS_AT_ONCE: usize = 256;
/// Between two tries to open a room while the backbone is out of reach, and to repeat a presence call.
const RETRY: Duration = Duration::from_millis(500);

/// How long a room stays subscribed without members: whoever comes back at once finds it up to date.
const LINGER: Duration = Duration::from_secs(2);
/// The task of one room.
pub(super) struct Actor {
    hub: Arc<Hub>,
    room: RoomName,
    inbox: mpsc::Receiver<Command>,
    handle: RoomHandle,
    core: RoomCore,
    desk: Desk,
    told: Figures,
    /// When the topic was asked for last.
    topic_asked: Moment,
    attention: Attention,
    trouble: Trouble,
    typing: Typing,
    asking: Asking,
}

/// Whether the room's events are wanted: they cost every node that asks for them.
enum Attention {
    /// Somebody is here.
    Awake,
    /// Nobody is, since then.
    Alone(Duration),
    /// The room is not subscribed. What it holds is kept, and is brought when somebody asks.
    Resting,
}

impl Actor {
    pub(super) fn new(
        hub: Arc<Hub>,
        room: RoomName,
        inbox: mpsc::Receiver<Command>,
        handle: RoomHandle,
    ) -> Self {
        let core = RoomCore::new(room.clone(), hub.now());
        let desk = Desk::new(hub.clone(), &handle);
        let attention = Attention::Awake;
        Self {
            hub,
            room,
            inbox,
            handle,
            core,
            desk,
            told: Figures::default(),
            topic_asked: Moment::ZERO,
            attention,
            trouble: Trouble::default(),
            typing: Typing::default(),
            asking: Asking::No,
        }
    }

    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let work = async {
            self.open().await;
            while !self.turn().await {}
        };
        shutdown.run_until_cancelled(work).await;
    }

    /// Waits for something to happen and does it. True: the room is over.
    async fn turn(&mut self) -> bool {
        let now = self.hub.now();
        let due = [self.core.deadline(), self.desk.seats.deadline(), self.rest_at()];
        let due = due.into_iter().flatten().min();
        let wait = due.map(|due| due.saturating_sub(now));
        tokio::select! {
            biased;
            command = self.inbox.recv() => {
                let Some(command) = command else { return true };
                self.take(command).await;
                for _ in 0..COMMANDS_AT_ONCE {
                    let Ok(command) = self.inbox.try_recv() else { break };
                    self.take(command).await;
                }
            }
            Some(done) = self.desk.calls.next(), if !self.desk.calls.is_empty() => self.done(done),
            () = sleep(wait.unwrap_or_default()), if wait.is_some() => self.input(Input::Tick),
        }
        let now = self.hub.now();
        self.handle.take_changes().into_iter().for_each(|change| self.desk.seats.roster.change(now, change));
        self.make_good(self.handle.take_missed());
        self.desk.seats.tell(self.hub.now());
        self.call_people();
        self.keep_topic();
        self.account();
        self.rest().await;
        self.core.is_over(self.hub.now()) && self.desk.calls.is_empty() && self.close().await
    }

    fn rest_at(&self) -> Option<Duration> {
        if let Attention::Alone(since) = self.attention { Some(since + LINGER) } else { None }
    }

    /// A room without members is not subscribed for long.
    async fn rest(&mut self) {
        let now = self.hub.now();
        match self.attention {
            Attention::Awake if self.desk.seats.is_empty() => self.attention = Attention::Alone(now),
            Attention::Alone(_) if !self.desk.seats.is_empty() => self.attention = Attention::Awake,
            Attention::Alone(since) if now >= since + LINGER => {
                // A failure leaves events that nobody here needs.
                drop(timeout(RETRY, self.hub.backbone.unsubscribe(&self.room)).await);
                self.attention = Attention::Resting;
            }
            _ => {}
        }
    }

    /// Somebody comes in: events are wanted again, and what was missed is found out first.
    async fn wake(&mut self) {
        self.open().await;
        self.attention = Attention::Awake;
        self.input(Input::Stale);
    }

    async fn take(&mut self, command: Command) {
        if matches!((&command, &self.attention), (Command::Join(..), Attention::Resting)) {
            self.wake().await;
        }
        self.command(command);
    }

    async fn close(&mut self) -> bool {
        // First the subscription, then the name: a room opened under it meanwhile would lose its own.
        // A failure leaves a subscription without a room: its events are dropped.
        drop(timeout(RETRY, self.hub.backbone.unsubscribe(&self.room)).await);
        let over = self.hub.retire(&self.room, &mut self.inbox);
        if !over {
            self.wake().await;
        }
        over
    }

    fn input(&mut self, input: Input) {
        self.handle.topic.hear_log(&input);
        self.core.handle(self.hub.now(), input, &mut self.desk);
        self.desk.gone.retain(|conn, _| self.core.owes(*conn));
    }

    fn command(&mut self, command: Command) {
        let now = self.hub.now();
        match command {
            Command::Join(joining, seat) => {
                self.desk.seats.sit(joining.conn, seat);
                self.input(Input::Join(joining));
            }
            Command::Leave { conn, lost } => {
                self.input(Input::Leave(conn));
                let outbox = self.desk.seats.stand(now, conn, lost);
                match outbox.filter(|_| !lost && self.core.owes(conn)) {
                    Some(outbox) => drop(self.desk.gone.insert(conn, outbox)),
                    None => self.desk.watch.refused(conn, 0),
                }
            }
            Command::Publish(publishing, at) => {
                if let Some(n) = publishing.n {
                    self.desk.watch.said(publishing.conn, n, at);
                }
                self.input(Input::Publish(publishing));
            }
            Command::Drained(conn) => {
                self.desk.seats.drained(conn);
                self.input(Input::Drained(conn));
            }
            Command::Typing(conn) => self.typing.said(now, conn, &mut self.desk),
            Command::Event(event) => self.event(event),
            // They are taken on every turn.
            Command::Changes => {}
            Command::Stale => self.make_good(Missed::ALL),
            Command::NodeGone(node) => {
                self.desk.seats.roster.node_gone(now, &node);
                // It may be back already, with some of them.
                self.load_roster(Duration::ZERO);
            }
            Command::Register => self.desk.seats.register(),
            Command::Renamed { conn, user } => self.desk.seats.renamed(conn, user),
            Command::Who { after, limit, reply } => {
                let roster = &self.desk.seats.roster;
                // Who asked may be gone.
                drop(reply.send((roster.behind(after.as_ref(), limit), roster.count())));
            }
            Command::Head(reply) => drop(reply.send(self.core.head())),
        }
    }

    fn event(&mut self, event: FeedEvent) {
        match event {
            FeedEvent::Entries { epoch, entries, .. } => self.input(Input::Feed(epoch, entries)),
            FeedEvent::Head { head, .. } => self.input(Input::Round(head)),
            FeedEvent::Ask { from, .. } => self.input(Input::Asked(from)),
            FeedEvent::Answer { from, .. } => self.input(Input::Answered(from)),
            FeedEvent::Typing(_, who) => self.typing.heard(self.hub.now(), &who, &mut self.desk),
            FeedEvent::Presence { .. } | FeedEvent::Fence { .. } | FeedEvent::Stale => {}
        }
    }

    /// Only what was missed: a room of thousands that says anew who is here because it was told too much would be told
    /// so much more.
    fn make_good(&mut self, missed: Missed) {
        if missed.log {
            self.input(Input::Stale);
            self.load_topic();
        }
        if missed.order {
            self.desk.seats.register();
        }
        if missed.people {
            self.load_roster(Duration::ZERO);
        }
    }

    fn done(&mut self, done: Done) {
        match done.failure() {
            Some(error) => {
                self.hub.backbone_failed();
                // While the whole node is cut off that is said already.
                if self.trouble.failed(self.hub.now()) && self.hub.reaches_backbone() {
                    warn!(room = %self.room, %error, "room refused by the backbone, its messages wait");
                    self.desk.seats.tell_refused();
                }
            }
            None if matches!(done, Done::Core(_)) => self.trouble.over(),
            None => {}
        }
        match done {
            Done::Core(input) => self.input(input),
            Done::People(failed, answer) => {
                if let Err(error) = answer {
                    debug!(room = %self.room, %error, "presence calls failed, again");
                }
                self.desk.seats.calls.answered(failed);
            }
            Done::Roster(answer) => self.roster_told(answer),
            Done::Topic(Ok(topic)) => topic.into_iter().for_each(|topic| self.handle.topic.hear(topic)),
            // What was said since comes through the log; the rest is asked for with what follows a lost link.
            Done::Topic(Err(_)) | Done::Nothing => {}
        }
    }

    /// Who came and went is said, of each user in order.
    fn call_people(&mut self) {
        let Some((next, pause)) = self.desk.seats.calls.next() else { return };
        let (backbone, room) = (self.hub.backbone.clone(), self.room.clone());
        self.desk.calls.push(Box::pin(async move {
            if pause {
                sleep(RETRY).await;
            }
            let answers = next.iter().map(|next| match next {
                PeopleCall::Enter(user) => call(backbone.enter(&room, user.clone())),
                PeopleCall::Exit { user, lost } => call(backbone.exit(&room, user, *lost)),
            });
            let answers = join_all(answers.collect::<Vec<_>>()).await;
            let failed = next.into_iter().zip(&answers).filter(|(_, answer)| answer.is_err());
            let failed = failed.map(|(call, _)| call).collect();
            Done::People(failed, answers.into_iter().collect())
        }));
    }

    /// Counts what this turn has brought, and logs what was out of the ordinary.
    fn account(&mut self) {
        if self.room.is_hidden() {
            // What is counted are rooms in which people speak.
            return;
        }
        let metrics = &self.hub.metrics;
        metrics.delivered.add(self.desk.seats.take_delivered());
        let figures = self.core.figures();
        if figures != self.told {
            let before = std::mem::replace(&mut self.told, figures);
            metrics.reads.add(figures.reads - before.reads);
            metrics.repairs.add(figures.repairs - before.repairs);
            metrics.rewinds.add(figures.rewinds - before.rewinds);
            metrics.resets.add(figures.resets - before.resets);
            metrics.orphans_dropped.add(figures.orphans_dropped - before.orphans_dropped);
            if figures.orphans_dropped > before.orphans_dropped {
                warn!(room = %self.room, dropped = figures.orphans_dropped, "entries of a lost history left to their authors");
            } else if (figures.repairs, figures.resets, figures.rewinds)
                != (before.repairs, before.resets, before.rewinds)
            {
                warn!(room = %self.room, ?figures, "room recovered");
            }
        }
    }
}
