//! What must hold at the end of every schedule. The judge excuses what the promise excuses, no more: where a log lost
//! entries *and* somebody who knew them died or could not bring them, history may be gone; then it must have been told.

use std::collections::BTreeMap;

use chat_protocol::Seq;
use chat_server::backbone::Entry;
use chat_tui::net::event::OutState;

use super::client::{Client, Said, Screen, Shown};
use super::plan::{Fault, Ms, Plan};
use super::world::World;

/// The longest way to Redis at which every node brings what it has within a round.
const ROUND_DELAY_MAX: Ms = 60;

/// What was broken: a word for what it is, and the story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) what: &'static str,
    pub(super) story: String,
}

/// Nothing, or what was broken.
pub(super) type Verdict = Result<(), Failure>;

fn fail(what: &'static str, story: String) -> Verdict {
    Err(Failure { what, story })
}

/// What a plan excuses.
#[derive(Debug, Clone, Copy)]
struct Excuse {
    /// Somebody has seen an order that did not survive.
    rewind: bool,
    /// The log began anew beside somebody who knew the former one.
    reset: bool,
    /// Nobody alive knew it.
    loss: bool,
}

impl Excuse {
    fn of(plan: &Plan) -> Self {
        let loses = plan.has(Fault::loses);
        let dies = plan.has(|fault| matches!(fault, Fault::Crash { .. } | Fault::Drain { .. }));
        let reset = loses
            && (dies || plan.has(Fault::parts) || plan.has(|fault| matches!(fault, Fault::Promote { .. })));
        let rolls_back =
            plan.has(|fault| fault.loses() && !matches!(fault, Fault::Flush | Fault::Wipe { .. }));
        // A round is shorter than the way back to an emptied Redis and three questions to it: it may end too early.
        let is_far = plan.delay > ROUND_DELAY_MAX && plan.has(|fault| matches!(fault, Fault::Wipe { .. }));
        Self { rewind: rolls_back || reset || is_far, reset, loss: loses && (dies || plan.has(Fault::parts)) }
    }
}

pub(super) fn judge(world: &World) -> Verdict {
    if world.is_endless() {
        return fail("endless", format!("no end after {} steps, at {:?}", world.steps, world.now));
    }
    let excuse = Excuse::of(&world.plan);
    let is_peaceful = world.plan.is_peaceful();
    for client in &world.clients {
        if is_peaceful {
            undisturbed(client)?;
        }
        sent(client)?;
        for (room, screen) in client.screens.iter().enumerate() {
            told(world, client, screen, excuse)?;
            each_once(world, client, room)?;
            complete(world, client, room, excuse)?;
            in_order(world, client, room, excuse)?;
        }
    }
    Ok(())
}

/// Nothing is seen of a planned move: the client is online all the while, and nothing is lost or repeated.
fn undisturbed(client: &Client) -> Verdict {
    let (index, downs, totals) = (client.index, client.downs, client.totals);
    if downs + client.screens.iter().map(|screen| screen.resets + screen.rewinds).sum::<usize>() > 0 {
        return fail("disturbed", format!("client {index} was offline {downs} times for a drain"));
    }
    if totals.lost + totals.dup > 0 {
        return fail("disturbed", format!("client {index} counts {totals:?} for a drain"));
    }
    Ok(())
}

/// Whatever was said was taken by a log.
fn sent(client: &Client) -> Verdict {
    let index = client.index;
    if client.unsent() > 0 {
        return fail(
            "unsent",
            format!("client {index} still has {} messages that no log took", client.unsent()),
        );
    }
    match client.said.iter().find(|said| said.state != OutState::Acked) {
        Some(Said { text, state, .. }) => {
            fail("unsent", format!("client {index}: {text:?} ended as {state:?}"))
        }
        None => Ok(()),
    }
}

/// Nobody is told of a loss that there was not, or that could have been prevented.
fn told(world: &World, client: &Client, screen: &Screen, excuse: Excuse) -> Verdict {
    let (index, resets, rewinds) = (client.index, screen.resets, screen.rewinds);
    // Who had seen nothing of a log in which, for all that was known, there was nothing, may be told so.
    if screen.resets_of_seen > 0 && !excuse.reset {
        return fail("reset", format!("client {index}: {resets} resets where history was never gone"));
    }
    if rewinds > 0 && !excuse.rewind {
        return fail("rewind", format!("client {index} was rewound {rewinds} times without need"));
    }
    let lost = client.totals.lost + client.totals_before.lost;
    let dup = client.totals.dup + client.totals_before.dup;
    // After both an entry is shown where it stood, and comes once more where it stands now: it is dropped.
    if dup > 0 && !excuse.rewind {
        return fail("repeat", format!("client {index} counts {dup} repeats"));
    }
    let all_resets: usize =
        world.clients.iter().flat_map(|client| &client.screens).map(|screen| screen.resets).sum();
    if lost > 0 && all_resets == 0 && client.restarts == 0 {
        return fail("lost", format!("client {index} counts {lost} lost without a reset"));
    }
    Ok(())
}

fn each_once(world: &World, client: &Client, room: usize) -> Verdict {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for shown in &client.screens[room].shown {
        *count.entry(&shown.text).or_default() += 1;
    }
    let may_be_twice = |text: &str| {
        world.clients.iter().flat_map(|client| &client.said).any(|said| said.text == text && said.twice)
    };
    match count.iter().find(|(text, times)| **times > 1 && !may_be_twice(text)) {
        Some((text, times)) => fail("twice", format!("client {} shows {text:?} {times} times", client.index)),
        None => Ok(()),
    }
}

/// Everything that was acknowledged is shown. A message may be missing only where the log lost entries and a node died
/// or was cut off; and then the client was told that its place is gone, or came later.
fn complete(world: &World, client: &Client, room: usize, excuse: Excuse) -> Verdict {
    let screen = &client.screens[room];
    let authors = world.clients.iter().flat_map(|author| &author.said);
    for Said { text, .. } in authors.filter(|said| said.room == room) {
        if screen.shown.iter().any(|shown| shown.text == *text) {
            continue;
        }
        let entries = world.redis.entries(&world.rooms[room]);
        let says = |entry: &&std::sync::Arc<Entry>| {
            std::str::from_utf8(&entry.body).is_ok_and(|body| body.contains(&format!("{text:?}")))
        };
        let in_log = entries.iter().find(says).map(|entry| entry.seq);
        if world.plan.has(Fault::loses)
            && in_log.is_some_and(|seq| screen.entered.is_some_and(|head| seq <= head))
        {
            // It was history when the client came, and read while the log was being given back what it lost: it is
            // there when asked for again.
            continue;
        }
        let all = world.clients.iter().flat_map(|client| &client.screens[room].shown);
        let places: Vec<Seq> = all.filter(|shown| shown.text == *text).map(|shown| shown.seq).collect();
        let is_known_gone = |seq: &Seq| {
            let in_range = |(from, to): &(Seq, Option<Seq>)| from <= seq && to.is_none_or(|to| *seq <= to);
            screen.entered.is_some_and(|entered| *seq <= entered) || screen.told.iter().any(in_range)
        };
        let is_late = in_log.is_none() && screen.entered_at > world.first_loss();
        // Where a log has it after all, it came back behind what the client had seen when it was told.
        let is_told = if let Some(seq) = in_log {
            screen.told.iter().any(|(from, _)| *from <= seq)
        } else {
            places.is_empty() || places.iter().any(is_known_gone)
        };
        if !(excuse.loss && (is_late || is_told)) {
            let index = client.index;
            return fail("missing", format!("client {index} does not show {text:?}, which was acknowledged"));
        }
    }
    Ok(())
}

/// What was shown stands in the order of the log; where the log began anew, what came of its new life does. What the
/// log lost at its beginning with the nodes that knew it may come again from its author, behind others.
fn in_order(world: &World, client: &Client, room: usize, excuse: Excuse) -> Verdict {
    let entries = world.redis.entries(&world.rooms[room]);
    let first = entries.first().map_or(Seq(u64::MAX), |entry| entry.seq);
    let screen = &client.screens[room];
    let is_gone = |shown: &Shown| excuse.loss && shown.seq < first;
    let of_this_life = screen.shown.iter().filter(|shown| shown.life == screen.life && !is_gone(shown));
    let mut rest = entries.iter();
    for shown in of_this_life {
        if !rest.any(|entry| entry.id == shown.id) {
            let index = client.index;
            return fail(
                "order",
                format!("client {index} shows {:?} in another order than the log", shown.text),
            );
        }
    }
    Ok(())
}
