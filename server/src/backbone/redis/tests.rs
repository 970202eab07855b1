use std::collections::HashMap;

use chat_protocol::Epoch;
use chat_testbed::{Proxy, RedisOptions, RedisServer};
use parking_lot::Mutex;

use super::*;
use crate::backbone::conformance::{self, Fixture, each_case};

mod differential;

/// A Redis of its own, which each node reaches through a proxy of its own.
struct OnRedis {
    server: RedisServer,
    proxies: Mutex<HashMap<String, Arc<Proxy>>>,
}

impl OnRedis {
    async fn start() -> Self {
        let server = RedisServer::start(RedisOptions::default()).await.unwrap();
        // In use for long: nobody is waited for.
        server.command(&["SET", keys::FORMAT, "1 0"]).await.unwrap();
        Self { server, proxies: Mutex::default() }
    }

    async fn proxy(&self, node: &str) -> Arc<Proxy> {
        let known = self.proxies.lock().get(node).cloned();
        if let Some(proxy) = known {
            return proxy;
        }
        let proxy = Arc::new(Proxy::start(self.server.addr()).await.unwrap());
        self.proxies.lock().insert(node.to_owned(), proxy.clone());
        proxy
    }

    async fn raw(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.server.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }
}

/// Empty again, but for what stands at or below a place.
async fn cut_log(raw: &mut redis::aio::MultiplexedConnection, room: &RoomName, to: Seq) {
    let [meta, log, records, older] = keys::log(room);
    let stream: redis::Value =
        redis::cmd("XRANGE").arg(&log).arg("-").arg("+").query_async(raw).await.unwrap();
    let entries: Vec<_> = answers::batches(stream).unwrap().into_iter().flatten().collect();
    let kept: Vec<_> = entries.into_iter().filter(|entry| entry.seq <= to).collect();
    let mut known: HashMap<String, Vec<u8>> =
        redis::cmd("HGETALL").arg(&older).query_async(raw).await.unwrap();
    let newer: HashMap<String, Vec<u8>> = redis::cmd("HGETALL").arg(&records).query_async(raw).await.unwrap();
    known.extend(newer);
    known.retain(|_, record| entry::record(record).unwrap().seq <= to);
    for entry in &kept {
        let client = entry.id.client.to_string();
        if known.get(&client).is_none_or(|record| entry::record(record).unwrap().n < entry.id.n) {
            let Entry { generation, seq, digest, .. } = **entry;
            let numbers = [generation, entry.id.n].map(u64::to_be_bytes);
            let digest = format!("{digest:016x}");
            let record = [numbers.as_flattened(), digest.as_bytes(), &seq.0.to_be_bytes()].concat();
            known.insert(client, record);
        }
    }
    let stood: Option<u64> = redis::cmd("HGET").arg(&meta).arg("s").query_async(raw).await.unwrap();
    let Some(stood) = stood else { return };
    let (seq, id) =
        kept.last().map_or((stood.min(to.0), String::new()), |entry| (entry.seq.0, entry.id.to_string()));
    let mut all = redis::pipe();
    all.atomic().cmd("DEL").arg(&[&log, &records, &older]);
    for entry in &kept {
        let prev = entry.prev.as_ref().map(ToString::to_string).unwrap_or_default();
        let packed = entry::pack_run(std::slice::from_ref(entry));
        all.cmd("XADD").arg(&log).arg(format!("{}-0", entry.seq.0));
        all.arg("n").arg(1).arg("p").arg(prev).arg("b").arg(packed);
    }
    for (client, record) in known {
        all.cmd("HSET").arg(&records).arg(client).arg(record);
    }
    all.cmd("HSET").arg(&meta).arg("s").arg(seq).arg("h").arg(id);
    let () = all.query_async(raw).await.unwrap();
}

impl Fixture for OnRedis {
    const LEASE: Duration = Duration::from_millis(1_000);
    const SETTLE: Duration = Duration::from_millis(300);
    const NAME_HOLD: Duration = Duration::from_millis(1_500);
    const TOO_MANY: u64 = 600;

    async fn connect(&self, node: &str) -> Link {
        let url = self.server.url_through(self.proxy(node).await.addr());
        let options = Options {
            lease: Self::LEASE,
            settle: Self::SETTLE,
            name_hold: Self::NAME_HOLD,
            feed_events: 256,
            ..Options::new(RedisUrl::parse(&url).unwrap(), NodeId::parse(node).unwrap())
        };
        super::connect(options).await.unwrap()
    }

    async fn flush(&self) {
        self.server.command(&["FLUSHALL"]).await.unwrap();
        self.server.command(&["SET", keys::FORMAT, "1 0"]).await.unwrap();
    }

    async fn roll_back(&self, room: &RoomName, to: Seq) {
        cut_log(&mut self.raw().await, room, to).await;
    }

    async fn forget_records(&self, room: &RoomName) {
        let [_, _, records, older] = keys::log(room);
        self.server.command(&["DEL", &records, &older]).await.unwrap();
    }

    async fn set_reachable(&self, node: &str, reachable: bool) {
        let proxy = self.proxy(node).await;
        if reachable { proxy.heal() } else { proxy.cut() }
    }

    async fn wait(&self, time: Duration) {
        self.server.wait_for_clock(time).await.unwrap();
    }
}

fn item(n: u64) -> Item {
    let id = chat_protocol::MessageId::new(ClientId::parse("x").unwrap(), n);
    Item { id, generation: 1, acked: None, digest: n, body: Some(r#"{"content":"said"}"#.into()) }
}

impl OnRedis {
    /// Seconds that a key has left; below 0: for ever, or it is not there.
    async fn ttl(&self, key: &str) -> i64 {
        redis::cmd("TTL").arg(key).query_async(&mut self.raw().await).await.unwrap()
    }

    async fn publish(&self, link: &Link, n: u64) -> Published {
        link.backbone.publish(&RoomName::general(), None, vec![item(n)]).await.unwrap()
    }

    async fn made(&self, link: &Link) {
        let round = link.backbone.ask(&RoomName::general()).await.unwrap().round;
        link.backbone.create(&RoomName::general(), round, None).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn whatever_a_room_leaves_behind_goes_by_itself_and_the_log_last() {
    let redis = OnRedis::start().await;
    let link = redis.connect("a").await;
    redis.made(&link).await;
    redis.publish(&link, 1).await;
    let [meta, log, records, _] = keys::log(&RoomName::general());
    let (meta, log, records) = (redis.ttl(&meta).await, redis.ttl(&log).await, redis.ttl(&records).await);
    assert!(log > 29 * 86_400 && records > 29 * 86_400, "{log}, {records}");
    assert!(meta > log.max(records), "{meta}");
}

#[tokio::test]
async fn a_record_lives_for_a_week_beyond_its_last_use_and_not_for_ever() {
    let redis = OnRedis::start().await;
    let link = redis.connect("a").await;
    redis.made(&link).await;
    redis.publish(&link, 1).await;
    let [meta, _, _, older] = keys::log(&RoomName::general());
    let turn = async || redis.server.command(&["HSET", &meta, "d", "0", "w", "0"]).await.unwrap();
    let last_n =
        async || link.backbone.last_n(&RoomName::general(), &ClientId::parse("x").unwrap()).await.unwrap();
    let again = async || match redis.publish(&link, 1).await {
        Published::Ok { items, .. } => items,
        other => panic!("{other:?}"),
    };
    let known = [crate::backbone::ItemAnswer::Duplicate(Some(Seq(1)))];
    // A repeat uses nothing: what it finds stays where it is.
    turn().await;
    assert_eq!(again().await, known);
    assert_eq!(last_n().await, 1);
    assert!(redis.ttl(&older).await > 0);
    // Nobody has used it for another week: the next turn forgets it.
    redis.publish(&link, 2).await;
    turn().await;
    assert_eq!((again().await, last_n().await), (vec![crate::backbone::ItemAnswer::Duplicate(None)], 2));
    redis.forget_records(&RoomName::general()).await;
    assert_eq!(last_n().await, 0);
}

#[tokio::test]
async fn records_without_a_log_mean_nothing() {
    let redis = OnRedis::start().await;
    let link = redis.connect("a").await;
    redis.made(&link).await;
    redis.publish(&link, 1).await;
    redis.server.command(&["DEL", &keys::log(&RoomName::general())[0]]).await.unwrap();
    let last_n = link.backbone.last_n(&RoomName::general(), &ClientId::parse("x").unwrap()).await;
    assert_eq!(last_n.unwrap(), 0);
}

#[tokio::test]
async fn a_round_that_another_clock_wrote_does_not_close_a_room_for_longer() {
    let redis = OnRedis::start().await;
    let link = redis.connect("a").await;
    redis.made(&link).await;
    redis
        .server
        .command(&["HSET", &keys::log(&RoomName::general())[0], "q", "99999999999999"])
        .await
        .unwrap();
    assert!(matches!(redis.publish(&link, 1).await, Published::Ok { .. }));
}

#[tokio::test]
async fn a_node_that_knows_nobody_waits_on_an_emptied_redis_for_as_long_as_others_may_take() {
    let redis = OnRedis::start().await;
    redis.server.command(&["FLUSHALL"]).await.unwrap();
    let link = redis.connect("a").await;
    link.backbone.ask(&RoomName::general()).await.unwrap();
    let format: String =
        redis::cmd("GET").arg(keys::FORMAT).query_async(&mut redis.raw().await).await.unwrap();
    let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(&mut redis.raw().await).await.unwrap();
    let now = Duration::from_secs(seconds) + Duration::from_micros(micros);
    let age = now.saturating_sub(start::since(&format));
    assert!(age >= Duration::from_millis(990), "asked after {age:?}");
}

#[tokio::test]
async fn two_renewals_at_once_begin_one_life() {
    let redis = OnRedis::start().await;
    let link = redis.connect("a").await;
    redis.flush().await;
    let renew = || link.backbone.renew(conformance::info("a"));
    let (one, other) = tokio::join!(renew(), renew());
    assert!(one.is_ok() && other.is_ok());
    let lives: u64 =
        redis::cmd("ZCARD").arg(keys::NODES[0]).query_async(&mut redis.raw().await).await.unwrap();
    assert_eq!(lives, 1);
    assert!(link.backbone.nodes().await.is_ok(), "it is its own namesake");
}

#[tokio::test]
async fn garbage_in_the_channels_is_passed_over() {
    let redis = OnRedis::start().await;
    let mut link = redis.connect("a").await;
    link.backbone.subscribe(&RoomName::general()).await.unwrap();
    redis.made(&link).await;
    let Published::Ok { head, .. } = redis.publish(&link, 1).await else { panic!("it is the first") };
    let epoch = head.epoch;
    let room = [
        "",
        "E",
        "E ",
        "E x",
        "E 1 2 3",
        &format!("E {epoch} 5 9 x/1"),
        &format!("E {epoch} 9 1 x/1\n\u{0}"),
        &format!("E {epoch} 9 1 x/1\n\u{0}\u{5}x"),
        "H",
        "H ",
        "H x",
        "H 1 2",
        "P",
        "P {}",
        "P null",
        "Z 1",
        "\n",
        " ",
    ];
    let all = ["A", "A general", "A {} x", "R general", "F x", "F x y", "T", "T x", "H general x", "H"];
    for message in room {
        redis.server.command(&["PUBLISH", "chat:{general}:feed:0", message]).await.unwrap();
    }
    for message in all {
        redis.server.command(&["PUBLISH", "chat:{nodes}:feed:0", message]).await.unwrap();
    }
    redis.server.command(&[&b"PUBLISH"[..], b"chat:{general}:feed:0", b"E \xff\xfe"]).await.unwrap();
    redis.publish(&link, 2).await;
    let told = conformance::told(&mut link).await;
    let entries = told.iter().filter(|event| matches!(event, crate::backbone::FeedEvent::Entries { .. }));
    assert_eq!(entries.count(), 2, "{told:?}");
    let stale = crate::backbone::FeedEvent::Stale;
    assert!(!told.contains(&stale), "the connection has survived it: {told:?}");
}

macro_rules! on_redis {
    ($($part:ident::$case:ident;)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                conformance::$part::$case(OnRedis::start().await).await;
            }
        )*
    };
}
each_case!(on_redis);
