//! Owns where a room core's words go: calls to the backbone, frames to the seats, and what is counted of both.
//! Knows nothing of what they mean.

use std::collections::HashMap;
use std::sync::Arc;

use chat_protocol::{ErrorMessage, Payload, Person, RoomName, ServerMessage, User};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::Hub;
use super::handle::RoomHandle;
use super::own;
use super::people_calls::PeopleCall;
use super::seats::Seats;
use super::stopwatch::Stopwatch;
use crate::backbone::{self, BackboneError, ItemAnswer, Published, Topic, call};
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::room::{self, ConnId, Frame, Input, Outlet, READ_ENTRIES};

/// Everything of the room that is not the core: where its words go.
pub(super) struct Desk {
    hub: Arc<Hub>,
    room: RoomName,
    pub(super) seats: Seats,
    /// Connections that left before the log's word on what they had said.
    pub(super) gone: HashMap<ConnId, Arc<Outbox>>,
    pub(super) watch: Stopwatch,
    pub(super) calls: FuturesUnordered<BoxFuture<'static, Done>>,
}

/// A call that was answered.
pub(super) enum Done {
    Core(Input),
    /// Which of the calls have failed, and the first reason.
    People(Vec<PeopleCall>, Result<(), BackboneError>),
    Roster(Result<Vec<User>, BackboneError>),
    Topic(Result<Vec<Topic>, BackboneError>),
    Nothing,
}

impl Done {
    /// Why the backbone could not do it.
    pub(super) fn failure(&self) -> Option<&BackboneError> {
        match self {
            Self::Core(input) => input.failure(),
            Self::People(_, answer) => answer.as_ref().err(),
            Self::Roster(answer) => answer.as_ref().err(),
            Self::Topic(answer) => answer.as_ref().err(),
            Self::Nothing => None,
        }
    }
}

impl Desk {
    pub(super) fn new(hub: Arc<Hub>, handle: &RoomHandle) -> Self {
        let room = handle.room.clone();
        let seats = Seats::new(handle, hub.config.timing.leave_hold, hub.metrics.clone());
        let (gone, calls) = (HashMap::new(), FuturesUnordered::new());
        Self { hub, room, seats, gone, watch: Stopwatch::default(), calls }
    }

    /// Says through the backbone that somebody is typing. Should it fail, nobody has missed anything.
    pub(super) fn whisper(&mut self, who: Person) {
        let whisper = call(self.hub.backbone.whisper(&self.room, who));
        self.calls.push(Box::pin(async move {
            drop(whisper.await);
            Done::Nothing
        }));
    }
}

impl Desk {
    /// The log of a user is not shown to its clients: they are told what it means. False: no more for now.
    fn tell_own(&mut self, to: ConnId, frame: Frame) -> bool {
        let Some(seat) = self.seats.seat(to) else { return true };
        let told = own::told(&self.hub, seat, frame);
        told.iter().fold(true, |_, message| seat.outbox.push(Payload::new(message)))
    }
}

impl Outlet for Desk {
    fn call(&mut self, call_: room::Call) {
        let (backbone, room) = (&self.hub.backbone, &self.room);
        let done: BoxFuture<'static, Done> = match call_ {
            room::Call::Head => answered(backbone.head(room), Input::Head),
            room::Call::Read(after) => answered(backbone.read(room, after, READ_ENTRIES), Input::Read),
            room::Call::Page(after) => answered(backbone.page(room, after, READ_ENTRIES), Input::Paged),
            room::Call::Publish(known, items) => {
                timed(backbone.publish(room, Some(known), items), self.hub.metrics.clone())
            }
            room::Call::Repair(run) => answered(backbone.repair(room, run), Input::Repaired),
            room::Call::Ask => answered(backbone.ask(room), Input::Asking),
            room::Call::Create(round, before) => answered(backbone.create(room, round, before), Input::Head),
            room::Call::Answer(to) => {
                let answer = call(backbone.answer(room, &to));
                Box::pin(async move {
                    // An answer that is lost costs the asker half a second.
                    drop(answer.await);
                    Done::Nothing
                })
            }
        };
        self.calls.push(done);
    }

    fn send(&mut self, to: ConnId, frame: Frame) -> bool {
        match &frame {
            Frame::Ack(ack) => {
                let waited = self.watch.acked(to, ack.n, self.hub.now());
                waited.into_iter().for_each(|waited| self.hub.metrics.ack.observe(waited));
            }
            Frame::Error(ErrorMessage { n: Some(n), .. }) => self.watch.refused(to, *n),
            _ => {}
        }
        if self.room.is_hidden() && !matches!(frame, Frame::Fenced) {
            return self.tell_own(to, frame);
        }
        match (frame, self.gone.get(&to)) {
            (Frame::Ack(ack), Some(outbox)) if !self.seats.has(to) => {
                outbox.push(Payload::new(&ServerMessage::Ack(ack)))
            }
            (frame, _) => self.seats.send(to, frame),
        }
    }
}

fn answered<T: Send + 'static>(
    pending: backbone::Call<T>,
    input: impl FnOnce(Result<T, BackboneError>) -> Input + Send + 'static,
) -> BoxFuture<'static, Done> {
    Box::pin(async move { Done::Core(input(call(pending).await)) })
}

/// Publishes a batch, and counts what came of it.
fn timed(pending: backbone::Call<Published>, metrics: Arc<Metrics>) -> BoxFuture<'static, Done> {
    let asked = Instant::now();
    Box::pin(async move {
        let answer = call(pending).await;
        metrics.publish.observe(asked.elapsed());
        if let Ok(Published::Ok { items, .. }) = &answer {
            let placed = items.iter().filter(|item| matches!(item, ItemAnswer::Placed { .. })).count();
            metrics.published.add(placed as u64);
        }
        Done::Core(Input::Published(answer))
    })
}
