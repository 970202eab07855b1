//! Clients that never say hello: those of the system this one replaces, on both ways in.

use serde_json::json;

use crate::support::{BOTH, TestClient, TestNode, Way, lists};

#[tokio::test]
async fn a_client_without_hello_is_served_as_it_always_was() {
    let node = TestNode::start();
    for way in BOTH {
        let mut carol = TestClient::joined(&node, &format!("carol-{way:?}")).await;
        let mut guest = TestClient::connect(&node, way).await;
        guest.say(json!({"type": "join", "room": "general"})).await;
        let connection = guest.wait("connection").await;
        let name = connection["client_id"].as_str().unwrap().to_owned();
        assert!(name.starts_with("guest-") && name.len() == 14, "{name}");
        let users = guest.wait("room_users").await;
        let mut names: Vec<_> =
            users["users"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, [format!("carol-{way:?}"), name.clone()], "names alone");
        guest.say(json!({"type": "message", "content": "with a type"})).await;
        guest.text("just text").await;
        let said = guest.wait("message").await;
        assert_eq!(
            (&said["content"], &said["sender"], &said["senderId"]),
            (&json!("with a type"), &json!(name), &json!(name))
        );
        assert_eq!(guest.contents(1).await, ["just text"]);
        assert_eq!(carol.contents(2).await, ["with a type", "just text"]);
        let mut dave = TestClient::joined(&node, &format!("dave-{way:?}")).await;
        let joined = guest.wait_for(|frame| frame["username"] == format!("dave-{way:?}")).await;
        assert_eq!((&joined["type"], &joined["room"]), (&json!("user_joined"), &json!("general")));
        dave.say(json!({"type": "leave", "room": "general"})).await;
        let left = guest
            .wait_for(|frame| frame["type"] == "user_left" && frame["username"] == format!("dave-{way:?}"))
            .await;
        assert_eq!(left["node"], "one");
        guest.say(json!({"type": "join", "room": "other"})).await;
        guest.wait_for(|frame| frame["type"] == "room_users" && frame["room"] == "other").await;
        carol.wait_for(|frame| lists(&frame["left"], &name)).await;
        guest.say(json!({"type": "message", "content": "into the current room"})).await;
        assert_eq!(guest.wait("message").await["room"], "other");
        drop(guest);
        carol.say(json!({"type": "leave", "room": "general"})).await;
        carol.wait("left").await;
    }
}

#[tokio::test]
async fn a_message_before_any_join_lands_in_general() {
    let node = TestNode::start();
    let mut guest = TestClient::connect(&node, Way::Tcp).await;
    guest.say(json!({"type": "message", "content": "hello"})).await;
    assert_eq!(guest.wait("message").await["room"], "general");
}

#[tokio::test]
async fn a_silent_web_socket_joins_general_and_gets_the_last_ten() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    for n in 1..=12 {
        alice.send(n, &n.to_string()).await;
    }
    let mut guest = TestClient::connect(&node, Way::WebSocket).await;
    assert_eq!(guest.wait("room_users").await["room"], "general");
    let expected: Vec<String> = (3..=12).map(|n| n.to_string()).collect();
    assert_eq!(guest.contents(10).await, expected);
    alice.send(13, "live").await;
    assert_eq!(guest.contents(1).await, ["live"]);
}

#[tokio::test]
async fn a_slow_program_is_no_guest() {
    let node = TestNode::start();
    let mut watcher = TestClient::joined(&node, "watcher").await;
    for way in BOTH {
        let mut slow = TestClient::connect(&node, way).await;
        // It was taken for a guest, as everybody sees.
        watcher.wait_for(|frame| is_guest(&frame["joined"][0]["username"])).await;
        slow.say(json!({"type": "hello", "v": 1, "name": format!("slow-{way:?}")})).await;
        assert_eq!(slow.wait("welcome").await["name"], format!("slow-{way:?}"));
        watcher.wait_for(|frame| is_guest(&frame["left"][0]["username"])).await;
        slow.join("general").await;
        slow.send(1, "here").await;
        assert_eq!(watcher.contents(1).await, ["here"]);
    }
}

fn is_guest(name: &serde_json::Value) -> bool {
    name.as_str().is_some_and(|name| name.starts_with("guest-"))
}

#[tokio::test]
async fn a_guests_name_is_given_back_when_it_goes() {
    let node = TestNode::start();
    let mut guest = TestClient::connect(&node, Way::Tcp).await;
    guest.say(json!({"type": "rename", "name": "zoe"})).await;
    guest.wait("user_changed").await;
    guest.say(json!({"type": "join", "room": "general"})).await;
    let users = guest.wait("room_users").await;
    assert_eq!(users["users"], json!(["zoe"]));
}
