//! Owns what the demo's bots talk about.

/// Who talks.
pub(super) const BOTS: [&str; 4] = ["alice", "bob", "carol", "dave"];

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const DAVE: usize = 3;

/// Who says what.
pub(super) type Line = (usize, &'static str);

/// In #general.
pub(super) const GENERAL: &[Line] = &[
    (ALICE, "morning! coffee is ready"),
    (BOB, "on my way, save me a cup"),
    (CAROL, "the release notes are up for review"),
    (DAVE, "reading them now"),
    (ALICE, "anything missing?"),
    (DAVE, "a line about resume: nobody should have to look it up"),
    (CAROL, "good point, added"),
    (BOB, "who demos on Friday?"),
    (ALICE, "me, if the projector behaves"),
    (CAROL, "bring two adapters, then one of them fits"),
    (BOB, "lunch at noon?"),
    (DAVE, "yes, the place with the soup"),
    (ALICE, "count me in"),
    (CAROL, "so do I hear four?"),
    (BOB, "four it is, I book"),
];

/// In #ops.
pub(super) const OPS: &[Line] = &[
    (BOB, "backups are done, checked one of them"),
    (DAVE, "restored it too?"),
    (BOB, "into an empty machine, took six minutes"),
    (CAROL, "then it counts"),
    (ALICE, "disk on the build host is at 70 %"),
    (DAVE, "old images, I clear them"),
    (ALICE, "55 % now, thanks"),
    (CAROL, "certificates renew next week by themselves"),
    (BOB, "and the alarm if they do not?"),
    (CAROL, "tried it this morning: it woke me"),
    (DAVE, "best test there is"),
    (BOB, "rolling the front-end at three, nobody will notice"),
];

/// In #random.
pub(super) const RANDOM: &[Line] = &[
    (CAROL, "saw a heron by the river today"),
    (ALICE, "grey or white?"),
    (CAROL, "grey, and very patient"),
    (DAVE, "I planted tomatoes, wish me luck"),
    (BOB, "sun and no mercy with the side shoots"),
    (ALICE, "anybody read a good book?"),
    (DAVE, "one about maps, I lend it to you"),
    (BOB, "the bakery has rye again"),
    (CAROL, "buying two"),
    (ALICE, "chess tonight?"),
    (DAVE, "only if I get white"),
    (ALICE, "you had white last time"),
];
