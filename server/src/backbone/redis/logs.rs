//! Owns what is asked of the logs of rooms: packs the question, runs the script that decides, reads its answer.

use std::sync::Arc;
use std::time::Duration;

use chat_protocol::{ClientId, Epoch, RoomName, Seq};
use jiff::Timestamp;

use tokio::time::sleep;

use super::answers::{self, understood};
use super::keys::{self, Channels};
use super::people::People;
use super::replication::Replication;
use super::scripts::{self, Eval};
use super::supervise::Gate;
use super::topics::TOPIC_KEPT_S;
use super::topology::Topology;
use super::{Answer, entry};
use crate::backbone::{Asked, Entry, Glance, Head, Item, Page, Place, Published, Repaired, Run};

/// Entries kept in a log.
const LOG_ENTRIES_MAX: usize = 10_000;
/// Longest pause asked for while other nodes are waited for.
const GATE_PAUSE: Duration = Duration::from_millis(100);

/// The day since 1970, by this node's clock.
fn today() -> i64 {
    Timestamp::now().as_second() / 86_400
}

/// The logs of all rooms.
pub(super) struct Logs {
    pub(super) topology: Arc<Topology>,
    pub(super) channels: Channels,
    pub(super) people: Arc<People>,
    pub(super) gate: Arc<Gate>,
    /// Where a message counts as accepted only when a replica has it.
    pub(super) replication: Option<Replication>,
    /// How long a recovery round keeps a room closed.
    pub(super) settle: Duration,
}

impl Logs {
    /// Runs a script on the keys of a room's log.
    async fn on_log(&self, room: &RoomName, eval: Eval) -> Answer<redis::Value> {
        self.topology.of(&keys::log(room)[0]).eval(eval).await
    }

    pub(super) async fn publish(
        &self,
        room: &RoomName,
        known: Option<Place>,
        items: Vec<Item>,
    ) -> Answer<Published> {
        if let Some(left) = self.gate.left() {
            return Ok(Published::Settling(left.min(GATE_PAUSE)));
        }
        let (epoch, seq, id) = known.map_or_else(Default::default, |place| {
            (place.epoch.to_string(), place.seq.0, place.id.map(|id| id.to_string()).unwrap_or_default())
        });
        let batch = entry::pack_items(&items);
        let eval = Eval::of(&scripts::PUBLISH).keys(keys::log(room)).keys([self.channels.room(room)]);
        let eval = eval.arg(epoch).arg(seq).arg(id).arg(LOG_ENTRIES_MAX).arg("PUBLISH").arg(today());
        let eval = eval.arg(self.settle.as_millis());
        let eval = eval.bytes(batch.heads).bytes(batch.entries);
        let eval = batch.clients.into_iter().fold(eval, Eval::arg);
        let primary = self.topology.of(&keys::log(room)[0]);
        let connection = primary.connection()?;
        let answer = primary.eval(eval).await?;
        let published = understood("the log of a room", answers::published(answer, &items))?;
        if let (Published::Ok { .. }, Some(replication)) = (&published, &self.replication) {
            // Should it fail, the batch is sent again: the log knows it by then.
            replication.confirm(&connection).await?;
        }
        Ok(published)
    }

    pub(super) async fn page(&self, room: &RoomName, after: Place, limit: usize) -> Answer<Page> {
        loop {
            let page = self.read(room, after.clone(), limit).await?;
            match (&page, self.gate.left()) {
                // Those who may have the beginning of the log are on their way: it is not said to be gone before.
                (Page::Trimmed { .. }, Some(left)) => sleep(left.min(GATE_PAUSE)).await,
                _ => return Ok(page),
            }
        }
    }

    pub(super) async fn read(&self, room: &RoomName, after: Place, limit: usize) -> Answer<Page> {
        let eval = Eval::of(&scripts::READ).keys(keys::log(room)).arg(after.epoch).arg(after.seq.0);
        let eval = eval.arg(after.id.map(|id| id.to_string()).unwrap_or_default()).arg(limit);
        understood("the log of a room", answers::page(self.on_log(room, eval).await?, after.seq, limit))
    }

    pub(super) async fn history(
        &self,
        room: &RoomName,
        before: Option<Seq>,
        limit: usize,
    ) -> Answer<Option<(Head, Vec<Arc<Entry>>)>> {
        let eval = Eval::of(&scripts::HISTORY).keys(keys::log(room));
        let eval = eval.arg(before.map(|seq| seq.0.to_string()).unwrap_or_default()).arg(limit);
        let answer = self.on_log(room, eval).await?;
        understood("the log of a room", answers::history(answer, before, limit))
    }

    pub(super) async fn head(&self, room: &RoomName) -> Answer<Option<Head>> {
        let eval = Eval::of(&scripts::HEAD).keys(keys::log(room));
        understood("the head of a room", answers::head(self.on_log(room, eval).await?))
    }

    pub(super) async fn last_n(&self, room: &RoomName, client: &ClientId) -> Answer<u64> {
        let [meta, _, records, older] = keys::log(room);
        let mut ask = redis::pipe();
        ask.cmd("HGET")
            .arg(&meta)
            .arg("e")
            .cmd("HGET")
            .arg(records)
            .arg(client.as_str())
            .cmd("HGET")
            .arg(older)
            .arg(client.as_str());
        let answers = self.topology.of(&meta).pipeline(&ask).await?;
        let mut answers = answers.into_iter();
        // Without a log its records mean nothing.
        let has_log = answers.next().is_some_and(|epoch| epoch != redis::Value::Nil);
        let record = answers.find(|answer| *answer != redis::Value::Nil);
        let Some(record) = record.filter(|_| has_log) else { return Ok(0) };
        understood("the record of a client", answers::record_n(record))
    }

    pub(super) async fn glance(&self, room: &RoomName, client: &ClientId) -> Answer<Glance> {
        let eval = Eval::of(&scripts::GLANCE).keys(keys::log(room)).keys([keys::topic(room)]);
        let eval = eval.arg(client).arg(TOPIC_KEPT_S);
        understood("the state of a room", answers::glance(self.on_log(room, eval).await?))
    }

    pub(super) async fn repair(&self, room: &RoomName, run: Run) -> Answer<Repaired> {
        if !answers::is_contiguous(&run) {
            return Ok(Repaired::Bad);
        }
        if run.entries.is_empty() {
            // It would make a log in which nothing was ever said, before those who know better are back.
            self.open().await;
        }
        let first = run.entries.first();
        let below = first.map_or(Seq::START, |entry| entry.seq);
        let prev = first.and_then(|entry| entry.prev.as_ref()).map(ToString::to_string).unwrap_or_default();
        let records: String = (run.records.iter())
            .map(|(client, record)| {
                let crate::backbone::Record { generation, n, seq, digest } = record;
                format!("{client} {generation} {n} {} {digest:016x}\n", seq.0)
            })
            .collect();
        let eval = Eval::of(&scripts::REPAIR).keys(keys::log(room)).keys([self.channels.room(room)]);
        let eval = eval.arg(run.epoch).arg(self.settle.as_millis()).arg(LOG_ENTRIES_MAX).arg("PUBLISH");
        let eval = eval.arg(below.0).arg(prev).bytes(entry::pack_run(&run.entries)).arg(records);
        let read = answers::repaired(self.on_log(room, eval).await?);
        let (repaired, notice) = understood("the log of a room", read)?;
        if let Some(notice) = notice {
            // Nodes without members there may still hold something of it.
            self.people.tell_all(notice.replacen('H', &format!("H {room}"), 1)).await?;
        }
        Ok(repaired)
    }

    /// Waits until everybody who was there before is back, or had the time for it.
    async fn open(&self) {
        while let Some(left) = self.gate.left() {
            sleep(left.min(GATE_PAUSE)).await;
        }
    }

    pub(super) async fn ask(&self, room: &RoomName) -> Answer<Asked> {
        // Those who may know more are on their way: asked now, they would not hear it.
        self.open().await;
        let [meta, ..] = keys::log(room);
        let eval = Eval::of(&scripts::ASK).keys([meta]).arg(self.settle.as_millis());
        let answer = self.on_log(room, eval.arg(fastrand::u64(..))).await?;
        let round = understood("the round of a room", answers::number(answer))?;
        self.people.ask(room, round).await
    }

    pub(super) async fn create(
        &self,
        room: &RoomName,
        round: u64,
        before: Option<Place>,
    ) -> Answer<Option<Head>> {
        if self.gate.left().is_some() {
            // Whoever was asked was asked too early.
            return Ok(None);
        }
        let (epoch, seq) =
            before.map_or_else(Default::default, |place| (place.epoch.to_string(), place.seq.0));
        let eval = Eval::of(&scripts::CREATE).keys(keys::log(room)).arg(round).arg(Epoch::random());
        let answer = self.on_log(room, eval.arg(epoch).arg(seq)).await?;
        understood("the head of a room", answers::head(answer))
    }

    pub(super) async fn subscribe(&self, room: &RoomName) -> Answer<()> {
        let channel = self.channels.room(room);
        let primary = self.topology.of(&channel);
        // Wanted first: a connection that is made meanwhile asks for it too.
        primary.feed.want(channel.clone(), room.clone());
        primary.subscribe(&channel).await
    }

    pub(super) async fn unsubscribe(&self, room: &RoomName) -> Answer<()> {
        let channel = self.channels.room(room);
        let primary = self.topology.of(&channel);
        primary.feed.unwant(&channel);
        primary.unsubscribe(&channel).await
    }
}
