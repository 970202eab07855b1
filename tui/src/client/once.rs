//! Owns the wiring of `chat-tui send`: a client of its own, so that a failure leaves nothing behind that is
//! sent later; it borrows the user from the state file and gives the session back.

use std::io::Read;

use anyhow::{Context, bail, ensure};
use chat_protocol::{ClientId, RoomName, limits};
use tracing::warn;

use super::{NETWORK_FAILED, output};
use crate::cli::{Cli, SendArgs};
use crate::net::endpoint::Endpoint;
use crate::net::link::LinkOptions;
use crate::net::network::{Network, NetworkOptions};
use crate::net::saved::SavedClient;
use crate::send::{self, Receipt, Receipts, Sending, split};
use crate::state;

/// Sends what is to be said and waits for its acknowledgement.
pub(super) async fn send(cli: &Cli, args: &SendArgs, endpoints: Vec<Endpoint>) -> anyhow::Result<()> {
    let contents = contents(args)?;
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
    let receipts = if args.json || cli.json { Receipts::Wanted } else { Receipts::Unwanted };
    let sending = Sending { commands, events, room, contents, timeout: args.timeout, receipts };
    let sent = send::run(sending, print).await;
    let saved = task.stop().await.context(NETWORK_FAILED)?;
    if let Some((directory, key)) = file
        && let Err(error) = state::remember(&directory, &key, &saved)
    {
        warn!(%error, "cannot save the session");
    }
    Ok(sent?)
}

/// What does not reach its reader is in the log all the same: the exit code tells that.
fn print(receipt: &Receipt) {
    let _ = output::print(format!("{receipt}\n").as_bytes());
}

/// The messages that the text becomes.
fn contents(args: &SendArgs) -> anyhow::Result<Vec<String>> {
    let mut text = args.text.join(" ");
    let most = usize::from(args.most);
    if text == "-" {
        text = read(most)?;
    }
    let text = chat_protocol::text::check(&text).map_err(|error| anyhow::anyhow!("the text {error}"))?;
    let contents = split(&text, limits::CONTENT_CHARS_MAX, limits::CONTENT_BYTES_MAX);
    match contents.len() {
        0 => bail!("there is nothing to send"),
        count => ensure!(
            count <= most,
            "nothing was sent: this would be {count} messages, and {most} are allowed; send less of it, or allow \
             more with --most {count}"
        ),
    }
    Ok(contents)
}

/// Standard input, as far as it could be sent. Bytes that are not UTF-8 are replaced, which shows them.
fn read(messages_max: usize) -> anyhow::Result<String> {
    let most = limits::CONTENT_BYTES_MAX * messages_max;
    let mut bytes = Vec::new();
    let input = std::io::stdin().take(most as u64 + 1);
    { input }.read_to_end(&mut bytes).context("cannot read standard input")?;
    ensure!(
        bytes.len() <= most,
        "nothing was sent: standard input holds more than {most} bytes, and {messages_max} messages are allowed; \
         send less of it, or allow more with --most"
    );
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
