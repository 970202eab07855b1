//! Owns everything that can happen to the front: one closed enum, and the time that comes with it.

use crossterm::event::KeyEvent;
use jiff::Timestamp;

use crate::net::event::{Moment, NetEvent};

/// When an event happened, on both clocks: one that never goes back, and the one on the wall.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) moment: Moment,
    pub(crate) wall: Timestamp,
}

/// What was done with the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mouse {
    WheelUp,
    WheelDown,
    /// The left button went down on a cell.
    Click {
        x: u16,
        y: u16,
    },
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Event {
    Key(KeyEvent),
    /// Text pasted as one piece (bracketed paste).
    Paste(String),
    Resize {
        width: u16,
        height: u16,
    },
    /// The terminal has the keyboard, or has it no more.
    Focus(bool),
    Mouse(Mouse),
    /// Something that was asked for outside could not be done: the words for it.
    Refused(String),
    /// Something on the screen counts, and its next figure is due.
    Tick,
    Net(Box<NetEvent>),
}
