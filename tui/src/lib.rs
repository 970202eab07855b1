//! The client: a terminal chat on a cluster of servers.
//!
//! A message's way to the screen: `net` frames the bytes, its link decides what they mean, `update` changes
//! the model in `app`, `view` draws it; `run` is the loop. Without a terminal `plain` prints lines instead.

mod app;
pub mod cli;
pub mod client;
mod command;
#[cfg(feature = "demo")]
pub mod demo;
pub mod effect;
mod event;
mod glyphs;
mod keymap;
#[cfg(feature = "measure")]
#[doc(hidden)]
pub mod measure;
pub mod net;
pub mod plain;
pub mod run;
pub mod send;
pub mod state;
mod terminal;
mod theme;
mod update;
mod view;

#[cfg(test)]
mod stage;
