//! Owns what is thought of a backend's health: checks and clients' luck in, a standing out. Knows no socket and
//! no clock.

use super::pick::Standing;
use super::settings::Check;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// It takes clients.
    Ready,
    /// It answers, and says that it had better get no clients: it drains, or cannot reach the other nodes.
    NotReady(String),
    /// It does not answer, or not what it should.
    Failed(String),
    /// It was not asked, for a lack on this machine: that says nothing of it.
    NotAsked(String),
}

/// What is thought of a backend.
#[derive(Debug)]
pub(super) struct Health {
    /// It takes clients, as far as is known.
    up: bool,
    /// A check has found it ready: one that was never seen healthy gets no benefit of the doubt.
    proven: bool,
    /// It refused the last client.
    refusing: bool,
    /// Checks in a row that speak against `up`.
    streak: u32,
    /// Why it is not up, or what was the matter with the last check.
    why: Option<String>,
}

/// A backend became healthy, or stopped being so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Up,
    Down,
}

impl Health {
    /// One that was just named: it gets clients on trust until its first check.
    pub(super) fn on_trust() -> Self {
        Self { up: true, proven: false, refusing: false, streak: 0, why: None }
    }

    pub(super) fn standing(&self) -> Standing {
        match (self.up, self.refusing) {
            (true, _) => Standing::Healthy,
            (false, false) => Standing::Doubtful,
            (false, true) => Standing::Refusing,
        }
    }

    pub(super) fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// A check has found something. A failed check may be the network's fault and needs `fall` in a row to count;
    /// what a node says of itself counts at once.
    pub(super) fn checked(&mut self, found: Found, check: &Check) -> Option<Change> {
        match found {
            Found::Ready => self.good_check(check),
            Found::NotReady(why) => {
                self.refusing = false;
                self.down(why)
            }
            Found::Failed(why) => self.bad_check(why, check),
            Found::NotAsked(why) => {
                self.why.get_or_insert(why);
                None
            }
        }
    }

    fn good_check(&mut self, check: &Check) -> Option<Change> {
        self.proven = true;
        self.refusing = false;
        self.streak = if self.up { 0 } else { self.streak + 1 };
        if self.up || self.streak >= check.rise {
            self.why = None;
            self.streak = 0;
            return (!std::mem::replace(&mut self.up, true)).then_some(Change::Up);
        }
        None
    }

    fn bad_check(&mut self, why: String, check: &Check) -> Option<Change> {
        self.streak = if self.up { self.streak + 1 } else { 0 };
        if self.up && self.proven && self.streak < check.fall {
            self.why = Some(why);
            return None;
        }
        self.down(why)
    }

    /// It refused a client: out at once, and only checks bring it back.
    pub(super) fn refused(&mut self, why: String) -> Option<Change> {
        self.refusing = true;
        self.down(why)
    }

    /// It took a client. That is no proof of health, since a kernel accepts for a process that hangs; but where
    /// nothing healthy is left it makes it better than those that refuse.
    pub(super) fn accepted(&mut self) {
        self.refusing = false;
    }

    fn down(&mut self, why: String) -> Option<Change> {
        self.why = Some(why);
        self.streak = 0;
        std::mem::replace(&mut self.up, false).then_some(Change::Down)
    }
}

#[cfg(test)]
mod tests;
