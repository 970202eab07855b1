//! What must hold at the end of every schedule.

use std::collections::BTreeMap;

use chat_tui::net::event::OutState;

use super::world::{CLIENTS, Fault, STEPS_MAX, World};

/// Nothing, or what was broken.
pub(super) type Verdict = Result<(), String>;

pub(super) fn judge(world: &World) -> Verdict {
    if world.steps >= STEPS_MAX {
        return Err(format!("no end after {STEPS_MAX} steps, at {:?}", world.now));
    }
    // A flush when the only node that knew an entry is dead: its author sends it again, behind others.
    let may_lose = world.plan.has(|fault| matches!(fault, Fault::Flush | Fault::RollBack(_)))
        && world.plan.has(|fault| matches!(fault, Fault::Crash));
    let may_rewind = may_lose || world.plan.has(|fault| matches!(fault, Fault::RollBack(_)));
    let resets: usize = world.clients.iter().map(|client| client.resets).sum();
    if resets > 0 && !may_lose {
        return Err(format!("{resets} resets where history was never gone"));
    }
    for (index, client) in world.clients.iter().enumerate() {
        let totals = client.status.totals;
        if client.link.unsent() > 0 {
            return Err(format!(
                "client {index} still has {} messages that no log took",
                client.link.unsent()
            ));
        }
        if let Some((out, (text, state))) =
            client.outs.iter().find(|(_, (_, state))| *state != OutState::Acked)
        {
            return Err(format!("client {index}: {out:?} {text:?} ended as {state:?}"));
        }
        if client.rewinds > 0 && !may_rewind && resets == 0 {
            return Err(format!("client {index} was rewound {} times without need", client.rewinds));
        }
        if (totals.lost, totals.dup) != (0, 0) && !may_lose && !may_rewind {
            return Err(format!("client {index} counts {} lost and {} repeats", totals.lost, totals.dup));
        }
        if totals.lost > 0 && resets == 0 {
            return Err(format!("client {index} counts {} lost without a reset", totals.lost));
        }
        each_once(world, index, resets)?;
    }
    if resets == 0 { one_order(world) } else { Ok(()) }
}

fn each_once(world: &World, index: usize, resets: usize) -> Verdict {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, _, text) in &world.clients[index].shown {
        *count.entry(text).or_default() += 1;
    }
    if let Some((text, times)) = count.iter().find(|(_, times)| **times > 1) {
        return Err(format!("client {index} shows {text:?} {times} times"));
    }
    for author in &world.clients {
        for (text, _) in author.outs.values() {
            if !count.contains_key(text.as_str()) && resets == 0 {
                return Err(format!("client {index} does not show {text:?}, which was acknowledged"));
            }
        }
    }
    Ok(())
}

fn one_order(world: &World) -> Verdict {
    let order =
        |index: usize| -> Vec<_> { world.clients[index].shown.iter().map(|(_, id, _)| id.clone()).collect() };
    let first = order(0);
    for index in 1..CLIENTS {
        if order(index) != first {
            return Err(format!("client {index} shows another order than client 0"));
        }
    }
    Ok(())
}
