//! Owns the comparison of publishing: plain XADD, the script that was tried before, and the node's own call. The same
//! bodies, the same clients, the same number of calls in flight on one connection. What counts is Redis' own processor
//! time: it is what a cluster runs out of first, and what the other side costs is not in it.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use chat_protocol::{Acked, ClientId, Epoch, MessageId, NodeId, RoomName, Seq};
use chat_server::backbone::redis::{Options, connect};
use chat_server::backbone::{Backbone, Item, ItemAnswer, Place, Published};
use chat_server::config::RedisUrl;
use chat_testbed::{RedisConnection, RedisServer, percentile};
use futures_util::future::try_join_all;
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::info;

const REFERENCE: &str = include_str!("reference.lua");
/// Rooms, each with one call in flight, as nodes publish.
const ROOMS: usize = 8;
/// Clients that take turns in a room.
const CLIENTS: u64 = 64;
/// Bytes of a message.
const BODY: usize = 220;
/// Messages of a form in a round and room.
const MESSAGES: usize = 1_024;
/// Rounds; one more before them is not counted.
const ROUNDS: usize = 9;
/// Entries that logs keep.
const KEPT: usize = 10_000;

/// A way to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    Reference,
    Ours,
}

/// What is measured: a way, and messages in a call.
const FORMS: [(Way, usize, &str); 7] = [
    (Way::Plain, 1, "plain XADD"),
    (Way::Reference, 1, "reference, 1 a call"),
    (Way::Reference, 16, "reference, 16 a call"),
    (Way::Reference, 64, "reference, 64 a call"),
    (Way::Ours, 1, "publish.lua, 1 a call"),
    (Way::Ours, 16, "publish.lua, 16 a call"),
    (Way::Ours, 64, "publish.lua, 64 a call"),
];

/// A room, and its clients as far as they are.
struct Room {
    name: RoomName,
    epoch: Epoch,
    head: Place,
    /// Of each client what it sent last.
    clients: Vec<(ClientId, Acked)>,
    turn: usize,
}

impl Room {
    fn new(name: RoomName, epoch: Epoch) -> Self {
        let unsent = Acked { n: 0, epoch, seq: Seq::START };
        let clients = (0..CLIENTS).map(|_| (ClientId::random(), unsent)).collect();
        Self { name, epoch, head: Place::start(epoch), clients, turn: 0 }
    }

    /// The next messages, of the next clients; all of them will be placed.
    fn next(&mut self, count: usize, body: &Bytes) -> Vec<Item> {
        let mut item = || {
            let turn = self.turn % self.clients.len();
            self.turn += 1;
            let (client, sent) = &mut self.clients[turn];
            let acked = (sent.n > 0).then_some(*sent);
            let id = MessageId::new(client.clone(), sent.n + 1);
            self.head = Place { seq: self.head.seq.next(), id: Some(id.clone()), ..self.head };
            *sent = Acked { n: id.n, epoch: self.epoch, seq: self.head.seq };
            let digest = id.n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            Item { id, generation: 1_763_000_000_000, acked, digest, body: Some(body.clone()) }
        };
        (0..count).map(|_| item()).collect()
    }
}

/// What forms are measured with.
struct Bench {
    wire: MultiplexedConnection,
    backbone: Arc<dyn Backbone>,
    reference: String,
    body: Bytes,
}

impl Bench {
    async fn call(&self, way: Way, room: &mut Room, count: usize) -> anyhow::Result<()> {
        let known = room.head.clone();
        match way {
            Way::Plain => self.plain(room).await,
            Way::Reference => {
                let items = room.next(count, &self.body);
                self.reference(room, &known, &items).await
            }
            Way::Ours => {
                let items = room.next(count, &self.body);
                self.ours(room, known, items).await
            }
        }
    }

    async fn plain(&self, room: &Room) -> anyhow::Result<()> {
        let mut add = redis::cmd("XADD");
        add.arg(format!("plain:{{{}}}", room.name)).arg("MAXLEN").arg("~").arg(KEPT).arg("*");
        Ok(add.arg("d").arg(&self.body[..]).exec_async(&mut self.wire.clone()).await?)
    }

    async fn reference(&self, room: &Room, known: &Place, items: &[Item]) -> anyhow::Result<()> {
        let name = &room.name;
        let mut keys = ["meta", "log", "feed"].map(|part| format!("reference:{{{name}}}:{part}")).to_vec();
        keys.extend(items.iter().map(|item| format!("reference:{{{name}}}:from:{}", item.id.client)));
        let mut call = redis::cmd("EVALSHA");
        call.arg(&self.reference).arg(keys.len()).arg(keys);
        let epoch = known.id.as_ref().map(|_| known.epoch.to_string()).unwrap_or_default();
        let id = known.id.as_ref().map(ToString::to_string).unwrap_or_default();
        call.arg(epoch).arg(known.seq.0).arg(id).arg(room.epoch.to_string());
        call.arg(KEPT).arg(30 * 86_400).arg(7 * 86_400).arg("PUBLISH");
        for (index, item) in items.iter().enumerate() {
            let (n, seq) = item.acked.map_or((0, 0), |acked| (acked.n, acked.seq.0));
            call.arg(index + 4).arg(item.generation).arg(item.id.n).arg(item.id.to_string());
            call.arg(n).arg(seq).arg(item.body.as_deref().unwrap_or_default());
        }
        let (word, _, seq, _, answers): (String, String, u64, String, Vec<(String, u64)>) =
            call.query_async(&mut self.wire.clone()).await?;
        let placed = answers.iter().all(|(word, _)| word == "OK");
        ensure!(word == "OK" && placed && seq == room.head.seq.0, "the reference: {word} {seq} {answers:?}");
        Ok(())
    }

    async fn ours(&self, room: &Room, known: Place, items: Vec<Item>) -> anyhow::Result<()> {
        match self.backbone.publish(&room.name, Some(known), items).await? {
            Published::Ok { head, items } if head == room.head => {
                let placed = items.iter().all(|answer| matches!(answer, ItemAnswer::Placed { .. }));
                ensure!(placed, "not placed: {items:?}");
                Ok(())
            }
            other => bail!("not published: {other:?}"),
        }
    }

    /// Rooms of their own for a form, with a log each.
    async fn rooms(&self, way: Way, count: usize) -> anyhow::Result<Vec<Room>> {
        let mut rooms = Vec::new();
        for number in 0..ROOMS {
            let name = RoomName::parse(&format!("{way:?}-{count}-{number}").to_lowercase())?;
            let epoch = if way == Way::Ours {
                let round = self.backbone.ask(&name).await?.round;
                let head = self.backbone.create(&name, round, None).await?.context("no log was made")?;
                head.place.epoch
            } else {
                Epoch::random()
            };
            rooms.push(Room::new(name, epoch));
        }
        Ok(rooms)
    }
}

/// One form, and what its rounds took for a message, in microseconds.
struct Measured {
    rooms: Vec<Room>,
    redis: Vec<f64>,
    wall: Vec<f64>,
}

/// Redis' processor time so far, in microseconds.
async fn processor(connection: &mut RedisConnection) -> anyhow::Result<f64> {
    let mut total = 0.0;
    for name in ["used_cpu_user_main_thread", "used_cpu_sys_main_thread"] {
        total += info(connection, "cpu", name).await?.parse::<f64>()?;
    }
    Ok(total * 1e6)
}

/// Measures all forms in turns, prints a table and answers with its figures.
pub(crate) async fn measure(server: &RedisServer) -> anyhow::Result<Value> {
    let client = redis::Client::open(server.url())?;
    let wire = client.get_multiplexed_async_connection().await?;
    let options =
        Options::new(RedisUrl::parse(&server.url()).map_err(anyhow::Error::msg)?, NodeId::parse("a")?);
    let link = connect(options).await?;
    let reference = redis::cmd("SCRIPT").arg("LOAD").arg(REFERENCE).query_async(&mut wire.clone()).await?;
    let body = Bytes::from(vec![b'x'; BODY]);
    let bench = Bench { wire, backbone: link.backbone.clone(), reference, body };
    let mut forms = Vec::new();
    for (way, count, _) in FORMS {
        let rooms = bench.rooms(way, count).await?;
        forms.push(Measured { rooms, redis: Vec::new(), wall: Vec::new() });
    }
    let mut connection = server.connect().await?;
    for round in 0..=ROUNDS {
        let mut order: Vec<usize> = (0..FORMS.len()).collect();
        order.rotate_left(round % FORMS.len());
        for index in order {
            let (redis, wall) = sample(&bench, &mut connection, index, &mut forms[index].rooms).await?;
            if round > 0 {
                forms[index].redis.push(redis);
                forms[index].wall.push(wall);
            }
        }
    }
    Ok(report(&mut forms))
}

/// One round of one form: Redis' time and time for a message, in microseconds.
async fn sample(
    bench: &Bench,
    connection: &mut RedisConnection,
    index: usize,
    rooms: &mut [Room],
) -> anyhow::Result<(f64, f64)> {
    let (way, count, _) = FORMS[index];
    let messages = (rooms.len() * MESSAGES) as f64;
    let (used, begun) = (processor(connection).await?, Instant::now());
    try_join_all(rooms.iter_mut().map(async |room| {
        for _ in 0..MESSAGES / count {
            bench.call(way, room, count).await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    let wall = begun.elapsed().as_secs_f64() * 1e6;
    Ok(((processor(connection).await? - used) / messages, wall / messages))
}

fn report(forms: &mut [Measured]) -> Value {
    println!(
        "publishing: {ROOMS} calls in flight, {CLIENTS} clients a room, {BODY} bytes, {ROUNDS} rounds in turns"
    );
    println!("{:<24}{:>12}{:>12}{:>14}{:>14}", "", "us, median", "us, least", "messages/s", "seen/s");
    let mut costs = Vec::new();
    let mut rows = Vec::new();
    for (form, (_, _, name)) in forms.iter_mut().zip(FORMS) {
        let (median, least) = (percentile(&mut form.redis, 0.5), percentile(&mut form.redis, 0.0));
        let (rate, seen) = (1e6 / median, 1e6 / percentile(&mut form.wall, 0.5));
        println!("{name:<24}{median:>12.2}{least:>12.2}{rate:>14.0}{seen:>14.0}");
        rows.push(json!({"form": name, "redis_us_median": median, "redis_us_least": least,
            "messages_per_redis_second": rate, "messages_per_second_seen": seen}));
        costs.push((median, least));
    }
    println!("us and messages/s: of Redis' processor time; seen/s: with the client on the same machine\n");
    let ratios = [(5, 2), (6, 3), (4, 1), (5, 1), (6, 1), (5, 0)].map(|(ours, other): (usize, usize)| {
        let name = format!("{} to {}", FORMS[ours].2, FORMS[other].2);
        let (median, least) = (costs[other].0 / costs[ours].0, costs[other].1 / costs[ours].1);
        println!("{name:<50}{median:>6.2} times the rate, {least:.2} by the least");
        json!({"what": name, "ratio": median, "ratio_of_least": least})
    });
    println!();
    json!({"forms": rows, "ratios": ratios})
}
