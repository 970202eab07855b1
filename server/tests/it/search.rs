//! Search in the logs of rooms, and the pages of who and rooms: on the backbone of one process and on a real Redis.

use std::time::Duration;

use chat_protocol::{
    ClientId, Kind, MessageBody, MessageId, NodeId, RoomName, Seq, UserId, encode_body, limits,
};
use chat_server::Cluster;
use chat_server::backbone::redis::{Options, connect};
use chat_server::backbone::{Item, Published};
use chat_server::config::{Config, RedisUrl};
use chat_testbed::{RedisOptions, RedisServer};
use serde_json::{Value, json};
use tokio::time::{Instant, interval, interval_at};

use crate::support::{Terminal, TestClient, TestNode, Way, message};

/// Messages that are said before their acks are waited for.
const SAID_AT_ONCE: usize = 500;

/// Two nodes of a cluster, with the Redis they meet in, if it is one.
struct Pair {
    one: TestNode,
    two: TestNode,
    _store: Option<RedisServer>,
}

/// In one process and on a real Redis.
async fn pairs() -> [Pair; 2] {
    let unlimited = |config: &mut Config| config.limits.messages_per_second = 0;
    let cluster = Cluster::default();
    let (one, two) = (TestNode::of(&cluster, "one", unlimited), TestNode::of(&cluster, "two", unlimited));
    let memory = Pair { one, two, _store: None };
    let store = RedisServer::start(RedisOptions::default()).await.unwrap();
    let one = TestNode::on_redis(&store.url(), "one", unlimited).await;
    let two = TestNode::on_redis(&store.url(), "two", unlimited).await;
    [memory, Pair { one, two, _store: Some(store) }]
}

impl TestClient {
    /// Says all of it in a room, and waits until it is in the log.
    async fn says(&mut self, room: &str, first_n: u64, contents: &[&str]) {
        // No more at once than may wait in a room: what is refused then would have to be said again.
        for (part, contents) in (0..).zip(contents.chunks(SAID_AT_ONCE)) {
            let first_n = first_n + part * SAID_AT_ONCE as u64;
            for (n, content) in (first_n..).zip(contents) {
                self.say(json!({"type": "message", "room": room, "n": n, "content": content})).await;
            }
            let last = first_n + contents.len() as u64 - 1;
            self.wait_for(|frame| frame["type"] == "ack" && frame["room"] == room && frame["n"] == last)
                .await;
        }
    }

    /// Asks, and once more where that was too fast; the answer or the refusal.
    async fn search(&mut self, request: Value) -> Value {
        let mut words = json!({"type": "search", "re": "s"});
        words.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
        loop {
            self.say(words.clone()).await;
            let answer = self.wait_for(|frame| frame["re"] == "s").await;
            if answer["code"] != "rate_limited" {
                return answer;
            }
            retry_time(&answer).await;
        }
    }

    /// All pages of a search: room, place and text of what was found, and how many answers it took.
    async fn search_all(&mut self, request: Value) -> (Vec<(String, u64, String)>, usize) {
        let (mut found, mut answers, mut request) = (Vec::new(), 0, request);
        loop {
            let answer = self.search(request.clone()).await;
            assert_eq!(answer["type"], "search", "{answer}");
            answers += 1;
            found.extend(answer["messages"].as_array().unwrap().iter().map(place));
            assert_eq!(answer["more"].as_bool().unwrap(), answer.get("next").is_some());
            match answer.get("next") {
                Some(next) => request["from"] = next.clone(),
                None => return (found, answers),
            }
        }
    }
}

/// Comes when the time is over that a refusal has named.
async fn retry_time(refusal: &Value) {
    let wait = Duration::from_millis(refusal["retry_ms"].as_u64().unwrap());
    interval_at(Instant::now() + wait, wait).tick().await;
}

fn place(message: &Value) -> (String, u64, String) {
    let text = |field: &str| message[field].as_str().unwrap().to_owned();
    (text("room"), message["seq"].as_u64().unwrap(), text("content"))
}

fn places(answer: &Value) -> Vec<u64> {
    answer["messages"].as_array().unwrap().iter().map(|message| message["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn words_are_found_in_a_room_from_any_node_the_newest_first() {
    for pair in pairs().await {
        let mut alice = TestClient::joined(&pair.one, "alice").await;
        alice.says("general", 1, &["Release on Monday", "no", "the RELEASE is out", "see https://x.y"]).await;
        let mut bob = TestClient::joined(&pair.two, "bob").await;
        bob.says("general", 1, &["which release?"]).await;
        let answer = bob.search(json!({"query": "release", "room": "general"})).await;
        assert_eq!((&answer["room"], &answer["more"]), (&json!("general"), &json!(false)));
        assert_eq!(places(&answer), [5, 3, 1]);
        let newest = &answer["messages"][0];
        assert_eq!((&newest["sender"], &newest["content"]), (&json!("bob"), &json!("which release?")));
        assert!(answer["epoch"].is_string() && newest["id"].is_string() && newest["timestamp"].is_string());
        for (query, found) in [
            ("release from:ALICE", vec![3, 1]),
            ("\"on monday\"", vec![1]),
            ("has:link", vec![4]),
            ("release before:2020-01-01", vec![]),
            ("release after:2020-01-01T00:00:00Z from:bob", vec![5]),
        ] {
            let answer = bob.search(json!({"query": query, "room": "general"})).await;
            assert_eq!((places(&answer), &answer["more"]), (found, &json!(false)), "{query}");
        }
        let first = alice.search(json!({"query": "release", "room": "general", "limit": 2})).await;
        assert_eq!((places(&first), &first["next"]), (vec![5, 3], &json!({"room": "general", "before": 3})));
        let rest = alice.search(json!({"query": "release", "room": "general", "before": 3})).await;
        assert_eq!((places(&rest), rest.get("next")), (vec![1], None));
    }
}

#[tokio::test]
async fn all_rooms_of_the_user_are_searched_in_the_order_of_their_names() {
    for pair in pairs().await {
        let mut alice = TestClient::joined(&pair.one, "alice").await;
        for room in ["ops", "beta", "secret", "zoo"] {
            alice.join(room).await;
            alice.says(room, 1, &["a fox", "a dog", "another fox"]).await;
        }
        alice.says("general", 1, &["nothing here"]).await;
        let mut bob = TestClient::joined(&pair.two, "bob").await;
        for room in ["zoo", "ops", "beta"] {
            bob.join(room).await;
        }
        let expected = [
            ("beta", 3, "another fox"),
            ("beta", 1, "a fox"),
            ("ops", 3, "another fox"),
            ("ops", 1, "a fox"),
            ("zoo", 3, "another fox"),
            ("zoo", 1, "a fox"),
        ];
        let expected = expected.map(|(room, seq, text)| (room.to_owned(), seq, text.to_owned()));
        assert_eq!(bob.search_all(json!({"query": "fox"})).await, (expected.to_vec(), 1));
        // Pages end in the middle of a room and at its end.
        assert_eq!(bob.search_all(json!({"query": "fox", "limit": 1})).await.0, expected);
        let two = bob.search(json!({"query": "fox", "limit": 3})).await;
        assert_eq!((two.get("room"), &two["next"]), (None, &json!({"room": "ops", "before": 3})));
        bob.say(json!({"type": "leave", "room": "ops"})).await;
        bob.wait("left").await;
        let rest = bob.search(json!({"query": "fox", "from": two["next"]})).await;
        let rooms: Vec<_> = rest["messages"].as_array().unwrap().iter().map(|found| &found["room"]).collect();
        assert_eq!(rooms, ["zoo", "zoo"], "a room that was left is searched no more");
    }
}

#[tokio::test]
async fn one_answer_looks_at_so_many_entries_and_says_where_to_go_on() {
    for pair in pairs().await {
        let mut alice = TestClient::joined(&pair.one, "alice").await;
        let mut contents = vec!["the needle"];
        contents.resize(2_500, "hay");
        alice.says("general", 1, &contents).await;
        let first = alice.search(json!({"query": "needle", "room": "general"})).await;
        let next = json!({"room": "general", "before": 501});
        assert_eq!((places(&first), &first["more"], &first["next"]), (vec![], &json!(true), &next));
        let rest = alice.search(json!({"query": "needle", "room": "general", "from": next})).await;
        assert_eq!((places(&rest), &rest["more"]), (vec![1], &json!(false)));
    }
}

#[tokio::test]
async fn an_answer_fits_a_frame() {
    let [memory, redis] = pairs().await;
    let long = "\u{1F98A}".repeat(3_900);
    for pair in [memory, redis] {
        let mut alice = TestClient::joined(&pair.one, "alice").await;
        alice.says("general", 1, &[long.as_str(); 30]).await;
        let first = alice.search(json!({"query": "\u{1F98A}", "room": "general"})).await;
        assert!(first.to_string().len() <= limits::SERVER_FRAME_BYTES_MAX && places(&first).len() < 30);
        let (found, answers) = alice.search_all(json!({"query": "\u{1F98A}", "room": "general"})).await;
        let seqs: Vec<u64> = found.into_iter().map(|(_, seq, _)| seq).collect();
        assert_eq!((seqs, answers), ((1..=30).rev().collect(), 2));
        // The place asked for is in the middle of what fits.
        alice.say(json!({"type": "history", "room": "general", "around": 20, "limit": 200})).await;
        let around = places(&alice.wait("history").await);
        assert!(around.contains(&14) && around.contains(&26) && around.len() < 30, "{around:?}");
        assert!(around.is_sorted());
    }
}

#[tokio::test]
async fn other_requests_are_answered_while_a_search_is_on_its_way() {
    for pair in pairs().await {
        let mut alice = TestClient::joined(&pair.one, "alice").await;
        alice.says("general", 1, &["hay"; 2_500]).await;
        let search = json!({"type": "search", "query": "x", "re": "first"});
        let second = json!({"type": "search", "query": "x", "re": "second"});
        let together = [search, json!({"type": "ping"}), second, message(2_501, "meanwhile")];
        let together: String = together.iter().map(|frame| format!("{frame}\n")).collect();
        alice.raw(together.as_bytes()).await;
        let refused = alice.wait("error").await;
        assert_eq!((&refused["code"], &refused["re"]), (&json!("rate_limited"), &json!("second")));
        assert!(refused["retry_ms"].as_u64().unwrap() > 0);
        assert!(alice.seen(|frame| frame["type"] == "pong").is_some());
        assert_eq!(alice.seen(|frame| frame["type"] == "search"), None);
        assert_eq!(alice.wait("search").await["re"], "first");
        alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == 2_501).await;
    }
}

#[tokio::test]
async fn searches_have_a_rate_of_their_own() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    let search = json!({"type": "search", "query": "x", "room": "general"});
    let mut answered = 0;
    let refused = loop {
        alice.say(search.clone()).await;
        let answer = alice.wait_for(|frame| frame["type"] == "search" || frame["type"] == "error").await;
        if answer["type"] == "error" {
            break answer;
        }
        answered += 1;
    };
    assert_eq!((answered, &refused["code"]), (5, &json!("rate_limited")));
    // Nothing else is held up by that, and the time that was named is enough.
    alice.send(1, "said meanwhile").await;
    let retry_ms = refused["retry_ms"].as_u64().unwrap();
    assert!(retry_ms <= 1_001, "{retry_ms}");
    retry_time(&refused).await;
    alice.say(search).await;
    alice.wait("search").await;
}

#[tokio::test]
async fn a_search_that_means_nothing_is_refused() {
    for pair in pairs().await {
        let mut alice = TestClient::joined(&pair.one, "alice").await;
        let many = "x ".repeat(10_000);
        let words = "x ".repeat(17);
        let from = json!({"room": "ops", "before": 1});
        for (request, code, says) in [
            (json!({"query": many}), "too_long", "query has 20000 characters, 400 are allowed"),
            (json!({"query": words}), "bad_query", "17 words and conditions, 16 are allowed"),
            (json!({"query": " "}), "bad_query", "there is nothing to search for: a search holds words"),
            (json!({"query": "from:"}), "bad_query", "from: stands there without a value"),
            (json!({"query": "before:soon"}), "bad_query", "soon is no date"),
            (json!({"query": "has:cake"}), "bad_query", "has:cake is not known"),
            (json!({"query": "a\u{7}"}), "bad_text", "U+0007"),
            (json!({"query": "x", "before": 3}), "bad_query", "name the room"),
            (json!({"query": "x", "room": "general", "from": from}), "bad_query", "another room"),
            (json!({"query": "x", "room": "ops"}), "not_in_room", "room ops was not joined"),
            (json!({"query": "x", "room": "~u.x"}), "not_in_room", "was not joined"),
            (json!({"query": 7}), "bad_json", "invalid type"),
            (json!({"query": "x", "limit": -1}), "bad_json", "invalid value"),
        ] {
            let refused = alice.search(request.clone()).await;
            assert_eq!(refused["code"], code, "{refused}");
            assert!(refused["message"].as_str().unwrap().contains(says), "{refused}");
        }
        alice.says("general", 1, &["x"]).await;
        // A place in a room that was not joined shows nothing of it, nor do places beyond the log.
        let elsewhere =
            json!({"query": "x", "from": {"room": "general", "before": limits::NUMBER_MAX}, "limit": 0});
        assert_eq!(places(&alice.search(elsewhere).await), [1]);
        let beyond = json!({"query": "x", "from": {"room": "~u.x", "before": 9}, "limit": 1_000_000});
        let beyond = alice.search(beyond).await;
        assert_eq!((&beyond["type"], &beyond["more"]), (&json!("search"), &json!(false)), "{beyond}");
        assert_eq!(
            places(&alice.search(json!({"query": "x", "room": "general", "before": 0})).await),
            [0; 0]
        );
    }
}

#[tokio::test]
async fn edits_and_deletes_are_followed_from_answer_to_answer() {
    let store = RedisServer::start(RedisOptions::default()).await.unwrap();
    let node = TestNode::on_redis(&store.url(), "one", |config| config.limits.messages_per_second = 0).await;
    let mut alice = TestClient::joined(&node, "alice").await;
    alice.says("general", 1, &["a fox", "a wolf", "a fox too"]).await;
    alice.says("general", 4, &["hay"; 2_100]).await;
    alice.say(json!({"type": "history", "room": "general", "before": 4})).await;
    let history = alice.wait("history").await;
    let target = |index: usize| {
        let message = &history["messages"][index];
        (Seq(message["seq"].as_u64().unwrap()), message["id"].as_str().unwrap().parse::<MessageId>().unwrap())
    };
    let changes = [
        (Kind::Edit, "a hare", target(0)),
        (Kind::Edit, "a fox now", target(1)),
        (Kind::Delete, "", target(2)),
    ];
    publish(&store, changes).await;
    alice.wait_for(|frame| frame["kind"] == "delete").await;
    // The edits are on the first page of entries, what they change is on the second.
    let room = json!({"query": "fox", "room": "general"});
    let (found, answers) = alice.search_all(room).await;
    assert_eq!((found, answers), (vec![("general".to_owned(), 2, "a fox now".to_owned())], 2));
    let (found, _) = alice.search_all(json!({"query": "hare", "room": "general"})).await;
    assert_eq!(found, [("general".to_owned(), 1, "a hare".to_owned())]);
}

/// Puts changes into the log, as a node does.
async fn publish(store: &RedisServer, changes: [(Kind, &str, (Seq, MessageId)); 3]) {
    let options = Options::new(RedisUrl::parse(&store.url()).unwrap(), NodeId::parse("other").unwrap());
    let link = connect(options).await.unwrap();
    let room = RoomName::general();
    let known = link.backbone.head(&room).await.unwrap().map(|head| head.place);
    let client = ClientId::random();
    let item = |(n, (kind, content, (reference, id))): (u64, (Kind, &str, (Seq, MessageId)))| {
        let body = encode_body(&MessageBody {
            sender: "alice".into(),
            sender_id: UserId::random(),
            content: content.into(),
            timestamp: "2026-11-21T10:00:00.000Z".into(),
            node: NodeId::parse("other").unwrap(),
            kind: Some(kind),
            reference: Some(reference),
            reference_id: Some(id),
            reply: None,
            quote: None,
            enc: None,
        });
        let id = MessageId::new(client.clone(), n);
        Item { id, generation: 1, acked: None, digest: n, body: Some(body) }
    };
    let items = (1..).zip(changes).map(item).collect();
    let answer = link.backbone.publish(&room, known, items).await.unwrap();
    assert!(matches!(answer, Published::Ok { .. }), "{answer:?}");
}

#[tokio::test]
async fn a_person_at_a_plain_terminal_searches_and_goes_on() {
    for pair in pairs().await {
        let mut alice = TestClient::joined(&pair.one, "alice").await;
        let contents: Vec<String> = (1..=60).map(|number| format!("fox {number}")).collect();
        let contents: Vec<&str> = contents.iter().map(String::as_str).collect();
        alice.says("general", 1, &contents).await;
        let mut person = Terminal::connect(&pair.two).await;
        person.type_in("/search fox\n").await;
        person.sees("-- 50 found, the newest last; /search goes on").await;
        let oldest = person.sees("[general] ").await;
        assert!(oldest.ends_with(" alice: fox 11\n") && oldest.starts_with("   20"), "{oldest}");
        person.sees("alice: fox 60").await;
        person.type_in("/search\n").await;
        person.sees("-- 10 found, the newest last").await;
        assert!(person.sees("alice: fox").await.ends_with("fox 1\n"));
        person.sees("alice: fox 10").await;
        person.type_in("/search\n").await;
        person.sees("-- there is nothing to go on with").await;
        person.type_in("/search from:\n").await;
        person.sees("-- from: stands there without a value: a search holds words").await;
        person.type_in("/search no such word\n").await;
        person.sees("-- nothing found").await;
    }
}

#[tokio::test]
async fn a_client_without_hello_searches_too() {
    let node = TestNode::start();
    let mut alice = TestClient::joined(&node, "alice").await;
    alice.send(1, "a fox").await;
    let mut old = TestClient::connect(&node, Way::WebSocket).await;
    old.say(json!({"type": "join", "room": "general"})).await;
    old.wait("room_users").await;
    assert_eq!(places(&old.search(json!({"query": "fox"})).await), [1]);
}

#[tokio::test]
async fn users_are_listed_by_pages() {
    for pair in pairs().await {
        let mut clients = Vec::new();
        for name in ["alice", "bob", "carol", "dave", "eve"] {
            let node = if clients.len() % 2 == 0 { &pair.one } else { &pair.two };
            clients.push(TestClient::joined(node, name).await);
        }
        let client = &mut clients[4];
        let until = Instant::now() + crate::support::DEADLINE;
        loop {
            client.say(json!({"type": "who", "room": "general"})).await;
            let all = client.wait("who").await;
            if all["count"] == 5 {
                break;
            }
            assert!(Instant::now() < until, "{all}");
        }
        let (mut after, mut seen, mut pages) = (Value::Null, Vec::new(), 0);
        loop {
            client
                .say(json!({"type": "who", "room": "general", "limit": 2, "after": after, "re": "w"}))
                .await;
            let page = client.wait("who").await;
            assert_eq!((&page["count"], &page["re"]), (&json!(5), &json!("w")));
            let ids: Vec<_> =
                page["users"].as_array().unwrap().iter().map(|user| user["userId"].to_string()).collect();
            assert_eq!(page["more"].as_bool().unwrap(), ids.len() == 2, "{page}");
            after = page["users"].as_array().unwrap().last().unwrap()["userId"].clone();
            seen.extend(ids);
            pages += 1;
            if page["more"] == false {
                break;
            }
        }
        assert_eq!((seen.len(), pages), (5, 3));
        assert!(seen.is_sorted());
        client.say(json!({"type": "who", "room": "general", "after": after, "limit": 0})).await;
        let end = client.wait("who").await;
        assert_eq!((&end["users"], &end["count"], &end["more"]), (&json!([]), &json!(5), &json!(false)));
    }
}

#[tokio::test]
async fn the_directory_is_read_by_pages() {
    for pair in pairs().await {
        let mut alice = TestClient::joined(&pair.one, "alice").await;
        for room in ["ops", "beta", "zoo"] {
            alice.join(room).await;
        }
        let mut bob = TestClient::joined(&pair.two, "bob").await;
        bob.join("zoo").await;
        let until = Instant::now() + crate::support::DEADLINE;
        let mut page = async |request: Value| {
            let mut words = json!({"type": "rooms"});
            words.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
            bob.say(words).await;
            let answer = bob.wait_for(|frame| frame["type"] == "rooms").await;
            let room =
                |room: &Value| (room["room"].as_str().unwrap().to_owned(), room["count"].as_u64().unwrap());
            let rooms: Vec<_> = answer["rooms"].as_array().unwrap().iter().map(room).collect();
            (rooms, answer["more"].as_bool().unwrap())
        };
        let all = [("beta", 1), ("general", 2), ("ops", 1), ("zoo", 2)]
            .map(|(room, count)| (room.to_owned(), count));
        // That somebody is there is said to the others in its own time.
        let mut again = interval(Duration::from_millis(50));
        loop {
            let (rooms, more) = page(json!({})).await;
            assert!(!more && Instant::now() < until, "{rooms:?}");
            if rooms == all {
                break;
            }
            again.tick().await;
        }
        assert_eq!(page(json!({"limit": 3})).await, (all[..3].to_vec(), true));
        assert_eq!(page(json!({"limit": 3, "after": "ops"})).await, (all[3..].to_vec(), false));
        assert_eq!(page(json!({"limit": 2, "after": "ops"})).await, (all[3..].to_vec(), false));
        assert_eq!(page(json!({"after": "zzz"})).await, (vec![], false));
    }
}
