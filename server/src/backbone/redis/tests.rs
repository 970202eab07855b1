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
