//! The client.

mod app;
pub mod cli;
pub mod client;
mod command;
pub mod effect;
mod event;
mod glyphs;
mod keymap;
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
