//! A schedule as data: who says what when, what goes wrong when, and the seed of everything small (delays, lost
//! answers, full outboxes). A plan printed by the shrinker is a plan that can be pasted into a test.

use std::fmt;

/// Behind its time: the last goodbyes, and the start of the next node.
const DRAIN_OVERTIME: Ms = 2_500;

/// Milliseconds from the beginning.
pub(super) type Ms = u32;

/// Everything that decides a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// Of the delays, and of what happens one time in so many.
    pub(super) seed: u64,
    pub(super) nodes: usize,
    pub(super) clients: usize,
    pub(super) rooms: usize,
    /// Longest delay of anything.
    pub(super) delay: Ms,
    /// One in so many: an outbox is full after an entry; 0 never.
    pub(super) full_one_in: u64,
    /// One in so many: a call's answer is lost although it took effect; 0 never.
    pub(super) lost_answer_one_in: u64,
    /// When which client says something in which room.
    pub(super) says: Vec<(Ms, usize, usize)>,
    pub(super) faults: Vec<(Ms, Fault)>,
}

/// What goes wrong. Nodes are places: after a crash another node stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A node dies; another one starts in its place.
    Crash { node: usize, down: Ms },
    /// A node goes down in order, within that time; another one starts in its place.
    Drain { node: usize, long: Ms },
    /// A client's connection breaks.
    Disconnect { client: usize },
    /// A client's program ends and begins again with what it saved.
    Restart { client: usize, down: Ms },
    /// A second program begins with a copy of what the client would save, beside it.
    Twin { client: usize },
    /// A client leaves a room, and comes back.
    Leave { client: usize, room: usize, away: Ms },
    /// A client reads nothing for a while.
    Slow { client: usize, long: Ms },
    /// A node's connections to Redis break, and cannot be made again for a while.
    Cut { node: usize, long: Ms },
    /// What a node asks of Redis does not arrive for a while.
    MuteCalls { node: usize, long: Ms },
    /// What Redis does for a node takes effect, but neither answers nor feed arrive for a while.
    MuteAnswers { node: usize, long: Ms },
    /// Only the feed does not arrive for a while.
    MuteFeed { node: usize, long: Ms },
    /// The feed loses what it should tell for a while, and nobody says so.
    Deaf { node: usize, long: Ms },
    /// FLUSHALL.
    Flush,
    /// The newest entries of a log are gone, and nobody's connection breaks.
    RollBack { room: usize, by: u64 },
    /// The replica takes over, with what the primary had `lag` before; the nodes go over one by one within `fork`,
    /// and write to the former primary until then.
    Promote { lag: Ms, fork: Ms },
    /// Redis ends, and begins again after `down` with what it had `lag` before the end.
    Reboot { down: Ms, lag: Ms },
    /// Redis ends, and begins again after `down` with nothing.
    Wipe { down: Ms },
}

impl Fault {
    /// What it takes away for longer than a moment.
    pub(super) fn lasts(self) -> Ms {
        match self {
            Self::Crash { down, .. } | Self::Restart { down, .. } => down,
            Self::Drain { long, .. } => long + DRAIN_OVERTIME,
            Self::Leave { away, .. } => away,
            Self::Slow { long, .. } | Self::Cut { long, .. } | Self::Deaf { long, .. } => long,
            Self::MuteCalls { long, .. } | Self::MuteAnswers { long, .. } | Self::MuteFeed { long, .. } => {
                long
            }
            Self::Promote { fork, .. } => fork,
            Self::Reboot { down, .. } | Self::Wipe { down } => down,
            Self::Disconnect { .. } | Self::Twin { .. } | Self::Flush | Self::RollBack { .. } => 0,
        }
    }

    /// The same, over sooner.
    pub(super) fn shorter(mut self) -> Self {
        match &mut self {
            Self::Promote { lag, fork } => (*lag, *fork) = (*lag / 2, *fork / 2),
            Self::Reboot { down, lag } => (*down, *lag) = (*down / 2, *lag / 2),
            Self::Crash { down: long, .. }
            | Self::Drain { long, .. }
            | Self::Restart { down: long, .. }
            | Self::Leave { away: long, .. }
            | Self::Slow { long, .. }
            | Self::Cut { long, .. }
            | Self::MuteCalls { long, .. }
            | Self::MuteAnswers { long, .. }
            | Self::MuteFeed { long, .. }
            | Self::Deaf { long, .. }
            | Self::Wipe { down: long } => *long /= 2,
            Self::RollBack { by, .. } => *by = (*by / 2).max(1),
            Self::Disconnect { .. } | Self::Twin { .. } | Self::Flush => {}
        }
        self
    }

    /// True where a log may end up without entries that were acknowledged.
    pub(super) fn loses(self) -> bool {
        match self {
            // A node that is still with the former primary has its OKs from there.
            Self::Promote { lag, fork } => lag + fork > 0,
            Self::Reboot { lag, .. } => lag > 0,
            _ => matches!(self, Self::Flush | Self::RollBack { .. } | Self::Wipe { .. }),
        }
    }

    /// True where somebody who may know more than the log cannot bring it for a while.
    pub(super) fn parts(self) -> bool {
        matches!(
            self,
            Self::Cut { .. }
                | Self::MuteCalls { .. }
                | Self::MuteAnswers { .. }
                | Self::MuteFeed { .. }
                | Self::Deaf { .. }
        )
    }

    pub(super) fn client(self) -> Option<usize> {
        match self {
            Self::Disconnect { client }
            | Self::Restart { client, .. }
            | Self::Twin { client }
            | Self::Leave { client, .. }
            | Self::Slow { client, .. } => Some(client),
            _ => None,
        }
    }

    pub(super) fn node(self) -> Option<usize> {
        match self {
            Self::Crash { node, .. }
            | Self::Drain { node, .. }
            | Self::Cut { node, .. }
            | Self::MuteCalls { node, .. }
            | Self::MuteAnswers { node, .. }
            | Self::MuteFeed { node, .. }
            | Self::Deaf { node, .. } => Some(node),
            _ => None,
        }
    }

    pub(super) fn room(self) -> Option<usize> {
        match self {
            Self::Leave { room, .. } | Self::RollBack { room, .. } => Some(room),
            _ => None,
        }
    }
}

impl Plan {
    /// The plan of a seed. What befalls the data befalls it in two schedules of three, so that the others show
    /// that nothing is excused.
    pub(super) fn of(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (nodes, clients) = ([2, 3, 3, 3][rng.usize(0..4)], rng.usize(2..5));
        let rooms = [1, 1, 1, 2][rng.usize(0..4)];
        let trouble = [3_000, 5_000, 8_000, 12_000][rng.usize(0..4)];
        let delay = [5, 20, 60, 150][rng.usize(0..4)];
        let loses = rng.usize(0..3) > 0;
        let drawn = Draw { nodes, clients, rooms, loses };
        let faults = (0..rng.usize(0..9)).map(|_| (rng.u32(500..trouble), drawn.fault(&mut rng))).collect();
        let count = clients * rng.usize(2..12);
        let says =
            (0..count).map(|_| (rng.u32(300..trouble + 1_000), rng.usize(0..clients), rng.usize(0..rooms)));
        let mut says: Vec<_> = says.collect();
        let faults: Vec<(Ms, Fault)> = faults;
        if let (Some((at, _)), 0) = (faults.first(), seed % 4) {
            // Everybody speaks while something goes wrong.
            says.iter_mut().for_each(|(said, ..)| *said = (at + *said % 1_000).saturating_sub(500).max(300));
        }
        says.sort_unstable();
        let full_one_in = [0, 0, 3, 10][rng.usize(0..4)];
        let lost_answer_one_in = [0, 0, 8, 30][rng.usize(0..4)];
        Self { seed, nodes, clients, rooms, delay, full_one_in, lost_answer_one_in, says, faults }
    }

    /// The plan of a seed in which two programs begin to count under one client's id, each with a second of peace
    /// around it: in that moment nothing is promised.
    pub(super) fn with_twin(seed: u64) -> Self {
        let mut plan = Self::of(seed);
        let at = 1_500 + (seed % 1_000) as Ms;
        plan.says.retain(|(said, ..)| !(at - 500..at + 1_000).contains(said));
        plan.faults.retain(|(when, fault)| {
            let ends = when + fault.lasts();
            let is_plain =
                matches!(fault, Fault::Disconnect { .. } | Fault::Crash { .. } | Fault::Slow { .. });
            is_plain && (ends + 1_000 < at || *when > at + 1_000)
        });
        plan.says.extend((0..6).map(|k| (at + 1_500 + k * 50, 0, 0)));
        plan.faults.push((at, Fault::Twin { client: 0 }));
        plan
    }

    /// The plan of a seed in which everybody speaks in the moment in which the log is emptied: nodes that did not hear
    /// the last entries yet bring a shorter log than others.
    pub(super) fn around_flush(seed: u64) -> Self {
        let mut plan = Self { nodes: 3, clients: 4, rooms: 1, delay: 150, ..Self::of(seed) };
        let mut rng = fastrand::Rng::with_seed(seed ^ 0xf1);
        plan.says = (0..24).map(|_| (rng.u32(1_600..2_400), rng.usize(0..4), 0)).collect();
        plan.faults = vec![(2_000, Fault::Flush)];
        plan
    }

    /// The plan of a seed in which everybody speaks while Redis begins again without what was said last: the nodes that
    /// know it come back one after the other.
    pub(super) fn around_reboot(seed: u64) -> Self {
        let mut plan = Self { nodes: 3, clients: 4, rooms: 1, ..Self::of(seed) };
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x9a7e);
        plan.says = (0..24).map(|_| (rng.u32(300..3_500), rng.usize(0..4), 0)).collect();
        let at = rng.u32(500..2_500);
        plan.faults = vec![(at, Fault::Reboot { down: rng.u32(50..500), lag: rng.u32(300..2_500) })];
        plan
    }

    /// The plan of a seed in which nothing happens but that nodes go down in order, one after the other, and clients
    /// come, go and talk.
    pub(super) fn with_drains(seed: u64) -> Self {
        let mut plan = Self::of(seed);
        let mut rng = fastrand::Rng::with_seed(seed ^ 0xd7);
        let (mut at, clients, rooms) = (rng.u32(600..1_500), plan.clients, plan.rooms);
        plan.faults.retain(|(_, fault)| matches!(fault, Fault::Leave { .. }));
        for turn in 0..rng.usize(1..4) {
            let drain = Fault::Drain { node: turn % plan.nodes, long: rng.u32(3_000..6_000) };
            plan.faults.push((at, drain));
            at += drain.lasts() + rng.u32(100..1_000);
        }
        plan.says = (0..40).map(|_| (rng.u32(300..at), rng.usize(0..clients), rng.usize(0..rooms))).collect();
        plan.says.sort_unstable();
        plan
    }

    /// The plan of a seed in which Redis and all nodes are lost at once, over and over, for longer than what was
    /// acknowledged is held, while everybody goes on talking.
    pub(super) fn with_all_lost(seed: u64) -> Self {
        let mut plan = Self { nodes: 3, clients: 4, rooms: 1, full_one_in: 0, ..Self::of(seed) };
        let mut rng = fastrand::Rng::with_seed(seed ^ 0xa11);
        let (long, mut at) = (240_000, 5_000);
        plan.says = (0..long / 2_500)
            .flat_map(|turn| (0..4).map(move |client| (turn * 2_500 + 500 + client as Ms * 300, client, 0)))
            .collect();
        plan.faults.clear();
        while at < long {
            let down = rng.u32(50..2_000);
            plan.faults.push((at, Fault::Wipe { down }));
            plan.faults.extend((0..3).map(|node| (at, Fault::Crash { node, down: rng.u32(200..2_000) })));
            at += rng.u32(5_000..40_000);
        }
        plan
    }

    /// True where nothing happens but drains of one node at a time, while another one is there.
    pub(super) fn is_peaceful(&self) -> bool {
        let drains = self.faults.iter().filter(|(_, fault)| matches!(fault, Fault::Drain { .. }));
        let mut times: Vec<_> = drains.map(|(at, fault)| (*at, at + fault.lasts())).collect();
        times.sort_unstable();
        let is_small = |fault: Fault| matches!(fault, Fault::Leave { .. } | Fault::Drain { .. });
        let one_by_one = times.windows(2).all(|pair| pair[0].1 < pair[1].0);
        self.nodes > 1 && one_by_one && !self.has(|fault| !is_small(fault))
    }

    pub(super) fn has(&self, fault: impl Fn(Fault) -> bool) -> bool {
        self.faults.iter().any(|(_, planned)| fault(*planned))
    }

    /// When nothing is planned any more: from then on everything heals.
    pub(super) fn quiet_from(&self) -> Ms {
        let faults = self.faults.iter().map(|(at, fault)| at + fault.lasts());
        faults.chain(self.says.iter().map(|(at, ..)| *at)).max().unwrap_or(0)
    }
}

impl fmt::Display for Plan {
    /// As it is written in a test.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, nodes, clients, rooms, delay, full_one_in, lost_answer_one_in, says, faults } = self;
        writeln!(f, "Plan {{")?;
        writeln!(f, "    seed: {seed}, nodes: {nodes}, clients: {clients}, rooms: {rooms}, delay: {delay},")?;
        writeln!(f, "    full_one_in: {full_one_in}, lost_answer_one_in: {lost_answer_one_in},")?;
        writeln!(f, "    says: vec!{says:?},")?;
        writeln!(f, "    faults: vec!{faults:?},\n}}")
    }
}

/// What a fault is drawn from.
struct Draw {
    nodes: usize,
    clients: usize,
    rooms: usize,
    loses: bool,
}

impl Draw {
    fn fault(&self, rng: &mut fastrand::Rng) -> Fault {
        let (node, client, room) =
            (rng.usize(0..self.nodes), rng.usize(0..self.clients), rng.usize(0..self.rooms));
        let long = rng.u32(50..4_000);
        let lag = rng.u32(0..1_500);
        match rng.usize(0..if self.loses { 23 } else { 18 }) {
            0..=2 => Fault::Crash { node, down: rng.u32(200..2_000) },
            3..=4 => Fault::Disconnect { client },
            5 => Fault::Restart { client, down: long / 4 },
            6..=7 => Fault::Leave { client, room, away: long / 2 },
            8 => Fault::Slow { client, long },
            9 => Fault::Cut { node, long: long * [1, 1, 3][rng.usize(0..3)] },
            10 => Fault::MuteCalls { node, long: long * 2 },
            11 => Fault::MuteAnswers { node, long: long * 2 },
            12 => Fault::MuteFeed { node, long },
            13 => Fault::Deaf { node, long },
            14 => Fault::Reboot { down: long / 4, lag: 0 },
            15 => Fault::Promote { lag: 0, fork: 0 },
            16..=17 => Fault::Drain { node, long: 500 + long },
            18 => Fault::Flush,
            19 => Fault::RollBack { room, by: rng.u64(1..6) },
            20 => Fault::Promote { lag, fork: [0, 200, 1_500][rng.usize(0..3)] },
            21 => Fault::Reboot { down: long / 4, lag },
            _ => Fault::Wipe { down: long / 4 },
        }
    }
}
