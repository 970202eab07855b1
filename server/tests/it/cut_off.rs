//! A node that cannot reach the others: who is told, what load balancers hear, and that nothing is lost.

use std::time::Duration;

use chat_protocol::NodeId;
use chat_server::Cluster;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{TestClient, TestNode, Way, becomes, get, message};

/// The word of a node that cannot reach the others: about no message and no room.
fn is_cut_off(frame: &Value) -> bool {
    frame["code"] == "unavailable" && frame.get("n").is_none() && frame.get("room").is_none()
}

#[tokio::test]
async fn a_node_that_is_cut_off_says_so_and_is_whole_again_by_itself() {
    let cluster = Cluster::default();
    let (one, two) = (TestNode::of(&cluster, "one", |_| {}), TestNode::of(&cluster, "two", |_| {}));
    let mut alice = TestClient::joined(&one, "alice").await;
    let hello = json!({"name": "bob", "client_id": "b", "generation": 1});
    let (mut bob, welcome) = TestClient::hello(&two, Way::Tcp, hello).await;
    let bobs = welcome["session"].clone();
    bob.join("general").await;
    alice.send(1, "before").await;
    let name = NodeId::parse("one").unwrap();
    let cut_at = Instant::now();
    cluster.set_reachable(&name, false);
    alice.say(message(2, "meanwhile")).await;

    let told = alice.wait_for(is_cut_off).await;
    let after = cut_at.elapsed();
    assert!(after > Duration::from_secs(1) && after < Duration::from_secs(3), "told after {after:?}");
    assert_eq!((&told["retry_ms"], told.get("re")), (&json!(2_000), None));
    assert!(told["message"].as_str().unwrap().contains("cannot reach the others"), "{told}");
    assert_eq!((get(one.http, "/ready").await.0, get(one.http, "/live").await.0), (200, 200));

    // Who has another connection is refused before anything has changed for that one.
    let mut moving = TestClient::connect(&one, Way::WebSocket).await;
    let hello = json!({"type": "hello", "v": 1, "client_id": "b", "session": bobs, "generation": 2,
        "if_ready": true, "re": "r"});
    moving.say(hello).await;
    let refused = moving.wait("error").await;
    assert_eq!((&refused["code"], &refused["re"]), (&json!("unavailable"), &json!("r")));
    assert!(refused["message"].as_str().unwrap().ends_with("stay where you are"), "{refused}");
    assert_eq!(moving.closed().await.code, Some(1013));

    // Who comes now is told too, and comes back later or elsewhere.
    let mut late = TestClient::connect(&one, Way::Tcp).await;
    late.say(json!({"type": "hello", "v": 1, "name": "late"})).await;
    assert!(is_cut_off(&late.wait("error").await));

    // The third time is five seconds after the beginning.
    alice.wait_for(is_cut_off).await;
    alice.wait_for(is_cut_off).await;
    assert!(cut_at.elapsed() >= Duration::from_secs(5), "every two seconds, not for each message");
    assert_eq!((get(one.http, "/ready").await.0, get(one.http, "/live").await.0), (503, 200));
    assert_eq!(get(two.http, "/ready").await.0, 200, "the others are well");
    assert!(alice.seen(|frame| frame["type"] == "ack").is_none(), "nothing is acknowledged meanwhile");

    cluster.set_reachable(&name, true);
    alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == 2).await;
    becomes(one.http, "/ready", 200).await;
    assert_eq!(get(one.http, "/live").await.0, 200);
    assert_eq!(bob.contents(2).await, ["before", "meanwhile"]);
    assert!(bob.seen(is_cut_off).is_none());
}

#[tokio::test]
async fn guests_at_plain_terminals_are_not_disturbed() {
    let cluster = Cluster::default();
    let one = TestNode::of(&cluster, "one", |_| {});
    let mut guest = TestClient::connect(&one, Way::Tcp).await;
    guest.join("general").await;
    let mut alice = TestClient::joined(&one, "alice").await;
    let name = NodeId::parse("one").unwrap();
    cluster.set_reachable(&name, false);
    alice.wait_for(is_cut_off).await;
    cluster.set_reachable(&name, true);
    becomes(one.http, "/ready", 200).await;
    alice.say(message(1, "again")).await;
    guest.wait_for(|frame| frame["content"] == "again").await;
    assert!(guest.seen(is_cut_off).is_none());
}

/// A client with a connection to node two says hello to node one, which is cut off after so many calls. True where it
/// was refused, and then the first connection is what it was.
async fn refused_after(calls: usize) -> bool {
    let cluster = Cluster::default();
    let (one, two) = (TestNode::of(&cluster, "one", |_| {}), TestNode::of(&cluster, "two", |_| {}));
    let hello = json!({"name": "alice", "client_id": "c", "generation": 1});
    let (mut old, welcome) = TestClient::hello(&two, Way::Tcp, hello).await;
    let users = old.join("general").await;
    let mut new = TestClient::connect(&one, Way::Tcp).await;
    cluster.cut_off_after(&NodeId::parse("one").unwrap(), calls);
    new.say(
        json!({"type": "hello", "v": 1, "name": "alice", "client_id": "c", "generation": 2, "if_ready": true,
        "session": welcome["session"], "resume": [{"room": "general", "epoch": users["epoch"], "seq": 0}]}),
    )
    .await;
    let answer = new.wait_for(|frame| frame["type"] == "welcome" || frame["code"] == "unavailable").await;
    if answer["type"] == "welcome" {
        assert_eq!(old.closed().await.reason, "fenced");
        return false;
    }
    // Whatever was said of it in the feed was said before these.
    old.until_now(1).await;
    old.until_now(2).await;
    true
}

#[tokio::test]
async fn a_hello_that_fails_half_way_leaves_the_other_connection_alone() {
    let mut refused = 0;
    for calls in 0..12 {
        refused += usize::from(refused_after(calls).await);
    }
    // The user's log, the rooms, what each of them holds, the name, and the fence.
    assert!((5..12).contains(&refused), "refused {refused} times");
}
