//! Breaks a cluster of real server processes in every way there is, has hundreds of real clients talk meanwhile, and
//! checks every message of every client.
//!
//! A run from top to bottom: `run` starts the `cluster` and the `fleet`, `nemesis` plays the `scenario`, the fleet
//! writes everything down in the `record`, `check` and `silence` judge that record and nothing else, `report` shows it.
//! `crowd` is a run of its own, in which nothing is broken: a room of thousands comes and goes.

pub mod check;
pub mod cli;
pub mod cluster;
pub mod crowd;
pub mod fleet;
pub mod load;
pub mod nemesis;
pub mod record;
pub mod report;
pub mod run;
pub mod scenario;
pub mod silence;
pub mod violations;
