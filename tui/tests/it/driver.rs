//! The network task against a server that does what a test tells it to.

use std::time::Duration;

use chat_protocol::{
    ClientId, ClientMessage, ErrorCode, ErrorMessage, NodeId, Outgoing, Seq, ServerMessage, UserName,
};
use chat_tui::net::event::{LinkState, LinkStatus, NetCommand, NetEvent, OutId, OutState, Transport};
use chat_tui::net::link::LinkOptions;
use chat_tui::net::saved::SavedClient;
use chat_tui::net::{Net, run};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::fake::{Conn, Fake, room, within};
use crate::transport::upgraded_with;

struct Client {
    commands: mpsc::Sender<NetCommand>,
    events: mpsc::Receiver<NetEvent>,
    shutdown: CancellationToken,
    task: JoinSet<SavedClient>,
    welcomed: mpsc::UnboundedReceiver<SavedClient>,
}

impl Client {
    fn start(fake: &Fake, linger: Duration) -> Self {
        let (commands, from_front) = mpsc::channel(4);
        let (to_front, events) = mpsc::channel(4);
        let (welcome, welcomed) = mpsc::unbounded_channel();
        let shutdown = CancellationToken::new();
        let options = LinkOptions {
            endpoints: vec![fake.endpoint()],
            name: Some(UserName::parse("alice").unwrap()),
            rooms: vec![room("general")],
            saved: SavedClient::default(),
            seed: 1,
            ..LinkOptions::default()
        };
        let net = Net {
            options,
            commands: from_front,
            events: to_front,
            shutdown: shutdown.clone(),
            linger,
            started: Instant::now(),
            on_welcome: Box::new(move |saved| welcome.send(saved.clone()).unwrap()),
        };
        let mut task = JoinSet::new();
        task.spawn(run(net));
        Self { commands, events, shutdown, task, welcomed }
    }

    async fn until(&mut self, what: &str, mut wanted: impl FnMut(&NetEvent) -> bool) -> NetEvent {
        within(what, async {
            loop {
                let event = self.events.recv().await.expect("the network runs");
                if wanted(&event) {
                    return event;
                }
            }
        })
        .await
    }

    async fn say(&self, out: u64, content: &str) {
        let say =
            NetCommand::Say { out: OutId(out), room: room("general"), content: content.into(), kind: None };
        within("room for a command", self.commands.send(say)).await.unwrap();
    }

    async fn end(mut self) -> SavedClient {
        self.shutdown.cancel();
        within("the end", self.task.join_next()).await.unwrap().unwrap()
    }
}

fn is_online(event: &NetEvent) -> bool {
    matches!(event, NetEvent::Link(status) if matches!(status.state, LinkState::Online { .. }))
}

fn is_down(event: &NetEvent) -> bool {
    matches!(event, NetEvent::Link(status) if matches!(status.state, LinkState::Down { .. }))
}

fn is_acked(event: &NetEvent) -> bool {
    matches!(event, NetEvent::Out { state: OutState::Acked, .. })
}

async fn welcomed(fake: &Fake, node: &str) -> (Conn, ClientId) {
    let mut conn = fake.accept().await;
    let hello = conn.greet(node).await;
    assert_eq!(hello.name, Some(UserName::parse("alice").unwrap()));
    (conn, hello.client_id.unwrap())
}

/// Reads on to a status that is wanted.
async fn status(client: &mut Client, what: &str, wanted: impl Fn(&LinkStatus) -> bool) -> LinkStatus {
    let is_it = |event: &NetEvent| matches!(event, NetEvent::Link(status) if wanted(status));
    match client.until(what, is_it).await {
        NetEvent::Link(status) => status,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn of_two_connections_the_first_is_not_read_until_it_is_known_what_becomes_of_the_second() {
    let fake = Fake::bind(Transport::Tcp).await;
    let mut client = Client::start(&fake, Duration::ZERO);
    let (mut first, id) = welcomed(&fake, "node-1").await;
    status(&mut client, "online", |status| matches!(status.state, LinkState::Online { .. })).await;
    client.say(1, "one").await;
    let one = first.message().await.unwrap();

    first.send(&ServerMessage::Drain { reconnect_in_ms: 0 }).await;
    let mut refusing = fake.accept().await;
    assert!(refusing.hello().await.if_ready);
    first.accept_message(&id, &one).await;
    refusing.send(&ServerMessage::Error(ErrorMessage::new(ErrorCode::ShuttingDown, "not here"))).await;
    client.until("what waited in the first one", is_acked).await;
    assert!(refusing.request().await.is_none(), "it is hung up");

    client.say(2, "two").await;
    let two = first.message().await.unwrap();
    let mut second = fake.accept().await;
    let hello = second.hello().await;
    assert_eq!((hello.generation, hello.resume[0].seq), (Some(3), Seq(1)));
    // It waits in the first one, and comes again through the second.
    first.accept_message(&id, &two).await;
    let serve = async {
        second.welcome(NodeId::parse("node-2").unwrap(), &hello).await;
        while second.message().await.unwrap().n != Some(2) {}
        second.accept_message(&id, &two).await;
    };
    let both = status(&mut client, "both acks", |status| status.moves == 1 && status.queued == 0);
    tokio::join!(serve, both);
    // What stands behind another message has been counted by then.
    client.say(3, "three").await;
    status(&mut client, "a third one", |status| status.queued == 1).await;
    while second.message().await.unwrap().n != Some(3) {}
    let three = Outgoing { n: Some(3), ..two };
    second.accept_message(&id, &three).await;
    let status = status(&mut client, "its ack", |status| status.queued == 0).await;
    assert_eq!((status.totals.dup, status.totals.lost, status.failovers), (0, 0, 0));
    assert!(first.request().await.is_none(), "it is hung up");
    client.end().await;
}

#[tokio::test]
async fn a_message_goes_and_comes_back_on_both_transports() {
    for transport in [Transport::Tcp, Transport::Ws] {
        let fake = Fake::bind(transport).await;
        let mut client = Client::start(&fake, Duration::ZERO);
        let (mut conn, id) = welcomed(&fake, "node-1").await;
        client.until("online", is_online).await;
        client.say(1, "hi").await;
        let message = conn.message().await.unwrap();
        assert_eq!(message.content, "hi");
        conn.accept_message(&id, &message).await;
        client.until("the ack", is_acked).await;
        let saved = client.end().await;
        assert_eq!(saved.session.as_deref(), Some("s-1"));
        assert!(conn.request().await.is_none(), "the connection ends");
    }
}

#[tokio::test]
async fn a_lost_connection_is_dialled_again_and_the_outbox_goes_with_it() {
    let fake = Fake::bind(Transport::Tcp).await;
    let mut client = Client::start(&fake, Duration::ZERO);
    let (mut conn, _) = welcomed(&fake, "node-1").await;
    client.until("online", is_online).await;
    client.say(1, "hi").await;
    conn.message().await.unwrap();
    conn.reset();
    client.until("down", is_down).await;
    let (mut conn, id) = welcomed(&fake, "node-2").await;
    // A front-end that does not look stops the frames.
    client.until("online again", is_online).await;
    let message = conn.message().await.unwrap();
    assert_eq!((message.content.as_str(), message.n), ("hi", Some(1)));
    conn.accept_message(&id, &message).await;
    client.until("the ack", is_acked).await;
}

#[tokio::test]
async fn at_the_end_it_waits_for_the_outbox() {
    let fake = Fake::bind(Transport::Tcp).await;
    let mut client = Client::start(&fake, crate::fake::DEADLINE * 2);
    let (mut conn, id) = welcomed(&fake, "node-1").await;
    client.until("online", is_online).await;
    client.say(1, "the last words").await;
    client.shutdown.cancel();
    let message = conn.message().await.unwrap();
    conn.accept_message(&id, &message).await;
    client.end().await;
}

#[tokio::test]
async fn at_the_end_it_waits_no_longer_than_it_was_told() {
    let fake = Fake::bind(Transport::Tcp).await;
    let mut client = Client::start(&fake, Duration::from_millis(50));
    let (_conn, _) = welcomed(&fake, "node-1").await;
    client.until("online", is_online).await;
    client.say(1, "nobody answers").await;
    client.until("sent", |event| matches!(event, NetEvent::Out { .. })).await;
    client.end().await;
}

#[tokio::test]
async fn a_front_end_that_is_gone_ends_it() {
    let fake = Fake::bind(Transport::Tcp).await;
    let Client { commands, events, mut task, mut welcomed, .. } = Client::start(&fake, Duration::ZERO);
    let (_conn, _) = self::welcomed(&fake, "node-1").await;
    within("the session", welcomed.recv()).await.unwrap();
    drop((commands, events));
    within("the end", task.join_next()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_front_end_that_does_not_look_stops_no_command_and_loses_no_event() {
    let fake = Fake::bind(Transport::Tcp).await;
    let mut client = Client::start(&fake, Duration::ZERO);
    let (mut conn, id) = welcomed(&fake, "node-1").await;
    client.until("online", is_online).await;
    // More than both queues hold: with a network that waits for the front-end this would stand still.
    for out in 1..=50 {
        client.say(out, "x").await;
    }
    let serve = async {
        for _ in 1..=50 {
            let message = conn.message().await.unwrap();
            conn.accept_message(&id, &message).await;
        }
    };
    let watch = async {
        for _ in 1..=50 {
            client.until("an ack", is_acked).await;
        }
    };
    tokio::join!(serve, watch);
}

#[tokio::test]
async fn a_front_end_that_does_not_look_is_no_silent_client() {
    let fake = Fake::bind(Transport::Tcp).await;
    let mut client = Client::start(&fake, Duration::ZERO);
    let (mut conn, id) = welcomed(&fake, "node-1").await;
    client.until("online", is_online).await;
    // More than its queue holds, and nobody takes it.
    for out in 1..=20 {
        client.say(out, "x").await;
        let message = conn.message().await.unwrap();
        conn.accept_message(&id, &message).await;
    }
    let is_ping = |request: chat_protocol::Request| matches!(request.message, ClientMessage::Ping { .. });
    while !is_ping(conn.request().await.expect("a server that hears nothing would take it for gone")) {}
}

#[tokio::test]
async fn what_a_load_balancer_set_goes_back_to_it_on_the_next_connection() {
    let fake = Fake::bind(Transport::Ws).await;
    let mut client = Client::start(&fake, Duration::ZERO);
    let serve = async {
        assert_eq!(upgraded_with(&fake, &["AWSALB=one; Path=/"]).await, None);
        assert_eq!(upgraded_with(&fake, &[]).await.as_deref(), Some("AWSALB=one"));
    };
    // Somebody looks: a client whose events are not taken does not dial.
    let looks = async { while client.events.recv().await.is_some() {} };
    tokio::select! {
        () = serve => {}
        () = looks => panic!("the network runs"),
    }
}
