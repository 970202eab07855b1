//! Edits, deletes and replies by the program's own network side, on a cluster whose nodes die meanwhile: each lands once,
//! and everybody is told of the same messages.

use chat_protocol::{Kind, MessageId, NodeId, RoomMessage, UserName};
use chat_tui::net::endpoint::Endpoint;
use chat_tui::net::event::{
    LinkState, LinkStatus, NetCommand, NetEvent, OutId, OutState, Target, Transport, Words,
};
use chat_tui::net::link::LinkOptions;
use chat_tui::net::network::{Network, NetworkOptions};
use chat_tui::net::saved::SavedClient;

use crate::cluster::{RateLimit, TestCluster};
use crate::fake::{room, within};

/// A client in a room, and the entries it was shown.
struct Client {
    network: Network,
    node: Option<NodeId>,
    shown: Vec<(RoomMessage, Option<OutId>)>,
    acked: Vec<OutId>,
}

impl Client {
    async fn start(name: &str, endpoint: Endpoint) -> Self {
        let link = LinkOptions {
            endpoints: vec![endpoint],
            name: Some(UserName::parse(name).unwrap()),
            rooms: vec![room("general")],
            saved: SavedClient::default(),
            seed: 7,
            ..LinkOptions::default()
        };
        let network = Network::start(NetworkOptions::new(link));
        let mut client = Self { network, node: None, shown: Vec::new(), acked: Vec::new() };
        within("the room", async { while !matches!(client.event().await, NetEvent::Joined { .. }) {} }).await;
        client
    }

    async fn event(&mut self) -> NetEvent {
        let event = self.network.events.recv().await.expect("the network runs");
        match &event {
            NetEvent::Link(LinkStatus { state: LinkState::Online { node, .. }, .. }) => {
                self.node = Some(node.clone());
            }
            NetEvent::Entry { message, out, .. } => self.shown.push((message.clone(), *out)),
            NetEvent::Out { out, state: OutState::Acked, .. } => self.acked.push(*out),
            NetEvent::Out { state: OutState::Failed(why), .. } => panic!("{why}"),
            _ => {}
        }
        event
    }

    /// Says something, and goes on at once.
    async fn say(&self, out: u64, content: &str, kind: Option<Kind>, of: Option<&RoomMessage>) {
        let of = of.map(|of| Target { seq: of.seq, id: Some(of.id.clone()) });
        let words = Words { content: content.to_owned(), kind, of };
        let say = NetCommand::SayOf { out: OutId(out), room: room("general"), words };
        self.network.commands.send(say).await.expect("the network runs");
    }

    /// The entry of one's own that was said as this.
    async fn arrived(&mut self, out: u64) -> RoomMessage {
        within("the entry", async {
            loop {
                if let Some((message, _)) = self.shown.iter().find(|(_, of)| *of == Some(OutId(out))) {
                    return message.clone();
                }
                self.event().await;
            }
        })
        .await
    }

    /// Everything that was shown until these words.
    async fn until(&mut self, content: &str) -> Vec<Shown> {
        within("the end", async {
            while !self.shown.iter().any(|(message, _)| message.body.content == content) {
                self.event().await;
            }
        })
        .await;
        let shown = self.shown.iter().map(|(RoomMessage { body, .. }, _)| Shown {
            kind: body.kind,
            content: body.content.clone(),
            of: body.reference_id.clone(),
            quote: body.quote.as_ref().map(|quote| quote.text.clone()),
        });
        shown.collect()
    }

    async fn stop(self) {
        within("the client's end", self.network.stop()).await.unwrap();
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Shown {
    kind: Option<Kind>,
    content: String,
    of: Option<MessageId>,
    quote: Option<String>,
}

fn speech(content: &str) -> Shown {
    Shown { kind: None, content: content.into(), of: None, quote: None }
}

/// Alice changes what she said while her node dies; Bob is on another one.
pub(crate) async fn check(endpoint: Endpoint, kill: impl FnOnce(&NodeId)) {
    let mut alice = Client::start("alice", endpoint.clone()).await;
    let mut bob = Client::start("bob", endpoint).await;
    assert_ne!(alice.node, bob.node, "the peer is on another node");
    alice.say(1, "teh words", None, None).await;
    alice.say(2, "to be gone", None, None).await;
    let (words, gone) = (alice.arrived(1).await, alice.arrived(2).await);
    // On its way when the node dies: whether it has landed nobody knows.
    alice.say(3, "the words", Some(Kind::Edit), Some(&words)).await;
    kill(alice.node.as_ref().expect("online"));
    alice.say(4, "these words", Some(Kind::Edit), Some(&words)).await;
    alice.say(5, "", Some(Kind::Delete), Some(&gone)).await;
    // A quote is of what the log holds when the reply comes.
    alice.arrived(4).await;
    alice.say(6, "as I said", None, Some(&words)).await;
    alice.say(7, "end", None, None).await;
    let change = |kind, content: &str, of: &RoomMessage| Shown {
        kind: Some(kind),
        content: content.into(),
        of: Some(of.id.clone()),
        quote: None,
    };
    let expected = [
        speech("teh words"),
        speech("to be gone"),
        change(Kind::Edit, "the words", &words),
        change(Kind::Edit, "these words", &words),
        change(Kind::Delete, "", &gone),
        Shown { quote: Some("these words".into()), ..speech("as I said") },
        speech("end"),
    ];
    assert_eq!(bob.until("end").await, expected);
    assert_eq!(alice.until("end").await, expected);
    within("the acks", async {
        while alice.acked.len() < 7 {
            alice.event().await;
        }
    })
    .await;
    assert_eq!(alice.acked, (1..=7).map(OutId).collect::<Vec<_>>(), "each once");
    // Of the message of somebody whose node is gone.
    bob.say(1, "yes", None, Some(&words)).await;
    assert_eq!(bob.arrived(1).await.body.quote.map(|quote| quote.text), Some("these words".into()));
    alice.stop().await;
    bob.stop().await;
}

#[tokio::test]
async fn changes_outlive_a_node() {
    let cluster = TestCluster::start(RateLimit::AsConfigured);
    check(cluster.endpoint(Transport::Tcp), |node| cluster.kill(cluster.index(node))).await;
}
