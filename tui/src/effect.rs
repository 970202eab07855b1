//! Owns what the front-end wants done outside itself. (The full screen's effects join it here.)

/// What a person does to the demo's cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemoCommand {
    /// Kill the node the client is on, as abruptly as a process dies.
    Kill,
    /// Kill all nodes.
    KillAll,
    /// Bring the dead nodes back.
    Revive,
    /// Withhold the next message from the client, so that it must be told as lost.
    Withhold,
}
