//! Owns the packed forms in which entries lie in the log and travel through the feed, items go to the script that
//! judges them, and records of clients are kept. What a node packs once is kept and told as it is.
//!
//! - An entry: `u16` length and header `client/n generation digest`, `u32` length and body. Seqs and the ids before
//!   follow from the batch an entry lies in.
//! - An item's head: `u32` client, `u32` bytes of its entry, `u64` generation, `u64` n, digest, `u64` acked n,
//!   `u64` acked seq, acked epoch.
//! - A record: `u64` generation, `u64` n, digest, `u64` seq.
//!
//! Numbers are big-endian; digests and epochs sixteen hexadecimal digits, which Lua holds without loss.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use chat_protocol::{ClientId, MessageId, Seq};

use crate::backbone::{Entry, Item, Record};

/// Bytes of a digest or an epoch.
const HEX: usize = 16;

/// Packs one entry behind others.
fn pack(packed: &mut Vec<u8>, id: &MessageId, (generation, digest): (u64, u64), body: &[u8]) {
    let header = format!("{id} {generation} {digest:016x}");
    packed.extend((header.len() as u16).to_be_bytes());
    packed.extend_from_slice(header.as_bytes());
    packed.extend((body.len() as u32).to_be_bytes());
    packed.extend_from_slice(body);
}

/// Items on their way into the log.
#[derive(Default)]
pub(super) struct Batch<'a> {
    /// Each once.
    pub(super) clients: Vec<&'a ClientId>,
    /// What is to be judged of each item.
    pub(super) heads: Vec<u8>,
    /// What is to be written of each; nothing of a void one.
    pub(super) entries: Vec<u8>,
}

/// Packs items.
pub(super) fn pack_items(items: &[Item]) -> Batch<'_> {
    let (mut batch, mut known) = (Batch::default(), HashMap::new());
    for item in items {
        let client = *known.entry(&item.id.client).or_insert_with(|| {
            batch.clients.push(&item.id.client);
            batch.clients.len() as u32
        });
        let begin = batch.entries.len();
        if let Some(body) = &item.body {
            pack(&mut batch.entries, &item.id, (item.generation, item.digest), body);
        }
        let length = (batch.entries.len() - begin) as u32;
        batch.heads.extend([client, length].map(u32::to_be_bytes).as_flattened());
        batch.heads.extend([item.generation, item.id.n].map(u64::to_be_bytes).as_flattened());
        hex(&mut batch.heads, item.digest);
        let (acked, epoch, seq) = item.acked.map_or((0, 0, 0), |acked| (acked.n, acked.epoch.0, acked.seq.0));
        batch.heads.extend([acked, seq].map(u64::to_be_bytes).as_flattened());
        hex(&mut batch.heads, epoch);
    }
    batch
}

fn hex(packed: &mut Vec<u8>, number: u64) {
    write!(packed, "{number:016x}").expect("memory takes all that is written");
}

/// Entries on their way back.
pub(super) fn pack_run(entries: &[Arc<Entry>]) -> Vec<u8> {
    let mut packed = Vec::new();
    for entry in entries {
        pack(&mut packed, &entry.id, (entry.generation, entry.digest), &entry.body);
    }
    packed
}

/// Reads a client's record; none where it is not one.
pub(super) fn record(mut packed: &[u8]) -> Option<Record> {
    let (generation, n) = (packed.try_get_u64().ok()?, packed.try_get_u64().ok()?);
    let (digest, mut seq) = packed.split_at_checked(HEX)?;
    let digest = u64::from_str_radix(std::str::from_utf8(digest).ok()?, 16).ok()?;
    Some(Record { generation, n, seq: Seq(seq.try_get_u64().ok()?), digest })
}

/// Reads a batch that ends at `last`; none where it is not one.
pub(super) fn unpack(mut packed: Bytes, last: u64, count: u64, prev: &str) -> Option<Vec<Arc<Entry>>> {
    let mut entries = Vec::new();
    let mut seq = last.checked_sub(count)?;
    let mut prev = if prev.is_empty() { None } else { Some(prev.parse().ok()?) };
    while !packed.is_empty() {
        let header = field(&mut packed, 2)?;
        let body = field(&mut packed, 4)?;
        let mut header = std::str::from_utf8(&header).ok()?.split(' ');
        let id: MessageId = header.next()?.parse().ok()?;
        let generation = header.next()?.parse().ok()?;
        let digest = u64::from_str_radix(header.next()?, 16).ok()?;
        // What a member could not read is no entry of ours.
        if !is_object(&body) {
            return None;
        }
        seq = seq.checked_add(1)?;
        let before = prev.replace(id.clone());
        entries.push(Arc::new(Entry { seq: Seq(seq), id, prev: before, generation, digest, body }));
    }
    (seq == last).then_some(entries)
}

/// A body is a JSON object with at least one field.
fn is_object(body: &[u8]) -> bool {
    body.starts_with(b"{\"") && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

fn field(packed: &mut Bytes, width: usize) -> Option<Bytes> {
    let length = packed.try_get_uint(width).ok()?;
    let length = usize::try_from(length).ok().filter(|length| *length <= packed.len())?;
    Some(packed.split_to(length))
}
