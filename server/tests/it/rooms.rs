//! What a client of the protocol does in rooms: hello, join, message, ack, history, who, rooms, nodes,
//! rename, ping. On both ways in, where it could differ.

use serde_json::json;

use crate::support::{BOTH, TestClient, TestNode, Way, lists, message};

#[tokio::test]
async fn a_client_says_hello_joins_and_talks() {
    let node = TestNode::start();
    for way in BOTH {
        let (mut client, welcome) = TestClient::hello(
            &node,
            way,
            json!({"name": format!("{way:?}"), "client_id": format!("c-{way:?}")}),
        )
        .await;
        let connection = client.wait("connection").await;
        assert_eq!((&connection["v"], &connection["status"]), (&json!(1), &json!("connected")));
        assert_eq!((&connection["node"], &connection["ping_ms"]), (&json!("one"), &json!(4000)));
        assert_eq!(connection["limits"]["rooms"], 64);
        assert_eq!(welcome["name"], format!("{way:?}"));
        assert_eq!(welcome["client_id"], format!("c-{way:?}"));
        assert_eq!((&welcome["ready"], &welcome["node"]), (&json!(true), &json!("one")));
        let room = format!("room-{way:?}").to_lowercase();
        let users = client.join(&room.to_uppercase().to_lowercase()).await;
        assert_eq!((&users["count"], &users["seq"], &users["last_n"]), (&json!(1), &json!(0), &json!(0)));
        assert_eq!(users["users"][0]["username"], format!("{way:?}"));
        client.say(json!({"type": "message", "room": room, "content": "hi", "n": 1, "re": "x"})).await;
        let ack = client.wait("ack").await;
        assert_eq!((&ack["n"], &ack["seq"], &ack["re"]), (&json!(1), &json!(1), &json!("x")));
        assert_eq!((&ack["epoch"], ack.get("duplicate")), (&users["epoch"], None));
        let said = client.wait("message").await;
        assert_eq!((&said["seq"], &said["id"], &said["content"]), (&json!(1), &ack["id"], &json!("hi")));
        assert_eq!((&said["sender"], &said["senderId"]), (&welcome["name"], &welcome["user_id"]));
        assert_eq!(said["node"], "one");
        let timestamp = said["timestamp"].as_str().unwrap();
        assert!(timestamp.len() == 24 && timestamp.ends_with('Z'), "{timestamp}");
    }
}

#[tokio::test]
async fn room_names_are_folded_and_joining_twice_is_joining_once() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    alice.say(json!({"type": "join", "room": "GENERAL", "re": "2"})).await;
    let again = alice.wait("room_users").await;
    assert_eq!((&again["room"], &again["count"], &again["re"]), (&json!("general"), &json!(1), &json!("2")));
    alice.send(1, "once").await;
    alice.wait("message").await;
    let rest = alice.until_now(2).await;
    assert!(rest.iter().all(|frame| frame["type"] != "message"), "{rest:?}");
}

#[tokio::test]
async fn what_is_said_right_before_leaving_is_acknowledged() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    for n in 1..=20 {
        alice.say(json!({"type": "message", "room": "general", "content": "bye", "n": n})).await;
        alice.say(json!({"type": "leave", "room": "general"})).await;
        let ack = alice.wait("ack").await;
        assert_eq!(ack["n"], n);
        alice.join("general").await;
    }
}

/// A copy of somebody's files, say: each would take the other's numbers for its own messages in the log.
#[tokio::test]
async fn two_programs_that_count_alike_are_two_clients() {
    let node = TestNode::start();
    let hello = |generation: u64, session: &serde_json::Value| json!({"name": "alice", "client_id": "phone", "generation": generation, "session": session});
    let (_first, welcome) = TestClient::hello(&node, Way::Tcp, hello(5, &serde_json::Value::Null)).await;
    assert_eq!(welcome["client_id"], "phone");
    let session = &welcome["session"];
    let (_copy, copy) = TestClient::hello(&node, Way::Tcp, hello(5, session)).await;
    assert_eq!(copy["user_id"], welcome["user_id"]);
    assert_ne!(copy["client_id"], "phone");
    let (_later, later) = TestClient::hello(&node, Way::Tcp, hello(6, session)).await;
    assert_eq!(later["client_id"], "phone");
}

#[tokio::test]
async fn messages_reach_everybody_in_one_order() {
    let node = TestNode::start();
    let mut clients = [TestClient::joined(&node, "alice").await, TestClient::joined(&node, "bob").await];
    for n in 1..=20 {
        for client in &mut clients {
            client.say(message(n, &format!("{n}"))).await;
        }
    }
    let [alice, bob] = &mut clients;
    let (mut at_alice, mut at_bob) = (Vec::new(), Vec::new());
    for seq in 1..=40 {
        at_alice.push(alice.wait("message").await);
        at_bob.push(bob.wait("message").await);
        assert_eq!(at_alice.last().unwrap()["seq"], seq);
    }
    assert_eq!(at_alice, at_bob);
}

#[tokio::test]
async fn a_repeat_is_acked_and_not_said_again() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    alice.send(1, "one").await;
    alice.send(2, "two").await;
    let again = alice.send(2, "two").await;
    assert_eq!((&again["seq"], &again["duplicate"]), (&json!(2), &json!(true)));
    let older = alice.send(1, "one").await;
    assert_eq!((older.get("seq"), &older["duplicate"]), (None, &json!(true)));
    alice.say(message(2, "other")).await;
    let error = alice.wait("error").await;
    assert_eq!(
        (&error["code"], &error["n"], &error["room"]),
        (&json!("n_reused"), &json!(2), &json!("general"))
    );
    assert_eq!(alice.contents(2).await, ["one", "two"]);
    let rest = alice.until_now(3).await;
    assert!(rest.iter().all(|frame| frame["type"] != "message"), "{rest:?}");
}

#[tokio::test]
async fn history_is_paged() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    for n in 1..=5 {
        alice.send(n, &n.to_string()).await;
    }
    let mut page = async |query: serde_json::Value| {
        let mut request = json!({"type": "history", "room": "general", "re": "h"});
        request.as_object_mut().unwrap().extend(query.as_object().unwrap().clone());
        alice.say(request).await;
        let answer = alice.wait("history").await;
        assert_eq!(answer["re"], "h");
        let seqs = answer["messages"].as_array().unwrap().iter().map(|entry| entry["seq"].as_u64().unwrap());
        (seqs.collect::<Vec<_>>(), answer["more"].as_bool().unwrap())
    };
    assert_eq!(page(json!({})).await, (vec![1, 2, 3, 4, 5], false));
    assert_eq!(page(json!({"limit": 2})).await, (vec![4, 5], true));
    assert_eq!(page(json!({"before": 4, "limit": 2})).await, (vec![2, 3], true));
    assert_eq!(page(json!({"before": 3})).await, (vec![1, 2], false));
    assert_eq!(page(json!({"after": 2, "limit": 2})).await, (vec![3, 4], true));
    assert_eq!(page(json!({"after": 4})).await, (vec![5], false));
    assert_eq!(page(json!({"after": 99})).await, (vec![], false));
    assert_eq!(page(json!({"around": 3, "limit": 3})).await, (vec![2, 3, 4], true));
    assert_eq!(page(json!({"around": 3, "limit": 1})).await, (vec![3], true));
    assert_eq!(page(json!({"around": 3, "limit": 2})).await, (vec![2, 3], true));
    assert_eq!(page(json!({"around": 5, "limit": 3})).await, (vec![4, 5], false));
    assert_eq!(page(json!({"around": 0, "limit": 2})).await, (vec![1, 2], true));
    assert_eq!(page(json!({"around": 3})).await, (vec![1, 2, 3, 4, 5], false));
    assert_eq!(
        page(json!({"epoch": "0000000000000001"})).await,
        (vec![], false),
        "another life has no such places"
    );
}

#[tokio::test]
async fn a_long_history_is_cut_to_a_frame_and_says_more() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    let long = "x".repeat(4_000);
    for n in 1..=90 {
        alice.say(message(n, &long)).await;
    }
    alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == 90).await;
    alice.say(json!({"type": "history", "room": "general", "limit": 90})).await;
    let page = alice.wait("history").await;
    let messages = page["messages"].as_array().unwrap();
    assert!(page.to_string().len() <= 256 * 1024 && page["more"] == true);
    assert_eq!(messages.last().unwrap()["seq"], 90, "the newest stay");
    alice.say(json!({"type": "history", "room": "general", "after": 0, "limit": 90})).await;
    let page = alice.wait("history").await;
    assert_eq!((&page["messages"][0]["seq"], &page["more"]), (&json!(1), &json!(true)), "the nearest stay");
}

#[tokio::test]
async fn who_rooms_and_nodes_answer() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    let mut bob = TestClient::joined(&node, "bob").await;
    bob.join("apple").await;
    alice.say(json!({"type": "who", "room": "general", "re": "w"})).await;
    let who = alice.wait("who").await;
    assert_eq!((&who["count"], &who["more"], &who["re"]), (&json!(2), &json!(false), &json!("w")));
    alice.say(json!({"type": "who", "room": "apple"})).await;
    assert_eq!(alice.error().await, "not_in_room");
    alice.say(json!({"type": "rooms", "re": "r"})).await;
    let rooms = alice.wait("rooms").await;
    assert_eq!(
        rooms["rooms"],
        json!([{"room": "apple", "topic": "", "count": 1}, {"room": "general", "topic": "", "count": 2}])
    );
    alice.say(json!({"type": "rooms", "limit": 1})).await;
    assert_eq!(alice.wait("rooms").await["more"], true);
    alice.say(json!({"type": "rooms", "after": "apple"})).await;
    let rooms = alice.wait("rooms").await;
    assert_eq!((&rooms["rooms"][0]["room"], &rooms["more"]), (&json!("general"), &json!(false)));
    alice.say(json!({"type": "nodes", "re": "n"})).await;
    let nodes = alice.wait("nodes").await;
    assert_eq!((&nodes["nodes"][0]["node"], &nodes["nodes"][0]["you"]), (&json!("one"), &json!(true)));
    assert_eq!((&nodes["nodes"][0]["connections"], &nodes["re"]), (&json!(2), &json!("n")));
}

#[tokio::test]
async fn who_comes_and_goes_is_told() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    let mut bob = TestClient::joined(&node, "bob").await;
    let joined = alice.wait_for(|frame| lists(&frame["joined"], "bob")).await;
    assert_eq!(
        (&joined["type"], &joined["room"], &joined["count"]),
        (&json!("presence"), &json!("general"), &json!(2))
    );
    bob.say(json!({"type": "leave", "room": "general", "re": "l"})).await;
    let left = bob.wait("left").await;
    assert_eq!((&left["room"], &left["re"]), (&json!("general"), &json!("l")));
    let left = alice.wait_for(|frame| lists(&frame["left"], "bob")).await;
    assert_eq!(left["count"], 1);
    bob.say(message(1, "from outside")).await;
    let error = bob.wait("error").await;
    assert_eq!((&error["code"], &error["n"]), (&json!("not_in_room"), &json!(1)));
    bob.say(json!({"type": "leave", "room": "general"})).await;
    assert_eq!(bob.error().await, "not_in_room");
}

#[tokio::test]
async fn a_rename_is_told_and_messages_carry_the_new_name() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    let mut bob = TestClient::joined(&node, "bob").await;
    alice.say(json!({"type": "rename", "name": "alicia", "re": "r"})).await;
    let changed = alice.wait("user_changed").await;
    assert_eq!(
        (&changed["username"], &changed["was"], &changed["re"]),
        (&json!("alicia"), &json!("alice"), &json!("r"))
    );
    bob.wait_for(|frame| lists(&frame["joined"], "alicia")).await;
    alice.send(1, "hi").await;
    assert_eq!(bob.wait("message").await["sender"], "alicia");
    for reserved in ["server", "System", "guest-1"] {
        alice.say(json!({"type": "rename", "name": reserved})).await;
        assert_eq!(alice.error().await, "bad_name", "{reserved}");
    }
    // The former name is held for its user, and no other.
    bob.say(json!({"type": "rename", "name": "ALICE"})).await;
    assert_eq!(bob.error().await, "name_taken");
    alice.say(json!({"type": "rename", "name": "alice"})).await;
    assert_eq!(alice.wait("user_changed").await["username"], "alice");
}

#[tokio::test]
async fn ping_is_answered_and_pings_come_with_a_spread() {
    let node = TestNode::with(|config| config.timing.ping = std::time::Duration::from_millis(50));
    // This one answers no ping.
    let mut raw = TestClient::connect(&node, Way::Tcp).await;
    raw.text(r#"{"type":"hello","v":1,"name":"silent"}"#).await;
    let mut terminal = crate::support::Terminal(tokio::io::BufReader::new(std::mem::replace(
        raw.stream(),
        tokio::net::TcpStream::connect(node.tcp).await.unwrap(),
    )));
    let ping: serde_json::Value = serde_json::from_str(&terminal.sees("\"ping\"").await).unwrap();
    assert!(ping["spread_ms"].as_u64().unwrap() >= 50);
    let rest = terminal.rest().await;
    assert!(rest.lines().last().unwrap().contains("no pong in three pings"), "{rest}");
    let (mut client, _) = TestClient::hello(&node, Way::Tcp, json!({"name": "alice"})).await;
    client.say(json!({"type": "ping", "t": 7, "re": "p"})).await;
    let pong = client.wait("pong").await;
    assert_eq!((&pong["t"], &pong["re"]), (&json!(7), &json!("p")));
}

/// A load balancer that lost one direction of a connection hands on everything that the server says.
#[tokio::test]
async fn who_hears_a_busy_room_and_is_not_heard_is_closed_all_the_same() {
    let node = TestNode::with(|config| {
        // Time enough for what is said, and then no more than is needed.
        config.timing.ping = std::time::Duration::from_secs(1);
        config.timing.stall = std::time::Duration::from_secs(4);
    });
    let mut alice = TestClient::joined(&node, "alice").await;
    let mut raw = TestClient::connect(&node, Way::Tcp).await;
    raw.text(r#"{"type":"hello","v":1,"name":"unheard"}"#).await;
    raw.text(r#"{"type":"join","room":"general"}"#).await;
    let mut unheard = crate::support::Terminal(tokio::io::BufReader::new(std::mem::replace(
        raw.stream(),
        tokio::net::TcpStream::connect(node.tcp).await.unwrap(),
    )));
    unheard.sees("\"room_users\"").await;
    let more_than_a_slow_reader_has_to_read = (1..=20).map(|n| (n, "x".repeat(4_000)));
    for (n, text) in more_than_a_slow_reader_has_to_read {
        alice.send(n, &text).await;
    }
    let rest = unheard.rest().await;
    assert!(rest.lines().last().unwrap().contains("no pong in three pings"), "{rest}");
    assert_eq!(rest.matches("\"type\":\"message\"").count(), 20);
}

#[tokio::test]
async fn what_is_not_offered_yet_is_unsupported() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    for request in [
        json!({"type": "todo", "op": "list", "n": 1}),
        json!({"type": "auth", "token": "t"}),
        json!({"type": "kick", "room": "general", "user": "bob"}),
    ] {
        alice.say(json!({"re": "u", "type": request["type"], "query": "x", "to": "bob", "text": "t", "room": "general",
            "op": "list", "n": 1, "token": "t", "user": "bob"})).await;
        let error = alice.wait("error").await;
        assert_eq!((&error["code"], &error["re"]), (&json!("unsupported"), &json!("u")), "{request}");
    }
}
