//! A room of more than five hundred: lists are samples, the number is exact, and whoever stays when it is small again
//! knows who is there.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{TestClient, TestNode};

/// More than are listed.
const CROWD: usize = 560;

fn names(users: &Value) -> BTreeSet<String> {
    users.as_array().into_iter().flatten().map(|user| user["username"].to_string()).collect()
}

#[tokio::test]
async fn a_room_that_was_large_is_listed_anew_when_it_is_small() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    alice.send(1, "first").await;
    let mut others = Vec::new();
    for number in 1..CROWD {
        others.push(TestClient::joined(&node, &format!("user-{number}")).await);
    }
    let full = alice.wait_for(|frame| frame["type"] == "presence" && frame["count"] == CROWD).await;
    // What came before is older than what follows.
    while alice.seen(|frame| frame["type"] == "presence").is_some() {}
    assert!(full["joined"].as_array().unwrap().len() <= 50, "a sample");
    let last = TestClient::joined(&node, "last").await;
    let users = others.last_mut().unwrap().join("general").await;
    assert_eq!((&users["count"], &users["more"]), (&json!(CROWD + 1), &json!(true)));
    assert_eq!(users["users"].as_array().unwrap().len(), 500);
    // More than a sample within a second, and the room is small.
    for other in others.iter_mut().take(CROWD - 300) {
        other.say(json!({"type": "leave", "room": "general"})).await;
    }
    let anew = alice.wait_for(|frame| frame["type"] == "room_users").await;
    assert_eq!((anew.get("more"), anew.get("re"), &anew["last_n"]), (None, None, &json!(1)));
    let mut there = names(&anew["users"]);
    let mut count = anew["count"].clone();
    while count != CROWD + 1 - (CROWD - 300) {
        let changes = alice.wait("presence").await;
        let left = names(&changes["left"]);
        there.retain(|name| !left.contains(name));
        count = changes["count"].clone();
    }
    assert_eq!(count, there.len(), "the list and the changes behind it come to the number");
    drop(last);
}
