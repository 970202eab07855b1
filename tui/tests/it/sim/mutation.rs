//! What is taken out, to see that the simulator finds it missing. Each is switched by what stands between the cores
//! and the log: neither knows of it.

use chat_protocol::RoomName;
use chat_server::backbone::{Backbone, BackboneError, Item, Repaired, Run};

use super::redis::now;

/// What is taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mutation {
    #[default]
    None,
    /// The log takes a message as often as it comes.
    NoDedupe,
    /// The log takes any number of a client that it has no record of.
    NoEvidence,
    /// A returning client is let in at the head.
    NoResume,
    /// A hole in the feed is not filled.
    NoGapFill,
    /// A recovery round closes nothing.
    NoSettling,
    /// What the log lost is not given back: where there is no log a new one is made.
    NoRepair,
    /// Two programs may count under one client's id.
    NoFencing,
    /// Nobody waits for the others when another server answers.
    NoGate,
}

/// Where the log knows nothing of a client, the number before the one that comes is used up: so it takes any.
pub(super) fn believe(log: &dyn Backbone, room: &RoomName, items: &[Item]) {
    for item in items {
        let n = item.id.n - 1;
        if n > 0 && matches!(now(log.last_n(room, &item.id.client)), Ok(0)) {
            let mut void = Item { acked: None, body: None, ..item.clone() };
            void.id.n = n;
            drop(now(log.publish(room, None, vec![void])));
        }
    }
}

/// Instead of a repair: the log begins anew where there is none, and ends where it ends where there is one.
pub(super) fn make_anew(log: &dyn Backbone, room: &RoomName, run: &Run) -> Result<Repaired, BackboneError> {
    let last = run.entries.last();
    let before = last.map(|last| chat_server::backbone::Place {
        epoch: run.epoch,
        seq: last.seq,
        id: Some(last.id.clone()),
    });
    match now(log.head(room))? {
        Some(head) if head.place.epoch == run.epoch => Ok(Repaired::Hole(head.place)),
        Some(head) => Ok(Repaired::Epoch(head)),
        None => {
            let round = now(log.ask(room))?.round;
            let made = now(log.create(room, round, before))?;
            made.map(Repaired::Epoch).ok_or_else(|| BackboneError::Unavailable("another round".into()))
        }
    }
}
