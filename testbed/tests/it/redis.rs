//! Real Redis servers.

use std::time::{Duration, Instant};

use chat_testbed::{Proxy, RedisOptions, RedisServer, Reply};

use crate::within;

fn ok() -> Reply {
    Reply::Simple("OK".into())
}

fn bulk(text: &str) -> Reply {
    Reply::Bulk(Some(text.into()))
}

#[tokio::test]
async fn it_answers_in_all_shapes_of_a_reply() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let mut redis = redis.connect().await.unwrap();
    for (command, expected) in [
        ("SET k v", ok()),
        ("GET k", bulk("v")),
        ("GET nothing", Reply::Bulk(None)),
        ("STRLEN k", Reply::Int(1)),
        ("MGET k nothing", Reply::Array(vec![bulk("v"), Reply::Bulk(None)])),
        (
            "LPUSH k v",
            Reply::Error("WRONGTYPE Operation against a key holding the wrong kind of value".into()),
        ),
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        assert_eq!(redis.command(&words).await.unwrap(), expected, "{command}");
    }
}

#[tokio::test]
async fn a_restart_keeps_what_is_appended_and_nothing_else() {
    for (options, expected) in
        [(RedisOptions::default().append_only(), bulk("v")), (RedisOptions::default(), Reply::Bulk(None))]
    {
        let mut redis = RedisServer::start(options).await.unwrap();
        let port = redis.port();
        assert_eq!(redis.command(&["SET", "k", "v"]).await.unwrap(), ok());
        redis.kill();
        redis.command(&["PING"]).await.unwrap_err();
        redis.restart().await.unwrap();
        assert_eq!(redis.command(&["GET", "k"]).await.unwrap(), expected);
        assert_eq!(redis.port(), port);
    }
}

#[tokio::test]
async fn a_password_is_asked_for_and_stands_in_the_url() {
    let redis = RedisServer::start(RedisOptions::default().password("secret")).await.unwrap();
    assert_eq!(redis.url_of_db(2), format!("redis://:secret@127.0.0.1:{}/2", redis.port()));
    let mut stranger = chat_testbed::RedisConnection::open(redis.addr(), None).await.unwrap();
    let refused = stranger.command(&["GET", "k"]).await.unwrap();
    assert!(matches!(&refused, Reply::Error(why) if why.starts_with("NOAUTH")), "{refused:?}");
    assert_eq!(redis.command(&["GET", "k"]).await.unwrap(), Reply::Bulk(None));
}

#[tokio::test]
async fn a_replica_is_promoted_with_acknowledged_writes_missing() {
    let mut primary = RedisServer::start(RedisOptions::default().password("secret")).await.unwrap();
    let proxy = Proxy::start(primary.addr()).await.unwrap();
    let options = RedisOptions::default().password("secret").replica_through(&primary, proxy.addr());
    let mut replica = RedisServer::start(options).await.unwrap();
    let mut writer = primary.connect().await.unwrap();
    assert_eq!(writer.command(&["SET", "before", "1"]).await.unwrap(), ok());
    assert_eq!(writer.command(&["WAIT", "1", "5000"]).await.unwrap(), Reply::Int(1));
    proxy.cut();
    assert_eq!(writer.command(&["SET", "after", "1"]).await.unwrap(), ok());
    primary.kill();
    replica.promote().await.unwrap();
    assert_eq!(replica.command(&["MGET", "before", "after"]).await.unwrap(), {
        Reply::Array(vec![bulk("1"), Reply::Bulk(None)])
    });
    assert_eq!(replica.command(&["SET", "k", "v"]).await.unwrap(), ok());
}

#[tokio::test]
async fn full_memory_refuses_writes() {
    let redis = RedisServer::start(RedisOptions::default().max_memory(1)).await.unwrap();
    let refused = redis.command(&["SET", "k", "v"]).await.unwrap();
    assert!(matches!(&refused, Reply::Error(why) if why.starts_with("OOM")), "{refused:?}");
}

#[tokio::test]
async fn a_paused_server_is_silent_and_goes_on() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let mut connection = redis.connect().await.unwrap();
    redis.pause().unwrap();
    connection.command_within(&["PING"], Duration::from_millis(300)).await.unwrap_err();
    redis.resume().unwrap();
    let pong = within("an answer", redis.command(&["PING"])).await.unwrap();
    assert_eq!(pong, Reply::Simple("PONG".into()));
}

#[expect(clippy::disallowed_methods, reason = "the clock of the machine beside that of Redis")]
#[tokio::test]
async fn its_clock_is_waited_for() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let begin = Instant::now();
    assert_eq!(redis.command(&["SET", "k", "v", "PX", "200"]).await.unwrap(), ok());
    redis.wait_for_clock(Duration::from_millis(300)).await.unwrap();
    assert_eq!(redis.command(&["GET", "k"]).await.unwrap(), Reply::Bulk(None));
    assert!(begin.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn a_dropped_server_is_gone() {
    let redis = RedisServer::start(RedisOptions::default()).await.unwrap();
    let addr = redis.addr();
    drop(redis);
    tokio::net::TcpStream::connect(addr).await.unwrap_err();
}
