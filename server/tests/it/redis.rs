//! Nodes that meet in a real Redis: what a node that starts says of a Redis it cannot use, what it subscribes to, and
//! that nodes of different processes are one chat.

use std::net::SocketAddr;
use std::process::{Output, Stdio};
use std::time::Duration;

use chat_protocol::NodeId;
use chat_server::Server;
use chat_server::config::{AckPolicy, Config, RedisUrl};
use chat_testbed::{Proxy, RedisOptions, RedisServer, Reply};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::support::{DEADLINE, TestClient, TestNode, Way, becomes, lists, within};

async fn redis(options: RedisOptions) -> RedisServer {
    RedisServer::start(options).await.unwrap()
}

/// Asks Redis until it answers as wanted.
async fn answers(server: &RedisServer, command: &[&str], wanted: impl Fn(&Reply) -> bool) {
    let mut connection = server.connect().await.unwrap();
    let until = Instant::now() + DEADLINE;
    loop {
        let reply = connection.command(command).await.unwrap();
        if wanted(&reply) {
            return;
        }
        assert!(Instant::now() < until, "{command:?}: {reply:?}");
        server.wait_for_clock(Duration::from_millis(20)).await.unwrap();
    }
}

/// What the program says when it is started with a Redis, as it ends by itself.
async fn started(redis: &str, flags: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    let off = ["--listen-tcp", "127.0.0.1:0", "--listen-http", "off", "--node", "x", "--redis", redis];
    command.args(off).args(flags).env_clear().kill_on_drop(true);
    within(command.output()).await.unwrap()
}

/// It ends with an error that says this, and never a password.
async fn refuses(redis: &str, flags: &[&str], says: &[&str]) {
    let output = started(redis, flags).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{redis}: {error}");
    let last = error.lines().last().unwrap_or_default();
    assert!(says.iter().all(|says| last.contains(says)), "{redis}: {last}");
    assert!(!error.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_redis_that_cannot_be_used_is_told_at_the_start() {
    refuses("redis://127.0.0.1:1", &[], &["cannot be reached", "--redis-wait"]).await;
    let locked = redis(RedisOptions::default().password("s3cret")).await;
    let at = locked.addr();
    refuses(&format!("redis://{at}"), &[], &["refuses the login", "user and password"]).await;
    refuses(&format!("redis://:s3cret2@{at}"), &["--redis-wait", "60"], &["refuses the login"]).await;
    refuses(&format!("redis://:s3cret@{at}/99"), &[], &["no database of that number"]).await;
    locked.command(&["SET", "session:1", "x"]).await.unwrap();
    refuses(&locked.url(), &[], &["somebody else's data", "session:1", "an empty database"]).await;
    locked.command(&["DEL", "session:1"]).await.unwrap();
    locked.command(&["SET", "chat:format", "0"]).await.unwrap();
    refuses(&locked.url(), &[], &["another version of chat-server", "format 0"]).await;
    let replica = redis(RedisOptions::default().replica_of(&redis(RedisOptions::default()).await)).await;
    refuses(&replica.url(), &[], &["is a replica", "primary"]).await;
}

#[tokio::test]
async fn a_redis_that_hangs_is_told_at_the_start() {
    let server = redis(RedisOptions::default()).await;
    server.pause().unwrap();
    refuses(&server.url(), &[], &["does not answer within 5 s"]).await;
    server.resume().unwrap();
}

#[tokio::test]
async fn a_redis_that_hangs_once_it_is_connected_is_told_at_the_start() {
    let server = redis(RedisOptions::default()).await;
    server.command(&["CLIENT", "PAUSE", "20000", "WRITE"]).await.unwrap();
    refuses(&server.url(), &[], &["does not answer within 5 s"]).await;
}

#[tokio::test]
async fn who_waits_for_redis_can_be_asked_to_end() {
    let mut server = redis(RedisOptions::default()).await;
    let url = server.url();
    server.kill();
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
    command.args([
        "--listen-tcp",
        "127.0.0.1:0",
        "--listen-http",
        "off",
        "--redis",
        &url,
        "--redis-wait",
        "600",
    ]);
    let mut child = command.env_clear().stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = within(lines.next_line()).await.unwrap().unwrap();
    assert!(line.contains("waiting for redis"), "{line}");
    let pid = rustix::process::Pid::from_raw(child.id().unwrap() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(within(child.wait()).await.unwrap().success());
}

#[tokio::test]
async fn a_redis_that_is_too_old_is_told_at_the_start() {
    let server = redis(RedisOptions::default()).await;
    let Reply::Bulk(Some(info)) = server.command(&["INFO", "server"]).await.unwrap() else { panic!("INFO") };
    let info = String::from_utf8(info).unwrap();
    let version =
        info.lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap().trim().to_owned();
    // The same length: the rest of what the real server says stays as it is.
    let older = format!("6.0.{}", "9".repeat(version.len() - 4));
    let (addr, _tasks) = disguise(server.addr(), version, older.clone()).await;
    refuses(&format!("redis://{addr}"), &[], &[&format!("is version {older}"), "at least 6.2 is needed"])
        .await;
}

/// Passes everything on, but lets a Redis appear to be of another version.
async fn disguise(target: SocketAddr, was: String, is: String) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(target).await.unwrap();
            let ((mut from_near, mut to_near), (mut from_far, mut to_far)) =
                (near.into_split(), far.into_split());
            let there = tokio::io::copy(&mut from_near, &mut to_far);
            let back = async {
                let mut bytes = vec![0; 64 * 1024];
                while let Ok(count @ 1..) = from_far.read(&mut bytes).await {
                    let text = String::from_utf8_lossy(&bytes[..count]).replace(&was, &is);
                    if to_near.write_all(text.as_bytes()).await.is_err() {
                        return;
                    }
                }
            };
            // Connections come one after the other: each ends before the next is asked for.
            let _ends = tokio::join!(there, back);
        }
    });
    (addr, tasks)
}

#[tokio::test]
async fn a_redis_that_comes_later_is_waited_for() {
    let mut server = redis(RedisOptions::default()).await;
    let url = server.url();
    server.kill();
    let mut config = Config::loopback(NodeId::parse("x").unwrap());
    config.redis.url = Some(RedisUrl::parse(&url).unwrap());
    config.redis.wait = DEADLINE;
    let (node, restarted) = tokio::join!(Server::bind(config), server.restart());
    restarted.unwrap();
    assert!(node.is_ok(), "{:?}", node.err());
}

#[tokio::test]
async fn a_node_does_not_start_under_the_name_of_one_that_lives() {
    let server = redis(RedisOptions::default()).await;
    let node = TestNode::on_redis(&server.url(), "x", |_| {}).await;
    refuses(&server.url(), &[], &["a node \"x\" is in this cluster already", "--node"]).await;
    node.killer.kill();
    node.stopped().await;
    TestNode::on_redis(&server.url(), "x", |_| {}).await;
}

#[tokio::test]
async fn a_node_whose_redis_is_full_is_not_ready_until_there_is_room_again() {
    let server = redis(RedisOptions::default()).await;
    let node = TestNode::on_redis(&server.url(), "one", |_| {}).await;
    let mut alice = TestClient::joined(&node, "alice").await;
    alice.send(1, "there is room").await;
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).await.unwrap();
    let told = alice.wait("error").await;
    assert_eq!((&told["code"], told.get("n")), (&json!("unavailable"), None));
    becomes(node.http, "/ready", 503).await;
    becomes(node.http, "/live", 200).await;
    alice.say(crate::support::message(2, "waits")).await;
    server.command(&["CONFIG", "SET", "maxmemory", "0"]).await.unwrap();
    alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == 2).await;
    becomes(node.http, "/ready", 200).await;
}

#[tokio::test]
async fn a_node_whose_feed_is_dead_for_good_is_not_ready() {
    let server = redis(RedisOptions::default()).await;
    let proxy = Proxy::start(server.addr()).await.unwrap();
    let node = TestNode::on_redis(&server.url_through(proxy.addr()), "one", |_| {}).await;
    becomes(node.http, "/ready", 200).await;
    // From now on nothing that is published gets through, however often the node dials.
    server.command(&["ACL", "SETUSER", "default", "resetchannels"]).await.unwrap();
    proxy.cut();
    proxy.heal();
    becomes(node.http, "/ready", 503).await;
    becomes(node.http, "/live", 200).await;
    server.command(&["ACL", "SETUSER", "default", "allchannels"]).await.unwrap();
    becomes(node.http, "/ready", 200).await;
}

#[tokio::test]
async fn the_first_node_back_on_an_emptied_redis_waits_for_those_who_know_more() {
    let mut server = redis(RedisOptions::default()).await;
    let proxy = Proxy::start(server.addr()).await.unwrap();
    let one = TestNode::on_redis(&server.url_through(proxy.addr()), "one", |_| {}).await;
    let two = TestNode::on_redis(&server.url(), "two", |_| {}).await;
    let (mut bob, _) = TestClient::hello(&two, Way::Tcp, json!({"name": "bob"})).await;
    let mut alice = TestClient::joined(&one, "alice").await;
    for n in 1..=3 {
        alice.send(n, &format!("said {n}")).await;
    }
    // Redis comes back without its data; node two knows nothing of the room and is back first.
    proxy.cut();
    server.restart().await.unwrap();
    answers(&server, &["EXISTS", "chat:{nodes}:leases"], |reply| *reply == Reply::Int(1)).await;
    bob.say(json!({"type": "join", "room": "general"})).await;
    proxy.heal();
    let joined = bob.wait_for(|frame| frame["type"] == "room_users" || frame["type"] == "error").await;
    assert_eq!(joined["seq"], 3, "node one has brought what it held");
    bob.say(json!({"type": "history", "room": "general"})).await;
    assert_eq!(bob.wait("history").await["messages"].as_array().unwrap().len(), 3);
    alice.send(4, "and goes on").await;
    assert_eq!(alice.seen(|frame| frame["type"] == "reset"), None);
}

#[tokio::test]
async fn a_node_that_slept_leaves_its_name_to_who_took_it() {
    let server = redis(RedisOptions::default()).await;
    let proxy = Proxy::start(server.addr()).await.unwrap();
    let slept = TestNode::on_redis(&server.url_through(proxy.addr()), "x", |_| {}).await;
    proxy.stall();
    let awake = TestNode::on_redis(&server.url(), "x", |_| {}).await;
    proxy.heal();
    becomes(slept.http, "/ready", 503).await;
    becomes(awake.http, "/ready", 200).await;
    awake.killer.kill();
    becomes(slept.http, "/ready", 200).await;
}

#[tokio::test]
async fn a_flush_gives_nobody_what_is_somebody_elses() {
    let server = redis(RedisOptions::default()).await;
    let one = TestNode::on_redis(&server.url(), "one", |_| {}).await;
    let two = TestNode::on_redis(&server.url(), "two", |_| {}).await;
    let (mut alice, welcome) = TestClient::hello(&one, Way::Tcp, json!({"name": "alice"})).await;
    alice.join("general").await;
    server.command(&["FLUSHALL"]).await.unwrap();
    // At once, on another node, and with the highest generation there is.
    let stolen =
        json!({"name": "alice", "client_id": welcome["client_id"], "generation": 9_007_199_254_740_991_u64});
    let (_mallory, given) = TestClient::hello(&two, Way::Tcp, stolen).await;
    assert_ne!(given["client_id"], welcome["client_id"]);
    assert_eq!(given["name"], "alice-2");
    alice.send(1, "still here").await;
    // Her session proves who she is, on a node that starts after the flush too.
    let three = TestNode::on_redis(&server.url(), "three", |_| {}).await;
    let again = json!({"name": "alice", "client_id": welcome["client_id"], "session": welcome["session"], "generation": 2});
    let (_alice, known) = TestClient::hello(&three, Way::Tcp, again).await;
    assert_eq!((&known["user_id"], &known["client_id"]), (&welcome["user_id"], &welcome["client_id"]));
}

#[tokio::test]
async fn a_room_that_redis_refuses_says_so_and_goes_on_later() {
    let server = redis(RedisOptions::default()).await;
    let node = TestNode::on_redis(&server.url(), "one", |_| {}).await;
    let mut alice = TestClient::joined(&node, "alice").await;
    server.command(&["SET", "chat:{general}:log", "not ours"]).await.unwrap();
    alice.say(crate::support::message(1, "waits")).await;
    let told = alice.wait("error").await;
    assert_eq!(
        (&told["code"], &told["room"], told.get("n")),
        (&json!("unavailable"), &json!("general"), None)
    );
    server.command(&["DEL", "chat:{general}:log"]).await.unwrap();
    alice.wait_for(|frame| frame["type"] == "ack" && frame["n"] == 1).await;
}

#[tokio::test]
async fn an_entry_that_no_node_wrote_is_passed_over() {
    let server = redis(RedisOptions::default()).await;
    let node = TestNode::on_redis(&server.url(), "one", |_| {}).await;
    let mut alice = TestClient::joined(&node, "alice").await;
    let ack = alice.send(1, "from a node").await;
    for body in ["{}", "[1]", "not JSON", "{\"a\":}"] {
        let header = "x/1 1 0000000000000001";
        let mut message =
            format!("E {} 2 1 {}\n", ack["epoch"].as_str().unwrap(), ack["id"].as_str().unwrap())
                .into_bytes();
        message.extend((header.len() as u16).to_be_bytes());
        message.extend(header.bytes());
        message.extend((body.len() as u32).to_be_bytes());
        message.extend(body.bytes());
        server.command(&[&b"PUBLISH"[..], b"chat:{general}:feed:0", &message]).await.unwrap();
    }
    let ack = alice.send(2, "and another").await;
    assert_eq!(ack["seq"], 2);
    assert_eq!(alice.contents(2).await, ["from a node", "and another"]);
}

#[tokio::test]
async fn nodes_that_meet_in_a_redis_are_one_chat() {
    let server = redis(RedisOptions::default()).await;
    let one = TestNode::on_redis(&server.url(), "one", |_| {}).await;
    let two = TestNode::on_redis(&server.url(), "two", |_| {}).await;
    let mut alice = TestClient::joined(&one, "alice").await;
    let (mut bob, welcome) = TestClient::hello(&two, Way::WebSocket, json!({"name": "alice"})).await;
    assert_eq!(welcome["name"], "alice-2", "a name is one user's in the cluster");
    let users = bob.join("general").await;
    assert_eq!(users["count"], 2);
    alice.wait_for(|frame| frame["type"] == "presence" && frame["count"] == 2).await;
    let ack = alice.send(1, "from one").await;
    let told = bob.wait("message").await;
    assert_eq!(
        (&told["content"], &told["seq"], &told["node"]),
        (&json!("from one"), &ack["seq"], &json!("one"))
    );
    bob.send(1, "from two").await;
    assert_eq!(alice.contents(2).await, ["from one", "from two"]);
    bob.say(json!({"type": "nodes"})).await;
    let nodes = bob.wait("nodes").await;
    let names: Vec<_> = nodes["nodes"].as_array().unwrap().iter().map(|node| node["node"].clone()).collect();
    assert_eq!(names, ["one", "two"]);
    // A killed node's users are gone from every list within lease and hold.
    one.killer.kill();
    let gone = bob.wait_for(|frame| frame["type"] == "presence" && frame["count"] == 1).await;
    assert_eq!(gone["left"][0]["username"], "alice");
}

#[tokio::test]
async fn whoever_was_on_a_node_that_comes_back_at_once_is_not_held_for_good() {
    let server = redis(RedisOptions::default()).await;
    let hold = |config: &mut Config| config.timing.leave_hold = Duration::from_secs(1);
    let one = TestNode::on_redis(&server.url(), "one", hold).await;
    let two = TestNode::on_redis(&server.url(), "two", hold).await;
    let mut bob = TestClient::joined(&two, "bob").await;
    let _alice = TestClient::joined(&one, "alice").await;
    bob.wait_for(|frame| frame["type"] == "presence" && frame["count"] == 2).await;
    // Up for long enough that a second life can be told from the first.
    server.wait_for_clock(Duration::from_secs(2)).await.unwrap();
    one.killer.kill();
    one.stopped().await;
    let again = TestNode::on_redis(&server.url(), "one", hold).await;
    let _carol = TestClient::joined(&again, "carol").await;
    bob.wait_for(|frame| frame["type"] == "presence" && lists(&frame["left"], "alice")).await;
    bob.say(json!({"type": "who", "room": "general"})).await;
    let mut there: Vec<_> = bob.wait("who").await["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["username"].clone())
        .collect();
    there.sort_by_key(ToString::to_string);
    assert_eq!(there, ["bob", "carol"]);
}

#[tokio::test]
async fn a_room_is_subscribed_only_while_somebody_is_in_it() {
    let server = redis(RedisOptions::default()).await;
    let one = TestNode::on_redis(&server.url(), "one", |_| {}).await;
    let two = TestNode::on_redis(&server.url(), "two", |_| {}).await;
    let listeners = |count: i64| move |reply: &Reply| matches!(reply, Reply::Array(of) if of.get(1) == Some(&Reply::Int(count)));
    let asked = ["PUBSUB", "NUMSUB", "chat:{general}:feed:0"];
    let mut alice = TestClient::joined(&one, "alice").await;
    let mut bob = TestClient::joined(&two, "bob").await;
    answers(&server, &asked, listeners(2)).await;
    bob.say(json!({"type": "leave", "room": "general"})).await;
    answers(&server, &asked, listeners(1)).await;
    alice.send(1, "while bob is away").await;
    // Node two still holds the room, but has heard nothing since.
    bob.join("general").await;
    answers(&server, &asked, listeners(2)).await;
    alice.send(2, "when bob is back").await;
    let told = bob.wait("message").await;
    assert_eq!((&told["content"], &told["seq"]), (&json!("when bob is back"), &json!(2)));
    bob.say(json!({"type": "history", "room": "general"})).await;
    assert_eq!(bob.wait("history").await["messages"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_must_be_replicated_is_acknowledged_only_then() {
    let primary = redis(RedisOptions::default()).await;
    let node =
        TestNode::on_redis(&primary.url(), "one", |config| config.redis.ack = AckPolicy::Replicated).await;
    let mut alice = TestClient::joined(&node, "alice").await;
    alice.say(crate::support::message(1, "nobody has it yet")).await;
    // It is in the log and told, but no replica has it.
    alice.wait("message").await;
    assert_eq!(alice.seen(|frame| frame["type"] == "ack"), None);
    let replica = redis(RedisOptions::default().replica_of(&primary)).await;
    let ack = alice.wait("ack").await;
    assert_eq!((&ack["n"], &ack["seq"]), (&json!(1), &json!(1)));
    alice.send(2, "both have it").await;
    let kept = replica.command(&["XLEN", "chat:{general}:log"]).await.unwrap();
    assert_eq!(kept, Reply::Int(2));
    replica.pause().unwrap();
    alice.say(crate::support::message(3, "the replica hangs")).await;
    alice.wait_for(|frame| frame["content"] == "the replica hangs").await;
    // Were it acknowledged at once, that would be here by now.
    primary.wait_for_clock(Duration::from_millis(500)).await.unwrap();
    assert!(alice.answers_ping().await);
    assert_eq!(alice.seen(|frame| frame["type"] == "ack"), None);
    replica.resume().unwrap();
    assert_eq!(alice.wait("ack").await["n"], 3);
}
