//! The client: a terminal chat on a cluster of servers.
//!
//! A message's way to the screen: `net` frames the bytes, its link decides what they mean, `update` changes
//! the model in `app`, `view` draws it; `run` is the loop. Without a terminal `plain` prints lines instead.

mod app;
mod between;
pub mod cli;
pub mod client;
mod command;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod doctor;
pub mod effect;
mod event;
pub mod exit;
mod glyphs;
mod keymap;
mod manual;
#[cfg(feature = "measure")]
#[doc(hidden)]
pub mod measure;
mod nearest;
pub mod net;
mod notify;
pub mod plain;
pub mod run;
pub mod send;
mod settings;
pub mod state;
mod terminal;
mod theme;
mod update;
mod view;

#[cfg(test)]
mod stage;
