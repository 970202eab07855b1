//! Owns `chat-tui send`: one message, and the certainty that the cluster has it. Knows the network only by
//! its two vocabularies.

use std::time::Duration;

use chat_protocol::RoomName;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::net::event::{LinkState, NetCommand, NetEvent, OutId, OutState};

/// The only message there is.
const OUT: OutId = OutId(1);

/// What is to be sent, and how.
pub struct Sending {
    /// To the network.
    pub commands: mpsc::Sender<NetCommand>,
    /// From the network.
    pub events: mpsc::Receiver<NetEvent>,
    /// Where.
    pub room: RoomName,
    /// What.
    pub content: String,
    /// How long the acknowledgement may take.
    pub timeout: Duration,
}

/// Why a message is not known to have arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It will never arrive.
    #[error("not sent: {0}")]
    Refused(String),
    /// No acknowledgement in time; it may have arrived all the same.
    #[error("not acknowledged within {after:?} ({why})")]
    TimedOut {
        /// How long was waited.
        after: Duration,
        /// What was last heard.
        why: String,
    },
    /// The network side is gone.
    #[error("the network side has stopped")]
    Stopped,
}

/// Sends it and waits for its acknowledgement.
///
/// # Errors
/// [`SendError`] where it did not come.
pub async fn run(sending: Sending) -> Result<(), SendError> {
    let Sending { commands, mut events, room, content, timeout: after } = sending;
    let mut why = "no connection yet".to_owned();
    let acknowledged = async {
        let say = NetCommand::Say { out: OUT, room, content, kind: None };
        commands.send(say).await.map_err(|_| SendError::Stopped)?;
        loop {
            match events.recv().await.ok_or(SendError::Stopped)? {
                NetEvent::Out { out: OUT, state: OutState::Acked, .. } => return Ok(()),
                NetEvent::Out { out: OUT, state: OutState::Failed(reason), .. } => {
                    return Err(SendError::Refused(clean(&reason)));
                }
                NetEvent::Trouble { text, .. } => why = clean(&text),
                NetEvent::Link(status) => note(&mut why, &status.state),
                _ => {}
            }
        }
    };
    match timeout(after, acknowledged).await {
        Ok(result) => result,
        Err(_) => Err(SendError::TimedOut { after, why }),
    }
}

fn note(why: &mut String, state: &LinkState) {
    match state {
        LinkState::Down { reason, .. } => *why = clean(reason),
        LinkState::Online { node, .. } => *why = format!("{node} did not answer"),
        LinkState::Idle | LinkState::Dialling { .. } => {}
    }
}

fn clean(text: &str) -> String {
    chat_protocol::text::sanitize_line(text).into_owned()
}

#[cfg(test)]
mod tests;
