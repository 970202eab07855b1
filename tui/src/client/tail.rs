//! Owns the wiring of `chat-tui tail`: a client of its own beside whatever else runs, as the user of the state file.

use anyhow::Context;
use chat_protocol::ClientId;
use tracing::warn;

use super::signals::until_signal;
use super::{NETWORK_FAILED, output};
use crate::cli::{Cli, TailArgs};
use crate::exit::Exit;
use crate::net::endpoint::Endpoint;
use crate::net::link::LinkOptions;
use crate::net::network::{Network, NetworkOptions};
use crate::net::saved::SavedClient;
use crate::plain::Format;
use crate::plain::tail::{self, Tail};
use crate::state;

/// Prints what is said until it is stopped.
pub(super) async fn tail(cli: &Cli, args: &TailArgs, endpoints: Vec<Endpoint>) -> anyhow::Result<Exit> {
    let rooms = if args.rooms.is_empty() { cli.rooms() } else { args.rooms.clone() };
    let format = if args.json || cli.json { Format::Json } else { Format::Lines };
    let file = state::directory().map(|directory| (directory, state::key(&endpoints)));
    let saved = file.as_ref().map(|(directory, key)| state::peek(directory, key)).unwrap_or_default();
    let link = LinkOptions {
        endpoints,
        name: cli.server.name.clone().or_else(|| saved.name.clone()).or_else(|| cli.server.login_name()),
        rooms: rooms.clone(),
        saved: SavedClient { client_id: Some(ClientId::random()), ..saved },
        seed: fastrand::u64(..),
        ..LinkOptions::default()
    };
    // It may run for weeks: who it is must be known to the next one from the beginning.
    let on_welcome = Box::new(move |saved: &SavedClient| {
        if let Some((directory, key)) = &file
            && let Err(error) = state::remember(directory, key, saved)
        {
            warn!(%error, "cannot save the session");
        }
    });
    let network = Network::start(NetworkOptions { on_welcome, ..NetworkOptions::new(link) });
    let Network { commands, events, task } = network;
    let (started, shutdown) = (task.started, task.shutdown.clone());
    let since = args.since;
    let tail = Tail { commands, events, rooms, format, since, started, shutdown };
    let front = async {
        tokio::select! {
            ended = tail::run(tail, tokio::io::stdout(), tokio::io::stderr()) => Ok(ended?),
            () = output::closed() => Ok(()),
        }
    };
    let ended = until_signal(front, &task.shutdown).await;
    task.stop().await.context(NETWORK_FAILED)?;
    ended
}
