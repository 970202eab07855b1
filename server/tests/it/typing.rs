//! Who is typing: told to the others in the room, on every node, at most once in three seconds, and to nobody else.

use std::time::Duration;

use chat_protocol::limits::TYPING_EVERY;
use chat_server::Cluster;
use chat_testbed::{RedisOptions, RedisServer};
use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use crate::support::{TestClient, TestNode, Way, within};

fn typing() -> Value {
    json!({"type": "typing", "room": "general"})
}

fn is_typing(frame: &Value) -> bool {
    frame["type"] == "typing"
}

async fn check_told_everywhere(one: &TestNode, two: &TestNode) {
    let (mut alice, welcome) = TestClient::hello(one, Way::Tcp, json!({"name": "alice"})).await;
    alice.join("general").await;
    let mut twin = {
        let hello = json!({"name": "alice", "session": welcome["session"]});
        let (mut twin, again) = TestClient::hello(two, Way::WebSocket, hello).await;
        assert_eq!(again["user_id"], welcome["user_id"]);
        twin.join("general").await;
        twin
    };
    let mut bob = TestClient::joined(one, "bob").await;
    let mut carol = TestClient::joined(two, "carol").await;
    let mut guest = TestClient::connect(two, Way::Tcp).await;
    guest.say(json!({"type": "join", "room": "general"})).await;
    guest.wait("room_users").await;
    let begun = Instant::now();
    for _ in 0..20 {
        alice.say(typing()).await;
        twin.say(typing()).await;
    }
    let expected =
        json!({"type": "typing", "room": "general", "userId": welcome["user_id"], "username": "alice"});
    for other in [&mut bob, &mut carol] {
        assert_eq!(other.wait("typing").await, expected);
    }
    // Whoever goes on is told again, and not sooner.
    let mut again = interval(Duration::from_millis(50));
    let mut says = async || loop {
        again.tick().await;
        alice.say(typing()).await;
    };
    tokio::select! {
        again = bob.wait("typing") => assert_eq!(again, expected),
        () = says() => {}
    }
    assert!(begun.elapsed() >= TYPING_EVERY, "{:?}", begun.elapsed());
    assert_eq!(carol.wait("typing").await, expected);
    // The entry behind it is the log's first: nothing of it was kept.
    assert_eq!(bob.send(1, "said").await["seq"], 1);
    for other in [&mut carol, &mut alice, &mut twin, &mut guest] {
        other.wait("message").await;
        assert_eq!(other.seen(is_typing), None, "told too often, or to who is not to hear it");
    }
}

#[tokio::test]
async fn typing_is_told_to_the_others_on_all_nodes() {
    let cluster = Cluster::default();
    let (one, two) = (TestNode::of(&cluster, "one", |_| {}), TestNode::of(&cluster, "two", |_| {}));
    check_told_everywhere(&one, &two).await;
}

#[tokio::test]
async fn typing_is_told_through_a_redis() {
    let server = RedisServer::start(RedisOptions::default()).await.unwrap();
    let one = TestNode::on_redis(&server.url(), "one", |_| {}).await;
    let two = TestNode::on_redis(&server.url(), "two", |_| {}).await;
    check_told_everywhere(&one, &two).await;
}

#[tokio::test]
async fn typing_where_one_is_not_is_refused_and_too_much_of_it_is_no_mistake() {
    let node = TestNode::start();
    let (mut alice, _) = TestClient::hello(&node, Way::Tcp, json!({"name": "alice"})).await;
    alice.say(json!({"type": "typing", "room": "general", "re": "t"})).await;
    let refused = alice.wait("error").await;
    assert_eq!(
        (&refused["code"], &refused["room"], &refused["re"]),
        (&json!("not_in_room"), &json!("general"), &json!("t"))
    );
    alice.join("general").await;
    // Far more than the mistakes after which a connection is closed.
    for _ in 0..200 {
        alice.say(typing()).await;
    }
    assert_eq!(alice.until_now(1).await.iter().filter(|frame| frame["type"] == "error").count(), 0);
}

#[tokio::test]
async fn who_has_enough_to_read_is_not_told() {
    let node = TestNode::with(|config| config.limits.outbox_bytes = 1);
    let (mut alice, mut bob) =
        (TestClient::joined(&node, "alice").await, TestClient::joined(&node, "bob").await);
    alice.say(typing()).await;
    within(async {
        let mut again = interval(Duration::from_millis(20));
        while !crate::support::get(node.http, "/metrics").await.1.contains("chat_typing_dropped_total 1") {
            again.tick().await;
        }
    })
    .await;
    alice.send(1, "said").await;
    bob.wait("message").await;
    assert_eq!(bob.seen(is_typing), None);
}
