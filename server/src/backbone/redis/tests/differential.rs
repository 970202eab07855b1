//! The scripts against their specification: the same random calls to the memory backbone and to a real Redis have
//! the same answers, leave the same log, and tell the same. Prints the seed and the calls of a run that differs.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use chat_protocol::{Acked, MessageId};
use fastrand::Rng;

use super::*;
use crate::backbone::memory::{MemoryBackbone, Timing};
use crate::backbone::{FeedEvent, ItemAnswer, Record};

/// Further ones by `CHAT_DIFF_SEEDS=1000`.
const RUNS: u64 = 24;
const CALLS: usize = 250;
const CLIENTS: [&str; 3] = ["x", "y", "z"];
/// Rounds end by order here.
const SETTLE: Duration = Duration::from_secs(3_600);

/// One of the two, and what is random in it.
struct Side {
    link: Link,
    /// In the order in which they were made: the same index means the same life on both sides.
    epochs: Vec<Epoch>,
    round: u64,
}

/// Number, life and seq of an acknowledged message.
type Evidence = (u64, usize, u64);

/// Something that was written once, to be brought back.
type Known = Vec<Arc<Entry>>;

#[derive(Debug, Clone)]
enum Op {
    Publish { known: Option<(usize, u64, Option<MessageId>)>, items: Vec<(Item, Option<Evidence>)> },
    Read { epoch: usize, seq: u64, id: Option<MessageId>, limit: usize },
    History { before: Option<u64>, limit: usize },
    Ask,
    Create { right_round: bool, before: Option<(usize, u64)> },
    Repair { epoch: usize, entries: Known, records: Vec<(ClientId, Record)> },
    EndRound,
    Flush,
    RollBack(u64),
    ForgetRecords,
}

impl Side {
    fn epoch(&self, index: usize) -> Epoch {
        self.epochs.get(index).copied().unwrap_or(Epoch(7 + index as u64))
    }

    /// The name of a life that both sides share.
    fn index(&mut self, epoch: Epoch) -> usize {
        let known = self.epochs.iter().position(|known| *known == epoch);
        known.unwrap_or_else(|| {
            self.epochs.push(epoch);
            self.epochs.len() - 1
        })
    }

    fn place(&mut self, place: &Place) -> String {
        format!("{}:{}:{:?}", self.index(place.epoch), place.seq.0, place.id)
    }

    fn head(&mut self, head: &Head) -> String {
        let before = head.before.map(|(epoch, seq)| (self.index(epoch), seq));
        format!("{} first {} before {before:?}", self.place(&head.place), head.first.0)
    }

    async fn play(&mut self, op: &Op) -> String {
        let (backbone, room) = (self.link.backbone.clone(), RoomName::general());
        match op {
            Op::Publish { known, items } => {
                let known = known.clone().map(|(epoch, seq, id)| Place {
                    epoch: self.epoch(epoch),
                    seq: Seq(seq),
                    id,
                });
                let evidence =
                    |(n, epoch, seq): Evidence| Acked { n, epoch: self.epoch(epoch), seq: Seq(seq) };
                let items =
                    items.iter().map(|(item, acked)| Item { acked: acked.map(evidence), ..item.clone() });
                match backbone.publish(&room, known, items.collect()).await.unwrap() {
                    Published::Ok { head, items } => format!("{} {items:?}", self.place(&head)),
                    Published::Epoch(place) => format!("epoch {}", self.place(&place)),
                    Published::Behind(place) => format!("behind {}", self.place(&place)),
                    Published::Fork(place) => format!("fork {}", self.place(&place)),
                    Published::Settling(_) => "settling".to_owned(),
                    other => format!("{other:?}"),
                }
            }
            Op::Read { epoch, seq, id, limit } => {
                let after = Place { epoch: self.epoch(*epoch), seq: Seq(*seq), id: id.clone() };
                match backbone.read(&room, after, *limit).await.unwrap() {
                    Page::Ok { head, entries } => format!("{} {entries:?}", self.place(&head)),
                    Page::Epoch(head) => format!("epoch {}", self.head(&head)),
                    Page::Behind(place) => format!("behind {}", self.place(&place)),
                    Page::Fork(place) => format!("fork {}", self.place(&place)),
                    Page::Trimmed { head, first } => format!("trimmed {} {}", self.place(&head), first.0),
                    Page::Lost => "lost".to_owned(),
                }
            }
            Op::History { before, limit } => {
                let page = backbone.history(&room, before.map(Seq), *limit).await.unwrap();
                page.map_or_else(String::new, |(head, entries)| format!("{} {entries:?}", self.head(&head)))
            }
            Op::Ask => {
                let Asked { round, nodes } = backbone.ask(&room).await.unwrap();
                let same = std::mem::replace(&mut self.round, round) == round;
                format!("same round {same}, {nodes:?}")
            }
            Op::Create { right_round, before } => {
                let round = if *right_round { self.round } else { 1 };
                let before =
                    before.map(|(epoch, seq)| Place { epoch: self.epoch(epoch), seq: Seq(seq), id: None });
                let head = backbone.create(&room, round, before).await.unwrap();
                head.map_or_else(|| "refused".to_owned(), |head| self.head(&head))
            }
            Op::Repair { epoch, entries, records } => {
                let (epoch, entries, records) = (self.epoch(*epoch), entries.clone(), records.clone());
                match backbone.repair(&room, Run { epoch, entries, records }).await.unwrap() {
                    Repaired::Ok { head, restored } => format!("{} restored {restored}", self.place(&head)),
                    Repaired::Epoch(head) => format!("epoch {}", self.head(&head)),
                    Repaired::Fork(place) => format!("fork {}", self.place(&place)),
                    Repaired::Hole(place) => format!("hole {}", self.place(&place)),
                    Repaired::Bad => "bad".to_owned(),
                }
            }
            Op::EndRound | Op::Flush | Op::RollBack(_) | Op::ForgetRecords => String::new(),
        }
    }

    /// Everything that can be seen of the log.
    async fn look(&mut self) -> String {
        let (backbone, room) = (self.link.backbone.clone(), RoomName::general());
        let log = backbone.history(&room, None, 1_000).await.unwrap();
        let mut seen =
            log.map_or_else(String::new, |(head, entries)| format!("{} {entries:?}", self.head(&head)));
        for client in CLIENTS {
            let n = backbone.last_n(&room, &ClientId::parse(client).unwrap()).await.unwrap();
            seen.push_str(&format!(" {client}={n}"));
        }
        seen
    }

    /// What the feed has told: entries in order, and where the last round was said to stand.
    async fn told(&mut self) -> String {
        let (mut entries, mut round) = (Vec::new(), None);
        for event in conformance::told(&mut self.link).await {
            match event {
                FeedEvent::Entries { epoch, entries: new, .. } => entries.push((self.index(epoch), new)),
                FeedEvent::Head { head, .. } => round = head,
                _ => {}
            }
        }
        let round = round.map(|head| self.head(&head));
        format!("{entries:?} round {round:?}")
    }
}

/// What the runs are made of, and what they have seen.
struct Writer {
    rng: Rng,
    entries: Vec<Known>,
    lives: usize,
}

impl Writer {
    fn op(&mut self, log: &[Arc<Entry>], life: usize) -> Op {
        match self.rng.usize(0..100) {
            0..45 => self.publish(log, life),
            45..55 => {
                let (seq, id) = self.place(log);
                Op::Read { epoch: self.life(life), seq, id, limit: self.rng.usize(0..9) }
            }
            55..60 => Op::History {
                before: self.rng.bool().then(|| self.rng.u64(0..30)),
                limit: self.rng.usize(0..9),
            },
            60..66 => Op::Ask,
            66..74 => Op::Create {
                right_round: self.rng.u8(..) > 30,
                before: self.rng.bool().then(|| (self.rng.usize(0..self.lives + 1), self.rng.u64(0..9))),
            },
            74..86 => self.repair(life),
            86..92 => Op::EndRound,
            92..94 => Op::Flush,
            94..98 => Op::RollBack(self.rng.u64(0..=log.last().map_or(0, |entry| entry.seq.0))),
            _ => Op::ForgetRecords,
        }
    }

    /// The log's life as a rule.
    fn life(&mut self, life: usize) -> usize {
        if self.rng.u8(..) > 25 { life } else { self.rng.usize(0..self.lives + 1) }
    }

    /// A place in the log, or near it, with the message there, another, or none.
    fn place(&mut self, log: &[Arc<Entry>]) -> (u64, Option<MessageId>) {
        let at = (!log.is_empty()).then(|| log[self.rng.usize(0..log.len())].clone());
        let last = log.last().cloned();
        match (self.rng.u8(0..8), at, last) {
            (0..3, _, Some(entry)) | (3..5, Some(entry), _) => (entry.seq.0, Some(entry.id.clone())),
            (5, Some(entry), _) => (entry.seq.0, None),
            (6, Some(entry), _) => (entry.seq.0 + self.rng.u64(0..3), Some(entry.id.clone())),
            _ => (self.rng.u64(0..4), None),
        }
    }

    fn publish(&mut self, log: &[Arc<Entry>], life: usize) -> Op {
        let (seq, id) = self.place(log);
        let known = (self.rng.u8(0..4) > 0).then(|| (self.life(life), seq, id));
        let count = self.rng.usize(1..6);
        let items = (0..count).map(|_| self.item(log, life)).collect();
        Op::Publish { known, items }
    }

    fn item(&mut self, log: &[Arc<Entry>], life: usize) -> (Item, Option<Evidence>) {
        let client = ClientId::parse(CLIENTS[self.rng.usize(0..CLIENTS.len())]).unwrap();
        let newest = log.iter().rev().find(|entry| entry.id.client == client);
        let last = newest.map_or(0, |entry| entry.id.n);
        let n = match self.rng.u8(0..10) {
            0..7 => last + self.rng.u64(1..3),
            _ => self.rng.u64(1..last + 4),
        };
        let acked = (self.rng.bool() && n > 1).then(|| {
            let acked = newest
                .filter(|_| self.rng.u8(0..4) > 0)
                .map_or((n - 1, 3), |entry| (entry.id.n, entry.seq.0));
            (acked.0.min(n - 1), self.life(life), acked.1)
        });
        let digest = if self.rng.u8(0..12) == 0 { 99 } else { n };
        let generation = self.rng.u64(1..20).min(2);
        let body =
            (self.rng.u8(0..14) > 0).then(|| Bytes::from(format!(r#"{{"content":"{client} says {n}"}}"#)));
        (Item { id: MessageId::new(client, n), generation, acked: None, digest, body }, acked)
    }

    /// Part of what a log was at some time; sometimes spoiled.
    fn repair(&mut self, life: usize) -> Op {
        let epoch = self.life(life);
        if self.entries.is_empty() {
            return Op::Repair { epoch, entries: Vec::new(), records: Vec::new() };
        }
        let was = self.entries[self.rng.usize(0..self.entries.len())].clone();
        let from = self.rng.usize(0..=was.len());
        let to = self.rng.usize(from..=was.len());
        let mut entries = was[from..to].to_vec();
        if self.rng.u8(0..10) == 0 && entries.len() > 1 {
            entries.remove(self.rng.usize(0..entries.len() - 1));
        }
        let below = was[..from].iter().map(|entry| {
            let record =
                Record { generation: entry.generation, n: entry.id.n, seq: entry.seq, digest: entry.digest };
            (entry.id.client.clone(), record)
        });
        let records = if self.rng.bool() { below.collect() } else { Vec::new() };
        Op::Repair { epoch, entries, records }
    }
}

struct Pair {
    memory: MemoryBackbone,
    /// In ms; only orders move it.
    clock: Arc<AtomicU64>,
    redis: OnRedis,
}

impl Pair {
    /// What nobody asks for, but happens.
    async fn befall(&self, op: &Op) {
        let room = RoomName::general();
        match op {
            Op::EndRound => {
                self.clock.fetch_add(SETTLE.as_millis() as u64, Ordering::Relaxed);
                self.redis.server.command(&["HDEL", &keys::log(&room)[0], "q"]).await.unwrap();
            }
            Op::Flush => {
                self.memory.flush();
                self.redis.flush().await;
            }
            Op::RollBack(to) => {
                self.memory.roll_back(&room, Seq(*to));
                self.redis.roll_back(&room, Seq(*to)).await;
            }
            Op::ForgetRecords => {
                self.memory.forget_records(&room);
                self.redis.forget_records(&room).await;
            }
            _ => {}
        }
    }
}

async fn run(seed: u64) {
    let clock = Arc::new(AtomicU64::new(0));
    let time = clock.clone();
    let memory = MemoryBackbone::with_clock(
        Timing { settle: SETTLE, ..Timing::default() },
        Arc::new(move || Duration::from_millis(time.load(Ordering::Relaxed))),
    );
    let pair = Pair { memory, clock, redis: OnRedis::start().await };
    let side = |link| Side { link, epochs: Vec::new(), round: 0 };
    let url = RedisUrl::parse(&pair.redis.server.url()).unwrap();
    let node = NodeId::parse("a").unwrap();
    let options = Options { settle: SETTLE, ..Options::new(url, node.clone()) };
    let mut sides = [side(pair.memory.connect(node)), side(super::super::connect(options).await.unwrap())];
    for side in &sides {
        side.link.backbone.subscribe(&RoomName::general()).await.unwrap();
    }
    let mut writer = Writer { rng: Rng::with_seed(seed), entries: Vec::new(), lives: 0 };
    let mut story = Vec::new();
    for _ in 0..CALLS {
        let log = sides[0].link.backbone.history(&RoomName::general(), None, 1_000).await.unwrap();
        let (life, log) = log.map_or((0, Vec::new()), |(head, log)| (sides[0].index(head.place.epoch), log));
        if !log.is_empty() {
            writer.entries.push(log.clone());
        }
        writer.lives = sides[0].epochs.len();
        let op = writer.op(&log, life);
        story.push(format!("{op:?}"));
        pair.befall(&op).await;
        let mut answers = Vec::new();
        for side in &mut sides {
            answers.push((side.play(&op).await, side.look().await, side.told().await));
        }
        let told = || format!("seed {seed}\n{}", story.join("\n"));
        assert_eq!(answers[0], answers[1], "memory, then redis; {}", told());
    }
}

#[tokio::test]
async fn redis_answers_as_memory_does() {
    let runs = std::env::var("CHAT_DIFF_SEEDS").map_or(RUNS, |runs| runs.parse().expect("a number of runs"));
    for seed in 1..=runs {
        run(seed).await;
    }
}

/// Whatever the runs above consist of, they consist of all of this.
#[tokio::test]
async fn the_runs_are_worth_something() {
    let mut seen = std::collections::BTreeSet::new();
    let redis = OnRedis::start().await;
    let link = redis.connect("a").await;
    let mut writer = Writer { rng: Rng::with_seed(1), entries: Vec::new(), lives: 1 };
    let room = RoomName::general();
    for _ in 0..2_000 {
        let log =
            link.backbone.history(&room, None, 1_000).await.unwrap().map_or_else(Vec::new, |(_, log)| log);
        if log.len() > 40 {
            redis.roll_back(&room, Seq(5)).await;
        }
        let Op::Publish { items, .. } = writer.publish(&log, 0) else { unreachable!() };
        let items = items.into_iter().map(|(item, _)| item).collect();
        match link.backbone.publish(&room, None, items).await.unwrap() {
            Published::Ok { items, .. } => {
                for item in items {
                    seen.insert(match item {
                        ItemAnswer::Placed { .. } => "placed",
                        ItemAnswer::Voided => "voided",
                        ItemAnswer::Duplicate(Some(_)) => "duplicate",
                        ItemAnswer::Duplicate(None) => "older duplicate",
                        ItemAnswer::Reused => "reused",
                        ItemAnswer::Gap(_) => "gap",
                        ItemAnswer::Back(_) => "back",
                        ItemAnswer::Fenced => "fenced",
                    });
                }
            }
            Published::None => {
                let round = link.backbone.ask(&room).await.unwrap().round;
                link.backbone.create(&room, round, None).await.unwrap().unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    let wanted = ["placed", "voided", "duplicate", "older duplicate", "reused", "gap", "fenced"];
    assert!(wanted.iter().all(|wanted| seen.contains(wanted)), "{seen:?}");
}
