//! What people do to what was said: editing, deleting, replying, setting topics. On nodes that share a process' memory and
//! on nodes that meet in a real Redis.

use chat_server::Cluster;
use chat_testbed::{RedisOptions, RedisServer};
use serde_json::{Value, json};
use tokio::time::interval;

use crate::support::{Terminal, TestClient, TestNode, Way, message, within};

/// What the nodes of a cluster share.
enum Shared {
    Memory(Cluster),
    Redis(RedisServer),
}

impl Shared {
    async fn each() -> [Self; 2] {
        let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
        [Self::Memory(Cluster::default()), Self::Redis(redis)]
    }

    async fn node(&self, name: &str) -> TestNode {
        match self {
            Self::Memory(cluster) => TestNode::of(cluster, name, |_| {}),
            Self::Redis(redis) => TestNode::on_redis(&redis.url(), name, |_| {}).await,
        }
    }
}

fn edit(seq: u64, n: u64, content: &str) -> Value {
    json!({"type": "edit", "room": "general", "seq": seq, "n": n, "content": content})
}

fn delete(seq: u64, n: u64) -> Value {
    json!({"type": "delete", "room": "general", "seq": seq, "n": n})
}

fn topic(text: &str) -> Value {
    json!({"type": "topic", "room": "general", "text": text})
}

/// Says something numbered and waits until it is in the log; its place.
async fn lands(client: &mut TestClient, request: Value) -> u64 {
    let n = request["n"].clone();
    client.say(request).await;
    client.wait_for(|frame| frame["type"] == "ack" && frame["n"] == n).await["seq"].as_u64().unwrap()
}

/// Says something that is refused; the code, of an error that names the number.
async fn refused(client: &mut TestClient, request: Value) -> String {
    let n = request["n"].clone();
    client.say(request).await;
    let error = client.wait("error").await;
    assert_eq!(error["n"], n, "{error}");
    assert!(error["message"].as_str().is_some_and(|words| !words.is_empty()));
    error["code"].as_str().unwrap().to_owned()
}

async fn entry(client: &mut TestClient, seq: u64) -> Value {
    client.wait_for(|frame| frame["type"] == "message" && frame["seq"] == seq).await
}

#[tokio::test]
async fn changes_and_replies_are_entries_that_everybody_gets() {
    for shared in Shared::each().await {
        let (one, two) = (shared.node("one").await, shared.node("two").await);
        let mut alice = TestClient::joined(&one, "alice").await;
        let mut bob = TestClient::joined(&two, "bob").await;
        let said = lands(&mut alice, message(1, "rolling node-2 in five\nor ten")).await;
        let id = entry(&mut bob, said).await["id"].clone();
        let edited = lands(&mut alice, edit(said, 2, "rolling node-3")).await;
        let found = entry(&mut bob, edited).await;
        assert_eq!((&found["kind"], &found["ref"], &found["refId"]), (&json!("edit"), &json!(said), &id));
        assert_eq!((&found["content"], &found["sender"]), (&json!("rolling node-3"), &json!("alice")));

        let reply = json!({"type": "message", "room": "general", "n": 1, "content": "fine", "reply": said});
        let replied = lands(&mut bob, reply).await;
        let found = entry(&mut alice, replied).await;
        assert_eq!((&found["reply"], &found["quote"]["id"]), (&json!(said), &id));
        assert_eq!(found["quote"]["text"], "rolling node-3", "as it reads by now");
        assert_eq!(found["quote"]["sender"], "alice");

        let deleted = lands(&mut alice, delete(said, 3)).await;
        let found = entry(&mut bob, deleted).await;
        assert_eq!((&found["kind"], &found["refId"], &found["content"]), (&json!("delete"), &id, &json!("")));
        // It is found by its id, also where another place is named.
        let reply_id = found["id"].clone();
        assert_eq!(reply_id, json!(format!("{}/3", id.as_str().unwrap().trim_end_matches("/1"))));
        let mut moved = edit(deleted, 2, "finer");
        moved["id"] = entry(&mut bob, replied).await["id"].clone();
        let edited = lands(&mut bob, moved).await;
        assert_eq!(entry(&mut alice, edited).await["ref"], replied);
    }
}

#[tokio::test]
async fn a_quote_is_the_beginning_of_the_first_line() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    let long = format!("\n  {}\nsecond", "ä".repeat(300));
    let said = lands(&mut alice, message(1, &long)).await;
    let mut forged = message(2, "me too");
    forged["reply"] = json!(said);
    forged["quote"] = json!({"id": "c/1", "sender": "bob", "senderId": "u", "text": "I resign"});
    let replied = lands(&mut alice, forged).await;
    let quote = entry(&mut alice, replied).await["quote"].clone();
    assert_eq!(
        (&quote["text"], &quote["sender"]),
        (&json!("ä".repeat(120)), &json!("alice")),
        "the server's word"
    );
}

#[tokio::test]
async fn each_bad_change_has_its_code_and_loses_nothing() {
    for shared in Shared::each().await {
        let node = shared.node("one").await;
        let mut alice = TestClient::joined(&node, "alice").await;
        let mut bob = TestClient::joined(&node, "bob").await;
        let of_bob = lands(&mut bob, message(1, "mine")).await;
        let own = lands(&mut alice, message(1, "own")).await;
        let change = lands(&mut alice, edit(own, 2, "better")).await;
        let gone = lands(&mut alice, message(3, "gone")).await;
        let taken_back = lands(&mut alice, delete(gone, 4)).await;
        alice.say(topic("release")).await;
        let line = alice.wait_for(|frame| frame["kind"] == "topic").await["seq"].as_u64().unwrap();
        let n = 5;
        let reply =
            |seq: u64| json!({"type": "message", "room": "general", "n": n, "content": "x", "reply": seq});
        let mut other_id = edit(own, n, "x");
        other_id["id"] = json!("nobody/1");
        let long = "x".repeat(4_001);
        let cases = [
            (edit(of_bob, n, "hers"), "forbidden"),
            (delete(of_bob, n), "forbidden"),
            (edit(0, n, "x"), "no_message"),
            (edit(line + 1, n, "x"), "no_message"),
            (edit(9_007_199_254_740_991, n, "x"), "no_message"),
            (edit(change, n, "x"), "no_message"),
            (edit(taken_back, n, "x"), "no_message"),
            (edit(line, n, "x"), "no_message"),
            (edit(gone, n, "x"), "no_message"),
            (delete(gone, n), "no_message"),
            (delete(change, n), "no_message"),
            (other_id, "no_message"),
            (reply(gone), "no_message"),
            (reply(change), "no_message"),
            (reply(line + 1), "no_message"),
            (reply(0), "no_message"),
            (edit(own, n, " \n "), "bad_text"),
            (edit(own, n, "a\u{1b}[2J"), "bad_text"),
            (edit(own, n, &long), "too_long"),
        ];
        for (request, code) in cases {
            // Enough of them would close the connection: it is another one, and the number is still free.
            assert_eq!(refused(&mut alice, request.clone()).await, code, "{request}");
        }
        let (outside, zero) = (json!({"type": "delete", "room": "ops", "seq": 1, "n": 1}), edit(own, 0, "x"));
        assert_eq!(refused(&mut alice, outside).await, "not_in_room");
        assert_eq!(refused(&mut alice, zero).await, "bad_json");
        lands(&mut alice, edit(own, n, "best")).await;
        let seen = bob.until_now(2).await;
        let contents: Vec<_> = (seen.iter().filter(|frame| frame["type"] == "message"))
            .map(|frame| frame["content"].as_str().unwrap())
            .collect();
        assert_eq!(contents, ["mine", "own", "better", "gone", "", "release", "best"]);
    }
}

#[tokio::test]
async fn topics_that_cannot_be_are_refused() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    let long = "x".repeat(401);
    let outside = json!({"type": "topic", "room": "ops", "text": "x"});
    for (request, code) in
        [(topic("a\u{1b}]0;b"), "bad_text"), (topic(&long), "too_long"), (outside, "not_in_room")]
    {
        assert_eq!(refused(&mut alice, request.clone()).await, code, "{request}");
    }
    alice.say(topic("  two\nlines\tare one ")).await;
    assert_eq!(alice.wait("message").await["content"], "two lines are one");
}

#[tokio::test]
async fn what_was_trimmed_is_named() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let node = TestNode::on_redis(&redis.url(), "one", |_| {}).await;
    let mut alice = TestClient::joined(&node, "alice").await;
    let mut last = 0;
    for n in 1..=3 {
        last = lands(&mut alice, message(n, "x")).await;
    }
    redis.command(&["XTRIM", "chat:{general}:log", "MAXLEN", "1"]).await.unwrap();
    assert_eq!(refused(&mut alice, edit(1, 4, "y")).await, "no_message");
    lands(&mut alice, edit(last, 4, "y")).await;
}

/// Says hello again with what an earlier welcome said.
async fn back(node: &TestNode, welcome: &Value) -> TestClient {
    let hello = json!({
        "name": welcome["name"], "client_id": welcome["client_id"], "session": welcome["session"], "generation": 2,
    });
    let (mut client, again) = TestClient::hello(node, Way::Tcp, hello).await;
    assert_eq!(again["client_id"], welcome["client_id"]);
    client.join("general").await;
    client
}

#[tokio::test]
async fn a_change_sent_again_after_the_node_was_killed_lands_once() {
    for shared in Shared::each().await {
        let (one, two) = (shared.node("one").await, shared.node("two").await);
        let mut bob = TestClient::joined(&two, "bob").await;
        let (mut alice, welcome) =
            TestClient::hello(&one, Way::Tcp, json!({"name": "alice", "generation": 1})).await;
        alice.join("general").await;
        let said = lands(&mut alice, message(1, "teh words")).await;
        let other = lands(&mut alice, message(2, "others")).await;
        alice.say(edit(said, 3, "the words")).await;
        alice.say(delete(other, 4)).await;
        // Both are in the log; no ack is looked at.
        bob.wait_for(|frame| frame["kind"] == "delete").await;
        one.killer.kill();
        let mut alice = back(&two, &welcome).await;
        for (again, is_duplicate) in [
            (edit(said, 3, "the words"), true),
            (delete(other, 4), true),
            (edit(said, 5, "these words"), false),
        ] {
            let n = again["n"].clone();
            alice.say(again).await;
            let ack = alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == n).await;
            assert_eq!(ack["duplicate"].as_bool().unwrap_or_default(), is_duplicate, "{ack}");
        }
        let seen = bob.until_now(1).await;
        let changes: Vec<_> = (seen.iter().filter(|frame| frame["refId"].is_string()))
            .map(|frame| (frame["kind"].as_str().unwrap(), frame["content"].as_str().unwrap()))
            .collect();
        assert_eq!(
            changes,
            [("edit", "the words"), ("edit", "these words")],
            "the delete was waited for above"
        );
    }
}

#[tokio::test]
async fn a_number_belongs_to_one_change() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    let (one, two) = (lands(&mut alice, message(1, "a")).await, lands(&mut alice, message(2, "b")).await);
    lands(&mut alice, edit(one, 3, "c")).await;
    for other in [edit(two, 3, "c"), edit(one, 3, "d"), delete(one, 3), message(3, "c")] {
        assert_eq!(refused(&mut alice, other.clone()).await, "n_reused", "{other}");
    }
    alice.say(edit(one, 3, "c")).await;
    assert_eq!(alice.wait("ack").await["duplicate"], true);
}

#[tokio::test]
async fn a_room_keeps_its_topic() {
    for shared in Shared::each().await {
        let (one, two) = (shared.node("one").await, shared.node("two").await);
        let (mut alice, welcome) = TestClient::hello(&one, Way::Tcp, json!({"name": "alice"})).await;
        assert_eq!(alice.join("general").await["topic"], Value::Null);
        for text in ["release day", "release \u{1f600} night"] {
            alice.say(topic(text)).await;
            let line = alice.wait_for(|frame| frame["kind"] == "topic").await;
            assert_eq!((&line["content"], &line["sender"]), (&json!(text), &json!("alice")));
        }
        // On a node that had not opened the room, and in every list.
        let mut bob = TestClient::hello(&two, Way::Tcp, json!({"name": "bob"})).await.0;
        assert_eq!(bob.join("general").await["topic"], "release \u{1f600} night");
        bob.say(json!({"type": "rooms"})).await;
        assert_eq!(bob.wait("rooms").await["rooms"][0]["topic"], "release \u{1f600} night");
        one.killer.kill();
        let hello =
            json!({"name": "alice", "client_id": welcome["client_id"], "session": welcome["session"]});
        let (_alice, again) = TestClient::hello(&two, Way::Tcp, hello).await;
        assert_eq!(again["rooms"][0]["topic"], "release \u{1f600} night");
        bob.say(topic("")).await;
        bob.wait_for(|frame| frame["kind"] == "topic" && frame["content"] == "").await;
        let mut carol = TestClient::hello(&two, Way::Tcp, json!({"name": "carol"})).await.0;
        assert_eq!(carol.join("general").await["topic"], Value::Null, "cleared");
    }
}

#[tokio::test]
async fn an_emptied_redis_takes_neither_a_topic_nor_what_may_be_edited() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let url = redis.url();
    let (one, two) =
        (TestNode::on_redis(&url, "one", |_| {}).await, TestNode::on_redis(&url, "two", |_| {}).await);
    let mut alice = TestClient::joined(&one, "alice").await;
    let said = lands(&mut alice, message(1, "kept")).await;
    alice.say(topic("kept too")).await;
    alice.wait_for(|frame| frame["kind"] == "topic").await;
    redis.command(&["FLUSHALL"]).await.unwrap();
    // The first to notice: told to send it again as long as the log is on its way back, never that it is gone.
    within(async {
        loop {
            alice.say(edit(said, 2, "kept well")).await;
            let answer = alice.wait_for(|frame| frame["type"] == "ack" || frame["type"] == "error").await;
            if answer["type"] == "ack" {
                break;
            }
            assert_eq!(answer["code"], "unavailable", "{answer}");
        }
    })
    .await;
    let mut bob = TestClient::hello(&two, Way::Tcp, json!({"name": "bob"})).await.0;
    let mut again = interval(std::time::Duration::from_millis(20));
    within(async {
        loop {
            bob.say(json!({"type": "rooms"})).await;
            if bob.wait("rooms").await["rooms"][0]["topic"] == "kept too" {
                break;
            }
            again.tick().await;
        }
    })
    .await;
    assert_eq!(bob.join("general").await["topic"], "kept too");
}

#[tokio::test]
async fn people_at_a_terminal_read_and_set_them() {
    let node = TestNode::start();
    let mut bob = Terminal::connect(&node).await;
    bob.type_in("/join general\r\n").await;
    bob.sees("you are in [general]").await;
    let mut alice = TestClient::joined(&node, "alice").await;
    let said = lands(&mut alice, message(1, "teh words")).await;
    lands(&mut alice, edit(said, 2, "the words")).await;
    let mut reply = message(3, "yes");
    reply["reply"] = json!(said);
    lands(&mut alice, reply).await;
    lands(&mut alice, delete(said, 4)).await;
    bob.sees("[general] alice (edited): the words").await;
    bob.sees("[general] alice (to alice: the words): yes").await;
    bob.sees("-- alice deleted a message in [general]").await;
    bob.type_in("/topic\r\n/topic release day\r\n").await;
    bob.sees("-- [general] has no topic").await;
    bob.sees("set the topic of [general]: release day").await;
    bob.type_in("/topic\r\n").await;
    bob.sees("-- the topic of [general]: release day").await;
    assert_eq!(alice.wait_for(|frame| frame["kind"] == "topic").await["content"], "release day");
    let mut carol = Terminal::connect(&node).await;
    carol.type_in("/join general\r\n").await;
    carol.sees("-- you are in [general]: release day with").await;
    carol.type_in("/topic -\r\n").await;
    bob.sees("cleared the topic of [general]").await;
    bob.type_in(&format!("/topic {}\r\n", "x".repeat(401))).await;
    bob.sees("401 characters, 400 are allowed").await;
}

/// What a node that is gone had still in hand may land behind the client's return: here a second connection that does not
/// count its generations stands for it.
#[tokio::test]
async fn what_has_landed_already_is_acknowledged_whatever_became_of_its_message() {
    let node = TestNode::start();
    let (mut before, welcome) = TestClient::hello(&node, Way::Tcp, json!({"name": "alice"})).await;
    before.join("general").await;
    let said = lands(&mut before, message(1, "teh words")).await;
    let hello = json!({"client_id": welcome["client_id"], "session": welcome["session"]});
    let mut after = TestClient::hello(&node, Way::Tcp, hello).await.0;
    assert_eq!(after.join("general").await["last_n"], 1);
    let mut reply = message(3, "see above");
    reply["reply"] = json!(said);
    for late in [edit(said, 2, "the words"), reply.clone(), delete(said, 4)] {
        lands(&mut before, late).await;
    }
    for again in [edit(said, 2, "the words"), reply, delete(said, 4)] {
        let n = again["n"].clone();
        after.say(again).await;
        let answer = after.wait_for(|frame| frame["n"] == n).await;
        assert_eq!((&answer["type"], &answer["duplicate"]), (&json!("ack"), &json!(true)), "{answer}");
    }
}
