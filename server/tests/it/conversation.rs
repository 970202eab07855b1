//! Every feature of a conversation, in one process and on a real Redis, with the other user on another node, before and
//! after the user's node dies. `cargo test -p chat-server --test it conversation -- --nocapture` prints the table.

use serde_json::{Value, json};

use crate::support::{TestClient, lists};
use crate::users::{Ground, another, ask, user};

/// A user, and somebody else on another node.
struct Two {
    alice: TestClient,
    bob: TestClient,
    /// Alice's second client, on bob's node.
    phone: TestClient,
    /// Alice's next number in `general`.
    n: u64,
}

impl Two {
    async fn say(&mut self, mut message: Value) -> Value {
        message["n"] = json!(self.n);
        message["room"] = json!("general");
        let n = self.n;
        self.n += 1;
        self.alice.say(message).await;
        self.alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == n).await
    }

    /// The entry at the place of an ack, as bob is told it.
    async fn at_bob(&mut self, ack: &Value) -> Value {
        let seq = ack["seq"].clone();
        self.bob.wait_for(|frame| frame["type"] == "message" && frame["seq"] == seq).await
    }

    async fn said(&mut self, content: &str) -> Value {
        let ack = self.say(json!({"type": "message", "content": content})).await;
        assert_eq!(self.at_bob(&ack).await["content"], content);
        ack
    }
}

async fn speech(two: &mut Two, turn: &str) {
    two.said(&format!("hello {turn}")).await;
    let ack = two.say(json!({"type": "message", "content": "waves", "kind": "action"})).await;
    assert_eq!(two.at_bob(&ack).await["kind"], "action");
}

async fn edit_and_delete(two: &mut Two, turn: &str) {
    let first = two.said(&format!("wrng {turn}")).await;
    let ack = two.say(json!({"type": "edit", "seq": first["seq"], "content": "right"})).await;
    let edit = two.at_bob(&ack).await;
    assert_eq!(
        (&edit["kind"], &edit["refId"], &edit["content"]),
        (&json!("edit"), &first["id"], &json!("right"))
    );
    let ack = two.say(json!({"type": "delete", "seq": first["seq"]})).await;
    assert_eq!(two.at_bob(&ack).await["kind"], "delete");
}

async fn reply(two: &mut Two, turn: &str) {
    let first = two.said(&format!("a question {turn}")).await;
    let ack = two.say(json!({"type": "message", "content": "an answer", "reply": first["seq"]})).await;
    let quote = two.at_bob(&ack).await["quote"].clone();
    assert_eq!((&quote["id"], &quote["text"]), (&first["id"], &json!(format!("a question {turn}"))));
}

async fn topic(two: &mut Two, turn: &str) {
    let text = format!("about {turn}");
    two.alice.say(json!({"type": "topic", "room": "general", "text": text})).await;
    two.bob.wait_for(|frame| frame["kind"] == "topic" && frame["content"] == text.as_str()).await;
    let rooms = ask(&mut two.bob, json!({"type": "rooms"})).await;
    assert_eq!(rooms["rooms"][0]["topic"], text.as_str());
}

async fn direct_room(two: &mut Two, turn: &str) {
    let opened = ask(&mut two.alice, json!({"type": "direct", "to": "bob"})).await;
    let room = opened["room"].clone();
    two.alice.join(room.as_str().unwrap()).await;
    two.bob.join(room.as_str().unwrap()).await;
    let message = json!({"type": "message", "room": room, "content": format!("psst {turn}")});
    two.alice.say(message.clone()).await;
    two.bob.wait_for(|frame| frame["room"] == room && frame["content"] == message["content"]).await;
}

async fn marker(two: &mut Two, turn: &str) {
    let ack = two.said(&format!("read me {turn}")).await;
    let (epoch, seq) = (&ack["epoch"], &ack["seq"]);
    two.alice.say(json!({"type": "read", "room": "general", "epoch": epoch, "seq": seq})).await;
    two.phone.wait_for(|frame| frame["type"] == "read" && frame["seq"] == *seq).await;
}

async fn name(two: &mut Two, turn: &str) {
    let name = format!("alice-{turn}");
    ask(&mut two.alice, json!({"type": "rename", "name": name})).await;
    two.phone.wait_for(|frame| frame["type"] == "user_changed" && frame["username"] == name.as_str()).await;
    two.bob.wait_for(|frame| lists(&frame["joined"], &name)).await;
    let ack = two.said(&format!("under another name {turn}")).await;
    assert_eq!(ack["duplicate"], Value::Null);
}

async fn away(two: &mut Two, turn: &str) {
    let text = format!("lunch {turn}");
    ask(&mut two.alice, json!({"type": "away", "text": text})).await;
    let is_away = |user: &Value| user["away"] == text.as_str();
    two.bob.wait_for(|frame| frame["joined"].as_array().is_some_and(|of| of.iter().any(is_away))).await;
    two.phone.wait_for(|frame| frame["away"] == text.as_str()).await;
    ask(&mut two.phone, json!({"type": "away", "text": ""})).await;
}

async fn ignore(two: &mut Two, _turn: &str) {
    let ignored = ask(&mut two.alice, json!({"type": "ignore", "user": "bob"})).await;
    assert_eq!(ignored["users"][0]["username"], "bob");
    two.phone.wait_for(|frame| frame["type"] == "ignored" && frame["users"] == ignored["users"]).await;
    let ended = ask(&mut two.alice, json!({"type": "ignore", "user": "bob", "off": true})).await;
    assert_eq!(ended["users"], json!([]));
}

async fn typing(two: &mut Two, turn: &str) {
    // A room of its own: a user is told once in three seconds.
    let room = format!("typing-{turn}");
    two.bob.join(&room).await;
    two.alice.join(&room).await;
    two.alice.say(json!({"type": "typing", "room": room})).await;
    two.bob.wait_for(|frame| frame["type"] == "typing" && frame["room"] == room.as_str()).await;
}

async fn history(two: &mut Two, turn: &str) {
    let (first, last) = (two.said(&format!("one {turn}")).await, two.said(&format!("two {turn}")).await);
    for (field, place) in [("before", &last["seq"]), ("after", &first["seq"]), ("around", &last["seq"])] {
        let page =
            ask(&mut two.alice, json!({"type": "history", "room": "general", field: place, "limit": 3}))
                .await;
        let seqs: Vec<&Value> = page["messages"].as_array().unwrap().iter().map(|of| &of["seq"]).collect();
        let wanted = if field == "before" { &first["seq"] } else { &last["seq"] };
        assert!(seqs.contains(&wanted), "{field}: {page}");
    }
}

async fn search(two: &mut Two, turn: &str) {
    let ack = two.said(&format!("a needle {turn}")).await;
    let found = ask(&mut two.bob, json!({"type": "search", "query": format!("\"needle {turn}\"")})).await;
    assert_eq!(found["messages"][0]["seq"], ack["seq"], "{found}");
}

async fn lists_of_users(two: &mut Two, _turn: &str) {
    let who = ask(&mut two.alice, json!({"type": "who", "room": "general"})).await;
    assert!(lists(&who["users"], "bob") && who["count"].as_u64() >= Some(2), "{who}");
    let rooms = ask(&mut two.alice, json!({"type": "rooms"})).await;
    let listed = rooms["rooms"].as_array().unwrap();
    let is_shown = |room: &Value| !room["room"].as_str().unwrap().starts_with(['~', 'd']);
    assert!(!listed.is_empty() && listed.iter().all(is_shown), "rooms of two are nobody's to list: {rooms}");
}

/// Plays every feature; a name for the table behind each.
async fn play(two: &mut Two, turn: &str) -> Vec<&'static str> {
    macro_rules! features {
        ($($feature:ident),* $(,)?) => {{
            $($feature(two, turn).await;)*
            vec![$(stringify!($feature)),*]
        }};
    }
    features!(
        speech,
        edit_and_delete,
        reply,
        topic,
        direct_room,
        marker,
        name,
        away,
        ignore,
        typing,
        history,
        search,
        lists_of_users,
    )
}

async fn all_features(ground: Ground, on: &str) {
    let (one, two, three) = (ground.node("one").await, ground.node("two").await, ground.node("three").await);
    let (alice, me) = user(&one, "alice").await;
    let (bob, _) = user(&two, "bob").await;
    let (mut phone, _) = another(&two, &me).await;
    phone.join("general").await;
    let mut both = Two { alice, bob, phone, n: 1 };
    let before = play(&mut both, "before").await;
    one.killer.kill();
    let (mut alice, _) = another(&three, &me).await;
    alice.join("general").await;
    (both.alice, both.n) = (alice, 1);
    let after = play(&mut both, "after").await;
    assert_eq!(before, after);
    for feature in before {
        println!(
            "| {feature:<16} | {on:<6} | peer on another node: yes | before kill -9: yes | after: yes |"
        );
    }
}

#[tokio::test]
async fn every_feature_in_one_process() {
    all_features(Ground::memory(), "memory").await;
}

#[tokio::test]
async fn every_feature_on_a_redis() {
    all_features(Ground::redis().await, "Redis").await;
}
