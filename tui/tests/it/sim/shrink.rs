//! Makes a failing plan smaller for as long as it fails in the same way: fewer faults, messages, clients, nodes and
//! rooms, shorter times. What is left is read by people, and pasted as a test.

use super::Mutation;
use super::check::Failure;
use super::plan::{Fault, Plan};
use super::play_plan;

/// Plans tried at most.
const TRIES_MAX: usize = 6_000;
/// Seeds of the small things tried for each plan: a smaller plan meets other delays.
const SEEDS: u64 = 6;

pub(super) struct Shrink {
    mutation: Mutation,
    what: &'static str,
    pub(super) plan: Plan,
    pub(super) story: String,
    pub(super) tries: usize,
}

/// The smallest plan found that fails as `plan` does.
pub(super) fn shrink(plan: Plan, failure: Failure, mutation: Mutation) -> Shrink {
    let Failure { what, story } = failure;
    let mut shrink = Shrink { mutation, what, plan, story, tries: 0 };
    while shrink.pass() && shrink.tries < TRIES_MAX {}
    shrink
}

impl Shrink {
    /// Takes the plan if it fails in the same way.
    fn accept(&mut self, plan: &Plan) -> bool {
        if *plan == self.plan || self.tries >= TRIES_MAX {
            return false;
        }
        for seed in std::iter::once(plan.seed).chain(0..SEEDS) {
            self.tries += 1;
            let plan = Plan { seed, ..plan.clone() };
            match play_plan(plan.clone(), self.mutation) {
                Err(failure) if failure.what == self.what && self.is_to_blame(&plan) => {
                    (self.plan, self.story) = (plan, failure.story);
                    return true;
                }
                _ => {}
            }
        }
        false
    }

    /// What fails must not fail without the mutation too.
    fn is_to_blame(&self, plan: &Plan) -> bool {
        self.mutation == Mutation::None || play_plan(plan.clone(), Mutation::None).is_ok()
    }

    /// Everything is tried once; true where something was taken away.
    fn pass(&mut self) -> bool {
        let before = self.plan.clone();
        self.drop_of(|plan| &mut plan.faults);
        self.drop_of(|plan| &mut plan.says);
        self.fewer();
        self.simpler();
        self.shorter();
        before != self.plan
    }

    /// Drops runs of elements: half of them, then fewer, at last one by one.
    fn drop_of<T>(&mut self, list: impl Fn(&mut Plan) -> &mut Vec<T>) {
        let mut run = list(&mut self.plan).len() / 2;
        while run > 0 {
            let mut from = 0;
            while from < list(&mut self.plan).len() {
                let mut plan = self.plan.clone();
                let all = list(&mut plan);
                all.drain(from..(from + run).min(all.len()));
                if !self.accept(&plan) {
                    from += run;
                }
            }
            run = if run == 1 { 0 } else { run.div_ceil(2) };
        }
        if list(&mut self.plan).len() == 1 {
            let mut plan = self.plan.clone();
            list(&mut plan).clear();
            self.accept(&plan);
        }
    }

    /// One client, node or room less: what concerned the last one goes with it, or befalls the first.
    fn fewer(&mut self) {
        for smaller in [fewer_clients, fewer_nodes, fewer_rooms] {
            while let Some(plan) = smaller(&self.plan) {
                if !self.accept(&plan) {
                    break;
                }
            }
        }
    }

    fn simpler(&mut self) {
        let plan = self.plan.clone();
        self.accept(&Plan { full_one_in: 0, ..plan });
        let plan = self.plan.clone();
        self.accept(&Plan { lost_answer_one_in: 0, ..plan });
        let plan = self.plan.clone();
        self.accept(&Plan { delay: (plan.delay / 2).max(1), ..plan });
    }

    fn shorter(&mut self) {
        for index in 0..self.plan.faults.len() {
            let (at, fault) = self.plan.faults[index];
            for candidate in [(at, fault.shorter()), (at / 2, fault), (at / 100 * 100, fault)] {
                let mut plan = self.plan.clone();
                plan.faults[index] = candidate;
                self.accept(&plan);
            }
        }
        for index in 0..self.plan.says.len() {
            let (at, client, room) = self.plan.says[index];
            for at in [at / 2, at / 100 * 100] {
                let mut plan = self.plan.clone();
                plan.says[index] = (at, client, room);
                self.accept(&plan);
            }
        }
    }
}

fn fewer_clients(plan: &Plan) -> Option<Plan> {
    let clients = plan.clients.checked_sub(1).filter(|left| *left > 0)?;
    let mut plan = Plan { clients, ..plan.clone() };
    plan.says.retain(|(_, client, _)| *client < clients);
    plan.faults.retain(|(_, fault)| fault.client().is_none_or(|client| client < clients));
    Some(plan)
}

fn fewer_nodes(plan: &Plan) -> Option<Plan> {
    let nodes = plan.nodes.checked_sub(1).filter(|left| *left > 0)?;
    let mut plan = Plan { nodes, ..plan.clone() };
    plan.faults.retain(|(_, fault)| fault.node().is_none_or(|node| node < nodes));
    Some(plan)
}

fn fewer_rooms(plan: &Plan) -> Option<Plan> {
    let rooms = plan.rooms.checked_sub(1).filter(|left| *left > 0)?;
    let mut plan = Plan { rooms, ..plan.clone() };
    plan.says.retain(|(.., room)| *room < rooms);
    plan.faults.retain(|(_, fault): &(_, Fault)| fault.room().is_none_or(|room| room < rooms));
    Some(plan)
}
