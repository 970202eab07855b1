//! Owns the wiring of `chat-tui send`: a client of its own, so that a failure leaves nothing behind that is
//! sent later; it borrows the user from the state file and gives the session back.

use std::io::Read;

use anyhow::{Context, bail};
use chat_protocol::{ClientId, RoomName, limits};
use tracing::warn;

use super::NETWORK_FAILED;
use crate::cli::{Cli, SendArgs};
use crate::net::endpoint::Endpoint;
use crate::net::link::LinkOptions;
use crate::net::network::{Network, NetworkOptions};
use crate::net::saved::SavedClient;
use crate::send::{self, Sending};
use crate::state;

/// Sends one message and waits for its acknowledgement.
pub(super) async fn send(cli: &Cli, args: &SendArgs, endpoints: Vec<Endpoint>) -> anyhow::Result<()> {
    let content = content(args)?;
    let room = args.room.clone().or_else(|| cli.rooms.first().cloned()).unwrap_or_else(RoomName::general);
    let file = state::directory().map(|directory| (directory, state::key(&endpoints)));
    let saved = file.as_ref().map(|(directory, key)| state::peek(directory, key)).unwrap_or_default();
    let link = LinkOptions {
        endpoints,
        name: cli.server.name.clone().or_else(|| saved.name.clone()).or_else(|| cli.server.login_name()),
        rooms: vec![room.clone()],
        saved: SavedClient { client_id: Some(ClientId::random()), ..saved },
        seed: fastrand::u64(..),
        ..LinkOptions::default()
    };
    let Network { commands, events, task } = Network::start(NetworkOptions::new(link));
    let sending = Sending { commands, events, room, content, timeout: args.timeout };
    let sent = send::run(sending).await;
    let saved = task.stop().await.context(NETWORK_FAILED)?;
    if let Some((directory, key)) = file
        && let Err(error) = state::remember(&directory, &key, &saved)
    {
        warn!(%error, "cannot save the session");
    }
    Ok(sent?)
}

fn content(args: &SendArgs) -> anyhow::Result<String> {
    let mut content = args.text.join(" ");
    if content == "-" {
        content.clear();
        let most = limits::CLIENT_FRAME_BYTES_MAX as u64;
        std::io::stdin().take(most + 1).read_to_string(&mut content).context("cannot read standard input")?;
    }
    let content = content.trim_end_matches(['\n', '\r']);
    if content.trim().is_empty() {
        bail!("there is nothing to send");
    }
    let content = chat_protocol::text::check(content).map_err(|error| anyhow::anyhow!("the text {error}"))?;
    Ok(content.into_owned())
}
