//! Owns what the front wants done to the world: `update` returns these, the loop performs them.

use crate::net::event::NetCommand;
use crate::notify::Notification;

/// Something for the loop to perform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Asks the network.
    Net(NetCommand),
    /// Asks the demo.
    Demo(DemoCommand),
    /// Draws everything anew, whatever the terminal is believed to show.
    Redraw,
    /// Stops the program until the shell continues it.
    Suspend,
    /// Ends the front.
    Quit,
    /// Takes the mouse, or gives it back to the terminal.
    Mouse(bool),
    /// Tells a user who looks elsewhere.
    Notify(Notification),
    /// Puts text into the terminal's clipboard.
    Copy(String),
    /// Opens an address in the user's browser: http or https, of printable ASCII.
    Open(String),
}

/// What breaks and mends the demo's cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemoCommand {
    /// Kills the node the client is on, as abruptly as a process dies.
    Kill,
    /// Kills every node.
    KillAll,
    /// Brings all dead nodes back.
    Revive,
    /// Withholds one message on purpose: proof that losses are counted.
    Withhold,
}
