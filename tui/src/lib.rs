//! The client. [`run::run`] is the full-screen front; it meets the network at the two vocabularies of
//! [`net::event`] and the demo at [`effect::DemoCommand`].

mod app;
mod command;
pub mod effect;
mod event;
mod glyphs;
mod keymap;
pub mod net {
    //! The network side of the client.
    pub mod event;
}
pub mod run;
mod terminal;
mod theme;
mod update;
mod view;

#[cfg(test)]
mod stage;
