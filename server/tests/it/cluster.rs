//! Two nodes of one cluster: users and messages of one are seen on the other, sessions hold everywhere.

use std::time::Duration;

use chat_server::Cluster;
use serde_json::{Value, json};

use crate::support::{TestClient, TestNode, Way, lists, within};

fn pair() -> (Cluster, TestNode, TestNode) {
    let cluster = Cluster::default();
    let (one, two) = (TestNode::of(&cluster, "one", |_| {}), TestNode::of(&cluster, "two", |_| {}));
    (cluster, one, two)
}

/// Hello with what an earlier welcome said.
async fn back(node: &TestNode, welcome: &Value, generation: u64) -> (TestClient, Value) {
    let hello = json!({
        "name": welcome["name"], "client_id": welcome["client_id"], "session": welcome["session"],
        "generation": generation,
    });
    TestClient::hello(node, Way::Tcp, hello).await
}

#[tokio::test]
async fn users_and_messages_of_one_node_are_seen_on_the_other() {
    let (_cluster, one, two) = pair();
    let mut alice = TestClient::joined(&one, "alice").await;
    let mut bob = TestClient::joined(&two, "bob").await;
    let joined = alice.wait_for(|frame| lists(&frame["joined"], "bob")).await;
    assert_eq!((&joined["joined"][0]["node"], &joined["count"]), (&json!("two"), &json!(2)));
    // No order is promised between a join and who else is there: it comes.
    let who = within(async {
        loop {
            bob.say(json!({"type": "who", "room": "general"})).await;
            let who = bob.wait("who").await;
            if who["count"] == 2 {
                return who;
            }
        }
    })
    .await;
    let mut there: Vec<_> =
        who["users"].as_array().unwrap().iter().map(|user| user["node"].to_string()).collect();
    there.sort();
    assert_eq!(there, ["\"one\"", "\"two\""]);
    alice.send(1, "from one").await;
    bob.send(1, "from two").await;
    assert_eq!(bob.contents(2).await, ["from one", "from two"]);
    let at_alice = [alice.wait("message").await, alice.wait("message").await];
    assert_eq!((&at_alice[0]["node"], &at_alice[1]["node"]), (&json!("one"), &json!("two")));
    bob.say(json!({"type": "nodes"})).await;
    let nodes = bob.wait("nodes").await;
    let names: Vec<_> = nodes["nodes"].as_array().unwrap().iter().map(|node| node["node"].clone()).collect();
    assert_eq!(names, ["one", "two"]);
}

#[tokio::test]
async fn a_taken_name_is_numbered_on_any_node() {
    let (_cluster, one, two) = pair();
    let (_alice, first) = TestClient::hello(&one, Way::Tcp, json!({"name": "Alice"})).await;
    assert_eq!((&first["name"], first.get("name_wanted")), (&json!("Alice"), None));
    let (_other, second) = TestClient::hello(&two, Way::WebSocket, json!({"name": "alice"})).await;
    assert_eq!((&second["name"], &second["name_wanted"]), (&json!("alice-2"), &json!("alice")));
    let (_third, third) = TestClient::hello(&one, Way::Tcp, json!({"name": "ALICE"})).await;
    assert_eq!(third["name"], "ALICE-3");
    let (_guest, guest) = TestClient::hello(&one, Way::Tcp, json!({})).await;
    assert!(guest["name"].as_str().unwrap().starts_with("guest-"));
    let (_server, server) = TestClient::hello(&one, Way::Tcp, json!({"name": "server"})).await;
    assert!(server["name"].as_str().unwrap().starts_with("guest-"), "a reserved name cannot be had");
}

#[tokio::test]
async fn a_session_proves_the_user_on_another_node() {
    let (_cluster, one, two) = pair();
    let (mut alice, welcome) =
        TestClient::hello(&one, Way::Tcp, json!({"name": "alice", "client_id": "phone"})).await;
    alice.join("general").await;
    alice.send(1, "hi").await;
    let (mut moved, again) = back(&two, &welcome, 1).await;
    for field in ["user_id", "client_id", "name"] {
        assert_eq!(again[field], welcome[field], "{field}");
    }
    let room = &again["rooms"][0];
    assert_eq!((&room["room"], &room["last_n"], &room["seq"]), (&json!("general"), &json!(1), &json!(1)));
    moved.join("general").await;
    assert_eq!(moved.send(1, "hi").await["duplicate"], true, "the number is known on this node too");
}

#[tokio::test]
async fn a_client_id_without_its_session_is_anothers() {
    let (_cluster, one, two) = pair();
    let (_alice, welcome) =
        TestClient::hello(&one, Way::Tcp, json!({"name": "alice", "client_id": "phone"})).await;
    let mut forged = welcome["session"].as_str().unwrap().to_owned();
    forged.replace_range(0..1, if forged.starts_with('0') { "1" } else { "0" });
    for session in [Value::Null, json!(forged), json!("nonsense")] {
        let (_thief, stranger) =
            TestClient::hello(&two, Way::Tcp, json!({"client_id": "phone", "session": session})).await;
        assert_ne!(stranger["user_id"], welcome["user_id"]);
        assert_ne!(stranger["client_id"], "phone");
    }
}

#[tokio::test]
async fn a_newer_connection_of_a_client_closes_the_older_on_any_node() {
    let (_cluster, one, two) = pair();
    for (second, way) in [(&one, Way::Tcp), (&two, Way::Tcp), (&one, Way::WebSocket)] {
        let (mut old, welcome) =
            TestClient::hello(&one, way, json!({"name": "alice", "generation": 1})).await;
        let (mut new, _) = back(second, &welcome, 2).await;
        let closed = old.closed().await;
        match way {
            Way::Tcp => assert_eq!(closed.reason, "fenced"),
            Way::WebSocket => {
                assert_eq!(closed.code, Some(1008));
                assert!(closed.reason.contains("taken over"), "{}", closed.reason);
            }
        }
        new.join("general").await;
        // One that was overtaken on its way in is closed too, and takes nothing from the newer one.
        let mut late = TestClient::connect(second, Way::Tcp).await;
        late.say(json!({"type": "hello", "v": 1, "client_id": welcome["client_id"], "session": welcome["session"], "generation": 1})).await;
        assert_eq!(late.closed().await.reason, "fenced");
        let (_newest, _) = back(second, &welcome, 3).await;
        assert_eq!(new.closed().await.reason, "fenced");
    }
}

#[tokio::test]
async fn a_lost_connection_is_held_and_a_return_elsewhere_is_a_move() {
    let cluster = Cluster::default();
    let hold = |config: &mut chat_server::config::Config| config.timing.leave_hold = Duration::from_secs(600);
    let (one, two) = (TestNode::of(&cluster, "one", hold), TestNode::of(&cluster, "two", hold));
    let mut bob = TestClient::joined(&two, "bob").await;
    let (mut alice, welcome) = TestClient::hello(&one, Way::Tcp, json!({"name": "alice"})).await;
    alice.join("general").await;
    bob.wait_for(|frame| lists(&frame["joined"], "alice")).await;
    alice.stream().set_zero_linger().unwrap();
    drop(alice);
    let (mut back, _) = back(&two, &welcome, 1).await;
    back.join("general").await;
    let moved = bob.wait_for(|frame| frame["type"] == "presence" && frame["moved"].is_array()).await;
    assert_eq!((&moved["moved"][0]["from"], &moved["moved"][0]["node"]), (&json!("one"), &json!("two")));
    assert_eq!((&moved["count"], moved.get("left"), moved.get("joined")), (&json!(2), None, None));
}

#[tokio::test]
async fn who_does_not_come_back_has_left() {
    let cluster = Cluster::default();
    let hold =
        |config: &mut chat_server::config::Config| config.timing.leave_hold = Duration::from_millis(50);
    let (one, two) = (TestNode::of(&cluster, "one", hold), TestNode::of(&cluster, "two", hold));
    let mut bob = TestClient::joined(&two, "bob").await;
    let mut alice = TestClient::joined(&one, "alice").await;
    // Who comes and goes between two tellings is not told at all.
    bob.wait_for(|frame| lists(&frame["joined"], "alice")).await;
    alice.stream().set_zero_linger().unwrap();
    drop(alice);
    let left = bob.wait_for(|frame| lists(&frame["left"], "alice")).await;
    assert_eq!((&left["left"][0]["node"], &left["count"]), (&json!("one"), &json!(1)));
}

#[tokio::test]
async fn a_node_that_dies_takes_nothing_along() {
    let (_cluster, one, two) = pair();
    let mut bob = TestClient::joined(&two, "bob").await;
    let (mut alice, welcome) = TestClient::hello(&one, Way::Tcp, json!({"name": "alice"})).await;
    let users = alice.join("general").await;
    alice.send(1, "before").await;
    one.killer.kill();
    alice.closed().await;
    bob.send(1, "meanwhile").await;
    let hello = json!({
        "client_id": welcome["client_id"], "session": welcome["session"], "generation": 2,
        "resume": [{"room": "general", "epoch": users["epoch"], "seq": 0}],
    });
    let (mut alice, again) = TestClient::hello(&two, Way::Tcp, hello).await;
    assert_eq!(again["rooms"][0]["last_n"], 1);
    assert_eq!(alice.contents(2).await, ["before", "meanwhile"]);
    let resumed = alice.wait("resumed").await;
    assert_eq!((&resumed["recovered"], &resumed["last_n"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn a_name_stays_with_its_user_when_the_user_moves() {
    let (_cluster, one, two) = pair();
    let (old, welcome) = TestClient::hello(&one, Way::Tcp, json!({"name": "alice"})).await;
    let (_new, _) = back(&two, &welcome, 2).await;
    drop(old);
    let (_other, other) = TestClient::hello(&one, Way::Tcp, json!({"name": "alice"})).await;
    assert_eq!(other["name"], "alice-2");
}
