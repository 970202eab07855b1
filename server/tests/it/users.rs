//! A user beyond one connection: direct rooms, several clients, read markers, being away, another name, ignoring. Each
//! in one process and on a real Redis, with the other user on another node, before and after the death of the user's
//! node.

use chat_server::Cluster;
use chat_testbed::{RedisOptions, RedisServer};
use serde_json::{Value, json};

use crate::support::{TestClient, TestNode, Way, within};

/// Where the nodes of a test meet.
pub(crate) enum Ground {
    Memory(Cluster),
    Redis(RedisServer),
}

impl Ground {
    pub(crate) fn memory() -> Self {
        Self::Memory(Cluster::default())
    }

    pub(crate) async fn redis() -> Self {
        Self::Redis(RedisServer::start(RedisOptions::default()).await.unwrap())
    }

    pub(crate) async fn node(&self, name: &str) -> TestNode {
        match self {
            Self::Memory(cluster) => TestNode::of(cluster, name, |_| {}),
            Self::Redis(server) => TestNode::on_redis(&server.url(), name, |_| {}).await,
        }
    }

    /// Everything is gone, as after FLUSHALL.
    async fn flush(&self) {
        match self {
            Self::Memory(cluster) => cluster.flush(),
            Self::Redis(server) => drop(server.command(&["FLUSHALL"]).await.unwrap()),
        }
    }
}

/// Each scenario on both grounds.
macro_rules! on_both {
    ($($scenario:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $scenario() {
                super::$scenario(super::Ground::memory()).await;
            })*
        }

        mod redis {
            $(#[tokio::test]
            async fn $scenario() {
                super::$scenario(super::Ground::redis().await).await;
            })*
        }
    };
}

on_both!(
    a_direct_room_is_open_to_its_two_users_wherever_they_are,
    a_direct_room_follows_a_name_that_has_changed_elsewhere,
    a_direct_room_waits_for_who_is_not_there,
    a_direct_room_is_readable_by_the_two_alone,
    two_clients_of_one_user_are_one_user,
    a_marker_is_shared_and_never_goes_back,
    a_name_changes_on_all_clients,
    being_away_is_seen_by_others_and_ends,
    who_is_ignored_is_told_to_all_clients,
    what_a_user_is_survives_a_flush,
    mistakes_are_named_and_cost_nothing,
);

/// Another client of the user of a welcome, on a node.
pub(crate) async fn another(node: &TestNode, welcome: &Value) -> (TestClient, Value) {
    let hello = json!({"name": welcome["name"], "session": welcome["session"]});
    TestClient::hello(node, Way::WebSocket, hello).await
}

pub(crate) async fn user(node: &TestNode, name: &str) -> (TestClient, Value) {
    let (mut client, welcome) = TestClient::hello(node, Way::Tcp, json!({"name": name})).await;
    client.join("general").await;
    (client, welcome)
}

/// Asks, and waits for the answer to just that.
pub(crate) async fn ask(client: &mut TestClient, mut question: Value) -> Value {
    question["re"] = json!("ask");
    client.say(question).await;
    client.wait_for(|frame| frame["re"] == "ask").await
}

async fn direct(client: &mut TestClient, to: &str) -> Value {
    ask(client, json!({"type": "direct", "to": to})).await
}

async fn say(client: &mut TestClient, room: &Value, n: u64, content: &str) {
    client.say(json!({"type": "message", "room": room, "n": n, "content": content})).await;
    client.wait_for(|frame| frame["type"] == "ack" && frame["n"] == n && frame["room"] == *room).await;
}

async fn hears(client: &mut TestClient, room: &Value, content: &str) -> Value {
    client
        .wait_for(|frame| frame["type"] == "message" && frame["room"] == *room && frame["content"] == content)
        .await
}

fn room<'a>(welcome: &'a Value, name: &Value) -> &'a Value {
    let rooms = welcome["rooms"].as_array().unwrap();
    rooms.iter().find(|room| room["room"] == *name).unwrap_or_else(|| panic!("{name} in {welcome}"))
}

/// Marks a room as read up to a place, and waits until another client of the user knows it.
async fn read(client: &mut TestClient, other: &mut TestClient, ack: &Value) {
    let (epoch, seq) = (&ack["epoch"], &ack["seq"]);
    client.say(json!({"type": "read", "room": "general", "epoch": epoch, "seq": seq})).await;
    let told = other.wait("read").await;
    assert_eq!((&told["room"], &told["epoch"], &told["seq"]), (&json!("general"), epoch, seq));
}

async fn a_direct_room_is_open_to_its_two_users_wherever_they_are(ground: Ground) {
    let (one, two, three) = (ground.node("one").await, ground.node("two").await, ground.node("three").await);
    let (mut alice, me) = user(&one, "alice").await;
    let (mut bob, bobs) = user(&two, "bob").await;
    let (mut phone, _) = another(&three, &bobs).await;
    let opened = direct(&mut alice, "bob").await;
    assert_eq!(opened["with"], json!({"userId": bobs["user_id"], "username": "bob"}));
    let name = opened["room"].clone();
    for client in [&mut bob, &mut phone] {
        let told = client.wait("direct").await;
        assert_eq!((&told["room"], &told["with"]["userId"]), (&name, &me["user_id"]));
    }
    alice.join(name.as_str().unwrap()).await;
    bob.join(name.as_str().unwrap()).await;
    say(&mut alice, &name, 1, "hi").await;
    hears(&mut bob, &name, "hi").await;
    // Asked again, by id and from the other side, it is the same room.
    let again = direct(&mut bob, me["user_id"].as_str().unwrap()).await;
    assert_eq!((&again["room"], &again["with"]["username"]), (&name, &json!("alice")));
    // The node dies; the conversation goes on at another one, with the name of now.
    ask(&mut bob, json!({"type": "rename", "name": "robert"})).await;
    one.killer.kill();
    let (mut alice, back) = another(&three, &me).await;
    let known = room(&back, &name);
    assert_eq!((&known["kind"], &known["with"]["username"]), (&json!("direct"), &json!("robert")));
    assert_eq!((&known["seq"], &known["unread"]), (&json!(1), &json!(1)));
    alice.join(name.as_str().unwrap()).await;
    say(&mut alice, &name, 1, "still here").await;
    hears(&mut bob, &name, "still here").await;
    let page = ask(&mut alice, json!({"type": "history", "room": name})).await;
    assert_eq!(page["messages"].as_array().unwrap().len(), 2);
}

async fn a_direct_room_follows_a_name_that_has_changed_elsewhere(ground: Ground) {
    let (one, two) = (ground.node("one").await, ground.node("two").await);
    let (mut alice, me) = user(&one, "alice").await;
    let (mut bob, _) = user(&two, "bob").await;
    let name = direct(&mut alice, "bob").await["room"].clone();
    drop(alice);
    ask(&mut bob, json!({"type": "rename", "name": "robert"})).await;
    // Only the other node knows it; the welcome does not wait for it.
    let (mut alice, back) = another(&one, &me).await;
    assert_eq!(room(&back, &name)["with"]["username"], "bob");
    let told = alice.wait("direct").await;
    assert_eq!((&told["room"], &told["with"]["username"]), (&name, &json!("robert")));
    let (_, again) = another(&one, &me).await;
    assert_eq!(room(&again, &name)["with"]["username"], "robert", "from now on it is known");
}

async fn a_direct_room_waits_for_who_is_not_there(ground: Ground) {
    let (one, two) = (ground.node("one").await, ground.node("two").await);
    let (mut alice, _) = user(&one, "alice").await;
    let (mut bob, bobs) = user(&two, "bob").await;
    ask(&mut bob, json!({"type": "away", "text": "gone"})).await;
    drop(bob);
    let name = direct(&mut alice, "bob").await["room"].clone();
    alice.join(name.as_str().unwrap()).await;
    say(&mut alice, &name, 1, "are you there?").await;
    say(&mut alice, &name, 2, "call me").await;
    let (mut bob, back) = another(&one, &bobs).await;
    let waiting = room(&back, &name);
    assert_eq!((&waiting["with"]["username"], &waiting["unread"]), (&json!("alice"), &json!(2)));
    bob.join(name.as_str().unwrap()).await;
    let page = ask(&mut bob, json!({"type": "history", "room": name})).await;
    assert_eq!(page["messages"][0]["content"], "are you there?");
}

async fn a_direct_room_is_readable_by_the_two_alone(ground: Ground) {
    let one = ground.node("one").await;
    let (mut alice, _) = user(&one, "alice").await;
    let (_bob, _) = user(&one, "bob").await;
    let (mut eve, eves) = user(&one, "eve").await;
    let name = direct(&mut alice, "bob").await["room"].clone();
    alice.join(name.as_str().unwrap()).await;
    say(&mut alice, &name, 1, "a secret").await;
    for question in [
        json!({"type": "join", "room": name}),
        json!({"type": "history", "room": name}),
        json!({"type": "who", "room": name}),
        json!({"type": "message", "room": name, "content": "let me in", "n": 1}),
        json!({"type": "read", "room": name, "epoch": "00c0ffee00c0ffee", "seq": 1}),
    ] {
        let refused = ask(&mut eve, question.clone()).await;
        assert_eq!(refused["type"], "error", "{question}: {refused}");
    }
    let resume = json!([{"room": name, "epoch": "00c0ffee00c0ffee", "seq": 0}]);
    let hello = json!({"name": "eve", "session": eves["session"], "resume": resume});
    let (mut eve, back) = TestClient::hello(&one, Way::Tcp, hello).await;
    assert_eq!(eve.error().await, "forbidden");
    assert!(back["rooms"].as_array().unwrap().iter().all(|room| room["room"] != name), "{back}");
    let rooms = ask(&mut eve, json!({"type": "rooms"})).await;
    assert_eq!(rooms["rooms"].as_array().unwrap().len(), 1, "only general: {rooms}");
    // Nor can anybody hear what another user does.
    for hidden in [&eves["user_id"], &json!("anybody")] {
        let hidden = format!("~u.{}", hidden.as_str().unwrap());
        assert_eq!(ask(&mut eve, json!({"type": "join", "room": hidden})).await["code"], "forbidden");
    }
}

async fn two_clients_of_one_user_are_one_user(ground: Ground) {
    let (one, two) = (ground.node("one").await, ground.node("two").await);
    let (mut laptop, me) = user(&one, "alice").await;
    let (mut bob, _) = user(&two, "bob").await;
    let (mut phone, again) = another(&two, &me).await;
    assert_eq!((&again["user_id"], &again["name"]), (&me["user_id"], &json!("alice")));
    assert_ne!(again["client_id"], me["client_id"]);
    assert_eq!(room(&again, &json!("general"))["last_n"], 0, "each client counts for itself");
    phone.join("general").await;
    // Each has its own numbers, and none closes the other.
    say(&mut laptop, &json!("general"), 1, "from the laptop").await;
    say(&mut phone, &json!("general"), 1, "from the phone").await;
    for client in [&mut laptop, &mut phone, &mut bob] {
        hears(client, &json!("general"), "from the laptop").await;
        let heard = hears(client, &json!("general"), "from the phone").await;
        assert_eq!(heard["senderId"], me["user_id"]);
    }
    let who = ask(&mut bob, json!({"type": "who", "room": "general"})).await;
    assert_eq!((&who["count"], who["users"].as_array().unwrap().len()), (&json!(2), 2), "{who}");
    // The user leaves with the last of them.
    phone.say(json!({"type": "leave", "room": "general"})).await;
    phone.wait("left").await;
    say(&mut bob, &json!("general"), 1, "mark").await;
    hears(&mut bob, &json!("general"), "mark").await;
    assert!(bob.seen(|frame| !frame["left"].is_null()).is_none());
    laptop.say(json!({"type": "leave", "room": "general"})).await;
    let left = bob.wait_for(|frame| !frame["left"].is_null()).await;
    assert_eq!((&left["left"][0]["userId"], &left["count"]), (&me["user_id"], &json!(1)));
}

async fn a_marker_is_shared_and_never_goes_back(ground: Ground) {
    let (one, two, three) = (ground.node("one").await, ground.node("two").await, ground.node("three").await);
    let (mut laptop, me) = user(&one, "alice").await;
    let (mut phone, _) = another(&two, &me).await;
    let mut acks = Vec::new();
    for n in 1..=3 {
        acks.push(laptop.send(n, &format!("message {n}")).await);
    }
    // What nobody has marked is new with the first look at it, and is said to be that.
    let (_tablet, before) = another(&two, &me).await;
    let general = room(&before, &json!("general"));
    assert_eq!((&general["read"], &general["unmarked"]), (&json!(3), &json!(true)));
    read(&mut laptop, &mut phone, &acks[1]).await;
    // What was read already is not told again: the next word is about the third message.
    let (epoch, seq) = (&acks[0]["epoch"], &acks[0]["seq"]);
    laptop.say(json!({"type": "read", "room": "general", "epoch": epoch, "seq": seq})).await;
    read(&mut laptop, &mut phone, &acks[2]).await;
    one.killer.kill();
    let (_new, back) = another(&three, &me).await;
    let general = room(&back, &json!("general"));
    assert_eq!((&general["read"], &general["unread"]), (&json!(3), &json!(0)));
    assert_eq!(general["unmarked"], json!(null));
}

async fn a_name_changes_on_all_clients(ground: Ground) {
    let (one, two) = (ground.node("one").await, ground.node("two").await);
    let (mut laptop, me) = user(&one, "alice").await;
    let (mut phone, _) = another(&two, &me).await;
    phone.join("general").await;
    let (mut bob, _) = user(&two, "bob").await;
    let changed = ask(&mut laptop, json!({"type": "rename", "name": "alicia"})).await;
    assert_eq!((&changed["username"], &changed["was"]), (&json!("alicia"), &json!("alice")));
    assert_eq!(phone.wait("user_changed").await["username"], "alicia");
    bob.wait_for(|frame| crate::support::lists(&frame["joined"], "alicia")).await;
    say(&mut phone, &json!("general"), 1, "who am I?").await;
    assert_eq!(hears(&mut bob, &json!("general"), "who am I?").await["sender"], "alicia");
    // The name is the user's, whatever a client with an old idea of it asks for, also when all nodes but one are gone.
    one.killer.kill();
    let (_old, back) = another(&two, &me).await;
    assert_eq!((&back["name"], back.get("name_wanted")), (&json!("alicia"), None));
    let taken = ask(&mut bob, json!({"type": "rename", "name": "ALICIA"})).await;
    assert_eq!((&taken["type"], &taken["code"]), (&json!("error"), &json!("name_taken")));
}

async fn being_away_is_seen_by_others_and_ends(ground: Ground) {
    let (one, two) = (ground.node("one").await, ground.node("two").await);
    let (mut alice, me) = user(&one, "alice").await;
    let (mut bob, _) = user(&two, "bob").await;
    let away = ask(&mut alice, json!({"type": "away", "text": "lunch\tbreak"})).await;
    assert_eq!((&away["type"], &away["away"]), (&json!("user_changed"), &json!("lunch break")));
    let is_away = |frame: &Value| {
        frame["joined"].as_array().is_some_and(|of| of.iter().any(|user| user["away"] == "lunch break"))
    };
    bob.wait_for(is_away).await;
    let (mut phone, back) = another(&two, &me).await;
    assert_eq!(back["away"], "lunch break");
    phone.join("general").await;
    let back = ask(&mut phone, json!({"type": "away", "text": ""})).await;
    assert!(back.get("away").is_none(), "{back}");
    assert!(alice.wait("user_changed").await.get("away").is_none());
    let is_back = |frame: &Value| {
        frame["joined"]
            .as_array()
            .is_some_and(|of| of.iter().any(|user| user["username"] == "alice" && user.get("away").is_none()))
    };
    bob.wait_for(is_back).await;
}

async fn who_is_ignored_is_told_to_all_clients(ground: Ground) {
    let (one, two) = (ground.node("one").await, ground.node("two").await);
    let (mut alice, me) = user(&one, "alice").await;
    let (mut phone, _) = another(&two, &me).await;
    let (_mallory, mallorys) = user(&two, "mallory").await;
    let ignored = ask(&mut alice, json!({"type": "ignore", "user": "Mallory"})).await;
    assert_eq!((&ignored["type"], &ignored["users"][0]["userId"]), (&json!("ignored"), &mallorys["user_id"]));
    let expected = ignored["users"].clone();
    assert_eq!(phone.wait("ignored").await["users"], expected);
    one.killer.kill();
    let (mut alice, back) = another(&two, &me).await;
    assert_eq!(back["ignored"], expected);
    let user_id = mallorys["user_id"].clone();
    let ended = ask(&mut alice, json!({"type": "ignore", "user": user_id, "off": true})).await;
    assert_eq!(ended["users"], json!([]));
}

async fn what_a_user_is_survives_a_flush(ground: Ground) {
    let (one, two) = (ground.node("one").await, ground.node("two").await);
    let (mut alice, me) = user(&one, "alice").await;
    let (_bob, _) = user(&two, "bob").await;
    let name = direct(&mut alice, "bob").await["room"].clone();
    ask(&mut alice, json!({"type": "ignore", "user": "bob"})).await;
    ask(&mut alice, json!({"type": "rename", "name": "alicia"})).await;
    // A node that knows it only as a snapshot, not as a log: it has come later.
    let (mut phone, _) = another(&two, &me).await;
    one.killer.kill();
    ground.flush().await;
    // The node has said anew what it knows when its client can be told of a deed.
    let away = ask(&mut phone, json!({"type": "away", "text": "lunch"})).await;
    assert_eq!(away["away"], "lunch", "{away}");
    let back = within(async {
        loop {
            let (_new, back) = another(&two, &me).await;
            if back["ignored"].is_array() {
                return back;
            }
        }
    })
    .await;
    assert_eq!((&back["name"], &back["ignored"][0]["username"]), (&json!("alicia"), &json!("bob")));
    assert_eq!(room(&back, &name)["kind"], "direct");
}

async fn mistakes_are_named_and_cost_nothing(ground: Ground) {
    let one = ground.node("one").await;
    let (mut alice, _) = user(&one, "alice").await;
    let (_bob, _) = user(&one, "bob").await;
    let ack = alice.send(1, "hi").await;
    let epoch = ack["epoch"].clone();
    for (question, code) in [
        (json!({"type": "direct", "to": "alice"}), "forbidden"),
        (json!({"type": "direct", "to": "nobody"}), "no_user"),
        (json!({"type": "direct", "to": ""}), "no_user"),
        (json!({"type": "ignore", "user": "alice"}), "forbidden"),
        (json!({"type": "ignore", "user": "nobody"}), "no_user"),
        (json!({"type": "rename", "name": "bob"}), "name_taken"),
        (json!({"type": "rename", "name": "ｂｏｂ"}), "name_taken"),
        (json!({"type": "rename", "name": "server"}), "bad_name"),
        (json!({"type": "rename", "name": "bob\u{fe0f}"}), "bad_name"),
        (json!({"type": "rename", "name": "0123456789abcdef0123456789ABCDEF"}), "bad_name"),
        (json!({"type": "away", "text": "\u{1b}[2J"}), "bad_text"),
        (json!({"type": "read", "room": "general", "epoch": epoch, "seq": 2}), "no_message"),
        (json!({"type": "read", "room": "general", "epoch": "00c0ffee00c0ffee", "seq": 1}), "no_message"),
        (json!({"type": "read", "room": "elsewhere", "epoch": epoch, "seq": 1}), "not_in_room"),
    ] {
        let refused = ask(&mut alice, question.clone()).await;
        assert_eq!(
            (&refused["type"], &refused["code"]),
            (&json!("error"), &json!(code)),
            "{question}: {refused}"
        );
        assert!(refused["message"].as_str().unwrap().len() > 10, "{refused}");
    }
    assert_eq!(alice.send(2, "still here").await["seq"], 2);
    let who = ask(&mut alice, json!({"type": "who", "room": "general"})).await;
    assert!(crate::support::lists(&who["users"], "alice"), "{who}");
    let mut guest = TestClient::connect(&one, Way::Tcp).await;
    guest.say(json!({"type": "join", "room": "general"})).await;
    assert_eq!(ask(&mut guest, json!({"type": "direct", "to": "bob"})).await["code"], "forbidden");
}
