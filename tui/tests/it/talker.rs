//! Three nodes behind the front-end in the test's process, and somebody who talks there.

use std::net::SocketAddr;

use chat_protocol::{ClientId, NodeId, UserName};
use chat_tui::demo::cluster::{Home, Nodes};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::{LinkState, NetCommand, NetEvent, OutId, OutState, Transport};
use chat_tui::net::link::LinkOptions;
use chat_tui::net::saved::SavedClient;
use chat_tui::net::{Net, run};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::fake::{DEADLINE, room, within};

/// Ends with the test.
pub(crate) struct Cluster {
    pub(crate) nodes: Nodes,
    _shutdown: DropGuard,
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let (tasks, shutdown) = (TaskTracker::new(), CancellationToken::new());
        let nodes = Nodes::start(Home::inside(&tasks, &shutdown), &tasks, &shutdown).await.unwrap();
        Self { nodes, _shutdown: shutdown.drop_guard() }
    }

    pub(crate) fn host(&self) -> String {
        format!("tcp://{}", self.nodes.front)
    }
}

/// Somebody in #general.
pub(crate) struct Talker {
    commands: mpsc::Sender<NetCommand>,
    events: mpsc::Receiver<NetEvent>,
    said: u64,
    _task: JoinSet<SavedClient>,
}

impl Talker {
    /// Enters; gives the node it is on, too.
    pub(crate) async fn enter(front: SocketAddr, name: &str) -> (Self, NodeId) {
        let (commands, from_front) = mpsc::channel(4);
        let (to_front, events) = mpsc::channel(1_024);
        let options = LinkOptions {
            endpoints: vec![Endpoint::new(front.ip().to_string(), front.port(), Transport::Tcp)],
            name: Some(UserName::parse(name).unwrap()),
            rooms: vec![room("general")],
            saved: SavedClient { client_id: Some(ClientId::random()), ..SavedClient::default() },
            seed: 1,
        };
        let mut task = JoinSet::new();
        task.spawn(run(Net {
            options,
            commands: from_front,
            events: to_front,
            shutdown: CancellationToken::new(),
            linger: DEADLINE,
            started: Instant::now(),
            on_welcome: Box::new(|_| {}),
        }));
        let mut talker = Self { commands, events, said: 0, _task: task };
        let mut node = None;
        talker
            .until("the talker in the room", |event| {
                if let NetEvent::Link(status) = event
                    && let LinkState::Online { node: at, .. } = &status.state
                {
                    node = Some(at.clone());
                }
                matches!(event, NetEvent::Joined { .. })
            })
            .await;
        (talker, node.unwrap())
    }

    /// Says something; returns when it is in the log.
    pub(crate) async fn say(&mut self, content: &str) {
        self.said += 1;
        let out = OutId(self.said);
        let say = NetCommand::Say { out, room: room("general"), content: content.into(), kind: None };
        self.commands.send(say).await.unwrap();
        self.until("the ack", |event| {
            matches!(event, NetEvent::Out { out: acked, state: OutState::Acked, .. } if *acked == out)
        })
        .await;
    }

    async fn until(&mut self, what: &str, mut wanted: impl FnMut(&NetEvent) -> bool) {
        within(what, async { while !wanted(&self.events.recv().await.expect("the network runs")) {} }).await;
    }
}
