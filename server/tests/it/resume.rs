//! Coming back: what was missed comes once and in order, and what is gone is told.

use std::time::Duration;

use chat_protocol::{RoomName, Seq};
use chat_server::Cluster;
use serde_json::{Value, json};

use crate::support::{TestClient, TestNode, Way, message};

/// Hello with one resume entry.
async fn back(node: &TestNode, entry: Value) -> TestClient {
    TestClient::hello(node, Way::Tcp, json!({"resume": [entry]})).await.0
}

/// A room with messages 1 to `count`, and its epoch.
async fn filled(node: &TestNode, count: u64) -> (TestClient, Value) {
    let mut alice = TestClient::joined(node, "alice").await;
    for n in 1..=count {
        alice.say(message(n, &n.to_string())).await;
    }
    let ack = alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == count).await;
    (alice, ack["epoch"].clone())
}

#[tokio::test]
async fn what_was_missed_comes_and_then_what_is_live() {
    let node = TestNode::start();
    let (mut alice, epoch) = filled(&node, 5).await;
    let mut client = back(&node, json!({"room": "general", "epoch": epoch, "seq": 2})).await;
    assert_eq!(client.contents(3).await, ["3", "4", "5"]);
    let resumed = client.wait("resumed").await;
    assert_eq!((&resumed["from"], &resumed["to"], &resumed["recovered"]), (&json!(2), &json!(5), &json!(3)));
    assert_eq!(resumed.get("more"), None);
    alice.send(6, "6").await;
    assert_eq!(client.contents(1).await, ["6"]);
}

#[tokio::test]
async fn a_long_absence_gets_all_that_is_kept_and_is_told_what_is_gone() {
    let node = TestNode::with(|config| config.limits.messages_per_second = 0);
    let (_alice, epoch) = filled(&node, 10_005).await;
    let mut client = back(&node, json!({"room": "general", "epoch": epoch, "seq": 2})).await;
    let reset = client.wait("reset").await;
    assert_eq!(
        (&reset["reason"], &reset["lost_from"], &reset["lost_to"]),
        (&json!("trimmed"), &json!(3), &json!(5))
    );
    let resumed = client.wait("resumed").await;
    assert_eq!(
        (&resumed["from"], &resumed["recovered"], resumed.get("more")),
        (&json!(5), &json!(10_000), None)
    );
    let contents = client.contents(10_000).await;
    assert_eq!((contents[0].as_str(), contents[9_999].as_str()), ("6", "10005"));
}

#[tokio::test]
async fn a_wrong_epoch_is_reset_and_the_room_goes_on() {
    let node = TestNode::start();
    let (mut alice, epoch) = filled(&node, 2).await;
    let mut client = back(&node, json!({"room": "general", "epoch": "00000000deadbeef", "seq": 41})).await;
    let reset = client.wait("reset").await;
    assert_eq!((&reset["reason"], &reset["epoch"], &reset["seq"]), (&json!("epoch"), &epoch, &json!(0)));
    assert_eq!((&reset["lost_from"], &reset["lost_to"]), (&json!(42), &Value::Null));
    assert_eq!(client.contents(2).await, ["1", "2"]);
    alice.send(3, "3").await;
    assert_eq!(client.contents(1).await, ["3"]);
}

#[tokio::test]
async fn a_place_from_the_future_is_asked_about_and_rewound() {
    let node = TestNode::with(|config| config.timing.settle = Duration::from_millis(50));
    let (mut alice, epoch) = filled(&node, 2).await;
    let entry = json!({"room": "general", "epoch": epoch, "seq": 99, "id": "nobody/9"});
    let mut client = back(&node, entry).await;
    let rewind = client.wait("rewind").await;
    let to = rewind["to"].as_u64().unwrap();
    assert!(to <= 2, "{rewind}");
    let resumed = client.wait("resumed").await;
    assert_eq!((&resumed["to"], &resumed["recovered"]), (&json!(2), &json!(2 - to)));
    // Nobody else was disturbed.
    alice.send(3, "3").await;
    assert_eq!(client.contents(3 - usize::try_from(to).unwrap()).await.last().unwrap(), "3");
    let seen = alice.until_now(4).await;
    assert!(seen.iter().all(|frame| frame["type"] != "rewind" && frame["type"] != "reset"), "{seen:?}");
}

#[tokio::test]
async fn a_backbone_that_lost_everything_gets_it_back_from_its_nodes() {
    let cluster = Cluster::default();
    let (one, two) = (TestNode::of(&cluster, "one", |_| {}), TestNode::of(&cluster, "two", |_| {}));
    let (mut alice, epoch) = filled(&one, 3).await;
    let mut bob = TestClient::joined(&two, "bob").await;
    cluster.flush();
    let ack = alice.send(4, "4").await;
    assert_eq!((&ack["seq"], &ack["epoch"]), (&json!(4), &epoch));
    assert_eq!(alice.contents(4).await, ["1", "2", "3", "4"]);
    bob.send(1, "5").await;
    assert_eq!(bob.contents(2).await, ["4", "5"]);
    assert_eq!(alice.send(4, "4").await["duplicate"], true);
    let rest = alice.until_now(5).await;
    assert!(rest.iter().all(|frame| frame["type"] != "rewind" && frame["type"] != "reset"), "{rest:?}");
}

#[tokio::test]
async fn a_backbone_that_rolled_back_is_repaired() {
    let cluster = Cluster::default();
    let node = TestNode::of(&cluster, "one", |_| {});
    let (mut alice, epoch) = filled(&node, 3).await;
    cluster.roll_back(&RoomName::general(), Seq(1));
    let ack = alice.send(4, "4").await;
    assert_eq!((&ack["seq"], &ack["epoch"]), (&json!(4), &epoch));
    assert_eq!(alice.contents(4).await, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn rooms_that_cannot_be_resumed_are_answered_each() {
    let node = TestNode::start();
    let entry = |room: &str| json!({"room": room, "epoch": "0000000000000001", "seq": 1});
    let resume: Vec<Value> = ["general", "dm-1234", "~u.alice"].map(entry).to_vec();
    let (mut client, _) = TestClient::hello(&node, Way::Tcp, json!({"resume": resume})).await;
    client.wait_for(|frame| frame["type"] == "reset" && frame["room"] == "general").await;
    for room in ["dm-1234", "~u.alice"] {
        let error = client.wait_for(|frame| frame["type"] == "error" && frame["room"] == room).await;
        assert_eq!(error["code"], "forbidden");
    }
}
